/* See recog_scene.h. */
#include "recog_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct rng rng;

void scene_seed(void)
{
	const char *given = getenv("WEIR_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	(void)printf("# seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
}

void ends(struct flow *f, const char *a, const char *b)
{
	assert_true(endpoint_parse(&f->head.end[0], a));
	assert_true(endpoint_parse(&f->head.end[1], b));
}

void scene_begin(struct scene *s, size_t keys)
{
	*s = (struct scene){.n = 1};
	keys_flow(&s->claim, &rng, keys, T0);
	ends(&s->claim, "203.0.113.10:40000", "192.0.2.10:22");
	for (size_t i = 0; i < s->claim.n_burst[1]; i++)
		if (rng_unit(&rng) < 0.1)
			s->claim.burst[1][i].bytes += 4 * (rng_next(&rng) % 400);
	flow_copy(&s->ours[0], &s->claim);
	s->ours[0].head.point = "here";
	s->cover = (struct coverage){.point = "here",
		.span = {s->claim.head.first_us - 3600 * SECOND_US, s->claim.last_us + 3600 * SECOND_US}};
}

enum seen_here scene_ask(struct scene *s)
{
	struct err e = {0};

	arena_free(&s->rec.arena);
	s->rec = (struct recording){
		.flow = s->ours, .n_flow = s->n, .coverage = &s->cover, .n_coverage = s->cover.point != NULL};
	assert_int_equal(recognise_in(&s->rec, 1e-6, &s->claim, &s->r, &e), STATUS_OK);
	assert_true(strlen(s->r.why) > 0 && strlen(s->r.why) < sizeof(s->r.why));
	return s->r.seen;
}

void scene_end(struct scene *s)
{
	arena_free(&s->rec.arena);
	flow_drop(&s->claim);
	for (size_t i = 0; i < s->n; i++)
		flow_drop(&s->ours[i]);
}

void change(struct flow *f, int64_t offset, double drift, int64_t jitter, double lose)
{
	struct packets p;
	struct flow was = *f;

	packets_of(&p, &was);
	packets_clock(&p, offset, drift);
	packets_jitter(&p, &rng, jitter);
	packets_lose(&p, &rng, lose);
	packets_flow(f, &p, &was, was.head.source.gap_us);
	packets_free(&p);
	flow_drop(&was);
}

void forget_numbers(struct flow *f)
{
	f->head.flags = FLOW_ASSUMED;
}
