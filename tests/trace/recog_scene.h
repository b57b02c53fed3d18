/* A scene for the tests of recognition: a victim's recording of a typed session, and a doubter's. */
#ifndef WEIR_TESTS_RECOG_SCENE_H
#define WEIR_TESTS_RECOG_SCENE_H

#include "recog_gen.h"
#include "trace/recognise_in.h"

#define T0 INT64_C(1795000000000000)

extern struct rng rng;

/* A victim's recording of a typed session and a doubter's of the same. */
struct scene {
	struct flow claim, ours[8];
	size_t n;
	struct coverage cover;
	struct recording rec;
	struct recognised r;
};

/* Seeds the random numbers from WEIR_SEED, else from the time, and prints the seed. */
void scene_seed(void);

void scene_begin(struct scene *s, size_t keys);
enum seen_here scene_ask(struct scene *s);
void scene_end(struct scene *s);

void ends(struct flow *f, const char *a, const char *b);
/* The flow on another clock, jittered, with losses. */
void change(struct flow *f, int64_t offset, double drift, int64_t jitter, double lose);
void forget_numbers(struct flow *f);

#endif
