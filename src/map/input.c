/* A file's bytes as they were before they were compressed: see input.h.  Which codec takes it is told by its
 * first bytes; what it gives is kept in one buffer, of which the reader is shown a piece as large as it
 * wants. */
#include "map/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/input_in.h"

#define STEP      ((size_t)512 << 10) /* decompressed at a time: stays in a processor's cache */
#define LOOK_SIZE 4                   /* bytes that tell what a file is */

void input_broken(struct input *in, const char *what, uint64_t at)
{
	in->ended = true;
	(void)snprintf(in->damage, sizeof(in->damage), "%s at byte %llu", what, (unsigned long long)at);
}

/* ---- bytes that are not compressed, from a pipe ---- */

static enum status plain_read(struct input *in, uint8_t *to, size_t cap, size_t *n, struct err *e)
{
	struct window *w = &in->w;
	enum status st = window_until(w, in->taken + 1, e);

	if (st != STATUS_OK)
		return st;
	size_t at = (size_t)(in->taken - w->at), left = w->n - at;
	*n = left < cap ? left : cap;
	if (*n)
		memcpy(to, w->p + at, *n);
	in->taken += *n;
	window_keep(w, in->taken);
	return STATUS_OK;
}

const struct codec codec_plain = {.name = "plain", .read = plain_read};

/* ---- which codec ---- */

static bool is_gzip(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

static bool is_bzip2(const uint8_t *p, size_t n)
{
	return n >= 4 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9';
}

/* A frame, or one that is to be skipped (RFC 8878, 3.1.2). */
static bool is_zstd(const uint8_t *p, size_t n)
{
	bool frame = n >= 4 && memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0;
	bool skipped = n >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;

	return frame || skipped;
}

static const struct {
	bool (*looks)(const uint8_t *p, size_t n);
	const struct codec *codec;
} kinds[] = {{is_gzip, &codec_gzip}, {is_bzip2, &codec_bzip2}, {is_zstd, &codec_zstd}};

static enum status codec_choose(struct input *in, struct err *e)
{
	enum status st = window_until(&in->w, LOOK_SIZE, e);

	in->codec = &codec_plain;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (st == STATUS_OK && kinds[i].looks(in->w.p, in->w.n))
			in->codec = kinds[i].codec;
	return st == STATUS_OK && in->codec->open ? in->codec->open(in, e) : st;
}

enum status input_open(struct input **to, const char *path, unsigned threads, struct err *e)
{
	struct input *in = calloc(1, sizeof(*in));

	*to = NULL;
	if (!in)
		return err_nomem(e);
	in->threads = threads ? threads : 1;
	enum status st = window_open(&in->w, path, e);
	if (st == STATUS_OK)
		st = codec_choose(in, e);
	if (st == STATUS_OK)
		*to = in;
	else
		input_close(in);
	return st;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	if (in->codec && in->codec->close)
		in->codec->close(in);
	window_close(&in->w);
	free(in->buf);
	free(in);
}

/* ---- pieces ---- */

static bool is_whole(const struct input *in)
{
	return in->codec == &codec_plain && in->w.mapped;
}

/* Room for `want` bytes and a step more, what is at hand moved to the front. */
static bool buf_ready(struct input *in, size_t want)
{
	in->have -= in->pos;
	if (in->pos && in->have)
		memmove(in->buf, in->buf + in->pos, in->have);
	in->pos = 0;
	if (in->cap >= want + STEP)
		return true;
	uint8_t *buf = realloc(in->buf, want + STEP);
	if (!buf)
		return false;
	in->buf = buf;
	in->cap = want + STEP;
	return true;
}

static enum status buf_fill(struct input *in, size_t want, struct err *e)
{
	enum status st = STATUS_OK;

	if (!buf_ready(in, want))
		return err_nomem(e);
	while (st == STATUS_OK && in->have < want && !in->ended) {
		size_t n = 0;
		st = in->codec->read(in, in->buf + in->have, in->cap - in->have, &n, e);
		in->have += st == STATUS_OK ? n : 0;
		in->ended = in->ended || n == 0;
	}
	return st;
}

enum status input_peek(struct input *in, size_t want, const uint8_t **p, size_t *n, struct err *e)
{
	enum status st = STATUS_OK;

	if (want > INPUT_PIECE_MAX)
		return err_set(e, STATUS_BAD, "%s: a piece of %zu bytes is too large", in->w.name, want);
	if (is_whole(in)) {
		*p = in->w.p + in->passed;
		*n = in->w.n - (size_t)in->passed;
		return STATUS_OK;
	}
	if (in->have - in->pos < want && !in->ended)
		st = buf_fill(in, want, e);
	*p = in->buf ? in->buf + in->pos : NULL; /* NULL + 0 is undefined in C17 (6.5.6) */
	*n = in->have - in->pos;
	return st;
}

void input_skip(struct input *in, size_t n)
{
	size_t left = is_whole(in) ? in->w.n - (size_t)in->passed : in->have - in->pos;
	size_t k = n < left ? n : left;

	in->passed += k;
	if (is_whole(in))
		window_keep(&in->w, in->passed);
	else
		in->pos += k;
}

const char *input_damage(const struct input *in)
{
	return in->damage[0] ? in->damage : NULL;
}

struct input_at input_where(const struct input *in)
{
	uint64_t taken = in->codec == &codec_plain ? in->passed : in->taken;

	return (struct input_at){.in = taken, .in_total = in->w.total, .out = in->passed};
}
