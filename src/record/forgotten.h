/* That something was erased (weir forget): how many flows of which time, and nothing of whose.  Who counts
 * what was recorded of a time has to know what is not there any more. */
#ifndef WEIR_RECORD_FORGOTTEN_H
#define WEIR_RECORD_FORGOTTEN_H

#include "base/err.h"
#include "base/world.h"
#include "record/flow.h"

/* Before anything is erased.  What begins and is never done, since the machine stopped, counts as a flow of
 * every time. */
enum status forgotten_begin(const struct world *w, const char *dir, struct err *e);
/* What went: flows with packets within span; 0 flows: nothing did. */
enum status forgotten_done(
	const struct world *w, const char *dir, struct span span, uint64_t flows, struct err *e);

/* At most how many flows with packets within the span were erased; 0: none was. */
enum status forgotten_flows(uint64_t *to, const char *dir, struct span within, struct err *e);

#endif
