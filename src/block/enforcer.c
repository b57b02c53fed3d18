/* The enforcer: see enforcer.h.  It reads DIR and holds the lock; what is changed outside, its hand changes.
 *
 * A round: orders in force -> hand -> what was measured into the database.  A round that fails leaves what is
 * installed as it is, and that ends by itself; the next tick tries again. */
#include "block/enforcer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "block/enforce_in.h"

#define LOCK_WAIT_US  (10 * SECOND_US) /* for another short-lived one to end */
#define LOCK_AGAIN_US 10000
#define MS_US         1000
#define REQUEST_BYTES 6
#define REFUSED_LINES 20 /* of one round */

/* ---- opening, closing ---- */

/* The kernel has one table of ours, whatever the directory.  One in which nothing was ever ordered, while
 * rules stand there, is the wrong one: a round would take out what another directory ordered. */
static enum status right_dir(struct enforcer *f, struct err *e)
{
	struct arena a = {0};
	struct hand_reply r = {0};
	struct order_row *row;
	size_t n;
	enum status s = order_row_list(f->db, NULL, false, WALL_BEGIN, &a, &row, &n, e);

	if (s == STATUS_OK && n == 0)
		s = hand_sync(f->hand, NULL, 0, true, &a, &r, e);
	if (s == STATUS_OK && n == 0 && r.drift.foreign)
		s = err_set(e, STATUS_BAD,
			"%s never ordered a block, but the kernel's table inet weir has %llu rules: those of "
			"another "
			"directory (-C DIR); if nobody's: nft delete table inet weir",
			f->dir, (unsigned long long)r.drift.foreign);
	arena_free(&a);
	return s;
}

static enum status opened(struct enforcer *f, struct err *e)
{
	enum status s = enforce_lock(f->dir, f->backend->name, &f->lock, e);

	if (s != STATUS_OK) {
		f->lock = -1;
		return s;
	}
	s = enforce_keys(f, e);
	if (s == STATUS_OK)
		s = enforce_counted(f, e);
	if (s == STATUS_OK)
		s = hand_start(&f->hand, f->backend, f->cfg, f->log, f->n_log, f->lock, e);
	return s == STATUS_OK && f->backend->net_admin ? right_dir(f, e) : s;
}

enum status enforcer_open(struct enforcer **to, const struct world *w, const char *dir, struct case_db *db,
	const struct config *cfg, const struct backend *b, struct err *e)
{
	struct enforcer *f = calloc(1, sizeof(*f));
	enum status s;

	if (!f)
		return err_nomem(e);
	f->w = w;
	f->dir = dir;
	f->db = db;
	f->cfg = cfg;
	f->backend = b;
	f->lock = f->heard = -1;
	s = opened(f, e);
	if (s == STATUS_OK)
		*to = f;
	else
		enforcer_close(f);
	return s;
}

void enforcer_close(struct enforcer *f)
{
	if (!f)
		return;
	if (f->heard >= 0) {
		enforce_unlisten(f->dir, f->backend->name);
		(void)close(f->heard);
	}
	hand_stop(f->hand);
	if (f->lock >= 0)
		(void)close(f->lock);
	free(f->counted);
	free(f->said);
	free(f);
}

/* ---- a round ---- */

/* Were other orders taken in the round before?  Then what was missing was not lost. */
static void compare(struct enforcer *f, const struct gathered *g, const struct hand_reply *r)
{
	struct buf ids = {0};
	uint8_t sha[32] = {0};

	f->next = WALL_END;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->result[i].taken)
			continue;
		buf_put(&ids, r->result[i].id.b, sizeof(r->result[i].id.b));
		if (g->row[i].expires.us < f->next.us)
			f->next = g->row[i].expires;
	}
	(void)sha256(sha, ids.p, ids.n);
	f->changed = ids.failed || memcmp(sha, f->in_force, sizeof(sha)) != 0;
	memcpy(f->in_force, sha, sizeof(sha));
	buf_free(&ids);
}

/* Does the reply speak of these orders?  An answer that came too late is of the round before. */
static bool answers(const struct gathered *g, const struct hand_reply *r)
{
	bool same = r->n == g->n;

	for (size_t i = 0; i < g->n && same; i++)
		same = id_order(&r->result[i].id, &g->order[i].id) == 0;
	return same;
}

/* An order that could not be shown: the reason is known here. */
static void excuse(const struct gathered *g, struct hand_reply *r)
{
	for (size_t i = 0; i < r->n && i < g->n; i++)
		if (g->why[i] && !r->result[i].taken)
			(void)snprintf(r->result[i].why, sizeof(r->result[i].why), "%.*s",
				(int)sizeof(r->result[i].why) - 1, g->why[i]);
}

enum status enforcer_round(
	struct enforcer *f, bool look, struct arena *a, struct hand_reply *to, struct err *e)
{
	struct gathered g = {0};
	enum status s = enforce_gather(f, a, &g, e);

	*to = (struct hand_reply){0};
	if (s != STATUS_OK)
		return s;
	s = hand_sync(f->hand, g.order, g.n, look, a, to, e);
	if (s != STATUS_OK)
		return s;
	if (!answers(&g, to))
		return err_set(e, STATUS_MACHINE, "the hand answers for other orders");
	excuse(&g, to);
	compare(f, &g, to);
	return enforce_measure(f, &g, to, e);
}

/* ---- saying what happens, once ---- */

/* How often it was met, in rounds one after the other. */
static unsigned met_before(const struct enforcer *f, const struct hand_result *x)
{
	const struct said *was =
		f->n_said ? bsearch(&x->id, f->said, f->n_said, sizeof(*was), id_order) : NULL;

	return was && strcmp(was->why, x->why) == 0 ? was->times : 0;
}

/* In its second round, and not again: between its row and its entry of the ledger an order is refused for a
 * moment. */
static void say_refused(struct enforcer *f, const struct hand_reply *r)
{
	struct said *new = calloc(r->n + 1, sizeof(*new));
	char id[ID_TEXT], why[sizeof(r->result->why)];
	size_t n = 0, lines = 0;

	for (size_t i = 0; new &&i < r->n; i++) {
		const struct hand_result *x = &r->result[i];
		unsigned times = met_before(f, x);
		if (x->taken && x->installed)
			continue;
		if (times == 1 && lines++ < REFUSED_LINES)
			log_line("%s: block %s is not in force: %s", f->backend->name, id_text(id, &x->id),
				printable(why, sizeof(why), x->why));
		new[n] = (struct said){.id = x->id, .times = times < 2 ? times + 1 : times};
		(void)snprintf(new[n++].why, sizeof(new->why), "%s", x->why);
	}
	if (lines > REFUSED_LINES)
		log_line("%s: and %zu more are not in force", f->backend->name, lines - REFUSED_LINES);
	if (n)
		qsort(new, n, sizeof(*new), id_order);
	free(f->said);
	f->said = new;
	f->n_said = new ? n : 0;
}

static void say(struct enforcer *f, bool look, const struct hand_reply *r)
{
	const struct drift *d = &r->drift;

	if (look)
		return;
	if (!f->changed && (d->rebuilt || d->missing || d->foreign))
		log_line("%s: was not as ordered, and is again: %s", f->backend->name, d->why);
	say_refused(f, r);
}

/* ---- the long-lived one ---- */

struct running {
	struct enforcer *f;
	char failed[sizeof(((struct err *)0)->text)]; /* what the round before met, "" for nothing */
};

static enum status round_said(
	struct running *r, bool look, struct arena *a, struct hand_reply *to, struct err *e)
{
	enum status s = enforcer_round(r->f, look, a, to, e);

	if (s == STATUS_OK) {
		say(r->f, look, to);
		if (*r->failed)
			log_line("%s: goes on", r->f->backend->name);
		*r->failed = '\0';
	} else if (strcmp(r->failed, e->text) != 0) {
		log_line("%s: %s", r->f->backend->name, e->text);
		(void)snprintf(r->failed, sizeof(r->failed), "%s", e->text);
	}
	return s;
}

static void tick(struct running *r)
{
	struct arena a = {0};
	struct hand_reply reply;
	struct err e = {0};

	(void)round_said(r, false, &a, &reply, &e);
	arena_free(&a);
}

/* A frame of one byte, in one call: the time that it may take is that of all its bytes. */
static bool request_read(int fd, bool *look)
{
	uint8_t all[REQUEST_BYTES];
	struct rd r = rd_of(all, sizeof(all));

	if (recv(fd, all, sizeof(all), MSG_WAITALL) != (ssize_t)sizeof(all))
		return false;
	if (rd_le32(&r) != REQUEST_BYTES - sizeof(uint32_t) || rd_u8(&r) != FRAME_SYNC)
		return false;
	*look = rd_u8(&r) == 1;
	return true;
}

/* Who asks holds the others up for no longer than REQUEST_MS. */
static void answer(struct running *r, int fd)
{
	struct timeval wait = {.tv_sec = REQUEST_MS / 1000};
	struct arena a = {0};
	struct hand_reply reply = {0};
	struct buf out = {0};
	struct err e = {0};
	bool look;
	enum status s;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (request_read(fd, &look)) {
		s = round_said(r, look, &a, &reply, &e);
		reply_put(&out, s, &e, &reply, NULL);
		(void)frame_send(fd, FRAME_REPLY, &out, &e);
	}
	buf_free(&out);
	arena_free(&a);
}

static int wait_ms(const struct enforcer *f, struct mono next_tick)
{
	int64_t left = next_tick.us - f->w->mono(f->w->self).us;
	int64_t expires = f->next.us == INT64_MAX ? left : f->next.us - f->w->now(f->w->self).us;

	left = expires < left ? expires : left;
	return left <= 0 ? 0 : (int)(left / MS_US + 1);
}

/* The hand is gone, and with it the right to start another: whoever started us does. */
static enum status hand_gone(struct enforcer *f, struct err *e)
{
	return err_set(e, STATUS_MACHINE,
		"%s: the process that changes the rules was ended; what it installed stays until it expires: "
		"start weir enforce again",
		f->backend->name);
}

/* From here on rights are the hand's alone. */
static enum status give_up(const struct enforcer *f, struct err *e)
{
	const struct sandbox box = {.write_below = f->dir};
	struct sandbox_held held;
	enum status s = sandbox_become_owner(f->dir, e);

	if (s == STATUS_OK)
		s = sandbox_drop_caps(e);
	return s == STATUS_OK ? sandbox_files(&box, &held, e) : s;
}

/* The log has another key than the hand was given: it would refuse every new order. */
static enum status key_same(const struct enforcer *f, struct err *e)
{
	struct vkey now;

	if (keys_public(f->dir, KEY_LOG, &now, e) == STATUS_OK &&
		(f->n_log == 0 || !vkey_equal(&now, &f->log[0])))
		return err_set(e, STATUS_MACHINE,
			"the ledger's key is another since weir enforce was started: start it again");
	return STATUS_OK;
}

static enum status run(struct running *r, int64_t tick_us, const volatile int *stop, struct err *e)
{
	struct enforcer *f = r->f;
	struct mono next = {0};
	enum status s = STATUS_OK;

	while (s == STATUS_OK && !*stop) {
		struct pollfd p[2] = {
			{.fd = f->heard, .events = POLLIN}, {.fd = hand_fd(f->hand), .events = POLLIN}};
		if (wait_ms(f, next) == 0) {
			tick(r);
			next.us = f->w->mono(f->w->self).us + tick_us;
			if (f->next.us <= f->w->now(f->w->self).us) /* the kernel ends it within the tick */
				f->next = WALL_END;
			s = key_same(f, e);
		}
		if (s != STATUS_OK || poll(p, 2, wait_ms(f, next)) <= 0)
			continue;
		if (p[1].revents)
			s = hand_gone(f, e);
		else if (p[0].revents) {
			int fd = accept4(f->heard, NULL, NULL, SOCK_CLOEXEC);
			if (fd >= 0) {
				answer(r, fd);
				(void)close(fd);
			}
		}
	}
	return s;
}

enum status enforcer_run(struct enforcer *f, int64_t tick_us, const volatile int *stop, struct err *e)
{
	struct running r = {.f = f};
	enum status s = enforce_listen(f->dir, f->backend->name, &f->heard, e);

	if (s == STATUS_OK)
		s = give_up(f, e);
	return s == STATUS_OK ? run(&r, tick_us, stop, e) : s;
}

/* ---- whoever can ---- */

static enum status ask(int fd, bool look, struct arena *a, struct hand_reply *to, struct err *e)
{
	struct buf b = {0};
	enum frame kind = FRAME_READY;
	enum status s;

	buf_u8(&b, look);
	s = frame_send(fd, FRAME_SYNC, &b, e);
	if (s == STATUS_OK)
		s = frame_read(fd, &kind, &b, e);
	if (s == STATUS_NO || (s == STATUS_OK && kind != FRAME_REPLY))
		s = err_set(e, STATUS_MACHINE, "the enforcer does not answer");
	if (s == STATUS_OK)
		s = reply_take(to, NULL, rd_of(b.p, b.n), a, e);
	buf_free(&b);
	return s;
}

static void rest(void)
{
	const struct timespec t = {.tv_nsec = LOCK_AGAIN_US * 1000};

	(void)nanosleep(&t, NULL);
}

enum status enforce_once(struct enforced *to, const struct world *w, const char *dir, struct case_db *db,
	const struct config *cfg, const struct backend *b, bool look, struct arena *a, struct err *e)
{
	struct enforcer *f = NULL;
	int64_t end = w->mono(w->self).us + LOCK_WAIT_US;
	int fd;
	enum status s;

	*to = (struct enforced){0};
	do {
		struct err none;
		s = enforcer_open(&f, w, dir, db, cfg, b, e);
		if (s == STATUS_OK) {
			s = enforcer_round(f, look, a, &to->reply, e);
			enforcer_close(f);
			return s;
		}
		if (s != STATUS_NO)
			return s;
		s = enforce_connect(dir, b->name, &fd, &none);
		if (s == STATUS_OK) {
			to->remote = true;
			s = ask(fd, look, a, &to->reply, e);
			(void)close(fd);
			return s;
		}
		if (s != STATUS_NO) {
			*e = none;
			return s;
		}
		rest();
	} while (w->mono(w->self).us < end);
	return e->status;
}
