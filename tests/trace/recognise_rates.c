/* recognise_rates LAB-SET [TRIALS [SEED [RUN]]]: the tables of doc/recognise.md.
 *
 * True copies between the observation points of each run, the same with the flow taken out of the doubter's
 * recording, unrelated pairs, honest deviations, lies.  Ends with 1 where an unrelated pair or a lie was
 * confirmed, or an honest train contradicted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recog_gen.h"
#include "recog_lab.h"
#include "trace/recognise_in.h"

#define ALPHA  1e-6
#define ENOUGH 20 /* stretches-to-be of a flow that the tables are about: bursts of both directions */

/* Verdicts of one row. */
struct row {
	long n, seen[4], wrong; /* wrong: confirmed with another flow than the true one */
};

struct pair_of {
	const struct lab_point *there, *here;
	const struct flow *a, *b; /* one connection at both */
};

struct bench {
	struct lab lab;
	struct pair_of *pair;
	size_t n_pair;
	struct rng rng;
	long trials;
	bool flaw;
};

static size_t bursts(const struct flow *f)
{
	return f->n_burst[0] + f->n_burst[1];
}

static void row_add(struct row *r, const struct recognised *k, const struct flow *truth)
{
	r->n++;
	r->seen[k->seen]++;
	r->wrong += k->seen == SEEN_CONFIRMED && k->flow != truth;
}

static void row_print(struct bench *b, const char *name, const struct row *r, bool honest)
{
	bool flaw = r->wrong > 0 || (honest ? r->seen[SEEN_CONTRADICTED] > 0 : r->seen[SEEN_CONFIRMED] > 0);

	printf("| %-46s | %6ld | %6ld | %6ld | %6ld | %6ld | %3ld |%s\n", name, r->n, r->seen[SEEN_CONFIRMED],
		r->seen[SEEN_CANNOT_TELL], r->seen[SEEN_NOT], r->seen[SEEN_CONTRADICTED], r->wrong,
		flaw ? " FLAW" : "");
	b->flaw = b->flaw || flaw;
}

static void head_print(const char *title)
{
	printf("\n| %-46s | trials | confd. | can't  | unseen | contra | wrong "
	       "|\n|---|---|---|---|---|---|---|\n",
		title);
}

static void ask(struct recording *r, const struct flow *claimed, struct recognised *k)
{
	struct err e = {0};

	if (recognise_in(r, ALPHA, claimed, k, &e) != STATUS_OK) {
		(void)fprintf(stderr, "%s\n", e.text);
		exit(3);
	}
}

/* Every answer, where RATES_SAY is set. */
static void say(const struct pair_of *p, const struct recognised *k)
{
	char t[FLOW_TEXT] = "-";

	if (!getenv("RATES_SAY"))
		return;
	if (k->flow)
		(void)flow_text(t, &k->flow->head);
	printf("  %s %s>%s %s %s: %s\n", p->here->run, p->there->name, p->here->name, seen_here_name(k->seen),
		t, k->why);
}

/* Connections that two points of one run saw. */
static void find_pairs(struct bench *b, size_t least)
{
	for (size_t i = 0; i < b->lab.n; i++) {
		for (size_t j = 0; j < b->lab.n; j++) {
			const struct lab_point *p = &b->lab.point[i], *q = &b->lab.point[j];
			if (i == j || strcmp(p->run, q->run) != 0)
				continue;
			for (size_t k = 0; k < p->rec.n_flow; k++) {
				const struct flow *f = &p->rec.flow[k], *g = lab_same(q, f);
				if (!g || bursts(f) < least || bursts(g) < least)
					continue;
				b->pair = realloc(b->pair, (b->n_pair + 1) * sizeof(*b->pair));
				if (!b->pair)
					exit(3);
				b->pair[b->n_pair++] = (struct pair_of){p, q, f, g};
			}
		}
	}
}

/* A point's recording with an arena of its own. */
static struct recording whole(const struct lab_point *p)
{
	struct recording r = p->rec;

	r.arena = (struct arena){0};
	return r;
}

/* What flows are of one connection: the copies of f in a recording are left out of what is handed on. */
static struct recording without(const struct lab_point *p, const struct flow *f)
{
	struct recording r = whole(p);
	const struct flow *origin = f->rewrite_of ? f->rewrite_of : f;

	r.n_flow = 0;
	r.flow = calloc(p->rec.n_flow + 1, sizeof(*r.flow));
	for (size_t i = 0; r.flow && i < p->rec.n_flow; i++) {
		const struct flow *g = &p->rec.flow[i];
		if (g != f && g != origin && g->rewrite_of != origin)
			r.flow[r.n_flow++] = *g;
	}
	return r;
}

static void drop(struct recording *r)
{
	free(r->flow);
	arena_free(&r->arena);
}

/* f in place of the true flow, in a copy of the recording; *truth: where it stands. */
static struct recording with(
	const struct lab_point *p, const struct flow *was, const struct flow *f, const struct flow **truth)
{
	struct recording r = without(p, was);

	r.flow[r.n_flow] = *f;
	*truth = &r.flow[r.n_flow++];
	return r;
}

static void table_true(struct bench *b)
{
	struct row same = {0}, gone = {0}, dark = {0};

	for (size_t i = 0; i < b->n_pair; i++) {
		const struct pair_of *p = &b->pair[i];
		struct recording r = without(p->here, p->b), late = without(p->here, p->b);
		struct flow claim;
		struct recognised k;
		ask(&r, p->a, &k);
		say(p, &k);
		row_add(&gone, &k, NULL);
		/* as if both recordings had begun after the handshakes */
		flow_copy(&claim, p->a);
		claim.head.flags = FLOW_ASSUMED;
		for (size_t j = 0; j < late.n_flow; j++)
			late.flow[j].head.flags = FLOW_ASSUMED;
		ask(&late, &claim, &k);
		row_add(&dark, &k, NULL);
		flow_drop(&claim);
		drop(&late);
		drop(&r);
		struct recording all = whole(p->here);
		ask(&all, p->a, &k);
		say(p, &k);
		row_add(&same, &k, p->b);
		arena_free(&all.arena);
	}
	head_print("true copies at two points");
	row_print(b, "as recorded", &same, true);
	head_print("the flow taken out of the recording");
	row_print(b, "as recorded", &gone, false);
	row_print(b, "and no handshake of any flow seen", &dark, false);
}

struct unlike {
	long pairs, laid, reach[7], confirmed;
	double most;
};

static void unlike_add(struct unlike *u, const struct flow *f, const struct flow *g)
{
	struct err e = {0};
	struct alike k;
	struct finding found;
	/* the most favourable head that an unrelated flow can have */
	struct candidate_flow c = {.flow = g, .ship = {.kin = KIN_TUPLE}};

	if (flows_alike(f, g, NULL, 0, RECOGNISE_SKEW_US, &k, &e) != STATUS_OK)
		exit(3);
	u->pairs++;
	if (k.compared == 0)
		return; /* nowhere to be laid */
	u->laid++;
	u->most = u->laid == 1 || k.log10_e > u->most ? k.log10_e : u->most;
	for (int i = 1; i < 7; i++)
		u->reach[i] += k.log10_e >= i;
	recognise_judge(f, &c, &k, recognise_needed(ALPHA, 1, &c.ship), &found);
	u->confirmed += found.ruling == RULED_CONFIRMED;
}

static void unlike_print(struct bench *b, const char *name, const struct unlike *u)
{
	printf("| %-46s | %7ld | %6.1f | %ld %ld %ld %ld %ld %ld | %ld |%s\n", name, u->pairs, u->most,
		u->reach[1], u->reach[2], u->reach[3], u->reach[4], u->reach[5], u->reach[6], u->confirmed,
		u->confirmed ? " FLAW" : "");
	b->flaw = b->flaw || u->confirmed;
}

/* Flows of one point against all others of it that are not of its session. */
static void unlike_lab(struct bench *b, struct unlike *u)
{
	for (size_t i = 0; i < b->lab.n; i++) {
		const struct lab_point *p = &b->lab.point[i];
		for (size_t x = 0; x < p->rec.n_flow; x++) {
			const struct flow *f = &p->rec.flow[x];
			for (size_t y = 0; y < p->rec.n_flow && bursts(f) >= ENOUGH; y++) {
				const struct flow *g = &p->rec.flow[y];
				if (p->session[x] != p->session[y] && bursts(g) >= ENOUGH &&
					f->head.proto == g->head.proto)
					unlike_add(u, f, g);
			}
		}
	}
}

typedef void make_fn(struct flow *to, struct rng *r);

static void make_keys(struct flow *to, struct rng *r)
{
	keys_flow(to, r, 30 + rng_next(r) % 400, (int64_t)1.8e15 + (int64_t)(rng_unit(r) * 3e8));
}

static void make_loop(struct flow *to, struct rng *r)
{
	loop_flow(to, r, 200, (int64_t)1.8e15 + (int64_t)(rng_unit(r) * 3e8), 3, 300000);
}

static void make_beacon(struct flow *to, struct rng *r)
{
	loop_flow(to, r, 200, (int64_t)1.8e15 + (int64_t)(rng_unit(r) * 3e8), 1, 5000);
}

static void make_steady(struct flow *to, struct rng *r)
{
	loop_flow(to, r, 200, (int64_t)1.8e15 + (int64_t)(rng_unit(r) * 3e8), 2 + rng_next(r) % 2, 3000);
}

static void make_long_loop(struct flow *to, struct rng *r)
{
	loop_flow(to, r, 400, (int64_t)1.8e15 + (int64_t)(rng_unit(r) * 3e8), 8, 10000);
}

static void unlike_made(struct bench *b, const char *name, make_fn *make)
{
	enum { FLOWS = 64 };
	static struct flow f[FLOWS];
	struct unlike u = {0};

	for (int i = 0; i < FLOWS; i++)
		make(&f[i], &b->rng);
	for (int i = 0; i < FLOWS; i++)
		for (int j = 0; j < FLOWS; j++)
			if (i != j)
				unlike_add(&u, &f[i], &f[j]);
	for (int i = 0; i < FLOWS; i++)
		flow_drop(&f[i]);
	unlike_print(b, name, &u);
}

static void table_unlike(struct bench *b)
{
	struct unlike u = {0};

	printf("\n| %-46s |   pairs | most e | reach 10^1 .. 10^6 | confirmed |\n|---|---|---|---|---|\n",
		"unrelated pairs, heads taken for the same");
	unlike_lab(b, &u);
	unlike_print(b, "lab flows, all against all of a point", &u);
	unlike_made(b, "single keys of one size", make_keys);
	unlike_made(b, "loops of three steps, jitter 0.3 s", make_loop);
	unlike_made(b, "beacons", make_beacon);
	unlike_made(b, "loops of two or three steps, jitter 3 ms", make_steady);
	unlike_made(b, "loops of eight steps, jitter 10 ms", make_long_loop);
}

/* An honest deviation: what happens to the claimed train and to ours. */
struct honest {
	const char *name;
	double offset_s, drift;
	int64_t jitter_us;
	double lose, head, tail, gap, step_s;
	uint32_t gap_us;
	bool translated, no_numbers;
};

static void deviate(
	struct flow *to, const struct flow *from, const struct honest *h, bool claim, struct rng *r)
{
	struct packets p;

	packets_of(&p, from);
	if (claim)
		packets_clock(&p, (int64_t)(2e6 * h->offset_s * (rng_unit(r) - 0.5)),
			2 * h->drift * (rng_unit(r) - 0.5));
	packets_jitter(&p, r, h->jitter_us);
	packets_lose(&p, r, h->lose);
	if (claim && h->gap > 0)
		packets_gap(&p, r, h->gap);
	packets_cut(&p, h->head * rng_unit(r), h->tail * rng_unit(r));
	if (claim && h->step_s > 0)
		packets_step(&p, rng_between(r, 0.2, 0.8), (int64_t)(h->step_s * 1e6));
	packets_flow(to, &p, from, claim && h->gap_us ? h->gap_us : BURST_GAP_RECORDED_US);
	packets_free(&p);
	if (h->no_numbers)
		to->head.flags = FLOW_ASSUMED;
	if (claim && h->translated) {
		to->head.end[0].ip = ip_v4((const uint8_t[4]){198, 51, 100, 77});
		to->head.end[0].port = 31999;
	}
}

static const struct pair_of *draw_pair(struct bench *b)
{
	for (;;) {
		const struct pair_of *p = &b->pair[rng_next(&b->rng) % b->n_pair];
		if (bursts(p->a) >= 3 * ENOUGH)
			return p;
	}
}

static void honest_row(struct bench *b, const struct honest *h)
{
	struct row row = {0};

	for (long i = 0; i < b->trials; i++) {
		const struct pair_of *p = draw_pair(b);
		struct flow claim, ours;
		const struct flow *truth;
		struct recognised k;
		deviate(&claim, p->a, h, true, &b->rng);
		deviate(&ours, p->b, h, false, &b->rng);
		struct recording r = with(p->here, p->b, &ours, &truth);
		ask(&r, &claim, &k);
		row_add(&row, &k, truth);
		say(p, &k);
		flow_drop(&claim);
		flow_drop(&ours);
		drop(&r);
	}
	row_print(b, h->name, &row, true);
}

static void table_honest(struct bench *b)
{
	static const struct honest rows[] = {
		{"nothing", 0},
		{"clock off by up to 600 s", .offset_s = 590},
		{"drift up to 200 ppm", .offset_s = 2, .drift = 200e-6},
		{"jitter up to 50 ms at both", .offset_s = 2, .jitter_us = 50000},
		{"1 % of packets lost at both", .offset_s = 2, .lose = 0.01},
		{"3 % of packets lost at both", .offset_s = 2, .lose = 0.03},
		{"head cut by up to half at both", .offset_s = 2, .head = 0.5},
		{"tail cut by up to half at both", .offset_s = 2, .tail = 0.5},
		{"claimant's gap of 20 %", .offset_s = 2, .gap = 0.2},
		{"claimant's clock set by 0.7 s midway", .offset_s = 2, .step_s = 0.7},
		{"claim at a gap of 100 ms", .offset_s = 2, .gap_us = 100000},
		{"other addresses", .offset_s = 590, .translated = true},
		{"no handshake seen", .offset_s = 590, .no_numbers = true},
		{"other addresses, no handshake", .offset_s = 1, .translated = true, .no_numbers = true},
		{"jitter 20 ms, 1 % lost, cut, drift, gap 50 ms", .offset_s = 590, .drift = 200e-6,
			.jitter_us = 20000, .lose = 0.01, .head = 0.3, .tail = 0.3, .gap_us = 50000},
		{"the same, without handshake", .offset_s = 590, .drift = 200e-6, .jitter_us = 20000,
			.lose = 0.01, .head = 0.3, .tail = 0.3, .gap_us = 50000, .no_numbers = true},
	};

	head_print("honest deviations");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		honest_row(b, &rows[i]);
}

enum lie { LIE_SIZES, LIE_MOVE, LIE_STRETCH, LIE_SPLICE, LIE_OTHER, LIE_TAIL };

struct liar {
	const char *name;
	enum lie lie;
	double much;
	bool no_numbers;
};

/* The flow of the liar's recording with the most bursts that is of another session. */
static const struct flow *draw_other(const struct pair_of *p)
{
	const struct lab_point *at = p->there->rec.n_flow > p->here->rec.n_flow ? p->there : p->here;
	const struct flow *best = NULL;
	int mine = lab_session(p->there, p->a);

	for (size_t i = 0; i < at->rec.n_flow; i++) {
		const struct flow *f = &at->rec.flow[i];
		if (at->session[i] != mine && f->head.proto == p->a->head.proto &&
			(!best || bursts(f) > bursts(best)))
			best = f;
	}
	return best;
}

static void tell(struct bench *b, const struct pair_of *p, struct flow *f, const struct liar *l)
{
	const struct flow *other = draw_other(p);

	switch (l->lie) {
	case LIE_SIZES:
		lie_sizes(f, &b->rng, l->much);
		break;
	case LIE_MOVE:
		lie_move(f, &b->rng, l->much, 200000, 600000);
		break;
	case LIE_STRETCH:
		lie_stretch(f, l->much);
		break;
	case LIE_SPLICE:
	case LIE_OTHER:
		lie_splice(f, other, l->lie == LIE_OTHER ? 0 : l->much);
		break;
	case LIE_TAIL:
		lie_shift_tail(f, 1 - l->much, 400000);
		break;
	}
	if (l->no_numbers)
		f->head.flags = FLOW_ASSUMED;
}

static void liar_row(struct bench *b, const struct liar *l)
{
	struct row row = {0};

	for (long i = 0; i < b->trials; i++) {
		const struct pair_of *p = draw_pair(b);
		struct recording r = whole(p->here);
		struct flow claim;
		struct recognised k;
		flow_copy(&claim, p->a);
		tell(b, p, &claim, l);
		ask(&r, &claim, &k);
		say(p, &k);
		row_add(&row, &k, p->b);
		flow_drop(&claim);
		arena_free(&r.arena);
	}
	row_print(b, l->name, &row, false);
}

static void table_lies(struct bench *b)
{
	static const struct liar rows[] = {
		{"sizes changed in 10 % of the bursts", LIE_SIZES, 0.1, false},
		{"sizes changed in 20 %", LIE_SIZES, 0.2, false},
		{"sizes changed in 50 %", LIE_SIZES, 0.5, false},
		{"20 % moved by 200 to 600 ms", LIE_MOVE, 0.2, false},
		{"50 % moved", LIE_MOVE, 0.5, false},
		{"stretched by 3 %", LIE_STRETCH, 1.03, false},
		{"stretched by 10 %", LIE_STRETCH, 1.1, false},
		{"last half of another session", LIE_SPLICE, 0.5, false},
		{"another session's train", LIE_OTHER, 0, false},
		{"another session's train, no handshake", LIE_OTHER, 0, true},
		{"sizes changed in 20 %, no handshake", LIE_SIZES, 0.2, true},
		{"last half of another session, no handshake", LIE_SPLICE, 0.5, true},
		{"last half 400 ms later (or a clock set)", LIE_TAIL, 0.5, false},
	};

	head_print("lies");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		liar_row(b, &rows[i]);
}

int main(int argc, char **argv)
{
	struct bench b = {.trials = argc > 2 ? strtol(argv[2], NULL, 10) : 200};

	if (argc < 2 || b.trials <= 0)
		return 2;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	rng_seed(&b.rng, seed);
	lab_load(&b.lab, argv[1], argc > 4 ? argv[4] : NULL);
	find_pairs(&b, ENOUGH);
	printf("seed %llu, %zu observation points, %zu connections that two of them saw\n",
		(unsigned long long)seed, b.lab.n, b.n_pair);
	table_true(&b);
	table_honest(&b);
	table_lies(&b);
	table_unlike(&b);
	free(b.pair);
	lab_free(&b.lab);
	return b.flaw;
}
