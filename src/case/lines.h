/* Lines of a file of any size and content: see lines.c. */
#ifndef WEIR_CASE_LINES_H
#define WEIR_CASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct lines {
	FILE *f;
	char *buf;
	size_t at, have, max; /* buf[at..have) is not yet handed out; max: bytes of a line */
	uint64_t number;      /* of the line handed out last; the first is 1 */
	bool end, failed;     /* failed: reading failed, errno is set */
};

/* A line without its end, valid until the next call. */
struct line_text {
	const char *p;
	size_t n;
	bool too_long; /* longer than max: nothing of it is given */
	bool cut;      /* the file ended before the line did */
};

bool lines_open(struct lines *l, FILE *f, size_t max);
void lines_close(struct lines *l);
/* False at the end of the file, or where reading failed. */
bool lines_next(struct lines *l, struct line_text *to);

#endif
