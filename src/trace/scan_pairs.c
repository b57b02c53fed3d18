/* What a pair is, and how many there are.
 *
 * M is charged for every pair that was searched, looked at or not, so they must be counted, and there are
 * hundreds of millions.  Two legs overlap unless one ends before the other begins; with the beginnings and
 * the ends sorted, the number of those that do not is two binary searches a leg.  Pairs of one flow with
 * itself, seen twice or translated, are no pairs; these are few and are enumerated, by 5-tuple and by the
 * flow that they are copies of. */
#include <stdlib.h>
#include <string.h>

#include "trace/scan_in.h"

bool scan_in_first(const struct scan_leg *a, const struct scan_leg *b)
{
	return a->opened == b->opened ? a->age < b->age : b->opened;
}

static bool one_flow(const struct scan *sc, const struct flow *a, const struct flow *b)
{
	return flow_same(a, b, sc->t->cfg->clock_skew_us) || flow_rewritten(a, b);
}

static bool same_host(const struct scan_leg *a, const struct scan_leg *b)
{
	return ip_equal(&a->view->host, &b->view->host);
}

bool scan_is_pair(const struct scan *sc, const struct scan_set *s, const struct scan_leg *in,
	const struct scan_leg *out)
{
	if (in->flow == out->flow || !flow_overlap(in->flow, out->flow, scan_slack(sc, in, out)))
		return false;
	if (s->one_list ? !scan_in_first(in, out) : s->apart && same_host(in, out))
		return false;
	return !one_flow(sc, in->flow, out->flow);
}

/* Beginnings and ends of the legs of one point. */
struct times {
	int64_t *first, *last;
	size_t n;
};

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* How many of v are below t. */
static size_t below(const int64_t *v, size_t n, int64_t t)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (v[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Legs are sorted by point: times of the run at `from`. */
static size_t times_of(struct times *to, const struct scan_leg *leg, size_t n, size_t from)
{
	size_t i = from;

	for (to->n = 0; i < n && leg[i].point == leg[from].point; i++, to->n++) {
		to->first[to->n] = leg[i].flow->head.first_us;
		to->last[to->n] = leg[i].flow->last_us;
	}
	qsort(to->first, to->n, sizeof(*to->first), by_value);
	qsort(to->last, to->n, sizeof(*to->last), by_value);
	return i;
}

static uint64_t overlaps(const struct scan *sc, const struct scan_leg *a, size_t na, const struct scan_leg *b,
	size_t nb, struct times *room)
{
	uint64_t pairs = 0;

	for (size_t at = 0, next; at < nb; at = next) {
		next = times_of(room, b, nb, at);
		for (size_t i = 0; i < na; i++) {
			const struct flow *f = a[i].flow;
			int64_t slack = scan_slack(sc, &a[i], &b[at]);
			pairs += below(room->first, room->n, f->last_us + slack + 1) -
				 below(room->last, room->n, f->head.first_us - slack);
		}
	}
	return pairs;
}

/* One leg of a list in which copies are looked for. */
struct copy {
	const struct scan_leg *leg;
	bool out;
};

static const struct flow *origin(const struct copy *c)
{
	return c->leg->flow->rewrite_of ? c->leg->flow->rewrite_of : c->leg->flow;
}

static int by_first(const struct copy *x, const struct copy *y)
{
	int64_t a = x->leg->flow->head.first_us, b = y->leg->flow->head.first_us;

	return (a > b) - (a < b);
}

static int by_tuple(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	int c = tuple_compare(x->leg->flow, y->leg->flow);

	return c ? c : by_first(x, y);
}

static int by_origin(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	const struct flow *p = origin(x), *q = origin(y);
	int c = (p > q) - (p < q);

	return c ? c : by_first(x, y);
}

/* Would these two have been counted as overlapping, though they are one flow? */
static bool counted(
	const struct scan *sc, const struct scan_set *s, const struct copy *x, const struct copy *y)
{
	if (!s->one_list && x->out == y->out)
		return false;
	if (s->apart && same_host(x->leg, y->leg))
		return false;
	return flow_overlap(x->leg->flow, y->leg->flow, scan_slack(sc, x->leg, y->leg));
}

/* Copies stand beside each other in c, sorted by first packet. */
static uint64_t copies(
	const struct scan *sc, const struct scan_set *s, const struct copy *c, size_t n, bool tuple)
{
	int64_t skew = sc->t->cfg->clock_skew_us;
	uint64_t pairs = 0;

	for (size_t i = 0; i < n; i++) {
		const struct flow *f = c[i].leg->flow;
		for (size_t k = i + 1; k < n; k++) {
			const struct flow *g = c[k].leg->flow;
			if ((tuple ? tuple_compare(f, g) != 0 : origin(&c[i]) != origin(&c[k])) ||
				g->head.first_us > f->last_us + skew)
				break;
			/* those of one tuple were counted by tuple */
			pairs += counted(sc, s, &c[i], &c[k]) && (tuple || !flow_same(f, g, skew));
		}
	}
	return pairs;
}

static enum status count_copies(const struct scan *sc, const struct scan_set *s, uint64_t *to, struct err *e)
{
	size_t n_out = s->one_list ? 0 : s->n_out, n = s->n_in + n_out;
	struct copy *c = malloc((n + 1) * sizeof(*c));

	if (!c)
		return err_nomem(e);
	for (size_t i = 0; i < s->n_in; i++)
		c[i] = (struct copy){&s->in[i], false};
	for (size_t i = 0; i < n_out; i++)
		c[s->n_in + i] = (struct copy){&s->out[i], true};
	qsort(c, n, sizeof(*c), by_tuple);
	*to = copies(sc, s, c, n, true);
	qsort(c, n, sizeof(*c), by_origin);
	*to += copies(sc, s, c, n, false);
	free(c);
	return STATUS_OK;
}

static int by_host(const void *a, const void *b)
{
	const struct scan_leg *x = a, *y = b;
	int c = (x->view > y->view) - (x->view < y->view);

	return c ? c : (x->point > y->point) - (x->point < y->point);
}

static size_t host_end(const struct scan_leg *leg, size_t n, size_t at)
{
	const struct view *v = leg[at].view;

	while (at < n && leg[at].view == v)
		at++;
	return at;
}

/* Overlaps of legs at one host, which a set of pairs at two hosts does not have. */
static enum status at_home(
	const struct scan *sc, const struct scan_set *s, struct times *room, uint64_t *to, struct err *e)
{
	size_t n = s->n_in + s->n_out, k = 0;
	struct scan_leg *in = malloc((n + 1) * sizeof(*in)), *out = in + s->n_in;

	*to = 0;
	if (!in)
		return err_nomem(e);
	if (s->n_in)
		memcpy(in, s->in, s->n_in * sizeof(*in));
	if (s->n_out)
		memcpy(out, s->out, s->n_out * sizeof(*out));
	qsort(in, s->n_in, sizeof(*in), by_host);
	qsort(out, s->n_out, sizeof(*out), by_host);
	for (size_t i = 0, j; i < s->n_in; i = j) {
		j = host_end(in, s->n_in, i);
		while (k < s->n_out && out[k].view < in[i].view)
			k++;
		size_t from = k;
		if (k < s->n_out && out[k].view == in[i].view)
			k = host_end(out, s->n_out, k);
		*to += overlaps(sc, in + i, j - i, out + from, k - from, room);
	}
	free(in);
	return STATUS_OK;
}

enum status scan_count(const struct scan *sc, struct scan_set *s, struct err *e)
{
	size_t most = s->n_out + 1;
	struct times room = {malloc(most * sizeof(int64_t)), malloc(most * sizeof(int64_t)), 0};
	uint64_t copied = 0, home = 0;
	enum status st = room.first && room.last ? count_copies(sc, s, &copied, e) : err_nomem(e);

	if (st == STATUS_OK && s->apart)
		st = at_home(sc, s, &room, &home, e);
	if (st == STATUS_OK) {
		uint64_t n = overlaps(sc, s->in, s->n_in, s->out, s->n_out, &room);
		s->pairs = (s->one_list ? (n - s->n_in) / 2 : n - home) - copied;
	}
	free(room.first);
	free(room.last);
	return st;
}
