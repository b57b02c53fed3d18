/* What one of our flows is to the claimed one.  Takes their heads and how their trains lie on each other,
 * gives a ruling with its reason.
 *
 * "Confirmed" asks for agreement in nearly all stretches and for evidence that this is no chance.
 * "Contradicted" asks for the same connection, known by what is not in dispute, and for a share of stretches
 * that losses do not explain.
 *
 * Two things have the claimed train and are not the claimed flow.  The other leg of a relay that only copies:
 * so under other addresses it takes the same initial sequence numbers, or, where they are not known, one end
 * that is the same in its role and evidence from each direction alone.  And the same program run again, at
 * another time: so where the sequence numbers do not speak for it, a flow of other ends or other numbers is
 * taken for the claimed one only if the clocks need not be far apart for that. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/recognise_in.h"

#define SAME_SHARE    0.6  /* of the stretches have the same bytes in a confirmed flow, */
#define LOST_SHARE    0.25 /* so many may be short of packets, and so many only nearly the same, */
#define MOST_SHARE    0.5  /* of the bursts, bytes and time of either side lie in stretches that agree */
#define COVERED       0.9  /* of the claim was compared */
#define BAD_SHARE     0.04 /* so many may have others, and from .. */
#define BAD_ONE       12   /* .. so many stretches on one more */
#define LOSS          0.05 /* of the packets, or bytes, that a capture may have lost */
#define LIE_STRETCHES 10   /* that a contradiction takes at least */
#define LIE_SHARE     0.06 /* lower limit of the share that differs */
#define LIE_Z         2.33 /* one-sided 99 % */
#define CLOCK_NEAR_US (2 * SECOND_US) /* clocks that somebody sets are this close */
#define DIGITS_A_ITEM 1.2             /* that a stretch gives where sizes and pauses are rich */

static bool number_known(const struct flow *f, int d)
{
	return f->head.proto == PROTO_TCP && f->head.isn[d] != 0 &&
	       (f->head.flags & (d ? FLOW_SYNACK : FLOW_SYN)) != 0;
}

static bool hidden(const struct flow *f, int k)
{
	return f->head.end[k].port == 0 && (f->head.proto == PROTO_TCP || f->head.proto == PROTO_UDP);
}

/* Compares the numbers, with b's direction d ^ turned for a's d. */
static void numbers(struct kinship *s, const struct flow *a, const struct flow *b, int turned, int *equal)
{
	*equal = 0;
	for (int d = 0; d < 2; d++) {
		if (!number_known(a, d) || !number_known(b, d ^ turned))
			continue;
		bool same = a->head.isn[d] == b->head.isn[d ^ turned];
		*equal += same;
		s->other_number = s->other_number || !same;
	}
	s->numbers = *equal == 2;
}

struct kinship kinship_of(const struct flow *claimed, const struct flow *ours)
{
	struct kinship s = {.kin = KIN_NONE};
	const struct endpoint *x = claimed->head.end, *y = ours->head.end;
	bool straight[2] = {endpoint_equal(&x[0], &y[0]), endpoint_equal(&x[1], &y[1])};
	bool cross[2] = {endpoint_equal(&x[0], &y[1]), endpoint_equal(&x[1], &y[0])};
	bool turned = !straight[0] && !straight[1] && (cross[0] || cross[1]);
	const bool *same = turned ? cross : straight;
	int equal;

	if (claimed->head.proto != ours->head.proto)
		return s;
	numbers(&s, claimed, ours, turned, &equal);
	s.translated = (!same[0] && !hidden(claimed, 0)) || (!same[1] && !hidden(claimed, 1));
	if (same[0] && same[1])
		s.kin = KIN_TUPLE;
	else if (equal > 0 && !s.other_number)
		s.kin = KIN_NUMBERS;
	else if ((same[0] || same[1]) && !s.other_number)
		s.kin = KIN_END;
	return s;
}

double recognise_needed(double alpha, size_t m, const struct kinship *ship)
{
	return -log10(alpha) + (m > 1 && !ship->numbers ? log10((double)m) : 0);
}

/* Lower limit of a share (Wilson). */
static double share_low(size_t hits, size_t of)
{
	double n = (double)of, p = (double)hits / n, z2 = LIE_Z * LIE_Z;

	return (p + z2 / (2 * n) - LIE_Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
}

static size_t shown(const struct alike *k)
{
	return k->compared - k->absent;
}

static double share_of(uint64_t lacks, uint64_t of)
{
	return of ? (double)lacks / (double)of : 0;
}

/* What one side (0: claimed, 1: ours) is short of, beside what the other one has: by packets and by bytes. */
static void lost(const struct alike *k, int side, double share[2])
{
	share[0] = share_of(k->lacks[side], k->packets[!side]);
	share[1] = share_of(k->lacks_bytes[side], k->bytes[!side]);
}

/* Stretches that no loss of this capture explains. */
static size_t bad(const struct alike *k)
{
	double share[2];

	lost(k, 1, share);
	return k->other + (fmin(share[0], share[1]) > LOSS ? k->more : 0);
}

/* What agrees is most of it by every measure, not by the number of stretches alone. */
static bool mostly(const struct alike *k)
{
	return k->agreed[0] >= MOST_SHARE && k->agreed[1] >= MOST_SHARE && k->agreed[2] >= MOST_SHARE;
}

/* Nearly the same train: what differs is what captures lose. */
static bool agrees(const struct alike *k)
{
	double n = (double)shown(k), spare = shown(k) >= BAD_ONE ? 1 : 0, mine[2], theirs[2];

	lost(k, 0, theirs);
	lost(k, 1, mine);
	return shown(k) > 0 && (double)k->equal >= SAME_SHARE * n && mostly(k) &&
	       (double)(k->less + k->more) <= LOST_SHARE * n && (double)k->close <= LOST_SHARE * n &&
	       (double)(k->other + k->beyond) <= BAD_SHARE * n + spare &&
	       (double)k->near_bytes <= LOSS * (double)k->bytes[1] && fmin(mine[0], mine[1]) <= LOSS &&
	       fmin(theirs[0], theirs[1]) <= LOSS;
}

/* The evidence that counts. */
static double have(const struct kinship *ship, const struct alike *k)
{
	return ship->kin == KIN_END ? fmin(k->way_log10_e[0], k->way_log10_e[1]) : k->log10_e;
}

/* Could it be the same program run again, as far as the heads tell? */
static bool rerun(const struct kinship *ship, const struct alike *k)
{
	bool open = ship->kin == KIN_END || ship->other_number;

	return open && llabs(k->clock.offset_us) > CLOCK_NEAR_US;
}

static bool suffices(const struct kinship *ship, const struct alike *k, double needed)
{
	return have(ship, k) >= needed && k->covered >= COVERED && !rerun(ship, k);
}

static bool contradicts(const struct kinship *ship, const struct alike *k, double needed)
{
	bool identified = ship->numbers || (k->log10_e >= needed && !ship->other_number);

	return ship->kin == KIN_TUPLE && identified && k->step_us == 0 && shown(k) >= LIE_STRETCHES &&
	       share_low(bad(k), shown(k)) >= LIE_SHARE;
}

static bool sampled(const struct flow *f)
{
	return f->head.source.sampling > 1 || f->head.source.kind == SOURCE_FLOW_RECORDS;
}

/* Why the trains cannot be compared at all; NULL where they can. */
static const char *incomparable(const struct flow *claimed, const struct flow *ours, const struct alike *k)
{
	if (sampled(claimed))
		return "the claimed train is sampled or made of flow records";
	if (sampled(ours))
		return "this recording is sampled or made of flow records";
	if (k->ways == 0)
		return "no direction in which both recordings saw payload";
	if (shown(k) == 0)
		return "there is no stretch between two pauses that both recorders saw whole";
	return NULL;
}

static void confirm_why(struct finding *to, const struct alike *k)
{
	int64_t ms = (k->clock.offset_us + 500) / 1000;

	to->ruling = RULED_CONFIRMED;
	(void)snprintf(to->why, sizeof(to->why),
		"%zu of %zu stretches have the same bytes%s; this clock is %+.3f s off the claim's; "
		"1 in 10^%.0f by chance",
		k->equal, shown(k), k->absent ? ", where the claim has any" : "", (double)ms / 1000,
		floor(k->log10_e));
}

static void contradict_why(struct finding *to, const struct alike *k)
{
	char at[WALL_TEXT];

	to->ruling = RULED_CONTRADICTED;
	(void)snprintf(to->why, sizeof(to->why),
		"of %zu stretches %zu have other bytes or are not here at all; the first at %s of the claim",
		shown(k), bad(k), wall_text(at, (struct wall){k->first_other_us}));
}

static void step_why(struct finding *to, const struct alike *k)
{
	char at[WALL_TEXT];

	(void)snprintf(to->why, sizeof(to->why),
		"from %s on the claim's times are %.3f s off those before: its clock was set, or it was "
		"changed",
		wall_text(at, (struct wall){k->step_at_us}), (double)k->step_us / (double)SECOND_US);
}

/* It may be the claimed flow: what keeps from saying so. */
static void open_why(struct finding *to, const struct kinship *ship, const struct alike *k, double needed)
{
	double short_of = needed - have(ship, k);

	to->ruling = RULED_OPEN;
	if (!agrees(k) && k->log10_e < needed && !k->step_us)
		(void)snprintf(to->why, sizeof(to->why),
			"between these ends there was traffic, but nothing lays the claimed train on it: "
			"%zu of %zu stretches have the same bytes",
			k->equal, shown(k));
	else if (k->step_us)
		step_why(to, k);
	else if (k->beyond)
		(void)snprintf(to->why, sizeof(to->why),
			"%zu of %zu stretches have the same bytes, but in %zu the claim goes on where this "
			"point saw nothing of it",
			k->equal, shown(k), k->beyond);
	else if (!agrees(k))
		(void)snprintf(to->why, sizeof(to->why),
			"%zu of %zu stretches have the same bytes, %zu others: too few for the same train, "
			"too many for another one",
			k->equal, shown(k), bad(k));
	else if (k->covered < COVERED)
		(void)snprintf(to->why, sizeof(to->why),
			"%zu of %zu stretches have the same bytes, but too much of the claim is nowhere to "
			"be compared",
			k->equal, shown(k));
	else if (short_of > 0)
		(void)snprintf(to->why, sizeof(to->why),
			"%zu of %zu stretches have the same bytes, but sizes and pauses tell too little "
			"(10^%.1f "
			"of 10^%.1f): some %.0f stretches more would do",
			k->equal, shown(k), have(ship, k), needed, ceil(short_of / DIGITS_A_ITEM));
	else
		(void)snprintf(to->why, sizeof(to->why),
			"the same train on another connection, if the clocks are %.1f s apart: "
			"the same program may have run again",
			(double)k->clock.offset_us / (double)SECOND_US);
}

/* Another flow than the claimed one, as far as can be seen. */
static bool is_apart(const struct kinship *ship, const struct alike *k, double needed)
{
	if (ship->kin == KIN_TUPLE)
		return ship->other_number && (!agrees(k) || k->log10_e < needed);
	if (ship->kin == KIN_NUMBERS)
		return false;
	return !agrees(k) && k->log10_e < needed;
}

/* How much of the claim that is about. */
static void say_compared(struct finding *to, const struct alike *k)
{
	size_t n = strlen(to->why);

	(void)snprintf(to->why + n, sizeof(to->why) - n, "; compared %.1f of %.1f s of the claim",
		(double)k->within_us / (double)SECOND_US, (double)k->claimed_us / (double)SECOND_US);
}

void recognise_judge(const struct flow *claimed, const struct candidate_flow *c, const struct alike *k,
	double needed, struct finding *to)
{
	const char *never = incomparable(claimed, c->flow, k);

	if (never) {
		to->ruling = c->ship.kin == KIN_END ? RULED_APART : RULED_OPEN;
		(void)snprintf(to->why, sizeof(to->why), "%s", never);
	} else if (agrees(k) && suffices(&c->ship, k, needed)) {
		confirm_why(to, k);
	} else if (contradicts(&c->ship, k, needed)) {
		contradict_why(to, k);
	} else if (is_apart(&c->ship, k, needed)) {
		to->ruling = RULED_APART;
		(void)snprintf(to->why, sizeof(to->why), "another connection");
	} else {
		open_why(to, &c->ship, k, needed);
	}
	if (!never && to->ruling != RULED_APART)
		say_compared(to, k);
}
