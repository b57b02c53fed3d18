/* From a case to a plan, from a plan to an order, from an order to what is enforced.
 *
 * An order goes this way: the plan that the operator saw, the option that he names, the guard; then the
 * register (blob, row, ledger); then the enforcer, which believes none of this and checks it again. */
#include "cli/blocking.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "block/guard_here.h"
#include "cli/plan_print.h"
#include "cli/replaced.h"

/* ---- a plan ---- */

/* The chain of each sighting as it can be traced now, as claims: the plan rests on them.  Of very many the
 * newest; the others stand as they were traced before. */
static enum status chains_claimed(
	const struct place *p, struct tracer *t, const struct attack_case *c, struct err *e)
{
	enum status s = STATUS_OK;
	size_t first = c->n_sighting > PLAN_TRACED ? c->n_sighting - PLAN_TRACED : 0;

	for (size_t i = first; i < c->n_sighting && s == STATUS_OK; i++) {
		const struct sighting *g = &c->sighting[i];
		char id[TRACE_HOPS + 1][ID_TEXT];
		const struct flow *f;
		struct chain chain;
		s = sighting_flow(t, g, &f, e);
		if (s == STATUS_NO) { /* not recorded: a path of one unrecorded step */
			s = STATUS_OK;
			continue;
		}
		if (s == STATUS_OK)
			s = trace_chain(t, f, sighting_opener(g), &chain, e);
		if (s == STATUS_OK)
			s = claim_chain(p, &c->id, &chain, g, id, e);
	}
	return s;
}

enum status planning_run(struct app *a, const struct place *p, struct tracer *t, const char *case_id,
	const struct planning *how, struct arena *arena, struct plan *plan, struct id *id, struct err *e)
{
	struct plan_param param = {.w = a->w,
		.dir = a->dir,
		.cfg = &a->cfg,
		.db = p->db,
		.tracer = t,
		.budget = how->budget,
		.unwilling = how->unwilling,
		.n_unwilling = how->n_unwilling,
		.met = how->met,
		.refusing = how->refusing,
		.n_refusing = how->n_refusing,
		.refuses = how->refuses,
		.self = how->self,
		.for_us = how->for_us};
	struct attack_case c;
	enum status s = case_read(p->db, case_id, arena, &c, e);

	if (s == STATUS_OK)
		s = chains_claimed(p, t, &c, e);
	if (s == STATUS_OK)
		s = plan_make(plan, &param, case_id, arena, e);
	if (s == STATUS_OK)
		s = plan_store(a->w, a->dir, p->db, plan, id, e);
	return s == STATUS_OK ? register_flush(p, e) : s;
}

/* ---- an order ---- */

/* What the case rests on now, by what the audit says at the alpha in use. */
static enum status evidence_now(struct app *a, const struct attack_case *c, struct id *to, struct err *e)
{
	struct tracer *t = NULL;
	enum status s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);

	if (s == STATUS_OK)
		s = case_evidence(c, t, to, e);
	tracer_close(t);
	return s;
}

/* The newest plan, if nothing was learned since. */
static enum status plan_current(struct app *a, const struct place *p, const struct attack_case *c,
	struct arena *arena, struct block_order *to, struct err *e)
{
	char id[ID_TEXT], when[WALL_TEXT];
	struct id evidence;
	enum status s = plan_row_last(p->db, &c->id, &to->plan_row, e);

	(void)id_text(id, &c->id);
	if (s == STATUS_NO)
		return err_set(e, STATUS_BAD, "case %.12s has no plan yet; first: weir plan %.12s", id, id);
	if (s == STATUS_OK)
		s = evidence_now(a, c, &evidence, e);
	if (s != STATUS_OK)
		return s;
	if (id_order(&evidence, &to->plan_row.evidence) != 0)
		return err_set(e, STATUS_NO,
			"the plan of %s is older than its evidence (sightings or links came since, or an "
			"audit "
			"withholds a link); look at a new one: weir plan %.12s",
			wall_text(when, to->plan_row.made), id);
	return plan_load(a->dir, &to->plan_row, arena, &to->plan, e);
}

static enum status option_chosen(struct block_order *to, uint32_t k, struct err *e)
{
	for (size_t i = 0; i < to->plan.n_option; i++) {
		const struct option *o = &to->plan.option[i];
		if (k ? o->k == k : o->marked) {
			to->option = o;
			return STATUS_OK;
		}
	}
	return err_set(
		e, STATUS_BAD, "option %" PRIu32 ": the plan has options 1 to %zu", k, to->plan.n_option);
}

static enum status option_allowed(const struct option *o, const char *override_why, struct err *e)
{
	char missing[PLAN_TEXT_MAX + 1];

	if (o->sufficient || override_why)
		return STATUS_OK;
	return err_set(e, STATUS_NO,
		"option %" PRIu32 " is not sufficient: %s; --override WHY enforces it all the same, and is "
		"logged and shown",
		o->k, printable(missing, sizeof(missing), o->missing));
}

static int by_match(const void *a, const void *b)
{
	return rule_compare(a, b);
}

/* Those of the option that are placed here, each once. */
static enum status rules_here(const struct attack_case *c, const struct option *o, struct arena *arena,
	struct order *to, struct err *e)
{
	struct rule *rule = arena_array(arena, o->n_action + 1, sizeof(*rule));
	size_t n = 0, kept = 0;
	char whose[PLAN_TEXT_MAX + 1], id[ID_TEXT];

	if (!rule)
		return err_nomem(e);
	for (size_t i = 0; i < o->n_action; i++)
		if (!*o->action[i].place)
			rule[n++] = o->action[i].rule;
	if (n == 0)
		return err_set(e, STATUS_NO,
			"option %" PRIu32
			" cannot be enforced here: it takes the help of %s; ask them: weir bundle %.12s "
			"--ask block -o FILE",
			o->k, o->n_needs ? printable(whose, sizeof(whose), o->needs[0]) : "others",
			id_text(id, &c->id));
	qsort(rule, n, sizeof(*rule), by_match);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !rule_same_match(&rule[kept - 1], &rule[i]))
			rule[kept++] = rule[i];
	to->rule = rule;
	to->n_rule = kept;
	return STATUS_OK;
}

/* The login name; of somebody who became root by sudo, his own. */
static const char *login_name(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());

	if (getuid() == 0 && sudo && *sudo)
		return sudo;
	return pw ? pw->pw_name : "unknown";
}

/* The waiting order that is confirmed names the first person, and must be of the same plan and option.  It is
 * confirmed for as long as it was to hold, or with for_us for less: more nobody but the second wanted. */
static enum status confirmed(const struct place *p, const struct block_request *r, struct arena *arena,
	struct block_order *to, struct err *e)
{
	const char *prefix = r->confirm;
	char lasts[SPAN_TEXT];
	struct order_row row;
	struct order first;
	enum status s = order_row_read(p->db, prefix, arena, &row, e);

	if (s == STATUS_OK && (!row.waits || row.undone.us || row.expires.us <= to->order.made.us))
		return err_set(e, STATUS_NO, "block %s does not wait for a confirmation%s", prefix,
			row.undone.us ? ": it was undone"
			: row.waits   ? ": its time is over"
				      : "");
	if (s == STATUS_OK)
		s = order_load(p->dir, &row, arena, &first, e);
	if (s != STATUS_OK)
		return s;
	if (strcmp(first.plan, to->order.plan) != 0 || first.option != to->order.option ||
		strcmp(first.override_why, to->order.override_why) != 0)
		return err_set(e, STATUS_NO,
			"block %s, which waits, is of another plan, option or override than this one",
			prefix);
	if (strcmp(first.by[0], to->order.by[0]) == 0)
		return err_set(
			e, STATUS_NO, "%s ordered it: somebody else has to confirm (--by NAME)", first.by[0]);
	int64_t for_us = first.expires.us - first.made.us;
	if (r->for_us > for_us)
		return err_set(e, STATUS_NO, "--for: block %s, which waits, is for %s: for that, or shorter",
			prefix, span_text(lasts, for_us));
	to->order.expires.us = to->order.made.us + (r->for_us ? r->for_us : for_us);
	to->order.by[1] = to->order.by[0];
	to->order.by[0] = first.by[0];
	to->confirms = row;
	return STATUS_OK;
}

static bool wide(const struct guard *g, const struct order *o)
{
	for (size_t i = 0; i < o->n_rule; i++)
		if (o->rule[i].from.len < g->confirm[o->rule[i].from.ip.v == 6])
			return true;
	return false;
}

/* Whatever the guard says now it will say in the enforcing process, but here before anything is written. */
static enum status guarded(struct app *a, struct arena *arena, struct block_order *to, struct err *e)
{
	struct order probe = to->order;
	struct guard g;
	enum status s = guard_here(&g, &a->cfg, arena, e);

	if (s != STATUS_OK)
		return s;
	to->waits = wide(&g, &probe) && !*probe.by[1];
	if (to->waits)
		probe.by[1] = *probe.by[0] == '?' ? "!" : "?"; /* whoever it will be */
	return guard_order(&g, &probe, &to->plan, to->order.made, e);
}

enum status block_prepare(struct app *a, const struct place *p, const struct block_request *r,
	struct arena *arena, struct block_order *to, struct err *e)
{
	char id[ID_TEXT], lasts[SPAN_TEXT];
	struct attack_case c;
	enum status s = case_read(p->db, r->case_id, arena, &c, e);

	memset(to, 0, sizeof(*to));
	if (s == STATUS_OK)
		s = plan_current(a, p, &c, arena, to, e);
	if (s == STATUS_OK)
		s = option_chosen(to, r->option, e);
	if (s == STATUS_OK)
		s = option_allowed(to->option, r->override_why, e);
	if (s == STATUS_OK && r->for_us > to->option->for_us)
		s = err_set(e, STATUS_NO,
			"--for: option %" PRIu32
			" was planned for %s at most; longer takes a plan of its own: weir "
			"plan %.12s --for TIME",
			to->option->k, span_text(lasts, to->option->for_us), id_text(id, &c.id));
	if (s == STATUS_OK)
		s = rules_here(&c, to->option, arena, &to->order, e);
	if (s != STATUS_OK)
		return s;
	struct order *o = &to->order;
	o->case_id = c.id;
	memcpy(o->plan, to->plan_row.blob, sizeof(o->plan));
	o->option = to->option->k;
	o->made = a->w->now(a->w->self);
	o->expires.us = o->made.us + (r->for_us ? r->for_us : to->option->for_us);
	o->override_why = r->override_why && !to->option->sufficient ? r->override_why : "";
	o->by[0] = arena_str(arena, r->by ? r->by : login_name());
	o->by[1] = "";
	if (!o->by[0])
		return err_nomem(e);
	if (r->confirm)
		s = confirmed(p, r, arena, to, e);
	return s == STATUS_OK ? guarded(a, arena, to, e) : s;
}

/* ---- enforcing it ---- */

enum status block_keys(struct app *a, struct err *e)
{
	struct vkey v;
	enum status s = keys_public(a->dir, KEY_LOG, &v, e);

	if (s != STATUS_NO)
		return s;
	s = keys_begin(a, NULL, e);
	if (s == STATUS_OK && keys_public(a->dir, KEY_OPERATOR, &v, e) == STATUS_OK)
		log_line("there were no keys to log orders with: made some, under the name %s (weir init "
			 "--name gives another only before that)",
			v.name);
	return s;
}

const struct hand_result *enforced_of(const struct enforced *done, const struct id *id)
{
	for (size_t i = 0; i < done->reply.n; i++)
		if (id_order(&done->reply.result[i].id, id) == 0)
			return &done->reply.result[i];
	return NULL;
}

/* One round by the enforcer that was opened, or, where another one runs (f NULL), by that. */
static enum status round_once(struct app *a, const struct place *p, struct enforcer *f, bool look,
	struct arena *arena, struct enforced *done, struct err *e)
{
	if (f)
		return enforcer_round(f, look, arena, &done->reply, e);
	return enforce_once(done, a->w, a->dir, p->db, &a->cfg, &backend_nft, look, arena, e);
}

/* Did the round install the order? */
static enum status installed(const struct enforced *done, const struct id *id, struct err *e)
{
	const struct hand_result *r = enforced_of(done, id);

	if (r && r->taken && r->installed)
		return STATUS_OK;
	if (r && !r->taken)
		return err_set(e, STATUS_NO, "the enforcer refused the order: %s", r->why);
	return err_set(e, STATUS_MACHINE, "the order is not installed: %s",
		r ? r->why : "the enforcer does not know of it");
}

/* Takes back an order that could not be enforced, and says why it could not. */
static enum status taken_back(struct app *a, const struct place *p, const struct id *id, struct enforcer *f,
	struct arena *arena, struct err *e)
{
	struct err later, why = *e;
	struct order_row row;
	struct enforced done;
	char text[ID_TEXT];

	if (order_row_read(p->db, id_text(text, id), arena, &row, &later) == STATUS_OK &&
		order_undo(a->w, p->db, &row, "weir", "it could not be enforced", &later) == STATUS_OK)
		(void)register_flush(p, &later);
	(void)round_once(a, p, f, false, arena, &done, &later);
	*e = why;
	return why.status;
}

/* The enforcer first: without the right to enforce nothing is ordered.  *f stays NULL where another one runs.
 */
static enum status enforcer_ready(struct app *a, const struct place *p, struct enforcer **f, struct err *e)
{
	enum status s = enforcer_open(f, a->w, a->dir, p->db, &a->cfg, &backend_nft, e);

	if (s != STATUS_NO)
		return s;
	*f = NULL;
	return STATUS_OK;
}

static enum status ordered(
	struct app *a, const struct place *p, const struct block_order *o, struct id *id, struct err *e)
{
	enum status s = order_store(a->w, a->dir, p->db, &o->order, &o->plan_row, o->waits, id, e);

	if (s == STATUS_OK && *o->order.by[1]) /* the one that waited for this has been answered */
		s = order_undo(a->w, p->db, &o->confirms, o->order.by[1], "confirmed", e);
	return s == STATUS_OK ? register_flush(p, e) : s;
}

enum status block_give(struct app *a, const struct place *p, const struct block_order *o, struct arena *arena,
	struct id *id, struct enforced *done, struct err *e)
{
	struct enforcer *f = NULL;
	enum status s = block_keys(a, e);

	memset(done, 0, sizeof(*done));
	memset(id, 0, sizeof(*id));
	if (s == STATUS_OK && o->waits)
		return ordered(a, p, o, id, e);
	if (s == STATUS_OK)
		s = enforcer_ready(a, p, &f, e);
	if (s == STATUS_OK) {
		s = ordered(a, p, o, id, e); /* where the ledger failed its row may stand all the same */
		if (s == STATUS_OK)
			s = round_once(a, p, f, false, arena, done, e);
		if (s == STATUS_OK)
			s = installed(done, id, e);
		if (s != STATUS_OK)
			s = taken_back(a, p, id, f, arena, e);
		else
			s = orders_replaced(p, &o->order, id, arena, e);
		if (s == STATUS_OK)
			s = register_flush(p, e);
	}
	enforcer_close(f);
	return s;
}

enum status block_end(struct app *a, const struct place *p, const struct order_row *row, size_t n,
	const char *by, const char *why, struct arena *arena, struct enforced *done, struct err *e)
{
	struct enforcer *f = NULL;
	struct err unseen;
	enum status s = enforcer_ready(a, p, &f, e);

	memset(done, 0, sizeof(*done));
	if (s == STATUS_OK) /* what was dropped up to now goes with the rules; not known, they go all the same
			     */
		(void)round_once(a, p, f, true, arena, done, &unseen);
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = order_undo(a->w, p->db, &row[i], by ? by : login_name(), why, e);
	if (s == STATUS_OK) {
		s = round_once(a, p, f, false, arena, done, e);
		if (s != STATUS_OK)
			(void)err_wrap(
				e, "undone, but not yet taken out of the kernel (weir reconcile does)");
	}
	if (s == STATUS_OK) /* last: whoever is blocked by mistake does not wait for the ledger */
		s = register_flush(p, e);
	enforcer_close(f);
	return s;
}
