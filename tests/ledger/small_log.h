/* A log in memory, to make proofs from: its leaves, and the roots of its subtrees computed anew each time. */
#ifndef WEIR_TESTS_LEDGER_SMALL_LOG_H
#define WEIR_TESTS_LEDGER_SMALL_LOG_H

#include "ledger/merkle.h"

struct small_log {
	struct hash leaf[4096];
	size_t size;
};

/* merkle_source.subtree */
static inline enum status small_log_subtree(
	void *self, unsigned level, uint64_t at, struct hash *to, struct err *e)
{
	const struct small_log *l = self;
	struct merkle m = {0};

	for (size_t i = 0; i < (size_t)1 << level; i++)
		if (!merkle_add(&m, &l->leaf[(at << level) + i]))
			return err_nomem(e);
	return merkle_root(&m, to) ? STATUS_OK : err_nomem(e);
}

#endif
