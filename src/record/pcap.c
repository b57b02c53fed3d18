/* The classic capture file: a header and records,
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html. Either byte order, time in microseconds or
 * nanoseconds, and Kuznetzov's variant with its longer records.  A record that lies about its length is told
 * by what follows it not being a record; then the next place that looks like records is searched. */
#include <stdlib.h>

#include "record/reader.h"

#define FILE_HEADER   24
#define RECORD_HEADER 16
#define KUZNETZOV     24     /* his record header: interface, protocol, packet type more */
#define DAY           86400U /* records that follow each other mostly lie within one */
#define NEAR_US       (DAY * INT64_C(1000000))

enum length_order { CAPTURED_FIRST, WIRE_FIRST, SMALLER_IS_CAPTURED };

struct pcap_file {
	bool swap;
	bool nanoseconds;
	enum length_order order;
	uint32_t header; /* bytes of a record's header */
	uint32_t linktype;
	int64_t last_us; /* of the last good record */
	bool any;
	struct lost lost;
};

struct record {
	uint32_t sec, fraction, captured, wire;
};

static inline struct record record_read(const struct pcap_file *f, const uint8_t *p)
{
	struct record r = {
		get32(p, f->swap), get32(p + 4, f->swap), get32(p + 8, f->swap), get32(p + 12, f->swap)};

	if (f->order == WIRE_FIRST || (f->order == SMALLER_IS_CAPTURED && r.captured > r.wire)) {
		uint32_t t = r.captured;
		r.captured = r.wire;
		r.wire = t;
	}
	return r;
}

/* What no honest record breaks. */
static inline bool record_possible(const struct pcap_file *f, const struct record *r)
{
	return r->captured <= CAPTURED_MAX && r->wire > 0 && r->wire <= WIRE_MAX &&
	       r->fraction < (f->nanoseconds ? 1000000000U : 1000000U);
}

static inline int64_t record_time(const struct pcap_file *f, const struct record *r)
{
	return (int64_t)r->sec * 1000000 + (f->nanoseconds ? r->fraction / 1000 : r->fraction);
}

/* Does what stands behind a record of second sec look like the next one?  No is a doubt, not a verdict. */
static inline bool record_likely(const struct pcap_file *f, const struct record *r, uint32_t sec)
{
	return record_possible(f, r) && r->captured <= r->wire && r->sec - sec + DAY <= 2 * DAY;
}

static bool near(int64_t a, int64_t b)
{
	return a - b < NEAR_US && b - a < NEAR_US;
}

/* fit_fn: three records in a row, or up to the file's end. */
static enum fit record_fits(const struct capture *c, const uint8_t *p, size_t n, bool last)
{
	const struct pcap_file *f = c->state;
	int64_t before = 0;
	size_t at = 0;

	for (int i = 0; i < 3; i++) {
		if (at + f->header > n) {
			if (!last)
				return i >= 2 ? FIT_YES : FIT_MORE;
			bool alone = i == 1 && !(f->any && near(before, f->last_us));
			return i > 0 && at == n && !alone ? FIT_YES : FIT_NO;
		}
		struct record r = record_read(f, p + at);
		if (!record_possible(f, &r) || r.captured > r.wire || r.captured == 0)
			return FIT_NO;
		int64_t t = record_time(f, &r);
		if (i > 0 && !near(t, before))
			return FIT_NO;
		before = t;
		at += f->header + r.captured;
	}
	return FIT_YES;
}

static enum capture_got record_bad(
	struct capture *c, const struct record *r, bool cut, enum drop *why, struct err *e)
{
	struct pcap_file *f = c->state;

	if (r->captured > CAPTURED_MAX || cut)
		lost_begin(&f->lost, c, cut, "record claims %u captured bytes", r->captured);
	else if (r->wire > WIRE_MAX)
		lost_begin(&f->lost, c, cut, "record claims %u bytes on the wire", r->wire);
	else if (r->wire == 0)
		lost_begin(&f->lost, c, cut, "record of no bytes");
	else
		lost_begin(&f->lost, c, cut, "record claims %u %s within a second", r->fraction,
			f->nanoseconds ? "ns" : "us");
	return lost_search(&f->lost, c, record_fits, why, e);
}

/* The record at hand, or what follows it, looks odd.  Does a record begin inside it? Then it lied:
 * passed over. */
static bool record_lies(
	struct capture *c, const struct record *r, enum capture_got *got, enum drop *why, struct err *e)
{
	struct pcap_file *f = c->state;
	size_t at = lost_within(c, f->header + r->captured, record_fits);

	if (at == 0)
		return false;
	*got = capture_skipped(c, stream_offset(c->stream), why, DROP_RECORD, e,
		"record claims %u captured bytes, but the next one begins after %zu; passed over",
		r->captured, at > f->header ? at - f->header : 0);
	stream_skip(c->stream, at);
	return true;
}

static enum capture_got pcap_next(struct capture *c, struct frame *to, enum drop *why, struct err *e)
{
	struct pcap_file *f = c->state;
	struct stream *s = c->stream;
	enum capture_got got;
	size_t n;

	if (f->lost.on)
		return lost_search(&f->lost, c, record_fits, why, e);
	const uint8_t *p = stream_view(s, f->header);
	if (!p)
		return capture_ran_out(c, stream_offset(s), why, e);
	struct record r = record_read(f, p);
	if (!record_possible(f, &r))
		return record_bad(c, &r, false, why, e);
	n = f->header + r.captured;
	if (!stream_view(s, n)) {
		if (s->state == STREAM_END)
			return record_bad(c, &r, true, why, e);
		return capture_ran_out(c, stream_offset(s), why, e);
	}
	if (stream_ahead(s, n + f->header)) {
		struct record follows = record_read(f, s->p + n);
		bool odd = r.captured > r.wire || !record_likely(f, &follows, r.sec);
		if (odd && record_lies(c, &r, &got, why, e))
			return got;
	}
	to->offset = stream_offset(s);
	to->data = s->p + f->header;
	to->captured = r.captured;
	to->wire = r.wire > r.captured ? r.wire : r.captured;
	to->time_us = f->last_us = record_time(f, &r);
	to->linktype = f->linktype;
	f->any = true;
	s->p += n;
	return CAPTURE_FRAME;
}

static const struct reader pcap_reader = {.next = pcap_next, .close = free};

static bool magic_read(struct pcap_file *f, uint32_t magic)
{
	static const struct {
		uint32_t magic;
		bool nanoseconds;
		uint32_t header;
	} known[] = {
		{0xa1b2c3d4, false, RECORD_HEADER},
		{0xa1b23c4d, true, RECORD_HEADER},
		{0xa1b2cd34, false, KUZNETZOV},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (magic != known[i].magic && __builtin_bswap32(magic) != known[i].magic)
			continue;
		f->swap = magic != known[i].magic;
		f->nanoseconds = known[i].nanoseconds;
		f->header = known[i].header;
		return true;
	}
	return false;
}

/* Before 2.3 the wire length stood first; writers of 2.3 did either (libpcap, sf-pcap.c). */
static enum length_order length_order(unsigned minor)
{
	if (minor < 3)
		return WIRE_FIRST;
	return minor == 3 ? SMALLER_IS_CAPTURED : CAPTURED_FIRST;
}

enum status pcap_begin(struct capture *c, struct err *e)
{
	struct pcap_file f = {0};

	if (!magic_read(&f, get32(c->stream->p, false)))
		return STATUS_NO;
	const uint8_t *p = stream_wait(c->stream, FILE_HEADER);
	if (!p && c->stream->state == STREAM_END)
		return err_set(e, STATUS_BAD,
			"offset 0: a pcap that ends inside its header (%zu of %d bytes)",
			stream_have(c->stream), FILE_HEADER);
	if (!p)
		return stream_error(c->stream, e);
	unsigned major = get16(p + 4, f.swap), minor = get16(p + 6, f.swap);
	if (major != 2)
		return err_set(e, STATUS_BAD, "offset 4: a pcap of version %u.%u; versions 2.x can be read",
			major, minor);
	f.order = length_order(minor);
	f.linktype = get32(p + 20, f.swap) & 0xffff; /* above: frame check sequence length, of no use here */
	stream_skip(c->stream, FILE_HEADER);
	c->state = malloc(sizeof(f));
	if (!c->state)
		return err_nomem(e);
	*(struct pcap_file *)c->state = f;
	c->reader = &pcap_reader;
	return STATUS_OK;
}
