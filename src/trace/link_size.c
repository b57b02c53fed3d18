/* Sizes of answers, for pairs whose answers all take the same time.
 *
 * Whose answers IN gives is told by time (link_order.c): where OUT's answer is late, a relay's is.  A server
 * that always takes equally long leaves nothing to tell by time; then sizes must.  In go OUT's and IN's
 * answers, each OUT burst with the next of IN; where OUT's answer is longer or shorter than the one before by
 * more than padding and headers, IN's must be so by about as much.  A shared cause has other answers on the
 * other flow.  Like the other gates this gives no evidence; it can only withhold a verdict, or leave it
 * standing. */
#include "trace/link_size.h"

#define NEAR_US     150000 /* an answer's copy comes within this */
#define PADDING     64     /* bytes by which a copy may differ: headers, padding, checksums */
#define CHANGES_MIN 9
#define AGREE_MIN   0.75

static int64_t start_of(const struct sized *s, size_t i)
{
	return lane_time(s->train->b[i].start_us) + s->offset_us;
}

/* Payload bytes of lane burst k; *at walks through the train with k. */
static int64_t bytes_of(const struct sized *s, size_t k, size_t *at)
{
	const struct link_train *t = s->train;
	int64_t sum = 0;
	while (*at < t->n && start_of(s, *at) < s->lane->start[k])
		(*at)++;
	for (; *at < t->n && start_of(s, *at) <= s->lane->end[k]; (*at)++)
		if (t->b[*at].bytes < ((uint64_t)1 << 40))
			sum += (int64_t)t->b[*at].bytes;
	return sum;
}

static int64_t magnitude(int64_t v)
{
	return v < 0 ? -v : v;
}

int size_follows(const struct sized *out_back, const struct sized *in_back)
{
	const struct lane *a = out_back->lane, *b = in_back->lane;
	size_t at_a = 0, at_b = 0, j = 0, done = b->n;
	int64_t y = 0, last_x = -1, last_y = -1;
	uint32_t changes = 0, agreed = 0;
	for (size_t k = 0; k < a->n; k++) {
		int64_t x = bytes_of(out_back, k, &at_a);
		while (j < b->n && b->start[j] < a->start[k])
			j++;
		if (j == b->n || b->start[j] - a->start[k] > NEAR_US)
			continue;
		if (j != done)
			y = bytes_of(in_back, j, &at_b);
		done = j;
		if (last_x >= 0 && magnitude(x - last_x) > PADDING) {
			changes++;
			agreed +=
				magnitude((x - last_x) - (y - last_y)) <= PADDING + magnitude(x - last_x) / 4;
		}
		last_x = x;
		last_y = y;
	}
	return changes >= CHANGES_MIN && (double)agreed >= AGREE_MIN * (double)changes;
}
