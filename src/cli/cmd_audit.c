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

/* What was found before.  One that is damaged says nothing, and is replaced; one of a newer version stays. */
static enum status audit_before(struct app *a, struct audit *old, bool *any, struct err *e)
{
	bool newer;
	enum status s = audit_read(a->w, a->dir, old, &newer, e);

	*any = s == STATUS_OK;
	if (s == STATUS_NO || (s == STATUS_BAD && !newer))
		s = STATUS_OK;
	return s;
}

/* The alpha that is meant: not the one that an earlier audit asked for, else each would ask for less. */
static double alpha_meant(const struct app *a, const struct audit *old, bool any)
{
	bool corrected = any && old->verdict == AUDIT_FLAWED && a->cfg.alpha <= old->alpha_most;

	return corrected ? old->alpha : a->cfg.alpha;
}

/* Keeps the finding, where it may take the place of what was found before. */
static enum status keep(
	struct app *a, const struct audit *fresh, const struct audit *old, bool any, struct err *e)
{
	char n[32], when[WALL_TEXT];

	if (fresh->verdict == AUDIT_TOO_LITTLE)
		return STATUS_OK;
	if (!any || audit_replaces(fresh, old))
		return audit_write(a->w, a->dir, fresh, e);
	log_line("the audit of %s, of %s able pairs, still stands: only one of at least as many lifts it",
		wall_text(when, old->made), thousands(n, old->part[AUDIT_ALL].able));
	return STATUS_OK;
}

static enum status say(struct app *a, const struct audit *x, struct err *e)
{
	enum status s = STATUS_OK;

	progress_end();
	if (a->json)
		s = json_out(a, audit_json(x), e);
	else
		audit_print(a->out, x, a->cfg.alpha, strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
	if (s != STATUS_OK || x->verdict == AUDIT_HOLDS)
		return s;
	e->text[0] = '\0';
	if (x->verdict == AUDIT_TOO_LITTLE)
		return err_set(e, STATUS_BAD, "audit: too little traffic to tell");
	return STATUS_NO;
}

static enum status with_tracer(struct app *a, struct audit_param *p, struct err *e)
{
	struct tracer *t = NULL;
	struct audit fresh, old;
	bool any = false;
	enum status s = audit_before(a, &old, &any, e);

	if (s != STATUS_OK)
		return s;
	p->alpha = alpha_meant(a, &old, any);
	s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);
	if (s == STATUS_OK)
		s = audit_run(t, p, &fresh, e);
	progress_end();
	if (s == STATUS_OK)
		s = keep(a, &fresh, &old, any, e);
	if (s == STATUS_OK)
		s = say(a, &fresh, e);
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
