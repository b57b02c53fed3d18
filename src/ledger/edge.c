/* The stored tree against its checkpoint.
 *
 * edge_load(): the right edge alone, which is enough for a reader: the last tile of each level and the
 * entries of the last one, hashed up to the root that was signed.
 * edge_all(): every byte that a signature will stand for.  Full tiles of entries and of leaf hashes by their
 * CRC-32C in `sums`, in several threads, because hashing them would take seconds; the levels above, a 255th
 * of all, by hashing each tile and comparing with the level above it. */
#include "ledger/ledger_in.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 4

/* ---- right edge ---- */

static enum status up_load(struct ledger *l, unsigned level, struct err *e)
{
	struct up_tile *u = &l->up[level];
	struct tile t = {.level = (int)level, .n = (l->published.size >> (8 * level)) / TILE_WIDTH};

	t = tile_of((int)level, t.n, l->published.size);
	*u = (struct up_tile){.n = t.n, .width = t.width};
	return t.width ? tile_hashes(u->hash, l->root, t, e) : STATUS_OK;
}

/* The entries of the last tile, and their hashes made anew, against those that are stored. */
static enum status tail_load(struct ledger *l, struct err *e)
{
	struct tile t = tile_of(0, l->published.size / TILE_WIDTH, l->published.size);
	struct hash stored[TILE_WIDTH], leaf;
	struct entry_tile b = {0};
	enum status s = STATUS_OK;

	if (t.width) {
		s = tile_hashes(stored, l->root, t, e);
		t.level = LEVEL_ENTRIES;
		if (s == STATUS_OK)
			s = entry_tile_read(&b, l->root, t, e);
	}
	for (unsigned i = 0; s == STATUS_OK && i < b.n; i++) {
		s = entry_tile_leaf(&leaf, &b, i, e);
		if (s == STATUS_OK && !hash_equal(&leaf, &stored[i]))
			s = err_set(e, STATUS_BAD,
				"%s: entry %llu and its hash do not belong together: nothing is signed; "
				"restore its "
				"tiles from a backup (weir ledger check says which)",
				l->root, (unsigned long long)(l->tail.first + i));
		if (s == STATUS_OK)
			s = tail_add(l, b.bytes.p + b.at[i] + 2, b.at[i + 1] - b.at[i] - 2, &leaf, e);
	}
	buf_free(&b.bytes);
	return s;
}

/* The complete subtrees that the level's last tile holds: one for each bit of its width. */
static enum status tree_edge(struct ledger *l, unsigned level, struct err *e)
{
	const struct up_tile *u = &l->up[level];
	enum status s = STATUS_OK;
	unsigned at = 0;

	for (unsigned k = 8; k-- > 0 && s == STATUS_OK;) {
		if (!(u->width & 1U << k))
			continue;
		s = hashes_root(&l->tree.edge[8 * level + k], &u->hash[at], 1U << k, e);
		at += 1U << k;
	}
	return s;
}

enum status edge_load(struct ledger *l, struct err *e)
{
	struct hash root;
	enum status s = STATUS_OK;

	l->tail.first = l->published.size / TILE_WIDTH * TILE_WIDTH;
	l->tree = (struct merkle){.size = l->tail.first};
	for (unsigned level = 1; level < TILE_LEVELS && s == STATUS_OK; level++) {
		s = up_load(l, level, e);
		if (s == STATUS_OK)
			s = tree_edge(l, level, e);
	}
	if (s == STATUS_OK)
		s = tail_load(l, e);
	if (s == STATUS_OK && !(l->tree.size ? merkle_root(&l->tree, &root) : merkle_empty(&root)))
		s = err_nomem(e);
	if (s == STATUS_OK && !hash_equal(&root, &l->published.root))
		s = err_set(e, STATUS_BAD,
			"%s: the tiles have another root than the checkpoint of %llu entries: nothing is "
			"signed; "
			"keep both, and restore tiles and checkpoint from one backup",
			l->root, (unsigned long long)l->published.size);
	return s;
}

/* ---- full tiles ---- */

struct sweep {
	const char *root;
	const uint8_t *sums; /* 8 bytes a tile: CRC of level 0, of entries */
	uint64_t n;
	atomic_ullong next;
	pthread_mutex_t mutex; /* of what follows */
	uint64_t bad_at;       /* the first bad tile, n: none */
	struct err e;
};

#define SWEEP_ROOM ((size_t)256 << 10)
#define SWEEP_STEP 100 /* tiles that a thread takes at once */
_Static_assert(TILE_SHELF % SWEEP_STEP == 0, "a step does not leave its directory");

/* The directory of a step's tiles, so that each is found without the whole way to it. */
struct shelf {
	int fd;
	char path[PATH_MAX], *name; /* of the tile that is looked at; its last part */
};

static enum status not_opened(const char *path, struct err *e)
{
	return errno == ENOENT ? err_set(e, STATUS_BAD, "%s: missing", path) : err_errno(e, "%s", path);
}

static enum status shelf_open(struct shelf *to, const char *root, struct tile first, struct err *e)
{
	enum status s = tile_path(to->path, root, first, e);

	if (s != STATUS_OK)
		return s;
	to->name = strrchr(to->path, '/') + 1;
	to->name[-1] = '\0';
	to->fd = open(to->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	to->name[-1] = '/';
	return to->fd < 0 ? not_opened(to->path, e) : STATUS_OK;
}

/* The sum of the file that in->name names; room is the thread's. */
static enum status file_sum(uint32_t *to, const struct shelf *in, uint8_t *room, struct err *e)
{
	int fd = openat(in->fd, in->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = 0;

	*to = 0;
	if (fd < 0)
		return not_opened(in->path, e);
	do {
		n = read(fd, room, SWEEP_ROOM);
		if (n > 0)
			*to = crc32c_more(*to, room, (size_t)n);
	} while (n == (ssize_t)SWEEP_ROOM || (n < 0 && errno == EINTR));
	enum status s = n < 0 ? err_errno(e, "%s", in->path) : STATUS_OK;
	(void)close(fd);
	return s;
}

static enum status sweep_tile(
	const struct sweep *w, uint64_t k, const struct shelf shelf[2], uint8_t *room, struct err *e)
{
	struct rd r = rd_of(w->sums + 8 * k, 8);
	uint32_t crc = 0;
	enum status s = STATUS_OK;

	for (unsigned i = 0; i < 2 && s == STATUS_OK; i++) {
		uint32_t want = rd_le32(&r);
		tile_name(shelf[i].name, k);
		s = file_sum(&crc, &shelf[i], room, e);
		if (s == STATUS_OK && crc != want)
			s = err_set(e, STATUS_BAD, "%s: not the bytes that were written", shelf[i].path);
	}
	return s;
}

static void sweep_bad(struct sweep *w, uint64_t k, const struct err *e)
{
	(void)pthread_mutex_lock(&w->mutex);
	if (k < w->bad_at) {
		w->bad_at = k;
		w->e = *e;
	}
	(void)pthread_mutex_unlock(&w->mutex);
}

/* The tiles from *k up to end; *k: the first bad one. */
static enum status sweep_step(const struct sweep *w, uint64_t *k, uint64_t end, uint8_t *room, struct err *e)
{
	struct shelf shelf[2] = {{.fd = -1}, {.fd = -1}};
	enum status s = shelf_open(&shelf[0], w->root, (struct tile){0, *k, TILE_WIDTH}, e);

	if (s == STATUS_OK)
		s = shelf_open(&shelf[1], w->root, (struct tile){LEVEL_ENTRIES, *k, TILE_WIDTH}, e);
	while (s == STATUS_OK && *k < end) {
		s = sweep_tile(w, *k, shelf, room, e);
		*k += s == STATUS_OK;
	}
	for (unsigned i = 0; i < 2; i++)
		if (shelf[i].fd >= 0)
			(void)close(shelf[i].fd);
	return s;
}

static void *sweep_run(void *self)
{
	struct sweep *w = self;
	uint8_t *room = malloc(SWEEP_ROOM);
	struct err e = {0};
	uint64_t k;

	while ((k = atomic_fetch_add(&w->next, SWEEP_STEP)) < w->n) {
		uint64_t end = w->n - k < SWEEP_STEP ? w->n : k + SWEEP_STEP;
		if ((room ? sweep_step(w, &k, end, room, &e) : err_nomem(&e)) != STATUS_OK)
			sweep_bad(w, k, &e);
	}
	free(room);
	return NULL;
}

/* This thread and, where there is enough to do, some more. */
static enum status sweep(struct sweep *w, struct err *e)
{
	pthread_t thread[THREADS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = 0;

	while (n + 1 < THREADS_MAX && n + 1 < (unsigned)(cpus > 2 ? cpus : 2) &&
		(n + 1) * SWEEP_STEP < w->n && pthread_create(&thread[n], NULL, sweep_run, w) == 0)
		n++;
	(void)sweep_run(w);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	if (w->bad_at == w->n)
		return STATUS_OK;
	*e = w->e;
	return e->status == STATUS_BAD ? err_set(e, STATUS_BAD,
						 "%s: nothing is signed; restore the file from a backup or a "
						 "mirror (weir ledger "
						 "check looks at all of them)",
						 w->e.text)
				       : e->status;
}

static enum status leaves_all(struct ledger *l, struct err *e)
{
	char path[PATH_MAX];
	struct buf sums = {0};
	struct sweep w = {.root = l->root, .n = l->published.size / TILE_WIDTH};
	enum status s = path_of(path, e, "%s/sums", l->root);

	w.bad_at = w.n;
	if (s == STATUS_OK)
		s = file_read(&sums, path, SIZE_MAX / 2, e);
	if (s == STATUS_NO || (s == STATUS_OK && sums.n / 8 < w.n))
		s = err_set(e, STATUS_BAD,
			"%s: %s: nothing is signed; weir ledger check --sums writes it anew where every "
			"entry is "
			"whole",
			path, s == STATUS_NO ? "missing" : "too short for the tiles that are there");
	w.sums = sums.p;
	if (s == STATUS_OK && pthread_mutex_init(&w.mutex, NULL) != 0)
		s = err_nomem(e);
	if (s == STATUS_OK) {
		s = sweep(&w, e);
		(void)pthread_mutex_destroy(&w.mutex);
	}
	buf_free(&sums);
	return s;
}

/* Each full tile of the level, hashed, is a hash of the level above. */
static enum status level_all(struct ledger *l, unsigned level, struct err *e)
{
	uint64_t full = (l->published.size >> (8 * level)) / TILE_WIDTH;
	struct hash h[TILE_WIDTH], root, above;
	enum status s = STATUS_OK;

	for (uint64_t n = 0; n < full && s == STATUS_OK; n++) {
		s = tile_hashes(h, l->root, (struct tile){(int)level, n, TILE_WIDTH}, e);
		if (s == STATUS_OK)
			s = hashes_root(&root, h, TILE_WIDTH, e);
		if (s == STATUS_OK)
			s = source_subtree(&l->tiles, 8 * (level + 1), n, &above, e);
		if (s == STATUS_OK && !hash_equal(&root, &above))
			s = err_set(e, STATUS_BAD,
				"%s/tile: tile %llu of level %u is not what level %u says: nothing is "
				"signed; "
				"restore both from a backup or a mirror",
				l->root, (unsigned long long)n, level, level + 1);
	}
	return s;
}

enum status edge_all(struct ledger *l, struct err *e)
{
	enum status s = STATUS_OK;

	for (unsigned level = 1; level + 1 < TILE_LEVELS && s == STATUS_OK; level++)
		s = level_all(l, level, e);
	return s == STATUS_OK ? leaves_all(l, e) : s;
}
