/* gzip (RFC 1952) and zstd (RFC 8878): units, members or frames, one after another, each unpacked by its
 * library straight into the reader's buffer.  Zeros behind the last unit are padding (of a tape block) and no
 * damage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "map/input_in.h"

#define FEED      ((size_t)1 << 20) /* handed to a library at a time, so that the progress moves */
#define HEAD_SIZE 4                 /* bytes that tell whether another unit follows */

/* What one step did. */
struct step {
	size_t in, out;
	bool done;       /* the unit ended */
	const char *bad; /* what is wrong with the data */
};

struct stream {
	bool inside; /* a unit has begun and not ended */
	z_stream z;
	bool z_ready;
	ZSTD_DStream *zstd;
};

struct unit {
	const char *cut, *damaged, *foreign;
	bool (*begins)(const uint8_t *p, size_t n);
	bool (*reset)(struct stream *s);
	struct step (*step)(struct stream *s, const uint8_t *p, size_t n, uint8_t *to, size_t cap);
};

static bool gzip_begins(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

static bool gzip_reset(struct stream *s)
{
	return inflateReset(&s->z) == Z_OK;
}

static struct step gzip_step(struct stream *s, const uint8_t *p, size_t n, uint8_t *to, size_t cap)
{
	union { /* zlib's next_in is const only by its documentation */
		const uint8_t *p;
		uint8_t *q;
	} u = {.p = p};

	s->z.next_in = u.q;
	s->z.avail_in = (uInt)n;
	s->z.next_out = to;
	s->z.avail_out = (uInt)cap;
	int r = inflate(&s->z, Z_NO_FLUSH);
	struct step did = {.in = n - s->z.avail_in, .out = cap - s->z.avail_out, .done = r == Z_STREAM_END};
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		did.bad = s->z.msg ? s->z.msg : "no gzip member";
	return did;
}

static bool zstd_begins(const uint8_t *p, size_t n)
{
	(void)p; /* the library tells, with the skippable frames */
	return n > 0;
}

static bool zstd_reset(struct stream *s)
{
	return !ZSTD_isError(ZSTD_initDStream(s->zstd));
}

static struct step zstd_step(struct stream *s, const uint8_t *p, size_t n, uint8_t *to, size_t cap)
{
	ZSTD_inBuffer in = {.src = p, .size = n};
	ZSTD_outBuffer out = {.dst = to, .size = cap};
	size_t r = ZSTD_decompressStream(s->zstd, &out, &in);

	return (struct step){.in = in.pos,
		.out = out.pos,
		.done = r == 0,
		.bad = ZSTD_isError(r) ? ZSTD_getErrorName(r) : NULL};
}

static const struct unit gzip_unit = {
	.cut = "cut off in the middle of a gzip member",
	.damaged = "damaged gzip member",
	.foreign = "something else than gzip follows",
	.begins = gzip_begins,
	.reset = gzip_reset,
	.step = gzip_step,
};
static const struct unit zstd_unit = {
	.cut = "cut off in the middle of a zstd frame",
	.damaged = "damaged zstd frame",
	.foreign = "something else than zstd follows",
	.begins = zstd_begins,
	.reset = zstd_reset,
	.step = zstd_step,
};

/* ---- units one after another ---- */

static size_t left_of(const struct input *in, const uint8_t **p)
{
	size_t at = (size_t)(in->taken - in->w.at);

	*p = in->w.p + at;
	return in->w.n - at;
}

/* Zeros to the end of the file. */
static enum status padding(struct input *in, bool *only, struct err *e)
{
	const uint8_t *p;
	enum status st = STATUS_OK;

	for (*only = true; *only && st == STATUS_OK;) {
		size_t n = left_of(in, &p), i = 0;
		while (i < n && p[i] == 0)
			i++;
		*only = i == n;
		if (*only && in->w.end)
			break;
		in->taken += *only ? i : 0;
		window_keep(&in->w, in->taken);
		st = *only ? window_more(&in->w, e) : st;
	}
	return st;
}

/* Begins the next unit, or ends the input. */
static enum status unit_begin(struct input *in, const struct unit *u, struct err *e)
{
	struct stream *s = in->state;
	const uint8_t *p;
	bool only = false;
	uint64_t at = in->taken;
	enum status st = window_until(&in->w, in->taken + HEAD_SIZE, e);

	if (st != STATUS_OK)
		return st;
	size_t n = left_of(in, &p);
	if (n > 0 && u->begins(p, n) && p[0] != 0) {
		s->inside = true;
		return u->reset(s) ? STATUS_OK : err_nomem(e);
	}
	if (n > 0 && at > 0)
		st = padding(in, &only, e);
	if (st == STATUS_OK && n > 0 && !only)
		input_broken(in, u->foreign, at);
	in->ended = true;
	return st;
}

static void unit_bad(struct input *in, const struct unit *u, const char *bad)
{
	char what[DAMAGE_TEXT - 32];

	(void)snprintf(what, sizeof(what), "%s (%s)", u->damaged, bad);
	input_broken(in, what, in->taken);
}

/* A step of the unit that has begun; where it needs more, that is read, and where there is no more it is cut
 * off. */
static enum status unit_step(
	struct input *in, const struct unit *u, uint8_t *to, size_t cap, size_t *n, struct err *e)
{
	struct stream *s = in->state;
	const uint8_t *p;
	size_t left = left_of(in, &p);
	struct step did = u->step(s, p, left < FEED ? left : FEED, to, cap);

	in->taken += did.in;
	*n = did.out;
	window_keep(&in->w, in->taken);
	if (did.bad) {
		unit_bad(in, u, did.bad);
		return STATUS_OK;
	}
	s->inside = !did.done;
	if (did.done || did.out > 0 || did.in > 0)
		return STATUS_OK;
	if (in->w.end)
		input_broken(in, u->cut, in->taken);
	return window_more(&in->w, e);
}

static enum status units_read(
	struct input *in, const struct unit *u, uint8_t *to, size_t cap, size_t *n, struct err *e)
{
	struct stream *s = in->state;
	enum status st = STATUS_OK;

	*n = 0;
	while (st == STATUS_OK && *n == 0 && !in->ended) {
		if (!s->inside)
			st = unit_begin(in, u, e);
		else
			st = unit_step(in, u, to, cap, n, e);
	}
	return st;
}

static enum status gzip_open(struct input *in, struct err *e)
{
	struct stream *s = in->state = calloc(1, sizeof(*s));

	if (!s || inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK) /* 16: with gzip's head and sum */
		return err_nomem(e);
	s->z_ready = true;
	return STATUS_OK;
}

static enum status zstd_open(struct input *in, struct err *e)
{
	struct stream *s = in->state = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	s->zstd = ZSTD_createDStream();
	return s->zstd ? STATUS_OK : err_nomem(e);
}

static void stream_end(struct input *in)
{
	struct stream *s = in->state;

	if (!s)
		return;
	if (s->z_ready)
		(void)inflateEnd(&s->z);
	(void)ZSTD_freeDStream(s->zstd);
	free(s);
}

static enum status gzip_read(struct input *in, uint8_t *to, size_t cap, size_t *n, struct err *e)
{
	return units_read(in, &gzip_unit, to, cap, n, e);
}

static enum status zstd_read(struct input *in, uint8_t *to, size_t cap, size_t *n, struct err *e)
{
	return units_read(in, &zstd_unit, to, cap, n, e);
}

const struct codec codec_gzip = {.name = "gzip", .open = gzip_open, .read = gzip_read, .close = stream_end};
const struct codec codec_zstd = {.name = "zstd", .open = zstd_open, .read = zstd_read, .close = stream_end};
