/* Following a file that grows, is rotated and is cut: see follow.c. */
#ifndef WEIR_CASE_FOLLOW_H
#define WEIR_CASE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/world.h"

/* Where a reader stands: which file, how far, and what stood just before, for an inode's number is used
 * again. */
struct follow_at {
	uint64_t inode;
	uint64_t offset;
	uint32_t before; /* CRC-32C of the FOLLOW_BEFORE bytes before the offset (of all, where there are
			    fewer) */
};
#define FOLLOW_BEFORE 256

enum follow_got {
	FOLLOW_BYTES, /* here they are */
	FOLLOW_AGAIN, /* nothing, but another file or the same from its start comes next: what a line began
			 with is lost */
	FOLLOW_NONE,  /* nothing for now */
};

/* What happened when another file or start comes. */
enum follow_why { FOLLOW_FIRST, FOLLOW_ROTATED, FOLLOW_CUT };

struct follow_bytes {
	size_t n;
	enum follow_why why; /* of FOLLOW_AGAIN */
};

struct follow;
/* path need not be there yet, unless `there`.  from: where to go on, NULL: none; start: else from the first
 * byte, not from the end of what is there now.  STATUS_BAD: no regular file. */
enum status follow_open(struct follow **to, const struct world *w, const char *path,
	const struct follow_at *from, bool start, bool there, struct err *e);
void follow_close(struct follow *f);
/* `from` was not found: rotated and compressed, or removed; what has the name now is read from its start. */
bool follow_lost(const struct follow *f);

/* The next bytes, at most max.  half: the caller holds a line's beginning, so that its rest is waited for
 * even where the file was rotated; last: nothing is waited for. */
enum status follow_read(struct follow *f, void *to, size_t max, bool half, bool last, enum follow_got *got,
	struct follow_bytes *b, struct err *e);

/* `kept` bytes before what was read last: where to go on later.  False where no file is open. */
bool follow_where(const struct follow *f, size_t kept, struct follow_at *to);

/* A descriptor to poll for reading; -1: none, look now and then.  follow_heard() takes what it has to say. */
int follow_fd(const struct follow *f);
void follow_heard(struct follow *f);

#endif
