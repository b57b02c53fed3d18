/* The neutral rule: what is to be dropped or slowed down, whatever enforces it.
 *
 * A rule matches packets by the prefix they come from, the prefix they go to, protocol and destination port.
 * Nothing is a wildcard by omission: the notation has every field, and "any" where anything matches.
 *
 *     drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22
 *     rate 100 from 2001:db8:1:2::/64 to any any any
 */
#ifndef WEIR_PLAN_RULE_H
#define WEIR_PLAN_RULE_H

#include "base/ip.h"

enum rule_action { RULE_DROP, RULE_RATE };

struct rule {
	struct prefix from, to; /* one family, which an end of len 0 (any) has too */
	uint8_t proto;          /* 0: any */
	uint16_t port;          /* destination; 0: any; only with a protocol that has ports */
	enum rule_action action;
	uint32_t rate; /* RULE_RATE: packets per second that pass, above 0; else 0 */
};

#define RULE_TEXT     192
#define RULE_RATE_MAX 1000000

/* A rule is well-formed: families agree, not both ends are "any" (nothing would say which family), no host
 * bits, port only with TCP, UDP, SCTP, DCCP or UDP-Lite, rate only with RULE_RATE. */
bool rule_valid(const struct rule *r);
/* Returns to. */
char *rule_text(char to[RULE_TEXT], const struct rule *r);
/* The canonical notation only: what rule_text() writes.  False where s is none. */
bool rule_parse(struct rule *to, const char *s);
/* A total order by match (from, to, proto, port), then action and rate. */
int rule_compare(const struct rule *a, const struct rule *b);
/* The same match, whatever the action. */
bool rule_same_match(const struct rule *a, const struct rule *b);
/* Everything that `narrow` does, `wide` does too: its match is contained, and it is no harsher (a rate at
 * least as high; a drop is harsher than any rate). */
bool rule_within(const struct rule *narrow, const struct rule *wide);
/* Does it match packets from src to dst? */
bool rule_hits(const struct rule *r, uint8_t proto, const struct endpoint *src, const struct endpoint *dst);

/* What a host is: one IPv4 address; in IPv6 the /64 that holds it, since a host has all of that. */
#define RULE_HOST4 32
#define RULE_HOST6 64
struct prefix rule_host(const struct ip *ip);
/* Is the prefix no wider than one host? */
bool rule_is_host(const struct prefix *p);

/* What the prefix touches of the addresses that belong to nobody, or are another's in disguise (loopback,
 * link-local, multicast, IPv4 in IPv6): they are never blocked, whatever the configuration says.  *with: that
 * prefix.  NULL: nothing. */
const char *prefix_nobodys(const struct prefix *p, const struct prefix **with);

/* How wide an action is; the policy names an alpha for each. */
enum width { WIDTH_RATE, WIDTH_HOST, WIDTH_WIDE };
#define WIDTHS        3
#define WIDTH_HOUR_US (INT64_C(3600) * 1000000)
/* RATE: a rate for one host.  HOST: one host dropped for an hour at most.  WIDE: all else. */
enum width rule_width(const struct rule *r, int64_t for_us);
const char *width_name(enum width w); /* "rate limit", "one host for an hour", "a prefix or longer" */

#endif
