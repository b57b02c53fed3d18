/* The hand as the process sees it that forked it: see hand.h. */
#include "block/hand_in.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

#define ANSWER_S 60         /* of a round: 20,000 rules and a busy machine */
#define END_NS   5000000000 /* for what it has to take back at its end */
#define AGAIN_NS 2000000

/* An order that the hand knows, with the plan that it was shown with. */
struct known {
	struct id id;
	uint8_t plan[32];
};

struct hand {
	pid_t pid;
	int fd;
	struct known *known; /* sorted by id */
	size_t n_known;
	bool silent; /* it did not answer in time: nothing is said to it any more */
};

static enum status ready(struct hand *h, struct err *e)
{
	struct buf in = {0};
	enum frame kind = FRAME_REPLY;
	char text[sizeof(e->text)];
	enum status s = frame_read(h->fd, &kind, &in, e), met = STATUS_MACHINE;
	struct rd r = rd_of(in.p, in.n);

	if (s == STATUS_OK) {
		met = (enum status)rd_u8(&r);
		frame_text(text, sizeof(text), &r);
		if (kind != FRAME_READY || r.bad)
			s = err_set(e, STATUS_MACHINE, "the hand says what it should not");
		else if (met != STATUS_OK)
			s = err_set(e, STATUS_MACHINE, "%s", text);
	} else
		s = err_set(e, STATUS_MACHINE, "the process that changes the rules ended at once");
	buf_free(&in);
	return s;
}

enum status hand_start(struct hand **to, const struct backend *b, const struct config *cfg,
	const struct vkey *logs, size_t n_logs, int held, struct err *e)
{
	struct timeval wait = {.tv_sec = ANSWER_S};
	struct hand *h = calloc(1, sizeof(*h));
	int pair[2];
	enum status s;

	if (!h)
		return err_nomem(e);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		free(h);
		return err_errno(e, "socketpair");
	}
	h->pid = fork();
	if (h->pid == 0) /* does not return */
		hand_live(pair[1], held, b, cfg, logs, n_logs);
	(void)close(pair[1]);
	h->fd = pair[0];
	if (h->pid < 0)
		s = err_errno(e, "fork");
	else if (setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
		 setsockopt(h->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0)
		s = err_errno(e, "socketpair");
	else
		s = ready(h, e);
	if (s == STATUS_OK)
		*to = h;
	else
		hand_stop(h);
	return s;
}

/* It ends by itself as soon as nobody holds the other end.  One that does not (stopped, or caught in the
 * kernel) is killed, and where we may not, left: nobody waits for it without an end. */
static void ended(const struct hand *h)
{
	const struct timespec again = {.tv_nsec = AGAIN_NS};
	int64_t left = h->silent ? 0 : END_NS;

	for (; waitpid(h->pid, NULL, WNOHANG) == 0; left -= AGAIN_NS) {
		if (left <= 0) {
			if (kill(h->pid, SIGKILL) == 0)
				(void)waitpid(h->pid, NULL, 0);
			return;
		}
		(void)nanosleep(&again, NULL);
	}
}

void hand_stop(struct hand *h)
{
	if (!h)
		return;
	(void)close(h->fd);
	if (h->pid > 0)
		ended(h);
	free(h->known);
	free(h);
}

int hand_fd(const struct hand *h)
{
	return h->fd;
}

bool hand_knows(const struct hand *h, const struct id *id)
{
	return h->n_known && bsearch(id, h->known, h->n_known, sizeof(*h->known), id_order);
}

/* ---- showing ---- */

/* What is shown in one round: which plan each order came with. */
struct showing {
	struct known *shown;
	size_t n;
};

static bool plan_shown(const struct hand *h, const struct showing *w, const uint8_t plan[32])
{
	for (size_t i = 0; i < h->n_known; i++)
		if (memcmp(h->known[i].plan, plan, 32) == 0)
			return true;
	for (size_t i = 0; i < w->n; i++)
		if (memcmp(w->shown[i].plan, plan, 32) == 0)
			return true;
	return false;
}

static enum status show_text(struct hand *h, enum frame kind, const struct hand_order *o, struct err *e)
{
	struct buf b = {0};
	enum status s;

	if (kind == FRAME_ORDER)
		buf_put(&b, o->id.b, sizeof(o->id.b));
	frame_put_proven(&b, kind == FRAME_ORDER ? &o->order : &o->plan);
	s = frame_send(h->fd, kind, &b, e);
	buf_free(&b);
	return s;
}

static enum status show(struct hand *h, struct showing *w, const struct hand_order *o, struct err *e)
{
	struct known *to = &w->shown[w->n];
	enum status s = STATUS_OK;

	to->id = o->id;
	if (hand_knows(h, &o->id)) /* its plan stands with it */
		return s;
	if (!o->order.text || !sha256(to->plan, o->plan.text, o->plan.n))
		return s;
	if (!plan_shown(h, w, to->plan))
		s = show_text(h, FRAME_PLAN, o, e);
	if (s == STATUS_OK)
		s = show_text(h, FRAME_ORDER, o, e);
	w->n++;
	return s;
}

/* ---- a round ---- */

static int known_order(const void *a, const void *b)
{
	return id_order(&((const struct known *)a)->id, &((const struct known *)b)->id);
}

static const uint8_t *plan_of(const struct hand *h, const struct showing *w, const struct id *id)
{
	const struct known *k = h->n_known ? bsearch(id, h->known, h->n_known, sizeof(*k), id_order) : NULL;

	for (size_t i = 0; !k && i < w->n; i++)
		if (id_order(&w->shown[i].id, id) == 0)
			k = &w->shown[i];
	return k ? k->plan : NULL;
}

/* What the hand said that it keeps. */
static enum status remember(
	struct hand *h, const struct showing *w, const struct hand_reply *r, const bool *kept, struct err *e)
{
	struct known *new = calloc(r->n + 1, sizeof(*new));
	size_t n = 0;

	if (!new)
		return err_nomem(e);
	for (size_t i = 0; i < r->n; i++) {
		const uint8_t *plan = kept[i] ? plan_of(h, w, &r->result[i].id) : NULL;
		if (!plan)
			continue;
		new[n].id = r->result[i].id;
		memcpy(new[n++].plan, plan, sizeof(new->plan));
	}
	qsort(new, n, sizeof(*new), known_order);
	free(h->known);
	h->known = new;
	h->n_known = n;
	return STATUS_OK;
}

static enum status ask(
	struct hand *h, const struct hand_order *o, size_t n, bool look, struct buf *in, struct err *e)
{
	struct buf b = {0};
	enum frame kind = FRAME_READY;
	enum status s;

	buf_u8(&b, look);
	buf_le32(&b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		buf_put(&b, o[i].id.b, sizeof(o[i].id.b));
	s = frame_send(h->fd, FRAME_SYNC, &b, e);
	buf_free(&b);
	if (s == STATUS_OK)
		s = frame_read(h->fd, &kind, in, e);
	if (s == STATUS_OK && kind != FRAME_REPLY)
		s = err_set(e, STATUS_MACHINE, "the hand says what it should not");
	return s == STATUS_NO ? (e->status = STATUS_MACHINE) : s;
}

/* A late answer would be taken for that of another round. */
static void give_up(struct hand *h)
{
	h->silent = true;
	(void)shutdown(h->fd, SHUT_RDWR);
}

enum status hand_sync(struct hand *h, const struct hand_order *o, size_t n, bool look, struct arena *a,
	struct hand_reply *to, struct err *e)
{
	struct showing w = {.shown = calloc(n + 1, sizeof(*w.shown))};
	struct buf in = {0};
	bool *kept = NULL;
	struct err late;
	enum status s = w.shown ? STATUS_OK : err_nomem(e);

	*to = (struct hand_reply){0};
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = show(h, &w, &o[i], e);
	if (s == STATUS_OK)
		s = ask(h, o, n, look, &in, e);
	if (s == STATUS_MACHINE)
		give_up(h);
	if (s == STATUS_OK) {
		s = reply_take(to, &kept, rd_of(in.p, in.n), a, e);
		if (kept && remember(h, &w, to, kept, &late) != STATUS_OK)
			s = err_nomem(e);
	}
	free(w.shown);
	buf_free(&in);
	return s;
}
