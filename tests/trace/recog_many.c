/* recog_many DIR CLAIMS [FAR]: many claims looked for in one recording, as a bundle may bring them; prints
 * the answers, the processor time and the most memory that it took (doc/recognise.md).
 *
 * Each claim is a session of keys at another port of 198.51.100.7, between it and 203.0.113.10:22, or at a
 * server of its own of those that make_recording has; its life is 221 years.  FAR: a claim begins so many
 * seconds after the one before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "recog_gen.h"
#include "trace/recognise.h"
#include "trace/trace.h"

#define T0 INT64_C(1795000000000000)

static void claim_make(struct flow *f, struct rng *r, int i, int64_t far)
{
	keys_flow(f, r, i % 4 ? 5 : 300, T0 + 1800 * SECOND_US + i * far * SECOND_US);
	f->head.end[0] = (struct endpoint){ip_v4((const uint8_t[4]){198, 51, 100, 7}), (uint16_t)(20000 + i)};
	f->head.end[1] = (struct endpoint){ip_v4((const uint8_t[4]){203, 0, 113, 10}), 22};
	if (i % 2)
		f->head.end[1].ip = ip_v4((const uint8_t[4]){198, 19, 0, (uint8_t)i});
	f->head.flags = FLOW_ASSUMED; /* no number tells it from others at its server */
	f->head.first_us = 1000000;
	f->last_us = INT64_C(7000000000) * SECOND_US;
}

int main(int argc, char **argv)
{
	int64_t far = argc > 3 ? strtoll(argv[3], NULL, 10) : 0;
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
	static const struct config cfg = {.clock_skew_us = SECOND_US};
	struct tracer *t = NULL;
	struct err e = {0};
	struct rng rng;
	struct rusage use;
	long seen[4] = {0};
	size_t searched = 0;

	if (n < 1 || tracer_open(&t, &world_real, argv[1], &cfg, 1e-6, &e) != STATUS_OK)
		return 2;
	rng_seed(&rng, 1);
	for (int i = 0; i < n; i++) {
		struct flow f;
		struct recognised r;
		claim_make(&f, &rng, i, far);
		if (recognise(t, &f, &r, &e) != STATUS_OK) {
			(void)fprintf(stderr, "%s\n", e.text);
			return 3;
		}
		seen[r.seen]++;
		searched += r.searched;
		flow_drop(&f);
	}
	tracer_close(t);
	(void)getrusage(RUSAGE_SELF, &use);
	printf("%d claims, %zu flows compared; confirmed %ld, not seen %ld, contradicted %ld, cannot tell "
	       "%ld; "
	       "%.1f s, %ld MB\n",
		n, searched, seen[SEEN_CONFIRMED], seen[SEEN_NOT], seen[SEEN_CONTRADICTED],
		seen[SEEN_CANNOT_TELL], (double)clock() / CLOCKS_PER_SEC, use.ru_maxrss / 1024);
	return 0;
}
