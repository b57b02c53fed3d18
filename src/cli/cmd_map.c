/* weir map: who depends on whom, and whose cooperation would cut a network off; a table of verbs. */
#include "cli/map_ask.h"

#include <string.h>

#include "cli/map_load.h"

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	static const struct {
		const char *name;
		enum status (*run)(struct app *a, int argc, char **argv, struct err *e);
	} verbs[] = {{"load", map_load_run}, {"list", map_list_run}, {"forget", map_forget_run},
		{"depend", map_depend}, {"cut", map_cut}, {"whatif", map_whatif}, {"name", map_name}};

	for (size_t v = 0; argc > 1 && v < sizeof(verbs) / sizeof(verbs[0]); v++)
		if (strcmp(argv[1], verbs[v].name) == 0)
			return verbs[v].run(a, argc - 1, argv + 1, e);
	return err_set(e, STATUS_BAD, "map: load, list, forget, depend, cut, whatif or name");
}

const struct command command_map = {"map",
	"load FILE... [--threads N] | list | forget ID | depend NET [--svg FILE] |\n"
	"            cut NET [--unwilling NET,...] [--size K] [--svg FILE] | whatif --blocks NET,... "
	"[--target NET] "
	"|\n"
	"            name ADDRESS...; all but load and forget: [--at TIME] [--within DAYS]",
	"who depends on whom, and whose cooperation would cut a network off", run};
