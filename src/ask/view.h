/* The STIX view of a bundle that is being made: what its statements and trains say, as stix.h takes it. */
#ifndef WEIR_ASK_VIEW_H
#define WEIR_ASK_VIEW_H

#include "ask/pack.h"

#define VIEW_FILE "stix.json"

/* The id by which a view names its bundle: that of the manifest without the view's own line, so that both who
 * makes it and who has it can tell it. */
enum status view_id(struct id *to, const struct manifest *m, struct err *e);

/* statement[i] is what claim i says; trains as they stand in the tar ("trains/<name>.train", sorted). */
enum status view_write(struct buf *to, const struct pack *k, const struct id *id,
	const struct statement *statement, const struct tar_file *train, size_t n_train, struct err *e);

#endif
