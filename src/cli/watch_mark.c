/* Marks: DIR/watch/ID, a few lines of text, named by a hash over sensor and file.
 *
 *     weir-watch/v1
 *     file eve /var/log/suricata/eve.json
 *     at INODE OFFSET CRC
 *
 * A mark is replaced as a whole.  A mark that cannot be read is none: lines that are taken twice do no harm,
 * since a sighting is what its content hashes to. */
#include "cli/watch_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define MARK_BYTES (PATH_MAX + 256)
#define MARK_HEAD  "weir-watch/v1\n"

/* The file's absolute name; its directory has no link in it, itself it may be one, which may be turned. */
static char *absolute(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file)) : strdup(".");
	char *real = dir ? realpath(dir, NULL) : NULL, *to = NULL;

	if (!real && dir) /* it is not there yet */
		real = strdup(dir);
	if (real && asprintf(&to, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : file) < 0)
		to = NULL;
	free(real);
	free(dir);
	return to;
}

static enum status name_make(struct mark *m, const char *dir, struct err *e)
{
	char text[ID_TEXT], *key = NULL;
	struct id id;
	bool good = asprintf(&key, "%s %s", m->sensor, m->file) >= 0 && id_of(&id, key, strlen(key));

	free(key);
	if (!good)
		return err_nomem(e);
	if (snprintf(m->path, sizeof(m->path), "%s/watch", dir) >= (int)sizeof(m->path) - ID_TEXT - 8)
		return err_set(e, STATUS_BAD, "%s: too long a name", dir);
	if (m->w->mkdir(m->w->self, m->path, 0700) != 0 && errno != EEXIST)
		return err_errno(e, "%s", m->path);
	size_t n = strlen(m->path);
	(void)snprintf(m->path + n, sizeof(m->path) - n, "/%s", id_text(text, &id));
	return STATUS_OK;
}

static enum status lock_take(struct mark *m, struct err *e)
{
	char name[PATH_MAX + 8];

	(void)snprintf(name, sizeof(name), "%s.lock", m->path);
	m->lock = m->w->open(m->w->self, name, O_RDWR | O_CREAT, 0600);
	if (m->lock < 0)
		return err_errno(e, "%s", name);
	if (flock(m->lock, LOCK_EX | LOCK_NB) == 0)
		return STATUS_OK;
	if (errno != EWOULDBLOCK)
		return err_errno(e, "%s", name);
	return err_set(e, STATUS_NO, "%s: another weir watches it already", m->file);
}

static void mark_read(struct mark *m)
{
	char text[MARK_BYTES + 1], *at;
	int fd = m->w->open(m->w->self, m->path, O_RDONLY, 0), end = 0;
	ssize_t n = fd >= 0 ? read(fd, text, MARK_BYTES) : -1;

	if (fd >= 0)
		(void)m->w->close(m->w->self, fd);
	text[n > 0 ? n : 0] = '\0';
	at = strncmp(text, MARK_HEAD, strlen(MARK_HEAD)) == 0 ? strstr(text, "\nat ") : NULL;
	m->any = at &&
		 sscanf(at, "\nat %" SCNu64 " %" SCNu64 " %" SCNx32 "%n", &m->saved.inode, &m->saved.offset,
			 &m->saved.before, &end) == 3 &&
		 strcmp(at + end, "\n") == 0 && m->saved.offset <= INT64_MAX;
}

enum status mark_open(struct mark *to, const struct world *w, const char *dir, const struct sensor *k,
	const char *file, struct err *e)
{
	enum status s;

	*to = (struct mark){.w = w, .file = absolute(file), .sensor = k->source, .lock = -1};
	s = to->file ? name_make(to, dir, e) : err_nomem(e);
	if (s == STATUS_OK)
		s = lock_take(to, e);
	if (s == STATUS_OK)
		mark_read(to);
	return s;
}

enum status mark_save(struct mark *m, const struct follow_at *at, struct err *e)
{
	const struct world *w = m->w;
	char text[MARK_BYTES], name[PATH_MAX + 8];
	int fd, n;
	bool good;

	if (m->any && at->inode == m->saved.inode && at->offset == m->saved.offset &&
		at->before == m->saved.before)
		return STATUS_OK;
	n = snprintf(text, sizeof(text), MARK_HEAD "file %s %s\nat %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n",
		m->sensor, m->file, at->inode, at->offset, at->before);
	(void)snprintf(name, sizeof(name), "%s.new", m->path);
	fd = w->open(w->self, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return err_errno(e, "%s", name);
	good = n > 0 && n < (int)sizeof(text) && world_write_all(w, fd, text, (size_t)n) == 0 &&
	       w->fsync(w->self, fd) == 0;
	if (w->close(w->self, fd) != 0 || !good)
		return err_errno(e, "%s", name);
	if (w->rename(w->self, name, m->path) != 0 || world_sync_dir(w, m->path) != 0)
		return err_errno(e, "%s", m->path);
	m->saved = *at;
	m->any = true;
	return STATUS_OK;
}

void mark_close(struct mark *m)
{
	if (m->lock >= 0)
		(void)close(m->lock);
	free(m->file);
	*m = (struct mark){.lock = -1};
}
