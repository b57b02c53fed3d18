/* The laboratory's captures, recorded point by point, with what the truth says of sessions. */
#ifndef WEIR_TESTS_RECOG_LAB_H
#define WEIR_TESTS_RECOG_LAB_H

#include "record/store.h"

struct lab_point {
	char run[32], name[16];
	struct recording rec;
	int *session; /* of each flow: the same number where flows are legs or copies of one session */
};

struct lab {
	struct lab_point *point;
	size_t n;
	char dir[64]; /* temporary */
	void *names;
};

/* Records every *.pcap.zst below `set` (a folder of runs); only those of run `only` where it is not NULL.
 * Ends the program where it cannot. */
void lab_load(struct lab *l, const char *set, const char *only);
void lab_free(struct lab *l);

/* One connection at two points: the same ends, alive together.  NULL where there is none. */
const struct flow *lab_same(const struct lab_point *p, const struct flow *f);

/* The session of a flow of p's recording. */
int lab_session(const struct lab_point *p, const struct flow *f);

#endif
