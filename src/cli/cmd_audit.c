/* weir audit: does the link test's null hold on this recording? */
#include "cli/app.h"

#include "trace/audit.h"

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	(void)a;
	(void)argc;
	(void)argv;
	return err_set(e, STATUS_BAD, "audit: not there yet");
}

const struct command command_audit = {
	"audit", "[--pairs N] [--since T] [--until T]", "does the link test hold on my own traffic?", run};
