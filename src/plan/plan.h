/* A plan: options on the front of attack stopped against collateral, for one case.
 *
 * An option is a set of actions; an action is a rule at a place.  Options are numbered from 1 in the order in
 * which they are shown (by collateral, then by what they stop); one is marked.  A plan has one canonical text
 * (plan_write()), which the ledger names by SHA-256 and which an order refers to: nobody can enforce more
 * than the plan that was shown. */
#ifndef WEIR_PLAN_PLAN_H
#define WEIR_PLAN_PLAN_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "plan/rule.h"

#define PLAN_OPTIONS  64
#define PLAN_ACTIONS  20000     /* of one option */
#define PLAN_BYTES    (8 << 20) /* of a plan's text */
#define PLAN_WAYS     16
#define PLAN_REFUSING 4096 /* words of --unwilling */
#define PLAN_TEXT_MAX 400  /* bytes of any free text in a plan (place, missing, way, why) */

struct action {
	struct rule rule;
	const char *place; /* "": here; else whose help it needs: a partner's name, or a network
			      "203.0.113.0/24" */
};

/* Whether others stand behind the addresses that an option hits.  Unknown counts as shared. */
enum shared { SHARED_NO, SHARED_YES, SHARED_UNKNOWN };

/* What an option hits besides the attack, in the recording's last hours (struct plan: window_us). */
struct bystanders {
	uint64_t flows, peers, bytes; /* peers: distinct addresses at the far end of those flows */
	uint64_t own;                 /* own hosts that lose something */
	enum shared shared;
};

struct option {
	uint32_t k;
	bool marked;
	struct action *action;
	size_t n_action;
	double stops;       /* share of this case's recorded attack, 0..1 */
	double stops_all;   /* share of the attack of all open cases that end in the same network */
	double stops_bytes; /* share of this case's attack bytes */
	struct bystanders hit;
	uint64_t collateral; /* what the front counts: hit.flows, and one more for each shared or unknown
				address */
	const char *cost_us, *cost_partner, *cost_bystanders; /* one line each */
	const char **needs; /* whose help, each once, sorted; n_needs 0: it can be done here alone */
	size_t n_needs;
	int64_t for_us; /* how long */
	bool sufficient;
	const char *missing;    /* "" where sufficient */
	double log10_e, needed; /* the weakest link that it rests on, less log10 M, and log10(1/alpha) of its
				   width; 0 and 0: it rests on no link */
	const char **way;       /* by which the attacker can come back, as seen; n_way 0: unknown */
	size_t n_way;
};

struct plan {
	struct id case_id;
	struct wall made;
	struct id evidence; /* case_evidence(): what it rests on */
	const char *ends;   /* the network that the case's chains end in, "203.0.113.0/24"; "" for none */
	uint32_t cases;     /* open cases that end there, this one included */
	uint64_t attacks, attacks_all; /* attack flows of this case; of all of them */
	int64_t window_us;             /* of the recording that collateral was counted in */
	struct wall from, to;          /* its ends; from > to: nothing is recorded */
	uint64_t erased;        /* flows of it that were erased, and count as bystanders of every option */
	const char **unwilling; /* whose help was not to be counted on, as it was given */
	size_t n_unwilling;
	bool exact; /* the front is exact; else each option stops at most `gap` less than the best of its
		       collateral */
	double gap;
	struct option *option;
	size_t n_option;
	char sha256[65]; /* of the text that it was read from, hex; "" for one that was not read */
};

/* May it stand in a text?  STATUS_BAD names option and field: a number out of its bounds (shares are 0..1,
 * reals finite, times of 1970 to 2199), a text that is not one line of plain UTF-8 or is too long, options
 * not numbered 1.., more than one marked, needs that are not sorted, a rule that is none. */
enum status plan_valid(const struct plan *p, struct err *e);
/* The canonical text, "weir-plan/v1".  Floats are written with the digits that give them back.  to->failed
 * also where the plan is not valid, or its text longer than PLAN_BYTES. */
void plan_write(struct buf *to, const struct plan *p);
/* From its text; fills in sha256.  STATUS_BAD names line and field; what plan_write() would not write is
 * refused.  Texts are in the arena, and as they came: printable() before a terminal sees them. */
enum status plan_read(struct plan *to, const void *text, size_t n, struct arena *a, struct err *e);
/* By number; NULL: none. */
const struct option *plan_option(const struct plan *p, uint32_t k);

#endif
