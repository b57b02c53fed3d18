/* What was blocked here, as claims that travel: "rule B held from .. until ..". */
#ifndef WEIR_CLI_TOLD_BLOCK_H
#define WEIR_CLI_TOLD_BLOCK_H

#include "block/keep.h"
#include "cli/claims.h"

#define TOLD_BLOCKS 16 /* claims of a bundle that say so, at most */

struct told_blocks {
	const struct order_row *row;
	const struct sighting *about; /* flows that may be spoken of */
	size_t n_about;
	bool all; /* also rules that hit none of these: other addresses are told then */
};

/* Stores a claim for each rule of the order that may be told, and puts it behind the *n that stand in to[],
 * which has room for TOLD_BLOCKS in all; bodies are in the arena.  Until its end, or until now where it was
 * undone. */
enum status claim_blocks(const struct place *p, const struct told_blocks *t, struct arena *arena,
	struct claim *to, size_t *n, struct err *e);

#endif
