/* A file, a pipe or memory as a stream of bytes: see stream.h.  read() goes straight into one large buffer,
 * or through zlib (gzip, RFC 1952, members one after another) or libzstd (RFC 8878, frames one after another)
 * into it.  Damage inside compressed data is data, not a failure: the stream ends there and says so. */
#include "record/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK       (size_t)(128 * 1024) /* read at a time: stays in a processor's cache until it is parsed */
#define HEAD        STREAM_VIEW_MAX      /* room before the body for what was left */
#define BODY        (STREAM_VIEW_MAX + CHUNK)
#define PAGE        4096
#define IDLE_MS     100
#define ZSTD_WINDOW 27 /* log2 of the largest window: 128 MiB, as the zstd tool does */

enum packing { PLAIN, GZIP, ZSTD };

struct unpacker {
	enum packing packing;
	z_stream z;
	ZSTD_DStream *zstd;
	bool inside; /* a gzip member or zstd frame has begun and not ended */
	bool full;   /* the last step filled its output: there may be more without further input */
	bool broken; /* s->text says how */
	size_t at, n;
	uint8_t in[CHUNK];
};

static const char *const packing_name[] = {[PLAIN] = "plain", [GZIP] = "gzip", [ZSTD] = "zstd"};

/* read() of raw bytes; 0 where there are none: s->state says why. */
static size_t raw_read(struct stream *s, uint8_t *to, size_t n)
{
	if (s->fd < 0) {
		size_t left = (size_t)(s->size - s->raw), k = left < n ? left : n;
		if (k)
			memcpy(to, s->memory + s->raw, k);
		s->raw += k;
		s->state = k ? STREAM_OPEN : STREAM_END;
		return k;
	}
	if (s->waits) {
		errno = 0;
		struct pollfd fd = {.fd = s->fd, .events = POLLIN};
		if (poll(&fd, 1, IDLE_MS) <= 0) {
			s->state = STREAM_IDLE;
			s->signal = errno == EINTR;
			return 0;
		}
	}
	ssize_t k = read(s->fd, to, n);
	if (k > 0) {
		s->raw += (uint64_t)k;
		s->state = STREAM_OPEN;
		return (size_t)k;
	}
	if (k == 0) {
		s->state = STREAM_END;
	} else if (errno == EINTR || errno == EAGAIN) {
		s->state = STREAM_IDLE;
		s->signal = errno == EINTR;
	} else {
		s->state = STREAM_FAILED;
		(void)snprintf(s->text, sizeof(s->text), "%s", strerror(errno));
	}
	return 0;
}

static size_t damaged(struct stream *s, const char *what)
{
	s->state = STREAM_DAMAGED;
	s->unpacker->broken = true;
	(void)snprintf(s->text, sizeof(s->text), "%s data: %s", packing_name[s->unpacker->packing], what);
	return 0;
}

static bool gzip_step(struct stream *s, struct unpacker *u, uint8_t *to, size_t n, size_t *got)
{
	u->z.next_in = u->in + u->at;
	u->z.avail_in = (uInt)(u->n - u->at);
	u->z.next_out = to;
	u->z.avail_out = (uInt)n;
	int r = u->inside ? inflate(&u->z, Z_NO_FLUSH) : inflateReset(&u->z);

	if (!u->inside) {
		u->inside = r == Z_OK;
		return r == Z_OK || damaged(s, "cannot start");
	}
	u->at = u->n - u->z.avail_in;
	*got = n - u->z.avail_out;
	u->inside = r != Z_STREAM_END;
	if (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR)
		return true;
	(void)damaged(s, u->z.msg ? u->z.msg : "damaged");
	return false;
}

static bool zstd_step(struct stream *s, struct unpacker *u, uint8_t *to, size_t n, size_t *got)
{
	ZSTD_inBuffer in = {.src = u->in, .size = u->n, .pos = u->at};
	ZSTD_outBuffer out = {.dst = to, .size = n};
	size_t r = ZSTD_decompressStream(u->zstd, &out, &in);

	u->at = in.pos;
	*got = out.pos;
	if (ZSTD_isError(r)) {
		(void)damaged(s, ZSTD_getErrorName(r));
		return false;
	}
	u->inside = r != 0;
	return true;
}

/* Up to n unpacked bytes; 0: s->state says why. */
static size_t unpack(struct stream *s, uint8_t *to, size_t n)
{
	struct unpacker *u = s->unpacker;

	for (;;) {
		size_t got = 0;
		if (u->broken) {
			s->state = STREAM_DAMAGED;
			return 0;
		}
		if (u->at == u->n && !u->full) {
			u->at = 0;
			u->n = raw_read(s, u->in, sizeof(u->in));
			if (u->n == 0)
				return s->state == STREAM_END && u->inside ? damaged(s, "ends too early") : 0;
		}
		if (!(u->packing == GZIP ? gzip_step : zstd_step)(s, u, to, n, &got)) {
			s->state = got ? STREAM_OPEN : s->state;
			return got; /* what came before the damage; the next call says so */
		}
		u->full = u->inside && got == n;
		if (got) {
			s->state = STREAM_OPEN;
			return got;
		}
	}
}

/* Reads once behind what is at hand; false: s->state says why. */
static bool fill(struct stream *s)
{
	size_t have = stream_have(s), got;

	if (s->state == STREAM_END || s->state == STREAM_DAMAGED || s->state == STREAM_FAILED)
		return false;
	got = (s->unpacker ? unpack : raw_read)(
		s, s->body + (s->end - s->body), CHUNK); /* s->end, to write to */
	s->end += got;
	s->offset += got;
	if (s->pending && got) {
		size_t k = s->pending < have + got ? (size_t)s->pending : have + got;
		s->p += k;
		s->pending -= k;
	}
	return got > 0;
}

/* What is left goes before the body, so that every read() begins at a page: copying out of the page cache to
 * an address that is a few bytes off costs four times as much on some machines. */
static void make_room(struct stream *s)
{
	size_t have = stream_have(s);

	memmove(s->body - have, s->p, have);
	s->p = s->body - have;
	s->end = s->body;
}

const uint8_t *stream_more(struct stream *s, size_t n)
{
	make_room(s);
	while (s->pending || stream_have(s) < n) {
		if (stream_have(s) == 0)
			make_room(s);
		if (!fill(s))
			return NULL;
	}
	return s->p;
}

const uint8_t *stream_wait(struct stream *s, size_t n)
{
	const uint8_t *p;

	s->signal = false;
	do
		p = stream_view(s, n);
	while (!p && s->state == STREAM_IDLE && !s->signal);
	return p;
}

enum status stream_error(const struct stream *s, struct err *e)
{
	switch (s->state) {
	case STREAM_FAILED:
		return err_set(e, STATUS_MACHINE, "%s", s->text);
	case STREAM_IDLE:
		return err_set(e, STATUS_MACHINE, "interrupted");
	case STREAM_DAMAGED:
		return err_set(e, STATUS_BAD, "%s", s->text);
	case STREAM_OPEN:
	case STREAM_END:
		break;
	}
	return err_set(e, STATUS_BAD, "too short");
}

bool stream_ahead(struct stream *s, size_t n)
{
	if (stream_have(s) >= n)
		return true;
	return !s->waits && stream_view(s, n) != NULL;
}

void stream_skip(struct stream *s, uint64_t n)
{
	size_t have = stream_have(s);

	if (n <= have && !s->pending) {
		s->p += n;
		return;
	}
	s->p = s->end;
	s->pending += n - have;
}

static enum status unpacker_open(
	struct stream *s, enum packing packing, const uint8_t *head, size_t n, struct err *e)
{
	struct unpacker *u = calloc(1, sizeof(*u));

	if (!u)
		return err_nomem(e);
	u->packing = packing;
	memcpy(u->in, head, n);
	u->n = n;
	s->unpacker = u;
	if (packing == GZIP && inflateInit2(&u->z, 15 + 16) != Z_OK)
		return err_nomem(e);
	if (packing == ZSTD) {
		u->zstd = ZSTD_createDStream();
		if (!u->zstd ||
			ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW)))
			return err_nomem(e);
	}
	return STATUS_OK;
}

/* Looks at the first bytes (a pipe is waited for: nothing can be said before). */
static enum status detect(struct stream *s, struct err *e)
{
	static const uint8_t gzip[3] = {0x1f, 0x8b, 8}, zstd[4] = {0x28, 0xb5, 0x2f, 0xfd};
	enum packing packing = PLAIN;
	uint8_t head[4];
	size_t n;

	if (!stream_wait(s, sizeof(head)))
		return s->state == STREAM_END ? STATUS_OK : stream_error(s, e);
	memcpy(head, s->p, sizeof(head));
	if (memcmp(head, gzip, sizeof(gzip)) == 0)
		packing = GZIP;
	else if (memcmp(head, zstd, sizeof(zstd)) == 0)
		packing = ZSTD;
	if (packing == PLAIN)
		return STATUS_OK;
	n = stream_have(s);
	enum status st = unpacker_open(s, packing, s->p, n, e);
	s->p = s->end = s->body;
	s->offset = 0;
	return st;
}

static enum status stream_start(struct stream **to, const struct stream *from, struct err *e)
{
	struct stream *s = malloc(sizeof(*s));
	enum status st = STATUS_OK;

	if (!s) {
		if (from->fd > STDIN_FILENO)
			(void)close(from->fd);
		return err_nomem(e);
	}
	*s = *from;
	s->buf = aligned_alloc(PAGE, HEAD + BODY);
	s->body = s->buf ? s->buf + HEAD : NULL;
	s->p = s->end = s->body;
	st = s->buf ? detect(s, e) : err_nomem(e);
	if (st != STATUS_OK) {
		stream_close(s);
		return st;
	}
	*to = s;
	return STATUS_OK;
}

enum status stream_open_fd(struct stream **to, int fd, const char *name, struct err *e)
{
	struct stream s = {.fd = fd};
	struct stat st;
	char text[200];
	enum status r;

	(void)printable(text, sizeof(text), name);
	if (fstat(fd, &st) < 0) {
		r = err_errno(e, "%s: cannot read", text);
	} else if (S_ISDIR(st.st_mode)) {
		r = err_set(e, STATUS_BAD, "%s: a directory, not a capture", text);
	} else {
		s.waits = !S_ISREG(st.st_mode);
		s.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		r = stream_start(to, &s, e);
		return r == STATUS_OK ? r : err_wrap(e, "%s: cannot read", text);
	}
	if (fd > STDIN_FILENO)
		(void)close(fd);
	return r;
}

enum status stream_open(struct stream **to, const char *path, struct err *e)
{
	char text[200];

	if (strcmp(path, "-") == 0)
		return stream_open_fd(to, STDIN_FILENO, "standard input", e);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		bool absent = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP;
		(void)err_errno(e, "%s: cannot open", printable(text, sizeof(text), path));
		e->status = absent ? STATUS_BAD : STATUS_MACHINE;
		return e->status;
	}
	return stream_open_fd(to, fd, path, e);
}

enum status stream_open_memory(struct stream **to, const void *p, size_t n, struct err *e)
{
	struct stream s = {.fd = -1, .memory = p, .size = n};

	return stream_start(to, &s, e);
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->unpacker) {
		if (s->unpacker->packing == GZIP)
			(void)inflateEnd(&s->unpacker->z);
		(void)ZSTD_freeDStream(s->unpacker->zstd);
		free(s->unpacker);
	}
	if (s->fd > STDIN_FILENO)
		(void)close(s->fd);
	free(s->buf);
	free(s);
}
