/* How one process asks the running recorders of a directory to begin a new segment, so that the old one can
 * be rewritten: it renews the file DIR/trains/rotate; writers look at it whenever they flush. */
#ifndef WEIR_RECORD_ROTATE_H
#define WEIR_RECORD_ROTATE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/world.h"

struct rotate_stamp {
	uint64_t inode;
	int64_t changed_ns;
};

/* trains: DIR/trains.  Zeroes where nobody ever asked. */
struct rotate_stamp rotate_stamp_read(const char *trains);
/* Has somebody asked since *since was read? */
bool rotate_asked(const char *trains, const struct rotate_stamp *since);
enum status rotate_ask(const struct world *w, const char *trains, struct err *e);

#endif
