/* The journal: entries that were committed and stand in no tile yet (doc/ledger-format.md, "Journal").
 *
 * One commit is one record, one write, one sync.  What counts afterwards is what is read back: a commit and
 * the replay of a crash add entries to the tree on the same path, from the bytes of the file.
 *
 * A record that the machine did not finish (short, or with a sector of the disk that was never written, all
 * zero) was acknowledged to nobody and is cut.  Entries have no zero bytes, so that no sector of a whole
 * record is zero; any other record that does not check is damage. */
#include "ledger/ledger_in.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"

#define SECTOR   512U
#define END_MARK 8U /* bytes 0xff: the last sector's part of a record is never zero, nor one bit from it */

static const uint8_t magic[4] = {'w', 'J', 0xa7, '1'};
static const uint8_t end_mark[END_MARK] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void le_put(uint8_t *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

void journal_seal(struct buf *b, const struct checkpoint *on, uint32_t count)
{
	size_t n = b->n - JOURNAL_HEADER;

	buf_put(b, end_mark, sizeof(end_mark));
	if (b->failed)
		return;
	memcpy(b->p, magic, sizeof(magic));
	le_put(b->p + 4, n, 4);
	le_put(b->p + 8, on->size, 8);
	memcpy(b->p + 16, on->root.b, ROOT_BYTES);
	le_put(b->p + 24, count, 4);
	le_put(b->p + 28, crc32c(b->p + JOURNAL_HEADER, n), 4);
	le_put(b->p + 32, crc32c(b->p, 32), 4);
}

struct header {
	uint32_t bytes, count, crc;
	uint64_t first;
	const uint8_t *root;
};

static bool header_read(struct header *to, const uint8_t *p, size_t n)
{
	struct rd r = rd_of(p, n);
	const uint8_t *m = rd_take(&r, sizeof(magic));

	to->bytes = rd_le32(&r);
	to->first = rd_le64(&r);
	to->root = rd_take(&r, ROOT_BYTES);
	to->count = rd_le32(&r);
	to->crc = rd_le32(&r);
	uint32_t own = rd_le32(&r);
	return !r.bad && memcmp(m, magic, sizeof(magic)) == 0 && own == crc32c(p, JOURNAL_HEADER - 4);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Is the part of some sector that lies in [at, end) all zero? */
static bool sector_unwritten(const uint8_t *journal, size_t at, size_t end)
{
	while (at < end) {
		size_t next = (at / SECTOR + 1) * SECTOR;
		size_t stop = next < end ? next : end;
		if (all_zero(journal + at, stop - at))
			return true;
		at = stop;
	}
	return false;
}

/* Does a whole header stand behind `at`?  Then what is before it was synced once. */
static bool header_behind(const uint8_t *journal, size_t n, size_t at)
{
	struct header h;

	for (size_t i = at + 1; i + JOURNAL_HEADER <= n; i++)
		if (journal[i] == magic[0] && header_read(&h, journal + i, n - i))
			return true;
	return false;
}

/* The header at `at` does not check. */
static enum journal_found without_header(const uint8_t *journal, size_t n, size_t at)
{
	size_t end = ((at + JOURNAL_HEADER - 1) / SECTOR + 1) * SECTOR; /* of its last sector */

	end = end < n ? end : n;
	if (!sector_unwritten(journal, at, end) || header_behind(journal, n, at))
		return JOURNAL_DAMAGED;
	return JOURNAL_TORN;
}

static bool entries_whole(struct rd r, uint32_t count)
{
	for (uint32_t i = 0; i < count && !r.bad; i++) {
		size_t n = rd_be16(&r);
		const uint8_t *p = rd_take(&r, n);
		if (n == 0 || (p && memchr(p, '\0', n)))
			return false;
	}
	return !r.bad && rd_left(&r) == 0 && count > 0;
}

enum journal_found journal_next(struct record *to, const uint8_t *journal, size_t n, size_t at)
{
	struct header h;
	size_t left = n - at;

	if (left == 0)
		return JOURNAL_END;
	if (left < JOURNAL_HEADER)
		return JOURNAL_TORN;
	if (!header_read(&h, journal + at, left))
		return without_header(journal, n, at);
	*to = (struct record){.first = h.first,
		.root = h.root,
		.count = h.count,
		.size = JOURNAL_HEADER + (size_t)h.bytes + END_MARK};
	if (left < to->size)
		return JOURNAL_TORN;
	const uint8_t *p = journal + at + JOURNAL_HEADER;
	to->entries = rd_of(p, h.bytes);
	if (crc32c(p, h.bytes) == h.crc && memcmp(p + h.bytes, end_mark, END_MARK) == 0 &&
		entries_whole(to->entries, h.count))
		return JOURNAL_RECORD;
	return left == to->size && sector_unwritten(journal, at, at + to->size) ? JOURNAL_TORN
										: JOURNAL_DAMAGED;
}

/* The leaf that stands in the tree already; a journal may begin with what is published. */
static enum status leaf_known(struct ledger *l, uint64_t index, struct hash *to, struct err *e)
{
	if (index < l->tail.first)
		return source_subtree(&l->tiles, 0, index, to, e);
	memcpy(to, l->tail.leaf.p + (index - l->tail.first) * sizeof(*to), sizeof(*to));
	return STATUS_OK;
}

/* The head that the key signed last may be newer than the published one, by a crash between the two. */
static enum status promise_met(const struct ledger *l, struct err *e)
{
	struct hash root;

	if (l->tree.size != l->promised.size)
		return STATUS_OK;
	if (!merkle_root(&l->tree, &root))
		return err_nomem(e);
	return hash_equal(&root, &l->promised.root)
		       ? STATUS_OK
		       : err_set(e, STATUS_BAD,
				 "%s/journal and %s/keys/log.head are two heads that do not agree: nothing "
				 "is "
				 "signed; keep both, and restore the directory from one backup",
				 l->root, l->dir);
}

static enum status entry_apply(
	struct ledger *l, uint64_t index, const uint8_t *entry, size_t n, struct err *e)
{
	struct hash leaf, known;
	enum status s = STATUS_OK;

	if (!merkle_leaf(&leaf, entry, n))
		return err_nomem(e);
	if (index >= l->tree.size) {
		s = tail_add(l, entry, n, &leaf, e);
		return s == STATUS_OK ? promise_met(l, e) : s;
	}
	s = leaf_known(l, index, &known, e);
	if (s == STATUS_OK && !hash_equal(&leaf, &known))
		s = err_set(e, STATUS_BAD,
			"%s/journal: entry %llu is not the one that was published: nothing is signed; keep "
			"both "
			"and restore the directory from one backup",
			l->root, (unsigned long long)index);
	return s;
}

/* A record that goes on from here was made on this tree, and not on another branch of it. */
static enum status record_fits(const struct ledger *l, const struct record *rec, struct err *e)
{
	struct hash root;

	if (rec->first != l->tree.size)
		return STATUS_OK; /* what is in the tree already is compared entry by entry */
	if (!(l->tree.size ? merkle_root(&l->tree, &root) : merkle_empty(&root)))
		return err_nomem(e);
	return memcmp(root.b, rec->root, ROOT_BYTES) == 0
		       ? STATUS_OK
		       : err_set(e, STATUS_BAD,
				 "%s/journal: committed on another tree than the tiles hold: nothing is "
				 "signed; "
				 "keep both, and restore the directory from one backup",
				 l->root);
}

/* Adds a record's entries, in order and without a gap. */
static enum status record_apply(struct ledger *l, const struct record *rec, struct err *e)
{
	struct rd r = rec->entries;
	enum status s = record_fits(l, rec, e);

	if (s != STATUS_OK)
		return s;
	if (rec->first > l->tree.size)
		return err_set(e, STATUS_BAD,
			"%s/journal: begins at entry %llu, but the tiles end at %llu: nothing is signed; the "
			"tiles are older than the journal, restore newer ones",
			l->root, (unsigned long long)rec->first, (unsigned long long)l->tree.size);
	for (uint32_t i = 0; i < rec->count && s == STATUS_OK; i++) {
		size_t n = rd_be16(&r);
		const uint8_t *p = rd_take(&r, n);
		s = p ? entry_apply(l, rec->first + i, p, n, e)
		      : err_set(e, STATUS_BAD, "%s/journal: a record without end", l->root);
	}
	return s;
}

static enum status damaged(const struct ledger *l, size_t at, struct err *e)
{
	return err_set(e, STATUS_BAD,
		"%s/journal: offset %zu: damaged (a whole record with a wrong sum): nothing is signed; "
		"restore "
		"the file from a backup, or cut it there (truncate -s %zu) and lose what was committed "
		"behind",
		l->root, at, at);
}

/* What was just written at the journal's end, from the file. */
static enum status read_back(struct ledger *l, size_t n, struct err *e)
{
	char path[PATH_MAX];
	struct record rec;
	uint8_t *p = malloc(n);
	enum status s = p ? path_of(path, e, "%s/journal", l->root) : err_nomem(e);

	if (s == STATUS_OK)
		s = file_read_at(l->journal, p, n, l->journal_end, path, e);
	/* At offset 0 here: only a torn record's sectors depend on where it stands. */
	if (s == STATUS_OK && (journal_next(&rec, p, n, 0) != JOURNAL_RECORD || rec.first != l->tree.size))
		s = err_set(e, STATUS_MACHINE, "%s: what was read back is not what was written", path);
	if (s == STATUS_OK)
		s = record_apply(l, &rec, e);
	free(p);
	return s;
}

enum status journal_commit(struct ledger *l, struct err *e)
{
	size_t n;

	journal_seal(&l->pending, &l->head, l->n_pending);
	if (l->pending.failed)
		return err_nomem(e);
	n = l->pending.n;
	if (world_write_all(l->w, l->journal, l->pending.p, n) != 0 ||
		l->w->fsync(l->w->self, l->journal) != 0)
		return err_errno(e, "%s/journal", l->root);
	enum status s = read_back(l, n, e);
	if (s == STATUS_OK)
		l->journal_end += n;
	else if (l->w->ftruncate(l->w->self, l->journal, (off_t)l->journal_end) == 0)
		(void)l->w->fsync(l->w->self, l->journal); /* acknowledged to nobody: not left as damage */
	return s;
}

static enum status cut(struct ledger *l, size_t at, size_t n, struct err *e)
{
	log_line("%s/journal: a commit that was cut short, acknowledged to nobody: %zu bytes dropped",
		l->root, n - at);
	if (l->w->ftruncate(l->w->self, l->journal, (off_t)at) != 0 ||
		l->w->fsync(l->w->self, l->journal) != 0)
		return err_errno(e, "%s/journal", l->root);
	return STATUS_OK;
}

static enum status replay(struct ledger *l, const uint8_t *journal, size_t n, struct err *e)
{
	struct record rec;
	enum journal_found found;
	uint64_t expected = 0;
	size_t at = 0;
	enum status s = STATUS_OK;

	while (s == STATUS_OK && (found = journal_next(&rec, journal, n, at)) != JOURNAL_END) {
		if (found == JOURNAL_TORN) {
			s = cut(l, at, n, e);
			break;
		}
		if (found == JOURNAL_DAMAGED || (at > 0 && rec.first != expected))
			return damaged(l, at, e);
		s = record_apply(l, &rec, e);
		expected = rec.first + rec.count;
		at += rec.size;
	}
	l->journal_end = at;
	return s;
}

enum status journal_replay(struct ledger *l, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = {0};
	enum status s = path_of(path, e, "%s/journal", l->root);

	if (s == STATUS_OK)
		s = file_read(&b, path, JOURNAL_MAX, e);
	if (s == STATUS_NO)
		s = err_set(e, STATUS_BAD,
			"%s: missing; what was committed last may be lost with it: restore it, or make it "
			"empty "
			"to go on from the published checkpoint",
			path);
	if (s == STATUS_OK) {
		l->journal = l->w->open(l->w->self, path, O_RDWR | O_APPEND, 0);
		s = l->journal < 0 ? err_errno(e, "%s", path) : replay(l, b.p, b.n, e);
	}
	buf_free(&b);
	return s;
}

enum status journal_reset(struct ledger *l, struct err *e)
{
	if (l->journal_end == 0)
		return STATUS_OK;
	if (l->w->ftruncate(l->w->self, l->journal, 0) != 0 || l->w->fsync(l->w->self, l->journal) != 0)
		return err_errno(e, "%s/journal", l->root);
	l->journal_end = 0;
	return STATUS_OK;
}
