/* The search: tasks for threads, results in one order.
 *
 * A task is a group of in-legs, a table of the index, against a stretch of out-legs.  Threads take tasks in
 * turn and the caller's thread hands their results out task by task, so that what is found, and in which
 * order, does not depend on who was faster.  No task is begun far ahead of those handed out: results waiting
 * take little memory.  Pairs that the index lets pass are tested as all others would be; the test is a pure
 * function of the pair, so the order in which it is asked does not matter. */
#include "trace/scan_in.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trace/index.h"
#include "trace/role.h"

#define OUT_RUN     4096 /* out-legs of a task */
#define OUT_RUN_ALL 64   /* where every pair is a result */
#define AHEAD       64   /* tasks that may be done before they are handed out */
#define THREADS_MAX 8
#define SHOW_MS     200 /* between two looks at the progress */
#define ERROR_MAX   (INT64_C(1) << 50)

struct result {
	const struct scan_leg *in, *out;
	struct link_result link;
};

struct task {
	struct scan_set *set;
	const struct meeting *meeting;
	const struct scan_leg *in, *out;
	size_t n_in, n_out;
	struct result *result;
	size_t n_result, cap_result;
	uint64_t tested, undecidable;
	bool done;
};

struct search {
	struct scan *sc;
	struct task *task;
	size_t n_task, cap_task;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t moved;  /* a task was done, or handed out */
	size_t next, handed;
	double pairs; /* that were searched, about */
	bool stop;
	enum status status;
	struct err err;
};

/* What a thread works with. */
struct worker {
	struct search *s;
	struct relink_room room;
	struct index index;
	struct lane in[INDEX_COLUMNS], in_fwd[INDEX_COLUMNS], out, out_fwd;
	bool have_in_fwd[INDEX_COLUMNS], have_out_fwd; /* filled when first asked for */
	struct null_limits limits;
	int64_t *in_mem, *out_mem, *fwd_mem, *scratch;
	size_t in_cap, out_cap, fwd_cap, scratch_cap, n_shifted;
	struct burst *shifted;
};

static bool room_for(int64_t **mem, size_t *cap, size_t need)
{
	if (need <= *cap)
		return true;
	free(*mem);
	*cap = need + need / 2;
	*mem = malloc(*cap * sizeof(**mem));
	if (!*mem)
		*cap = 0;
	return *mem != NULL;
}

/* The direction in which the answers of a leg go: OUT's to the host, IN's away from it. */
static int answers_of(const struct scan_leg *l, bool in)
{
	return flow_side(l->flow, &l->view->host) ^ !in;
}

static bool in_lanes(struct worker *w, const struct task *k)
{
	struct blinds blind = {k->meeting->blind, k->meeting->n_blind};
	size_t need = 0;

	for (size_t i = 0; i < k->n_in; i++)
		need += 2 * (k->in[i].flow->n_burst[0] + k->in[i].flow->n_burst[1]);
	if (!room_for(&w->in_mem, &w->in_cap, need + 1))
		return false;
	int64_t *at = w->in_mem;
	for (size_t i = 0; i < k->n_in; i++) {
		const struct flow *f = k->in[i].flow;
		int d = answers_of(&k->in[i], true);
		struct link_train t = {f->burst[d], f->n_burst[d]};
		w->in[i] = (struct lane){.start = at, .end = at + t.n};
		lane_fill(&w->in[i], &t, 0, &blind);
		at += 2 * t.n;
		t.n = f->n_burst[!d];
		w->in_fwd[i] = (struct lane){.start = at, .end = at + t.n};
		w->have_in_fwd[i] = false;
		at += 2 * t.n;
	}
	return true;
}

static struct link_train train_of(const struct flow *f, int d)
{
	return (struct link_train){f->burst[d], f->n_burst[d]};
}

static struct link_leg leg_of(const struct scan_leg *l, bool in)
{
	int d = answers_of(l, in);

	return (struct link_leg){.fwd = train_of(l->flow, !d), .back = train_of(l->flow, d)};
}

static int64_t clock_error(const struct task *k)
{
	int64_t e = k->meeting->clock.error_us;

	if (!k->meeting->apart || e < 0)
		return 0;
	return e < ERROR_MAX ? e : ERROR_MAX;
}

/* OUT's answers on IN's clock. */
static bool shifted(struct worker *w, const struct task *k, struct link_train *t)
{
	if (!k->meeting->apart)
		return true;
	if (t->n > w->n_shifted) {
		struct burst *b = realloc(w->shifted, t->n * sizeof(*b));
		if (!b)
			return false;
		w->shifted = b;
		w->n_shifted = t->n;
	}
	for (size_t i = 0; i < t->n; i++) {
		w->shifted[i] = t->b[i];
		w->shifted[i].start_us = clock_in(&k->meeting->clock, t->b[i].start_us);
	}
	t->b = w->shifted;
	return true;
}

static bool out_answers(struct worker *w, const struct task *k, const struct scan_leg *out, struct answers *a)
{
	int d = answers_of(out, false);
	struct link_train t = {out->flow->burst[d], out->flow->n_burst[d]};
	struct blinds blind = {k->meeting->blind, k->meeting->n_blind};

	if (!shifted(w, k, &t) || !room_for(&w->out_mem, &w->out_cap, 2 * t.n + 1))
		return false;
	w->out = (struct lane){.start = w->out_mem, .end = w->out_mem + t.n};
	index_answers(a, &w->out, &t, &blind, clock_error(k));
	return true;
}

/* The forward lanes, which few pairs need. */
static bool forward(struct worker *w, const struct task *k, size_t in, const struct scan_leg *out)
{
	struct blinds blind = {k->meeting->blind, k->meeting->n_blind};
	const struct flow *f = k->in[in].flow;
	int d = !answers_of(&k->in[in], true), o = !answers_of(out, false);

	if (!w->have_in_fwd[in])
		lane_fill(&w->in_fwd[in], &(struct link_train){f->burst[d], f->n_burst[d]}, 0, &blind);
	w->have_in_fwd[in] = true;
	if (w->have_out_fwd)
		return true;
	struct link_train t = {out->flow->burst[o], out->flow->n_burst[o]};
	if (!shifted(w, k, &t) || !room_for(&w->fwd_mem, &w->fwd_cap, 2 * t.n + 1) ||
		!room_for(&w->scratch, &w->scratch_cap, 2 * w->out.n + 1))
		return false;
	w->out_fwd = (struct lane){.start = w->fwd_mem, .end = w->fwd_mem + t.n};
	lane_fill(&w->out_fwd, &t, 0, &blind);
	w->have_out_fwd = true;
	return true;
}

/* Could the pair be proven?  Its legs are on one clock. */
static enum status could_be(struct worker *w, const struct task *k, size_t in, const struct scan_leg *out,
	bool *to, struct err *e)
{
	*to = index_conserves(&w->out, &w->in[in]);
	if (!*to)
		return STATUS_OK;
	if (!forward(w, k, in, out))
		return err_nomem(e);
	struct link_leg in_leg = leg_of(&k->in[in], true), out_leg = leg_of(out, false);
	struct blinds blind = {k->meeting->blind, k->meeting->n_blind};
	struct index_pair p = {.in_fwd = &w->in_fwd[in],
		.in_back = &w->in[in],
		.out_fwd = &w->out_fwd,
		.out_back = &w->out,
		.in = k->meeting->apart ? NULL : &in_leg,
		.out = k->meeting->apart ? NULL : &out_leg,
		.blind = &blind,
		.needed = w->s->sc->needed};
	*to = index_shaped(&p, &w->limits, w->scratch);
	return STATUS_OK;
}

static bool keep(struct task *k, const struct result *r)
{
	if (k->n_result == k->cap_result) {
		size_t cap = k->cap_result ? 2 * k->cap_result : 16;
		struct result *p = realloc(k->result, cap * sizeof(*p));
		if (!p)
			return false;
		k->result = p;
		k->cap_result = cap;
	}
	k->result[k->n_result++] = *r;
	return true;
}

static void pair_for(const struct scan *sc, const struct task *k, const struct scan_leg *in,
	const struct scan_leg *out, struct relink *to)
{
	int in_way = !flow_side(in->flow, &in->view->host);

	*to = (struct relink){.in = in->flow,
		.out = out->flow,
		.in_way = in_way,
		.out_way = flow_side(out->flow, &out->view->host),
		.in_opened = flow_opener(in->flow) != in_way,
		.apart = k->meeting->apart,
		.clock = k->meeting->clock,
		.blind = k->meeting->blind,
		.n_blind = k->meeting->n_blind,
		.needed = sc->needed};
}

static enum status test_pair(struct worker *w, struct task *k, const struct scan_leg *in,
	const struct scan_leg *out, struct err *e)
{
	const struct scan *sc = w->s->sc;
	struct result r = {.in = in, .out = out};
	struct relink p;

	if (!scan_is_pair(sc, k->set, in, out) || (!k->set->apart && scan_told_inside(sc, in, out)))
		return STATUS_OK;
	pair_for(sc, k, in, out, &p);
	enum status s = relink_test(&w->room, &p, &r.link, e);
	if (s != STATUS_OK)
		return s;
	k->tested++;
	k->undecidable += r.link.verdict == LINK_UNDECIDABLE;
	if (r.link.verdict != LINK_PROVEN && !sc->p->all)
		return STATUS_OK;
	return keep(k, &r) ? STATUS_OK : err_nomem(e);
}

static enum status row(struct worker *w, struct task *k, const struct scan_leg *out, struct err *e)
{
	bool all = w->s->sc->p->all, exact = clock_error(k) == 0;
	uint64_t may[INDEX_WORDS];
	struct answers a;
	enum status s = STATUS_OK;

	if (!all && !out_answers(w, k, out, &a))
		return err_nomem(e);
	if (all)
		memset(may, 0xff, sizeof(may));
	else if (!index_find(&w->index, &a, may))
		return STATUS_OK;
	w->have_out_fwd = false;
	for (size_t i = 0; i < k->n_in && s == STATUS_OK; i++) {
		bool may_be = may[i / 64] >> i % 64 & 1;
		if (may_be && !all && exact)
			s = could_be(w, k, i, out, &may_be, e);
		if (s == STATUS_OK && may_be)
			s = test_pair(w, k, &k->in[i], out, e);
	}
	return s;
}

/* Counts what was searched; false where the search is to end. */
static bool go_on(struct search *s, double pairs, enum status st, const struct err *e)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->pairs += pairs;
	if (st != STATUS_OK && s->status == STATUS_OK) {
		s->status = st;
		s->err = *e;
	}
	s->stop = s->stop || s->status != STATUS_OK || scan_stopped(s->sc);
	bool on = !s->stop;
	(void)pthread_mutex_unlock(&s->mutex);
	return on;
}

static void task_run(struct worker *w, struct task *k)
{
	struct err e = {0};
	double all = (double)k->set->n_in * (double)k->set->n_out;
	double each = (double)k->set->pairs / all * (double)k->n_in;
	enum status s = STATUS_OK;

	if (!w->s->sc->p->all && (!in_lanes(w, k) || !index_fill(&w->index, w->in, k->n_in, clock_error(k))))
		s = err_nomem(&e);
	for (size_t i = 0; go_on(w->s, i ? each : 0, s, &e) && i < k->n_out; i++)
		s = row(w, k, &k->out[i], &e);
}

/* The next task, or NULL at the end. */
static struct task *take(struct search *s)
{
	struct task *k = NULL;

	(void)pthread_mutex_lock(&s->mutex);
	while (!s->stop && s->next < s->n_task && s->next >= s->handed + AHEAD)
		(void)pthread_cond_wait(&s->moved, &s->mutex);
	if (!s->stop && s->next < s->n_task)
		k = &s->task[s->next++];
	(void)pthread_mutex_unlock(&s->mutex);
	return k;
}

static void finished(struct search *s, struct task *k)
{
	(void)pthread_mutex_lock(&s->mutex);
	k->done = true;
	(void)pthread_cond_broadcast(&s->moved);
	(void)pthread_mutex_unlock(&s->mutex);
}

static void worker_free(struct worker *w)
{
	relink_free(&w->room);
	index_free(&w->index);
	free(w->in_mem);
	free(w->out_mem);
	free(w->fwd_mem);
	free(w->scratch);
	free(w->shifted);
	free(w);
}

static void *work(void *self)
{
	struct search *s = self;
	struct worker *w = calloc(1, sizeof(*w));
	struct err e = {0};
	struct task *k;

	if (!w) {
		(void)go_on(s, 0, err_nomem(&e), &e);
		return NULL;
	}
	w->s = s;
	null_limits_init(&w->limits);
	while ((k = take(s)) != NULL) {
		task_run(w, k);
		finished(s, k);
	}
	worker_free(w);
	return NULL;
}

/* Is this link of two hosts told at one of them, where a copy of the other leg is? */
static bool told_at_home(const struct result *r)
{
	const struct view *at[2] = {r->out->view, r->in->view};
	const struct flow *leg[2] = {r->in->flow, r->out->flow};

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < at[k]->n; i++)
			if (flow_rewritten(at[k]->by_tuple[i], leg[k]))
				return true;
	return false;
}

static enum status role_for(const struct scan *sc, const struct result *r, struct role *to, struct err *e)
{
	const struct ip *host = &r->in->view->host;

	if (r->in->view == r->out->view)
		return role_of(sc->t, r->in->view, r->in->flow, r->out->flow, to, e);
	to->why[0] = '\0';
	to->name = relay_declared(sc->t->cfg, r->in->flow, host) ? "declared" : "relay";
	return STATUS_OK;
}

static enum status hand_out(const struct scan *sc, struct result *r, struct err *e)
{
	struct scan_link l = {.relay = r->in->view->host,
		.relay_out = r->out->view->host,
		.in = r->in->flow,
		.out = r->out->flow,
		.link = r->link,
		.needed = sc->needed};
	struct role role;

	tracer_settle(sc->t, &l.link);
	bool proven = l.link.verdict == LINK_PROVEN;
	bool withheld = l.link.verdict == LINK_UNDECIDABLE && r->link.verdict == LINK_PROVEN;
	sc->sum->undecidable += withheld;
	sc->sum->withheld += withheld;
	if ((!proven && !sc->p->all) || (proven && r->in->view != r->out->view && told_at_home(r)))
		return STATUS_OK;
	enum status s = role_for(sc, r, &role, e);
	if (s != STATUS_OK)
		return s;
	l.role = role.name;
	l.role_why = role.why;
	bool declared = proven && strcmp(role.name, "declared") == 0;
	sc->sum->proven += proven;
	sc->sum->declared += declared;
	if (declared && sc->p->undeclared)
		return STATUS_OK;
	return sc->p->found(sc->p->self, &l, e);
}

/* What a task found; the copies at a host after its last task. */
static enum status task_told(struct search *s, struct task *k, struct err *e)
{
	struct scan *sc = s->sc;
	enum status st = STATUS_OK;
	bool last = k + 1 == s->task + s->n_task || k[1].set->view != k->set->view;

	for (size_t i = 0; i < k->n_result && st == STATUS_OK; i++)
		st = hand_out(sc, &k->result[i], e);
	free(k->result);
	k->result = NULL;
	sc->sum->tested += k->tested;
	sc->sum->undecidable += k->undecidable;
	if (st == STATUS_OK && last && !k->set->apart && !scan_stopped(sc))
		st = scan_rewritten(sc, k->set->view, e);
	return st;
}

static void show(struct search *s)
{
	const struct scan_param *p = s->sc->p;

	if (p->progress)
		p->progress(p->self, (uint64_t)s->pairs, s->sc->pairs);
}

/* Waits for a task; false where it was never begun.  Stopping, those that were begun end soon. */
static bool await(struct search *s, const struct task *k)
{
	struct timespec t;

	(void)pthread_mutex_lock(&s->mutex);
	while (!k->done && !(s->stop && (size_t)(k - s->task) >= s->next)) {
		(void)clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += SHOW_MS * 1000000L;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&s->moved, &s->mutex, &t) == ETIMEDOUT)
			show(s);
	}
	bool done = k->done;
	(void)pthread_mutex_unlock(&s->mutex);
	return done;
}

static enum status hand_all(struct search *s, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < s->n_task && st == STATUS_OK && await(s, &s->task[i]); i++) {
		st = task_told(s, &s->task[i], e);
		(void)pthread_mutex_lock(&s->mutex);
		s->handed = i + 1;
		(void)pthread_cond_broadcast(&s->moved);
		(void)pthread_mutex_unlock(&s->mutex);
	}
	if (st != STATUS_OK)
		(void)go_on(s, 0, st, e);
	(void)pthread_mutex_lock(&s->mutex);
	s->stop = true; /* whoever still waits ends */
	(void)pthread_cond_broadcast(&s->moved);
	(void)pthread_mutex_unlock(&s->mutex);
	return st;
}

static enum status threads(struct search *s, struct err *e)
{
	pthread_t thread[THREADS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = 0, most = cpus > THREADS_MAX ? THREADS_MAX : cpus > 0 ? (size_t)cpus : 1;

	if (s->sc->p->threads)
		most = s->sc->p->threads < THREADS_MAX ? s->sc->p->threads : THREADS_MAX;
	while (n < most && pthread_create(&thread[n], NULL, work, s) == 0)
		n++;
	if (n == 0)
		return err_set(e, STATUS_MACHINE, "no thread can be started");
	enum status st = hand_all(s, e);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	if (st == STATUS_OK && s->status != STATUS_OK) {
		*e = s->err;
		st = s->status;
	}
	return st;
}

/* One point's in-legs against another's out-legs. */
static enum status tasks_of(struct search *s, const struct task *all, struct err *e)
{
	size_t run = s->sc->p->all ? OUT_RUN_ALL : OUT_RUN;

	for (size_t i = 0; i < all->n_in; i += INDEX_COLUMNS)
		for (size_t o = 0; o < all->n_out; o += run) {
			if (s->n_task == s->cap_task) {
				size_t cap = s->cap_task ? 2 * s->cap_task : 64;
				struct task *k = realloc(s->task, cap * sizeof(*k));
				if (!k)
					return err_nomem(e);
				s->task = k;
				s->cap_task = cap;
			}
			struct task *k = &s->task[s->n_task++];
			*k = *all;
			k->in += i;
			k->out += o;
			k->n_in = all->n_in - i < INDEX_COLUMNS ? all->n_in - i : INDEX_COLUMNS;
			k->n_out = all->n_out - o < run ? all->n_out - o : run;
		}
	return STATUS_OK;
}

static size_t point_end(const struct scan_leg *leg, size_t n, size_t at)
{
	uint32_t point = leg[at].point;

	while (at < n && leg[at].point == point)
		at++;
	return at;
}

static enum status tasks_of_set(struct search *s, struct scan_set *set, struct err *e)
{
	struct scan *sc = s->sc;
	enum status st = STATUS_OK;

	for (size_t i = 0, ni; i < set->n_in && st == STATUS_OK; i = ni) {
		ni = point_end(set->in, set->n_in, i);
		for (size_t o = 0, no; o < set->n_out && st == STATUS_OK; o = no) {
			no = point_end(set->out, set->n_out, o);
			struct task all = {.set = set,
				.in = set->in + i,
				.out = set->out + o,
				.n_in = ni - i,
				.n_out = no - o};
			st = meeting_get(set->view, sc->point[set->in[i].point], sc->point[set->out[o].point],
				sc->t->cfg->clock_skew_us, &all.meeting, e);
			if (st == STATUS_OK)
				st = tasks_of(s, &all, e);
		}
	}
	return st;
}

enum status scan_run(struct scan *sc, struct err *e)
{
	struct search s = {.sc = sc, .mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
	enum status st = STATUS_OK;

	for (size_t i = 0; i < sc->n_set && st == STATUS_OK && !scan_stopped(sc); i++)
		st = tasks_of_set(&s, &sc->set[i], e);
	if (st == STATUS_OK && !scan_stopped(sc))
		st = threads(&s, e);
	sc->sum->searched = scan_stopped(sc) ? (uint64_t)s.pairs : sc->pairs;
	for (size_t i = 0; i < s.n_task; i++)
		free(s.task[i].result);
	free(s.task);
	(void)pthread_mutex_destroy(&s.mutex);
	(void)pthread_cond_destroy(&s.moved);
	return st;
}
