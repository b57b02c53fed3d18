/* The newer capture file: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html.  Blocks of type,
 * length, body, length again; sections of either byte order; interfaces with link type, time resolution and
 * offset of their own.  Frames come from enhanced and obsolete packet blocks; what the file says about losses
 * (epb_dropcount, the obsolete block's drop count, interface statistics) goes to frame.lost.  Simple packet
 * blocks have no time and are counted, unknown blocks are passed over.  A block whose two lengths disagree
 * lies: the next place that looks like blocks is searched. */
#include <limits.h>
#include <stdlib.h>

#include "record/reader.h"

#define BLOCK_MIN      12U
#define BLOCK_MAX      (uint32_t) STREAM_VIEW_MAX /* that is looked into */
#define BLOCK_PASSED   (64 * 1024 * 1024U)        /* that is passed over by its length */
#define INTERFACES_MAX 65536U
#define ORDER_MAGIC    0x1a2b3c4dU

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_NAMES = 4,
	BLOCK_STATISTICS = 5,
	BLOCK_ENHANCED = 6,
	BLOCK_JOURNAL = 9,
	BLOCK_SECRETS = 10,
	BLOCK_SECTION = 0x0a0d0d0a
};

struct interface {
	uint32_t linktype;
	bool usable; /* its clock can be understood */
	bool binary; /* units of 2^-exponent s, else 10^-exponent s */
	uint8_t exponent;
	bool counts; /* packet blocks carry drop counts: then statistics add nothing */
	int64_t offset_s;
	uint64_t dropped; /* as the last statistics block said */
};

struct pcapng_file {
	bool swap;
	struct interface *interface;
	uint32_t n, cap;
	struct lost lost;
};

/* One block at hand, and what a handler makes of it. */
struct block {
	uint32_t type, length;
	uint64_t offset;
	struct rd body;
};

enum outcome { OUTCOME_NOTHING, OUTCOME_FRAME, OUTCOME_SKIPPED, OUTCOME_FAILED };

static uint32_t take32(struct rd *r, bool swap)
{
	const uint8_t *p = rd_take(r, 4);

	return p ? get32(p, swap) : 0;
}

static uint16_t take16(struct rd *r, bool swap)
{
	const uint8_t *p = rd_take(r, 2);

	return p ? get16(p, swap) : 0;
}

static uint64_t get64(const uint8_t *p, bool swap)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap64(v) : v;
}

/* The next option; false at the end of the list, or where it lies. */
static bool option_next(struct rd *r, bool swap, uint16_t *code, struct rd *value)
{
	if (rd_left(r) < 4)
		return false;
	*code = take16(r, swap);
	uint16_t n = take16(r, swap);
	*value = rd_cut(r, n);
	if (*code == 0 || r->bad)
		return false;
	if (rd_left(r) >= (4 - n % 4U) % 4)
		rd_skip(r, (4 - n % 4U) % 4);
	return true;
}

/* The value of the first 64-bit option of that code, or 0. */
static uint64_t option_u64(struct rd r, bool swap, uint16_t wanted)
{
	struct rd value;
	uint16_t code;

	while (option_next(&r, swap, &code, &value))
		if (code == wanted && rd_left(&value) == 8)
			return get64(value.p, swap);
	return 0;
}

/* Units of the clock, exactly in 128 bits, to microseconds since 1970; false where that is out of reach. */
static bool clock_us(const struct interface *i, uint64_t units, int64_t *us)
{
	static const uint64_t ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000};
	__int128 t = units;

	if (!i->binary && i->exponent == 6 && i->offset_s == 0 && units <= INT64_MAX / 2) {
		*us = (int64_t)units;
		return true;
	}
	if (i->binary)
		t = (t * 1000000) >> i->exponent;
	else if (i->exponent >= 6)
		t /= ten[i->exponent - 6];
	else
		t *= ten[6 - i->exponent];
	t += (__int128)i->offset_s * 1000000;
	if (t > INT64_MAX / 2 || t < INT64_MIN / 2)
		return false;
	*us = (int64_t)t;
	return true;
}

/* Microseconds of one unit, at least 1. */
static uint32_t clock_resolution(const struct interface *i)
{
	static const uint32_t ten[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

	if (i->binary)
		return i->exponent < 20 ? 1000000U >> i->exponent : 1;
	return i->exponent < 6 ? ten[i->exponent] : 1;
}

static enum outcome skip_block(const struct capture *c, const struct block *b, enum drop drop, enum drop *why,
	struct err *e, const char *what)
{
	(void)capture_skipped(c, b->offset, why, drop, e, "%s; passed over", what);
	return OUTCOME_SKIPPED;
}

static enum outcome on_section(
	struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;

	(void)to;
	f->n = 0;
	rd_skip(&b->body, 4);
	if (take16(&b->body, f->swap) != 1)
		return skip_block(c, b, DROP_RECORD, why, e, "a section of an unknown version");
	return OUTCOME_NOTHING;
}

static void interface_options(struct interface *i, struct rd r, bool swap)
{
	enum { TSRESOL = 9, TSOFFSET = 14 };
	struct rd value;
	uint16_t code;

	while (option_next(&r, swap, &code, &value)) {
		if (code == TSRESOL && rd_left(&value) == 1) {
			uint8_t v = rd_u8(&value);
			i->binary = v & 0x80;
			i->exponent = v & 0x7f;
			i->usable = i->exponent <= (i->binary ? 63 : 19);
		} else if (code == TSOFFSET && rd_left(&value) == 8) {
			i->offset_s = (int64_t)get64(value.p, swap);
		}
	}
}

static enum outcome on_interface(
	struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;
	struct interface i = {.usable = true, .exponent = 6};

	(void)to;
	if (f->n == INTERFACES_MAX)
		return skip_block(c, b, DROP_RECORD, why, e, "more than 65536 interfaces");
	if (f->n == f->cap) {
		uint32_t cap = f->cap * 2 + 4;
		struct interface *more = realloc(f->interface, cap * sizeof(*more));
		if (!more) {
			(void)err_nomem(e);
			return OUTCOME_FAILED;
		}
		f->interface = more;
		f->cap = cap;
	}
	i.linktype = take16(&b->body, f->swap);
	rd_skip(&b->body, 6);
	interface_options(&i, b->body, f->swap);
	f->interface[f->n++] = i;
	if (!i.usable)
		return skip_block(
			c, b, DROP_RECORD, why, e, "an interface whose clock has an impossible resolution");
	if (clock_resolution(&i) > c->resolution_us)
		c->resolution_us = clock_resolution(&i);
	return OUTCOME_NOTHING;
}

/* The end of both packet blocks that have a time; b->body stands behind the interface. */
static enum outcome packet_read(struct capture *c, struct block *b, struct interface *i, struct frame *to,
	enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;
	uint64_t high = take32(&b->body, f->swap), low = take32(&b->body, f->swap);
	uint32_t captured = take32(&b->body, f->swap), wire = take32(&b->body, f->swap);
	const uint8_t *p = b->body.p;

	if (wire > WIRE_MAX)
		return skip_block(
			c, b, DROP_RECORD, why, e, "a packet that claims more bytes than any link carries");
	if (b->body.bad || captured > CAPTURED_MAX || captured > rd_left(&b->body))
		return skip_block(
			c, b, DROP_RECORD, why, e, "a packet that claims more bytes than its block has");
	if (!i->usable || !clock_us(i, high << 32 | low, &to->time_us))
		return skip_block(c, b, DROP_RECORD, why, e, "a packet whose time cannot be understood");
	to->data = p;
	to->captured = captured;
	to->wire = wire > captured ? wire : captured;
	to->linktype = i->linktype;
	to->offset = b->offset;
	rd_skip(&b->body, captured + (4 - captured % 4) % 4);
	return OUTCOME_FRAME;
}

static void lost_add(struct capture *c, uint64_t n)
{
	uint64_t room = UINT64_MAX / 4 - c->drops;

	if (n > room)
		n = room;
	c->drops += n;
	c->lost += n;
}

static enum outcome on_enhanced(
	struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e)
{
	enum { DROPCOUNT = 4 };
	struct pcapng_file *f = c->state;
	uint32_t n = take32(&b->body, f->swap);

	if (n >= f->n)
		return skip_block(
			c, b, DROP_RECORD, why, e, "a packet of an interface that was not described");
	struct interface *i = &f->interface[n];
	enum outcome o = packet_read(c, b, i, to, why, e);
	if (o == OUTCOME_FRAME && rd_left(&b->body) >= 4) {
		uint64_t dropped = option_u64(b->body, f->swap, DROPCOUNT);
		i->counts = i->counts || dropped > 0;
		lost_add(c, dropped);
	}
	return o;
}

static enum outcome on_packet(
	struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;
	uint16_t n = take16(&b->body, f->swap), dropped = take16(&b->body, f->swap);

	if (n >= f->n)
		return skip_block(
			c, b, DROP_RECORD, why, e, "a packet of an interface that was not described");
	enum outcome o = packet_read(c, b, &f->interface[n], to, why, e);
	if (o == OUTCOME_FRAME && dropped != 0 && dropped != 0xffff) {
		f->interface[n].counts = true;
		lost_add(c, dropped);
	}
	return o;
}

static enum outcome on_simple(
	struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e)
{
	(void)to;
	return skip_block(c, b, DROP_TIME, why, e, "a simple packet block, which has no time");
}

static enum outcome on_statistics(
	struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e)
{
	enum { IFDROP = 5, OSDROP = 7 };
	struct pcapng_file *f = c->state;
	uint32_t n = take32(&b->body, f->swap);

	(void)to;
	if (n >= f->n)
		return skip_block(
			c, b, DROP_RECORD, why, e, "statistics of an interface that was not described");
	struct interface *i = &f->interface[n];
	rd_skip(&b->body, 8);
	uint64_t dropped = option_u64(b->body, f->swap, IFDROP), more = option_u64(b->body, f->swap, OSDROP);
	dropped = dropped > UINT64_MAX - more ? UINT64_MAX : dropped + more;
	if (dropped > i->dropped && !i->counts)
		lost_add(c, dropped - i->dropped);
	i->dropped = dropped;
	return OUTCOME_NOTHING;
}

static const struct {
	uint32_t type, min; /* whole length */
	enum outcome (*on)(
		struct capture *c, struct block *b, struct frame *to, enum drop *why, struct err *e);
} handler[] = {
	{BLOCK_ENHANCED, 32, on_enhanced},
	{BLOCK_SECTION, 28, on_section},
	{BLOCK_INTERFACE, 20, on_interface},
	{BLOCK_STATISTICS, 24, on_statistics},
	{BLOCK_PACKET, 32, on_packet},
	{BLOCK_SIMPLE, 16, on_simple},
};
#define HANDLERS (sizeof(handler) / sizeof(handler[0]))

static size_t handler_of(uint32_t type)
{
	size_t i = 0;

	while (i < HANDLERS && handler[i].type != type)
		i++;
	return i;
}

static bool type_known(uint32_t type)
{
	return handler_of(type) < HANDLERS || type == BLOCK_NAMES || type == BLOCK_JOURNAL ||
	       type == BLOCK_SECRETS;
}

/* The byte order of a section header at p (12 bytes); false where it has none. */
static bool section_order(const uint8_t *p, bool *swap)
{
	uint32_t magic = get32(p + 8, false);

	*swap = magic != ORDER_MAGIC;
	return magic == ORDER_MAGIC || __builtin_bswap32(magic) == ORDER_MAGIC;
}

/* fit_fn: a block of known type whose two lengths agree, and behind it another one or the file's end. */
static enum fit block_fits(const struct capture *c, const uint8_t *p, size_t n, bool last)
{
	const struct pcapng_file *f = c->state;
	bool swap = f->swap;
	size_t at = 0;

	for (int i = 0; i < 2; i++) {
		if (at == n && last && i > 0)
			return FIT_YES;
		if (at + BLOCK_MIN > n)
			return last ? FIT_NO : FIT_MORE;
		uint32_t type = get32(p + at, swap);
		if (type == BLOCK_SECTION && !section_order(p + at, &swap))
			return FIT_NO;
		uint32_t length = get32(p + at + 4, swap);
		if ((i == 0 && !type_known(type)) || length < BLOCK_MIN || length % 4 || length > BLOCK_MAX)
			return FIT_NO;
		if (length > n - at)
			return last ? FIT_NO : FIT_MORE;
		if (get32(p + at + length - 4, swap) != length)
			return FIT_NO;
		at += length;
	}
	return FIT_YES;
}

static enum capture_got lost_at(
	struct capture *c, bool cut, const char *what, uint32_t n, enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;

	lost_begin(&f->lost, c, cut, "%s (%u bytes)", what, n);
	return lost_search(&f->lost, c, block_fits, why, e);
}

static bool length_possible(const struct block *b)
{
	uint32_t most = handler_of(b->type) < HANDLERS ? BLOCK_MAX : BLOCK_PASSED;

	return b->length >= BLOCK_MIN && b->length % 4 == 0 && b->length <= most;
}

/* Is the whole block at hand, its two lengths equal?  False: *got. */
static bool block_whole(
	struct capture *c, struct block *b, bool swap, enum capture_got *got, enum drop *why, struct err *e)
{
	struct stream *s = c->stream;
	const uint8_t *p = stream_view(s, b->length);

	if (!p && s->state == STREAM_END)
		*got = lost_at(c, true, "a block that goes beyond the file's end", b->length, why, e);
	else if (!p)
		*got = capture_ran_out(c, b->offset, why, e);
	else if (get32(p + b->length - 4, swap) != b->length)
		*got = lost_at(c, false, "a block whose two lengths disagree", b->length, why, e);
	else
		b->body = rd_of(p + 8, b->length - BLOCK_MIN);
	return b->body.p != NULL;
}

/* Looks at the next block.  True: *b is it, whole and at hand, or too long to be looked into (and of no use).
 * False: *got. */
static bool block_next(
	struct capture *c, struct block *b, enum capture_got *got, enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;
	struct stream *s = c->stream;
	const uint8_t *p = stream_view(s, BLOCK_MIN);
	bool swap = f->swap;

	*b = (struct block){.offset = stream_offset(s)};
	if (!p) {
		*got = capture_ran_out(c, b->offset, why, e);
		return false;
	}
	b->type = get32(p, swap);
	if (b->type == BLOCK_SECTION && !section_order(p, &swap)) {
		*got = lost_at(c, false, "a section header without byte order", BLOCK_MIN, why, e);
		return false;
	}
	b->length = get32(p + 4, swap);
	if (!length_possible(b)) {
		*got = lost_at(c, false, "a block of impossible length", b->length, why, e);
		return false;
	}
	if (b->length > BLOCK_MAX) {
		bool beyond = s->size > 0 && !s->unpacker && b->length > s->size - b->offset;
		if (beyond)
			*got = lost_at(c, true, "a block that goes beyond the file's end", b->length, why, e);
		return !beyond;
	}
	if (!block_whole(c, b, swap, got, why, e))
		return false;
	f->swap = swap;
	return true;
}

static enum capture_got pcapng_next(struct capture *c, struct frame *to, enum drop *why, struct err *e)
{
	struct pcapng_file *f = c->state;

	if (f->lost.on)
		return lost_search(&f->lost, c, block_fits, why, e);
	for (;;) {
		enum outcome o = OUTCOME_NOTHING;
		enum capture_got got;
		struct block b;
		if (!block_next(c, &b, &got, why, e))
			return got;
		size_t h = handler_of(b.type);
		if (h < HANDLERS && b.length < handler[h].min)
			o = skip_block(c, &b, DROP_RECORD, why, e, "a block that is too short for its type");
		else if (h < HANDLERS)
			o = handler[h].on(c, &b, to, why, e);
		stream_skip(c->stream, b.length);
		if (o == OUTCOME_FRAME)
			return CAPTURE_FRAME;
		if (o != OUTCOME_NOTHING)
			return o == OUTCOME_SKIPPED ? CAPTURE_SKIPPED : CAPTURE_FAILED;
	}
}

static void pcapng_close(void *state)
{
	struct pcapng_file *f = state;

	free(f->interface);
	free(f);
}

static const struct reader pcapng_reader = {.next = pcapng_next, .close = pcapng_close};

enum status pcapng_begin(struct capture *c, struct err *e)
{
	bool swap;

	if (stream_have(c->stream) < 4 || get32(c->stream->p, false) != BLOCK_SECTION)
		return STATUS_NO;
	const uint8_t *p = stream_wait(c->stream, 28);
	if (!p && c->stream->state == STREAM_END)
		return err_set(e, STATUS_BAD, "offset 0: a pcapng that ends inside its first header");
	if (!p)
		return stream_error(c->stream, e);
	if (!section_order(p, &swap))
		return err_set(e, STATUS_BAD, "offset 8: a pcapng without byte-order magic");
	if (get16(p + 12, swap) != 1)
		return err_set(e, STATUS_BAD,
			"offset 12: a pcapng of version %u.%u; versions 1.x can be read", get16(p + 12, swap),
			get16(p + 14, swap));
	struct pcapng_file *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem(e);
	f->swap = swap;
	c->state = f;
	c->reader = &pcapng_reader;
	return STATUS_OK;
}
