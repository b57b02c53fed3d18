/* A world that fails, or dies, at its Nth operation, and that knows what a power cut would leave.
 *
 * The disk is modelled as POSIX promises no more: a file's bytes are safe when the file was synced, a name
 * when its directory was.  disk_after() writes the directory as it would be found: what was synced is there,
 * and of the rest each name and each file's bytes by chance. */
#ifndef FAULTY_WORLD_H
#define FAULTY_WORLD_H

#include "ledger_kit.h"

enum fault {
	FAULT_ONCE,  /* the Nth operation fails, the next ones do not */
	FAULT_SHORT, /* as above; a write leaves half of its bytes first */
	FAULT_FLIP,  /* the Nth operation, if a write, stores one bit wrong and says nothing */
	FAULT_DEAD,  /* the Nth operation and all after it fail: the process is as good as dead */
};

struct safe_file {
	ino_t inode;
	struct buf bytes;
};

struct safe_name {
	char name[256];
	ino_t inode;
	bool dir;
};

struct safe_dir {
	char *path;
	struct safe_name name[300];
	size_t n;
};

struct faulty {
	struct world w;
	enum fault fault;
	long n, at; /* operations done; the one that fails, 0: none */
	bool hit, dead;
	bool model; /* keep account of what is safe */
	struct safe_file file[2000];
	size_t n_file;
	struct safe_dir *dir[64];
	size_t n_dir;
};

/* ---- what is safe ---- */

static inline struct safe_file *safe_file(struct faulty *f, ino_t inode, bool make)
{
	for (size_t i = 0; i < f->n_file; i++)
		if (f->file[i].inode == inode)
			return &f->file[i];
	if (!make)
		return NULL;
	assert_true(f->n_file < 2000);
	f->file[f->n_file].inode = inode;
	return &f->file[f->n_file++];
}

static inline struct safe_dir *safe_dir(struct faulty *f, const char *path)
{
	for (size_t i = 0; i < f->n_dir; i++)
		if (strcmp(f->dir[i]->path, path) == 0)
			return f->dir[i];
	assert_true(f->n_dir < 64);
	struct safe_dir *d = calloc(1, sizeof(*d));
	assert_non_null(d);
	d->path = strdup(path);
	return f->dir[f->n_dir++] = d;
}

/* The names that stand in a directory now. */
static inline void names_now(struct safe_dir *to, const char *path)
{
	char full[PATH_MAX + 256];
	struct dirent *d;
	struct stat st;
	DIR *at = opendir(path);

	to->n = 0;
	while (at && (d = readdir(at)) != NULL) {
		(void)snprintf(full, sizeof(full), "%s/%s", path, d->d_name);
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || lstat(full, &st) != 0)
			continue;
		assert_true(to->n < 300);
		struct safe_name *n = &to->name[to->n++];
		(void)snprintf(n->name, sizeof(n->name), "%s", d->d_name);
		n->inode = st.st_ino;
		n->dir = S_ISDIR(st.st_mode);
	}
	if (at)
		(void)closedir(at);
}

static inline void file_now(struct buf *to, const char *path)
{
	to->n = 0;
	(void)file_read(to, path, SIZE_MAX / 2, &err);
}

/* Everything below path is safe: where a scenario begins. */
static inline void all_safe(struct faulty *f, const char *path)
{
	struct safe_dir *d = safe_dir(f, path);
	char full[PATH_MAX + 256];

	names_now(d, path);
	for (size_t i = 0; i < d->n; i++) {
		(void)snprintf(full, sizeof(full), "%s/%s", path, d->name[i].name);
		if (d->name[i].dir)
			all_safe(f, full);
		else
			file_now(&safe_file(f, d->name[i].inode, true)->bytes, full);
	}
}

static inline void synced(struct faulty *f, int fd)
{
	char link[64], path[PATH_MAX];
	struct stat st;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0 && fstat(fd, &st) == 0);
	path[n] = '\0';
	if (S_ISDIR(st.st_mode))
		names_now(safe_dir(f, path), path);
	else
		file_now(&safe_file(f, st.st_ino, true)->bytes, path);
}

/* ---- what a power cut leaves ---- */

/* Bytes that were not synced: as they were, as they are, or as they are with a sector that never came. */
static inline void file_after(struct faulty *f, const char *to, const char *now, ino_t inode)
{
	const struct safe_file *safe = safe_file(f, inode, false);
	struct buf b = {0};
	uint64_t how = kit_rnd(3);

	if (now)
		file_now(&b, now);
	if (!now || how == 0) {
		b.n = 0;
		if (safe)
			buf_put(&b, safe->bytes.p, safe->bytes.n);
	} else if (how == 1 && b.n > (safe ? safe->bytes.n : 0)) {
		size_t from = safe ? safe->bytes.n : 0, at = (from + kit_rnd(b.n - from)) / 512 * 512;
		at = at < from ? from : at;
		size_t end = (at / 512 + 1) * 512 < b.n ? (at / 512 + 1) * 512 : b.n;
		memset(b.p + at, 0, end - at);
	}
	kit_spill(to, b.p, b.n);
	buf_free(&b);
}

static inline const struct safe_name *name_in(const struct safe_dir *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->name[i].name, name) == 0)
			return &d->name[i];
	return NULL;
}

static inline void disk_after(struct faulty *f, const char *to, const char *from)
{
	struct safe_dir *safe = safe_dir(f, from), *now = calloc(1, sizeof(*now));
	char a[PATH_MAX + 256], b[PATH_MAX + 256];

	assert_non_null(now);
	assert_int_equal(mkdir(to, 0700), 0);
	names_now(now, from);
	for (size_t i = 0; i < safe->n + now->n; i++) {
		const struct safe_name *n = i < safe->n ? &safe->name[i] : &now->name[i - safe->n];
		const struct safe_name *s = name_in(safe, n->name), *c = name_in(now, n->name);
		if (i >= safe->n && s)
			continue; /* had its turn */
		const struct safe_name *pick = s && c && s->inode == c->inode ? s : kit_rnd(2) ? s : c;
		if (!pick)
			continue;
		(void)snprintf(a, sizeof(a), "%s/%s", to, n->name);
		(void)snprintf(b, sizeof(b), "%s/%s", from, n->name);
		if (pick->dir)
			disk_after(f, a, b);
		else
			file_after(f, a, c && c->inode == pick->inode ? b : NULL, pick->inode);
	}
	free(now);
}

/* ---- operations ---- */

static inline bool fails(struct faulty *f)
{
	f->n++;
	if (f->n == f->at) {
		f->hit = true;
		f->dead = f->fault == FAULT_DEAD;
	}
	if (!f->dead && (f->n != f->at || f->fault == FAULT_FLIP))
		return false;
	errno = EIO;
	return true;
}

static inline ssize_t faulty_write(void *self, int fd, const void *p, size_t n)
{
	struct faulty *f = self;
	ssize_t half = 0;

	if (fails(f)) {
		if (f->fault == FAULT_SHORT || f->n == f->at)
			half = write(fd, p, n / 2);
		errno = half < 0 ? errno : ENOSPC;
		return -1;
	}
	if (f->fault == FAULT_FLIP && f->n == f->at) {
		uint8_t *copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, p, n);
		copy[kit_rnd(n)] ^= (uint8_t)(1U << kit_rnd(8));
		ssize_t done = write(fd, copy, n);
		free(copy);
		return done;
	}
	return write(fd, p, n);
}

static inline int faulty_fsync(void *self, int fd)
{
	struct faulty *f = self;

	if (fails(f))
		return -1;
	if (f->model)
		synced(f, fd);
	return 0;
}

static inline int faulty_open(void *self, const char *path, int flags, mode_t mode)
{
	struct faulty *f = self;
	struct stat st;
	bool fresh = (flags & O_CREAT) && stat(path, &st) != 0;

	if (fails(f))
		return -1;
	int fd = world_real.open(NULL, path, flags, mode);
	/* The number of a file that is gone may come again. */
	if (f->model && fresh && fd >= 0 && fstat(fd, &st) == 0 && safe_file(f, st.st_ino, false))
		safe_file(f, st.st_ino, false)->bytes.n = 0;
	return fd;
}

static inline int faulty_ftruncate(void *self, int fd, off_t n)
{
	return fails(self) ? -1 : ftruncate(fd, n);
}

static inline int faulty_rename(void *self, const char *from, const char *to)
{
	struct faulty *f = self;
	struct stat st;

	if (fails(f) || rename(from, to) != 0)
		return -1;
	/* A directory takes what is safe in it along. */
	if (f->model && stat(to, &st) == 0 && S_ISDIR(st.st_mode)) {
		const struct safe_dir *was = safe_dir(f, from);
		struct safe_dir *is = safe_dir(f, to);
		memcpy(is->name, was->name, sizeof(is->name));
		is->n = was->n;
	}
	return 0;
}

static inline int faulty_unlink(void *self, const char *path)
{
	return fails(self) ? -1 : unlink(path);
}

static inline int faulty_mkdir(void *self, const char *path, mode_t mode)
{
	return fails(self) ? -1 : mkdir(path, mode);
}

static inline struct faulty *faulty_make(enum fault fault, long at)
{
	struct faulty *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->w = world_real;
	f->w.self = f;
	f->w.open = faulty_open;
	f->w.write = faulty_write;
	f->w.fsync = faulty_fsync;
	f->w.ftruncate = faulty_ftruncate;
	f->w.rename = faulty_rename;
	f->w.unlink = faulty_unlink;
	f->w.mkdir = faulty_mkdir;
	f->fault = fault;
	f->at = at;
	return f;
}

static inline void faulty_free(struct faulty *f)
{
	for (size_t i = 0; i < f->n_file; i++)
		buf_free(&f->file[i].bytes);
	for (size_t i = 0; i < f->n_dir; i++) {
		free(f->dir[i]->path);
		free(f->dir[i]);
	}
	free(f);
}

#endif
