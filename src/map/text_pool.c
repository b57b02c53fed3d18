/* Strings of a sheet, each once: see text_pool.h.  A table of offsets by CRC-32C, linear probing, at most
 * half full. */
#include "map/text_pool.h"

#include <stdlib.h>

#include "base/grow.h"

#define SLOTS_FIRST 1024

static uint32_t hash_of(const char *s, size_t n)
{
	return (uint32_t)((crc32c(s, n) * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The slot of s, or the free one where it belongs.  A string is looked at where its hash is the same. */
static uint64_t *slot_of(const struct text_pool *p, const char *s, uint32_t hash)
{
	size_t i = hash & (p->n_slot - 1);

	while (p->slot[i] && (p->slot[i] >> 32 != hash || strcmp(p->text + (uint32_t)p->slot[i], s) != 0))
		i = (i + 1) & (p->n_slot - 1);
	return &p->slot[i];
}

static bool slots_grow(struct text_pool *p)
{
	uint64_t *old = p->slot;
	size_t n_old = p->n_slot, n = n_old ? 2 * n_old : SLOTS_FIRST;
	uint64_t *slot = calloc(n, sizeof(*slot));

	if (!slot)
		return false;
	p->slot = slot;
	p->n_slot = n;
	for (size_t i = 0; i < n_old; i++) {
		size_t at = (old[i] >> 32) & (n - 1);
		while (old[i] && slot[at])
			at = (at + 1) & (n - 1);
		if (old[i])
			slot[at] = old[i];
	}
	free(old);
	return true;
}

/* Behind what is there; s is printable and n bytes long with its zero. */
static bool append(struct text_pool *p, const char *s, size_t n, uint32_t *at)
{
	if (p->n + n >= UINT32_MAX || !grow(&p->text, &p->cap, p->n, n + 1, 1))
		return false;
	if (p->n == 0)
		p->text[p->n++] = '\0';
	memcpy(p->text + p->n, s, n);
	*at = (uint32_t)p->n;
	p->n += n;
	return true;
}

static bool take(struct text_pool *p, const char *s, size_t n, uint32_t *at)
{
	*at = 0;
	if (n == 1)
		return true;
	if (2 * (p->used + 1) > p->n_slot && !slots_grow(p))
		return false;
	uint32_t hash = hash_of(s, n);
	uint64_t *slot = slot_of(p, s, hash);
	*at = (uint32_t)*slot;
	if (*at)
		return true;
	if (!append(p, s, n, at))
		return false;
	*slot = (uint64_t)hash << 32 | *at;
	p->used++;
	return true;
}

/* A zero among the bytes shows as '?' like every other byte that is not printable. */
static size_t copy(char *to, size_t room, struct rd s)
{
	size_t n = rd_left(&s) < room - 1 ? rd_left(&s) : room - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = s.p[i] >= 0x20 && s.p[i] < 0x7f ? (char)s.p[i] : '?';
	to[n] = '\0';
	return n;
}

bool text_pool_add(struct text_pool *p, struct rd s, uint32_t *at)
{
	char text[POOL_TEXT_MAX];
	size_t n = copy(text, sizeof(text), s);

	return take(p, text, n + 1, at);
}

bool text_pool_append(struct text_pool *p, struct rd s, uint32_t *at)
{
	char text[POOL_TEXT_MAX];
	size_t n = copy(text, sizeof(text), s);

	*at = 0;
	return n == 0 || append(p, text, n + 1, at);
}

bool text_pool_add_pair(struct text_pool *p, struct rd a, struct rd b, uint32_t *at)
{
	char text[2 * POOL_TEXT_MAX];
	size_t n = copy(text, POOL_TEXT_MAX, a);

	text[n++] = '/';
	n += copy(text + n, sizeof(text) - n, b);
	return take(p, text, n + 1, at);
}

const char *text_pool_text(const struct text_pool *p, size_t *n)
{
	*n = p->n ? p->n : 1;
	return p->n ? p->text : "";
}

void text_pool_free(struct text_pool *p)
{
	free(p->text);
	free(p->slot);
	*p = (struct text_pool){0};
}
