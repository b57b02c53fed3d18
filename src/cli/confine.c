/* Giving up rights before a bundle is read: see confine.h. */
#include "cli/confine.h"

#include <limits.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/sandbox.h"

/* What libraries read at their first use. */
static enum status warm_up(struct err *e)
{
	uint8_t h[32];

	return sha256(h, "", 0) ? STATUS_OK : err_nomem(e);
}

enum status confine_reader(const struct app *a, bool with_dir, struct err *e)
{
	static const char *const part[] = {"trains", "blobs", "FORMAT", "audit"};
	char path[4][PATH_MAX];
	const char *read[5] = {NULL};
	struct sandbox box = {.profile = SANDBOX_VERIFY, .read_below = read};
	struct sandbox_held held = {0};
	enum status s = warm_up(e);

	for (size_t i = 0, n = 0; with_dir && i < 4; i++)
		if (snprintf(path[i], sizeof(path[i]), "%s/%s", a->dir, part[i]) < (int)sizeof(path[i]) &&
			access(path[i], F_OK) == 0)
			read[n++] = path[i];
	if (s == STATUS_OK)
		s = sandbox_drop_caps_but_files(e);
	if (s == STATUS_OK)
		s = sandbox_files(&box, &held, e);
	if (s == STATUS_OK)
		s = sandbox_calls(box.profile, &held, e);
	if (s == STATUS_OK && held.missing[0])
		log_line("this kernel does not confine all of it: %s", held.missing);
	return s;
}
