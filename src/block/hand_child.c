/* The hand itself: opens the outside, gives up everything else, and then does what orders that verify say.
 *
 * In this order: other descriptors are closed; the back end is opened (root, or whoever has CAP_NET_ADMIN);
 * the resolvers are read; then it becomes nobody, keeps that one capability, and loses all files and all
 * system calls but those that talk with the kernel's netlink.  It ends when the process that forked it does,
 * and not before: a signal to the group leaves it to finish what it was told. */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "block/hand_in.h"

#define FD_FIRST 3 /* behind standard input, output and error, which a back end may need */

/* All but these two (held may be -1). */
static void close_others(int fd, int held)
{
	int low = held < fd ? held : fd, high = held < fd ? fd : held, from = FD_FIRST;

	if (low > from)
		(void)close_range((unsigned)from, (unsigned)low - 1, 0);
	from = low >= from ? low + 1 : from;
	if (high > from)
		(void)close_range((unsigned)from, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0U, 0);
}

static enum status confine(const struct backend *b, struct err *e)
{
	const struct sandbox box = {.profile = SANDBOX_HAND};
	struct sandbox_held held = {0};
	enum status s = b->net_admin ? sandbox_keep_net_admin(e) : sandbox_drop_caps(e);

	if (s == STATUS_OK)
		s = sandbox_files(&box, &held, e);
	if (s == STATUS_OK)
		s = sandbox_calls(box.profile, &held, e);
	return s == STATUS_OK ? s : err_wrap(e, "sandbox");
}

static enum status begin(struct book **book, void **outside, const struct backend *b,
	const struct config *cfg, const struct vkey *logs, size_t n_logs, struct err *e)
{
	const struct backend_param param = {.max_rules = (size_t)cfg->max_rules, .cfg = cfg};
	enum status s = b->open(outside, &param, e);

	if (s == STATUS_OK) {
		*book = book_open(b, *outside, cfg, logs, n_logs);
		s = *book ? book_resolvers(*book, e) : err_nomem(e);
	}
	sandbox_no_dump();
	return s == STATUS_OK ? confine(b, e) : s;
}

static enum status serve_frame(struct book *book, int fd, struct buf *in, struct err *e)
{
	enum frame kind;
	struct buf reply = {0};
	enum status s = frame_read(fd, &kind, in, e);
	struct rd r = rd_of(in->p, in->n);

	if (s != STATUS_OK)
		return s;
	switch (kind) {
	case FRAME_PLAN:
		return book_plan(book, r, e);
	case FRAME_ORDER:
		return book_order(book, r, e);
	case FRAME_SYNC:
		book_sync(book, r, &reply);
		s = frame_send(fd, FRAME_REPLY, &reply, e);
		buf_free(&reply);
		return s;
	case FRAME_READY:
	case FRAME_REPLY:
	default:
		return err_set(e, STATUS_MACHINE, "a frame that is none");
	}
}

static void serve(struct book *book, const struct backend *b, void *outside, int fd)
{
	struct buf in = {0};
	struct err e;
	enum status s = STATUS_OK;

	while (s == STATUS_OK) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = b->fd(outside), .events = POLLIN}};
		if (poll(p, 2, -1) < 0)
			continue; /* a signal */
		if (p[1].revents)
			s = b->heard(outside, &e);
		if (s == STATUS_OK && p[0].revents)
			s = serve_frame(book, fd, &in, &e);
	}
	buf_free(&in);
}

_Noreturn void hand_live(int fd, int held, const struct backend *b, const struct config *cfg,
	const struct vkey *logs, size_t n_logs)
{
	struct book *book = NULL;
	void *outside = NULL;
	struct err e = {0}, late;
	struct buf ready = {0};
	enum status s;

	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	close_others(fd, held);
	s = begin(&book, &outside, b, cfg, logs, n_logs, &e);
	buf_u8(&ready, (uint8_t)s);
	frame_put_text(&ready, s == STATUS_OK ? "" : e.text);
	if (frame_send(fd, FRAME_READY, &ready, &late) == STATUS_OK && s == STATUS_OK)
		serve(book, b, outside, fd);
	buf_free(&ready);
	if (outside)
		b->close(outside);
	book_close(book);
	_exit(s == STATUS_OK ? 0 : STATUS_MACHINE);
}
