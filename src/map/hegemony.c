/* Shares to rows: sorted by network, peer network and table, averaged, trimmed. */
#include <stdlib.h>

#include "base/grow.h"
#include "base/order.h"
#include "map/hegemony.h"

bool hegemony_session(struct hegemony *h, uint32_t peer)
{
	if (!grow(&h->peer, &h->cap_session, h->n_session, 1, sizeof(*h->peer)))
		return false;
	h->peer[h->n_session++] = peer;
	return true;
}

bool hegemony_share(struct hegemony *h, struct share s)
{
	if (!grow(&h->share, &h->cap, h->n, 1, sizeof(*h->share)))
		return false;
	h->share[h->n++] = s;
	return true;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int by_network(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	if (x->peer != y->peer)
		return x->peer < y->peer ? -1 : 1;
	return x->sheet < y->sheet ? -1 : x->sheet > y->sheet;
}

/* Peer networks, ascending, and how many sessions of each see the scope. */
struct peers {
	uint32_t *asn, *many;
	size_t n;
	double *x; /* room for a value each */
};

static void peers_free(struct peers *p)
{
	free(p->asn);
	free(p->many);
	free(p->x);
}

static bool peers_of(struct peers *p, struct hegemony *h)
{
	size_t n = h->n_session;

	*p = (struct peers){.asn = calloc(n + 1, sizeof(*p->asn)),
		.many = calloc(n + 1, sizeof(*p->many)),
		.x = calloc(n + 1, sizeof(*p->x))};
	if (!p->asn || !p->many || !p->x)
		return false;
	if (n)
		qsort(h->peer, n, sizeof(*h->peer), u32_order);
	for (size_t i = 0; i < n; i++) {
		if (p->n == 0 || p->asn[p->n - 1] != h->peer[i])
			p->asn[p->n++] = h->peer[i];
		p->many[p->n - 1]++;
	}
	return true;
}

static double sessions_of(const struct peers *p, uint32_t asn)
{
	const uint32_t *at = p->n ? bsearch(&asn, p->asn, p->n, sizeof(asn), u32_order) : NULL;

	return at ? p->many[at - p->asn] : 1;
}

/* Mean of n_all values, of which the n given are not zero. */
static double trimmed_mean(double *x, size_t n, size_t n_all)
{
	size_t cut = (size_t)(HEGEMONY_TRIM * (double)n_all), zeros = n_all - n;
	double sum = 0;

	if (n)
		qsort(x, n, sizeof(*x), by_double);
	for (size_t i = 0; i < n; i++)
		if (zeros + i >= cut && zeros + i < n_all - cut)
			sum += x[i];
	return n_all > 2 * cut ? sum / (double)(n_all - 2 * cut) : 0;
}

/* How many different tables are among n shares. */
static uint32_t sheets_of(const struct share *s, size_t n)
{
	uint32_t many = 0;

	for (size_t i = 0; i < n; i++) {
		bool before = false;
		for (size_t k = 0; k < i && !before; k++)
			before = s[k].sheet == s[i].sheet;
		many += !before;
	}
	return many;
}

/* s[0..n) are of one network, by peer network. */
static struct depend_row row_of(const struct share *s, size_t n, struct peers *p)
{
	struct depend_row r = {.asn = s[0].asn, .n_sheet = sheets_of(s, n), .distance = s[0].distance};
	size_t n_x = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || s[i].peer != s[i - 1].peer)
			p->x[n_x++] = 0;
		p->x[n_x - 1] += s[i].share / sessions_of(p, s[i].peer);
		r.distance = s[i].distance < r.distance ? s[i].distance : r.distance;
	}
	r.n_peer_as = (uint32_t)n_x;
	r.n_seeing = (uint32_t)p->n;
	r.share = trimmed_mean(p->x, n_x, p->n);
	return r;
}

static int by_share(const void *a, const void *b)
{
	const struct depend_row *x = a, *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	return x->asn < y->asn ? -1 : x->asn > y->asn;
}

static size_t networks_of(const struct hegemony *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += i == 0 || h->share[i].asn != h->share[i - 1].asn;
	return n;
}

enum status hegemony_rows(struct depend *to, struct hegemony *h, struct arena *a, struct err *e)
{
	struct peers p;
	bool ok = peers_of(&p, h);

	if (h->n)
		qsort(h->share, h->n, sizeof(*h->share), by_network);
	to->row = arena_array(a, networks_of(h) + 1, sizeof(*to->row));
	to->n = 0;
	for (size_t i = 0, end; ok && to->row && i < h->n; i = end) {
		for (end = i; end < h->n && h->share[end].asn == h->share[i].asn;)
			end++;
		to->row[to->n++] = row_of(h->share + i, end - i, &p);
	}
	to->n_peer_as = (uint32_t)p.n;
	to->n_session = (uint32_t)h->n_session;
	peers_free(&p);
	if (!ok || !to->row)
		return err_nomem(e);
	depend_sort(to);
	return STATUS_OK;
}

bool hegemony_row(struct depend_row *to, struct hegemony *h)
{
	struct peers p;
	bool ok = peers_of(&p, h);

	if (h->n)
		qsort(h->share, h->n, sizeof(*h->share), by_network);
	if (ok && h->n)
		*to = row_of(h->share, h->n, &p);
	peers_free(&p);
	return ok;
}

void depend_sort(struct depend *d)
{
	if (d->n)
		qsort(d->row, d->n, sizeof(*d->row), by_share);
}

void hegemony_reset(struct hegemony *h)
{
	h->n = h->n_session = 0;
}

void hegemony_free(struct hegemony *h)
{
	free(h->share);
	free(h->peer);
	*h = (struct hegemony){0};
}
