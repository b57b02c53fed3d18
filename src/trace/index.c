/* A table of bits instead of a look at each pair.
 *
 * Lanes of in-legs' answers go in; for the answers of an out-leg comes out which in-legs could carry them.
 *
 * An answer of OUT at t is lost to an in-leg that has no start in (t, t + FOLLOW_US] and is in no burst at t.
 * So it is not lost exactly where t lies in [s - FOLLOW_US, e) of one of the in-leg's bursts [s, e].  The
 * table has a column for each in-leg and a row for each bin of time; a bit is set where any t of the bin,
 * give or take the error of the clocks, may be such.  Bins are rounded outward, so the answers that meet a
 * set bit are at least those that are not lost, at whatever offset within the error the test looks: a column
 * with fewer than n - LOST_MAX n of them belongs to a pair that order_conserves() would refuse, and nothing
 * is proven without it.  Where a blind interval might swallow an answer at some offset, the caller leaves it
 * out of `at` but counts it in lost_most, which is the favourable side for the pair twice.
 *
 * The columns that an answer meets are added up bit by bit, 64 columns in a word: plane k holds bit k of each
 * column's sum.  Eight rows are first reduced by carry-save adders (Harley and Seal; Warren, Hacker's
 * Delight, 5-1), so that a pair costs a small fraction of an operation for each answer. */
#include "trace/index.h"

#include <stdlib.h>
#include <string.h>

#include "trace/link_gates.h"

#define SHIFT_MIN   14                /* bins of 16 ms */
#define TABLE_WORDS ((size_t)1 << 17) /* 1 MB: stays in a core's own cache */
#define PLANES      48                /* no lane has 2^48 bursts */
#define ROWS        8                 /* added at once */

/* How many answers may be lost of n; SIZE_MAX where n are too few for any link. */
static size_t lost_most(size_t n)
{
	return n < SOURCES_MIN ? SIZE_MAX : (size_t)(LOST_MAX * (double)n);
}

/* Leaves the starts that no blind interval swallows, whatever the offset within the error. */
static size_t certain(struct lane *l, const struct blinds *blind, int64_t error_us)
{
	size_t n = 0, b = 0;

	for (size_t i = 0; i < l->n; i++) {
		int64_t t = l->start[i];
		while (b < blind->n && blind->s[b].to_us < t - error_us - LANE_GUARD_US)
			b++;
		if (b == blind->n || blind->s[b].from_us > t + error_us)
			l->start[n++] = t;
	}
	return n;
}

void index_answers(struct answers *a, struct lane *lane, const struct link_train *t,
	const struct blinds *blind, int64_t error_us)
{
	const struct blinds none = {NULL, 0};

	lane_fill(lane, t, 0, error_us ? &none : blind);
	a->lost_most = lost_most(lane->n);
	a->n = error_us ? certain(lane, blind, error_us) : lane->n;
	a->at = lane->start;
}

/* The time in which answers are not lost, over all lanes. */
static struct span reach(const struct lane *in, size_t n, int64_t error_us)
{
	struct span s = {INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < n; i++) {
		if (in[i].n == 0)
			continue;
		int64_t from = in[i].start[0] - FOLLOW_US - error_us, to = in[i].end[in[i].n - 1] + error_us;
		s.from_us = from < s.from_us ? from : s.from_us;
		s.to_us = to > s.to_us ? to : s.to_us;
	}
	return s;
}

static size_t words_of(size_t n)
{
	size_t w = 1;

	while (64 * w < n)
		w *= 2;
	return w;
}

/* Bins as fine as the table's size allows. */
static bool lay_out(struct index *x, struct span s)
{
	uint64_t width = s.to_us > s.from_us ? (uint64_t)(s.to_us - s.from_us) : 0;

	x->from_us = s.from_us;
	x->shift = SHIFT_MIN;
	while ((width >> x->shift) + 1 > TABLE_WORDS / x->words)
		x->shift++;
	x->n_bins = s.to_us < s.from_us ? 0 : (size_t)(width >> x->shift) + 1;
	size_t n = x->n_bins * x->words;
	if (n > x->capacity) {
		free(x->cell);
		x->cell = malloc(TABLE_WORDS * sizeof(*x->cell));
		x->capacity = x->cell ? TABLE_WORDS : 0;
	}
	if (n && x->cell)
		memset(x->cell, 0, n * sizeof(*x->cell));
	return n == 0 || x->cell;
}

static void column_fill(struct index *x, const struct lane *in, size_t column, int64_t error_us)
{
	uint64_t bit = (uint64_t)1 << column % 64;
	uint64_t *cell = x->cell + column / 64;
	size_t next = 0;

	for (size_t i = 0; i < in->n; i++) {
		int64_t from = in->start[i] - FOLLOW_US - error_us, to = in->end[i] + error_us;
		size_t lo = (size_t)((uint64_t)(from - x->from_us) >> x->shift);
		size_t hi = (size_t)((uint64_t)(to - x->from_us) >> x->shift);
		for (size_t b = lo > next ? lo : next; b <= hi; b++)
			cell[b * x->words] |= bit;
		next = hi + 1 > next ? hi + 1 : next;
	}
}

bool index_fill(struct index *x, const struct lane *in_back, size_t n, int64_t error_us)
{
	x->words = words_of(n);
	if (!lay_out(x, reach(in_back, n, error_us)))
		return false;
	for (size_t i = 0; i < n; i++)
		column_fill(x, &in_back[i], i, error_us);
	return true;
}

void index_free(struct index *x)
{
	free(x->cell);
	*x = (struct index){0};
}

/* Sums of columns, bit by bit. */
struct sums {
	uint64_t plane[PLANES][INDEX_WORDS];
	size_t n_planes;
};

/* a + b + c = 2 * high + low, in each of 64 columns. */
static inline void add3(uint64_t *high, uint64_t *low, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t u = a ^ b;

	*high = (a & b) | (u & c);
	*low = u ^ c;
}

/* Eight rows into the three lowest planes; what they carry, eights, goes to carry. */
static inline void add_rows(
	struct sums *s, const uint64_t *const row[ROWS], size_t words, uint64_t carry[INDEX_WORDS])
{
	uint64_t *one = s->plane[0], *two = s->plane[1], *four = s->plane[2];

	for (size_t w = 0; w < words; w++) {
		uint64_t a, b, c, d, o = one[w], t = two[w], f = four[w];
		add3(&a, &o, o, row[0][w], row[1][w]);
		add3(&b, &o, o, row[2][w], row[3][w]);
		add3(&c, &t, t, a, b);
		add3(&a, &o, o, row[4][w], row[5][w]);
		add3(&b, &o, o, row[6][w], row[7][w]);
		add3(&d, &t, t, a, b);
		add3(&carry[w], &f, f, c, d);
		one[w] = o;
		two[w] = t;
		four[w] = f;
	}
}

static void add_carry(struct sums *s, size_t words, uint64_t carry[INDEX_WORDS])
{
	for (size_t p = 3; p < s->n_planes; p++) {
		uint64_t *plane = s->plane[p];
		for (size_t w = 0; w < words; w++) {
			uint64_t both = plane[w] & carry[w];
			plane[w] ^= carry[w];
			carry[w] = both;
		}
	}
}

/* Columns whose sum is at least k. */
static bool at_least(const struct sums *s, size_t words, size_t k, uint64_t may[INDEX_WORDS])
{
	uint64_t any = 0;

	for (size_t w = 0; w < words; w++) {
		uint64_t m = ~(uint64_t)0;
		for (size_t p = 0; p < s->n_planes; p++)
			m = (k >> p) & 1 ? m & s->plane[p][w] : m | s->plane[p][w];
		may[w] = m;
		any |= m;
	}
	return any != 0;
}

/* First of a's answers at or after t. */
static size_t first_at(const struct answers *a, int64_t t)
{
	size_t lo = 0, hi = a->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (a->at[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void sum_rows(struct sums *s, const struct index *x, const int64_t *at, size_t n)
{
	static const uint64_t none[INDEX_WORDS];
	const uint64_t *row[ROWS];
	uint64_t carry[INDEX_WORDS];

	s->n_planes = 4;
	while (n >> s->n_planes)
		s->n_planes++;
	memset(s->plane, 0, s->n_planes * sizeof(s->plane[0]));
	for (size_t i = 0; i < n; i += ROWS) {
		for (size_t k = 0; k < ROWS; k++)
			row[k] = i + k < n ? x->cell + ((size_t)((uint64_t)(at[i + k] - x->from_us) >>
								 x->shift)) *
							       x->words
					   : none;
		add_rows(s, row, x->words, carry);
		add_carry(s, x->words, carry);
	}
}

bool index_find(const struct index *x, const struct answers *a, uint64_t may[INDEX_WORDS])
{
	struct sums s;

	if (a->lost_most == SIZE_MAX)
		return false;
	size_t need = a->n > a->lost_most ? a->n - a->lost_most : 0;
	if (x->n_bins == 0) {
		memset(may, need ? 0 : 0xff, INDEX_WORDS * sizeof(*may));
		return need == 0;
	}
	size_t from = first_at(a, x->from_us);
	size_t to = first_at(a, x->from_us + (int64_t)((uint64_t)x->n_bins << x->shift));
	if (to - from < need)
		return false;
	sum_rows(&s, x, a->at + from, to - from);
	return at_least(&s, x->words, need, may);
}

bool index_conserves(const struct lane *out_back, const struct lane *in_back)
{
	size_t most = lost_most(out_back->n), lost = 0, j = 0;

	for (size_t i = 0; i < out_back->n && lost <= most; i++) {
		int64_t t = out_back->start[i];
		while (j < in_back->n && in_back->start[j] <= t)
			j++;
		lost += !(j > 0 && in_back->end[j - 1] > t) &&
			!(j < in_back->n && in_back->start[j] - t <= FOLLOW_US);
	}
	return most != SIZE_MAX && lost <= most;
}
