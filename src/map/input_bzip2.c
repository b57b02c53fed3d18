/* bzip2 by several threads.  The format has no index, so blocks are found by their magic number, at any bit
 * (input_bits.c), and handed to the pool as they are found (input_block.c); here they are put in order, which
 * also tells whether a magic number was one: the number can stand inside a block by chance, and then what is
 * before it does not decode.  Such a piece is joined with the next ones until it does.
 *
 * In order means: a stream is "BZh" and a digit, blocks that each begin where the one before ended, the end's
 * magic number and a sum of the blocks' CRCs, then zeros to the next byte; another stream may follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/input_block.h"
#include "map/input_in.h"

#define HEAD_SIZE 4
#define END_BITS  (MAGIC_BITS + 32)
#define JOINS_MAX 16 /* magic numbers by chance in one block: one in 10^7 blocks has one */

struct bzip2 {
	struct bits_finder finder;
	struct pool *pool;
	/* the search, which is ahead */
	uint64_t begun;    /* bit of the block whose end is looked for, NONE: none */
	uint64_t searched; /* the next magic number begins here or later */
	bool found_all;
	/* the order */
	uint64_t at;    /* bit where the next thing must stand */
	bool in_stream; /* a block or the end; else a head */
	uint32_t sum;
	struct block *block; /* what is given out now */
	size_t given;
	struct block last; /* a whole block behind which all is broken: how, and where */
	const char *broken;
	uint64_t broken_at;
};

#define NONE UINT64_MAX

/* The bit's place in the window. */
static uint64_t in_window(const struct window *w, uint64_t bit)
{
	return bit - w->at * 8;
}

static bool have_bits(const struct window *w, uint64_t bit, uint64_t count)
{
	return bit + count <= (w->at + w->n) * 8;
}

/* ---- the search ---- */

/* The next magic number at bit `from` or later, reading on as far as `until`; NONE where there is none. */
static enum status magic_next(struct input *in, uint64_t from, uint64_t until, uint64_t *found, struct err *e)
{
	struct bzip2 *z = in->state;
	struct window *w = &in->w;
	enum status st = STATUS_OK;
	uint64_t at;

	for (*found = NONE; st == STATUS_OK;) {
		size_t n = until / 8 + 8 < w->at + w->n ? (size_t)(until / 8 + 8 - w->at) : w->n;
		if (bits_find(&z->finder, &at, w->p, n, in_window(w, from))) {
			*found = at + w->at * 8;
			break;
		}
		if (w->end || n < w->n)
			break;
		/* a magic number may begin in the last bits that are there */
		uint64_t last = (w->at + w->n) * 8;
		if (last >= MAGIC_BITS && last - MAGIC_BITS + 1 > from)
			from = last - MAGIC_BITS + 1;
		st = window_more(w, e);
	}
	return st;
}

static bool is_block(const struct window *w, uint64_t bit)
{
	return bits_get(w->p, in_window(w, bit), MAGIC_BITS) == MAGIC_BLOCK;
}

/* Finds one magic number more; where a block ends with it, the block goes to the pool. */
static enum status search_on(struct input *in, struct block *slot, struct err *e)
{
	struct bzip2 *z = in->state;
	uint64_t found;
	/* a block is no longer than that, and so is what follows an end, if it is a stream or the end none */
	enum status st = magic_next(in, z->searched, z->searched + BLOCK_BITS_MAX, &found, e);

	if (st != STATUS_OK)
		return st;
	if (found == NONE) {
		z->found_all = true;
		return STATUS_OK;
	}
	if (z->begun != NONE) {
		if (!block_take(slot, in->w.p, in->w.at, z->begun, found))
			return err_nomem(e);
		pool_put(z->pool);
	}
	z->begun = is_block(&in->w, found) ? found : NONE;
	z->searched = found + 1;
	return STATUS_OK;
}

/* As many blocks under way as the pool takes. */
static enum status search_ahead(struct input *in, struct err *e)
{
	struct bzip2 *z = in->state;
	struct block *slot;
	enum status st = STATUS_OK;

	while (st == STATUS_OK && !z->found_all && (slot = pool_slot(z->pool)))
		st = search_on(in, slot, e);
	return st;
}

/* ---- the order ---- */

/* What stood at a magic number by chance. */
static struct block *block_at(struct bzip2 *z)
{
	struct block *b;

	while ((b = pool_oldest(z->pool)) && b->from < z->at)
		pool_drop(z->pool);
	return b && b->from == z->at ? b : NULL;
}

/* The block does not decode: was it cut at a magic number that is none? */
static enum status block_join(struct input *in, struct block *b, struct err *e)
{
	uint64_t from = b->from, end = b->to;
	enum status st = STATUS_OK;

	for (int i = 0; i < JOINS_MAX && b->state == BLOCK_BAD && st == STATUS_OK; i++) {
		st = magic_next(in, end + 1, from + BLOCK_BITS_MAX, &end, e);
		if (st != STATUS_OK || end == NONE || end - from > BLOCK_BITS_MAX)
			break;
		if (!block_take(b, in->w.p, in->w.at, from, end))
			return err_nomem(e);
		block_unpack(b);
	}
	return st;
}

/* The input ends with what begins at z->at, unless the block that does is whole itself and only what follows
 * it is not to be told. */
static enum status block_last(struct input *in, const char *what, uint64_t at, struct err *e)
{
	struct bzip2 *z = in->state;
	uint64_t end = (in->w.at + in->w.n) * 8, most = z->at + BLOCK_BITS_MAX;

	if (!block_take(&z->last, in->w.p, in->w.at, z->at, end < most ? end : most))
		return err_nomem(e);
	block_unpack(&z->last);
	if (z->last.state == BLOCK_NO_MEMORY)
		return err_nomem(e);
	if (!block_sum_fits(&z->last)) {
		input_broken(in, what, at);
		return STATUS_OK;
	}
	z->block = &z->last;
	z->given = 0;
	z->broken = what;
	z->broken_at = at;
	return STATUS_OK;
}

static enum status block_none(struct input *in, struct err *e)
{
	struct bzip2 *z = in->state;
	uint64_t end = in->w.at + in->w.n;

	if (in->w.end && end * 8 - z->at <= BLOCK_BITS_MAX)
		return block_last(in, "cut off in the middle of a bzip2 block", end, e);
	return block_last(in, "damaged bzip2 block", z->at / 8, e);
}

/* The block that begins at z->at. */
static enum status block_next(struct input *in, struct err *e)
{
	struct bzip2 *z = in->state;
	struct block *b = NULL;
	enum status st;

	do { /* again: what stood between may have taken all places */
		st = search_ahead(in, e);
		b = st == STATUS_OK ? block_at(z) : NULL;
	} while (st == STATUS_OK && !b && !z->found_all && !pool_oldest(z->pool));
	if (st != STATUS_OK)
		return st;
	if (!b)
		return block_none(in, e);
	if (b->state == BLOCK_BAD)
		st = block_join(in, b, e);
	if (st == STATUS_OK && b->state == BLOCK_NO_MEMORY)
		return err_nomem(e);
	if (st != STATUS_OK || b->state == BLOCK_BAD)
		return st == STATUS_OK ? block_last(in, "damaged bzip2 block", z->at / 8, e) : st;
	z->block = b;
	z->given = 0;
	z->at = b->to;
	z->sum = (z->sum << 1 | z->sum >> 31) ^ b->crc;
	return STATUS_OK;
}

/* The end of a stream: the sum, and zeros to the next byte. */
static void stream_ends(struct input *in)
{
	struct bzip2 *z = in->state;

	if (!have_bits(&in->w, z->at, END_BITS))
		input_broken(in, "cut off in the middle of a bzip2 stream's end", in->w.at + in->w.n);
	else if (bits_get(in->w.p, in_window(&in->w, z->at) + MAGIC_BITS, 32) != z->sum)
		input_broken(in, "wrong sum of a bzip2 stream", z->at / 8);
	z->at = (z->at + END_BITS + 7) / 8 * 8;
	z->in_stream = false;
}

static void stream_begins(struct input *in)
{
	struct bzip2 *z = in->state;
	const uint8_t *p = in->w.p + in_window(&in->w, z->at) / 8;
	size_t n = in->w.n - (size_t)(in_window(&in->w, z->at) / 8);

	if (n >= HEAD_SIZE && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9') {
		z->at += (uint64_t)HEAD_SIZE * 8;
		z->in_stream = true;
		z->sum = 0;
		return;
	}
	if (n > 0)
		input_broken(in, "something else than bzip2 follows", z->at / 8);
	in->ended = true;
}

/* Takes what stands at z->at; at most one block. */
static enum status order_next(struct input *in, struct err *e)
{
	struct bzip2 *z = in->state;
	enum status st = window_until(&in->w, (z->at + END_BITS) / 8 + 1, e);

	if (st != STATUS_OK)
		return st;
	if (z->broken) {
		input_broken(in, z->broken, z->broken_at);
	} else if (!z->in_stream) {
		stream_begins(in);
	} else if (!have_bits(&in->w, z->at, MAGIC_BITS)) {
		input_broken(in, "cut off in the middle of a bzip2 stream", in->w.at + in->w.n);
	} else {
		uint64_t magic = bits_get(in->w.p, in_window(&in->w, z->at), MAGIC_BITS);
		if (magic == MAGIC_BLOCK)
			st = block_next(in, e);
		else if (magic == MAGIC_END)
			stream_ends(in);
		else
			input_broken(in, "damaged bzip2 stream: neither a block nor its end", z->at / 8);
	}
	in->taken = z->at / 8;
	return st;
}

static size_t block_give(struct bzip2 *z, uint8_t *to, size_t cap)
{
	size_t left = z->block->n_out - z->given, n = left < cap ? left : cap;

	if (n)
		memcpy(to, z->block->out + z->given, n);
	z->given += n;
	if (z->given == z->block->n_out) {
		if (z->block != &z->last)
			pool_drop(z->pool);
		z->block = NULL;
	}
	return n;
}

static enum status bzip2_read(struct input *in, uint8_t *to, size_t cap, size_t *n, struct err *e)
{
	struct bzip2 *z = in->state;
	enum status st = STATUS_OK;

	*n = 0;
	while (st == STATUS_OK && *n == 0 && (z->block || !in->ended)) {
		if (z->block) {
			*n = block_give(z, to, cap);
			continue;
		}
		window_keep(&in->w, z->at / 8);
		st = order_next(in, e);
	}
	return st;
}

static enum status bzip2_open(struct input *in, struct err *e)
{
	struct bzip2 *z = in->state = calloc(1, sizeof(*z));

	if (!z)
		return err_nomem(e);
	bits_finder_make(&z->finder);
	z->begun = NONE;
	z->searched = (uint64_t)HEAD_SIZE * 8;
	return pool_new(&z->pool, in->threads, e);
}

static void bzip2_close(struct input *in)
{
	struct bzip2 *z = in->state;

	if (!z)
		return;
	bzip2_pool_free(z->pool);
	bzip2_block_free(&z->last);
	free(z);
}

const struct codec codec_bzip2 = {
	.name = "bzip2", .open = bzip2_open, .read = bzip2_read, .close = bzip2_close};
