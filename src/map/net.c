/* What a question means: "AS131279", a prefix, or a country (net_country.c), as networks and as the prefixes
 * that are seen of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/net_in.h"

/* "AS131279"; false where it is none. */
static bool asn_parse(const char *s, uint32_t *asn)
{
	uint64_t v = 0;
	size_t n;

	if ((s[0] != 'A' && s[0] != 'a') || (s[1] != 'S' && s[1] != 's'))
		return false;
	s += 2;
	n = strspn(s, "0123456789");
	if (n == 0 || n > 10 || s[n])
		return false;
	for (; *s; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	*asn = (uint32_t)v;
	return v <= UINT32_MAX;
}

static enum status asn_net(struct asked *q, uint32_t asn, struct err *e)
{
	struct network is;

	q->to->kind = NET_ASN;
	(void)snprintf(q->to->text, sizeof(q->to->text), "AS%u", asn);
	if (!atlas_asn(q->a, asn, &is))
		return err_set(e, STATUS_NO, "%s: no table in use has it (weir map list)", q->to->text);
	bool ok = numbers_add(&q->asn, asn);
	for (size_t i = 0; i < q->a->n_origins && ok; i++)
		ok = originated_add(&q->prefix, q->a->origins[i], asn);
	return ok ? STATUS_OK : err_nomem(e);
}

/* The prefix and its more specifics in one sheet, leaks of addresses that are nobody's left out. */
static bool prefix_seen(struct asked *q, const struct paths *p, const struct map_prefix *of)
{
	size_t from = prefixes_from(p, of), to = from;

	for (; to < p->n_prefix && net_prefix_has(of, &p->prefix[to]); to++) {
		if (is_space(&p->prefix[to])) {
			if (!prefixes_add(&q->prefix, &p->prefix[to]))
				return false;
			continue;
		}
		if (!origins_add(&q->asn, p, from, to)) /* of those before it, in one go */
			return false;
		from = to + 1;
	}
	return origins_add(&q->asn, p, from, to);
}

/* The longest prefix around it in any sheet. */
static bool around(struct asked *q, const struct prefix *of)
{
	const struct map_prefix *best = NULL;

	for (size_t i = 0; i < q->a->n_origins; i++) {
		const struct paths *p = q->a->origins[i];
		uint32_t at = longest_space(p, &of->ip);
		if (at != NO_INDEX32 && p->prefix[at].len <= of->len &&
			(!best || p->prefix[at].len > best->len))
			best = &p->prefix[at];
	}
	for (size_t i = 0; i < q->a->n_origins && best; i++) {
		const struct paths *p = q->a->origins[i];
		size_t at = prefixes_from(p, best);
		if (at < p->n_prefix && net_prefix_order(&p->prefix[at], best) == 0 &&
			!origins_add(&q->asn, p, at, at + 1))
			return false;
	}
	return !best || prefixes_add(&q->prefix, best);
}

static enum status prefix_net(struct asked *q, const struct prefix *of, struct err *e)
{
	struct map_prefix m = map_prefix_of(of);
	bool ok = true;

	q->to->kind = NET_PREFIX;
	(void)prefix_text(q->to->text, of);
	if (is_default(&m))
		return err_set(e, STATUS_NO,
			"%s: wider than /8 (IPv6: /16), that is a default route and no address space",
			q->to->text);
	if (is_nobodys(&m))
		return err_set(e, STATUS_NO,
			"%s: not globally reachable (RFC 6890), no network of the Internet has it",
			q->to->text);
	for (size_t i = 0; i < q->a->n_origins && ok; i++)
		ok = prefix_seen(q, q->a->origins[i], &m);
	if (ok && q->prefix.n == 0)
		ok = around(q, of);
	if (ok && q->prefix.n == 0)
		return err_set(e, STATUS_NO, "%s: no table in use has it (weir map list)", q->to->text);
	return ok ? STATUS_OK : err_nomem(e);
}

/* ---- the answer ---- */

static bool country_parse(const char *s, char cc[3])
{
	for (int i = 0; i < 2; i++) {
		char c = s[i];
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (c < 'A' || c > 'Z')
			return false;
		cc[i] = c;
	}
	cc[2] = '\0';
	return s[2] == '\0';
}

static enum status lists_out(struct asked *q, struct arena *m, struct err *e)
{
	struct net *to = q->to;

	numbers_sort(&q->asn);
	prefixes_sort(&q->prefix);
	to->asn = arena_array(m, q->asn.n + 1, sizeof(*to->asn));
	to->foreign = arena_array(m, q->foreign.n + 1, sizeof(*to->foreign));
	to->prefix = arena_array(m, q->prefix.n + 1, sizeof(*to->prefix));
	to->own = arena_array(m, q->asn.n + 1, sizeof(*to->own));
	if (!to->asn || !to->foreign || !to->own || !to->prefix)
		return err_nomem(e);
	to->n_asn = q->asn.n;
	to->n_foreign = q->foreign.n;
	to->n_prefix = q->prefix.n;
	if (q->asn.n)
		memcpy(to->asn, q->asn.of, q->asn.n * sizeof(*to->asn));
	if (q->foreign.n)
		memcpy(to->foreign, q->foreign.of, q->foreign.n * sizeof(*to->foreign));
	for (size_t i = 0, k = 0; i < to->n_asn; i++) {
		while (k < to->n_foreign && to->foreign[k] < to->asn[i])
			k++;
		if (k == to->n_foreign || to->foreign[k] != to->asn[i])
			to->own[to->n_own++] = to->asn[i];
	}
	for (size_t i = 0; i < q->prefix.n; i++)
		to->prefix[i] = map_prefix_ip(&q->prefix.of[i]);
	return STATUS_OK;
}

/* "203.0.113.5/24" has host bits; the prefix around it. */
static bool prefix_around(struct prefix *to, const char *s)
{
	char text[IP_TEXT];
	const char *slash = strchr(s, '/');
	struct ip ip;

	if (!slash || (size_t)(slash - s) >= sizeof(text))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(slash - s), s);
	size_t digits = strspn(slash + 1, "0123456789");
	if (!ip_parse(&ip, text) || digits == 0 || digits > 3 || slash[1 + digits])
		return false;
	int len = atoi(slash + 1);
	if (len > ip_bits(&ip))
		return false;
	*to = prefix_of(&ip, (uint8_t)len);
	return true;
}

/* Digits that an AS can have as its number. */
static bool is_number(const char *s)
{
	unsigned long long v = strtoull(s, NULL, 10);

	return v > 0 && v <= UINT32_MAX;
}

const char *net_meant(char to[NET_MEANT], const char *text)
{
	size_t digits = strspn(text, "0123456789");
	char prefix[PREFIX_TEXT];
	struct prefix p;

	to[0] = '\0';
	if (digits && digits <= 10 && !text[digits] && is_number(text))
		(void)snprintf(to, NET_MEANT, "; did you mean AS%s?", text);
	else if (prefix_around(&p, text))
		(void)snprintf(to, NET_MEANT, "; did you mean %s?", prefix_text(prefix, &p));
	else if (strchr(text, ','))
		(void)snprintf(to, NET_MEANT, "; one at a time");
	return to;
}

enum status atlas_net(struct net *to, const struct atlas *a, const char *text, struct arena *m, struct err *e)
{
	struct asked q = {.a = a, .to = to};
	struct prefix p = {0};
	char cc[3], shown[PREFIX_TEXT], meant[NET_MEANT];
	uint32_t asn;
	enum status st;

	*to = (struct net){0};
	if (asn_parse(text, &asn))
		st = asn_net(&q, asn, e);
	else if (country_parse(text, cc))
		st = country_net(&q, cc, e);
	else if (prefix_parse(&p, text))
		st = prefix_net(&q, &p, e);
	else
		st = err_set(e, STATUS_BAD,
			"%s is no NET: AS131279, a prefix (192.0.2.0/24) or a country (KP)%s",
			text[0] ? printable(shown, sizeof(shown), text) : "\"\"", net_meant(meant, text));
	if (st == STATUS_OK)
		st = lists_out(&q, m, e);
	free(q.asn.of);
	free(q.foreign.of);
	free(q.prefix.of);
	return st;
}
