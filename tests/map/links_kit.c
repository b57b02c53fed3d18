/* See links_kit.h.  Slow and simple on purpose: it is what the real reader is held against. */
#include "links_kit.h"

#include <bzlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	uint32_t of, to;
};

static void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

static int u32_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int pair_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static uint32_t place(const uint32_t *as, size_t n, uint32_t asn)
{
	const uint32_t *at = bsearch(&asn, as, n, sizeof(*as), u32_order);

	return (uint32_t)((const uint32_t *)need((void *)(uintptr_t)at) - as);
}

static void rows(struct links *to, struct arena *a, enum link_role r, struct pair *p, size_t n)
{
	uint32_t *row = need(arena_array(a, to->n_as + 2, sizeof(*row)));
	uint32_t *list = need(arena_array(a, n + 1, sizeof(*list)));

	qsort(p, n, sizeof(*p), pair_order);
	for (size_t i = 0; i < n; i++) {
		row[p[i].of + 1]++;
		list[i] = p[i].to;
	}
	for (size_t i = 0; i < to->n_as; i++)
		row[i + 1] += row[i];
	to->row[r] = row;
	to->to[r] = list;
	to->n_to[r] = n;
}

void links_kit_make(struct links *to, struct arena *a, const struct link_line *line, size_t n,
	const uint32_t *clique, size_t n_clique)
{
	uint32_t *as = need(arena_array(a, 2 * n + n_clique + 1, sizeof(*as))), *core;
	struct pair *p[LINK_ROLES];
	size_t m = 0, n_p[LINK_ROLES] = {0};

	*to = (struct links){.as = as};
	for (size_t i = 0; i < n; i++) {
		as[m++] = line[i].a;
		as[m++] = line[i].b;
	}
	for (size_t i = 0; i < n_clique; i++)
		as[m++] = clique[i];
	qsort(as, m, sizeof(*as), u32_order);
	for (size_t i = 0; i < m; i++)
		if (!to->n_as || as[to->n_as - 1] != as[i])
			as[to->n_as++] = as[i];
	for (int r = 0; r < LINK_ROLES; r++)
		p[r] = need(malloc((2 * n + 1) * sizeof(**p)));
	for (size_t i = 0; i < n; i++) {
		uint32_t x = place(as, to->n_as, line[i].a), y = place(as, to->n_as, line[i].b);
		enum link_role up = line[i].rel ? LINK_PROVIDERS : LINK_PEERS,
			       down = line[i].rel ? LINK_CUSTOMERS : LINK_PEERS;
		p[up][n_p[up]++] = (struct pair){y, x};
		p[down][n_p[down]++] = (struct pair){x, y};
	}
	for (int r = 0; r < LINK_ROLES; r++) {
		rows(to, a, (enum link_role)r, p[r], n_p[r]);
		free(p[r]);
	}
	core = need(arena_array(a, n_clique + 1, sizeof(*core)));
	for (size_t i = 0; i < n_clique; i++)
		core[i] = place(as, to->n_as, clique[i]);
	to->clique = core;
	to->n_clique = n_clique;
}

/* ---- CAIDA's files ---- */

static char *contents(const char *path)
{
	BZFILE *f = BZ2_bzopen(path, "rb");
	size_t n = 0, cap = (size_t)1 << 20;
	char *text = f ? need(malloc(cap)) : NULL;
	int got = 0;

	if (!f)
		return NULL;
	while ((got = BZ2_bzread(f, text + n, (int)(cap - n - 1))) > 0) {
		n += (size_t)got;
		if (cap - n < 2)
			text = need(realloc(text, cap *= 2));
	}
	BZ2_bzclose(f);
	text[n] = '\0';
	return text;
}

#define CLIQUE     "# inferred clique:"
#define CLIQUE_MAX 64

bool links_kit_file(struct links *to, struct arena *a, const char *name)
{
	const char *data = getenv("WEIR_SHARED_DATA"), *source = getenv("WEIR_SOURCE");
	char path[4096], *save = NULL;
	uint32_t clique[CLIQUE_MAX];
	size_t n = 0, cap = 0, n_clique = 0;
	struct link_line *line = NULL;

	if (data)
		(void)snprintf(path, sizeof(path), "%s/map/%s", data, name);
	else
		(void)snprintf(path, sizeof(path), "%s/../shared/data/map/%s", source ? source : ".", name);
	char *text = contents(path);
	if (!text)
		return false;
	for (char *s = strtok_r(text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		struct link_line l;
		char *end = s;
		if (strncmp(s, CLIQUE, sizeof(CLIQUE) - 1) == 0)
			for (s += sizeof(CLIQUE) - 1; *s && n_clique < CLIQUE_MAX; s = end)
				clique[n_clique++] = (uint32_t)strtoul(s, &end, 10);
		if (*s == '#' || !*s)
			continue;
		l.a = (uint32_t)strtoul(s, &end, 10);
		l.b = (uint32_t)strtoul(end + 1, &end, 10);
		l.rel = (int8_t)strtol(end + 1, &end, 10);
		if (n == cap)
			line = need(realloc(line, (cap = cap ? 2 * cap : 1024) * sizeof(*line)));
		line[n++] = l;
	}
	links_kit_make(to, a, line, n, clique, n_clique);
	free(line);
	free(text);
	return true;
}
