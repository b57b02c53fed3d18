/* The journal of a ledger and a tile of entries: any bytes.  What is found is within the input, a record that
 * is found sealed again is the same bytes, and the walk ends. */
#include <stdlib.h>

#include "ledger/ledger_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void same_again(const struct record *r, const uint8_t *p)
{
	struct checkpoint on = {.size = r->first};
	struct buf b = {0};
	static const uint8_t room[JOURNAL_HEADER];

	memcpy(on.root.b, r->root, ROOT_BYTES);
	buf_put(&b, room, sizeof(room));
	buf_put(&b, r->entries.p, rd_left(&r->entries));
	journal_seal(&b, &on, r->count);
	if (!b.failed && (b.n != r->size || memcmp(b.p, p, b.n) != 0))
		abort();
	buf_free(&b);
}

/* Any bytes as the entries of a record whose sums are right: the fuzzer does not find sums. */
static void sealed(const uint8_t *p, size_t n, uint32_t count)
{
	static const uint8_t room[JOURNAL_HEADER];
	struct checkpoint on = {.size = n};
	struct buf b = {0};
	struct record r;

	buf_put(&b, room, sizeof(room));
	buf_put(&b, p, n);
	journal_seal(&b, &on, count);
	if (!b.failed && journal_next(&r, b.p, b.n, 0) == JOURNAL_RECORD)
		same_again(&r, b.p);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct entry_tile t = {0};
	struct record r;
	size_t at = 0;

	while (journal_next(&r, p, n, at) == JOURNAL_RECORD) {
		if (r.size > n - at || r.count == 0)
			abort();
		same_again(&r, p + at);
		at += r.size;
	}
	for (uint32_t count = 1; count < 6; count++)
		sealed(p, n, count);
	buf_put(&t.bytes, p, n);
	for (unsigned width = 1; width <= TILE_WIDTH; width *= 2)
		if (entry_tile_parse(&t, width) && t.at[width] > n)
			abort();
	buf_free(&t.bytes);
	return 0;
}
