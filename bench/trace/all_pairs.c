/* Every pair of in-leg and out-leg of a recording, without a candidate search: what `weir scan` is held
 * against.
 *
 *   trace_all_pairs DIR weir NEEDED RANDOM [TRUTH]     the link test on each pair
 *   trace_all_pairs DIR bins NULLS RANDOM TRUTH        plain cross-correlation, the threshold from NULLS
 * pairs
 *
 * In-legs are the flows that a host of 198.18.0.0/15 answered, out-legs those it opened.  RANDOM 0: all
 * pairs; else so many random ones, and the pairs of TRUTH (make_net.c) besides.  weir: NEEDED is the log10 e
 * that scan charged; each proven pair is a line: in, out, log10 e.  The last line says pairs, CPU seconds and
 * what was found, as JSON.
 *
 * The cross-correlation is that of the published detectors' features: packets in bins of 30 ms of both
 * forward trains, Pearson's coefficient at every lag from 0 to 2 s, the largest counts.  Few bins hold
 * anything, so only those are gone through. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/store.h"
#include "trace/relink.h"

#define THREADS 2
#define BIN_US  30000
#define LAGS    67 /* of 30 ms: 2 s */
#define FALSE   1e-3
#define OWN     0xc6120000U

/* What of a train is in bins: the bins that hold something, and the sums of all. */
struct binned {
	int64_t *bin;
	double *count;
	size_t n;
	double sum, squares;
};

struct pair {
	uint32_t in, out;
	bool planted;
};

struct job {
	bool bins;
	struct recording rec;
	const struct flow **in, **out;
	size_t n_in, n_out;
	struct binned *bin_in, *bin_out;
	double all_bins;
	struct pair *pair; /* NULL: all */
	size_t n_pair, done;
	pthread_mutex_t lock;
	double needed, threshold;
	double *score; /* of each pair of a list */
	uint64_t found, found_planted;
	bool failed;
};

static uint64_t state = 7;

static uint64_t draw(uint64_t n) /* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static double cpu_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool is_own(const struct ip *ip)
{
	static const uint8_t net[4] = {OWN >> 24, OWN >> 16 & 0xff, 0, 0};
	struct ip n = ip_v4(net);
	struct prefix p = {n, 15};

	return prefix_has(&p, ip);
}

static bool legs_find(struct job *j)
{
	struct arena *a = &j->rec.arena;

	j->in = arena_array(a, j->rec.n_flow + 1, sizeof(const struct flow *));
	j->out = arena_array(a, j->rec.n_flow + 1, sizeof(const struct flow *));
	for (size_t i = 0; j->in && j->out && i < j->rec.n_flow; i++) {
		const struct flow *f = &j->rec.flow[i];
		if (is_own(&f->head.end[1].ip))
			j->in[j->n_in++] = f;
		else if (is_own(&f->head.end[0].ip))
			j->out[j->n_out++] = f;
	}
	return j->in && j->out;
}

static int64_t packets_add(struct binned *b, const struct burst *u, int64_t last)
{
	int64_t bin = u->start_us / BIN_US;

	if (bin != last)
		b->bin[b->n++] = bin;
	b->count[b->n - 1] += u->packets;
	return bin;
}

static bool bin_one(struct binned *b, const struct flow *f)
{
	int64_t last = -1;

	*b = (struct binned){.bin = calloc(f->n_burst[0] + 1, sizeof(*b->bin)),
		.count = calloc(f->n_burst[0] + 1, sizeof(*b->count))};
	for (size_t i = 0; b->bin && b->count && i < f->n_burst[0]; i++)
		last = packets_add(b, &f->burst[0][i], last);
	for (size_t i = 0; b->count && i < b->n; i++) {
		b->sum += b->count[i];
		b->squares += b->count[i] * b->count[i];
	}
	return b->bin && b->count;
}

static bool bin_all(struct job *j)
{
	int64_t from = INT64_MAX, to = INT64_MIN;
	bool ok = true;

	j->bin_in = calloc(j->n_in + 1, sizeof(*j->bin_in));
	j->bin_out = calloc(j->n_out + 1, sizeof(*j->bin_out));
	for (size_t i = 0; j->bin_in && ok && i < j->n_in; i++)
		ok = bin_one(&j->bin_in[i], j->in[i]);
	for (size_t i = 0; j->bin_out && ok && i < j->n_out; i++)
		ok = bin_one(&j->bin_out[i], j->out[i]);
	for (size_t i = 0; i < j->rec.n_flow; i++) {
		const struct flow *f = &j->rec.flow[i];
		from = f->head.first_us < from ? f->head.first_us : from;
		to = f->last_us > to ? f->last_us : to;
	}
	j->all_bins = (double)((to - from) / BIN_US + 1);
	return j->bin_in && j->bin_out && ok;
}

/* The largest of Pearson's coefficients over the lags. */
static double correlate(const struct binned *a, const struct binned *b, double bins)
{
	double sum[LAGS] = {0}, most = 0;
	double va = a->squares - a->sum * a->sum / bins, vb = b->squares - b->sum * b->sum / bins;
	size_t from = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (from < b->n && b->bin[from] < a->bin[i])
			from++;
		for (size_t k = from; k < b->n && b->bin[k] - a->bin[i] < LAGS; k++)
			sum[b->bin[k] - a->bin[i]] += a->count[i] * b->count[k];
	}
	for (int l = 0; l < LAGS; l++)
		most = sum[l] > most ? sum[l] : most;
	return va > 0 && vb > 0 ? (most - a->sum * b->sum / bins) / sqrt(va * vb) : 0;
}

static void found_one(struct job *j, const struct pair *p, double e)
{
	char in[FLOW_TEXT], out[FLOW_TEXT];

	(void)pthread_mutex_lock(&j->lock);
	j->found++;
	j->found_planted += p->planted;
	if (!j->bins)
		printf("%s\t%s\t%.9f\n", flow_text(in, &j->in[p->in]->head),
			flow_text(out, &j->out[p->out]->head), e);
	(void)pthread_mutex_unlock(&j->lock);
}

static enum status weigh(struct job *j, struct relink_room *room, const struct pair *p, size_t at)
{
	struct err e = {0};
	struct link_result r;
	struct relink q = {.in = j->in[p->in], .out = j->out[p->out], .needed = j->needed};

	if (j->bins) {
		double c = correlate(&j->bin_in[p->in], &j->bin_out[p->out], j->all_bins);
		if (j->score)
			j->score[at] = c;
		else if (c > j->threshold)
			found_one(j, p, c);
		return STATUS_OK;
	}
	enum status s = relink_test(room, &q, &r, &e);
	if (s == STATUS_OK && r.verdict == LINK_PROVEN)
		found_one(j, p, r.max_log10_e);
	return s;
}

/* Pairs in pieces, as threads are free. */
static void *work(void *arg)
{
	struct job *j = arg;
	struct relink_room room = {0};
	enum { PIECE = 256 };

	for (;;) {
		size_t from = __atomic_fetch_add(&j->done, PIECE, __ATOMIC_RELAXED);
		if (from >= j->n_pair)
			break;
		for (size_t i = from; i < from + PIECE && i < j->n_pair; i++) {
			struct pair p = {(uint32_t)(i / j->n_out), (uint32_t)(i % j->n_out), false};
			if (weigh(j, &room, j->pair ? &j->pair[i] : &p, i) != STATUS_OK)
				j->failed = true;
		}
	}
	relink_free(&room);
	return NULL;
}

/* CPU seconds. */
static double run(struct job *j)
{
	pthread_t t[THREADS];
	int n = 0;
	double from = cpu_seconds();

	j->done = 0;
	while (n < THREADS && pthread_create(&t[n], NULL, work, j) == 0)
		n++;
	if (n == 0)
		(void)work(j);
	while (n > 0)
		(void)pthread_join(t[--n], NULL);
	return cpu_seconds() - from;
}

static size_t leg_named(const struct flow **leg, size_t n, const char *name)
{
	char text[FLOW_TEXT];
	size_t i = 0;

	while (i < n && strcmp(flow_text(text, &leg[i]->head), name) != 0)
		i++;
	return i;
}

/* The pairs of the truth, behind those that are there. */
static size_t planted_read(struct job *j, const char *path, struct pair *to, size_t most)
{
	char line[4 * FLOW_TEXT];
	size_t n = 0;
	FILE *f = fopen(path, "r");

	while (f && n < most && fgets(line, sizeof(line), f)) {
		char *in = strchr(line, '\t'), *out = in ? strchr(in + 1, '\t') : NULL;
		if (!out)
			continue;
		*out++ = '\0';
		out[strcspn(out, "\n")] = '\0';
		size_t i = leg_named(j->in, j->n_in, in + 1), k = leg_named(j->out, j->n_out, out);
		if (i < j->n_in && k < j->n_out)
			to[n++] = (struct pair){(uint32_t)i, (uint32_t)k, true};
	}
	if (f)
		(void)fclose(f);
	return n;
}

static bool is_planted(const struct pair *planted, size_t n, const struct pair *p)
{
	for (size_t i = 0; i < n; i++)
		if (planted[i].in == p->in && planted[i].out == p->out)
			return true;
	return false;
}

/* Random pairs that are not planted. */
static void pairs_draw(
	const struct job *j, struct pair *to, size_t n, const struct pair *planted, size_t n_planted)
{
	for (size_t i = 0; i < n;) {
		struct pair p = {(uint32_t)draw(j->n_in), (uint32_t)draw(j->n_out), false};
		if (!is_planted(planted, n_planted, &p))
			to[i++] = p;
	}
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a < b) - (a > b);
}

/* Above which FALSE of the pairs are. */
static bool threshold_find(struct job *j, struct pair *null, size_t n)
{
	j->score = calloc(n + 1, sizeof(*j->score));
	if (!j->score)
		return false;
	j->pair = null;
	j->n_pair = n;
	(void)run(j);
	qsort(j->score, n, sizeof(*j->score), by_value);
	j->threshold = j->score[(size_t)((double)n * FALSE)];
	free(j->score);
	j->score = NULL;
	return true;
}

static void told(const struct job *j, double cpu, double planted)
{
	printf("{\"pairs\":%zu,\"cpu\":%.3f,\"found\":%llu,\"planted\":%.0f,\"found_planted\":%llu,"
	       "\"threshold\":%.6f}\n",
		j->n_pair, cpu, (unsigned long long)j->found, planted, (unsigned long long)j->found_planted,
		j->threshold);
}

static bool pairs_run(struct job *j, size_t nulls, size_t random, const char *truth)
{
	enum { PLANTED_MOST = 10000 };
	struct pair *planted = calloc(PLANTED_MOST, sizeof(*planted));
	struct pair *list = calloc(random + nulls + PLANTED_MOST + 1, sizeof(*list));
	bool ok = planted && list && j->n_in > 0 && j->n_out > 0;
	size_t n = ok && truth ? planted_read(j, truth, planted, PLANTED_MOST) : 0;

	if (ok && j->bins) {
		pairs_draw(j, list, nulls, planted, n);
		ok = bin_all(j) && threshold_find(j, list, nulls);
	}
	if (ok && random > 0) {
		pairs_draw(j, list, random, planted, n);
		memcpy(list + random, planted, n * sizeof(*list));
		j->pair = list;
		j->n_pair = random + n;
		told(j, run(j), (double)n);
	} else if (ok) {
		j->pair = NULL;
		j->n_pair = j->n_in * j->n_out;
		told(j, run(j), (double)n);
	}
	free(planted);
	free(list);
	return ok && !j->failed;
}

int main(int argc, char **argv)
{
	struct job j = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct store_query q = {
		.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = BURST_GAP_RECORDED_US};
	struct err e = {0};

	if (argc < 5)
		return 2;
	j.bins = strcmp(argv[2], "bins") == 0;
	j.needed = strtod(argv[3], NULL);
	enum status s = recording_read(&j.rec, &world_real, argv[1], &q, &e);
	if (s == STATUS_OK && legs_find(&j) &&
		!pairs_run(&j, j.bins ? (size_t)j.needed : 0, strtoul(argv[4], NULL, 10),
			argc > 5 ? argv[5] : NULL))
		s = STATUS_MACHINE;
	if (s != STATUS_OK)
		(void)fprintf(stderr, "%s\n", e.text);
	recording_free(&j.rec);
	return (int)s;
}
