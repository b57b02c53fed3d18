/* The guard: see guard.h. */
#include "block/guard.h"

enum status guard_rule(const struct guard *g, const struct rule *r, struct err *e)
{
	(void)g;
	(void)r;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
enum status guard_order(
	const struct guard *g, const struct order *o, const struct plan *plan, struct wall now, struct err *e)
{
	(void)g;
	(void)o;
	(void)plan;
	(void)now;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
