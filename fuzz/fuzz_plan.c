/* Any bytes are a plan or are refused; what is taken is written again to the same bytes and keeps the bounds
 * that an order's check relies on. */
#include <stdlib.h>

#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void option_check(const struct option *o)
{
	if (o->n_action > PLAN_ACTIONS || o->n_way > PLAN_WAYS || o->for_us < 0 ||
		!(o->stops >= 0 && o->stops <= 1))
		abort();
	for (size_t i = 0; i < o->n_action; i++)
		if (!rule_valid(&o->action[i].rule) || strlen(o->action[i].place) > PLAN_TEXT_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct buf b = {0};
	struct plan plan;
	struct err e;

	if (plan_read(&plan, p, n, &a, &e) == STATUS_OK) {
		plan_write(&b, &plan);
		if (b.failed || b.n != n || memcmp(b.p, p, n) != 0 || plan.n_option > PLAN_OPTIONS)
			abort();
		for (uint32_t k = 1; k <= plan.n_option; k++) {
			if (plan_option(&plan, k) != &plan.option[k - 1])
				abort();
			option_check(&plan.option[k - 1]);
		}
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
