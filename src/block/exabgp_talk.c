/* The conversation with ExaBGP (4.2): its process API, text encoder.
 *
 * It answers every command by a line, `done` or `error`, in order (its reactor/asynchronous.py), and at most
 * EXABGP_WINDOW wait for theirs.  `done` means that it took the command, not that a router has the rule.  So
 * after the commands it is asked for two things: `show adj-rib out extensive`, what it holds for each
 * neighbor, and `show neighbor extensive`, which sessions are up for which families.  Only both together make
 * a rule announced.
 *
 * A command that it cannot even parse gets no answer at all, and the next answer would be taken for that
 * one's.  The two questions mend it: their answers are unlike all others, so what was sent before them and is
 * still waiting then never got one.
 *
 * Order: what is to go is withdrawn before anything is announced, for who is blocked by mistake must not wait
 * behind ten thousand others.  A rule that only changes its action is announced again, without a gap.
 *
 * What stands in ExaBGP's table in our form and is not wanted was left by a process that was killed; it is
 * withdrawn.  What has vanished from there is announced again. */
#include <stdlib.h>

#include "block/exabgp.h"

#define READ_AGAIN_TIMES 20        /* reading the tables takes a 20th of the time at most */
#define STRANGERS_MAX    (1 << 17) /* more than that come in the next round */

void talk_init(struct talk *k, const struct exabgp_way *way)
{
	*k = (struct talk){.way = *way, .ask_routes = true, .ask_peers = true};
}

void talk_free(struct talk *k)
{
	table_free(&k->table);
	free(k->stranger);
	k->stranger = NULL;
}

/* ---- what is wanted ---- */

static enum status talk_merge(struct talk *k, const struct rule *rule, size_t n, bool want, struct err *e)
{
	size_t *moved = calloc(k->table.n + 1, sizeof(*moved));
	enum status s = moved ? table_merge(&k->table, rule, n, want, moved, e) : err_nomem(e);

	/* what flies is never dropped */
	for (size_t i = 0; s == STATUS_OK && i < k->n_flight; i++)
		if (k->flight[i].kind == FLIGHT_ANNOUNCE || k->flight[i].kind == FLIGHT_WITHDRAW)
			k->flight[i].at = moved[k->flight[i].at];
	k->withdraw_at = k->announce_at = 0;
	free(moved);
	return s;
}

enum status talk_want(struct talk *k, const struct want *want, size_t n, struct err *e)
{
	struct rule *rule = calloc(n + 1, sizeof(*rule));
	size_t can = 0;
	enum status s = STATUS_OK;

	if (!rule)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (!exabgp_cannot(&k->way, &want[i].rule))
			rule[can++] = want[i].rule;
	s = talk_merge(k, rule, can, true, e);
	free(rule);
	return s;
}

/* ---- what ExaBGP holds ---- */

static void stranger_add(struct talk *k, const struct rule *r)
{
	if (k->n_stranger == STRANGERS_MAX)
		return;
	if (k->n_stranger == k->stranger_cap) {
		size_t cap = k->stranger_cap ? 2 * k->stranger_cap : 64;
		struct rule *more = realloc(k->stranger, cap * sizeof(*more));
		if (!more) {
			k->failed = true;
			return;
		}
		k->stranger = more;
		k->stranger_cap = cap;
	}
	k->stranger[k->n_stranger++] = *r;
}

static void route_take(struct talk *k, const struct exabgp_route *route)
{
	struct peer *peer = peers_get(&k->peers, &route->peer);
	struct told *t = table_find(&k->table, &route->rule);

	if (!peer)
		return;
	if (!t)
		stranger_add(k, &route->rule);
	else if (!t->wanted || (t->rule.action == route->rule.action && t->rule.rate == route->rule.rate))
		t->seen |= peers_bit(&k->peers, peer); /* an old form does not count as there */
}

static int by_rule(const void *a, const void *b)
{
	return rule_compare(a, b);
}

/* Left by a process before us: into the table, as there and not wanted. */
static void strangers_take(struct talk *k)
{
	struct err e;
	size_t n = 0;

	if (k->n_stranger == 0)
		return;
	qsort(k->stranger, k->n_stranger, sizeof(*k->stranger), by_rule);
	for (size_t i = 0; i < k->n_stranger; i++)
		if (n == 0 || !rule_same_match(&k->stranger[n - 1], &k->stranger[i]))
			k->stranger[n++] = k->stranger[i];
	k->drift.foreign += n;
	if (talk_merge(k, k->stranger, n, false, &e) != STATUS_OK)
		k->failed = true;
	k->n_stranger = 0;
}

/* Not wanted: gone, or still there although it was withdrawn. */
static void judge_unwanted(struct talk *k, struct told *t, int64_t now_us)
{
	bool still = t->holders && t->leaving;

	k->drift.foreign += t->holders && !t->there;
	t->there = t->holders != 0;
	t->leaving = false; /* judged: once for each time that it is withdrawn */
	if (still)
		told_trouble(t, TROUBLE_STAYS, now_us);
}

/* It was there, and somebody took it away, from all neighbors or from some: at once again, then ever later.
 */
static void judge_missing(struct talk *k, struct told *t, int64_t now_us)
{
	k->drift.missing++;
	t->fresh = false;
	if (t->fails)
		told_trouble(t, TROUBLE_NONE, now_us);
	else
		t->fails = 1;
}

/* Is it there, by the neighbors' tables?  expected: who should have it. */
static void told_judge(struct talk *k, struct told *t, uint64_t expected, int64_t now_us)
{
	t->holders = t->seen;
	if (!t->wanted) {
		judge_unwanted(k, t, now_us);
	} else if (t->holders && (expected & ~t->holders) == 0) {
		t->there = t->fresh = t->held = true;
		t->leaving = false;
		t->trouble = TROUBLE_NONE;
		t->fails = 0;
	} else if (t->there && t->fresh && (t->holders || t->held)) {
		judge_missing(k, t, now_us);
	} else if (t->there && t->fresh) {
		t->there = t->fresh = false;
		told_trouble(t, TROUBLE_NOT_HELD, now_us);
	}
}

/* A neighbor whose table has what is ours takes it. */
static void peers_own(struct talk *k)
{
	uint64_t all = 0;

	for (size_t i = 0; i < k->table.n; i++)
		all |= k->table.told[i].seen;
	for (size_t i = 0; i < k->peers.n; i++)
		k->peers.peer[i].ours = k->peers.peer[i].ours || (all >> i & 1);
}

/* The tables have been read to their end.  What was said after the question is not in them, and still waits.
 */
static void routes_done(struct talk *k, int64_t now_us)
{
	int64_t took = now_us - k->routes_since;

	peers_own(k);
	for (size_t i = 0; i < k->table.n && !k->failed; i++) {
		struct told *t = &k->table.told[i];
		if (!t->flying)
			told_judge(
				k, t, peers_configured(&k->peers, exabgp_family(&k->way, &t->rule)), now_us);
	}
	if (!k->failed)
		strangers_take(k);
	k->routes_due = now_us + READ_AGAIN_TIMES * took;
	k->withdraw_at = k->announce_at = 0;
}

static void routes_begin(struct talk *k, int64_t now_us)
{
	for (size_t i = 0; i < k->table.n; i++)
		k->table.told[i].seen = 0;
	k->n_stranger = 0;
	k->failed = false;
	k->routes_since = now_us;
	k->routes_flying = true;
	k->ask_routes = false;
}

/* ---- answers ---- */

static void told_done(struct talk *k, const struct flight *f)
{
	struct told *t = &k->table.told[f->at];
	bool announced = f->kind == FLIGHT_ANNOUNCE;

	k->drift.renewed += announced && t->there;
	k->drift.added += announced && !t->there;
	k->drift.removed += !announced && t->there;
	t->there = announced;
	t->fresh = announced && f->version == t->version;
	t->leaving = !announced;
	if (!announced)
		t->holders = 0;
	t->trouble = TROUBLE_NONE;
}

/* There may be more to be said of it: it was passed over while it waited. */
static void look_again(struct talk *k, size_t at)
{
	if (at < k->withdraw_at)
		k->withdraw_at = at;
	if (at < k->announce_at)
		k->announce_at = at;
}

/* How a command ended. */
enum outcome { OUTCOME_DONE, OUTCOME_ERROR, OUTCOME_SILENT };

/* The oldest command is no longer waiting. */
static void land(struct talk *k, enum outcome how, int64_t now_us)
{
	struct flight f = k->flight[0];

	memmove(k->flight, k->flight + 1, --k->n_flight * sizeof(f));
	if (f.kind == FLIGHT_ROUTES) {
		k->routes_flying = false;
		k->ask_routes = k->ask_routes || how != OUTCOME_DONE;
		if (how == OUTCOME_DONE)
			routes_done(k, now_us);
		return;
	}
	if (f.kind == FLIGHT_PEERS) {
		k->peers_flying = false;
		if (how == OUTCOME_DONE)
			peers_described(&k->peers);
		return;
	}
	k->table.told[f.at].flying = false;
	look_again(k, f.at);
	if (how == OUTCOME_DONE)
		told_done(k, &f);
	else
		told_trouble(
			&k->table.told[f.at], how == OUTCOME_ERROR ? TROUBLE_ERROR : TROUBLE_SILENT, now_us);
}

/* This is the answer to a question: what was sent before it and still waits never gets one. */
static bool land_before(struct talk *k, enum flight_kind question, int64_t now_us)
{
	bool waits = question == FLIGHT_ROUTES ? k->routes_flying : k->peers_flying;

	while (waits && k->flight[0].kind != question)
		land(k, OUTCOME_SILENT, now_us);
	return waits;
}

static void answer(struct talk *k, enum outcome how, int64_t now_us)
{
	if (k->n_flight == 0)
		k->stray++;
	else
		land(k, how, now_us);
}

static void talk_line(struct talk *k, const char *line, int64_t now_us)
{
	struct exabgp_route route;
	bool rose;

	if (strcmp(line, "done") == 0) {
		answer(k, OUTCOME_DONE, now_us);
	} else if (strcmp(line, "error") == 0) {
		answer(k, OUTCOME_ERROR, now_us);
	} else if (strncmp(line, "shutdown ", 9) == 0) {
		k->gone = true;
	} else if (strncmp(line, "neighbor ", 9) == 0) {
		enum exabgp_line what = exabgp_route_read(&route, &k->way, line);
		if (what == LINE_OTHER && peers_event(&k->peers, line, &rose)) {
			k->ask_routes = k->ask_routes || rose;
			k->ask_peers = k->ask_peers || rose;
		} else if (what != LINE_OTHER && land_before(k, FLIGHT_ROUTES, now_us) && what == LINE_OURS) {
			route_take(k, &route);
		}
	} else if (strncmp(line, "Neighbor ", 9) == 0 && !land_before(k, FLIGHT_PEERS, now_us)) {
		k->junk++;
	} else if (k->n_flight > 0 && k->flight[0].kind == FLIGHT_PEERS) {
		(void)peers_describe(&k->peers, line);
	} else if (line[0]) {
		k->junk++;
	}
}

void talk_heard(struct talk *k, const void *bytes, size_t n, int64_t now_us)
{
	struct rd r = rd_of(bytes, n);

	while (rd_left(&r) > 0) {
		char c = (char)rd_u8(&r);
		if (c != '\n' && c != '\0' && k->n_line < EXABGP_LINE - 1) {
			k->line[k->n_line++] = c;
		} else if (c == '\n') {
			k->line[k->n_line] = '\0';
			if (k->line_too_long)
				k->junk++;
			else
				talk_line(k, k->line, now_us);
			k->n_line = 0;
			k->line_too_long = false;
		} else {
			k->line_too_long = true;
		}
	}
}

/* ---- what is said next ---- */

void talk_round(struct talk *k, int64_t now_us)
{
	k->withdraw_at = k->announce_at = 0;
	k->ask_peers = true;
	k->ask_routes = k->ask_routes || k->routes_due <= now_us;
}

static void fly(struct talk *k, enum flight_kind kind, size_t at)
{
	struct flight *f = &k->flight[k->n_flight++];

	*f = (struct flight){.kind = kind, .at = at};
	if (kind == FLIGHT_ANNOUNCE || kind == FLIGHT_WITHDRAW) {
		f->version = k->table.told[at].version;
		k->table.told[at].flying = true;
	}
}

static bool due(const struct told *t, bool withdraw, int64_t now_us)
{
	bool work = withdraw ? !t->wanted && t->there : t->wanted && !(t->there && t->fresh);

	return work && !t->flying && t->again_us <= now_us;
}

static bool next_change(struct talk *k, struct buf *to, bool withdraw, int64_t now_us)
{
	size_t *at = withdraw ? &k->withdraw_at : &k->announce_at;

	while (*at < k->table.n && !due(&k->table.told[*at], withdraw, now_us))
		++*at;
	if (*at == k->table.n)
		return false;
	if (withdraw)
		exabgp_withdraw(to, &k->way, &k->table.told[*at].rule);
	else
		exabgp_announce(to, &k->way, &k->table.told[*at].rule);
	fly(k, withdraw ? FLIGHT_WITHDRAW : FLIGHT_ANNOUNCE, (*at)++);
	return true;
}

static bool next_question(struct talk *k, struct buf *to, int64_t now_us)
{
	static const char routes[] = "show adj-rib out extensive\n", peers[] = "show neighbor extensive\n";

	if (k->no_questions)
		return false;
	if (!k->peers_flying && k->ask_peers) {
		k->ask_peers = false;
		k->peers_flying = true;
		k->peers.describing = NULL;
		buf_put(to, peers, sizeof(peers) - 1);
		fly(k, FLIGHT_PEERS, 0);
		return true;
	}
	if (!k->routes_flying && k->ask_routes) {
		routes_begin(k, now_us);
		buf_put(to, routes, sizeof(routes) - 1);
		fly(k, FLIGHT_ROUTES, 0);
		return true;
	}
	return false;
}

bool talk_next(struct talk *k, struct buf *to, int64_t now_us)
{
	if (k->gone)
		return false;
	if (k->n_flight < EXABGP_WINDOW)
		if (next_change(k, to, true, now_us) || next_change(k, to, false, now_us))
			return true;
	bool all_said = k->withdraw_at == k->table.n && k->announce_at == k->table.n;
	return all_said && next_question(k, to, now_us);
}

bool talk_quiet(const struct talk *k)
{
	return k->n_flight == 0;
}

bool talk_reads(const struct talk *k)
{
	return k->n_flight == 1 && k->flight[0].kind == FLIGHT_ROUTES;
}
