/* The input of the fuzz targets of claims and bundles: text in sections, so that one change of the fuzzer's
 * is one change of a claim, a train, an entry.  A line "#WORD ARGUMENT" begins a section, which goes on to
 * the next such line. In a claim's body "@K@" stands for the name of train number K, which the fuzzer could
 * not compute. */
#ifndef WEIR_FUZZ_SECTIONS_H
#define WEIR_FUZZ_SECTIONS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "case/blob.h"

enum { SECTIONS = 64 };

struct section {
	char word[16], arg[104];
	const uint8_t *p; /* what follows its line */
	size_t n;
};

struct sections {
	struct section s[SECTIONS];
	size_t n;
	char train[SECTIONS][BLOB_NAME]; /* names, in their order */
	size_t n_train;
};

/* Up to the end of the line, into to. */
static inline void line_rest(char *to, size_t size, struct rd *r, uint8_t until)
{
	size_t n = 0;

	while (rd_left(r) && *r->p != '\n' && *r->p != until) {
		uint8_t c = rd_u8(r);
		if (n + 1 < size)
			to[n++] = (char)c;
	}
	to[n] = '\0';
	if (rd_left(r) && *r->p == until)
		rd_skip(r, 1);
}

static inline void section_read(struct section *to, struct rd *r)
{
	rd_skip(r, 1); /* # */
	line_rest(to->word, sizeof(to->word), r, ' ');
	line_rest(to->arg, sizeof(to->arg), r, '\n');
	to->p = r->p;
	while (rd_left(r) && !(*r->p == '#' && (r->p == to->p || r->p[-1] == '\n')))
		rd_skip(r, 1);
	to->n = (size_t)(r->p - to->p);
}

/* What stands before the first section is left out. */
static inline void sections_read(struct sections *to, const uint8_t *p, size_t n)
{
	struct rd r = rd_of(p, n);

	to->n = to->n_train = 0;
	while (rd_left(&r) && *r.p != '#')
		rd_skip(&r, 1);
	while (rd_left(&r) && to->n < SECTIONS) {
		struct section *s = &to->s[to->n++];
		section_read(s, &r);
		if (strcmp(s->word, "train") == 0 && !blob_name(to->train[to->n_train++], s->p, s->n))
			abort();
	}
}

/* A body with the names of trains in it, and a zero behind it; without the newline at its end. */
static inline char *section_body(
	const struct sections *all, const struct section *s, struct arena *a, size_t *n)
{
	char *to = arena_alloc(a, s->n * (BLOB_NAME / 3 + 1) + 1);

	*n = 0;
	for (size_t i = 0; to && i < s->n; i++) {
		if (i + 2 < s->n && s->p[i] == '@' && s->p[i + 2] == '@' && s->p[i + 1] >= '0' &&
			s->p[i + 1] < '0' + (int)all->n_train) {
			memcpy(to + *n, all->train[s->p[i + 1] - '0'], BLOB_NAME - 1);
			*n += BLOB_NAME - 1;
			i += 2;
		} else {
			to[(*n)++] = (char)s->p[i];
		}
	}
	if (to && *n && to[*n - 1] == '\n')
		(*n)--;
	if (to)
		to[*n] = '\0';
	return to;
}

#endif
