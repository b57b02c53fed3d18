/* Frames: see hand_in.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "block/hand_in.h"

#define HEAD_BYTES  5
#define GROW_BYTES  (1 << 16) /* memory follows what has come, not what was announced */
#define RESULT_MIN  37        /* bytes of a result at least: bounds their number */
#define DRIFT_COUNT 5

/* ---- bytes ---- */

static enum status gone(struct err *e)
{
	return err_set(e, STATUS_MACHINE, "the process that changes the rules has ended");
}

static enum status send_all(int fd, const uint8_t *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return gone(e);
		p += k;
		n -= (size_t)k;
	}
	return STATUS_OK;
}

enum status frame_send(int fd, enum frame kind, const struct buf *body, struct err *e)
{
	uint8_t head[HEAD_BYTES];
	uint32_t n = (uint32_t)body->n + 1;
	enum status s;

	if (body->failed)
		return err_nomem(e);
	if (body->n >= FRAME_MAX)
		return err_set(e, STATUS_BAD, "too large");
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(n >> 8 * i);
	head[4] = (uint8_t)kind;
	s = send_all(fd, head, sizeof(head), e);
	return s == STATUS_OK && body->n ? send_all(fd, body->p, body->n, e) : s;
}

/* Appends exactly n bytes.  STATUS_NO: it ended before the first. */
static enum status read_all(int fd, struct buf *to, size_t n, struct err *e)
{
	uint8_t piece[GROW_BYTES];
	size_t begun = to->n;

	while (n) {
		ssize_t k = recv(fd, piece, n < sizeof(piece) ? n : sizeof(piece), 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return err_set(e, STATUS_MACHINE, "no answer in time");
		if (k <= 0) {
			enum status s = gone(e);
			return to->n == begun ? (e->status = STATUS_NO) : s;
		}
		buf_put(to, piece, (size_t)k);
		n -= (size_t)k;
	}
	return to->failed ? err_nomem(e) : STATUS_OK;
}

enum status frame_read(int fd, enum frame *kind, struct buf *to, struct err *e)
{
	struct rd r;
	uint32_t n;
	enum status s;

	to->n = 0;
	s = read_all(fd, to, HEAD_BYTES, e);
	if (s != STATUS_OK)
		return s;
	r = rd_of(to->p, to->n);
	n = rd_le32(&r);
	*kind = (enum frame)rd_u8(&r);
	if (n < 1 || n > FRAME_MAX)
		return err_set(e, STATUS_MACHINE, "a frame of %lu bytes", (unsigned long)n);
	to->n = 0;
	s = read_all(fd, to, n - 1, e);
	return s == STATUS_NO ? gone(e) : s;
}

/* ---- parts ---- */

void frame_put_bytes(struct buf *to, const void *p, size_t n)
{
	buf_le32(to, (uint32_t)n);
	buf_put(to, p, n);
}

void frame_put_text(struct buf *to, const char *s)
{
	frame_put_bytes(to, s, strlen(s));
}

struct rd frame_cut(struct rd *r)
{
	uint32_t n = rd_le32(r);

	return rd_cut(r, n);
}

void frame_text(char *to, size_t n, struct rd *r)
{
	struct rd t = frame_cut(r);
	size_t k = rd_left(&t) < n - 1 ? rd_left(&t) : n - 1;

	memcpy(to, t.p, k);
	to[k] = '\0';
}

bool frame_id(struct id *to, struct rd *r)
{
	const uint8_t *p = rd_take(r, sizeof(to->b));

	if (p)
		memcpy(to->b, p, sizeof(to->b));
	return p;
}

void frame_put_proven(struct buf *to, const struct proven_text *t)
{
	frame_put_bytes(to, t->text, t->n);
	frame_put_bytes(to, t->entry, t->n_entry);
	frame_put_bytes(to, t->proof, t->n_proof);
}

void frame_proven(struct proven_text *to, struct rd *r)
{
	struct rd text = frame_cut(r), entry = frame_cut(r), proof = frame_cut(r);

	*to = (struct proven_text){.text = text.p,
		.n = rd_left(&text),
		.entry = (const char *)entry.p,
		.n_entry = rd_left(&entry),
		.proof = (const char *)proof.p,
		.n_proof = rd_left(&proof)};
}

/* ---- a reply ---- */

static void drift_put(struct buf *to, const struct drift *d)
{
	const uint64_t count[DRIFT_COUNT] = {d->missing, d->foreign, d->added, d->removed, d->renewed};

	for (size_t i = 0; i < DRIFT_COUNT; i++)
		buf_le64(to, count[i]);
	buf_u8(to, d->rebuilt);
	frame_put_text(to, d->why);
}

static void drift_take(struct drift *to, struct rd *r)
{
	uint64_t *const count[DRIFT_COUNT] = {
		&to->missing, &to->foreign, &to->added, &to->removed, &to->renewed};

	for (size_t i = 0; i < DRIFT_COUNT; i++)
		*count[i] = rd_le64(r);
	to->rebuilt = rd_u8(r) == 1;
	frame_text(to->why, sizeof(to->why), r);
}

void reply_put(
	struct buf *to, enum status s, const struct err *e, const struct hand_reply *r, const bool *kept)
{
	buf_u8(to, (uint8_t)s);
	frame_put_text(to, s == STATUS_OK ? "" : e->text);
	drift_put(to, &r->drift);
	buf_le32(to, (uint32_t)r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct hand_result *x = &r->result[i];
		buf_put(to, x->id.b, sizeof(x->id.b));
		buf_u8(to, (uint8_t)(x->taken << RESULT_TAKEN | x->installed << RESULT_INSTALLED |
				     (kept && kept[i]) << RESULT_KEPT));
		buf_le64(to, x->packets);
		buf_le64(to, x->bytes);
		frame_put_text(to, x->why);
	}
}

static void result_take(struct hand_result *to, bool *kept, struct rd *r)
{
	uint8_t flags;

	(void)frame_id(&to->id, r);
	flags = rd_u8(r);
	to->taken = flags >> RESULT_TAKEN & 1;
	to->installed = flags >> RESULT_INSTALLED & 1;
	*kept = flags >> RESULT_KEPT & 1;
	to->packets = rd_le64(r);
	to->bytes = rd_le64(r);
	frame_text(to->why, sizeof(to->why), r);
}

enum status reply_take(struct hand_reply *to, bool **kept, struct rd r, struct arena *a, struct err *e)
{
	enum status s = (enum status)rd_u8(&r);
	struct err met = {.status = s};
	bool *keep;
	size_t n;

	*to = (struct hand_reply){0};
	frame_text(met.text, sizeof(met.text), &r);
	drift_take(&to->drift, &r);
	n = rd_le32(&r);
	if (r.bad || n > rd_left(&r) / RESULT_MIN || s > STATUS_MACHINE)
		return err_set(e, STATUS_MACHINE, "an answer that is none");
	to->result = arena_array(a, n ? n : 1, sizeof(*to->result));
	keep = arena_array(a, n ? n : 1, sizeof(*keep));
	if (!to->result || !keep)
		return err_nomem(e);
	for (to->n = 0; to->n < n; to->n++)
		result_take(&to->result[to->n], &keep[to->n], &r);
	if (r.bad || rd_left(&r))
		return err_set(e, STATUS_MACHINE, "an answer that is none");
	if (kept)
		*kept = keep;
	if (s != STATUS_OK)
		*e = met;
	return s;
}
