/* Any bytes are an order or are refused; what is taken is written again to the same bytes, and its rules are
 * sorted, each match once. */
#include <stdlib.h>

#include "block/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct buf b = {0};
	struct order o;
	struct err e;

	if (order_read(&o, p, n, &a, &e) == STATUS_OK) {
		order_write(&b, &o);
		if (b.failed || b.n != n || memcmp(b.p, p, n) != 0 || o.n_rule == 0 ||
			o.n_rule > PLAN_ACTIONS)
			abort();
		for (size_t i = 0; i < o.n_rule; i++)
			if (!rule_valid(&o.rule[i]) ||
				(i > 0 && (rule_compare(&o.rule[i - 1], &o.rule[i]) >= 0 ||
						  rule_same_match(&o.rule[i - 1], &o.rule[i]))))
				abort();
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
