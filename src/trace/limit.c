/* The limit up to which a pair would have been proven.
 *
 * In goes a pair, out come the largest jitter and the largest share of chaff of two small grids at which it
 * would still be proven.  The relay is made here: OUT forward is what it gets from X, each burst later by
 * U(0, jitter), in order; V answers as much later as it got the question, and each answer reaches X after
 * U(0, jitter) again.  Chaff is bursts of one packet at random times of OUT's life.  What the relay gets from
 * X is read from OUT where the pair is proven; else it is IN forward, passed on after 1 ms.  IN forward stays
 * as it was recorded; its answers do not: a slower relay's come later.  (With answers as recorded and only
 * OUT's moved, a relay of 5 ms would seem proven in 29 of 100 where 97 are.)
 *
 * All draws come from a counter and IN's bursts, in integers: a doubter who has the two trains gets the
 * same limit.  The draw of a burst is the same whatever the jitter, which only scales it, so that what is
 * found by halving is an edge and not the luck of one draw. */
#include "trace/limit.h"

#include <stdlib.h>

#include "base/arena.h"

#define BASE_US   1000    /* what any relay needs */
#define HIDDEN_US 1000000 /* a burst of ticks lasts that long after the last key, at least */
#define TIME_MAX  (INT64_C(1) << 61)
#define CHAFF_MAX 200000 /* bursts; a relay that sends more is taken as beyond the limit */
#define WORK_MAX  100000 /* bursts times offsets that a test may take: longer legs are cut */

static const int64_t jitter_us[] = {0, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000};
static const unsigned chaff_percent[] = {0, 25, 50, 100, 200, 300, 500, 1000};

#define N_JITTER (sizeof(jitter_us) / sizeof(jitter_us[0]))
#define N_CHAFF  (sizeof(chaff_percent) / sizeof(chaff_percent[0]))

struct lane_of {
	struct burst *b;
	size_t n;
};

enum { OUT_FORWARD, OUT_BACK, IN_BACK, LANES };

struct maker {
	struct relink_room *room;
	const struct relink *p;
	struct arena arena;
	uint64_t seed;
	struct span life; /* of both legs, on IN's clock */
	/* What the relay gets, in that time: from X, from V; and what X got as recorded.  Of a relay of IN
	 * the second and the third are the same. */
	struct lane_of asked, answered, echoed;
	uint64_t packets; /* of asked */
	size_t chaff_room;
	int64_t base_us;
	struct burst *made[LANES]; /* room for what it makes of them */
	struct flow in, out;
};

/* ---- draws ---- */

enum stream { STREAM_FORWARD, STREAM_BACK, STREAM_CHAFF, STREAM_SIZE };

/* The i-th number of a stream: Steele, Lea & Flood 2014 (splitmix64). */
static uint64_t draw(uint64_t seed, enum stream s, uint64_t i)
{
	uint64_t x = seed + (i * 4 + s + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int64_t delay(const struct maker *m, enum stream s, size_t i, int64_t jitter)
{
	return m->base_us + (int64_t)((draw(m->seed, s, i) >> 32) * (uint64_t)jitter >> 32);
}

/* ---- the in-leg in OUT's life ---- */

static struct lane_of within(const struct flow *f, int way, struct span life)
{
	size_t from = bursts_before(f->burst[way], f->n_burst[way], life.from_us);
	size_t to = bursts_before(f->burst[way], f->n_burst[way], life.to_us);

	return (struct lane_of){f->burst[way] + from, to > from ? to - from : 0};
}

/* A time with room for delays beside it, wherever it comes from. */
static int64_t sane(int64_t t)
{
	if (t > TIME_MAX)
		return TIME_MAX;
	return t < -TIME_MAX ? -TIME_MAX : t;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static const struct clock_fit one_clock;

static const struct clock_fit *clock_of(const struct relink *p)
{
	return p->apart ? &p->clock : &one_clock;
}

static struct span life_of(const struct relink *p)
{
	const struct flow *in = p->in, *out = p->out;
	int64_t from = sane(clock_in(clock_of(p), sane(out->head.first_us)));
	int64_t to = sane(clock_in(clock_of(p), sane(out->last_us)));
	int64_t in_from = sane(in->head.first_us), in_to = sane(in->last_us);

	return (struct span){later(in_from, from), (in_to < to ? in_to : to) + 1};
}

/* From the bursts themselves: whoever has them has it, though ids are not told. */
static uint64_t seed_of(const struct maker *m)
{
	uint64_t seed = m->asked.n ^ (uint64_t)m->life.from_us;

	for (size_t i = 0; i < m->asked.n; i++)
		seed = (seed ^ (uint64_t)m->asked.b[i].start_us) * UINT64_C(0x100000001b3);
	return seed;
}

/* A life so long that a test would take too long is cut; what is found then is still so. */
static void cut(struct maker *m)
{
	const struct relink *p = m->p;
	size_t most = WORK_MAX / link_offsets(p->clock.error_us);

	if (m->asked.n <= most)
		return;
	m->asked.n = most;
	m->life.to_us = m->asked.b[most - 1].start_us + 1;
	m->answered = within(p->in, !p->in_way, m->life);
	m->in.n_burst[p->in_way] =
		bursts_before(p->in->burst[p->in_way], p->in->n_burst[p->in_way], m->life.to_us);
}

/* Room for what the relay makes of what it gets. */
static bool maker_room(struct maker *m)
{
	bool ok = true;

	m->packets = 0;
	for (size_t i = 0; i < m->asked.n; i++)
		m->packets += m->asked.b[i].packets;
	m->chaff_room = m->packets < CHAFF_MAX / 10 ? (size_t)m->packets * 10 : CHAFF_MAX;
	const size_t n[LANES] = {m->asked.n + m->chaff_room, m->answered.n, m->echoed.n};
	for (int k = 0; k < LANES; k++) {
		m->made[k] = arena_array(&m->arena, n[k] + 1, sizeof(struct burst));
		ok = ok && m->made[k];
	}
	return ok;
}

static bool maker_begin(struct maker *m, struct relink_room *room, const struct relink *p)
{
	*m = (struct maker){.room = room, .p = p, .in = *p->in, .out = *p->out, .base_us = BASE_US};
	m->life = life_of(p);
	m->asked = within(p->in, p->in_way, m->life);
	m->answered = within(p->in, !p->in_way, m->life);
	cut(m);
	m->seed = seed_of(m);
	m->echoed = m->answered;
	return maker_room(m);
}

/* A copy of one of OUT's lanes on IN's clock, in the pair's life. */
static bool own_lane(struct maker *m, int way, struct lane_of *to)
{
	const struct flow *out = m->p->out;
	size_t n = out->n_burst[way];
	struct flow moved = {.n_burst[0] = n};

	moved.burst[0] = arena_array(&m->arena, n + 1, sizeof(struct burst));
	if (!moved.burst[0])
		return false;
	for (size_t i = 0; i < n; i++) {
		moved.burst[0][i] = out->burst[way][i];
		moved.burst[0][i].start_us = clock_in(clock_of(m->p), sane(out->burst[way][i].start_us));
	}
	*to = within(&moved, 0, m->life);
	return true;
}

/* From now on the relay gets what OUT shows that it got. */
static bool maker_own(struct maker *m)
{
	m->base_us = 0;
	return own_lane(m, m->p->out_way, &m->asked) && own_lane(m, !m->p->out_way, &m->answered) &&
	       maker_room(m);
}

/* ---- the relay ---- */

/* Passes n bursts on, each later by base and jitter, none before its predecessor; may be in place. */
static void pass_on(const struct maker *m, enum stream s, const struct burst *b, size_t n, int64_t jitter,
	struct burst *to)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		to[i] = b[i];
		last = later(sane(b[i].start_us) + delay(m, s, i, jitter), last);
		to[i].start_us = last;
	}
}

/* V answers when it has the question: each answer moves as the last question before it did. */
static void answer(const struct maker *m, const struct lane_of *said, struct burst *to)
{
	int64_t last = INT64_MIN;
	size_t k = 0;

	for (size_t i = 0; i < said->n; i++) {
		while (k < m->asked.n && m->asked.b[k].start_us <= said->b[i].start_us)
			k++;
		int64_t moved = k ? m->made[OUT_FORWARD][k - 1].start_us - sane(m->asked.b[k - 1].start_us)
				  : m->base_us;
		to[i] = said->b[i];
		last = later(sane(said->b[i].start_us) + moved, last);
		to[i].start_us = last;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;

	return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

/* n packets at random times, of the sizes that IN's packets have. */
static void chaff(struct maker *m, size_t n)
{
	uint64_t life = (uint64_t)m->life.to_us - (uint64_t)m->life.from_us;
	struct burst *to = m->made[OUT_FORWARD] + m->asked.n;

	for (size_t i = 0; i < n; i++) {
		const struct burst *like = &m->asked.b[draw(m->seed, STREAM_SIZE, i) % m->asked.n];
		int64_t at = m->life.from_us + (int64_t)(draw(m->seed, STREAM_CHAFF, i) % life);
		to[i] = (struct burst){at, 0, 1, like->packets ? like->bytes / like->packets : like->bytes};
	}
	qsort(m->made[OUT_FORWARD], m->asked.n + n, sizeof(struct burst), by_start);
}

static void lane_set(struct flow *f, int way, struct burst *b, size_t n)
{
	f->burst[way] = b;
	f->n_burst[way] = bursts_merge(b, n, BURST_GAP_RECORDED_US);
	f->head.flags &= (uint8_t) ~(way ? FLOW_DERIVED_1 : FLOW_DERIVED_0);
}

/* Is the relay with this jitter and this share of chaff proven? */
static enum status try(
	struct maker *m, int64_t jitter, unsigned percent, bool *proven, struct link_result *r, struct err *e)
{
	const struct relink *p = m->p;
	uint64_t n = m->packets > CHAFF_MAX * UINT64_C(100) ? UINT64_MAX : m->packets * percent / 100;

	*proven = false;
	if (percent == 0)
		n = 0;
	else if (n > m->chaff_room || m->asked.n == 0)
		return STATUS_OK;
	pass_on(m, STREAM_FORWARD, m->asked.b, m->asked.n, jitter, m->made[OUT_FORWARD]);
	answer(m, &m->answered, m->made[OUT_BACK]);
	answer(m, &m->echoed, m->made[IN_BACK]);
	pass_on(m, STREAM_BACK, m->made[IN_BACK], m->echoed.n, jitter, m->made[IN_BACK]);
	if (n)
		chaff(m, (size_t)n);
	lane_set(&m->in, !p->in_way, m->made[IN_BACK], m->echoed.n);
	lane_set(&m->out, p->out_way, m->made[OUT_FORWARD], m->asked.n + (size_t)n);
	lane_set(&m->out, !p->out_way, m->made[OUT_BACK], m->answered.n);
	struct relink q = *p;
	q.in = &m->in;
	q.out = &m->out;
	q.apart = false;
	enum status s = relink_test(m->room, &q, r, e);
	*proven = s == STATUS_OK && r->verdict == LINK_PROVEN;
	return s;
}

/* ---- the grids ---- */

/* The last of the n rows that is proven, when the first is known to be. */
static enum status halve(struct maker *m, bool chaff_grid, size_t n, size_t *best, struct err *e)
{
	size_t lo = 0, hi = n;
	enum status s = STATUS_OK;

	while (hi - lo > 1 && s == STATUS_OK) {
		size_t mid = lo + (hi - lo) / 2;
		struct link_result r;
		bool proven;
		s = try(m, chaff_grid ? 0 : jitter_us[mid], chaff_grid ? chaff_percent[mid] : 0, &proven, &r,
			e);
		if (proven)
			lo = mid;
		else
			hi = mid;
	}
	*best = lo;
	return s;
}

/* Of IN's bursts at least half go on as long as ticks do: then they are not what was typed. */
static enum status hides(struct maker *m, bool *to, struct err *e)
{
	struct burst *b = arena_array(&m->arena, m->asked.n + 1, sizeof(*b));
	size_t longs = 0;

	if (!b)
		return err_nomem(e);
	for (size_t i = 0; i < m->asked.n; i++)
		b[i] = (struct burst){sane(m->asked.b[i].start_us), m->asked.b[i].dur_us, 1, 1};
	size_t n = bursts_merge(b, m->asked.n, BURST_GAP_READ_US);
	for (size_t i = 0; i < n; i++)
		longs += b[i].dur_us >= HIDDEN_US;
	*to = n > 0 && 2 * longs >= n;
	return STATUS_OK;
}

/* What the relay gets: OUT's, where the pair is proven. */
static enum status choose(struct maker *m, struct limit *to, struct err *e)
{
	enum status s = relink_test(m->room, m->p, &to->clear, e);

	to->own = s == STATUS_OK && to->clear.verdict == LINK_PROVEN;
	if (to->own)
		return maker_own(m) ? STATUS_OK : err_nomem(e);
	return s == STATUS_OK ? hides(m, &to->hidden, e) : s;
}

static enum status find(struct maker *m, struct limit *to, struct err *e)
{
	size_t jitter = 0, share = 0;
	enum status s = choose(m, to, e);

	if (s == STATUS_OK && !to->hidden)
		s = try(m, 0, 0, &to->known, &to->clear, e);
	if (s == STATUS_OK && to->known)
		s = halve(m, false, N_JITTER, &jitter, e);
	if (s == STATUS_OK && to->known)
		s = halve(m, true, N_CHAFF, &share, e);
	to->jitter_ms = (double)jitter_us[jitter] / 1000;
	to->chaff = (double)chaff_percent[share] / 100;
	to->jitter_most = jitter == N_JITTER - 1;
	to->chaff_most = share == N_CHAFF - 1;
	return s;
}

enum status limit_find(struct relink_room *room, const struct relink *p, struct limit *to, struct err *e)
{
	struct maker m;
	enum status s = STATUS_OK;

	*to = (struct limit){.clear = {.reason = LINK_REASON_NO_OVERLAP, .first_sufficient_us = -1}};
	if (!maker_begin(&m, room, p))
		s = err_nomem(e);
	if (s == STATUS_OK && m.life.to_us > m.life.from_us) {
		to->seconds = (double)(m.life.to_us - m.life.from_us) / (double)SECOND_US;
		to->bursts = relink_bursts(p);
		s = find(&m, to, e);
	}
	arena_free(&m.arena);
	return s;
}

/* How many bursts there are as the test merges them. */
static size_t merged(struct lane_of a)
{
	size_t n = 0;
	int64_t end = -TIME_MAX;

	for (size_t i = 0; i < a.n; i++) {
		int64_t t = sane(a.b[i].start_us);
		n += i == 0 || t - end >= BURST_GAP_READ_US;
		end = later(end, t + a.b[i].dur_us);
	}
	return n;
}

/* Of one way: a's bursts in the life, or b's, whichever are fewer. */
static size_t fewer(struct lane_of a, struct lane_of b)
{
	size_t n = merged(a), k = merged(b);

	return n < k ? n : k;
}

size_t relink_bursts(const struct relink *p)
{
	const struct span life = life_of(p), all = {-TIME_MAX, TIME_MAX};

	if (life.to_us <= life.from_us)
		return 0;
	size_t forward = fewer(within(p->in, p->in_way, life), within(p->out, p->out_way, all));
	size_t back = fewer(within(p->in, !p->in_way, life), within(p->out, !p->out_way, all));
	return forward > back ? forward : back;
}
