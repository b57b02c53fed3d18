#include "cli/app.h"

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	(void)a;
	(void)argc;
	(void)argv;
	return err_set(e, STATUS_BAD, "not yet");
}

const struct command command_key = {"key", "", "", run};
