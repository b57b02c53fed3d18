/* The STIX view of a bundle: what its statements and trains say, as stix.h takes it.  Who makes a bundle
 * writes it, and who verifies one writes it again and compares: the view says what the claims say, or is
 * refused. */
#ifndef WEIR_ASK_VIEW_H
#define WEIR_ASK_VIEW_H

#include "ask/bundle.h"
#include "ask/statement.h"

struct view_claim {
	struct id id;
	const char *kind;
	const struct statement *said;
};

struct view {
	const struct manifest *m; /* with its id */
	const struct view_claim *claim;
	size_t n_claim;
	const struct tar_file *const *train; /* "trains/<name>.train", sorted by name */
	size_t n_train;
	bool looked_and_saw_nothing; /* an answer's */
};

enum status view_write(struct buf *to, const struct view *v, struct err *e);

#endif
