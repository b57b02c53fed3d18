/* The enforcer: see enforcer.h. */
#include "block/enforcer.h"

enum status enforcer_open(struct enforcer **to, const struct world *w, const char *dir, struct case_db *db,
	const struct config *cfg, const struct backend *b, struct err *e)
{
	(void)to;
	(void)w;
	(void)dir;
	(void)db;
	(void)cfg;
	(void)b;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
enum status enforcer_round(
	struct enforcer *f, bool look, struct arena *a, struct hand_reply *to, struct err *e)
{
	(void)f;
	(void)look;
	(void)a;
	(void)to;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
enum status enforcer_run(struct enforcer *f, int64_t tick_us, const volatile int *stop, struct err *e)
{
	(void)f;
	(void)tick_us;
	(void)stop;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
void enforcer_close(struct enforcer *f)
{
	(void)f;
}
enum status enforce_once(struct enforced *to, const struct world *w, const char *dir, struct case_db *db,
	const struct config *cfg, const struct backend *b, bool look, struct arena *a, struct err *e)
{
	(void)to;
	(void)w;
	(void)dir;
	(void)db;
	(void)cfg;
	(void)b;
	(void)look;
	(void)a;
	return err_set(e, STATUS_MACHINE, "not built yet");
}
