/* Publishing: what was committed is put into tiles, their sums are written, the head is signed, and the
 * journal is emptied, in this order (doc/ledger-format.md, "What a crash leaves").
 *
 * Tiles are written in batches: the disk gets the bytes of all of them before the first is waited for.  Each
 * is then read back and compared, entries by their leaf hashes, so that what is signed is what is stored. */
#include "ledger/ledger_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH    256 /* tiles that are under way at once */
#define DIRS_MAX 32  /* directories that wait for their sync */

/* A tile that was written under its temporary name and not synced yet. */
struct slot {
	int fd;
	char *path;
	size_t n;
	uint32_t crc;
	const struct hash *leaf; /* of a tile of entries: what they must hash to */
	unsigned width;
};

struct batch {
	const struct ledger *l;
	struct slot slot[BATCH];
	unsigned n;
	char *dir[DIRS_MAX];
	unsigned n_dir;
	struct buf sums; /* of the full tiles of this publication */
};

/* ---- directories ---- */

static enum status dirs_sync(struct batch *b, struct err *e)
{
	const struct world *w = b->l->w;
	enum status s = STATUS_OK;

	while (b->n_dir > 0) {
		char *path = b->dir[--b->n_dir];
		if (s == STATUS_OK && world_sync_dir(w, path) != 0)
			s = err_errno(e, "%s", path);
		free(path);
	}
	return s;
}

/* The directory of path is to be synced; a path in it stands for it. */
static enum status dir_later(struct batch *b, const char *path, struct err *e)
{
	size_t n = (size_t)(strrchr(path, '/') - path) + 1;
	enum status s = STATUS_OK;

	for (unsigned i = 0; i < b->n_dir; i++)
		if (strncmp(b->dir[i], path, n) == 0 && b->dir[i][n] == '\0')
			return STATUS_OK;
	if (b->n_dir == DIRS_MAX)
		s = dirs_sync(b, e);
	b->dir[b->n_dir] = strndup(path, n);
	if (!b->dir[b->n_dir])
		return err_nomem(e);
	b->n_dir++;
	return s;
}

/* Makes the directories of path below DIR/ledger that are missing. */
static enum status dirs_make(const struct batch *b, const char *path, struct err *e)
{
	char part[PATH_MAX];
	enum status s = path_of(part, e, "%s", path);
	char *slash = part + strlen(b->l->root);

	while (s == STATUS_OK && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		s = dir_make(b->l->w, part, 0755, e);
		*slash = '/';
	}
	return s;
}

/* ---- tiles ---- */

/* What stands in the file is what was meant, entries down to their hashes. */
static enum status slot_compare(const struct slot *t, struct err *e)
{
	struct entry_tile b = {0};
	struct hash leaf;
	uint8_t *p = malloc(t->n);
	enum status s = p ? file_read_at(t->fd, p, t->n, 0, t->path, e) : err_nomem(e);

	b.bytes = (struct buf){.p = p, .n = t->n, .cap = t->n};
	if (s == STATUS_OK && (crc32c(p, t->n) != t->crc || (t->leaf && !entry_tile_parse(&b, t->width))))
		s = err_set(e, STATUS_MACHINE, "%s: what was read back is not what was written", t->path);
	for (unsigned i = 0; i < b.n && s == STATUS_OK; i++) {
		s = entry_tile_leaf(&leaf, &b, i, e);
		if (s == STATUS_OK && !hash_equal(&leaf, &t->leaf[i]))
			s = err_set(e, STATUS_MACHINE, "%s: what was read back is not what was committed",
				t->path);
	}
	free(p);
	return s;
}

static enum status slot_sync(const struct world *w, const struct slot *t, struct err *e)
{
	if (w->fsync(w->self, t->fd) != 0)
		return err_errno(e, "%s.tmp", t->path);
	return slot_compare(t, e);
}

static enum status slot_name(struct batch *b, const struct slot *t, struct err *e)
{
	const struct world *w = b->l->w;
	char tmp[PATH_MAX];
	enum status s = path_of(tmp, e, "%s.tmp", t->path);

	if (s == STATUS_OK && w->rename(w->self, tmp, t->path) != 0)
		s = err_errno(e, "%s", t->path);
	return s == STATUS_OK ? dir_later(b, t->path, e) : s;
}

/* Waits for the disk; once something failed only closes.  All are under way before the first is waited for,
 * and none is renamed before the last was synced: the file system then has one transaction to write for all
 * of them, not one for each. */
static enum status batch_settle(struct batch *b, enum status s, struct err *e)
{
	const struct world *w = b->l->w;

	for (unsigned i = 0; i < b->n; i++)
		(void)sync_file_range(b->slot[i].fd, 0, 0,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	for (unsigned i = 0; i < b->n && s == STATUS_OK; i++)
		s = slot_sync(w, &b->slot[i], e);
	for (unsigned i = 0; i < b->n; i++) {
		if (s == STATUS_OK)
			s = slot_name(b, &b->slot[i], e);
		(void)w->close(w->self, b->slot[i].fd);
		free(b->slot[i].path);
	}
	b->n = 0;
	return s;
}

static int tile_create(const struct batch *b, const char *tmp, struct err *e)
{
	const struct world *w = b->l->w;
	int fd = w->open(w->self, tmp, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 && errno == ENOENT && dirs_make(b, tmp, e) == STATUS_OK)
		fd = w->open(w->self, tmp, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		(void)err_errno(e, "%s", tmp);
	return fd;
}

/* leaf: of a tile of entries, else NULL. */
static enum status tile_put(
	struct batch *b, struct tile t, const void *p, size_t n, const struct hash *leaf, struct err *e)
{
	const struct world *w = b->l->w;
	struct slot *to = &b->slot[b->n];
	char path[PATH_MAX], tmp[PATH_MAX];
	enum status s = tile_path(path, b->l->root, t, e);

	if (s == STATUS_OK)
		s = path_of(tmp, e, "%s.tmp", path);
	if (s != STATUS_OK)
		return s;
	*to = (struct slot){
		.n = n, .crc = crc32c(p, n), .leaf = leaf, .width = t.width, .path = strdup(path)};
	to->fd = to->path ? tile_create(b, tmp, e) : -1;
	if (to->fd < 0) {
		s = to->path ? e->status : err_nomem(e);
		free(to->path);
		return s;
	}
	b->n++;
	if (world_write_all(w, to->fd, p, n) != 0)
		return err_errno(e, "%s", tmp);
	(void)sync_file_range(to->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* begins; fsync() waits */
	if (t.width == TILE_WIDTH && t.level <= 0)
		buf_le32(&b->sums, to->crc);
	return b->n == BATCH ? batch_settle(b, s, e) : s;
}

/* A hash more at a level above 0; a tile that is full goes out, and its root one level up. */
static enum status up_add(struct ledger *l, struct batch *b, unsigned level, struct hash h, struct err *e)
{
	enum status s = STATUS_OK;

	for (; level < TILE_LEVELS && s == STATUS_OK; level++) {
		struct up_tile *u = &l->up[level];
		u->hash[u->width++] = h;
		u->changed = true;
		if (u->width < TILE_WIDTH)
			return STATUS_OK;
		s = tile_put(
			b, (struct tile){(int)level, u->n, TILE_WIDTH}, u->hash, sizeof(u->hash), NULL, e);
		if (s == STATUS_OK)
			s = hashes_root(&h, u->hash, TILE_WIDTH, e);
		*u = (struct up_tile){.n = u->n + 1};
	}
	return s;
}

/* Bytes of the first n entries of r. */
static size_t entries_size(struct rd r, unsigned n)
{
	const uint8_t *from = r.p;

	while (n-- > 0)
		rd_skip(&r, rd_be16(&r));
	return (size_t)(r.p - from);
}

/* One tile of leaf hashes and of entries, from the tail. */
static enum status leaves_put(
	struct ledger *l, struct batch *b, uint64_t first, struct rd *bytes, unsigned width, struct err *e)
{
	const struct hash *leaf = (const struct hash *)(const void *)l->tail.leaf.p + (first - l->tail.first);
	struct tile t = {.level = 0, .n = first / TILE_WIDTH, .width = width};
	size_t n = entries_size(*bytes, width);
	struct hash root;
	enum status s = tile_put(b, t, leaf, width * sizeof(*leaf), NULL, e);

	t.level = LEVEL_ENTRIES;
	if (s == STATUS_OK)
		s = tile_put(b, t, rd_take(bytes, n), n, leaf, e);
	if (s == STATUS_OK && width == TILE_WIDTH) {
		s = hashes_root(&root, leaf, width, e);
		if (s == STATUS_OK)
			s = up_add(l, b, 1, root, e);
	}
	return s;
}

static enum status tiles_put(struct ledger *l, struct batch *b, struct err *e)
{
	struct rd bytes = rd_of(l->tail.bytes.p, l->tail.bytes.n);
	enum status s = STATUS_OK;

	for (uint64_t at = l->tail.first; at < l->head.size && s == STATUS_OK; at += TILE_WIDTH) {
		uint64_t left = l->head.size - at;
		s = leaves_put(l, b, at, &bytes, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH, e);
	}
	for (unsigned level = 1; level < TILE_LEVELS && s == STATUS_OK; level++) {
		struct up_tile *u = &l->up[level];
		if (u->changed && u->width > 0)
			s = tile_put(b, (struct tile){(int)level, u->n, u->width}, u->hash,
				u->width * sizeof(*u->hash), NULL, e);
		u->changed = false;
	}
	s = batch_settle(b, s, e);
	return s == STATUS_OK ? dirs_sync(b, e) : s;
}

/* Sums of the new full tiles behind those that are signed for; what a crash left behind them goes. */
static enum status sums_put(struct ledger *l, const struct batch *b, struct err *e)
{
	const struct world *w = l->w;
	off_t at = (off_t)(8 * (l->published.size / TILE_WIDTH));
	char path[PATH_MAX];
	enum status s = path_of(path, e, "%s/sums", l->root);

	if (s != STATUS_OK || b->sums.n == 0)
		return s;
	int fd = w->open(w->self, path, O_RDWR | O_APPEND, 0);
	if (fd < 0)
		return err_errno(e, "%s", path);
	if (w->ftruncate(w->self, fd, at) != 0 || world_write_all(w, fd, b->sums.p, b->sums.n) != 0 ||
		w->fsync(w->self, fd) != 0)
		s = err_errno(e, "%s", path);
	if (s == STATUS_OK)
		s = file_same(fd, b->sums.p, b->sums.n, (uint64_t)at, path, e);
	(void)w->close(w->self, fd);
	return s;
}

/* ---- the head ---- */

enum status head_sign(struct ledger *l, struct err *e)
{
	char kept[PATH_MAX], path[PATH_MAX];
	struct buf text = {0}, note = {0};
	enum status s = path_of(kept, e, "%s/keys/log.head", l->dir);

	if (s == STATUS_OK)
		s = path_of(path, e, "%s/checkpoint", l->root);
	checkpoint_write(&text, &l->head);
	if (s == STATUS_OK)
		s = text.failed ? err_nomem(e) : note_sign(&note, (const char *)text.p, text.n, &l->key, e);
	if (s == STATUS_OK)
		s = note.failed ? err_nomem(e) : file_replace(l->w, kept, 0600, note.p, note.n, e);
	if (s == STATUS_OK)
		s = file_replace(l->w, path, 0644, note.p, note.n, e);
	buf_free(&text);
	if (s != STATUS_OK) {
		buf_free(&note);
		return s;
	}
	buf_free(&l->note);
	l->note = note;
	l->published = l->promised = l->head;
	l->resign = false;
	return s;
}

/* Removes the partial tiles of a tile that is full now.  What cannot be removed stays and does no harm. */
static void partial_drop(const struct ledger *l, int level, uint64_t n)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct dirent *d;
	struct err e;

	if (tile_path(path, l->root, (struct tile){level, n, 1}, &e) != STATUS_OK)
		return;
	*strrchr(path, '/') = '\0';
	DIR *at = opendir(path);
	if (!at)
		return;
	while ((d = readdir(at)) != NULL)
		if (d->d_name[0] != '.' && path_of(file, &e, "%s/%s", path, d->d_name) == STATUS_OK)
			(void)l->w->unlink(l->w->self, file);
	(void)closedir(at);
	(void)rmdir(path);
}

static void partials_drop(const struct ledger *l, uint64_t from, uint64_t to)
{
	for (int level = 0; level < (int)TILE_LEVELS - 1; level++)
		for (uint64_t n = from >> (8 * (level + 1)); n < to >> (8 * (level + 1)); n++) {
			partial_drop(l, level, n);
			if (level == 0)
				partial_drop(l, LEVEL_ENTRIES, n);
		}
}

/* Keeps of the tail what stands in no full tile. */
static void tail_cut(struct tail *t, uint64_t size)
{
	size_t n = (size_t)(size / TILE_WIDTH * TILE_WIDTH - t->first);
	struct rd r = rd_of(t->bytes.p, t->bytes.n);

	for (size_t i = 0; i < n; i++)
		rd_skip(&r, rd_be16(&r));
	t->bytes.n = rd_left(&r);
	t->leaf.n -= n * sizeof(struct hash);
	if (t->bytes.n > 0)
		memmove(t->bytes.p, r.p, t->bytes.n);
	if (t->leaf.n > 0)
		memmove(t->leaf.p, t->leaf.p + n * sizeof(struct hash), t->leaf.n);
	t->first += n;
}

static enum status publish(struct ledger *l, struct err *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	uint64_t before = l->published.size;
	enum status s = b ? STATUS_OK : err_nomem(e);

	if (s == STATUS_OK) {
		b->l = l;
		if (l->head.size > before)
			s = tiles_put(l, b, e);
		if (s == STATUS_OK)
			s = b->sums.failed ? err_nomem(e) : sums_put(l, b, e);
		while (b->n_dir > 0)
			free(b->dir[--b->n_dir]);
		buf_free(&b->sums);
	}
	free(b);
	if (s == STATUS_OK)
		s = head_sign(l, e);
	if (s == STATUS_OK)
		s = journal_reset(l, e);
	if (s != STATUS_OK)
		return s;
	partials_drop(l, before, l->published.size);
	tail_cut(&l->tail, l->published.size);
	source_reset(&l->tiles, l->root, l->published.size);
	return s;
}

enum status ledger_publish(struct ledger *l, struct err *e)
{
	enum status s = writable(l, e);

	if (s != STATUS_OK)
		return s;
	if (l->head.size > l->published.size || l->resign) {
		l->broken = true; /* until it is done */
		s = publish(l, e);
		l->broken = s != STATUS_OK;
	}
	return s == STATUS_OK ? journal_reset(l, e) : s;
}
