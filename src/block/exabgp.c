/* ExaBGP: FlowSpec and blackhole routes for the routers of the own network.
 *
 * ExaBGP starts `weir enforce --exabgp` as its process: our standard output carries commands, standard input
 * its answers (doc/bgp.md).  Here is only that: bytes, and how long is waited.  What is said, and what an
 * answer means, is in exabgp_talk.c.
 *
 * Nothing waits for ever.  Both pipes are non-blocking; ExaBGP writes its answers blocking, so they are
 * always read while we write.  Where it says nothing for ANSWER_US, the round ends with STATUS_MACHINE, and
 * nothing is lost: what was sent and has no answer stays so in the table, and the next round waits on.
 *
 * BGP cannot change many routes at once: a round that ends early has announced some rules and others not, and
 * each says how it stands.  Nor does an announcement expire by itself: it is withdrawn at its end, and when
 * we end; and when ExaBGP or its host ends, the session does, and the router forgets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "block/exabgp.h"

#define ANSWER_US (5 * SECOND_US)  /* without a byte of an answer: it hangs */
#define ROUND_US  (30 * SECOND_US) /* a round at most; the rest goes on behind it */
#define READ_US   (1 * SECOND_US)  /* for its tables alone: of many rules they go on behind the round */
#define END_US    (3 * SECOND_US)  /* withdrawing at the end: ExaBGP waits for us with its own */
#define CHUNK     65536
#define CHUNKS    64 /* read in one go at most, so that a flood ends */

struct exabgp {
	int in, out;
	struct talk talk;
	struct buf say; /* what the pipe had no room for yet, from `said` on */
	size_t said;
	bool ended; /* the pipe is closed */
};

static int64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* ---- opening ---- */

static enum status pipe_take(int fd, const char *what, struct err *e)
{
	struct stat st;
	int flags;

	if (fstat(fd, &st) != 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return err_set(e, STATUS_MACHINE,
			"standard %s is no pipe: ExaBGP starts weir enforce --exabgp (doc/bgp.md)", what);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return err_errno(e, "standard %s", what);
	return STATUS_OK;
}

static enum status exabgp_open(void **self, const struct backend_param *p, struct err *e)
{
	bool standard = p->in_fd == 0 && p->out_fd == 0;
	struct exabgp *x = calloc(1, sizeof(*x));
	struct exabgp_way way;
	enum status s;

	*self = NULL;
	if (!x)
		return err_nomem(e);
	x->in = standard ? STDIN_FILENO : p->in_fd;
	x->out = standard ? STDOUT_FILENO : p->out_fd;
	s = pipe_take(x->in, "input", e);
	if (s == STATUS_OK)
		s = pipe_take(x->out, "output", e);
	if (s == STATUS_OK && signal(SIGPIPE, SIG_IGN) == SIG_ERR) /* a closed pipe is an error like others */
		s = err_errno(e, "cannot ignore SIGPIPE");
	if (s != STATUS_OK) {
		free(x);
		return s;
	}
	exabgp_way(&way, p->cfg);
	talk_init(&x->talk, &way);
	*self = x;
	return STATUS_OK;
}

/* ---- bytes ---- */

static void said_all(struct exabgp *x)
{
	x->say.n = x->said = 0;
}

/* As much as the pipe takes. */
static void flush(struct exabgp *x)
{
	while (!x->ended && x->said < x->say.n) {
		ssize_t n = write(x->out, x->say.p + x->said, x->say.n - x->said);
		if (n > 0)
			x->said += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			return;
		else if (n == 0 || errno != EINTR)
			x->ended = true;
	}
	said_all(x);
}

/* Commands, as long as the pipe takes them. */
static void speak(struct exabgp *x)
{
	flush(x);
	while (!x->ended && x->say.n == 0 && talk_next(&x->talk, &x->say, now_us()))
		flush(x);
}

/* What is there; true where something was. */
static bool listen_to(struct exabgp *x)
{
	char bytes[CHUNK];
	bool any = false;

	for (int i = 0; i < CHUNKS; i++) {
		ssize_t n = read(x->in, bytes, sizeof(bytes));
		if (n > 0) {
			talk_heard(&x->talk, bytes, (size_t)n, now_us());
			any = true;
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			x->ended = true;
			return any;
		} else if (errno == EAGAIN) {
			return any;
		}
	}
	return any;
}

static void wait_until(const struct exabgp *x, int64_t until)
{
	struct pollfd fd[2] = {{.fd = x->in, .events = POLLIN}, {.fd = x->out, .events = POLLOUT}};
	int64_t left = until - now_us();

	(void)poll(fd, x->say.n > 0 ? 2 : 1, left <= 0 ? 0 : (int)(left / 1000 + 1));
}

static enum status ended(struct err *e)
{
	return err_set(e, STATUS_MACHINE, "ExaBGP has ended, or closed its pipe to us");
}

/* Until when it is waited for what is still to come: nothing (0), its tables, or an answer. */
static int64_t wait_end(const struct exabgp *x, int64_t end, int64_t *reading)
{
	if (talk_quiet(&x->talk) && x->say.n == 0)
		return 0;
	if (!talk_reads(&x->talk) || x->say.n > 0)
		*reading = 0;
	else if (*reading == 0)
		*reading = now_us() + READ_US;
	return *reading && *reading < end ? *reading : end;
}

/* Says what there is to say and waits for the answers: until all are there, nothing comes for answer_us, or
 * the time is up. */
static enum status converse(struct exabgp *x, int64_t answer_us, int64_t most_us, struct err *e)
{
	int64_t most = now_us() + most_us, silent = now_us() + answer_us, reading = 0;

	for (;;) {
		speak(x);
		int64_t end = wait_end(x, most, &reading);
		if (x->ended || x->talk.gone)
			return ended(e);
		if (x->say.failed)
			return err_nomem(e);
		if (end == 0)
			return STATUS_OK;
		if (now_us() >= silent)
			return err_set(e, STATUS_MACHINE,
				"ExaBGP does not answer (it hangs, or its api.ack is off)");
		if (now_us() >= end)
			return STATUS_OK; /* each rule says how it stands */
		wait_until(x, silent < end ? silent : end);
		if (listen_to(x))
			silent = now_us() + answer_us;
	}
}

/* ---- the back end ---- */

static const char *cannot(const struct backend_param *p, const struct rule *r)
{
	struct exabgp_way way;

	exabgp_way(&way, p->cfg);
	return exabgp_cannot(&way, r);
}

static enum status lines(struct buf *to, const struct backend_param *p, const struct want *want, size_t n,
	struct wall now, bool remove, struct err *e)
{
	struct exabgp_way way;
	char text[RULE_TEXT];

	(void)now; /* an announcement has no end of its own */
	exabgp_way(&way, p->cfg);
	for (size_t i = 0; i < n; i++) {
		const char *why = exabgp_cannot(&way, &want[i].rule);
		if (why)
			return err_set(e, STATUS_NO, "%s: %s", rule_text(text, &want[i].rule), why);
		if (remove)
			exabgp_withdraw(to, &way, &want[i].rule);
		else
			exabgp_announce(to, &way, &want[i].rule);
	}
	return to->failed ? err_nomem(e) : STATUS_OK;
}

static bool wanted(const struct want *want, size_t n, const struct rule *r)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (rule_same_match(&want[mid].rule, r))
			return true;
		if (rule_compare(&want[mid].rule, r) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* A look: against what is asked for now, which nobody was told of. */
static void look_drift(const struct exabgp *x, const struct want *want, size_t n, struct drift *d)
{
	const struct table *t = &x->talk.table;
	struct have have;

	for (size_t i = 0; i < n; i++) {
		talk_have(&x->talk, &want[i].rule, &have);
		d->missing += have.state == INSTALL_NOT;
	}
	for (size_t i = 0; i < t->n; i++)
		d->foreign += t->told[i].there && !wanted(want, n, &t->told[i].rule);
}

static enum status sync_all(struct exabgp *x, const struct want *want, size_t n, struct err *e)
{
	enum status s = talk_want(&x->talk, want, n, e);

	if (s != STATUS_OK)
		return s;
	talk_round(&x->talk, now_us());
	return converse(x, ANSWER_US, ROUND_US, e);
}

static enum status exabgp_sync(void *self, const struct want *want, size_t n, struct wall now, bool look,
	struct have *have, struct drift *d, struct err *e)
{
	struct exabgp *x = self;
	enum status s = STATUS_OK;

	(void)now;
	(void)listen_to(x);
	if (x->ended || x->talk.gone)
		s = ended(e);
	else if (!look)
		s = sync_all(x, want, n, e);
	for (size_t i = 0; have && i < n; i++)
		talk_have(&x->talk, &want[i].rule, &have[i]);
	talk_drift(&x->talk, d);
	if (look)
		look_drift(x, want, n, d);
	return s;
}

static int exabgp_fd(void *self)
{
	return ((struct exabgp *)self)->in;
}

static enum status exabgp_heard(void *self, struct err *e)
{
	struct exabgp *x = self;

	(void)listen_to(x);
	speak(x); /* a session that came up is asked about at once */
	return x->ended || x->talk.gone ? ended(e) : STATUS_OK;
}

/* Withdraws all.  Where ExaBGP ends, it ends the sessions itself, and does not listen any more. */
static void exabgp_close(void *self)
{
	struct exabgp *x = self;
	struct err e;

	if (!x)
		return;
	(void)listen_to(x);
	if (!x->ended && !x->talk.gone && talk_want(&x->talk, NULL, 0, &e) == STATUS_OK) {
		x->talk.no_questions = true;
		(void)converse(x, END_US, END_US, &e);
	}
	talk_free(&x->talk);
	buf_free(&x->say);
	free(x);
}

const struct backend backend_exabgp = {
	.name = "exabgp",
	.cannot = cannot,
	.lines = lines,
	.open = exabgp_open,
	.sync = exabgp_sync,
	.fd = exabgp_fd,
	.heard = exabgp_heard,
	.close = exabgp_close,
};
