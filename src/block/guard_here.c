/* What must never be blocked on this machine: see guard_here.h. */
#include "block/guard_here.h"

enum status guard_here(struct guard *to, const struct config *cfg, struct arena *a, struct err *e)
{
	(void)to;
	(void)cfg;
	(void)a;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
