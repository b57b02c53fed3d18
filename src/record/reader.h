/* Private to the capture part: what capture.c, pcap.c, pcapng.c and live.c share.  A reader is one kind of
 * source; the capture keeps its name, its stream and what all readers count. */
#ifndef WEIR_RECORD_READER_H
#define WEIR_RECORD_READER_H

#include "base/bytes.h"
#include "record/capture.h"
#include "record/stream.h"

/* Bytes of one frame: as libpcap's MAXIMUM_SNAPLEN; and what it may say it had on the wire (segmentation
 * offload makes at most 512 KiB of one). */
#define CAPTURED_MAX 262144U
#define WIRE_MAX     16777216U

struct reader {
	enum capture_got (*next)(struct capture *c, struct frame *f, enum drop *why, struct err *e);
	uint64_t (*drops)(struct capture *c); /* NULL: c->drops */
	void (*close)(void *state);
};

struct capture {
	const struct reader *reader;
	void *state; /* of the reader */
	struct stream *stream;
	bool cut_said;          /* the cut-off end was reported */
	uint32_t resolution_us; /* coarsest so far */
	uint64_t drops;         /* all losses that the file told */
	uint64_t lost;          /* those that no frame has carried yet */
	char name[200];         /* printable */
};

/* Each looks at the stream's first bytes.  STATUS_NO: another format. */
enum status pcap_begin(struct capture *c, struct err *e);
enum status pcapng_begin(struct capture *c, struct err *e);

/* A capture over a stream, which belongs to it from here on, also on failure. */
enum status capture_open_stream(struct capture **to, struct stream *s, const char *name, struct err *e);

/* "NAME: offset N: what" to *e; returns CAPTURE_SKIPPED with *why set. */
enum capture_got capture_skipped(const struct capture *c, uint64_t offset, enum drop *why, enum drop drop,
	struct err *e, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The stream gave no more although `rest` bytes of a record had begun at offset: idle, end, cut off (reported
 * once), or failed. */
enum capture_got capture_ran_out(struct capture *c, uint64_t offset, enum drop *why, struct err *e);

/* Damage: the place where the reader lost the thread, and the search for the next record behind it. */
struct lost {
	bool on;
	bool cut;      /* the record went beyond the file's end: perhaps it only was cut off */
	uint64_t from; /* where the bad record begins */
	char what[96];
};

enum fit { FIT_NO, FIT_YES, FIT_MORE };

/* Does a record begin at p, with n bytes at hand, the file's last ones where `last`?  FIT_MORE: more bytes
 * are needed to tell (never where last). */
typedef enum fit fit_fn(const struct capture *c, const uint8_t *p, size_t n, bool last);

/* Notes that the record at the stream's place is bad; the search starts one byte behind its begin. */
void lost_begin(struct lost *l, struct capture *c, bool cut, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* One stretch of the search (at most SEARCH_AT_ONCE bytes): CAPTURE_IDLE, to be called again;
 * CAPTURE_SKIPPED, where it is over: l->on is false and the stream stands at the next record, or at the
 * end. */
enum capture_got lost_search(struct lost *l, struct capture *c, fit_fn *fits, enum drop *why, struct err *e);

/* The first place in 1 ... n - 1 where a record begins that is at hand, 0 for none. */
size_t lost_within(struct capture *c, size_t n, fit_fn *fits);

static inline uint16_t get16(const uint8_t *p, bool swap)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap16(v) : v;
}

static inline uint32_t get32(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap32(v) : v;
}

#endif
