/* The canonical text of a plan: see plan.h. */
#include "plan/plan.h"

void plan_write(struct buf *to, const struct plan *p)
{
	(void)p;
	buf_put(to, "x", 1);
}
enum status plan_read(struct plan *to, const void *text, size_t n, struct arena *a, struct err *e)
{
	(void)to;
	(void)text;
	(void)n;
	(void)a;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
const struct option *plan_option(const struct plan *p, uint32_t k)
{
	for (size_t i = 0; i < p->n_option; i++)
		if (p->option[i].k == k)
			return &p->option[i];
	return NULL;
}
