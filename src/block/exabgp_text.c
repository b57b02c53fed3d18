/* A rule as ExaBGP's commands, and back from what ExaBGP shows.
 *
 * FlowSpec (RFC 8955; IPv6: RFC 8956), with NO_EXPORT (RFC 1997), so that it never leaves the own network:
 *
 *     announce flow route source 203.0.113.10/32 destination 192.0.2.10/32 protocol =6 destination-port =22
 *         community [no-export] discard
 *
 * A rate is bytes per second there (RFC 8955, section 7.1), and ExaBGP 4.2 has no word for the community that
 * counts packets (section 7.2), so packets become bytes at EXABGP_PACKET_BYTES each.
 *
 * Blackhole route (RFC 7999), for all that a prefix sends or gets (the former with unicast RPF: RFC 5635):
 *
 *     announce route 203.0.113.10/32 next-hop 192.0.2.1 community [65535:666 no-export]
 *
 * ExaBGP shows what it holds (`show adj-rib out extensive`) in one line, the session first:
 *
 *     neighbor 198.18.1.2 local-ip 198.18.1.1 ... ipv4 flow flow destination-ipv4 192.0.2.10/32
 *         source-ipv4 203.0.113.10/32 protocol =tcp destination-port =22 community no-export
 *         extended-community rate-limit:0
 *
 * Ours is what has this form, word by word: one source, values with `=` alone, these communities and no
 * others.  In FlowSpec a blackhole route is never ours, and the other way round. */
#include <stdlib.h>
#include <stdio.h>

#include "block/exabgp.h"

#define WORDS_MAX 48
#define COMMAND   512

void exabgp_way(struct exabgp_way *to, const struct config *cfg)
{
	*to = (struct exabgp_way){.announce = cfg->announce};
	for (size_t i = 0; i < cfg->n_rtbh_next_hop; i++) {
		struct ip *hop = &to->next_hop[cfg->rtbh_next_hop[i].v == 6];
		if (hop->v == 0)
			*hop = cfg->rtbh_next_hop[i];
	}
}

static const struct ip *next_hop(const struct exabgp_way *w, const struct rule *r)
{
	return &w->next_hop[r->from.ip.v == 6];
}

const char *exabgp_cannot(const struct exabgp_way *w, const struct rule *r)
{
	if (!rule_valid(r))
		return "it is no rule";
	if (r->from.len == 0)
		return "routers are told of no rule that has no source: it would stop everybody";
	if (w->announce == ANNOUNCE_FLOWSPEC)
		return NULL;
	if (r->action != RULE_DROP)
		return "a blackhole route drops all, it does not slow down";
	if (r->to.len > 0 || r->proto || r->port)
		return "a blackhole route takes all traffic of a prefix, not that to one address or port";
	if (next_hop(w, r)->v == 0)
		return "no rtbh_next_hop of its address family is configured";
	return NULL;
}

/* ---- commands ---- */

static void put(struct buf *to, const char *s)
{
	buf_put(to, s, strlen(s));
}

static void put_prefix(struct buf *to, const char *before, const struct prefix *p)
{
	char text[PREFIX_TEXT], ip[IP_TEXT];

	(void)snprintf(text, sizeof(text), "%s/%u", ip_text(ip, &p->ip), p->len);
	put(to, before);
	put(to, text);
}

static void put_number(struct buf *to, const char *before, uint64_t v)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%llu", before, (unsigned long long)v);
	put(to, text);
}

static void flow_match(struct buf *to, const struct rule *r)
{
	put_prefix(to, " flow route source ", &r->from);
	if (r->to.len > 0)
		put_prefix(to, " destination ", &r->to);
	if (r->proto)
		put_number(to, r->from.ip.v == 6 ? " next-header =" : " protocol =", r->proto);
	if (r->port)
		put_number(to, " destination-port =", r->port);
}

static void route_match(struct buf *to, const struct exabgp_way *w, const struct rule *r)
{
	char ip[IP_TEXT];

	put_prefix(to, " route ", &r->from);
	put(to, " next-hop ");
	put(to, ip_text(ip, next_hop(w, r)));
}

void exabgp_announce(struct buf *to, const struct exabgp_way *w, const struct rule *r)
{
	put(to, "announce");
	if (w->announce == ANNOUNCE_RTBH) {
		route_match(to, w, r);
		put(to, " community [65535:666 no-export]\n");
		return;
	}
	flow_match(to, r);
	put(to, " community [no-export]");
	if (r->action == RULE_RATE)
		put_number(to, " rate-limit ", (uint64_t)r->rate * EXABGP_PACKET_BYTES);
	else
		put(to, " discard");
	put(to, "\n");
}

void exabgp_withdraw(struct buf *to, const struct exabgp_way *w, const struct rule *r)
{
	put(to, "withdraw");
	if (w->announce == ANNOUNCE_RTBH)
		route_match(to, w, r);
	else
		flow_match(to, r);
	put(to, "\n");
}

/* ---- back ---- */

/* The words of a line, one after the other. */
struct words {
	char text[EXABGP_LINE];
	const char *word[WORDS_MAX];
	size_t n, at;
};

static bool words_of(struct words *to, const char *line)
{
	char *save = NULL;

	to->n = to->at = 0;
	if (strlen(line) >= sizeof(to->text))
		return false;
	memcpy(to->text, line, strlen(line) + 1);
	for (char *s = strtok_r(to->text, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		if (to->n == WORDS_MAX)
			return false;
		to->word[to->n++] = s;
	}
	return true;
}

static const char *next(struct words *w)
{
	return w->at < w->n ? w->word[w->at++] : "";
}

static bool is(struct words *w, const char *what)
{
	bool yes = w->at < w->n && strcmp(w->word[w->at], what) == 0;

	w->at += yes;
	return yes;
}

static bool number(uint64_t *to, const char *s, uint64_t max)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 18 || s[n])
		return false;
	*to = strtoull(s, NULL, 10);
	return *to <= max;
}

/* "203.0.113.0/24", in IPv6 "2001:db8::/64/0": RFC 8956's offset, and ours is 0. */
static bool flow_prefix(struct prefix *to, const char *s, uint8_t v)
{
	char text[PREFIX_TEXT + 2];
	size_t n = strlen(s);

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n + 1);
	if (v == 6) {
		if (n < 2 || strcmp(text + n - 2, "/0") != 0)
			return false;
		text[n - 2] = '\0';
	}
	return strchr(text, '/') && prefix_parse(to, text) && to->ip.v == v;
}

/* What ExaBGP calls protocols (its protocol/__init__.py); others are "unknown protocol type 200". */
static const struct {
	const char *name;
	uint8_t proto;
} protos[] = {{"icmp", 1}, {"igmp", 2}, {"tcp", PROTO_TCP}, {"egp", 8}, {"udp", PROTO_UDP}, {"rsvp", 46},
	{"gre", PROTO_GRE}, {"esp", 50}, {"ah", PROTO_AH}, {"ospf", 89}, {"ipip", 94}, {"pim", 103},
	{"sctp", PROTO_SCTP}};

static bool flow_proto(uint8_t *to, struct words *w)
{
	const char *s = next(w);
	uint64_t v = 0;

	if (strcmp(s, "=unknown") == 0) {
		bool good = is(w, "protocol") && is(w, "type") && number(&v, next(w), UINT8_MAX) && v > 0;
		*to = (uint8_t)v;
		return good;
	}
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (s[0] == '=' && strcmp(s + 1, protos[i].name) == 0)
			*to = protos[i].proto;
	return *to != 0;
}

static bool flow_port(uint16_t *to, const char *s)
{
	uint64_t v = 0;
	bool good = s[0] == '=' && number(&v, s + 1, UINT16_MAX) && v > 0;

	*to = (uint16_t)v;
	return good;
}

static bool flow_action(struct rule *to, const char *s)
{
	static const char word[] = "rate-limit:";
	uint64_t v;

	if (strncmp(s, word, sizeof(word) - 1) != 0 ||
		!number(&v, s + sizeof(word) - 1, (uint64_t)RULE_RATE_MAX * EXABGP_PACKET_BYTES) ||
		v % EXABGP_PACKET_BYTES != 0)
		return false;
	to->action = v ? RULE_RATE : RULE_DROP;
	to->rate = (uint32_t)(v / EXABGP_PACKET_BYTES);
	return true;
}

/* The components stand in the order of their numbers (RFC 8955, section 4.2). */
static bool flow_read(struct rule *to, struct words *w, uint8_t v)
{
	bool good = is(w, "flow");

	if (good && is(w, v == 6 ? "destination-ipv6" : "destination-ipv4"))
		good = flow_prefix(&to->to, next(w), v);
	good = good && is(w, v == 6 ? "source-ipv6" : "source-ipv4") && flow_prefix(&to->from, next(w), v);
	if (good && is(w, v == 6 ? "next-header" : "protocol"))
		good = flow_proto(&to->proto, w);
	if (good && is(w, "destination-port"))
		good = flow_port(&to->port, next(w));
	return good && is(w, "community") && is(w, "no-export") && is(w, "extended-community") &&
	       flow_action(to, next(w)) && w->at == w->n;
}

static bool blackhole_read(struct rule *to, const struct exabgp_way *how, struct words *w, uint8_t v)
{
	const char *prefix = next(w);
	struct ip hop;

	return strchr(prefix, '/') && prefix_parse(&to->from, prefix) && to->from.ip.v == v &&
	       is(w, "next-hop") && ip_parse(&hop, next(w)) && ip_equal(&hop, next_hop(how, to)) &&
	       is(w, "community") && is(w, "[") && is(w, "blackhole") && is(w, "no-export") && is(w, "]") &&
	       w->at == w->n;
}

/* Past the session's description, to the family; 0: there is none. */
static uint8_t family(struct words *w)
{
	while (w->at < w->n) {
		const char *s = next(w);
		bool v4 = strcmp(s, "ipv4") == 0;
		if ((v4 || strcmp(s, "ipv6") == 0) && w->at < w->n)
			return v4 ? 4 : 6;
	}
	return 0;
}

enum exabgp_line exabgp_route_read(struct exabgp_route *to, const struct exabgp_way *how, const char *line)
{
	struct words w;
	struct rule *r = &to->rule;
	bool flow = how->announce == ANNOUNCE_FLOWSPEC, good;
	uint8_t v;

	*to = (struct exabgp_route){0};
	if (!words_of(&w, line) || !is(&w, "neighbor") || !ip_parse(&to->peer, next(&w)) ||
		!is(&w, "local-ip"))
		return LINE_OTHER;
	v = family(&w);
	if (v == 0)
		return LINE_OTHER;
	r->from.ip.v = r->to.ip.v = v;
	if (is(&w, "flow"))
		good = flow && flow_read(r, &w, v);
	else
		good = is(&w, "unicast") && !flow && blackhole_read(r, how, &w, v);
	return good && !exabgp_cannot(how, r) ? LINE_OURS : LINE_ROUTE;
}
