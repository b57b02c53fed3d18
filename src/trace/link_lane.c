/* Trains into lanes: merge, order, drop what a blind interval made.  In go the recorded bursts as they are
 * (any gap up to the reading gap, equal times, steps of the clock); out come strictly increasing starts and
 * ends. */
#include "trace/link_lane.h"

void lane_fill(struct lane *lane, const struct link_train *t, int64_t offset_us, const struct blinds *blind)
{
	size_t n = 0, cursor = 0;
	int64_t last = -LANE_TIME_MAX;
	int64_t end = -2 * LANE_TIME_MAX; /* of the merged burst so far, kept or not */
	int kept = 0;
	for (size_t i = 0; i < t->n; i++) {
		int64_t s = t->b[i].start_us;
		if (s < last || s > LANE_TIME_MAX)
			continue;
		last = s;
		s += offset_us;
		int64_t e = s + (int64_t)t->b[i].dur_us;
		if (s - end >= BURST_GAP_READ_US) {
			kept = !blinds_touch(blind, &cursor, s - LANE_GUARD_US, s);
			if (kept) {
				lane->start[n] = s;
				lane->end[n] = e;
				n++;
			}
			end = e;
		} else if (e > end) {
			end = e;
			if (kept)
				lane->end[n - 1] = e;
		}
	}
	lane->n = n;
}

size_t lane_find(const struct lane *lane, int64_t t)
{
	size_t lo = 0, hi = lane->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (lane->start[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int64_t lane_nearest(const struct lane *b, int64_t t, int64_t reach, size_t *j)
{
	while (*j < b->n && b->start[*j] <= t)
		(*j)++;
	int64_t behind = *j > 0 ? t - b->start[*j - 1] : INT64_MAX;
	int64_t ahead = *j < b->n ? b->start[*j] - t : INT64_MAX;
	if (ahead <= behind && ahead <= reach)
		return t + ahead;
	return behind <= reach ? t - behind : INT64_MIN;
}
