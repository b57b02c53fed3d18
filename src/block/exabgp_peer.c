/* The neighbors of ExaBGP, from what it says of their sessions.
 *
 * By itself, at once, of each neighbor whose api section names us with neighbor-changes:
 *
 *     neighbor 198.18.1.2 up
 *     neighbor 198.18.1.2 down - peer reset, message [...] error[...]
 *
 * and, asked with `show neighbor extensive`, of all of them, some twenty lines each, of which three matter:
 *
 *     Neighbor 198.18.1.2
 *        state                    ESTABLISHED
 *        ipv4 flow:                   enabled         enabled        disabled
 *
 * The columns of a family are our side and (n/a without a session) what both agreed on.  ExaBGP's table has a
 * route also for a neighbor that did not agree on its family: only here is to be seen that he never gets it.
 */
#include <stdio.h>

#include "block/exabgp.h"

static const struct {
	const char *afi, *safi;
	enum peer_family family;
} families[] = {{"ipv4", "flow:", PEER_FLOW4}, {"ipv6", "flow:", PEER_FLOW6},
	{"ipv4", "unicast:", PEER_UNICAST4}, {"ipv6", "unicast:", PEER_UNICAST6}};

enum peer_family exabgp_family(const struct exabgp_way *w, const struct rule *r)
{
	if (w->announce == ANNOUNCE_RTBH)
		return r->from.ip.v == 6 ? PEER_UNICAST6 : PEER_UNICAST4;
	return r->from.ip.v == 6 ? PEER_FLOW6 : PEER_FLOW4;
}

struct peer *peers_get(struct peers *p, const struct ip *ip)
{
	for (size_t i = 0; i < p->n; i++)
		if (ip_equal(&p->peer[i].ip, ip))
			return &p->peer[i];
	if (p->n == EXABGP_PEERS) {
		p->too_many++;
		return NULL;
	}
	p->peer[p->n] = (struct peer){.ip = *ip};
	return &p->peer[p->n++];
}

uint64_t peers_bit(const struct peers *p, const struct peer *of)
{
	return UINT64_C(1) << (of - p->peer);
}

/* A session that is lost and back is remembered, for a round may see neither. */
static void up_set(struct peer *p, bool up)
{
	p->back = p->back || (up && !p->up && p->was_up);
	p->was_up = p->was_up || up;
	p->up = up;
}

bool peers_event(struct peers *p, const char *line, bool *rose)
{
	char addr[IP_TEXT], what[16];
	struct ip ip;

	*rose = false;
	if (sscanf(line, "neighbor %47s %15s", addr, what) != 2 || !ip_parse(&ip, addr))
		return false;
	bool up = strcmp(what, "up") == 0, down = strcmp(what, "down") == 0;
	struct peer *peer = up || down || strcmp(what, "connected") == 0 ? peers_get(p, &ip) : NULL;
	if (!peer)
		return true;
	peer->ours = true;
	if (up || down) {
		up_set(peer, up);
		peer->up_in = up; /* newer than a description that is coming in */
	}
	*rose = up;
	return true;
}

static bool describe_family(struct peer *p, const char *afi, const char *safi, const char *agreed)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (strcmp(afi, families[i].afi) != 0 || strcmp(safi, families[i].safi) != 0)
			continue;
		p->configured_in |= families[i].family;
		if (strcmp(agreed, "enabled") == 0)
			p->negotiated_in |= families[i].family;
		return true;
	}
	return false;
}

bool peers_describe(struct peers *p, const char *line)
{
	char a[IP_TEXT], b[IP_TEXT], c[16] = "", d[16] = "";
	struct ip ip;
	int n = sscanf(line, " %47s %47s %15s %15s", a, b, c, d);

	if (n == 2 && strcmp(a, "Neighbor") == 0 && ip_parse(&ip, b)) {
		p->describing = peers_get(p, &ip);
		if (p->describing) {
			p->describing->seen_in = true;
			p->describing->up_in = false;
			p->describing->configured_in = p->describing->negotiated_in = 0;
		}
		return true;
	}
	if (p->describing && n == 2 && strcmp(a, "state") == 0)
		p->describing->up_in = strcmp(b, "ESTABLISHED") == 0;
	else if (p->describing && n == 4)
		(void)describe_family(p->describing, a, b, d);
	return false;
}

void peers_described(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct peer *peer = &p->peer[i];
		peer->ours = peer->ours && peer->seen_in; /* else he is configured no more */
		up_set(peer, peer->seen_in && peer->up_in);
		peer->configured = peer->seen_in ? peer->configured_in : 0;
		peer->negotiated = peer->seen_in && peer->up_in ? peer->negotiated_in : 0;
		peer->seen_in = peer->up_in = false;
	}
	p->describing = NULL;
}

uint64_t peers_configured(const struct peers *p, enum peer_family f)
{
	uint64_t set = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->peer[i].ours && (p->peer[i].configured & f) != 0)
			set |= peers_bit(p, &p->peer[i]);
	return set;
}

uint64_t peers_live(const struct peers *p, enum peer_family f)
{
	uint64_t set = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->peer[i].ours && p->peer[i].up && (p->peer[i].negotiated & f) != 0)
			set |= peers_bit(p, &p->peer[i]);
	return set;
}
