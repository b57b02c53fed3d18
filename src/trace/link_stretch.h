/* Stretches: a train read in pieces of bursts close to each other, beside what another train brought
 * meanwhile; and how long a relay's copy of that would be. */
#ifndef WEIR_TRACE_LINK_STRETCH_H
#define WEIR_TRACE_LINK_STRETCH_H

#include "trace/link_bet.h"

#define STRETCH_GAP_US 400000                       /* the pause that ends a stretch */
#define STRETCH_PAST   64                           /* stretches that are remembered */
#define STRETCH_BLOCK  8                            /* sizes of so many stretches are given */
#define STRETCH_LEAST  (BET_SAFETY / STRETCH_BLOCK) /* no price is lower: a size is among those given */
#define TOLERANCES     3                            /* of what counts as equal, from narrow to wide */

/* Two trains as recorded; each is its offset behind the common clock (one of them is 0). */
struct sized_pair {
	const struct link_train *a, *b;
	int64_t offset_a_us, offset_b_us;
	const struct blinds *blind;
};

/* Bursts of B less than STRETCH_GAP_US apart. */
struct stretch {
	int64_t start, end, bytes, packets;
	int64_t brought, brought_packets; /* by A since the last one's end */
	int blind; /* a blind interval lies between the last one's end and this one's */
};

struct stretch_reader {
	const struct sized_pair *pair;
	size_t at, other_at, blind_at;
	int64_t last, end; /* the latest start seen, for clocks that stepped back; the last end */
};

void stretch_open(struct stretch_reader *r, const struct sized_pair *p);

/* B's next stretch; 0 at the end. */
int stretch_read(struct stretch_reader *r, struct stretch *s);

#define FRAMINGS 16 /* of so many stretches the median framing is taken */

/* What B's copies are longer than what A brought, in bytes a packet of A's. */
struct framing {
	int64_t learned[FRAMINGS], sorted[FRAMINGS];
	size_t n;
};

void framing_init(struct framing *f);
void framing_learn(struct framing *f, const struct stretch *s);

/* The bytes that s would have as a copy of what A brought. */
int64_t framing_expect(const struct framing *f, const struct stretch *s);

/* Half width of what counts as equal. */
int64_t tolerance_of(int i, int64_t expected);

#endif
