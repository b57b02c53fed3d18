/* Between segment_filter.c and retain.c: rewriting a closed segment without some of its flows. */
#ifndef WEIR_RECORD_SEGMENT_FILTER_H
#define WEIR_RECORD_SEGMENT_FILTER_H

#include "record/segment.h"

/* What is to stay.  touches(): may a block with these tables hold something that goes?  stays(): a chunk. */
struct segment_choice {
	void *self;
	bool (*touches)(void *self, const struct block_tables *t);
	bool (*stays)(void *self, const struct flow_head *h);
};

/* What was done, summed up over segments. */
struct segment_change {
	struct id *gone; /* ids of chunks that went */
	size_t n_gone, cap_gone;
	struct span gone_span; /* first and last packet of these; meaningless where none went */
	uint64_t damaged;
	uint64_t bytes_before, bytes_after; /* of the last one */
};

/* Opens and locks a segment that nobody writes.  STATUS_NO: it is not there any more (or was just replaced:
 * look again).  STATUS_BAD: a recorder writes it. */
enum status segment_lock(int *fd, const struct world *w, const char *path, struct err *e);
/* Takes the locked fd over. */
enum status segment_filter(const struct world *w, int fd, const char *path,
	const struct segment_choice *choice, struct segment_change *change, struct err *e);
/* p: a chunk that goes. */
enum status segment_gone(struct segment_change *c, const struct part *p, struct err *e);
/* How many different ids went.  Sorts them. */
uint64_t segment_gone_count(struct segment_change *c);
void segment_change_free(struct segment_change *c);

/* Removes what crashed writers left under temporary names. */
enum status temporaries_remove(const struct world *w, const char *dir, struct err *e);

#endif
