/* The reading process of `weir watch`.
 *
 * A request is its length (le32), one byte (1: another file begins) and a piece of the file; an answer is its
 * length (le32) and a batch.  One request, one answer: neither side can fill the other's pipe.  A line that
 * brings the process down costs the piece that it stood in, and is said. */
#include "cli/watch_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/confine.h"

#define ANSWER_WAIT_US (30 * SECOND_US) /* a piece takes milliseconds */
#define HEAD_BYTES     5
#define FALLS          8 /* of the process, one after the other, before it is given up */

struct reader {
	struct app *app;
	const struct sensor *kind;
	pid_t pid;
	int to, from;
	int falls;
};

/* ---- without rights ---- */

static bool all_in(int fd, void *to, size_t n)
{
	uint8_t *at = to;

	while (n > 0) {
		ssize_t k = read(fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		at += k;
		n -= (size_t)k;
	}
	return true;
}

static bool all_out(int fd, const struct buf *b)
{
	return !b->failed && world_write_all(&world_real, fd, b->p, b->n) == 0;
}

/* One request, one answer; false at the end. */
static bool serve_one(struct pieces *s, uint8_t *piece, int in, int out)
{
	uint8_t head[HEAD_BYTES];
	struct arena arena = {0};
	struct batch b = {.foreign = ""};
	struct buf body = {0}, answer = {0};
	struct err e;
	bool good = all_in(in, head, sizeof(head));
	struct rd r = rd_of(head, sizeof(head));
	size_t n = rd_le32(&r);

	good = good && n <= PIECES_ONE && all_in(in, piece, n);
	if (good && rd_u8(&r))
		pieces_again(s, &b);
	if (good && n)
		good = pieces_take(s, piece, n, &arena, &b, &e) == STATUS_OK;
	batch_write(&body, &b);
	buf_le32(&answer, (uint32_t)body.n);
	buf_put(&answer, body.p, body.n);
	good = good && !body.failed && all_out(out, &answer);
	buf_free(&body);
	buf_free(&answer);
	arena_free(&arena);
	return good;
}

/* Nothing that is open is for this process but its two pipes and standard error. */
static void close_others(int in, int out)
{
	unsigned low = (unsigned)(in < out ? in : out), high = (unsigned)(in < out ? out : in);

	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	if (low > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0U, 0);
}

static _Noreturn void serve(struct app *a, const struct sensor *k, int in, int out)
{
	uint8_t *piece = malloc(PIECES_ONE);
	struct pieces s = {0};
	struct err e = {0};

	/* ^C is for the process that acts; this one ends when nobody asks any more */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	close_others(in, out);
	json_object_seed(0); /* reads the kernel's random numbers */
	if (piece && pieces_open(&s, k, &e) == STATUS_OK && confine_reader(a, false, &e) == STATUS_OK)
		while (serve_one(&s, piece, in, out))
			;
	_exit(0);
}

/* ---- with rights ---- */

static enum status start(struct reader *r, struct err *e)
{
	int ask[2] = {-1, -1}, answer[2] = {-1, -1};
	enum status s = STATUS_OK;

	if (pipe2(ask, O_CLOEXEC) < 0 || pipe2(answer, O_CLOEXEC) < 0)
		s = err_errno(e, "a pipe");
	(void)fflush(NULL);
	r->pid = s == STATUS_OK ? fork() : -1;
	if (r->pid == 0)
		serve(r->app, r->kind, ask[0], answer[1]);
	if (s == STATUS_OK && r->pid < 0)
		s = err_errno(e, "a process to read the lines with");
	if (ask[0] >= 0)
		(void)close(ask[0]);
	if (answer[1] >= 0)
		(void)close(answer[1]);
	r->to = ask[1];
	r->from = answer[0];
	if (s == STATUS_OK &&
		(fcntl(r->to, F_SETFL, O_NONBLOCK) != 0 || fcntl(r->from, F_SETFL, O_NONBLOCK) != 0))
		s = err_errno(e, "a pipe");
	return s;
}

static void end(struct reader *r, bool hung)
{
	if (r->to >= 0)
		(void)close(r->to);
	if (r->from >= 0)
		(void)close(r->from);
	r->to = r->from = -1;
	if (r->pid > 0 && hung)
		(void)kill(r->pid, SIGKILL);
	while (r->pid > 0 && waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
	r->pid = -1;
}

/* Moves n bytes through a pipe within the time that an answer may take. */
static bool moved(const struct reader *r, int fd, bool out, uint8_t *p, size_t n, struct mono until)
{
	while (n > 0) {
		ssize_t k = out ? write(fd, p, n) : read(fd, p, n);
		int64_t left = until.us - r->app->w->mono(r->app->w->self).us;
		struct pollfd wait = {.fd = fd, .events = out ? POLLOUT : POLLIN};
		if (k > 0) {
			p += k;
			n -= (size_t)k;
			continue;
		}
		if (k == 0 || (errno != EAGAIN && errno != EINTR) || left <= 0)
			return false;
		(void)poll(&wait, 1, (int)(left / 1000) + 1);
	}
	return true;
}

/* One request, one answer; false: the process is of no more use. */
static bool exchange(
	struct reader *r, const void *p, size_t n, bool again, struct arena *arena, uint8_t **to, size_t *len)
{
	uint8_t size[4];
	struct buf ask = {0};
	struct mono until = {r->app->w->mono(r->app->w->self).us + ANSWER_WAIT_US};
	struct rd rd = rd_of(size, sizeof(size));
	bool good;

	buf_le32(&ask, (uint32_t)n);
	buf_u8(&ask, again);
	buf_put(&ask, p, n);
	good = !ask.failed && moved(r, r->to, true, ask.p, ask.n, until) &&
	       moved(r, r->from, false, size, sizeof(size), until);
	buf_free(&ask);
	*len = good ? rd_le32(&rd) : 0;
	if (!good || *len > PIECES_BATCH_BYTES)
		return false;
	*to = arena_alloc(arena, *len + 1);
	return *to && moved(r, r->from, false, *to, *len, until);
}

enum status reader_ask(struct reader *r, const void *p, size_t n, bool again, struct arena *arena,
	struct batch *to, struct err *e)
{
	uint8_t *answer = NULL;
	size_t len;

	if (exchange(r, p, n, again, arena, &answer, &len) &&
		batch_read(to, r->kind, answer, len, arena, e) == STATUS_OK) {
		r->falls = 0;
		return STATUS_OK;
	}
	end(r, true);
	if (++r->falls > FALLS)
		return err_set(e, STATUS_MACHINE, "the process that reads the lines ends again and again");
	enum status s = start(r, e);
	return s == STATUS_OK ? err_set(e, STATUS_NO, "the process that reads the lines ended over a piece")
			      : s;
}

enum status reader_start(struct reader **to, struct app *a, const struct sensor *k, struct err *e)
{
	struct reader *r = calloc(1, sizeof(*r));
	enum status s;

	*to = r;
	if (!r)
		return err_nomem(e);
	*r = (struct reader){.app = a, .kind = k, .pid = -1, .to = -1, .from = -1};
	s = start(r, e);
	if (s != STATUS_OK) {
		reader_stop(r);
		*to = NULL;
	}
	return s;
}

void reader_stop(struct reader *r)
{
	if (r)
		end(r, false);
	free(r);
}
