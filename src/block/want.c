/* What the orders in force want together: see want.h. */
#include "block/want.h"

enum status want_merge(struct wish *wish, size_t n, struct wall now, struct want **to, size_t *n_want,
	struct arena *a, struct err *e)
{
	(void)wish;
	(void)n;
	(void)now;
	(void)to;
	(void)n_want;
	(void)a;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
