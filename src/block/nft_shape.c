/* From a neutral rule to the shape that packets are looked up by, and the key that is looked up. */
#include <stddef.h>
#include <stdlib.h>

#include "block/nft_in.h"

static const char *const l4_name[] = {"any", "proto", "port"};

const char *nft_cannot(const struct rule *r)
{
	if (!rule_valid(r))
		return "is not well-formed";
	if (r->from.len == 0 && r->to.len == 0)
		return "names neither where packets come from nor where they go";
	return NULL;
}

static void put(uint8_t key[KEY_BYTES], size_t *n, const void *p, size_t bytes, size_t room)
{
	memcpy(key + *n, p, bytes);
	*n += room;
}

static void put_address(struct element *to, size_t *n, const struct prefix *p)
{
	size_t bytes = to->shape.v == 4 ? 4 : 16;

	if (p->len)
		put(to->key, n, p->ip.b, bytes, bytes);
}

void element_of(struct element *to, const struct want *w, uint32_t index, struct wall now)
{
	const struct rule *r = &w->rule;
	uint8_t port[2] = {(uint8_t)(r->port >> 8), (uint8_t)r->port};
	size_t n = 0;

	*to = (struct element){.want = index, .left_ms = (w->until.us - now.us) / MS_US};
	to->shape = (struct shape){.rate = r->action == RULE_RATE,
		.v = r->from.len ? r->from.ip.v : r->to.ip.v,
		.from = r->from.len,
		.to = r->to.len,
		.l4 = r->port    ? L4_PORT
		      : r->proto ? L4_PROTO
				 : L4_ANY};
	put_address(to, &n, &r->from);
	put_address(to, &n, &r->to);
	if (r->proto)
		put(to->key, &n, &r->proto, sizeof(r->proto), 4);
	if (r->port)
		put(to->key, &n, port, sizeof(port), 4);
	if (to->shape.rate) {
		to->rate = r->rate;
		to->burst = r->rate > BURST_PART ? r->rate / BURST_PART : 1;
	}
}

char *shape_name(char to[SHAPE_NAME], const struct shape *s)
{
	(void)snprintf(to, SHAPE_NAME, "%s%u_%u_%u_%s", s->rate ? "rate" : "drop", s->v, s->from, s->to,
		l4_name[s->l4]);
	return to;
}

bool shape_parse(struct shape *to, const char *s)
{
	unsigned v, from, l4 = 0, len;
	char action[5], rest[6], again[SHAPE_NAME];

	if (sscanf(s, "%4[a-z]%1u_%3u_%3u_%5[a-z]", action, &v, &from, &len, rest) != 5)
		return false;
	while (l4 < L4_PORT && strcmp(l4_name[l4], rest) != 0)
		l4++;
	*to = (struct shape){.rate = action[0] == 'r',
		.v = (uint8_t)v,
		.from = (uint8_t)from,
		.to = (uint8_t)len,
		.l4 = (uint8_t)l4};
	if ((v != 4 && v != 6) || from > (v == 4 ? 32 : 128) || len > (v == 4 ? 32 : 128) || from + len == 0)
		return false;
	return strcmp(shape_name(again, to), s) == 0;
}

size_t shape_key_bytes(const struct shape *s)
{
	size_t address = s->v == 4 ? 4 : 16;

	return (s->from ? address : 0) + (s->to ? address : 0) + (size_t)4 * s->l4;
}

int shape_compare(const struct shape *a, const struct shape *b)
{
	return memcmp(a, b, sizeof(*a)); /* bytes only: no padding */
}

int element_compare(const void *a, const void *b)
{
	_Static_assert(offsetof(struct element, key) == sizeof(struct shape), "compared as bytes");
	return memcmp(a, b, sizeof(struct shape) + KEY_BYTES);
}

size_t shapes_of(struct shape *to, const struct element *x, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < SHAPES_MAX; i++)
		if (k == 0 || shape_compare(&to[k - 1], &x[i].shape) != 0)
			to[k++] = x[i].shape;
	return k;
}
