/* From a case to a plan, from a plan to an order. */
#include "cli/blocking.h"

enum status planning_run(struct app *a, const struct place *p, struct tracer *t, const char *case_id,
	const struct planning *how, struct arena *arena, struct plan *plan, struct id *id, struct err *e)
{
	(void)a;
	(void)p;
	(void)t;
	(void)case_id;
	(void)how;
	(void)arena;
	(void)plan;
	(void)id;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
enum status block_prepare(struct app *a, const struct place *p, const struct block_request *r,
	struct arena *arena, struct block_order *to, struct err *e)
{
	(void)a;
	(void)p;
	(void)r;
	(void)arena;
	(void)to;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
enum status block_give(struct app *a, const struct place *p, const struct block_order *o, struct arena *arena,
	struct id *id, struct enforced *done, struct err *e)
{
	(void)a;
	(void)p;
	(void)o;
	(void)arena;
	(void)id;
	(void)done;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
