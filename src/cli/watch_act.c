/* What the policy says (on_alert): nothing, a plan, or a block.
 *
 * In comes a case of which something new is known, out come at most two lines: the option that a plan marks,
 * and what became of it.  By itself only an option is enforced that is sufficient, that needs nobody's help,
 * whose rules each hit one host, and that is not in force already; and only so many an hour.  What was said
 * is not said again until it changes. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "cli/watch.h"

#define PAUSE_FIRST_US SECOND_US
#define PAUSE_LAST_US  (60 * SECOND_US)
#define QUIET_US       (600 * SECOND_US) /* without anything new: the pauses begin anew */
#define HOUR_US        (3600 * SECOND_US)
#define LATE_US        (2 * SECOND_US) /* an alert this soon behind an order is of what went before it */
#define RENEW_MOST_US  (300 * SECOND_US)
#define WHY_TEXT       (PREFIX_TEXT + 120)

/* ---- saying a thing once ---- */

/* Is this another text than the one that was said last? */
static bool is_news(struct id *said, const char *text)
{
	struct id id;

	if (!id_of(&id, text, strlen(text)) || id_order(&id, said) == 0)
		return false;
	*said = id;
	return true;
}

static enum status say_once(struct watch *w, struct concern *c, const char *event, json_t *more,
	struct err *e, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

static enum status say_once(struct watch *w, struct concern *c, const char *event, json_t *more,
	struct err *e, const char *fmt, ...)
{
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (is_news(&c->said, text))
		return watch_say(w, event, &c->case_id, NULL, more, e, "%s", text);
	json_decref(more);
	return STATUS_OK;
}

/* A no is said, once; a broken machine too, for a watch goes on without being able to block. */
static enum status say_refused(struct watch *w, struct concern *c, const struct err *why, struct err *e)
{
	return say_once(w, c, "refused", json_pack("{s:i}", "status", (int)why->status), e, "%s", why->text);
}

/* ---- what is in force ---- */

struct in_force {
	struct order_row *row;
	struct order *order; /* of each row */
	size_t n;
};

static enum status in_force_read(
	struct watch *w, const struct id *case_id, struct arena *a, struct in_force *to, struct err *e)
{
	enum status s = order_row_list(
		w->p.db, case_id, true, w->app->w->now(w->app->w->self), a, &to->row, &to->n, e);

	to->order = s == STATUS_OK ? arena_array(a, to->n + 1, sizeof(*to->order)) : NULL;
	if (s == STATUS_OK && !to->order)
		return err_nomem(e);
	for (size_t i = 0; i < to->n && s == STATUS_OK; i++)
		s = order_load(w->app->dir, &to->row[i], a, &to->order[i], e);
	return s;
}

/* Shortly before it expires: a tenth of its time, five minutes at most. */
static bool runs_out(const struct watch *w, const struct order_row *o)
{
	int64_t tenth = (o->expires.us - o->made.us) / 10;

	return o->expires.us - w->app->w->now(w->app->w->self).us <
	       (tenth < RENEW_MOST_US ? tenth : RENEW_MOST_US);
}

/* Is the rule in force, and does it stay so, or is there no reason to renew it? */
static bool covered(
	const struct watch *w, const struct concern *c, const struct in_force *in, const struct rule *r)
{
	for (size_t i = 0; i < in->n; i++) {
		bool seen = c->seen.us > in->row[i].made.us + LATE_US;
		for (size_t k = 0; k < in->order[i].n_rule; k++)
			if (rule_within(r, &in->order[i].rule[k]) && !(seen && runs_out(w, &in->row[i])))
				return true;
	}
	return false;
}

static bool option_covered(
	const struct watch *w, const struct concern *c, const struct in_force *in, const struct option *o)
{
	bool any = false;

	for (size_t i = 0; i < o->n_action; i++) {
		if (*o->action[i].place)
			continue;
		any = true;
		if (!covered(w, c, in, &o->action[i].rule))
			return false;
	}
	return any;
}

static void remember_end(struct concern *c, const struct in_force *in)
{
	c->given.us = c->expires.us = 0;
	for (size_t i = 0; i < in->n; i++)
		if (in->row[i].expires.us > c->expires.us) {
			c->expires = in->row[i].expires;
			c->given = in->row[i].made;
		}
}

/* ---- the attack came back ---- */

/* Does a rule in force hit the flow, from either end? */
static const struct order_row *hit_by(const struct in_force *in, const struct sighting *s)
{
	for (size_t i = 0; i < in->n; i++)
		for (size_t k = 0; k < in->order[i].n_rule; k++) {
			const struct rule *r = &in->order[i].rule[k];
			if (rule_hits(r, s->proto, &s->end[0], &s->end[1]) ||
				rule_hits(r, s->proto, &s->end[1], &s->end[0]))
				return &in->row[i];
		}
	return NULL;
}

/* A new flow of a case that is blocked: another way, or a block that does not hold. */
static enum status say_back(
	struct watch *w, struct concern *c, const struct in_force *in, bool *back, struct err *e)
{
	struct sighting s = c->fresh;
	struct flow_head head = {.proto = s.proto, .end = {s.end[0], s.end[1]}};
	const struct order_row *hit = hit_by(in, &s);
	char flow[FLOW_TEXT], id[ID_TEXT], packets[COUNT_TEXT];
	int64_t made = in->n ? in->row[0].made.us : 0; /* the newest stands first */

	c->fresh.count = 0;
	*back = s.count > 0 && in->n > 0 && s.at.us >= made + LATE_US &&
		is_news(&c->back, flow_text(flow, &head));
	if (!*back)
		return STATUS_OK;
	if (hit)
		return watch_say(w, "returned", &c->case_id, &s,
			json_pack("{s:s, s:s}", "block", id_text(id, &hit->id), "way", "blocked"), e,
			"%s: the attack goes on although block %.12s is in force (%s dropped so far; a "
			"sensor "
			"in front of it sees what it drops)",
			flow, id_text(id, &hit->id), counted(packets, hit->packets, "packet"));
	return watch_say(w, "returned", &c->case_id, &s,
		json_pack("{s:s, s:s}", "block", id_text(id, &in->row[0].id), "way", "other"), e,
		"%s: the attack came back by another way than block %.12s is on", flow,
		id_text(id, &in->row[0].id));
}

/* ---- an option ---- */

/* The marked option; NULL: what it does here is in force. */
static const struct option *option_marked(
	const struct watch *w, const struct concern *c, const struct in_force *in, const struct plan *p)
{
	for (size_t i = 0; i < p->n_option; i++)
		if (p->option[i].marked && !option_covered(w, c, in, &p->option[i]))
			return &p->option[i];
	return NULL;
}

/* Where the marked one is in force and the attack is still there: the sufficient one that stops most and is
 * not in force.  Only a person gives it. */
static const struct option *option_next(
	const struct watch *w, const struct concern *c, const struct in_force *in, const struct plan *p)
{
	const struct option *best = NULL;

	for (size_t i = 0; i < p->n_option; i++) {
		const struct option *o = &p->option[i];
		if (o->sufficient && !option_covered(w, c, in, o) && (!best || o->stops > best->stops))
			best = o;
	}
	return best;
}

const char *not_by_itself(char *to, size_t n, const struct watch *w, const struct option *o)
{
	char ip[IP_TEXT], from[PREFIX_TEXT], flows[COUNT_TEXT];

	*to = '\0';
	if (!o->sufficient)
		(void)snprintf(to, n, "is not sufficient");
	else if (o->n_needs)
		(void)snprintf(to, n, "needs the help of others");
	else if (o->hit.flows > w->app->cfg.watch_budget)
		(void)snprintf(to, n, "hits %s of bystanders, and watch_budget is %" PRIu64,
			counted(flows, o->hit.flows, "flow"), w->app->cfg.watch_budget);
	for (size_t i = 0; i < o->n_action && !*to; i++) {
		const struct prefix *p = &o->action[i].rule.from;
		if (*o->action[i].place)
			(void)snprintf(to, n, "needs the help of others");
		else if (!rule_is_host(p))
			(void)snprintf(to, n, "is wider than one host a rule: %s", prefix_text(from, p));
		else if (w->app->cfg.n_own && config_owns(&w->app->cfg, &p->ip))
			(void)snprintf(to, n, "cuts off %s, one of the own hosts", ip_text(ip, &p->ip));
	}
	return to;
}

/* "option 1 (drop from 198.51.100.7/32 to any tcp 22)", "option 2 (drop from ..., 3 more rules)" */
#define OPTION_WORDS (RULE_TEXT + COUNT_TEXT + 64)
static char *option_words(char to[OPTION_WORDS], const struct option *o)
{
	char rule[RULE_TEXT], n[COUNT_TEXT];
	int len = snprintf(to, OPTION_WORDS, "option %" PRIu32, o->k);

	if (o->n_action)
		len += snprintf(
			to + len, OPTION_WORDS - (size_t)len, " (%s", rule_text(rule, &o->action[0].rule));
	if (o->n_action > 1)
		len += snprintf(to + len, OPTION_WORDS - (size_t)len, ", %s",
			counted(n, o->n_action - 1, "more rule"));
	if (o->n_action)
		(void)snprintf(to + len, OPTION_WORDS - (size_t)len, ")");
	return to;
}

/* because: why watch does not give the option by itself though the policy lets it (of one that is not
 * sufficient, just that); "" else. */
static enum status say_option(struct watch *w, struct concern *c, const struct option *o,
	const struct id *plan, const char *because, struct err *e)
{
	char id[ID_TEXT], plan_id[ID_TEXT], words[OPTION_WORDS];
	json_t *more = json_pack("{s:s, s:i, s:f, s:I, s:b, s:s, s:s}", "plan", id_text(plan_id, plan),
		"option", (int)o->k, "stops", o->stops, "collateral", (json_int_t)o->collateral, "sufficient",
		o->sufficient, "missing", o->missing, "not_by_itself", because);

	(void)id_text(id, &c->case_id);
	(void)option_words(words, o);
	if (!o->sufficient)
		return say_once(w, c, "proposed", more, e,
			"plan: %s stops %.0f %%, collateral %" PRIu64 ", not sufficient: %s: weir plan %.12s",
			words, 100 * o->stops, o->collateral, o->missing, id);
	return say_once(w, c, "proposed", more, e,
		"plan: %s stops %.0f %%, collateral %" PRIu64
		", sufficient%s%s: weir block %.12s --option %" PRIu32,
		words, 100 * o->stops, o->collateral, *because ? "; not given by itself: it " : "", because,
		id, o->k);
}

/* ---- a block ---- */

static enum status hour_full(struct watch *w, struct arena *a, struct err *e)
{
	struct order_row *row;
	size_t n, mine = 0;
	int64_t now = w->app->w->now(w->app->w->self).us;
	enum status s = order_row_list(w->p.db, NULL, false, (struct wall){now}, a, &row, &n, e);

	for (size_t i = 0; s == STATUS_OK && i < n; i++)
		mine += strcmp(row[i].by, WATCH_BY) == 0 && row[i].made.us > now - HOUR_US;
	if (s == STATUS_OK && mine >= w->app->cfg.watch_blocks)
		s = err_set(e, STATUS_NO,
			"%zu blocks were given by itself within the hour, and watch_blocks is %" PRIu64
			": the next one is a person's to give",
			mine, w->app->cfg.watch_blocks);
	return s;
}

static enum status give(struct watch *w, struct concern *c, const struct option *o, struct arena *a,
	struct id *id, struct block_order *b, struct err *e)
{
	char case_id[ID_TEXT];
	struct block_request r = {.case_id = id_text(case_id, &c->case_id),
		.option = o->k,
		.for_us = w->for_us,
		.by = WATCH_BY};
	struct enforced done;
	char why[WHY_TEXT];
	enum status s = *not_by_itself(why, sizeof(why), w, o)
				? err_set(e, STATUS_NO, "option %" PRIu32 " is not enforced by itself: it %s",
					  o->k, why)
				: hour_full(w, a, e);

	if (s == STATUS_OK)
		s = block_prepare(w->app, &w->p, &r, a, b, e);
	if (s == STATUS_OK && b->waits)
		s = err_set(e, STATUS_NO, "option %" PRIu32 " takes two persons", o->k);
	return s == STATUS_OK ? block_give(w->app, &w->p, b, a, id, &done, e) : s;
}

static enum status block(
	struct watch *w, struct concern *c, const struct option *o, struct arena *a, struct err *e)
{
	struct block_order b;
	struct id id;
	char text[ID_TEXT], until[WALL_TEXT], n[COUNT_TEXT];
	struct err why = {0};
	enum status s = give(w, c, o, a, &id, &b, &why);

	if (s != STATUS_OK)
		return say_refused(w, c, &why, e);
	c->given = b.order.made;
	c->expires = b.order.expires;
	(void)id_text(text, &id);
	return watch_say(w, "blocked", &c->case_id, NULL,
		json_pack("{s:s, s:i, s:o, s:I}", "id", text, "option", (int)o->k, "expires",
			json_time(b.order.expires.us), "rules", (json_int_t)b.order.n_rule),
		e, "block %.12s: option %" PRIu32 ", %s installed, until %s; undo: weir unblock %.12s", text,
		o->k, counted(n, b.order.n_rule, "rule"), wall_text(until, b.order.expires), text);
}

/* ---- what a person undid ---- */

/* The order of this case that was undone after the latest alert, NULL: none. */
static enum status undone_read(
	struct watch *w, const struct concern *c, struct arena *a, const struct order_row **to, struct err *e)
{
	struct order_row *row;
	size_t n = 0;
	enum status s =
		order_row_list(w->p.db, &c->case_id, false, w->app->w->now(w->app->w->self), a, &row, &n, e);

	*to = NULL;
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		if (row[i].undone.us > c->seen.us && (!*to || row[i].undone.us > (*to)->undone.us))
			*to = &row[i];
	return s;
}

/* It stays undone until the attack is seen again; a person may give it anew. */
static enum status block_unless_undone(
	struct watch *w, struct concern *c, const struct option *o, struct arena *a, struct err *e)
{
	const struct order_row *undone;
	char id[ID_TEXT], case_id[ID_TEXT];
	enum status s = undone_read(w, c, a, &undone, e);

	if (s != STATUS_OK || !undone)
		return s == STATUS_OK ? block(w, c, o, a, e) : s;
	(void)id_text(id, &undone->id);
	(void)id_text(case_id, &c->case_id);
	return say_once(w, c, "refused", json_pack("{s:i, s:s}", "status", (int)STATUS_NO, "undone", id), e,
		"block %.12s was undone, and no alert came since, so option %" PRIu32
		" is not given by itself: weir block %.12s --option %" PRIu32,
		id, o->k, case_id, o->k);
}

/* ---- a case ---- */

static enum status plan_and_act(
	struct watch *w, struct concern *c, struct tracer *t, struct arena *a, struct err *e)
{
	struct planning how = {.budget = -1, .for_us = w->for_us};
	struct in_force in = {0};
	struct plan plan;
	struct err why = {0};
	char case_id[ID_TEXT];
	const struct option *o;
	struct id id;
	char because[WHY_TEXT] = "";
	bool back = false, may = w->app->cfg.on_alert == ON_ALERT_BLOCK;
	enum status s = in_force_read(w, &c->case_id, a, &in, e);

	if (s == STATUS_OK)
		s = say_back(w, c, &in, &back, e);
	if (s != STATUS_OK)
		return s;
	remember_end(c, &in);
	s = planning_run(w->app, &w->p, t, id_text(case_id, &c->case_id), &how, a, &plan, &id, &why);
	if (s != STATUS_OK)
		return say_refused(w, c, &why, e);
	o = option_marked(w, c, &in, &plan);
	if (o && may && !*not_by_itself(because, sizeof(because), w, o))
		return block_unless_undone(w, c, o, a, e);
	if (!o && back && (o = option_next(w, c, &in, &plan)) && may)
		(void)snprintf(because, sizeof(because), "is not the one that the plan marks");
	return o ? say_option(w, c, o, &id, because, e) : STATUS_OK;
}

/* A block that runs out while the attack goes on is looked at again. */
static bool renewal(const struct watch *w, const struct concern *c)
{
	struct order_row newest = {.made = c->given, .expires = c->expires};

	return w->app->cfg.on_alert == ON_ALERT_BLOCK && c->expires.us > 0 &&
	       c->seen.us > c->given.us + LATE_US && runs_out(w, &newest);
}

static bool act_due(const struct watch *w, const struct concern *c)
{
	static const struct id none;

	return id_order(&c->case_id, &none) != 0 && (c->due || renewal(w, c)) &&
	       watch_mono(w).us >= c->next.us;
}

/* Only so many a minute wait for no pause, of a case and of all, for a flood of alerts must not become a
 * flood of plans; what one of the two refuses is not counted on the other.  Beyond that it is as if an alert
 * had come (sighted()). */
void act_soon(struct watch *w, struct concern *c)
{
	struct mono now = watch_mono(w);
	bool room = minute_room(&c->soon, now, WATCH_SOON_CASE) && minute_room(&w->soon, now, WATCH_SOON);
	bool at_once = c->next.us > now.us && room && minute_takes(&c->soon, now, WATCH_SOON_CASE) &&
		       minute_takes(&w->soon, now, WATCH_SOON);
	int64_t at = now.us + (at_once ? 0 : SECOND_US);

	c->due = true;
	c->next.us = c->next.us < at ? c->next.us : at;
}

static enum status act_on(struct watch *w, struct concern *c, struct tracer *t, struct err *e)
{
	struct arena a = {0};
	int64_t now = watch_mono(w).us;
	enum status s;

	if (c->pause_us == 0 || now - c->next.us > QUIET_US)
		c->pause_us = PAUSE_FIRST_US;
	c->due = false;
	s = plan_and_act(w, c, t, &a, e);
	c->next.us = now + c->pause_us;
	c->pause_us = 2 * c->pause_us < PAUSE_LAST_US ? 2 * c->pause_us : PAUSE_LAST_US;
	arena_free(&a);
	return s;
}

enum status watch_act(struct watch *w, struct err *e)
{
	struct tracer *t = NULL;
	enum status s = STATUS_OK;

	if (w->app->cfg.on_alert == ON_ALERT_NOTIFY)
		return STATUS_OK;
	for (size_t i = 0; i < WATCH_CASES && s == STATUS_OK && !stop_requested; i++) {
		if (!act_due(w, &w->concern[i]))
			continue;
		if (!t)
			s = tracer_open(&t, w->app->w, w->app->dir, &w->app->cfg, w->app->cfg.alpha, e);
		if (s == STATUS_OK)
			s = act_on(w, &w->concern[i], t, e);
	}
	tracer_close(t);
	return s;
}

/* ---- when ---- */

static void sooner(int64_t *wait, int64_t now, struct mono at)
{
	int64_t left = at.us - now;

	if (left < *wait)
		*wait = left > 0 ? left : 0;
}

int64_t watch_wait_us(const struct watch *w, int64_t most)
{
	int64_t now = watch_mono(w).us;

	for (size_t i = 0; i < w->n_hunt; i++)
		sooner(&most, now, hunt_time(w, &w->hunt[i]));
	for (size_t i = 0; i < WATCH_CASES && w->app->cfg.on_alert != ON_ALERT_NOTIFY; i++)
		if (w->concern[i].due || renewal(w, &w->concern[i]))
			sooner(&most, now, w->concern[i].next);
	return most;
}
