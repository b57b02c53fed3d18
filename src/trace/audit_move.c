/* Moving a flow in time so that it meets another which it cannot be linked with.
 *
 * Two flows and a kind of move come in, a distance goes out: whole hours or minutes, which keep what the
 * calendar does, or anything.  After it the shorter of the two has at least half of its life within the
 * other's. Where in time the two were recorded does not matter; how far the move is does (audit.h). */
#include "trace/audit_in.h"

#define MINUTE_US        (60 * SECOND_US)
#define HOUR_US          (60 * MINUTE_US)
#define STRANGERS_US     MINUTE_US /* what two flows are moved at least that have nothing in common */
#define OTHERS_US        HOUR_US   /* the same of all others */
#define HOURS_OF_MINUTES 2         /* one in so many moves of whole minutes is of whole hours if it can be */

static int64_t floor_div(int64_t a, int64_t unit)
{
	return a / unit - (a % unit < 0);
}

static int64_t ceil_div(int64_t a, int64_t unit)
{
	return -floor_div(-a, unit);
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A multiple of unit in [lo, hi], but none nearer to 0 than `away`. */
static bool multiple(int64_t *to, int64_t lo, int64_t hi, int64_t away, int64_t unit, uint64_t random)
{
	int64_t far = ceil_div(away, unit);
	int64_t from[2] = {ceil_div(lo, unit), most(ceil_div(lo, unit), far)};
	int64_t until[2] = {least(floor_div(hi, unit), -far), floor_div(hi, unit)};
	uint64_t n[2];

	for (int i = 0; i < 2; i++)
		n[i] = until[i] >= from[i] ? (uint64_t)(until[i] - from[i]) + 1 : 0;
	if (n[0] + n[1] == 0)
		return false;
	uint64_t k = random % (n[0] + n[1]);
	*to = (k < n[0] ? from[0] + (int64_t)k : from[1] + (int64_t)(k - n[0])) * unit;
	return true;
}

bool move_find(int64_t *to, const struct drawn *in, const struct drawn *out, bool strangers,
	enum audit_moved kind, uint64_t random)
{
	int64_t half = least(in->to_us - in->from_us, out->to_us - out->from_us) / 2;
	int64_t lo = in->from_us - out->to_us + half, hi = in->to_us - out->from_us - half;
	int64_t away = most(in->pause_us, out->pause_us);

	away = most(away, strangers ? STRANGERS_US : OTHERS_US);
	if (kind != AUDIT_MINUTES)
		return multiple(to, lo, hi, away, 1, random);
	if (audit_mix(random) % HOURS_OF_MINUTES == 0 && multiple(to, lo, hi, away, HOUR_US, random))
		return true;
	return multiple(to, lo, hi, away, MINUTE_US, random);
}

/* ---- what the recorder did not see ---- */

/* Spans of s that touch [from, to), moved. */
static size_t copy_spans(
	struct span *to, const struct span *s, size_t n, int64_t from, int64_t until, int64_t move)
{
	size_t lo = 0, hi = n, k = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s[mid].to_us + move <= from)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i < n && s[i].from_us + move < until; i++)
		to[k++] = (struct span){s[i].from_us + move, s[i].to_us + move};
	return k;
}

size_t move_blind_most(const struct pool *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_point; i++)
		n = p->n_blind[i] > n ? p->n_blind[i] : n;
	return 2 * n;
}

size_t move_blind(
	struct span *to, const struct pool *p, const struct drawn *in, const struct drawn *out, int64_t move)
{
	int64_t from = least(in->from_us, out->from_us + move),
		until = most(in->to_us, out->to_us + move) + 1;
	size_t n = copy_spans(to, p->blind[in->point], p->n_blind[in->point], from, until, 0);

	n += copy_spans(to + n, p->blind[out->point], p->n_blind[out->point], from, until, move);
	return spans_join(to, n);
}
