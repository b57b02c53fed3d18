/* The neutral rule: see rule.h. */
#include "plan/rule.h"

bool rule_valid(const struct rule *r)
{
	(void)r;
	return false;
}
char *rule_text(char to[RULE_TEXT], const struct rule *r)
{
	(void)r;
	to[0] = 0;
	return to;
}
bool rule_parse(struct rule *to, const char *s)
{
	(void)to;
	(void)s;
	return false;
}
int rule_compare(const struct rule *a, const struct rule *b)
{
	return memcmp(a, b, sizeof(*a));
}
bool rule_same_match(const struct rule *a, const struct rule *b)
{
	(void)a;
	(void)b;
	return false;
}
bool rule_within(const struct rule *a, const struct rule *b)
{
	(void)a;
	(void)b;
	return false;
}
bool rule_hits(const struct rule *r, uint8_t proto, const struct endpoint *src, const struct endpoint *dst)
{
	(void)r;
	(void)proto;
	(void)src;
	(void)dst;
	return false;
}
struct prefix rule_host(const struct ip *ip)
{
	return prefix_of(ip, ip->v == 4 ? RULE_HOST4 : RULE_HOST6);
}
bool rule_is_host(const struct prefix *p)
{
	(void)p;
	return false;
}
enum width rule_width(const struct rule *r, int64_t for_us)
{
	(void)r;
	(void)for_us;
	return WIDTH_WIDE;
}
const char *width_name(enum width w)
{
	(void)w;
	return "";
}
