/* Asking writers for a new segment: see rotate.h. */
#include "record/rotate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static bool rotate_path(char to[PATH_MAX], const char *trains)
{
	return snprintf(to, PATH_MAX, "%s/rotate", trains) < PATH_MAX;
}

struct rotate_stamp rotate_stamp_read(const char *trains)
{
	char path[PATH_MAX];
	struct stat st;

	if (!rotate_path(path, trains) || stat(path, &st) != 0)
		return (struct rotate_stamp){0};
	return (struct rotate_stamp){.inode = st.st_ino,
		.changed_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec};
}

bool rotate_asked(const char *trains, const struct rotate_stamp *since)
{
	struct rotate_stamp now = rotate_stamp_read(trains);

	return now.inode != since->inode || now.changed_ns != since->changed_ns;
}

enum status rotate_ask(const struct world *w, const char *trains, struct err *e)
{
	char path[PATH_MAX];
	int64_t now = w->now(w->self).us;

	if (!rotate_path(path, trains))
		return err_set(e, STATUS_BAD, "%s: the name is too long", trains);
	int fd = w->open(w->self, path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0600);
	if (fd < 0)
		return err_errno(e, "%s", path);
	/* A write changes the time stamp, also where the size does not change. */
	enum status st =
		world_write_all(w, fd, &now, sizeof(now)) == 0 ? STATUS_OK : err_errno(e, "%s", path);
	(void)w->close(w->self, fd);
	return st;
}
