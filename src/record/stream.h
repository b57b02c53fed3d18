/* Bytes of a capture file in order: from a file, a pipe or memory, plain or compressed with gzip (RFC 1952)
 * or zstd (RFC 8878), which is told by the first bytes.  The reader looks at the next n bytes where they lie
 * and then moves on; nothing is copied but the tail of a full buffer.  Memory is bounded by STREAM_VIEW_MAX
 * and the decompressors' windows. */
#ifndef WEIR_RECORD_STREAM_H
#define WEIR_RECORD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STREAM_VIEW_MAX (size_t)(512 * 1024) /* the most that may be looked at in one piece */

/* Why no more bytes are at hand. */
enum stream_state {
	STREAM_OPEN,    /* there may be more */
	STREAM_IDLE,    /* a pipe: nothing for 100 ms, or a signal came; ask again */
	STREAM_END,     /* all was read */
	STREAM_DAMAGED, /* the compressed data cannot be unpacked further: stream_text() says what */
	STREAM_FAILED,  /* the machine: stream_text() says what */
};

struct unpacker;

struct stream {
	const uint8_t *p, *end; /* the bytes at hand */
	uint64_t offset;        /* of end, in unpacked bytes */
	enum stream_state state;
	bool signal;         /* STREAM_IDLE: because a signal came */
	uint64_t pending;    /* bytes to skip that are not at hand yet */
	uint8_t *buf, *body; /* body begins at a page; before it is room for what was left */
	int fd;              /* -1 for memory */
	bool waits;          /* not a regular file: may have nothing for a while */
	uint64_t raw, size;  /* bytes read, and the file's size (0 unknown) */
	const uint8_t *memory;
	struct unpacker *unpacker;
	char text[96];
};

/* "-" is standard input.  STATUS_BAD: no such file, a directory.  STATUS_MACHINE: permission, memory. */
enum status stream_open(struct stream **to, const char *path, struct err *e);
/* fd belongs to the stream from here on, also on failure.  name is for messages. */
enum status stream_open_fd(struct stream **to, int fd, const char *name, struct err *e);
/* p must stay valid. */
enum status stream_open_memory(struct stream **to, const void *p, size_t n, struct err *e);
void stream_close(struct stream *s);

/* For stream_view(): reads until n bytes are at hand. */
const uint8_t *stream_more(struct stream *s, size_t n);

/* The next n bytes (n <= STREAM_VIEW_MAX), valid until the next call; NULL where fewer are left: see
 * s->state. */
static inline const uint8_t *stream_view(struct stream *s, size_t n)
{
	return (size_t)(s->end - s->p) >= n && !s->pending ? s->p : stream_more(s, n);
}

/* Like stream_view(), but waits for a pipe; NULL also where a signal came. */
const uint8_t *stream_wait(struct stream *s, size_t n);

/* Why the last call gave NULL, as a status. */
enum status stream_error(const struct stream *s, struct err *e);

/* Bytes at hand. */
static inline size_t stream_have(const struct stream *s)
{
	return (size_t)(s->end - s->p);
}

/* Like stream_view(), but does not wait for a pipe: are n bytes at hand, or to be had at once? */
bool stream_ahead(struct stream *s, size_t n);

/* Moves on by n bytes, at hand or not. */
void stream_skip(struct stream *s, uint64_t n);

/* Where the next byte lies, in unpacked bytes from the start. */
static inline uint64_t stream_offset(const struct stream *s)
{
	return s->offset - stream_have(s) + s->pending;
}

#endif
