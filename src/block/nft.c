/* nftables: the table `inet weir`, changed by libnftables, one command buffer and so one transaction at a
 * time: the kernel takes all of it or nothing.
 *
 * sync() reads what is there, computes the difference and applies that.  A table that is not as we make it is
 * thrown away and made anew in the same transaction, so that no packet passes in between.  The counter of an
 * element goes on where it is made again: it is put in with what it had. */
#include <errno.h>
#include <inttypes.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/world.h"
#include "block/nft_in.h"

#define READ_TRIES 10              /* somebody else may change nftables while we read */
#define FRESH_US   (3 * SECOND_US) /* counters are not read again before */

/* ---- opening ---- */

static void nft_close(void *self)
{
	struct nft *n = self;

	if (!n)
		return;
	if (n->ctx)
		nft_ctx_free(n->ctx);
	if (n->fd >= 0)
		(void)close(n->fd);
	free(n->had.x);
	free(n);
}

static enum status nft_open(void **self, const struct backend_param *p, struct err *e)
{
	struct nft *n = calloc(1, sizeof(*n));
	enum status s = STATUS_OK;
	uint32_t generation;

	(void)p;
	if (!n)
		return err_nomem(e);
	n->fd = nl_open(e);
	if (n->fd < 0)
		s = STATUS_MACHINE;
	if (s == STATUS_OK)
		s = nl_generation(n->fd, &generation, e);
	if (s == STATUS_NO)
		s = err_set(e, STATUS_MACHINE, "this kernel has no nftables");
	if (s == STATUS_OK) {
		n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
		if (!n->ctx || nft_ctx_buffer_output(n->ctx) != 0 || nft_ctx_buffer_error(n->ctx) != 0)
			s = err_nomem(e);
	}
	if (s != STATUS_OK)
		nft_close(n);
	else
		*self = n;
	return s;
}

/* ---- reading ---- */

static enum status read_once(struct nft *n, struct elements *to, struct err *e)
{
	enum status s = skeleton_read(n->fd, &n->is, e);

	to->n = 0;
	for (size_t i = 0; i < n->is.n_shape && s == STATUS_OK; i++)
		s = elements_read(n->fd, &n->is.shape[i], to, e);
	return s;
}

/* Until nobody has changed anything meanwhile. */
static enum status read_all(struct nft *n, struct elements *to, struct err *e)
{
	uint32_t before, after;
	enum status s;

	for (int i = 0; i < READ_TRIES; i++) {
		s = nl_generation(n->fd, &before, e);
		if (s != STATUS_OK)
			return s;
		s = read_once(n, to, e);
		if (s == STATUS_MACHINE)
			return s;
		if (nl_generation(n->fd, &after, e) != STATUS_OK)
			return STATUS_MACHINE;
		if (s == STATUS_OK && before == after) {
			n->generation = after;
			if (to->n)
				qsort(to->x, to->n, sizeof(*to->x), element_compare);
			return s;
		}
	}
	return err_set(e, STATUS_MACHINE, "nftables: others change it all the time");
}

static int64_t mono_us(void)
{
	return world_real.mono(NULL).us;
}

/* Where nobody has changed anything since our last change, what is there is what we put in, less what has
 * expired: with 10,000 elements a tenth of the time that reading takes. */
static enum status remembered(struct nft *n, struct elements *to, struct err *e)
{
	int64_t passed = (mono_us() - n->had_us) / MS_US;

	to->x = calloc(n->had.n + 1, sizeof(*to->x));
	if (!to->x)
		return err_nomem(e);
	for (size_t i = 0; i < n->had.n; i++) {
		struct element *x = &to->x[to->n];
		*x = n->had.x[i];
		x->left_ms -= passed;
		to->n += x->left_ms > 0;
	}
	return STATUS_OK;
}

static enum status read_what_must(struct nft *n, struct elements *to, bool look, struct err *e)
{
	uint32_t generation = 0;
	enum status s = STATUS_OK;

	if (n->known && !look && mono_us() - n->read_us < FRESH_US)
		s = nl_generation(n->fd, &generation, e);
	else
		n->known = false;
	if (s != STATUS_OK)
		return s;
	if (n->known && generation == n->generation)
		return remembered(n, to, e);
	n->known = false;
	n->read_us = mono_us();
	return read_all(n, to, e);
}

/* ---- what is wanted ---- */

static void refuse(struct nft_round *r, uint32_t want, const char *why)
{
	if (!r->have)
		return;
	r->have[want].state = INSTALL_REFUSED;
	(void)snprintf(r->have[want].why, sizeof(r->have[want].why), "nftables: %s", why);
}

static enum status wanted(
	struct nft_round *r, const struct want *want, size_t n, struct wall now, struct err *e)
{
	const char *why;

	r->want.x = calloc(n ? n : 1, sizeof(*r->want.x));
	if (!r->want.x)
		return err_nomem(e);
	if (r->have)
		memset(r->have, 0, n * sizeof(*r->have));
	for (size_t i = 0; i < n; i++) {
		struct element *x = &r->want.x[r->want.n];
		why = nft_cannot(&want[i].rule);
		if (why) {
			refuse(r, (uint32_t)i, why);
			continue;
		}
		element_of(x, &want[i], (uint32_t)i, now);
		r->want.n += x->left_ms > 0;
	}
	qsort(r->want.x, r->want.n, sizeof(*r->want.x), element_compare);
	r->n_shape = shapes_of(r->shape, r->want.x, r->want.n);
	while (r->want.n && shape_compare(&r->want.x[r->want.n - 1].shape, &r->shape[r->n_shape - 1]) > 0)
		refuse(r, r->want.x[--r->want.n].want, "too many kinds of rules at once");
	return STATUS_OK;
}

/* Counters go on, from what is there or was there last; both sorted. */
static void keep_counters(struct elements *to, const struct elements *from)
{
	for (size_t i = 0, k = 0; i < to->n && k < from->n;) {
		struct element *x = &to->x[i];
		int order = element_compare(x, &from->x[k]);
		if (order == 0 && from->x[k].packets >= x->packets) {
			x->packets = from->x[k].packets;
			x->bytes = from->x[k].bytes;
		}
		i += order <= 0;
		k += order >= 0;
	}
}

/* ---- changing ---- */

static void say_more(struct drift *d, const char *what, uint64_t n)
{
	size_t have = strlen(d->why);

	if (n)
		(void)snprintf(
			d->why + have, sizeof(d->why) - have, "%s%" PRIu64 " %s", have ? "; " : "", n, what);
}

static void say(struct nft_round *r)
{
	const struct skeleton *is = &r->self->is;
	struct drift *d = r->d;

	if (d->rebuilt)
		(void)snprintf(d->why, sizeof(d->why), "%s", is->there ? is->odd : "the table was gone");
	say_more(d, "missing", d->missing);
	say_more(d, "not ours", d->foreign);
	say_more(d, "with another end or rate", d->renewed);
}

/* The first line of nft's message, without the word "Error". */
static enum status said(struct nft *n, struct err *e)
{
	const char *all = nft_ctx_get_error_buffer(n->ctx), *s = strstr(all, "Error: ");
	char line[NFT_ERR_TEXT], clean[NFT_ERR_TEXT];
	size_t len;

	s = s ? s + strlen("Error: ") : all;
	len = strcspn(s, "\n");
	(void)snprintf(line, sizeof(line), "%.*s", len < sizeof(line) ? (int)len : (int)sizeof(line) - 1, s);
	if (strstr(line, strerror(EPERM)))
		return err_set(e, STATUS_MACHINE,
			"no permission to change nftables (it takes root or CAP_NET_ADMIN)");
	return err_set(e, STATUS_MACHINE, "nftables refuses the change, and nothing of it was made: %s",
		*line ? printable(clean, sizeof(clean), line) : "no reason given");
}

/* One transaction, and one generation more; *changed: there was anything to be done. */
static enum status run(struct nft *n, struct buf *text, bool *changed, struct err *e)
{
	*changed = text->n > 0;
	buf_u8(text, 0);
	if (text->failed)
		return err_nomem(e);
	if (!*changed)
		return STATUS_OK;
	return nft_run_cmd_from_buffer(n->ctx, (const char *)text->p) == 0 ? STATUS_OK : said(n, e);
}

/* After a change: is what is there what was put in?  Where that is not sure, it is read the next time. */
static void remember(struct nft_round *r, bool changed, bool shapes)
{
	struct nft *n = r->self;
	struct err none;
	uint32_t generation = 0;

	free(n->had.x);
	n->had = r->want;
	n->had_us = mono_us();
	r->want = (struct elements){0};
	n->known = (!shapes || skeleton_read(n->fd, &n->is, &none) == STATUS_OK) && !*n->is.odd &&
		   nl_generation(n->fd, &generation, &none) == STATUS_OK &&
		   generation == n->generation + changed;
	n->generation = generation;
}

/* What is there now, as far as the caller wants to know. */
static void report(struct nft_round *r, bool look)
{
	for (size_t i = 0; r->have && i < r->want.n; i++) {
		const struct element *x = &r->want.x[i];
		struct have *to = &r->have[x->want];
		to->state = !look || (x->there && !r->rebuild) ? INSTALL_OK : INSTALL_NOT;
		to->packets = x->packets;
		to->bytes = x->bytes;
	}
}

static enum status apply(struct nft_round *r, bool look, struct err *e)
{
	struct nft *n = r->self;
	bool changed = false, shapes;
	enum status s;

	r->rebuild = r->want.n && (!n->is.there || *n->is.odd);
	/* the first rules of all are no table that was gone */
	r->d->rebuilt = r->rebuild && (n->is.there || n->had.n);
	keep_counters(&r->want, &n->had);
	keep_counters(&r->want, &r->is);
	s = nft_change(r, &shapes, e);
	say(r);
	if (s == STATUS_OK && !look)
		s = run(n, &r->text, &changed, e);
	if (s != STATUS_OK)
		return s;
	report(r, look);
	if (look) {
		keep_counters(&n->had, &r->is);
		r->d->added = r->d->removed = 0;
	} else
		remember(r, changed, shapes);
	return s;
}

static enum status sync_once(struct nft_round *r, const struct want *want, size_t n_want, struct wall now,
	bool look, struct err *e)
{
	enum status s;

	*r->d = (struct drift){0};
	s = wanted(r, want, n_want, now, e);
	if (s == STATUS_OK)
		s = read_what_must(r->self, &r->is, look, e);
	if (s == STATUS_OK)
		s = apply(r, look, e);
	free(r->want.x);
	free(r->is.x);
	buf_free(&r->text);
	return s;
}

static enum status nft_sync(void *self, const struct want *want, size_t n_want, struct wall now, bool look,
	struct have *have, struct drift *d, struct err *e)
{
	struct nft *n = self;
	struct nft_round r = {.self = n, .have = have, .d = d};
	enum status s = sync_once(&r, want, n_want, now, look, e);

	if (s == STATUS_OK || !n->known)
		return s;
	/* what was remembered was not so: an element that had just expired cannot be taken out */
	n->known = false;
	r = (struct nft_round){.self = n, .have = have, .d = d};
	return sync_once(&r, want, n_want, now, look, e);
}

/* ---- without touching anything ---- */

static const char *cannot(const struct backend_param *p, const struct rule *r)
{
	(void)p;
	return nft_cannot(r);
}

static enum status nft_lines(struct buf *to, const struct backend_param *p, const struct want *want, size_t n,
	struct wall now, bool remove, struct err *e)
{
	struct nft_round r = {0};
	enum status s = wanted(&r, want, n, now, e);

	(void)p;
	if (s == STATUS_OK && !remove && r.want.n) {
		text_table(to);
		for (size_t i = 0; i < r.n_shape; i++)
			text_shape(to, &r.shape[i]);
	}
	if (s == STATUS_OK)
		text_elements(to, r.want.x, r.want.n, remove ? TEXT_DELETE : TEXT_ADD, true);
	free(r.want.x);
	return s == STATUS_OK && to->failed ? err_nomem(e) : s;
}

static int nft_fd(void *self)
{
	(void)self;
	return -1;
}

static enum status nft_heard(void *self, struct err *e)
{
	(void)self;
	(void)e;
	return STATUS_OK;
}

const struct backend backend_nft = {.name = "nft",
	.net_admin = true,
	.cannot = cannot,
	.lines = nft_lines,
	.open = nft_open,
	.sync = nft_sync,
	.fd = nft_fd,
	.heard = nft_heard,
	.close = nft_close};
