/* The neutral rule: its notation, its order, and which rule does what another does.  See rule.h.
 *
 * The notation is read word by word and then compared with what rule_text() writes, so that one rule has one
 * text and nothing is read in two ways. */
#include "plan/rule.h"

#include "record/flow.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PROTO_TEXT  8  /* what proto_name() needs */
#define DECIMAL_MAX 10 /* digits of 32 bits */

static const char any[] = "any";
static const char *const action_words[] = {[RULE_DROP] = "drop", [RULE_RATE] = "rate"};

/* ---- what is well-formed ---- */

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP || proto == PROTO_DCCP ||
	       proto == PROTO_UDPLITE;
}

static bool prefix_valid(const struct prefix *p)
{
	struct prefix same;

	if ((p->ip.v != 4 && p->ip.v != 6) || p->len > ip_bits(&p->ip))
		return false;
	same = prefix_of(&p->ip, p->len);
	return ip_equal(&same.ip, &p->ip);
}

bool rule_valid(const struct rule *r)
{
	bool rate_fits = r->action == RULE_RATE ? r->rate > 0 && r->rate <= RULE_RATE_MAX : r->rate == 0;

	/* "any" has no family: one end must have one */
	return prefix_valid(&r->from) && prefix_valid(&r->to) && r->from.ip.v == r->to.ip.v &&
	       (r->from.len > 0 || r->to.len > 0) && (r->port == 0 || has_ports(r->proto)) &&
	       (unsigned)r->action < N_OF(action_words) && rate_fits;
}

/* ---- notation ---- */

/* These write at `to` and return what follows; no zero behind it.  Plans have ten thousands of rules, which
 * is why it is not snprintf(). */

static char *put_text(char *to, const char *s)
{
	size_t n = strlen(s);

	memcpy(to, s, n);
	return to + n;
}

static char *put_number(char *to, uint32_t v)
{
	char digit[DECIMAL_MAX];
	size_t n = 0;

	do
		digit[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n > 0)
		*to++ = digit[--n];
	return to;
}

static char *put_prefix(char *to, const struct prefix *p)
{
	char ip[IP_TEXT];

	if (p->len == 0)
		return put_text(to, any);
	if (p->ip.v == 4) {
		for (size_t i = 0; i < 4; i++) {
			to = put_number(to, p->ip.b[i]);
			*to++ = i < 3 ? '.' : '/';
		}
		return put_number(to, p->len);
	}
	to = put_text(put_text(to, ip_text(ip, &p->ip)), "/");
	return put_number(to, p->len);
}

char *rule_text(char to[RULE_TEXT], const struct rule *r)
{
	char proto[PROTO_TEXT], *p = put_text(to, action_words[r->action == RULE_RATE]);

	if (r->action == RULE_RATE)
		p = put_number(put_text(p, " "), r->rate);
	p = put_prefix(put_text(p, " from "), &r->from);
	p = put_prefix(put_text(p, " to "), &r->to);
	p = put_text(put_text(p, " "), r->proto ? proto_name(proto, r->proto) : any);
	p = put_text(p, " ");
	p = r->port ? put_number(p, r->port) : put_text(p, any);
	*p = '\0';
	return to;
}

/* Takes the next word off s, which is cut into strings; "" at the end. */
static const char *word(char **s)
{
	char *start = *s, *blank = strchr(start, ' ');

	*s = blank ? blank + 1 : start + strlen(start);
	if (blank)
		*blank = '\0';
	return start;
}

/* Decimal, at most max; a leading zero is found when the text is compared. */
static bool number(uint32_t *to, const char *s, uint32_t max)
{
	uint64_t v = 0;
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > DECIMAL_MAX || s[n])
		return false;
	for (; *s; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	*to = (uint32_t)v;
	return v <= max;
}

static bool net(struct prefix *to, const char *s)
{
	*to = (struct prefix){0};
	return strcmp(s, any) == 0 || prefix_parse(to, s);
}

/* Into *to, loosely: the comparison with its text finds what is left. */
static bool words(struct rule *to, char *s)
{
	uint32_t port = 0;

	to->action = strcmp(word(&s), action_words[RULE_RATE]) == 0 ? RULE_RATE : RULE_DROP;
	if (to->action == RULE_RATE && !number(&to->rate, word(&s), RULE_RATE_MAX))
		return false;
	if (strcmp(word(&s), "from") != 0 || !net(&to->from, word(&s)) || strcmp(word(&s), "to") != 0 ||
		!net(&to->to, word(&s)))
		return false;
	const char *proto = word(&s), *p = word(&s);
	if (strcmp(proto, any) != 0 && !proto_parse(&to->proto, proto))
		return false;
	if (strcmp(p, any) != 0 && !number(&port, p, UINT16_MAX))
		return false;
	to->port = (uint16_t)port;
	/* "any" is of the other end's family */
	to->from.ip.v = to->from.len ? to->from.ip.v : to->to.ip.v;
	to->to.ip.v = to->to.len ? to->to.ip.v : to->from.ip.v;
	return true;
}

bool rule_parse(struct rule *to, const char *s)
{
	char copy[RULE_TEXT], text[RULE_TEXT];
	size_t n = strnlen(s, sizeof(copy));

	*to = (struct rule){0};
	if (n == sizeof(copy))
		return false;
	memcpy(copy, s, n + 1);
	return words(to, copy) && rule_valid(to) && strcmp(rule_text(text, to), s) == 0;
}

/* ---- order ---- */

static int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int c = ip_compare(&a->ip, &b->ip);

	return c ? c : a->len - b->len;
}

static int match_compare(const struct rule *a, const struct rule *b)
{
	int c = prefix_compare(&a->from, &b->from);

	c = c ? c : prefix_compare(&a->to, &b->to);
	c = c ? c : a->proto - b->proto;
	return c ? c : a->port - b->port;
}

int rule_compare(const struct rule *a, const struct rule *b)
{
	int c = match_compare(a, b);

	c = c ? c : (int)a->action - (int)b->action;
	return c ? c : (a->rate > b->rate) - (a->rate < b->rate);
}

bool rule_same_match(const struct rule *a, const struct rule *b)
{
	return match_compare(a, b) == 0;
}

/* ---- which does what another does ---- */

static bool prefix_within(const struct prefix *narrow, const struct prefix *wide)
{
	return narrow->len >= wide->len && prefix_has(wide, &narrow->ip);
}

/* A drop is harsher than any rate, and a lower rate harsher than a higher one. */
static bool no_harsher(const struct rule *a, const struct rule *b)
{
	return b->action == RULE_DROP || (a->action == RULE_RATE && a->rate >= b->rate);
}

bool rule_within(const struct rule *narrow, const struct rule *wide)
{
	return prefix_within(&narrow->from, &wide->from) && prefix_within(&narrow->to, &wide->to) &&
	       (wide->proto == 0 || wide->proto == narrow->proto) &&
	       (wide->port == 0 || wide->port == narrow->port) && no_harsher(narrow, wide);
}

bool rule_hits(const struct rule *r, uint8_t proto, const struct endpoint *src, const struct endpoint *dst)
{
	return prefix_has(&r->from, &src->ip) && prefix_has(&r->to, &dst->ip) &&
	       (r->proto == 0 || r->proto == proto) && (r->port == 0 || r->port == dst->port);
}

/* ---- whom nobody blocks ---- */

#define V4(len, ...)                                                                                         \
	{                                                                                                    \
		{4, {__VA_ARGS__}}, len                                                                      \
	}
#define V6(len, ...)                                                                                         \
	{                                                                                                    \
		{6, {__VA_ARGS__}}, len                                                                      \
	}

/* Whoever blocks one of these blocks nobody who attacks, or another than he thinks: what carries an IPv4
 * address in IPv6 could name a protected one.  NAT64 (RFC 6052, 8215) lies in ::/8 (RFC 4291 section 2.5) and
 * stands before it for its words; 6to4 is RFC 3056, Teredo RFC 4380. */
static const struct {
	struct prefix prefix;
	const char *what;
} nobodys[] = {
	{V4(8, 0), "unspecified"},
	{V4(8, 127), "loopback"},
	{V4(16, 169, 254), "link-local"},
	{V4(3, 224), "multicast, reserved or broadcast"},
	{V6(96, 0x00, 0x64, 0xff, 0x9b), "NAT64: an IPv4 address in IPv6"},
	{V6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), "NAT64: an IPv4 address in IPv6"},
	{V6(8, 0), "unspecified, loopback, or IPv4 in IPv6"},
	{V6(16, 0x20, 0x02), "6to4: an IPv4 address in IPv6"},
	{V6(32, 0x20, 0x01), "Teredo: an IPv4 address in IPv6"},
	{V6(10, 0xfe, 0x80), "link-local"},
	{V6(8, 0xff), "multicast"},
};

const char *prefix_nobodys(const struct prefix *p, const struct prefix **with)
{
	for (size_t i = 0; i < N_OF(nobodys); i++)
		if (prefix_touches(p, &nobodys[i].prefix)) {
			*with = &nobodys[i].prefix;
			return nobodys[i].what;
		}
	return NULL;
}

/* ---- how wide ---- */

struct prefix rule_host(const struct ip *ip)
{
	return prefix_of(ip, ip->v == 4 ? RULE_HOST4 : RULE_HOST6);
}

bool rule_is_host(const struct prefix *p)
{
	return p->len >= (p->ip.v == 4 ? RULE_HOST4 : RULE_HOST6);
}

enum width rule_width(const struct rule *r, int64_t for_us)
{
	if (!rule_is_host(&r->from))
		return WIDTH_WIDE;
	if (r->action == RULE_RATE)
		return WIDTH_RATE;
	return for_us <= WIDTH_HOUR_US ? WIDTH_HOST : WIDTH_WIDE;
}

const char *width_name(enum width w)
{
	static const char *const name[WIDTHS] = {[WIDTH_RATE] = "rate limit",
		[WIDTH_HOST] = "one host for an hour",
		[WIDTH_WIDE] = "a prefix or longer"};

	return name[w];
}
