/* A back end: makes something outside (kernel, routers) agree with what is wanted.  One row of a table each;
 * `nft` and `exabgp` now, XDP later. */
#ifndef WEIR_BLOCK_BACKEND_H
#define WEIR_BLOCK_BACKEND_H

#include "base/config.h"
#include "block/want.h"

enum installed { INSTALL_NOT, INSTALL_OK, INSTALL_ANNOUNCED, INSTALL_REFUSED };

struct have {
	enum installed state;
	uint64_t packets, bytes; /* dropped (or slowed) since it was installed the first time by this process;
				    where the back end can count, else 0 */
	char why[120];           /* INSTALL_REFUSED */
};

/* What was found and done. */
struct drift {
	uint64_t missing, foreign; /* wanted and not there; there and not wanted */
	uint64_t added, removed, renewed;
	bool rebuilt;  /* the table (or session) was gone or not as we made it */
	char why[200]; /* one line for people, "" for nothing */
};

struct backend_param {
	size_t max_rules;
	const struct config *cfg;
	int in_fd, out_fd; /* where the outside is a program at the other end of two pipes (exabgp): its
			      answers and our commands.  Both 0: standard input and output */
};

struct backend {
	const char *name; /* "nft", "exabgp" */
	bool net_admin;   /* the hand keeps CAP_NET_ADMIN for it */
	/* NULL where the back end, configured so, can hold such a rule; else why not. */
	const char *(*cannot)(const struct backend_param *p, const struct rule *r);
	/* The exact lines that installing (or removing) these rules gives to the outside; for dry runs and
	 * rules[]. */
	enum status (*lines)(struct buf *to, const struct backend_param *p, const struct want *want, size_t n,
		struct wall now, bool remove, struct err *e);
	/* Opens the outside, before rights are given up.  STATUS_MACHINE says what is missing (no nftables in
	 * the kernel, no permission). */
	enum status (*open)(void **self, const struct backend_param *p, struct err *e);
	/* Makes the outside hold want[] and nothing else of ours: all of one call or nothing.  have (n_want;
	 * may be NULL) and *d say what is there afterwards.  look: only reads.  n_want 0: nothing of ours is
	 * left, not even the table. */
	enum status (*sync)(void *self, const struct want *want, size_t n_want, struct wall now, bool look,
		struct have *have, struct drift *d, struct err *e);
	/* Descriptor that has something to say (replies), -1: none; heard() takes it, and does not wait.
	 * STATUS_MACHINE from heard(): the outside has ended, and so should we. */
	int (*fd)(void *self);
	enum status (*heard)(void *self, struct err *e);
	void (*close)(void *self);
};

extern const struct backend backend_nft, backend_exabgp;
const struct backend *backend_find(const char *name);

#endif
