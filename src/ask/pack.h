/* Making a bundle file: claims with their trains, ledger entries and proofs, answers that are forwarded, the
 * STIX view, under a signed MANIFEST (doc/bundle-format.md). */
#ifndef WEIR_ASK_PACK_H
#define WEIR_ASK_PACK_H

#include "ask/bundle.h"
#include "ask/register.h"

struct pack_answer {
	struct id id;
	struct buf file;
};

struct pack {
	struct manifest m; /* what describes the bundle; log, files and id are filled in */
	struct claim *claim;
	size_t n_claim;
	struct pack_answer *answer;
	size_t n_answer;
	bool looked_and_saw_nothing; /* an answer's: said in the STIX view */
};

/* The file into *to (grown, the caller's).  Every claim has to stand in the ledger (register_flush()).
 * STATUS_NO: a train that a claim names was forgotten. */
enum status pack_write(
	const struct place *p, struct pack *k, const struct skey *operator, struct buf * to, struct err *e);

#endif
