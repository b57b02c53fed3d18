/* The search: tasks for threads, results in one order.
 *
 * A task is a group of in-legs, a table of the index, against a stretch of out-legs.  Threads take tasks in
 * turn and the caller's thread hands their results out task by task, so that what is found, and in which
 * order, does not depend on who was faster.  No task is begun far ahead of those handed out: results waiting
 * take little memory. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/grow.h"
#include "trace/index.h"
#include "trace/scan_task.h"

#define OUT_RUN     4096 /* out-legs of a task */
#define OUT_RUN_ALL 64   /* where every pair is a result */
#define AHEAD       64   /* tasks that may be done before they are handed out */
#define THREADS_MAX 8
#define SHOW_MS     200 /* between two looks at the progress */

struct run {
	struct scan *sc;
	struct scan_task *task;
	size_t n_task, cap_task;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t moved;  /* a task was done, or handed out */
	size_t next, handed;
	double pairs; /* that were searched, about */
	bool stop;
	enum status status;
	struct err err;
};

/* ---- the threads ---- */

/* Counts what was searched; false where the search is to end. */
static bool go_on(struct run *s, double pairs, enum status st, const struct err *e)
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

static void task_run(struct run *s, struct scan_look *w, struct scan_task *k)
{
	struct err e = {0};
	double all = (double)k->set->n_in * (double)k->set->n_out;
	double each = (double)k->set->pairs / all * (double)k->n_in;
	enum status st = scan_look_begin(w, k, &e);

	for (size_t i = 0; go_on(s, i ? each : 0, st, &e) && i < k->n_out; i++)
		st = scan_look_row(w, k, &k->out[i], &e);
}

/* The next task, or NULL at the end. */
static struct scan_task *take(struct run *s)
{
	struct scan_task *k = NULL;

	(void)pthread_mutex_lock(&s->mutex);
	while (!s->stop && s->next < s->n_task && s->next >= s->handed + AHEAD)
		(void)pthread_cond_wait(&s->moved, &s->mutex);
	if (!s->stop && s->next < s->n_task)
		k = &s->task[s->next++];
	(void)pthread_mutex_unlock(&s->mutex);
	return k;
}

static void finished(struct run *s, struct scan_task *k)
{
	(void)pthread_mutex_lock(&s->mutex);
	k->done = true;
	(void)pthread_cond_broadcast(&s->moved);
	(void)pthread_mutex_unlock(&s->mutex);
}

static void *work(void *self)
{
	struct run *s = self;
	struct scan_look *w = scan_look_new(s->sc);
	struct err e = {0};
	struct scan_task *k;

	if (!w) {
		(void)go_on(s, 0, err_nomem(&e), &e);
		return NULL;
	}
	while ((k = take(s)) != NULL) {
		task_run(s, w, k);
		finished(s, k);
	}
	scan_look_free(w);
	return NULL;
}

/* ---- the caller's ---- */

static void show(struct run *s)
{
	const struct scan_param *p = s->sc->p;

	if (p->progress)
		p->progress(p->self, (uint64_t)s->pairs, s->sc->pairs);
}

/* Waits for a task; false where it was never begun.  Stopping, those that were begun end soon. */
static bool await(struct run *s, const struct scan_task *k)
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

/* Is k the last task of its view? */
static bool is_last(const struct run *s, const struct scan_task *k)
{
	return k + 1 == s->task + s->n_task || k[1].set->view != k->set->view;
}

static enum status hand_all(struct run *s, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < s->n_task && st == STATUS_OK && await(s, &s->task[i]); i++) {
		st = scan_tell(s->sc, &s->task[i], is_last(s, &s->task[i]), e);
		(void)pthread_mutex_lock(&s->mutex);
		s->handed = i + 1;
		(void)pthread_cond_broadcast(&s->moved);
		(void)pthread_mutex_unlock(&s->mutex);
	}
	if (st == STATUS_OK)
		st = scan_tell_held(s->sc, e);
	if (st != STATUS_OK)
		(void)go_on(s, 0, st, e);
	(void)pthread_mutex_lock(&s->mutex);
	s->stop = true; /* whoever still waits ends */
	(void)pthread_cond_broadcast(&s->moved);
	(void)pthread_mutex_unlock(&s->mutex);
	return st;
}

static enum status threads(struct run *s, struct err *e)
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

/* ---- the tasks ---- */

static size_t less(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One point's in-legs against another's out-legs. */
static enum status tasks_of(struct run *s, const struct scan_task *all, struct err *e)
{
	size_t run = s->sc->p->all ? OUT_RUN_ALL : OUT_RUN;

	for (size_t i = 0; i < all->n_in; i += INDEX_COLUMNS)
		for (size_t o = 0; o < all->n_out; o += run) {
			if (!grow(&s->task, &s->cap_task, s->n_task, 1, sizeof(*s->task)))
				return err_nomem(e);
			struct scan_task *k = &s->task[s->n_task++];
			*k = *all;
			k->in += i;
			k->out += o;
			k->n_in = less(all->n_in - i, INDEX_COLUMNS);
			k->n_out = less(all->n_out - o, run);
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

static enum status tasks_of_set(struct run *s, const struct scan_set *set, struct err *e)
{
	struct scan *sc = s->sc;
	enum status st = STATUS_OK;

	for (size_t i = 0, ni; i < set->n_in && st == STATUS_OK; i = ni) {
		ni = point_end(set->in, set->n_in, i);
		for (size_t o = 0, no; o < set->n_out && st == STATUS_OK; o = no) {
			no = point_end(set->out, set->n_out, o);
			struct scan_task all = {.set = set,
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
	struct run s = {.sc = sc, .mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
	enum status st = STATUS_OK;

	for (size_t i = 0; i < sc->n_set && st == STATUS_OK && !scan_stopped(sc); i++)
		st = tasks_of_set(&s, &sc->set[i], e);
	if (st == STATUS_OK && !scan_stopped(sc))
		st = threads(&s, e);
	sc->sum->searched = scan_stopped(sc) ? (uint64_t)s.pairs : sc->pairs;
	for (size_t i = 0; i < s.n_task; i++)
		free(s.task[i].found);
	free(s.task);
	(void)pthread_mutex_destroy(&s.mutex);
	(void)pthread_cond_destroy(&s.moved);
	return st;
}
