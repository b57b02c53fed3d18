/* The audit on recordings that are made here: healthy traffic holds, a clock that all flows share does not
 * and then nothing is called proven; what is moved and how far, against slow seconds; DIR/audit through every
 * kind of damage. */
#include "audit_kit.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "trace/audit_in.h"

/* ---- helpers ---- */

static void audited(struct place_of *o, const struct audit_param *p, struct audit *to)
{
	struct tracer *t;
	struct err e = {0};
	struct audit_param q = *p;

	q.alpha = q.alpha > 0 ? q.alpha : o->cfg.alpha;
	q.since = WALL_BEGIN;
	q.until = WALL_END;
	if (tracer_open(&t, &world_real, o->dir, &o->cfg, o->cfg.alpha, &e) != STATUS_OK ||
		audit_run(t, &q, to, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	tracer_close(t);
}

/* Verdict and reason of trace on the planted relay, and of scan: links that it calls proven. */
struct said {
	enum link_verdict verdict;
	enum link_reason reason;
	uint64_t scanned;
};

static enum status nothing_found(void *self, const struct scan_link *l, struct err *e)
{
	(void)self;
	(void)l;
	(void)e;
	return STATUS_OK;
}

static struct said told(struct place_of *o, double alpha)
{
	struct scan_param p = {.since = WALL_BEGIN, .until = WALL_END, .found = nothing_found};
	struct tracer *t;
	struct err e = {0};
	const struct flow *f;
	struct chain c;
	struct scan_sum sum;

	assert_int_equal(tracer_open(&t, &world_real, o->dir, &o->cfg, alpha, &e), STATUS_OK);
	assert_int_equal(tracer_flow(t, "tcp " RELAY_OUT " > " VICTIM, WALL_END, &f, &e), STATUS_OK);
	assert_int_equal(trace_chain(t, f, NULL, &c, &e), STATUS_OK);
	assert_int_equal(trace_scan(t, &p, &sum, &e), STATUS_OK);
	assert_true(c.n_hop > 0);
	struct said s = {c.hop[0].best.link.verdict, c.hop[0].best.link.reason, sum.proven};
	tracer_close(t);
	return s;
}

/* ---- verdicts ---- */

static void healthy_traffic_holds(void **state)
{
	struct place_of o;
	struct audit a;
	struct err e = {0};

	(void)state;
	place_begin(&o, 5);
	sessions_put(&o, 150, 5, 22);
	planted_relay(&o);
	place_seal(&o);
	audited(&o, &(struct audit_param){.pairs = 4000, .seed = 1}, &a);
	assert_int_equal(a.part[AUDIT_ALL].pairs, 4000);
	assert_int_equal(a.part[AUDIT_MINUTES].pairs + a.part[AUDIT_FREE].pairs, 4000);
	assert_true(a.part[AUDIT_MINUTES].pairs >= 1900 && a.part[AUDIT_FREE].pairs >= 1900);
	assert_true(a.part[AUDIT_ALL].able >= 3000);
	assert_int_equal(a.verdict, AUDIT_HOLDS);
	assert_int_equal(a.proven, 0);
	assert_true(a.alpha_most == 1 && a.flows == 152 && a.hosts == 303);
	assert_int_equal(a.n_worst,
		a.part[AUDIT_ALL].reached[1] < AUDIT_WORST ? a.part[AUDIT_ALL].reached[1] : AUDIT_WORST);
	assert_int_equal(audit_write(&world_real, o.dir, &a, &e), STATUS_OK);
	struct said s = told(&o, 1e-6);
	assert_int_equal(s.verdict, LINK_PROVEN);
	assert_int_equal(s.scanned, 1);
	place_end(&o);
}

/* All hosts act on one clock: the same random instants in every hour, each flow a few ms behind them. */
static void shared_clock(struct place_of *o, unsigned n, int hours)
{
	static int64_t instant[1200];
	char a[64], b[64];
	int64_t t = 0;
	size_t m = 0;

	while (m < 1200 && t < HOUR - 5 * SECOND_US) {
		t += 1500000 + (int64_t)(-log(rnd_unit()) * 3e6);
		instant[m++] = t;
	}
	for (unsigned i = 0; i < n; i++) {
		int64_t hour = T0 + (int64_t)kit_rnd((uint64_t)hours) * HOUR;
		size_t k = 0, from = (size_t)kit_rnd(m - 250);
		for (size_t j = from; j < from + 250; j++, k++) {
			int64_t at = hour + instant[j] + (int64_t)(4000 * (i % 2)) + (int64_t)kit_rnd(2000);
			bursts[0][k] = (struct burst){at, 0, 1, 36};
			/* the server takes as long as it takes at that instant: as behind a relay */
			bursts[1][k] =
				(struct burst){at + 60000 + (int64_t)(j * 7919 % 97) * 500 -
						       (int64_t)(8000 * (i % 2)) + (int64_t)kit_rnd(2000),
					0, 1, 36};
		}
		ends_of(a, b, i, 8080);
		flow_put(o, a, b, k);
	}
}

/* Where the recorder was blind nothing is bet, in the audit as in a search. */
static void the_blind_count_for_nothing(void **state)
{
	struct place_of o;
	struct audit a;

	(void)state;
	place_begin(&o, -1); /* covered for the hour before */
	shared_clock(&o, 40, 6);
	place_seal(&o);
	audited(&o, &(struct audit_param){.pairs = 300, .seed = 1}, &a);
	assert_true(a.part[AUDIT_ALL].pairs == 300 && a.part[AUDIT_ALL].reached[1] == 0 && a.n_worst == 0);
	place_end(&o);
}

static void a_stopped_one_says_so(void **state)
{
	volatile int stop = 1;
	struct place_of o;
	struct audit a;

	(void)state;
	place_begin(&o, 4);
	sessions_put(&o, 20, 4, 22);
	place_seal(&o);
	audited(&o, &(struct audit_param){.pairs = 300, .seed = 1, .stop = &stop}, &a);
	assert_true(a.stopped && a.part[AUDIT_ALL].pairs == 0 && a.verdict == AUDIT_TOO_LITTLE);
	stop = 0;
	audited(&o, &(struct audit_param){.pairs = 300, .seed = 1, .stop = &stop}, &a);
	assert_true(!a.stopped && a.part[AUDIT_ALL].pairs == 300);
	place_end(&o);
}

static void a_shared_clock_does_not_hold(void **state)
{
	struct place_of o;
	struct audit a;
	struct err e = {0};

	(void)state;
	place_begin(&o, 6);
	shared_clock(&o, 80, 6);
	planted_relay(&o);
	place_seal(&o);
	assert_int_equal(told(&o, 1e-6).verdict, LINK_PROVEN);
	audited(&o, &(struct audit_param){.pairs = 3000, .seed = 1}, &a);
	assert_int_equal(a.verdict, AUDIT_FLAWED);
	/* what is moved by whole hours meets again; what is moved by anything seldom does */
	assert_true(a.part[AUDIT_MINUTES].flawed);
	assert_true(a.part[AUDIT_MINUTES].reached[5] > 20 * a.part[AUDIT_FREE].reached[5]);
	assert_true(a.n_port >= 1 && a.port[0].port == 8080 && a.port[0].proto == PROTO_TCP);
	assert_true(a.proven > 0 && a.proven <= a.part[AUDIT_ALL].reached[5]);
	assert_true(a.alpha_most == 0); /* many pairs reach 10^40: no alpha mends it */
	/* who they are: the highest first, moved by an hour at least, at the port that all of them use */
	assert_int_equal(a.n_worst, AUDIT_WORST);
	for (size_t i = 0; i < a.n_worst; i++) {
		const struct audit_pair *w = &a.worst[i];
		assert_true(w->log10_e <= (i ? a.worst[i - 1].log10_e : a.max_log10_e) && w->log10_e > 40);
		assert_true(i || w->log10_e == a.max_log10_e);
		assert_true(llabs(w->move_us) >= 60 * SECOND_US && id_order(&w->in.id, &w->out.id) != 0);
		assert_true(w->in.end[1].port == 8080 && w->out.end[1].port == 8080 && *w->in.point);
	}
	assert_int_equal(audit_write(&world_real, o.dir, &a, &e), STATUS_OK);
	struct said s = told(&o, 1e-6);
	assert_int_equal(s.verdict, LINK_UNDECIDABLE);
	assert_int_equal(s.reason, LINK_REASON_AUDIT);
	assert_int_equal(s.scanned, 0);
	assert_int_equal(told(&o, 1e-30).verdict, LINK_UNDECIDABLE);
	place_end(&o);
}

static void a_corrected_alpha_proves_again(void **state)
{
	struct place_of o;
	struct audit a = mild();
	struct err e = {0};

	(void)state;
	assert_int_equal(a.verdict, AUDIT_FLAWED);
	assert_true(a.alpha_most > 1e-12 && a.alpha_most < 1e-7);
	place_begin(&o, 1);
	planted_relay(&o);
	place_seal(&o);
	assert_int_equal(told(&o, 1e-6).verdict, LINK_PROVEN);
	assert_int_equal(audit_write(&world_real, o.dir, &a, &e), STATUS_OK);
	assert_int_equal(told(&o, 1e-6).reason, LINK_REASON_AUDIT);
	assert_int_equal(told(&o, 1e-6).scanned, 0);
	assert_int_equal(told(&o, a.alpha_most * 1.0001).reason, LINK_REASON_AUDIT);
	assert_int_equal(told(&o, a.alpha_most).verdict, LINK_PROVEN);
	assert_int_equal(told(&o, a.alpha_most).scanned, 1);
	place_end(&o);
}

static void the_seed_decides(void **state)
{
	static const uint64_t seed[] = {1, 1, 2};
	struct place_of o;
	struct audit a[3];
	struct buf text[3] = {{0}};

	(void)state;
	place_begin(&o, 4);
	sessions_put(&o, 60, 4, 22);
	place_seal(&o);
	for (int i = 0; i < 3; i++) {
		audited(&o, &(struct audit_param){.pairs = 600, .seed = seed[i]}, &a[i]);
		a[i].made.us = 0;
		a[i].seed = 0;
		audit_text_write(&text[i], &a[i]);
	}
	assert_int_equal(text[0].n, text[1].n);
	assert_memory_equal(text[0].p, text[1].p, text[0].n);
	assert_true(text[0].n != text[2].n || memcmp(text[0].p, text[2].p, text[0].n) != 0);
	for (int i = 0; i < 3; i++)
		buf_free(&text[i]);
	place_end(&o);
}

/* Two flows within minutes at one host: neither an hour apart nor strangers. */
static void nothing_to_draw(void **state)
{
	struct place_of o;
	struct tracer *t;
	struct audit a;
	struct err e = {0};
	struct audit_param p = {.pairs = 100, .alpha = 1e-6, .since = WALL_BEGIN, .until = WALL_END};

	(void)state;
	place_begin(&o, 1);
	planted_relay(&o);
	place_seal(&o);
	assert_int_equal(tracer_open(&t, &world_real, o.dir, &o.cfg, 1e-6, &e), STATUS_OK);
	assert_int_equal(audit_run(t, &p, &a, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "no pair to draw"));
	tracer_close(t);
	place_end(&o);
}

/* ---- moves ---- */

static struct drawn drawn_random(int64_t span)
{
	struct drawn d = {.from_us = T0 + (int64_t)kit_rnd((uint64_t)span)};

	d.to_us = d.from_us + (int64_t)kit_rnd(2 * HOUR);
	d.pause_us = (int64_t)kit_rnd((uint64_t)(d.to_us - d.from_us) / (1 + kit_rnd(20)) + 1);
	return d;
}

/* The moves of whole minutes there are, by trying them all. */
static size_t minutes_there(const struct drawn *in, const struct drawn *out, int64_t away)
{
	size_t n = 0;
	int64_t half = (in->to_us - in->from_us < out->to_us - out->from_us ? in->to_us - in->from_us
									    : out->to_us - out->from_us) /
		       2;

	for (int64_t k = -1000; k <= 1000; k++) {
		int64_t s = k * 60 * SECOND_US;
		n += llabs(s) >= away && out->to_us + s >= in->from_us + half &&
		     out->from_us + s + half <= in->to_us;
	}
	return n;
}

static void moves_by_trying_all(void **state)
{
	size_t some = 0, none = 0, hours = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct drawn in = drawn_random(8 * HOUR), out = drawn_random(8 * HOUR);
		bool strangers = kit_rnd(2);
		int64_t away = strangers ? 60 * SECOND_US : HOUR, move;
		away = in.pause_us > away ? in.pause_us : away;
		away = out.pause_us > away ? out.pause_us : away;
		size_t n = minutes_there(&in, &out, away);
		bool found = move_find(&move, &in, &out, strangers, AUDIT_MINUTES, kit_rnd(UINT64_MAX >> 11));
		assert_int_equal(found, n > 0);
		some += found;
		none += !found;
		if (found) {
			assert_int_equal(move % (60 * SECOND_US), 0);
			hours += move % HOUR == 0;
			assert_true(llabs(move) >= away);
		}
		found = move_find(&move, &in, &out, strangers, AUDIT_FREE, kit_rnd(UINT64_MAX >> 11));
		assert_true(found || n == 0);
		if (!found)
			continue;
		assert_true(llabs(move) >= away);
		assert_true(out.to_us + move >= in.from_us && out.from_us + move <= in.to_us);
	}
	assert_true(some > 300 && none > 40); /* 2,880 and 120 of 3,000, by how they are drawn */
	assert_true(hours * 4 > some);        /* one in two where there is one */
}

/* ---- what is drawn from ---- */

static bool talks(const struct recording *r, const struct ip *a, const struct ip *b)
{
	for (size_t i = 0; i < r->n_flow; i++) {
		const struct endpoint *x = r->flow[i].head.end;
		if ((ip_equal(&x[0].ip, a) && ip_equal(&x[1].ip, b)) ||
			(ip_equal(&x[1].ip, a) && ip_equal(&x[0].ip, b)))
			return true;
	}
	return false;
}

static bool strangers_slow(const struct recording *r, const struct flow *f, const struct flow *g)
{
	for (int i = 0; i < 4; i++) {
		const struct ip *a = &f->head.end[i & 1].ip, *b = &g->head.end[i >> 1].ip;
		if ((a->v == b->v && memcmp(a->b, b->b, a->v == 4 ? 2 : 4) == 0) || talks(r, a, b))
			return false;
		for (size_t k = 0; k < r->n_flow; k++)
			for (int side = 0; side < 2; side++)
				if (talks(r, a, &r->flow[k].head.end[side].ip) &&
					talks(r, b, &r->flow[k].head.end[side].ip))
					return false;
	}
	return true;
}

static void strangers_by_looking_at_all(void **state)
{
	const struct scan_param one_host = {0};
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = 20000};
	struct place_of o;
	struct scan sc = {.p = &one_host};
	struct pool p;
	struct err e = {0};
	char a[64], b[64];
	size_t yes = 0, no = 0;
	uint64_t together = 0;

	(void)state;
	place_begin(&o, 2);
	for (int i = 0; i < 50; i++) {
		bool six = i % 5 == 0;
		(void)snprintf(a, sizeof(a), six ? "[2001:db%x:%x::1]:%d" : "10.%d.%d.9:%d", (int)kit_rnd(25),
			(int)kit_rnd(40), 30000 + i);
		(void)snprintf(b, sizeof(b), six ? "[2001:eb%x:%x::1]:22" : "172.%d.%d.9:22",
			(int)kit_rnd(25), (int)kit_rnd(40));
		flow_put(&o, a, b, type_keys(T0 + (int64_t)kit_rnd(HOUR), 40));
	}
	place_seal(&o);
	struct tracer *t;
	assert_int_equal(tracer_open(&t, &world_real, o.dir, &o.cfg, 1e-6, &e), STATUS_OK);
	sc.t = t;
	assert_int_equal(recording_read(&sc.rec, &world_real, o.dir, &q, &e), STATUS_OK);
	assert_int_equal(pool_make(&p, &sc, &e), STATUS_OK);
	assert_int_equal(p.n, 50);
	for (size_t i = 0; i < p.n; i++) {
		for (size_t k = 0; k < p.n; k++) {
			bool fast = pool_strangers(&p, &p.flow[i], &p.flow[k]);
			assert_int_equal(fast, strangers_slow(&sc.rec, p.flow[i].flow, p.flow[k].flow));
			yes += fast;
			no += !fast;
			together += i < k && flow_overlap(p.flow[i].flow, p.flow[k].flow, 0);
		}
	}
	assert_true(yes > 100 && no > 100);
	assert_int_equal(p.searchable, together);
	pool_free(&p);
	recording_free(&sc.rec);
	tracer_close(t);
	place_end(&o);
}

/* Drawn are flows that could reach 10^5; those of 24 bursts and more are a pool of their own. */
static void how_many_bursts_it_takes(void **state)
{
	static const size_t n[] = {5, 6, 23, 24};
	const struct scan_param one_host = {0};
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = 20000};
	struct place_of o;
	struct scan sc = {.p = &one_host};
	struct pool p;
	struct err e = {0};
	char a[64], b[64];

	(void)state;
	place_begin(&o, 2);
	for (unsigned i = 0; i < 4; i++) {
		for (size_t k = 0; k < n[i]; k++)
			bursts[0][k] = bursts[1][k] = (struct burst){T0 + (int64_t)k * SECOND_US, 0, 1, 36};
		ends_of(a, b, i, 22);
		flow_put(&o, a, b, n[i]);
	}
	place_seal(&o);
	assert_int_equal(tracer_open(&sc.t, &world_real, o.dir, &o.cfg, 1e-6, &e), STATUS_OK);
	assert_int_equal(recording_read(&sc.rec, &world_real, o.dir, &q, &e), STATUS_OK);
	assert_int_equal(pool_make(&p, &sc, &e), STATUS_OK);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.n_active, 1);
	pool_free(&p);
	recording_free(&sc.rec);
	tracer_close(sc.t);
	place_end(&o);
}

/* Two hosts of networks of their own, each with so many peers of its own. */
static bool busy_strangers(uint32_t peers, bool translated)
{
	static uint32_t peer[2 * 1001];
	static const uint8_t net[] = {20, 30, 40, 50};
	uint32_t at[] = {0, peers, 2 * peers, 2 * peers, 2 * peers};
	struct ip host[4];
	struct pool p = {.host = host, .n_host = 4, .peer = peer, .peers_at = at};
	struct drawn a = {.host = {0, 2}, .translated = translated}, b = {.host = {1, 3}};

	for (size_t i = 0; i < 4; i++)
		host[i] = (struct ip){.v = 4, .b = {net[i], 1, 0, 1}};
	for (uint32_t i = 0; i < 2 * peers; i++)
		peer[i] = 10 + i;
	return pool_strangers(&p, &a, &b);
}

/* Where looking takes too long, and where an address may have another name, they count as no strangers. */
static void not_known_counts_as_in_common(void **state)
{
	(void)state;
	assert_true(busy_strangers(1000, false));
	assert_false(busy_strangers(1001, false));
	assert_false(busy_strangers(3, true));
	assert_true(busy_strangers(3, false));
}

/* An aggregate of many short flows is drawn as one. */
static void aggregates_are_drawn(void **state)
{
	struct place_of o;
	struct audit a;
	char from[64], to[64];

	(void)state;
	place_begin(&o, 5);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(from, sizeof(from), "20.%d.0.1:%d", i % 2, 30000 + i);
		(void)snprintf(to, sizeof(to), "120.%d.0.1:80", i % 2);
		size_t n = type_keys(T0 + i / 2 * 30 * SECOND_US + i % 2 * 2 * HOUR, 300);
		flow_put(&o, from, to, n < 3 ? n : 3); /* too few to be drawn by themselves */
	}
	place_seal(&o);
	audited(&o, &(struct audit_param){.pairs = 100, .seed = 1}, &a);
	assert_int_equal(a.flows, 2);
	assert_true(a.part[AUDIT_ALL].pairs >= 2 && a.part[AUDIT_ALL].able >= 1);
	place_end(&o);
}

/* All pairs that there are, each once: as many as move_find() finds. */
static void all_pairs_once(void **state)
{
	const struct scan_param one_host = {0};
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = 20000};
	struct place_of o;
	struct tracer *t;
	struct scan sc = {.p = &one_host};
	struct pool p;
	struct audit a;
	struct err e = {0};
	uint64_t n[AUDIT_ALL] = {0};
	int64_t move;

	(void)state;
	place_begin(&o, 3);
	sessions_put(&o, 24, 3, 22);
	place_seal(&o);
	audited(&o, &(struct audit_param){.pairs = 1000000, .seed = 5}, &a);
	assert_int_equal(tracer_open(&t, &world_real, o.dir, &o.cfg, 1e-6, &e), STATUS_OK);
	sc.t = t;
	assert_int_equal(recording_read(&sc.rec, &world_real, o.dir, &q, &e), STATUS_OK);
	assert_int_equal(pool_make(&p, &sc, &e), STATUS_OK);
	for (size_t i = 0; i < p.n; i++)
		for (size_t k = 0; k < p.n; k++)
			for (int m = 0; m < AUDIT_ALL && i != k; m++)
				n[m] += move_find(&move, &p.flow[i], &p.flow[k],
					pool_strangers(&p, &p.flow[i], &p.flow[k]), (enum audit_moved)m, 7);
	assert_int_equal(a.part[AUDIT_MINUTES].pairs, n[AUDIT_MINUTES]);
	assert_int_equal(a.part[AUDIT_FREE].pairs, n[AUDIT_FREE]);
	assert_true(n[AUDIT_FREE] > 100);
	pool_free(&p);
	recording_free(&sc.rec);
	tracer_close(t);
	place_end(&o);
}

/* ---- blind spans ---- */

#define AXIS 200

static size_t spans_random(struct span *s)
{
	size_t n = 0;

	for (int64_t t = (int64_t)kit_rnd(20); t < AXIS - 20; t = s[n - 1].to_us + 1 + (int64_t)kit_rnd(30)) {
		s[n] = (struct span){t, t + 1 + (int64_t)kit_rnd(15)};
		n++;
	}
	return n;
}

static bool inside(const struct span *s, size_t n, int64_t t)
{
	for (size_t i = 0; i < n; i++)
		if (t >= s[i].from_us && t < s[i].to_us)
			return true;
	return false;
}

static void blind_spans_are_both(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct span a[AXIS], b[AXIS], to[2 * AXIS], *blind[2] = {a, b};
		size_t n[2] = {spans_random(a), spans_random(b)};
		struct pool p = {.blind = blind, .n_blind = n, .n_point = 2};
		struct drawn in = {.from_us = (int64_t)kit_rnd(100), .point = 0},
			     out = {.from_us = (int64_t)kit_rnd(100), .point = 1};
		int64_t move = (int64_t)kit_rnd(60) - 30;
		in.to_us = in.from_us + (int64_t)kit_rnd(80);
		out.to_us = out.from_us + (int64_t)kit_rnd(80);
		size_t k = move_blind(to, &p, &in, &out, move);
		assert_true(k <= move_blind_most(&p));
		int64_t from = in.from_us < out.from_us + move ? in.from_us : out.from_us + move;
		int64_t until = in.to_us > out.to_us + move ? in.to_us : out.to_us + move;
		for (int64_t t = from; t <= until; t++)
			assert_int_equal(inside(to, k, t), inside(a, n[0], t) || inside(b, n[1], t - move));
		for (size_t j = 1; j < k; j++)
			assert_true(to[j].from_us > to[j - 1].to_us);
	}
}

/* ---- DIR/audit ---- */

static void text_there_and_back(void **state)
{
	struct audit a = mild(), b;
	struct buf text = {0}, again = {0};
	struct err e = {0};
	bool newer;

	(void)state;
	a.made.us = T0;
	a.seed = UINT64_MAX;
	a.max_log10_e = 1.0 / 3;
	audit_text_write(&text, &a);
	if (audit_text_read(&b, text.p, text.n, &newer, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_true(b.alpha_most == a.alpha_most && b.decay == a.decay && b.verdict == a.verdict);
	assert_true(b.made.us == T0 && b.max_log10_e == a.max_log10_e);
	audit_text_write(&again, &b);
	assert_int_equal(text.n, again.n);
	assert_memory_equal(text.p, again.p, text.n);
	buf_free(&text);
	buf_free(&again);
}

static void every_damage_is_seen(void **state)
{
	struct audit a = mild(), b;
	struct buf text = {0};
	struct err e = {0};
	bool newer;

	(void)state;
	a.lift = 3000000;
	audit_text_write(&text, &a);
	for (size_t i = 0; i < text.n; i++) {
		assert_int_equal(audit_text_read(&b, text.p, i, &newer, &e), STATUS_BAD);
		for (int bit = 0; bit < 8; bit++) {
			text.p[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(audit_text_read(&b, text.p, text.n, &newer, &e), STATUS_BAD);
			text.p[i] ^= (uint8_t)(1 << bit);
		}
	}
	static const char next[] = "weir-audit/v2\nanything\n";
	assert_int_equal(audit_text_read(&b, next, sizeof(next) - 1, &newer, &e), STATUS_BAD);
	assert_true(newer && strstr(e.text, "newer"));
	buf_free(&text);
}

static void file_put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* What cannot be read may have said "never": it counts as that, and nothing breaks. */
static void damaged_withholds(void **state)
{
	static const char *const text[] = {"", "garbage\n", "weir-audit/v1\n", "weir-audit/v9\n"};
	struct place_of o;
	struct audit a = mild();
	struct err e = {0};
	char path[128];

	(void)state;
	place_begin(&o, 1);
	planted_relay(&o);
	place_seal(&o);
	(void)snprintf(path, sizeof(path), "%s/audit", o.dir);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		file_put(path, text[i]);
		assert_int_equal(told(&o, 1e-9).reason, LINK_REASON_AUDIT);
	}
	assert_int_equal(audit_write(&world_real, o.dir, &a, &e), STATUS_OK);
	assert_int_equal(told(&o, a.alpha_most).verdict, LINK_PROVEN);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(told(&o, 1e-6).reason, LINK_REASON_AUDIT);
	place_end(&o);
}

/* ---- a disk that fails at the n-th step ---- */

static int steps_left;

static bool fails(void)
{
	return steps_left-- == 0;
}

static int bad_open(void *self, const char *path, int flags, mode_t mode)
{
	return (flags & O_CREAT) && fails() ? -1 : world_real.open(self, path, flags, mode);
}

static ssize_t bad_write(void *self, int fd, const void *p, size_t n)
{
	return fails() ? -1 : world_real.write(self, fd, p, n);
}

static int bad_fsync(void *self, int fd)
{
	return fails() ? -1 : world_real.fsync(self, fd);
}

static int bad_rename(void *self, const char *from, const char *to)
{
	return fails() ? -1 : world_real.rename(self, from, to);
}

static void the_old_finding_survives_a_failing_disk(void **state)
{
	struct world w = world_real;
	struct audit old = mild(), well = {.alpha = 1e-6}, now;
	struct place_of o;
	struct err e = {0};
	bool newer;
	int failed = 0;

	(void)state;
	w.open = bad_open;
	w.write = bad_write;
	w.fsync = bad_fsync;
	w.rename = bad_rename;
	well.part[AUDIT_FREE] = (struct audit_part){.pairs = 1000, .able = 1000};
	place_begin(&o, 1);
	place_seal(&o);
	assert_int_equal(audit_write(&world_real, o.dir, &old, &e), STATUS_OK);
	for (int n = 0;; n++, failed++) {
		steps_left = n;
		if (audit_write(&w, o.dir, &well, &e) == STATUS_OK)
			break;
		assert_int_equal(e.status, STATUS_MACHINE);
		assert_int_equal(audit_read(&world_real, o.dir, &now, &newer, &e), STATUS_OK);
		/* the last step that can fail, the directory's fsync, is after the change */
		assert_true(now.alpha_most == old.alpha_most || steps_left < 0);
	}
	assert_true(failed >= 4);
	assert_int_equal(audit_read(&world_real, o.dir, &now, &newer, &e), STATUS_OK);
	assert_true(now.alpha_most == 1);
	place_end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_traffic_holds),
		cmocka_unit_test(the_blind_count_for_nothing),
		cmocka_unit_test(a_stopped_one_says_so),
		cmocka_unit_test(a_shared_clock_does_not_hold),
		cmocka_unit_test(a_corrected_alpha_proves_again),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(nothing_to_draw),
		cmocka_unit_test(moves_by_trying_all),
		cmocka_unit_test(strangers_by_looking_at_all),
		cmocka_unit_test(how_many_bursts_it_takes),
		cmocka_unit_test(not_known_counts_as_in_common),
		cmocka_unit_test(aggregates_are_drawn),
		cmocka_unit_test(all_pairs_once),
		cmocka_unit_test(blind_spans_are_both),
		cmocka_unit_test(text_there_and_back),
		cmocka_unit_test(every_damage_is_seen),
		cmocka_unit_test(damaged_withholds),
		cmocka_unit_test(the_old_finding_survives_a_failing_disk),
	};

	kit_seed("audit");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
