/* ExaBGP's lines: whatever it says, in whatever pieces, the table stays in order, no more waits than may, and
 * what is in its table is read back as what we announce.  The first byte chooses the way and the pieces. */
#include <stdlib.h>

#include "block/exabgp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const rules[] = {
	"drop from 203.0.113.10/32 to any any any",
	"drop from 203.0.113.11/32 to 192.0.2.10/32 tcp 22",
	"rate 50 from 203.0.113.12/32 to any any any",
	"drop from 2001:db8:1:2::/64 to any any any",
};
enum { RULES = sizeof(rules) / sizeof(rules[0]), ROUNDS = 64 };

static void whole(const struct talk *k)
{
	size_t asked = 0;

	if (k->n_flight > EXABGP_WINDOW + 2 || k->peers.n > EXABGP_PEERS || k->n_line >= EXABGP_LINE)
		abort();
	for (size_t i = 0; i < k->n_flight; i++) {
		const struct flight *f = &k->flight[i];
		bool change = f->kind == FLIGHT_ANNOUNCE || f->kind == FLIGHT_WITHDRAW;
		asked += !change;
		if (change && (f->at >= k->table.n || !k->table.told[f->at].flying))
			abort();
	}
	if (asked != (size_t)k->routes_flying + (size_t)k->peers_flying)
		abort();
	for (size_t i = 1; i < k->table.n; i++)
		if (rule_compare(&k->table.told[i - 1].rule, &k->table.told[i].rule) >= 0)
			abort();
}

/* A line that is taken for ours is one that a command of ours makes. */
static void read_back(const struct exabgp_way *way, const uint8_t *p, size_t n)
{
	struct exabgp_route route;
	struct buf b = {0};
	char line[EXABGP_LINE];

	if (n >= sizeof(line))
		return;
	memcpy(line, p, n);
	line[n] = '\0';
	if (exabgp_route_read(&route, way, line) != LINE_OURS)
		return;
	if (!rule_valid(&route.rule) || exabgp_cannot(way, &route.rule))
		abort();
	exabgp_withdraw(&b, way, &route.rule);
	buf_free(&b);
}

static void want(struct talk *k, size_t n)
{
	struct want list[RULES];
	struct err e;

	for (size_t i = 0; i < n; i++) {
		if (!rule_parse(&list[i].rule, rules[i]))
			abort();
		list[i].until = WALL_END;
	}
	if (talk_want(k, list, n, &e) != STATUS_OK)
		abort();
}

static void report(struct talk *k)
{
	struct have have;
	struct drift d;
	struct rule r;

	for (size_t i = 0; i < RULES; i++) {
		if (!rule_parse(&r, rules[i]))
			abort();
		talk_have(k, &r, &have);
		if (have.state == INSTALL_OK || (have.state == INSTALL_ANNOUNCED) != (have.why[0] == '\0'))
			abort();
	}
	talk_drift(k, &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct exabgp_way way = {.announce = n && p[0] & 1 ? ANNOUNCE_RTBH : ANNOUNCE_FLOWSPEC};
	size_t piece = n && p[0] >> 1 ? p[0] >> 1 : 1;
	struct talk *k = malloc(sizeof(*k)); /* for the sanitizer */
	struct buf b = {0};
	int64_t now = 0;

	if (piece < n / ROUNDS)
		piece = n / ROUNDS;
	if (!k || !ip_parse(&way.next_hop[0], "192.0.2.66") || !ip_parse(&way.next_hop[1], "100::66"))
		abort();
	talk_init(k, &way);
	for (size_t i = 1; i < n; i += piece, now += SECOND_US) {
		want(k, (i / piece) % (RULES + 1));
		talk_round(k, now);
		b.n = 0;
		while (talk_next(k, &b, now))
			;
		talk_heard(k, p + i, n - i < piece ? n - i : piece, now);
		whole(k);
		report(k);
	}
	for (const uint8_t *line = p, *end; line < p + n; line = end + 1) {
		end = memchr(line, '\n', (size_t)(p + n - line));
		end = end ? end : p + n;
		read_back(&way, line, (size_t)(end - line));
	}
	talk_free(k);
	free(k);
	buf_free(&b);
	return 0;
}
