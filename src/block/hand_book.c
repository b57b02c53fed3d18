/* The hand's book: plans and orders that verified, and what becomes of them in a round.
 *
 * An order is verified when it is shown, and the guard is asked about it in every round, with the machine's
 * addresses as they are then.  The book is as large as what is in force: what a round does not name is
 * forgotten, and so is a plan that no order refers to. */
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "block/guard_here.h"
#include "block/hand_in.h"

#define WHY_BYTES sizeof(((struct hand_result *)0)->why)

struct book_plan {
	struct arena arena;
	struct plan plan;
};

struct book_order {
	struct id id;
	struct arena arena;
	struct order order;
	const struct book_plan *plan;
	int64_t until_boot_us; /* it does not live longer, whatever the clock is set to */
	uint8_t passed[32];    /* the guard that it passed, as guard_print() has it; all zero: none */
	bool bad;              /* did not verify: why */
	bool named;            /* in this round */
	char why[WHY_BYTES];
};

struct book {
	const struct backend *backend;
	void *outside;
	const struct config *cfg;
	const struct vkey *logs;
	size_t n_logs;
	struct wall last; /* of the round before */
	struct arena arena;
	struct ip *resolver;
	size_t n_resolver;
	struct book_plan **plan;
	size_t n_plan, cap_plan;
	struct book_order **order; /* sorted by id */
	size_t n_order, cap_order;
};

struct book *book_open(const struct backend *b, void *outside, const struct config *cfg,
	const struct vkey *logs, size_t n_logs)
{
	struct book *book = calloc(1, sizeof(*book));

	if (book) {
		book->backend = b;
		book->outside = outside;
		book->cfg = cfg;
		book->logs = logs;
		book->n_logs = n_logs;
	}
	return book;
}

enum status book_resolvers(struct book *b, struct err *e)
{
	return guard_resolvers(&b->resolver, &b->n_resolver, &b->arena, e);
}

static void plan_free(struct book_plan *p)
{
	if (!p)
		return;
	arena_free(&p->arena);
	free(p);
}

static void order_free(struct book_order *o)
{
	if (!o)
		return;
	arena_free(&o->arena);
	free(o);
}

void book_close(struct book *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_order; i++)
		order_free(b->order[i]);
	for (size_t i = 0; i < b->n_plan; i++)
		plan_free(b->plan[i]);
	free(b->order);
	free(b->plan);
	arena_free(&b->arena);
	free(b);
}

/* The array with room for one more pointer, NULL where memory is out (the old one stays). */
static void *grown(void *array, size_t n, size_t *cap)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *new;

	if (n < *cap)
		return array;
	new = reallocarray(array, more, sizeof(void *));
	if (new)
		*cap = more;
	return new;
}

/* ---- what is shown ---- */

static const struct book_plan *plan_find(const struct book *b, const char *sha)
{
	for (size_t i = 0; i < b->n_plan; i++)
		if (strcmp(b->plan[i]->plan.sha256, sha) == 0)
			return b->plan[i];
	return NULL;
}

/* A plan that does not verify is not kept: its orders will not find it. */
enum status book_plan(struct book *b, struct rd r, struct err *e)
{
	struct book_plan *p = calloc(1, sizeof(*p));
	struct proven_text t;
	char sha[65];
	enum status s;

	void *room = grown(b->plan, b->n_plan, &b->cap_plan);

	if (room)
		b->plan = room;
	if (!p || !room) {
		free(p);
		return err_nomem(e);
	}
	frame_proven(&t, &r);
	s = proof_check(&t, "plan", b->logs, b->n_logs, sha, e);
	if (s == STATUS_OK)
		s = plan_read(&p->plan, t.text, t.n, &p->arena, e);
	if (s == STATUS_OK && (strcmp(p->plan.sha256, sha) != 0 || plan_find(b, sha)))
		s = STATUS_NO;
	if (s == STATUS_OK)
		b->plan[b->n_plan++] = p;
	else
		plan_free(p);
	return s == STATUS_MACHINE ? s : STATUS_OK;
}

static int64_t boot_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static enum status order_check(
	struct book *b, struct book_order *o, const struct proven_text *t, struct err *e)
{
	struct wall now = world_real.now(NULL);
	struct id id;
	char sha[65];
	int64_t left, whole;
	enum status s = proof_check(t, "order", b->logs, b->n_logs, sha, e);

	if (s == STATUS_OK && (!id_of(&id, t->text, t->n) || id_order(&id, &o->id) != 0))
		s = err_set(e, STATUS_NO, "its text is of another order");
	if (s == STATUS_OK)
		s = order_read(&o->order, t->text, t->n, &o->arena, e);
	if (s != STATUS_OK)
		return s;
	o->plan = plan_find(b, o->order.plan);
	if (!o->plan)
		return err_set(e, STATUS_NO, "its plan does not verify against the ledger");
	left = o->order.expires.us - now.us;
	whole = o->order.expires.us - o->order.made.us;
	o->until_boot_us = boot_us() + (left < whole ? left : whole);
	return STATUS_OK;
}

/* Where the id stands, or should. */
static size_t order_at(const struct book *b, const struct id *id)
{
	size_t low = 0, high = b->n_order;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id_order(&b->order[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct book_order *order_find(const struct book *b, const struct id *id)
{
	size_t at = order_at(b, id);

	return at < b->n_order && id_order(&b->order[at]->id, id) == 0 ? b->order[at] : NULL;
}

enum status book_order(struct book *b, struct rd r, struct err *e)
{
	struct book_order *o = calloc(1, sizeof(*o));
	struct proven_text t;
	size_t at;
	enum status s;

	void *room = grown(b->order, b->n_order, &b->cap_order);

	if (room)
		b->order = room;
	if (!o || !room) {
		free(o);
		return err_nomem(e);
	}
	(void)frame_id(&o->id, &r);
	frame_proven(&t, &r);
	if (order_find(b, &o->id)) {
		order_free(o);
		return STATUS_OK;
	}
	s = order_check(b, o, &t, e);
	o->bad = s != STATUS_OK;
	if (o->bad)
		(void)snprintf(o->why, sizeof(o->why), "%.*s", (int)sizeof(o->why) - 1, e->text);
	at = order_at(b, &o->id);
	memmove(&b->order[at + 1], &b->order[at], (b->n_order - at) * sizeof(*b->order));
	b->order[at] = o;
	b->n_order++;
	return s == STATUS_MACHINE ? s : STATUS_OK;
}

/* ---- a round ---- */

struct round {
	struct book *book;
	bool look;
	struct wall now;
	int64_t boot_us;
	struct arena *a;
	struct guard guard;
	uint8_t print[32];
	struct hand_reply reply;
	struct order *order; /* n_wish of those that are taken, ending as they do here */
	struct wish *wish;
	size_t *of; /* the result of each */
	size_t n_wish, n_rule;
	bool *kept;
	struct want *want;
	struct have *have;
	size_t n_want;
};

static enum status round_named(struct round *r, struct rd body, struct err *e)
{
	struct hand_reply *to = &r->reply;
	size_t n;

	r->look = rd_u8(&body) == 1;
	n = rd_le32(&body);
	if (body.bad || n > rd_left(&body) / sizeof(struct id))
		return err_set(e, STATUS_MACHINE, "a round that is none");
	to->result = arena_array(r->a, n + 1, sizeof(*to->result));
	r->order = arena_array(r->a, n + 1, sizeof(*r->order));
	r->wish = arena_array(r->a, n + 1, sizeof(*r->wish));
	r->of = arena_array(r->a, n + 1, sizeof(*r->of));
	r->kept = arena_array(r->a, n + 1, sizeof(*r->kept));
	if (!to->result || !r->order || !r->wish || !r->of || !r->kept)
		return err_nomem(e);
	for (; to->n < n; to->n++)
		(void)frame_id(&to->result[to->n].id, &body);
	return STATUS_OK;
}

/* What the guard's answer hangs on, but for the clock. */
static bool guard_print(uint8_t to[32], const struct guard *g)
{
	struct buf b = {0};
	bool ok;

	buf_put(&b, g->widest, sizeof(g->widest));
	buf_put(&b, g->confirm, sizeof(g->confirm));
	for (size_t i = 0; i < g->n_protected; i++) {
		const struct protected *p = &g->protected[i];
		buf_u8(&b, (uint8_t)p->why);
		buf_u8(&b, p->prefix.len);
		buf_u8(&b, p->prefix.ip.v);
		buf_put(&b, p->prefix.ip.b, sizeof(p->prefix.ip.b));
	}
	ok = !b.failed && sha256(to, b.p, b.n);
	buf_free(&b);
	return ok;
}

/* Asks the guard, unless it let this order pass before, nothing that it protects has changed, and the clock
 * went forward: then only the order's end could say otherwise. */
static enum status guard_ask(struct round *r, struct book_order *o, struct err *e)
{
	enum status s;

	if (memcmp(o->passed, r->print, sizeof(o->passed)) == 0 && r->now.us >= r->book->last.us)
		return STATUS_OK;
	s = guard_order(&r->guard, &o->order, &o->plan->plan, r->now, e);
	memset(o->passed, 0, sizeof(o->passed));
	if (s == STATUS_OK)
		memcpy(o->passed, r->print, sizeof(o->passed));
	return s;
}

/* May it be in force now?  *to: the order, ending when it ends here. */
static enum status order_ask(struct round *r, struct book_order *o, struct order *to, struct err *e)
{
	int64_t left = o->until_boot_us - r->boot_us;
	enum status s;

	*to = o->order;
	if (left <= 0 || to->expires.us <= r->now.us)
		return err_set(e, STATUS_NO, "has expired");
	s = guard_ask(r, o, e);
	if (s == STATUS_OK)
		s = guard_room(&r->guard, r->n_rule, to, e);
	if (to->expires.us - r->now.us > left)
		to->expires.us = r->now.us + left;
	return s;
}

/* One order that is refused does not hold up the others. */
static enum status round_take(struct round *r, size_t i, struct err *e)
{
	struct hand_result *x = &r->reply.result[i];
	struct book_order *o = order_find(r->book, &x->id);
	const char *why = "was not shown";
	enum status s = STATUS_NO;

	if (o)
		o->named = true;
	if (o && o->bad)
		why = o->why;
	else if (o) {
		r->kept[i] = true;
		s = order_ask(r, o, &r->order[r->n_wish], e);
		why = e->text;
	}
	if (s == STATUS_OK) {
		x->taken = true;
		r->n_rule += r->order[r->n_wish].n_rule;
		r->wish[r->n_wish].order = &r->order[r->n_wish];
		r->of[r->n_wish++] = i;
	} else
		(void)snprintf(x->why, sizeof(x->why), "%.*s", (int)sizeof(x->why) - 1, why);
	return s == STATUS_MACHINE ? s : STATUS_OK;
}

/* What the rules of one order came to. */
static void round_tell(const struct round *r, size_t i)
{
	struct hand_result *x = &r->reply.result[r->of[i]];
	const struct wish *w = &r->wish[i];

	x->installed = w->at != NULL;
	for (size_t k = 0; w->at && k < w->order->n_rule; k++) {
		const struct have *h = &r->have[w->at[k]];
		bool there = h->state == INSTALL_OK || h->state == INSTALL_ANNOUNCED;
		if (!there && x->installed)
			(void)snprintf(x->why, sizeof(x->why), "%s", *h->why ? h->why : "is not installed");
		x->installed = x->installed && there;
		x->packets += h->packets;
		x->bytes += h->bytes;
	}
}

static enum status round_run(struct round *r, struct err *e)
{
	struct book *b = r->book;
	enum status s = guard_kernel(&r->guard, b->cfg, b->resolver, b->n_resolver, r->a, e);

	if (s == STATUS_OK && !guard_print(r->print, &r->guard))
		s = err_nomem(e);
	for (size_t i = 0; i < r->reply.n && s == STATUS_OK; i++)
		s = round_take(r, i, e);
	if (s == STATUS_OK)
		s = want_merge(r->wish, r->n_wish, r->now, &r->want, &r->n_want, r->a, e);
	if (s == STATUS_OK) {
		r->have = arena_array(r->a, r->n_want + 1, sizeof(*r->have));
		if (!r->have)
			s = err_nomem(e);
	}
	if (s == STATUS_OK)
		s = b->backend->sync(
			b->outside, r->want, r->n_want, r->now, r->look, r->have, &r->reply.drift, e);
	for (size_t i = 0; i < r->n_wish && s == STATUS_OK; i++)
		round_tell(r, i);
	return s;
}

/* What this round did not name, or did not verify, is forgotten; then plans that nobody needs. */
static void book_forget(struct book *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_order; i++)
		if (b->order[i]->named && !b->order[i]->bad) {
			b->order[i]->named = false;
			b->order[n++] = b->order[i];
		} else
			order_free(b->order[i]);
	b->n_order = n;
	n = 0;
	for (size_t i = 0; i < b->n_plan; i++) {
		bool used = false;
		for (size_t k = 0; k < b->n_order && !used; k++)
			used = b->order[k]->plan == b->plan[i];
		if (used)
			b->plan[n++] = b->plan[i];
		else
			plan_free(b->plan[i]);
	}
	b->n_plan = n;
}

void book_sync(struct book *b, struct rd body, struct buf *reply)
{
	struct arena arena = {0};
	struct err e = {0};
	struct round r = {.book = b, .a = &arena, .now = world_real.now(NULL), .boot_us = boot_us()};
	enum status s = round_named(&r, body, &e);

	if (s == STATUS_OK)
		s = round_run(&r, &e);
	else
		r.reply.n = 0;
	b->last = r.now;
	book_forget(b);
	reply_put(reply, s, &e, &r.reply, r.kept);
	arena_free(&arena);
}
