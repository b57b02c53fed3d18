/* weir verify: is a bundle what it says?  By the file and the keys one was told to trust; with -C DIR also
 * beside one's own recording. */
#include <stdlib.h>

#include "base/log.h"
#include "cli/confine.h"
#include "cli/report.h"
#include "cli/trusted.h"

static enum status look_here(struct app *a, struct tracer **t, struct here_list *to, const struct bundle *b,
	const struct verified *v, double alpha, struct arena *arena, struct err *e)
{
	enum status s = tracer_open(t, a->w, a->dir, &a->cfg, alpha, e);

	return s == STATUS_OK ? here_look(to, *t, b, v, arena, e) : s;
}

static enum status report_out(struct app *a, const struct report *r, struct err *e)
{
	enum status s = STATUS_OK;

	if (a->json)
		s = json_out(a, json_report(a, r), e);
	else
		print_report(a, r);
	if (s == STATUS_OK && !report_good(r))
		s = err_set(e, STATUS_NO, "not verified: %s", report_why(r));
	return s;
}

static enum status check(struct bundle *b, struct verified *v, const struct buf *file, struct trusted *t,
	struct arena *arena, struct err *e)
{
	enum status s = bundle_read(b, file->p, file->n, arena, e);

	if (s != STATUS_OK)
		return s;
	trusted_pin(t, &b->m);
	return verify_bundle(v, b, &t->trust, arena, e);
}

static enum status verify(struct app *a, const char *path, struct trusted *t, struct err *e)
{
	struct arena arena = {0};
	struct buf file = {0};
	struct tracer *tracer = NULL;
	struct bundle b;
	struct verified v;
	struct here_list here = {0};
	enum status s = bundle_file(&file, path, e);

	if (s == STATUS_OK)
		s = confine_reader(a, a->dir_given, e);
	if (s == STATUS_OK && check(&b, &v, &file, t, &arena, e) != STATUS_OK)
		s = err_wrap(e, "%s", path);
	if (s == STATUS_OK && a->dir_given && v.genuine)
		s = look_here(a, &tracer, &here, &b, &v, t->trust.alpha, &arena, e);
	struct report r = {&b, &v, here.one ? &here : NULL};
	if (s == STATUS_OK)
		s = report_out(a, &r, e);
	tracer_close(tracer);
	buf_free(&file);
	arena_free(&arena);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	struct texts key = {0};
	const char *policy = NULL;
	double alpha = 0;
	struct option_row row[] = {{"key", 0, OPTION_LIST, &key}, {"policy", 0, OPTION_TEXT, &policy},
		{"alpha", 0, OPTION_ALPHA, &alpha}};
	struct trusted t = {0};
	int first;
	enum status s = options_parse(a, row, 3, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "verify: one FILE");
	if (s == STATUS_OK)
		s = trusted_load(&t, a, &key, policy, a->dir_given, alpha, e);
	if (s == STATUS_OK)
		s = verify(a, argv[first], &t, e);
	trusted_free(&t);
	return s;
}

const struct command command_verify = {"verify", "FILE [--key VKEY]... [--policy FILE] [--alpha A]",
	"check a bundle; with -C DIR also against one's own recording", run};
