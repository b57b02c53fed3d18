/* Bounded reader of lines.
 *
 * In comes a file, out come its lines without their ends (LF or CR LF; a byte order mark before the first is
 * dropped). Memory is one buffer; a line that does not fit is passed over and said to be too long. */
#include "case/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)64 << 10) /* read beyond the longest line */

bool lines_open(struct lines *l, FILE *f, size_t max)
{
	*l = (struct lines){.f = f, .max = max, .buf = malloc(max + ROOM)};
	return l->buf != NULL;
}

void lines_close(struct lines *l)
{
	free(l->buf);
	l->buf = NULL;
}

/* Moves what is left to the front and reads more behind it. */
static void fill(struct lines *l)
{
	size_t left = l->have - l->at;

	memmove(l->buf, l->buf + l->at, left);
	l->at = 0;
	l->have = left + fread(l->buf + left, 1, l->max + ROOM - left, l->f);
	if (l->have == left) {
		l->end = true;
		l->failed = ferror(l->f) != 0;
	}
}

/* The next line feed at or behind `from`, reading on while a line of max bytes may still come; NULL
 * for none. */
static char *feed_find(struct lines *l)
{
	size_t seen = 0;

	for (;;) {
		char *lf = memchr(l->buf + l->at + seen, '\n', l->have - l->at - seen);
		seen = l->have - l->at;
		if (lf || l->end || seen > l->max)
			return lf;
		fill(l);
	}
}

/* Drops everything up to and with the next line feed. */
static void pass_over(struct lines *l)
{
	while (!l->end) {
		char *lf = memchr(l->buf + l->at, '\n', l->have - l->at);
		if (lf) {
			l->at = (size_t)(lf - l->buf) + 1;
			return;
		}
		l->at = l->have;
		fill(l);
	}
}

bool lines_next(struct lines *l, struct line_text *to)
{
	char *lf = feed_find(l);
	size_t n = lf ? (size_t)(lf - l->buf) - l->at : l->have - l->at;

	if (l->failed || (!lf && n == 0))
		return false;
	l->number++;
	*to = (struct line_text){.p = l->buf + l->at, .n = n, .cut = !lf, .too_long = n > l->max};
	if (to->too_long && !lf)
		pass_over(l);
	else
		l->at += n + (lf ? 1 : 0);
	if (to->too_long) {
		to->cut = false;
		to->n = 0;
		return !l->failed;
	}
	if (to->n > 0 && to->p[to->n - 1] == '\r')
		to->n--;
	if (l->number == 1 && to->n >= 3 && memcmp(to->p, "\xef\xbb\xbf", 3) == 0) {
		to->p += 3;
		to->n -= 3;
	}
	return true;
}
