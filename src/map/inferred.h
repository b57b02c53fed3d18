/* Inferred relationships, kept: DIR/map/KEY.inferred, a links sheet with the ids of the tables that it was
 * inferred from.  KEY is a hash of those ids, so other tables are another file; what is not there, damaged or
 * of an older way to infer is inferred again and put in its place. */
#ifndef WEIR_MAP_INFERRED_H
#define WEIR_MAP_INFERRED_H

#include "map/atlas.h"
#include "map/list.h"

/* infer_links() of the tables in use, from the file where it is there.  A file that cannot be written (a
 * directory of somebody else's, a load that runs) is none: the answer is the same, later again.  Memory of
 * the arena. */
enum status inferred_links(struct links *to, const struct atlas *at, struct arena *a, struct err *e);

/* Is it from tables that all are in the list?  Else it will not be asked for any more. */
bool inferred_wanted(const char *path, const struct list *l);

#define INFERRED_SUFFIX ".inferred"

#endif
