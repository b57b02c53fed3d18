/* What must never be blocked on this machine, and the caps: from the configuration, the interfaces'
 * addresses, the default gateways, the resolvers of /etc/resolv.conf. */
#ifndef WEIR_BLOCK_GUARD_HERE_H
#define WEIR_BLOCK_GUARD_HERE_H

#include "base/config.h"
#include "block/guard.h"

/* All in the arena.  Read anew for each round: an address may have become ours meanwhile.  A resolv.conf that
 * is not there protects nothing; what cannot be asked of the kernel is STATUS_MACHINE. */
enum status guard_here(struct guard *to, const struct config *cfg, struct arena *a, struct err *e);

#endif
