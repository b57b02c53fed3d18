/* The guard: no order passes that touches what must never be blocked, that is wider than its plan, or that
 * lasts too long.  Pure; the enforcing process asks it for every order, whoever sent it. */
#ifndef WEIR_BLOCK_GUARD_H
#define WEIR_BLOCK_GUARD_H

#include "block/order.h"

/* Why an address is protected; the order of enum protects the words in guard.c. */
enum protection { PROTECT_NEVER, PROTECT_OWN, PROTECT_GATEWAY, PROTECT_RESOLVER, PROTECT_PARTNER };

struct protected
{
	struct prefix prefix;
	enum protection why;
};

struct guard {
	const struct protected *protected;
	size_t n_protected;
	const struct prefix *own; /* own networks: what comes from outside of them is inbound */
	size_t n_own;
	uint8_t widest[2];  /* shortest prefix that may be blocked: IPv4, IPv6 */
	uint8_t confirm[2]; /* a prefix shorter than this takes two names (28, 64) */
	size_t max_rules;   /* in force at once, over all orders */
	int64_t max_for_us; /* lifetime of an order */
	int64_t skew_us;    /* an order made later than now by more than this: the clock jumped */
};

/* Always protected, whatever the configuration says: unspecified, loopback, link-local, multicast, broadcast,
 * and the IPv6 forms that carry IPv4 addresses (::/8, NAT64, 6to4, Teredo). */

/* May the rule be installed?  STATUS_NO says which field touches what.  A rule from outside may name a
 * protected address as its destination (that is what is defended); nothing else may touch one.  In IPv6 what
 * is blocked is a /64 or shorter. */
enum status guard_rule(const struct guard *g, const struct rule *r, struct err *e);

/* May the order?  plan: as plan_read() gave it, whose sha256 is the one that the order names.  Every rule
 * passes guard_rule(), is within a rule of the option that is placed here, the order lasts no longer than the
 * option and max_for_us, is not expired and not of the future; the option is sufficient or the order says why
 * not; two different names where a rule is wide.  STATUS_NO says what is wrong; STATUS_MACHINE: memory. */
enum status guard_order(const struct guard *g, const struct order *o, const struct plan *plan,
	struct wall now, struct err *e);

/* Is there room for the order beside n_in_force rules of others?  For who knows all orders. */
enum status guard_room(const struct guard *g, size_t n_in_force, const struct order *o, struct err *e);

#endif
