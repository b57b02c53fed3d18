/* zoo_real DATA [PAIRS [SEED]]: the link test on flows of real captures that have nothing to do with each
 * other.
 *
 * Every capture below DATA/null and DATA/relay goes through the recorder, each into a directory of its own.
 * Flows, and the flows between two hosts at one port taken together where there are three or more, are then
 * tested in all ordered pairs of different captures, either direction as the attack's, the second one moved
 * so that one of its bursts falls on one of the first, again and again until there are PAIRS.  Then the
 * flows of the polled control server (null/c2-beacon) against all others, in both places.  Ends with 1 where
 * anything is proven or the share that reaches 10^k is above 10^-k; with 77 where there are no captures. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/binomial.h"
#include "record/record.h"
#include "trace/relink.h"
#include "zoo_gen.h"

#define SKIP         77
#define BURSTS_MIN   12 /* with fewer in both directions nothing could ever be proven */
#define TOGETHER_MIN 3
#define NEEDED       8.5
#define TAIL         0.01
#define LAG_MOST_US  50000
#define CAPTURES_MAX 256
#define CONTROL      "c2-beacon"

struct capture {
	char path[1024];
	struct recording rec;
	int control;
};

/* A flow, or several together. */
struct piece {
	struct flow flow;
	int capture, control, made; /* made: its bursts are its own */
};

struct set {
	struct capture capture[CAPTURES_MAX];
	int n_capture, unread;
	struct piece *piece;
	size_t n, cap;
	char dir[64];
};

struct tally {
	const char *what;
	long pairs, reach[6], proven, wild;
	double max;
};

static void *grown(void *old, size_t n, size_t each)
{
	void *p = realloc(old, n * each);
	if (p == NULL)
		abort();
	return p;
}

/* ---- the captures ---- */

static void capture_read(struct set *s, const char *path, int control)
{
	struct store_query q = {
		.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = BURST_GAP_RECORDED_US};
	struct record_sum sum = {0};
	struct err e = {0};
	char dir[128];
	struct capture *c = &s->capture[s->n_capture];
	snprintf(dir, sizeof dir, "%s/%d", s->dir, s->n_capture + s->unread);
	struct record_param param = {.dir = dir, .point = "p"};
	if (store_prepare(&world_real, dir, &e) != STATUS_OK ||
		record_file(&world_real, &param, path, &sum, &e) != STATUS_OK ||
		recording_read(&c->rec, &world_real, dir, &q, &e) != STATUS_OK) {
		s->unread++;
		return;
	}
	snprintf(c->path, sizeof c->path, "%s", path);
	c->control = control;
	s->n_capture++;
}

static int is_capture(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot != NULL && (strcmp(dot, ".pcap") == 0 || strcmp(dot, ".pcapng") == 0);
}

static void folder_read(struct set *s, const char *path)
{
	struct dirent **v;
	int n = scandir(path, &v, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char below[1024];
		if (v[i]->d_name[0] != '.' &&
			snprintf(below, sizeof below, "%s/%s", path, v[i]->d_name) < (int)sizeof below) {
			if (!is_capture(v[i]->d_name))
				folder_read(s, below);
			else if (s->n_capture < CAPTURES_MAX)
				capture_read(s, below, strstr(below, CONTROL) != NULL);
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

/* ---- the flows ---- */

static struct piece *piece_add(struct set *s, const struct flow *f, int capture)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 256;
		s->piece = grown(s->piece, s->cap, sizeof *s->piece);
	}
	s->piece[s->n] =
		(struct piece){.flow = *f, .capture = capture, .control = s->capture[capture].control};
	return &s->piece[s->n++];
}

static int enough(const struct flow *f)
{
	return f->n_burst[0] + f->n_burst[1] >= BURSTS_MIN;
}

static int same_service(const struct flow *a, const struct flow *b)
{
	return a->head.proto == b->head.proto && endpoint_equal(&a->head.end[1], &b->head.end[1]) &&
	       ip_equal(&a->head.end[0].ip, &b->head.end[0].ip);
}

static int by_start(const void *x, const void *y)
{
	const struct burst *a = x, *b = y;
	return (a->start_us > b->start_us) - (a->start_us < b->start_us);
}

/* Adds b's bursts to those of to. */
static void join(struct flow *to, const struct flow *b)
{
	for (int d = 0; d < 2; d++) {
		size_t n = to->n_burst[d] + b->n_burst[d];
		if (b->n_burst[d] == 0)
			continue;
		to->burst[d] = grown(to->burst[d], n, sizeof **to->burst);
		memcpy(to->burst[d] + to->n_burst[d], b->burst[d], b->n_burst[d] * sizeof **b->burst);
		to->n_burst[d] = n;
	}
	to->members++;
}

/* The flows that are like f together, where f is their first and there are enough. */
static void together(struct set *s, int capture, size_t f)
{
	const struct recording *rec = &s->capture[capture].rec;
	struct flow all = rec->flow[f];
	for (size_t i = 0; i < f; i++)
		if (same_service(&rec->flow[i], &rec->flow[f]))
			return;
	all.burst[0] = all.burst[1] = NULL;
	all.n_burst[0] = all.n_burst[1] = 0;
	for (size_t i = f; i < rec->n_flow; i++)
		if (same_service(&rec->flow[i], &rec->flow[f]))
			join(&all, &rec->flow[i]);
	for (int d = 0; d < 2; d++) {
		if (all.n_burst[d] > 0)
			qsort(all.burst[d], all.n_burst[d], sizeof *all.burst[d], by_start);
		all.n_burst[d] = bursts_merge(all.burst[d], all.n_burst[d], BURST_GAP_RECORDED_US);
	}
	if (all.members >= TOGETHER_MIN && enough(&all)) {
		piece_add(s, &all, capture)->made = 1;
	} else {
		free(all.burst[0]);
		free(all.burst[1]);
	}
}

static void pieces(struct set *s)
{
	for (int c = 0; c < s->n_capture; c++)
		for (size_t f = 0; f < s->capture[c].rec.n_flow; f++) {
			if (enough(&s->capture[c].rec.flow[f]))
				piece_add(s, &s->capture[c].rec.flow[f], c);
			together(s, c, f);
		}
}

/* ---- pairs ---- */

static int64_t some_start(struct rng *r, const struct flow *f, int way)
{
	int d = f->n_burst[way] > 0 ? way : !way;
	return f->burst[d][rng_next(r) % f->n_burst[d]].start_us;
}

static void test_pair(struct rng *r, struct relink_room *room, const struct piece *in,
	const struct piece *out, struct tally *t)
{
	struct relink p = {.in = &in->flow, .out = &out->flow, .apart = true, .needed = NEEDED};
	struct link_result res;
	struct err e = {0};
	p.in_way = (int)(rng_next(r) % 2);
	p.out_way = (int)(rng_next(r) % 2);
	p.in_opened = p.in_way == 1;
	p.clock.offset_us = some_start(r, p.in, p.in_way) - some_start(r, p.out, p.out_way) +
			    (int64_t)(rng_next(r) % LAG_MOST_US);
	if (relink_test(room, &p, &res, &e) != STATUS_OK)
		abort();
	t->pairs++;
	t->wild += !isfinite(res.max_log10_e) || !isfinite(res.log10_e);
	t->max = res.max_log10_e > t->max ? res.max_log10_e : t->max;
	for (int k = 1; k <= 5; k++)
		t->reach[k] += res.max_log10_e >= k;
	if (res.verdict == LINK_PROVEN) {
		char a[FLOW_TEXT], b[FLOW_TEXT];
		t->proven++;
		printf("proven, log10 e %.1f: %s, %s\n", res.max_log10_e, flow_text(a, &p.in->head),
			flow_text(b, &p.out->head));
	}
}

/* Copies of one capture lie in several files. */
static int apart(const struct piece *a, const struct piece *b)
{
	return a->capture != b->capture &&
	       !(same_service(&a->flow, &b->flow) && a->flow.head.end[0].port == b->flow.head.end[0].port);
}

/* All ordered pairs of different captures once. */
static void round_of(struct set *s, struct rng *r, int control, struct tally *t)
{
	struct relink_room room = {0};
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->n; j++) {
			const struct piece *in = &s->piece[i], *out = &s->piece[j];
			if (apart(in, out) && (!control || in->control != out->control))
				test_pair(r, &room, in, out, t);
		}
	relink_free(&room);
}

static int print_tally(const struct tally *t)
{
	int flaw = t->proven > 0 || t->wild > 0;
	printf("real   %-44s %7ld max %5.1f reach", t->what, t->pairs, t->max);
	for (int k = 1; k <= 5; k++) {
		printf(" %ld", t->reach[k]);
		flaw |= limit_lower(t->reach[k], t->pairs, TAIL) > pow(10, -k);
	}
	printf(" (<= %.5f) proven %ld %s\n", limit_upper(t->reach[1], t->pairs, TAIL), t->proven,
		flaw ? "FLAW" : "ok");
	return flaw;
}

static int measure(struct set *s, struct rng *r, const char *what, int control, long pairs)
{
	struct tally t = {.what = what, .max = -1e9};
	for (long before = -1; t.pairs < pairs && t.pairs != before;) {
		before = t.pairs;
		round_of(s, r, control, &t);
	}
	if (t.pairs == 0) {
		printf("real   %s: skipped, no such captures\n", what);
		return 0;
	}
	return print_tally(&t);
}

static void set_free(struct set *s)
{
	char cmd[128];
	for (size_t i = 0; i < s->n; i++)
		for (int d = 0; d < 2 && s->piece[i].made; d++)
			free(s->piece[i].flow.burst[d]);
	for (int c = 0; c < s->n_capture; c++)
		recording_free(&s->capture[c].rec);
	free(s->piece);
	snprintf(cmd, sizeof cmd, "rm -rf %s", s->dir);
	if (system(cmd) != 0)
		fprintf(stderr, "%s stays\n", s->dir);
}

int main(int argc, char **argv)
{
	static struct set s = {.dir = "/tmp/weir-zoo-XXXXXX"};
	static const char *const folder[] = {"null", "relay"};
	long pairs = argc > 2 ? atol(argv[2]) : 20000;
	struct rng r;
	if (argc < 2 || mkdtemp(s.dir) == NULL)
		return 2;
	rng_seed(&r, argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
	for (int i = 0; i < 2; i++) {
		char path[1024];
		if (snprintf(path, sizeof path, "%s/%s", argv[1], folder[i]) < (int)sizeof path)
			folder_read(&s, path);
	}
	pieces(&s);
	printf("%d captures, %d could not be read, %zu flows and aggregates with %d bursts or more\n",
		s.n_capture, s.unread, s.n, BURSTS_MIN);
	int bad = measure(&s, &r, "flows of different captures", 0, pairs);
	bad |= measure(&s, &r, "polled control server x unrelated flows", 1, pairs);
	int none = s.n_capture == 0;
	set_free(&s);
	return none ? SKIP : bad;
}
