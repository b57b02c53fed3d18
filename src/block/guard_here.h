/* What must never be blocked on this machine, and the caps: from the configuration, the interfaces'
 * addresses, the default gateways, the resolvers of /etc/resolv.conf. */
#ifndef WEIR_BLOCK_GUARD_HERE_H
#define WEIR_BLOCK_GUARD_HERE_H

#include "base/config.h"
#include "block/guard.h"

#define GUARD_CONFIRM4 28 /* a shorter prefix takes two names */
#define GUARD_CONFIRM6 64
#define GUARD_SKEW_US  (60 * SECOND_US)

/* All in the arena.  Read anew for each round: an address may have become ours meanwhile.  A resolv.conf that
 * is not there protects nothing; what cannot be asked of the kernel is STATUS_MACHINE. */
enum status guard_here(struct guard *to, const struct config *cfg, struct arena *a, struct err *e);

/* The two halves of it, for a process that may open no file.  The resolvers, from the files ... */
enum status guard_resolvers(struct ip **to, size_t *n, struct arena *a, struct err *e);
/* ... and all else, with nothing but an AF_NETLINK socket for as long as the call lasts. */
enum status guard_kernel(struct guard *to, const struct config *cfg, const struct ip *resolver,
	size_t n_resolver, struct arena *a, struct err *e);

/* The resolvers that one file names, in the manner of resolv.conf(5), put behind the *n that are there; a
 * file that is not there names none. */
#define GUARD_RESOLVERS 64
enum status guard_resolv_conf(struct ip to[GUARD_RESOLVERS], size_t *n, const char *path, struct err *e);

#endif
