/* A file that a command was told to write: see outfile.h. */
#include "cli/outfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status outfile_write(
	struct outfile *to, const struct world *w, const char *path, const struct buf *b, struct err *e)
{
	enum status s = STATUS_OK;
	struct stat there;
	int fd;

	*to = (struct outfile){.w = w, .path = path};
	if (strcmp(path, "-") == 0)
		return err_set(e, STATUS_BAD, "-o -: it takes the name of a file");
	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
		return err_set(e, STATUS_BAD, "%s: not a file that could be replaced", path);
	if (snprintf(to->tmp, sizeof(to->tmp), "%s.tmp.%d", path, (int)getpid()) >= (int)sizeof(to->tmp)) {
		to->tmp[0] = '\0';
		return err_set(e, STATUS_BAD, "%s: too long a name", path);
	}
	fd = w->open(w->self, to->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		to->tmp[0] = '\0';
		return err_errno(e, "%s", path);
	}
	if (world_write_all(w, fd, b->p, b->n) < 0 || w->fsync(w->self, fd) < 0)
		s = err_errno(e, "%s", path);
	(void)w->close(w->self, fd);
	return s;
}

enum status outfile_commit(struct outfile *o, struct err *e)
{
	if (o->w->rename(o->w->self, o->tmp, o->path) < 0 || world_sync_dir(o->w, o->path) < 0)
		return err_errno(e, "%s", o->path);
	o->tmp[0] = '\0';
	return STATUS_OK;
}

void outfile_drop(struct outfile *o)
{
	if (o->tmp[0])
		(void)o->w->unlink(o->w->self, o->tmp);
	o->tmp[0] = '\0';
}

enum status outfile_put(const struct world *w, const char *path, const struct buf *b, struct err *e)
{
	struct outfile file = {0};
	enum status s = outfile_write(&file, w, path, b, e);

	if (s == STATUS_OK)
		s = outfile_commit(&file, e);
	outfile_drop(&file);
	return s;
}
