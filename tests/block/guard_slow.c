/* The safety rules of an order once more, slowly and in few words: for guard_fuzz.  No code of the guard's,
 * of plan/rule.c's or of base/ip.c's but the reading of an address; prefixes are looked at bit by bit, times
 * in 128 bits. */
#include <string.h>

#include "guard_scene.h"

static unsigned slow_bit(const struct ip *ip, unsigned i)
{
	return ((unsigned)ip->b[i / 8] >> (7 - i % 8)) & 1U;
}

/* The first addresses of two prefixes agree in as many bits as both fix. */
static bool slow_meet(const struct prefix *a, const struct prefix *b)
{
	if (a->ip.v != b->ip.v)
		return false;
	for (unsigned i = 0; i < a->len && i < b->len; i++)
		if (slow_bit(&a->ip, i) != slow_bit(&b->ip, i))
			return false;
	return true;
}

static bool slow_meet_text(const struct prefix *p, const char *s)
{
	struct prefix other = net(s);

	return slow_meet(p, &other);
}

static const char *const slow_always[] = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8",
	"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fe80::/10", "ff00::/8"};
static bool slow_protected(const struct scene *s, const struct prefix *p)
{
	bool any = false;

	for (size_t i = 0; i < N_OF(slow_always); i++)
		any = any || slow_meet_text(p, slow_always[i]);
	for (size_t i = 0; i < s->guard.n_protected; i++)
		any = any || slow_meet(p, &s->guard.protected[i].prefix);
	return any;
}

static bool slow_inbound(const struct scene *s, const struct prefix *from)
{
	for (size_t i = 0; i < s->guard.n_own; i++)
		if (slow_meet(from, &s->guard.own[i]))
			return false;
	for (size_t i = 0; i < s->guard.n_protected; i++)
		if (s->guard.protected[i].why == PROTECT_OWN &&
			slow_meet(from, &s->guard.protected[i].prefix))
			return false;
	return true;
}

static bool slow_rule(const struct scene *s, const struct rule *r)
{
	bool six = r->from.ip.v == 6;

	if (r->from.len == 0 || r->from.len < (six ? 48 : 24) || (six && r->from.len > 64))
		return false;
	if (slow_protected(s, &r->from))
		return false;
	return slow_inbound(s, &r->from) || !slow_protected(s, &r->to);
}

static bool slow_inside(const struct prefix *narrow, const struct prefix *wide)
{
	return slow_meet(narrow, wide) && narrow->len >= wide->len;
}

static uint64_t passes(const struct rule *r)
{
	return r->action == RULE_DROP ? 0 : r->rate;
}

static bool slow_planned(const struct rule *r, const struct option *o)
{
	bool any = false;

	for (size_t i = 0; i < o->n_action; i++) {
		const struct rule *a = &o->action[i].rule;
		any = any || (strcmp(o->action[i].place, "") == 0 && slow_inside(&r->from, &a->from) &&
				     slow_inside(&r->to, &a->to) && (!a->proto || a->proto == r->proto) &&
				     (!a->port || a->port == r->port) && passes(r) >= passes(a));
	}
	return any;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool slow_two(const struct order *o)
{
	const char *a = o->by[0], *b = o->by[1];

	if (!*a || !*b)
		return false;
	for (; *a && lower(*a) == lower(*b); a++)
		b++;
	return *a || *b;
}

static bool slow_times(const struct scene *s, const struct option *plan)
{
	__int128 begin = s->order.made.us, end = s->order.expires.us, now = s->now.us;
	__int128 last = INT64_C(7258118400000000); /* 2200-01-01 */

	return begin >= 0 && begin <= last && end >= 0 && end <= last && begin <= now + MINUTE && end > now &&
	       end > begin && end - begin <= s->guard.max_for_us && end - begin <= plan->for_us;
}

bool slow_order(const struct scene *s)
{
	const struct order *o = &s->order;
	const struct option *plan = o->option == 1 || o->option == 2 ? &s->option[o->option - 1] : NULL;
	bool good = plan && strcmp(o->plan, s->plan.sha256) == 0 &&
		    memcmp(&o->case_id, &s->plan.case_id, 16) == 0 &&
		    (plan->sufficient || *o->override_why) && slow_times(s, plan) && o->n_rule > 0 &&
		    o->n_rule <= s->guard.max_rules;

	for (size_t i = 0; good && i < o->n_rule; i++) {
		const struct rule *r = &o->rule[i];
		bool wide = r->from.len < (r->from.ip.v == 6 ? 64 : 28);
		good = slow_rule(s, r) && slow_planned(r, plan) && (!wide || slow_two(o));
	}
	return good;
}
