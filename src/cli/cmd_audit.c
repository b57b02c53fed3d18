/* weir audit: does the link test's null hold on this recording?  Pairs of its flows that cannot be links are
 * tested; where too many reach 10^k, DIR/audit says so, and trace, scan and plan say "proven" no more until
 * alpha is corrected. */
#include "cli/app.h"

#include <langinfo.h>
#include <string.h>

#include "base/log.h"
#include "cli/audit_print.h"

#define PAIRS_MOST 1000000000 /* a minute is enough for some hundred thousand */

static void progress(void *self, uint64_t done, uint64_t total)
{
	struct mono *last = self, now = world_real.mono(NULL);

	if (now.us - last->us < SECOND_US / 10)
		return;
	*last = now;
	progress_show("auditing", done, total);
}

/* What was found now and before, and which of the two counts. */
struct findings {
	struct audit fresh, old;
	bool any, damaged; /* there is an old one; it cannot be read */
	bool fresh_stands;
};

/* What was found before.  One that is damaged allows nothing, and a whole one replaces it; one of a newer
 * version stays. */
static enum status audit_before(struct app *a, struct findings *f, struct err *e)
{
	bool newer;
	enum status s = audit_read(a->w, a->dir, &f->old, &newer, e);

	f->any = s == STATUS_OK;
	f->damaged = s == STATUS_BAD && !newer;
	return s == STATUS_NO || f->damaged ? STATUS_OK : s;
}

/* The alpha that is meant: not the one that an earlier audit asked for, else each would ask for less. */
static double alpha_meant(const struct app *a, const struct findings *f)
{
	bool corrected = f->any && f->old.verdict == AUDIT_FLAWED && a->cfg.alpha <= f->old.alpha_most;

	return corrected ? f->old.alpha : a->cfg.alpha;
}

/* Keeps the finding, where it takes the place of what was found before. */
static enum status keep(struct app *a, struct findings *f, struct err *e)
{
	f->fresh_stands = audit_replaces(&f->fresh, f->any ? &f->old : NULL);
	return f->fresh_stands ? audit_write(a->w, a->dir, &f->fresh, e) : STATUS_OK;
}

/* An older finding that withholds, and that this one does not lift. */
static bool old_withholds(const struct findings *f)
{
	return !f->fresh_stands && (f->damaged || (f->any && f->old.verdict == AUDIT_FLAWED));
}

static enum status say_json(struct app *a, const struct findings *f, struct err *e)
{
	json_t *j = audit_json(&f->fresh);
	char lift[COUNT_TEXT], when[WALL_TEXT];

	(void)json_object_set_new(j, "stands",
		audit_stands_json(f->fresh_stands ? &f->fresh
				  : f->any        ? &f->old
						  : NULL));
	if (f->damaged && !f->fresh_stands)
		log_line("%s/audit is damaged and stands: nothing is called proven until a whole audit "
			 "replaces it",
			a->dir);
	else if (old_withholds(f))
		log_line("the audit of %s still stands: only a whole one of at least %s lifts it",
			wall_text(when, f->old.made), counted(lift, f->old.lift, "able pair"));
	return json_out(a, j, e);
}

static void say_text(struct app *a, const struct findings *f)
{
	audit_print(a->out, &f->fresh, a->cfg.alpha, strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
	if (f->damaged && !f->fresh_stands)
		(void)fprintf(a->out,
			"\nBut the finding in %s/audit is damaged, and stands:\nnothing is called proven "
			"until a "
			"whole audit replaces it.\n",
			a->dir);
	else if (old_withholds(f))
		audit_print_stands(a->out, &f->fresh, &f->old, a->cfg.alpha);
	else if (!f->fresh_stands && f->fresh.verdict == AUDIT_HOLDS)
		(void)fprintf(a->out, "It was stopped, so it is not kept: only a whole audit counts.\n");
}

/* Exit status by what stands, not by what a part of the pairs would say. */
static enum status say(struct app *a, const struct findings *f, struct err *e)
{
	enum status s = STATUS_OK;

	progress_end();
	if (a->json)
		s = say_json(a, f, e);
	else
		say_text(a, f);
	if (s != STATUS_OK)
		return s;
	e->text[0] = '\0';
	if (f->fresh.verdict == AUDIT_TOO_LITTLE)
		return err_set(e, STATUS_BAD, "audit: too little traffic to tell");
	return f->fresh.verdict == AUDIT_FLAWED || old_withholds(f) ? STATUS_NO : STATUS_OK;
}

static enum status with_tracer(struct app *a, struct audit_param *p, struct err *e)
{
	struct tracer *t = NULL;
	struct findings f = {0};
	enum status s = audit_before(a, &f, e);

	if (s != STATUS_OK)
		return s;
	p->alpha = alpha_meant(a, &f);
	s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);
	if (s == STATUS_OK)
		s = audit_run(t, p, &f.fresh, e);
	progress_end();
	if (s == STATUS_OK)
		s = keep(a, &f, e);
	if (s == STATUS_OK)
		s = say(a, &f, e);
	tracer_close(t);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	int64_t pairs = 0, seed = 1;
	struct mono last = {0};
	struct audit_param p = {.since = WALL_BEGIN,
		.until = WALL_END,
		.stop = &stop_requested,
		.progress = progress,
		.self = &last};
	struct option_row row[] = {{"pairs", 0, OPTION_COUNT, &pairs}, {"seed", 0, OPTION_COUNT, &seed},
		{"since", 0, OPTION_TIME, &p.since}, {"until", 0, OPTION_TIME, &p.until}};
	int first;
	enum status s = options_parse(a, row, 4, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "audit: %s: takes options only", argv[first]);
	if (s == STATUS_OK && pairs > PAIRS_MOST)
		s = err_set(e, STATUS_BAD, "audit: --pairs: at most %d", PAIRS_MOST);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	catch_signals();
	say_unrecorded(a);
	p.pairs = (uint64_t)pairs;
	p.seed = (uint64_t)seed;
	return with_tracer(a, &p, e);
}

const struct command command_audit = {"audit", "[--pairs N] [--seed S] [--since T] [--until T]",
	"does the link test hold on my own traffic?", run};
