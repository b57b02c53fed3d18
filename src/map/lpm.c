/* Longest match.  The prefixes, sorted, are swept once with those that are open on a stack; out come ranges
 * by their first address, each with the index of the longest prefix over it.
 *
 * IPv4: ranges in a row; a table of 65,537 places by the first two octets, then halving.
 * IPv6: ranges over the first 64 bits in a tree of 8 numbers (a cache line) a node, without pointers: the
 * rows of nodes stand one behind the other, the lowest row is all numbers in order, number i of node k is the
 * least of the (i + 1)th child's, children of k are 9k .. 9k + 8 of the next row.  Where a /64 is divided its
 * range says MORE: its parts are in more6, all 128 bits, halved. */
#include "map/lpm.h"

#include <stdlib.h>

#include "base/grow.h"
#include "map/big.h"
#include "map/paths.h"

#define TAG_BEGIN4 SHEET_TAG('L', '4', 'B', 'E')
#define TAG_VALUE4 SHEET_TAG('L', '4', 'V', 'A')
#define TAG_TOP4   SHEET_TAG('L', '4', 'T', 'O')
#define TAG_BEGIN6 SHEET_TAG('L', '6', 'B', 'E')
#define TAG_VALUE6 SHEET_TAG('L', '6', 'V', 'A')
#define TAG_MORE6  SHEET_TAG('L', '6', 'M', 'O')

#define MORE (UINT32_MAX - 1)
enum { TOP_BITS = 16, TOP_PLACES = (1 << TOP_BITS) + 1, NODE = 8, NODE_BYTES = NODE * 8 };

typedef unsigned __int128 u128;

struct more { /* as it lies in the sheet */
	uint64_t hi, lo;
	uint32_t value, zero;
};

/* ---- the tree's shape: from the number of its entries alone ---- */

struct shape {
	uint32_t first[LPM_ROWS]; /* first node of each row, lowest row first */
	uint32_t node[LPM_ROWS];  /* nodes in it */
	uint32_t rows;
	size_t nodes;
};

static struct shape shape_of(size_t n)
{
	struct shape s = {.rows = 0};
	size_t k = (n + NODE - 1) / NODE;

	for (;;) {
		s.node[s.rows++] = (uint32_t)k;
		s.nodes += k;
		if (k <= 1)
			break;
		k = (k + NODE) / (NODE + 1);
	}
	uint32_t at = 0; /* the root stands first */
	for (uint32_t r = s.rows; r-- > 0;) {
		s.first[r] = at;
		at += s.node[r];
	}
	return s;
}

/* The least number below child c of the row above the lowest, which is the first number of a leaf: down the
 * first children. */
static uint64_t least_below(const uint64_t *leaf, size_t n, size_t node, size_t row)
{
	for (; row > 0; row--)
		node *= NODE + 1;
	return node * NODE < n ? leaf[node * NODE] : UINT64_MAX;
}

static void tree_fill(uint64_t *to, const struct shape *s, const uint64_t *leaf, size_t n)
{
	for (size_t i = 0; i < s->node[0] * NODE; i++)
		to[s->first[0] * NODE + i] = i < n ? leaf[i] : UINT64_MAX;
	for (uint32_t r = 1; r < s->rows; r++)
		for (size_t k = 0; k < s->node[r]; k++)
			for (size_t i = 0; i < NODE; i++)
				to[(s->first[r] + k) * NODE + i] =
					least_below(leaf, n, k * (NODE + 1) + i + 1, r - 1);
}

/* How many of the node's numbers are at most x.  Written out: as a loop it takes three times as long. */
static inline size_t node_rank(const uint64_t *v, uint64_t x)
{
	_Static_assert(NODE == 8, "as many as are added here");
	return (size_t)(v[0] <= x) + (v[1] <= x) + (v[2] <= x) + (v[3] <= x) + (v[4] <= x) + (v[5] <= x) +
	       (v[6] <= x) + (v[7] <= x);
}

/* The place of the last number that is at most x; range 0 begins at 0, so there is one.  Places beyond a row
 * (at x of all ones, or in a damaged sheet) are brought back into it. */
static size_t tree_find(const struct lpm *l, uint64_t x)
{
	size_t k = 0;

	for (uint32_t r = l->rows6; r-- > 1;) {
		k = k * (NODE + 1) + node_rank(l->begin6 + (l->first6[r] + k) * NODE, x);
		k = k < l->node6[r - 1] ? k : l->node6[r - 1] - 1;
	}
	__builtin_prefetch(l->value6 + k * NODE); /* comes together with the last node */
	size_t at = k * NODE + node_rank(l->begin6 + (l->first6[0] + k) * NODE, x);
	return at > l->n6 ? l->n6 - 1 : at - (at > 0);
}

/* ---- ranges ---- */

struct range {
	u128 begin;
	uint32_t value;
};
struct ranges {
	struct range *r;
	size_t n, cap;
	struct range *open; /* prefixes over the place that is swept: begin is their last address */
	size_t n_open, cap_open;
	bool failed;
};

/* Ranges that begin at the same address: the last said one counts.  Equal neighbours are one. */
static void range_put(struct ranges *to, u128 begin, uint32_t value)
{
	if (to->n && to->r[to->n - 1].begin == begin)
		to->n--;
	if (to->n && to->r[to->n - 1].value == value)
		return;
	if (!big_grow(&to->r, &to->cap, to->n, 1, sizeof(*to->r)))
		to->failed = true;
	else
		to->r[to->n++] = (struct range){begin, value};
}

/* Closes the prefixes that end before `at`. */
static void ranges_close(struct ranges *to, u128 at, bool all)
{
	while (to->n_open && (all || to->open[to->n_open - 1].begin < at)) {
		u128 behind = to->open[--to->n_open].begin + 1;
		if (behind) /* not the end of all addresses */
			range_put(to, behind, to->n_open ? to->open[to->n_open - 1].value : LPM_NONE);
	}
}

static void ranges_add(struct ranges *to, const struct map_prefix *p, uint32_t value)
{
	u128 begin = (u128)p->hi << 64 | p->lo;
	unsigned len = p->len; /* IPv4 stands in the top 32 bits: what is behind them is the same to it */
	u128 size_less_1 = len == 0 ? ~(u128)0 : len >= 128 ? 0 : ((u128)1 << (128 - len)) - 1;

	ranges_close(to, begin, false);
	if (!grow(&to->open, &to->cap_open, to->n_open, 1, sizeof(*to->open))) {
		to->failed = true;
		return;
	}
	to->open[to->n_open++] = (struct range){begin + size_less_1, value};
	range_put(to, begin, value);
}

static enum status ranges_make(
	struct ranges *to, const struct map_prefix *p, size_t from, size_t n, struct err *e)
{
	range_put(to, 0, LPM_NONE);
	for (size_t i = from; i < n && !to->failed; i++)
		ranges_add(to, &p[i], (uint32_t)i);
	ranges_close(to, 0, true);
	return to->failed ? err_nomem(e) : STATUS_OK;
}

static void ranges_free(struct ranges *r)
{
	big_free(r->r, r->cap, sizeof(*r->r));
	free(r->open);
}

/* ---- IPv4 ---- */

static void top_fill(uint32_t *top, const struct ranges *r)
{
	size_t at = 0;

	for (uint64_t t = 0; t < TOP_PLACES; t++) {
		while (at < r->n && (uint64_t)(r->r[at].begin >> 96) < t << (32 - TOP_BITS))
			at++;
		top[t] = (uint32_t)at;
	}
}

static enum status write4(struct sheet_out *o, const struct map_prefix *p, size_t n, struct err *e)
{
	struct ranges r = {0};
	enum status st = ranges_make(&r, p, 0, n, e);
	uint32_t *begin = malloc(r.n * sizeof(*begin) + 1), *value = malloc(r.n * sizeof(*value) + 1),
		 *top = malloc(TOP_PLACES * sizeof(*top));

	if (st == STATUS_OK && (!begin || !value || !top))
		st = err_nomem(e);
	if (st == STATUS_OK) {
		for (size_t i = 0; i < r.n; i++) {
			begin[i] = (uint32_t)(r.r[i].begin >> 96);
			value[i] = r.r[i].value;
		}
		top_fill(top, &r);
		st = sheet_put_index(o, TAG_BEGIN4, begin, r.n * sizeof(*begin), e);
	}
	if (st == STATUS_OK)
		st = sheet_put_index(o, TAG_VALUE4, value, r.n * sizeof(*value), e);
	if (st == STATUS_OK)
		st = sheet_put_index(o, TAG_TOP4, top, TOP_PLACES * sizeof(*top), e);
	free(begin);
	free(value);
	free(top);
	ranges_free(&r);
	return st;
}

static uint32_t find4(const struct lpm *l, uint32_t a)
{
	/* The range that covers a is the last one that begins at or before it: among those that begin in its
	 * /16, else the last before them. */
	size_t at = l->top4[a >> (32 - TOP_BITS)], n = l->top4[(a >> (32 - TOP_BITS)) + 1] - at;
	const uint32_t *base = l->begin4 + at;

	while (n > 0) { /* base: all before it are at most a */
		size_t half = (n + 1) / 2;
		base = base[half - 1] <= a ? base + half : base;
		n -= half;
	}
	size_t i = (size_t)(base - l->begin4);
	return i ? l->value4[i - 1] : LPM_NONE;
}

/* ---- IPv6 ---- */

struct both { /* ranges over 64 bits, and what is behind them */
	struct ranges top;
	struct more *more;
	size_t n_more, cap_more;
};

static void more_put(struct both *b, uint64_t hi, uint64_t lo, uint32_t value)
{
	if (!grow(&b->more, &b->cap_more, b->n_more, 1, sizeof(*b->more)))
		b->top.failed = true;
	else
		b->more[b->n_more++] = (struct more){hi, lo, value, 0};
}

/* A /64 that is divided: all its parts, the first one from what was before it where it begins with none.
 * Returns the place behind them. */
static size_t divided(struct both *b, const struct ranges *r, size_t i, uint32_t before)
{
	uint64_t hi = (uint64_t)(r->r[i].begin >> 64);
	uint32_t last = before;

	range_put(&b->top, (u128)hi << 64, MORE);
	if ((uint64_t)r->r[i].begin != 0)
		more_put(b, hi, 0, before);
	for (; i < r->n && (uint64_t)(r->r[i].begin >> 64) == hi; i++) {
		last = r->r[i].value;
		more_put(b, hi, (uint64_t)r->r[i].begin, last);
	}
	if (hi != UINT64_MAX)
		range_put(&b->top, (u128)(hi + 1) << 64, last);
	return i;
}

static enum status both_make(struct both *b, const struct ranges *r, struct err *e)
{
	uint32_t before = LPM_NONE;

	for (size_t i = 0; i < r->n && !b->top.failed;) {
		bool whole = (uint64_t)r->r[i].begin == 0 &&
			     (i + 1 == r->n ||
				     (uint64_t)(r->r[i + 1].begin >> 64) != (uint64_t)(r->r[i].begin >> 64));
		if (whole)
			range_put(&b->top, r->r[i].begin, r->r[i].value);
		i = whole ? i + 1 : divided(b, r, i, before);
		before = r->r[i - 1].value;
	}
	return b->top.failed ? err_nomem(e) : STATUS_OK;
}

static enum status both_put(struct sheet_out *o, const struct both *b, struct err *e)
{
	size_t n = b->top.n;
	struct shape s = shape_of(n);
	uint64_t *leaf = malloc(n * sizeof(*leaf) + 1), *tree = malloc(s.nodes * NODE_BYTES + 1);
	uint32_t *value = malloc(n * sizeof(*value) + 1);
	enum status st = leaf && tree && value ? STATUS_OK : err_nomem(e);

	if (st == STATUS_OK) {
		for (size_t i = 0; i < n; i++) {
			leaf[i] = (uint64_t)(b->top.r[i].begin >> 64);
			value[i] = b->top.r[i].value;
		}
		tree_fill(tree, &s, leaf, n);
		st = sheet_put_index(o, TAG_BEGIN6, tree, s.nodes * NODE_BYTES, e);
	}
	if (st == STATUS_OK)
		st = sheet_put_index(o, TAG_VALUE6, value, n * sizeof(*value), e);
	if (st == STATUS_OK)
		st = sheet_put_index(o, TAG_MORE6, b->more, b->n_more * sizeof(*b->more), e);
	free(leaf);
	free(tree);
	free(value);
	return st;
}

static enum status write6(
	struct sheet_out *o, const struct map_prefix *p, size_t from, size_t n, struct err *e)
{
	struct ranges r = {0};
	struct both b = {0};
	enum status st = ranges_make(&r, p, from, n, e);

	if (st == STATUS_OK)
		st = both_make(&b, &r, e);
	if (st == STATUS_OK)
		st = both_put(o, &b, e);
	ranges_free(&r);
	ranges_free(&b.top);
	free(b.more);
	return st;
}

static uint32_t find_more(const struct lpm *l, uint64_t hi, uint64_t lo)
{
	const struct more *m = l->more6;
	size_t from = 0, to = l->n_more6; /* all before from are at most the address, none from `to` on is */

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		bool before = m[mid].hi < hi || (m[mid].hi == hi && m[mid].lo <= lo);
		from = before ? mid + 1 : from;
		to = before ? to : mid;
	}
	return from ? m[from - 1].value : LPM_NONE;
}

/* ---- both ---- */

enum status lpm_write(struct sheet_out *o, const struct map_prefix *prefix, size_t n, struct err *e)
{
	size_t v4 = 0;

	while (v4 < n && prefix[v4].v == 4)
		v4++;
	enum status st = write4(o, prefix, v4, e);
	return st == STATUS_OK ? write6(o, prefix, v4, n, e) : st;
}

static bool top_good(const struct lpm *l, size_t n)
{
	if (n != TOP_PLACES || l->n4 == 0)
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		if (l->top4[i] > l->top4[i + 1])
			return false;
	return l->top4[n - 1] <= l->n4;
}

bool lpm_view(struct lpm *l, const struct sheet *s)
{
	size_t n_value4, n_top, n_tree;

	*l = (struct lpm){0};
	l->begin4 = sheet_section(s, TAG_BEGIN4, sizeof(*l->begin4), &l->n4);
	l->value4 = sheet_section(s, TAG_VALUE4, sizeof(*l->value4), &n_value4);
	l->top4 = sheet_section(s, TAG_TOP4, sizeof(*l->top4), &n_top);
	l->begin6 = sheet_section(s, TAG_BEGIN6, NODE_BYTES, &n_tree);
	l->value6 = sheet_section(s, TAG_VALUE6, sizeof(*l->value6), &l->n6);
	l->more6 = sheet_section(s, TAG_MORE6, sizeof(struct more), &l->n_more6);
	if (!top_good(l, n_top) || n_value4 != l->n4)
		return false;
	if (l->n6 == 0 || l->n6 > UINT32_MAX)
		return false;
	struct shape shape = shape_of(l->n6);
	memcpy(l->first6, shape.first, sizeof(l->first6));
	memcpy(l->node6, shape.node, sizeof(l->node6));
	l->rows6 = shape.rows;
	return n_tree == shape.nodes;
}

static uint64_t be64(const uint8_t *b)
{
	uint64_t v;

	memcpy(&v, b, sizeof(v));
	return __builtin_bswap64(v);
}

uint32_t lpm_find(const struct lpm *l, const struct ip *ip)
{
	uint64_t hi = be64(ip->b);

	if (ip->v == 4)
		return find4(l, (uint32_t)(hi >> 32));
	if (ip->v != 6)
		return LPM_NONE;
	uint32_t v = l->value6[tree_find(l, hi)];
	return v == MORE ? find_more(l, hi, be64(ip->b + 8)) : v;
}
