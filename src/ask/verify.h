/* Is a bundle what it says?  By the file alone, and the keys that one was told to trust: whose it is, for
 * whom and until when; that each claim stood in the sender's log; and each link computed again from its
 * trains.
 *
 * Nothing here reads a recording: for that see here.h. */
#ifndef WEIR_ASK_VERIFY_H
#define WEIR_ASK_VERIFY_H

#include "ask/bundle.h"
#include "ask/statement.h"
#include "ledger/proof.h"

/* What the reader brings. */
struct trust {
	const struct vkey *key; /* of operators (and of logs) that are trusted */
	size_t n_key;
	const struct policy *policy; /* NULL: the log that the signed manifest names, and no witness */
	const char *self;            /* own operator name; NULL: the recipient is not looked at */
	const struct id *seen;       /* sorted ids of bundles that came before */
	size_t n_seen;
	struct wall now;
	double alpha; /* the reader's own: a link that is proven at a laxer one is not proven to him */
};

#define TRUST_KEYS      256               /* keys that a reader may trust */
#define VERIFY_AHEAD_US (600 * SECOND_US) /* a sender's clock may be ahead by this much */
/* A bundle with more to compute is no honest case: bursts of the trains that its claims name, each claim's
 * counted; and those of links times the offsets that are tried of their clocks (trace/link.h). */
#define VERIFY_BURSTS 4000000
#define VERIFY_WORK   40000000

enum claim_state {
	CLAIM_RECOMPUTED,   /* a link, computed again to the same number, and sufficient for the reader */
	CLAIM_INSUFFICIENT, /* the same number, but not sufficient for the reader, or never said to be */
	CLAIM_DIFFERS,      /* not what its own trains say, or they do not fit it */
	CLAIM_ASSERTED,     /* nothing in the bundle could prove it */
};
const char *claim_state_name(enum claim_state s); /* "re-computed", ... */

struct checked_claim {
	const struct bundle_claim *claim;
	const struct bundle *in; /* the bundle or the forwarded answer that it lies in */
	bool by_known;           /* signed by a trusted key */
	struct statement s;
	enum claim_state state;
	double again;  /* log10 e as it was computed here */
	double needed; /* by the reader's alpha */
	bool logged;   /* proven to stand in the signer's log */
	uint64_t index;
	struct checkpoint head;
	char why[768]; /* what is wrong; "" for nothing */
};

struct verified {
	bool genuine;  /* at least: from whom it says, for the reader, in time, and new */
	bool good;     /* everything that the file alone can show holds */
	char why[400]; /* the first thing that does not */
	bool known;    /* signed by a trusted key */
	bool named;    /* the recipient was looked at */
	struct checked_claim *claim;
	size_t n_claim;
};

/* STATUS_OK also where *to says no.  STATUS_BAD: what is in it is no claim, train or proof at all. */
enum status verify_bundle(
	struct verified *to, const struct bundle *b, const struct trust *t, struct arena *a, struct err *e);

/* The train that a claim names, from the bundle that it lies in; in the arena. */
enum status claim_train(
	struct train *to, const struct checked_claim *c, const char *name, struct arena *a, struct err *e);

#endif
