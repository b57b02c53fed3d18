/* Making a plan: see make.h. */
#include "plan/make.h"

enum status case_evidence(const struct attack_case *c, struct id *to, struct err *e)
{
	(void)c;
	(void)to;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
enum status plan_make(
	struct plan *to, const struct plan_param *p, const char *case_id, struct arena *a, struct err *e)
{
	(void)to;
	(void)p;
	(void)case_id;
	(void)a;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
