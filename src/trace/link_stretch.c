/* Trains into stretches.
 *
 * In go two trains as recorded, on clocks that an offset lays on each other; out come B's stretches one by
 * one, each with the bytes that A brought since the one before had ended: what a relay had to pass on.  Times
 * and counts beyond all measure are held at the ends of what can be reckoned with, and a clock that stepped
 * back stands still until it has caught up, so that sums never run over and no stretch ends before it begins.
 */
#include "trace/link_stretch.h"

#define BYTES_MAX   ((uint64_t)1 << 40) /* of a burst */
#define SUM_MAX     ((int64_t)1 << 60)  /* of a stretch */
#define PACKETS_MAX ((int64_t)1 << 40)
#define FRAMING_MAX 100

/* Bytes, and a share of the size. */
static const struct {
	int64_t bytes, share;
} TOLERANCE[TOLERANCES] = {{8, 0}, {24, 64}, {64, 12}};

int64_t tolerance_of(int i, int64_t expected)
{
	return TOLERANCE[i].bytes + (TOLERANCE[i].share ? expected / TOLERANCE[i].share : 0);
}

void stretch_open(struct stretch_reader *r, const struct sized_pair *p)
{
	r->pair = p;
	r->at = r->other_at = r->blind_at = 0;
	r->last = r->end = INT64_MIN / 2;
}

/* Adds a burst's bytes and packets; what is beyond counting stays there. */
static void count(const struct burst *b, int64_t *bytes, int64_t *packets)
{
	int64_t sum = *bytes + (int64_t)(b->bytes < BYTES_MAX ? b->bytes : BYTES_MAX);
	int64_t n = *packets + b->packets;
	*bytes = sum < SUM_MAX ? sum : SUM_MAX;
	*packets = n < PACKETS_MAX ? n : PACKETS_MAX;
}

/* What A brought from where it was read to until `to`. */
static void bring(struct stretch_reader *r, int64_t to, struct stretch *s)
{
	const struct link_train *t = r->pair->a;
	int64_t offset = r->pair->offset_a_us, bytes = 0, packets = 0;
	size_t at = r->other_at;
	for (; at < t->n && lane_time(t->b[at].start_us) + offset <= to; at++)
		count(&t->b[at], &bytes, &packets);
	r->other_at = at;
	s->brought = bytes;
	s->brought_packets = packets;
}

/* The bursts of one stretch from where B was read to, at least one. */
static void gather(struct stretch_reader *r, struct stretch *s)
{
	const struct link_train *t = r->pair->b;
	int64_t offset = r->pair->offset_b_us, last = r->last, bytes = 0, packets = 0;
	size_t at = r->at;
	int64_t start = lane_time(t->b[at].start_us) + offset;
	s->start = start > last ? start : last;
	int64_t end = s->start;
	while (start - end < STRETCH_GAP_US) {
		const struct burst *b = &t->b[at];
		last = start > last ? start : last;
		if (last + (int64_t)b->dur_us > end)
			end = last + (int64_t)b->dur_us;
		count(b, &bytes, &packets);
		if (++at == t->n)
			break;
		start = lane_time(t->b[at].start_us) + offset;
	}
	r->at = at;
	r->last = last;
	s->end = end;
	s->bytes = bytes;
	s->packets = packets;
}

int stretch_read(struct stretch_reader *r, struct stretch *s)
{
	if (r->at >= r->pair->b->n)
		return 0;
	gather(r, s);
	bring(r, s->end, s);
	s->blind = blinds_touch(r->pair->blind, &r->blind_at, r->end - LANE_GUARD_US, s->end);
	r->end = s->end;
	return 1;
}

void framing_init(struct framing *f)
{
	f->n = 0;
}

/* The newest takes the oldest's place. */
void framing_learn(struct framing *f, const struct stretch *s)
{
	int64_t v = (s->bytes - s->brought) / (s->brought_packets > 0 ? s->brought_packets : 1);
	if (v < -FRAMING_MAX || v > FRAMING_MAX)
		return;
	size_t slot = f->n % FRAMINGS, hole = f->n, full = f->n < FRAMINGS ? f->n + 1 : FRAMINGS;
	if (f->n >= FRAMINGS)
		for (hole = 0; f->sorted[hole] != f->learned[slot];)
			hole++;
	for (; hole > 0 && f->sorted[hole - 1] > v; hole--)
		f->sorted[hole] = f->sorted[hole - 1];
	for (; hole + 1 < full && f->sorted[hole + 1] < v; hole++)
		f->sorted[hole] = f->sorted[hole + 1];
	f->sorted[hole] = f->learned[slot] = v;
	f->n++;
}

int64_t framing_expect(const struct framing *f, const struct stretch *s)
{
	size_t n = f->n < FRAMINGS ? f->n : FRAMINGS;
	int64_t median = n > 0 ? f->sorted[n / 2] : 0;
	int64_t expected = s->brought + median * s->brought_packets;
	return expected > 0 ? expected : 0;
}
