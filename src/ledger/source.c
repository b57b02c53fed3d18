/* Hashes of complete subtrees and entries, out of tiles: what proofs are made from.  The last tile that was
 * read of each level is kept. */
#include "ledger/ledger_in.h"

void source_reset(struct source *s, const char *root, uint64_t size)
{
	s->root = root;
	s->size = size;
	s->entries_there = false;
	for (unsigned l = 0; l < TILE_LEVELS; l++)
		s->kept[l].there = false;
}

void source_free(struct source *s)
{
	buf_free(&s->entries.bytes);
}

static enum status source_tile(
	struct source *s, unsigned level, uint64_t n, const struct kept_tile **to, struct err *e)
{
	struct kept_tile *k = &s->kept[level];

	*to = k;
	if (k->there && k->tile.n == n)
		return STATUS_OK;
	k->there = false;
	k->tile = tile_of((int)level, n, s->size);
	enum status st = tile_hashes(k->hash, s->root, k->tile, e);
	k->there = st == STATUS_OK;
	return st;
}

/* 2^level leaves are 2^(level mod 8) hashes of one tile. */
enum status source_subtree(void *self, unsigned level, uint64_t at, struct hash *to, struct err *e)
{
	struct source *s = self;
	unsigned n = 1U << (level % 8);
	uint64_t first = at << (level % 8);
	const struct kept_tile *k;

	if (level >= 8 * TILE_LEVELS || at >= s->size >> level)
		return err_set(e, STATUS_BAD, "no such subtree in a tree of %llu entries",
			(unsigned long long)s->size);
	enum status st = source_tile(s, level / 8, first / TILE_WIDTH, &k, e);
	return st == STATUS_OK ? hashes_root(to, &k->hash[first % TILE_WIDTH], n, e) : st;
}

enum status source_entry(struct source *s, uint64_t index, struct buf *to, struct err *e)
{
	struct tile t = tile_of(LEVEL_ENTRIES, index / TILE_WIDTH, s->size);
	unsigned i = (unsigned)(index % TILE_WIDTH);
	struct hash leaf, stored;
	enum status st = STATUS_OK;

	if (!s->entries_there || s->entries_tile.n != t.n) {
		st = entry_tile_read(&s->entries, s->root, t, e);
		s->entries_there = st == STATUS_OK;
		s->entries_tile = t;
	}
	if (st == STATUS_OK)
		st = entry_tile_leaf(&leaf, &s->entries, i, e);
	if (st == STATUS_OK)
		st = source_subtree(s, 0, index, &stored, e);
	if (st == STATUS_OK && !hash_equal(&leaf, &stored))
		st = err_set(e, STATUS_BAD, "%s: entry %llu is not what was logged: weir ledger check",
			s->root, (unsigned long long)index);
	if (st == STATUS_OK)
		buf_put(to, s->entries.bytes.p + s->entries.at[i] + 2,
			s->entries.at[i + 1] - s->entries.at[i] - 2);
	return st == STATUS_OK && to->failed ? err_nomem(e) : st;
}
