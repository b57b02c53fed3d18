/* A file system for SQLite on which the N-th write or sync fails: the default one, wrapped.  Each file is a
 * struct failing_file with the real one behind it; every call is handed on, and two of them count. */
#ifndef WEIR_TESTS_CASE_FAILING_VFS_H
#define WEIR_TESTS_CASE_FAILING_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

struct failing_file {
	sqlite3_file base;
	sqlite3_file *real; /* memory behind this struct */
};

static sqlite3_vfs *vfs_real;
static sqlite3_io_methods failing_methods;
static int writes_left = -1; /* negative: all succeed */
static bool writes_kill;     /* the process ends instead */

static sqlite3_file *real_of(sqlite3_file *p)
{
	return ((struct failing_file *)(void *)p)->real;
}

static bool write_fails(void)
{
	if (writes_left > 0)
		writes_left--;
	if (writes_left == 0 && writes_kill)
		_exit(42);
	return writes_left == 0;
}

static int f_close(sqlite3_file *p)
{
	return real_of(p)->pMethods->xClose(real_of(p));
}
static int f_read(sqlite3_file *p, void *to, int n, sqlite3_int64 at)
{
	return real_of(p)->pMethods->xRead(real_of(p), to, n, at);
}
static int f_write(sqlite3_file *p, const void *from, int n, sqlite3_int64 at)
{
	return write_fails() ? SQLITE_FULL : real_of(p)->pMethods->xWrite(real_of(p), from, n, at);
}
static int f_truncate(sqlite3_file *p, sqlite3_int64 n)
{
	return real_of(p)->pMethods->xTruncate(real_of(p), n);
}
static int f_sync(sqlite3_file *p, int flags)
{
	return write_fails() ? SQLITE_IOERR_FSYNC : real_of(p)->pMethods->xSync(real_of(p), flags);
}
static int f_size(sqlite3_file *p, sqlite3_int64 *n)
{
	return real_of(p)->pMethods->xFileSize(real_of(p), n);
}
static int f_lock(sqlite3_file *p, int how)
{
	return real_of(p)->pMethods->xLock(real_of(p), how);
}
static int f_unlock(sqlite3_file *p, int how)
{
	return real_of(p)->pMethods->xUnlock(real_of(p), how);
}
static int f_reserved(sqlite3_file *p, int *to)
{
	return real_of(p)->pMethods->xCheckReservedLock(real_of(p), to);
}
static int f_control(sqlite3_file *p, int op, void *arg)
{
	return real_of(p)->pMethods->xFileControl(real_of(p), op, arg);
}
static int f_sector(sqlite3_file *p)
{
	return real_of(p)->pMethods->xSectorSize(real_of(p));
}
static int f_traits(sqlite3_file *p)
{
	return real_of(p)->pMethods->xDeviceCharacteristics(real_of(p));
}
static int f_map(sqlite3_file *p, int page, int size, int extend, void volatile **to)
{
	return real_of(p)->pMethods->xShmMap(real_of(p), page, size, extend, to);
}
static int f_shm_lock(sqlite3_file *p, int offset, int n, int flags)
{
	return real_of(p)->pMethods->xShmLock(real_of(p), offset, n, flags);
}
static void f_barrier(sqlite3_file *p)
{
	real_of(p)->pMethods->xShmBarrier(real_of(p));
}
static int f_unmap(sqlite3_file *p, int remove_it)
{
	return real_of(p)->pMethods->xShmUnmap(real_of(p), remove_it);
}

static int f_open(sqlite3_vfs *v, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct failing_file *p = (struct failing_file *)(void *)file;
	int r;

	(void)v;
	p->real = (sqlite3_file *)(void *)(p + 1);
	p->base.pMethods = NULL;
	r = vfs_real->xOpen(vfs_real, name, p->real, flags, out);
	if (p->real->pMethods)
		p->base.pMethods = &failing_methods;
	return r;
}

/* Registers v as the default; false where SQLite does not take it. */
static bool vfs_wrap(sqlite3_vfs *v)
{
	vfs_real = sqlite3_vfs_find(NULL);
	failing_methods = (sqlite3_io_methods){2, f_close, f_read, f_write, f_truncate, f_sync, f_size,
		f_lock, f_unlock, f_reserved, f_control, f_sector, f_traits, f_map, f_shm_lock, f_barrier,
		f_unmap, NULL, NULL};
	*v = *vfs_real;
	v->szOsFile = (int)sizeof(struct failing_file) + vfs_real->szOsFile;
	v->zName = "failing";
	v->pNext = NULL;
	v->xOpen = f_open;
	return sqlite3_vfs_register(v, 1) == SQLITE_OK;
}

#endif
