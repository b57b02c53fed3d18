/* A plan's text and an order's behind it: whatever both say, an order that passes has no rule that comes from
 * loopback, multicast, this machine or the never-block list, and none that is wider than may be.  The order
 * is given the plan's hash, which the fuzzer could not compute. */
#include <stdlib.h>

#include "block/want.h"
#include "block/guard.h"

#define NOW INT64_C(1795362120000000)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct protected list[] = {
	{{{4, {198, 51, 100}}, 28}, PROTECT_NEVER},
	{{{4, {192, 0, 2, 10}}, 32}, PROTECT_OWN},
	{{{6, {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}}, 128}, PROTECT_OWN},
};
static const struct prefix own[] = {
	{{4, {192, 0, 2}}, 24},
	{{6, {0x20, 0x01, 0x0d, 0xb8, 0, 1}}, 48},
};
static const struct guard guard = {.protected = list,
	.n_protected = sizeof(list) / sizeof(list[0]),
	.own = own,
	.n_own = sizeof(own) / sizeof(own[0]),
	.widest = {24, 48},
	.confirm = {28, 64},
	.max_rules = 1000,
	.max_for_us = 24 * WIDTH_HOUR_US,
	.skew_us = 60 * SECOND_US};

/* By their first bytes. */
static void from_check(const struct prefix *p)
{
	const uint8_t *b = p->ip.b;

	if (p->ip.v == 4 &&
		(p->len < 24 || b[0] == 0 || b[0] == 127 || b[0] >= 224 || (b[0] == 169 && b[1] == 254)))
		abort();
	if (p->ip.v == 4 && ((b[0] == 198 && b[1] == 51 && b[2] == 100 && b[3] < 16) ||
				    (b[0] == 192 && b[1] == 0 && b[2] == 2 && b[3] == 10)))
		abort();
	if (p->ip.v == 6 && (p->len < 48 || p->len > 64 || b[0] == 0 || b[0] == 0xff ||
				    (b[0] == 0x20 && b[1] == 0x02) || (b[0] == 0xfe && b[1] >> 6 == 2)))
		abort();
}

static void order_check(const struct order *o, struct arena *a)
{
	struct wish wish = {o, NULL};
	struct want *want;
	struct err e;
	size_t n;

	if (o->expires.us <= NOW || o->expires.us - o->made.us > guard.max_for_us ||
		o->n_rule > guard.max_rules)
		abort();
	for (size_t i = 0; i < o->n_rule; i++)
		from_check(&o->rule[i].from);
	if (want_merge(&wish, 1, (struct wall){NOW}, &want, &n, a, &e) != STATUS_OK || n != o->n_rule)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char begin[] = "weir-order/v1\n";
	const uint8_t *at = n ? memmem(p, n, begin, sizeof(begin) - 1) : NULL;
	struct arena a = {0};
	struct plan plan;
	struct order o;
	struct err e;

	if (at && plan_read(&plan, p, (size_t)(at - p), &a, &e) == STATUS_OK &&
		order_read(&o, at, n - (size_t)(at - p), &a, &e) == STATUS_OK) {
		memcpy(o.plan, plan.sha256, sizeof(o.plan));
		if (guard_order(&guard, &o, &plan, (struct wall){NOW}, &e) == STATUS_OK)
			order_check(&o, &a);
	}
	arena_free(&a);
	return 0;
}
