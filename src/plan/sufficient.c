/* Is the evidence enough: see sufficient.h. */
#include "plan/sufficient.h"

void sufficient(
	struct sufficiency *to, const struct path *p, size_t step, enum width w, const struct alphas *a)
{
	(void)p;
	(void)step;
	(void)w;
	(void)a;
	*to = (struct sufficiency){.missing = "not built yet"};
}
