/* weir block. */
#include "cli/blocking.h"

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	(void)a;
	(void)argc;
	(void)argv;
	return err_set(e, STATUS_MACHINE, "not built yet");
}

const struct command command_block = {"block", "", "", run};
