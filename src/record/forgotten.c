/* DIR/forgotten, lines that are only ever added:
 *
 *     begun
 *     done FROM TO FLOWS      first and last packet (microseconds since 1970) of so many erased flows
 *
 * No address stands there.  A line that does not read, as a torn one, counts like one that began and was
 * never done. */
#include "record/forgotten.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "forgotten"
#define LINE_TEXT 96
#define FLOWS_MAX (UINT64_C(1) << 40) /* of one line; more than any recording holds */

static enum status path_of(char path[PATH_MAX], const char *dir, struct err *e)
{
	if (snprintf(path, PATH_MAX, "%s/" FILE_NAME, dir) >= PATH_MAX)
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	return STATUS_OK;
}

static enum status line_add(const struct world *w, const char *dir, const char *line, struct err *e)
{
	char path[PATH_MAX];
	enum status s = path_of(path, dir, e);

	if (s != STATUS_OK)
		return s;
	int fd = w->open(w->self, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "%s", path);
	if (world_write_all(w, fd, line, strlen(line)) != 0 || w->fsync(w->self, fd) != 0)
		s = err_errno(e, "%s", path);
	(void)w->close(w->self, fd);
	if (s == STATUS_OK && world_sync_dir(w, path) != 0)
		s = err_errno(e, "%s", path);
	return s;
}

enum status forgotten_begin(const struct world *w, const char *dir, struct err *e)
{
	return line_add(w, dir, "begun\n", e);
}

enum status forgotten_done(
	const struct world *w, const char *dir, struct span span, uint64_t flows, struct err *e)
{
	char line[LINE_TEXT];

	(void)snprintf(line, sizeof(line), "done %" PRId64 " %" PRId64 " %" PRIu64 "\n",
		flows ? span.from_us : 0, flows ? span.to_us : 0, flows);
	return line_add(w, dir, line, e);
}

/* What the lines say so far. */
struct tally {
	struct span within;
	uint64_t flows, begun, done, unread;
};

static bool done_read(const char *line, struct span *span, uint64_t *flows)
{
	int end = 0;

	return strlen(line) < LINE_TEXT &&
	       sscanf(line, "done %" SCNd64 " %" SCNd64 " %" SCNu64 "%n", &span->from_us, &span->to_us, flows,
		       &end) == 3 &&
	       strcmp(line + end, "\n") == 0 && *flows <= FLOWS_MAX;
}

static void line_count(struct tally *t, const char *line)
{
	struct span span;
	uint64_t flows;

	if (strcmp(line, "begun\n") == 0) {
		t->begun++;
	} else if (done_read(line, &span, &flows)) {
		t->done++;
		if (span.from_us <= t->within.to_us && t->within.from_us <= span.to_us)
			t->flows += t->flows < FLOWS_MAX ? flows : 0;
	} else {
		t->unread++;
	}
}

enum status forgotten_flows(uint64_t *to, const char *dir, struct span within, struct err *e)
{
	struct tally t = {.within = within};
	char path[PATH_MAX], *line = NULL;
	size_t room = 0;
	enum status s = path_of(path, dir, e);

	*to = 0;
	if (s != STATUS_OK)
		return s;
	FILE *f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? STATUS_OK : err_errno(e, "%s", path);
	while (getline(&line, &room, f) > 0)
		line_count(&t, line);
	if (ferror(f))
		s = err_errno(e, "%s", path);
	free(line);
	(void)fclose(f);
	*to = t.flows + t.unread + (t.begun > t.done ? t.begun - t.done : 0);
	return s;
}
