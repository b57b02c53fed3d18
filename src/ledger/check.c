/* Checking a whole ledger from its bytes, without believing any sum: every entry is hashed again, every
 * stored hash compared, the root held against the signed checkpoint, against what the key signed last and
 * what witnesses cosigned, and the journal read.  Goes on after the first fault, and counts.
 *
 * `sums` can be written anew from tiles that were found whole in this way. */
#include "ledger/ledger_in.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* A head that the growing tree must come by. */
struct watch {
	const char *what;
	struct checkpoint c;
	bool wanted;
};

#define WATCHES 3

struct check {
	struct ledger *l;
	struct ledger_report *to;
	struct merkle tree;
	struct watch watch[WATCHES];
	struct buf above; /* struct hash each: roots of the full tiles of the level below */
	struct buf sums;  /* as they must be */
	bool sums_bad;
};

static void bad(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void bad(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->to->bad++ == 0)
		(void)vsnprintf(c->to->first_bad, sizeof(c->to->first_bad), fmt, ap);
	va_end(ap);
}

/* What is wrong with the data is noted and OK; a machine that fails ends the check. */
static enum status noted(struct check *c, enum status s, const struct err *e)
{
	if (s == STATUS_MACHINE || s == STATUS_OK)
		return s;
	bad(c, "%.250s", e->text);
	return STATUS_OK;
}

static enum status leaf_add(struct check *c, const struct hash *leaf, struct err *e)
{
	struct hash root;

	if (!merkle_add(&c->tree, leaf))
		return err_nomem(e);
	for (unsigned i = 0; i < WATCHES; i++) {
		struct watch *w = &c->watch[i];
		if (!w->wanted || w->c.size != c->tree.size)
			continue;
		w->wanted = false;
		if (!merkle_root(&c->tree, &root))
			return err_nomem(e);
		if (!hash_equal(&root, &w->c.root))
			bad(c, "%s: the entries have another root than this head of %llu", w->what,
				(unsigned long long)w->c.size);
	}
	return STATUS_OK;
}

/* The sum of tiles as they are. */
static void sum_put(struct check *c, const void *p, size_t n, struct tile t)
{
	if (t.width == TILE_WIDTH)
		buf_le32(&c->sums, crc32c(p, n));
}

/* One tile of entries beside its tile of hashes. */
static enum status entry_tile_check(
	struct check *c, struct tile t, const struct entry_tile *b, const struct hash *stored, struct err *e)
{
	struct hash leaf[TILE_WIDTH], root;
	enum status s = STATUS_OK;
	bool told = false;

	for (unsigned i = 0; i < t.width && s == STATUS_OK; i++) {
		s = entry_tile_leaf(&leaf[i], b, i, e);
		if (s == STATUS_OK && !hash_equal(&leaf[i], &stored[i]) && !told) {
			told = true;
			bad(c, "entry %llu is not what its hash says (tile/0 and tile/entries, tile %llu)",
				(unsigned long long)(t.n * TILE_WIDTH + i), (unsigned long long)t.n);
		}
		if (s == STATUS_OK)
			s = leaf_add(c, &leaf[i], e);
	}
	if (s == STATUS_OK && t.width == TILE_WIDTH) {
		s = hashes_root(&root, leaf, TILE_WIDTH, e);
		buf_put(&c->above, &root, sizeof(root));
	}
	c->to->entries += t.width;
	return s;
}

/* Where a tile cannot be read the tree behind it cannot be rebuilt: STATUS_NO. */
static enum status leaves_check(struct check *c, uint64_t n, struct err *e)
{
	struct tile t = tile_of(0, n, c->to->head.size);
	struct tile entries = {LEVEL_ENTRIES, n, t.width};
	struct hash stored[TILE_WIDTH] = {0};
	struct entry_tile b = {0};
	enum status s = noted(c, tile_hashes(stored, c->l->root, t, e), e);

	if (s == STATUS_OK) {
		s = entry_tile_read(&b, c->l->root, entries, e);
		if (s == STATUS_BAD) {
			bad(c, "%.250s", e->text);
			s = STATUS_NO;
		}
	}
	if (s == STATUS_OK) {
		c->to->tiles += 2;
		c->to->bytes += b.bytes.n + t.width * sizeof(struct hash);
		sum_put(c, stored, sizeof(stored), t);
		sum_put(c, b.bytes.p, b.bytes.n, t);
		s = entry_tile_check(c, t, &b, stored, e);
	}
	buf_free(&b.bytes);
	return s == STATUS_OK && (c->above.failed || c->sums.failed) ? err_nomem(e) : s;
}

/* The stored hashes of a level are the roots of the tiles below; leaves their own tiles' roots in above. */
static enum status level_check(struct check *c, unsigned level, struct err *e)
{
	struct buf below = c->above;
	uint64_t total = c->to->head.size >> (8 * level);
	struct hash stored[TILE_WIDTH], root;
	enum status s = STATUS_OK;

	c->above = (struct buf){0};
	for (uint64_t at = 0; at < total && s == STATUS_OK; at += TILE_WIDTH) {
		struct tile t = tile_of((int)level, at / TILE_WIDTH, c->to->head.size);
		const uint8_t *made = below.p + at * sizeof(root);
		s = tile_hashes(stored, c->l->root, t, e);
		if (s == STATUS_OK && memcmp(stored, made, t.width * sizeof(root)) != 0)
			bad(c, "tile/%u: tile %llu is not what the tiles below it give", level,
				(unsigned long long)t.n);
		s = noted(c, s, e);
		c->to->tiles++;
		c->to->bytes += t.width * sizeof(root);
		if (s != STATUS_OK || t.width < TILE_WIDTH)
			continue;
		memcpy(stored, made, sizeof(stored));
		s = hashes_root(&root, stored, TILE_WIDTH, e);
		buf_put(&c->above, &root, sizeof(root));
	}
	buf_free(&below);
	return s == STATUS_OK && c->above.failed ? err_nomem(e) : s;
}

static enum status tiles_check(struct check *c, struct err *e)
{
	uint64_t size = c->to->head.size;
	enum status s = STATUS_OK;

	for (uint64_t n = 0; n * TILE_WIDTH < size && s == STATUS_OK; n++)
		s = leaves_check(c, n, e);
	for (unsigned level = 1; level < TILE_LEVELS && size >> (8 * level) && s == STATUS_OK; level++)
		s = level_check(c, level, e);
	return s;
}

static enum status sums_check(struct check *c, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = {0};
	enum status s = path_of(path, e, "%s/sums", c->l->root);

	if (s == STATUS_OK)
		s = file_read(&b, path, SIZE_MAX / 2, e);
	c->sums_bad = s == STATUS_NO || s == STATUS_BAD;
	if (s == STATUS_OK && (b.n < c->sums.n || (c->sums.n && memcmp(b.p, c->sums.p, c->sums.n) != 0)))
		c->sums_bad = true;
	buf_free(&b);
	return s == STATUS_MACHINE ? s : STATUS_OK;
}

/* Entries of one record: those behind the published ones go on with the tree. */
static enum status record_check(struct check *c, const struct record *rec, struct err *e)
{
	struct merkle_source from = {.self = &c->l->tiles, .subtree = source_subtree};
	struct rd r = rec->entries;
	struct hash leaf, known, root;
	enum status s = STATUS_OK;

	if (!(c->tree.size ? merkle_root(&c->tree, &root) : merkle_empty(&root)))
		return err_nomem(e);
	if (rec->first == c->tree.size && memcmp(root.b, rec->root, ROOT_BYTES) != 0)
		bad(c, "journal: committed on another tree than the tiles hold");
	for (uint32_t i = 0; i < rec->count && s == STATUS_OK; i++) {
		uint64_t index = rec->first + i;
		size_t n = rd_be16(&r);
		const uint8_t *p = rd_take(&r, n);
		if (!p || !merkle_leaf(&leaf, p, n))
			return err_nomem(e);
		if (index >= c->tree.size) {
			s = leaf_add(c, &leaf, e);
			c->to->entries++;
			continue;
		}
		s = noted(c, from.subtree(from.self, 0, index, &known, e), e);
		if (s == STATUS_OK && index < c->to->head.size && !hash_equal(&known, &leaf))
			bad(c, "journal: entry %llu is not the one that was published",
				(unsigned long long)index);
	}
	return s;
}

static enum status journal_check(struct check *c, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = {0};
	struct record rec;
	enum journal_found found;
	size_t at = 0;
	enum status s = path_of(path, e, "%s/journal", c->l->root);

	if (s == STATUS_OK)
		s = file_read(&b, path, JOURNAL_MAX, e);
	while (s == STATUS_OK && (found = journal_next(&rec, b.p, b.n, at)) == JOURNAL_RECORD) {
		if (rec.first > c->tree.size) {
			bad(c, "%.200s: offset %zu: begins at entry %llu, but only %llu are there", path, at,
				(unsigned long long)rec.first, (unsigned long long)c->tree.size);
			break;
		}
		s = record_check(c, &rec, e);
		at += rec.size;
	}
	if (s == STATUS_OK && at < b.n && found == JOURNAL_DAMAGED)
		bad(c, "%.200s: offset %zu: damaged", path, at);
	c->to->bytes += b.n;
	buf_free(&b);
	return noted(c, s, e);
}

/* Reads a head that the tree must come by; the empty tree's is not waited for. */
static enum status watch_add(struct check *c, unsigned i, const char *what, const char *path, struct err *e)
{
	struct buf note = {0};
	enum status s = checkpoint_read(c->l, path, &c->watch[i].c, &note, NULL, e);

	c->watch[i].what = what;
	c->watch[i].wanted = s == STATUS_OK && c->watch[i].c.size > 0;
	buf_free(&note);
	return s;
}

static enum status heads_read(struct check *c, struct err *e)
{
	char path[PATH_MAX];
	enum status s = path_of(path, e, "%s/checkpoint", c->l->root);

	if (s == STATUS_OK)
		s = watch_add(c, 0, "checkpoint", path, e);
	if (s != STATUS_OK)
		return s;
	c->to->head = c->l->published = c->watch[0].c;
	source_reset(&c->l->tiles, c->l->root, c->to->head.size);
	s = path_of(path, e, "%s/keys/log.head", c->l->dir);
	if (s == STATUS_OK)
		s = noted(c, watch_add(c, 1, "keys/log.head", path, e), e);
	if (s == STATUS_OK)
		s = path_of(path, e, "%s/cosigned", c->l->root);
	if (s == STATUS_OK)
		s = watch_add(c, 2, "cosigned", path, e);
	return s == STATUS_NO ? STATUS_OK : noted(c, s, e);
}

static void heads_met(struct check *c)
{
	for (unsigned i = 0; i < WATCHES; i++)
		if (c->watch[i].wanted)
			bad(c, "%s: a head of %llu entries, but only %llu are there", c->watch[i].what,
				(unsigned long long)c->watch[i].c.size, (unsigned long long)c->tree.size);
}

static enum status sums_mend(struct check *c, struct err *e)
{
	char path[PATH_MAX];
	enum status s = path_of(path, e, "%s/sums", c->l->root);

	if (s == STATUS_OK && c->to->bad == 0 && c->sums_bad)
		s = file_replace(c->l->w, path, 0600, c->sums.p ? c->sums.p : (const void *)"", c->sums.n, e);
	c->sums_bad = c->sums_bad && c->to->bad > 0;
	return s;
}

static enum status check_all(struct check *c, bool mend, struct err *e)
{
	enum status s = heads_read(c, e);

	if (s != STATUS_OK)
		return noted(c, s, e);
	s = tiles_check(c, e);
	if (s == STATUS_NO) /* entries are missing: what follows cannot be told */
		return STATUS_OK;
	if (s == STATUS_OK)
		s = journal_check(c, e);
	if (s == STATUS_OK)
		s = sums_check(c, e);
	if (s == STATUS_OK)
		heads_met(c);
	if (s == STATUS_OK && mend)
		s = sums_mend(c, e);
	if (s == STATUS_OK && c->sums_bad)
		bad(c, "%.200s/sums: not the sums of the tiles%s", c->l->root,
			c->to->bad ? "" : ", which are whole: weir ledger check --sums writes them anew");
	return s;
}

enum status ledger_check(
	struct ledger_report *to, const struct world *w, const char *dir, bool mend, struct err *e)
{
	struct check c = {.to = to};
	enum status s = ledger_handle(&c.l, w, dir, LEDGER_READ, e);

	*to = (struct ledger_report){0};
	if (s != STATUS_OK)
		return s;
	s = access(c.l->root, F_OK) == 0 ? lock_take(c.l, e)
					 : err_set(e, STATUS_NO, "%s: nothing was logged here yet", dir);
	if (s == STATUS_OK)
		s = check_all(&c, mend, e);
	if (s == STATUS_OK && to->bad > 0)
		s = err_set(e, STATUS_BAD, "%s", to->first_bad);
	buf_free(&c.above);
	buf_free(&c.sums);
	ledger_free(c.l);
	return s;
}
