/* weir: one program, a table of commands.  Global options, dispatch, one message and one exit status at
 * the end. */
#include "cli/app.h"
#include "cli/networks.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const struct command *const commands[] = {&command_record, &command_flows, &command_forget,
	&command_case, &command_trace, &command_scan, &command_audit, &command_map, &command_why,
	&command_config, &command_init, &command_key, &command_ledger, &command_bundle, &command_verify,
	&command_answer, &command_plan, &command_block, &command_blocks, &command_unblock, &command_reconcile,
	&command_enforce, &command_watch};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	(void)fputs("weir finds the network that a relayed attack comes from and proves it to a sceptic.\n\n"
		    "usage: weir [-C DIR] [--json] COMMAND ...\n\n",
		to);
	for (size_t i = 0; i < N_COMMANDS; i++)
		(void)fprintf(to, "  %-9s %s\n            %s\n", commands[i]->name, commands[i]->args,
			commands[i]->does);
	(void)fputs("\nDIR holds everything; default $WEIR_DIR, else ./weir-data.  FLOW is an id or `tcp A:P "
		    "> B:P`.\n"
		    "Exit status: 0 done or yes, 1 no, 2 usage or bad input, 3 the machine failed.  Manual: "
		    "man weir.\n",
		to);
}

/* What is a word of its own and no command: it needs no DIR. */
static const struct word {
	const char *name, *args, *does;
} words[] = {{"help", "[COMMAND]", "all commands in a line or two each, or one"},
	{"version", "", "print the version"}};

static const struct word *word_find(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static enum status help(int argc, char **argv, struct err *e)
{
	const struct command *c = argc > 1 ? find(argv[1]) : NULL;

	const struct word *w = argc > 1 ? word_find(argv[1]) : NULL;

	if (argc > 1 && !c && !w)
		return err_set(e, STATUS_BAD, "%s: no such command (see weir help)", argv[1]);
	if (c)
		(void)printf("usage: weir [-C DIR] [--json] %s %s\n%s\n", c->name, c->args, c->does);
	else if (w)
		(void)printf("usage: weir %s%s%s\n%s\n", w->name, *w->args ? " " : "", w->args, w->does);
	else
		usage(stdout);
	return STATUS_OK;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Global options before the command, whose index goes to *at. */
static enum status globals(struct app *a, int argc, char **argv, int *at, struct err *e)
{
	const char *dir = NULL;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "-C") == 0 && i + 1 < argc)
			dir = argv[++i];
		else if (strncmp(argv[i], "-C", 2) == 0 && argv[i][2])
			dir = argv[i] + 2;
		else if (is_help(argv[i]) || strcmp(argv[i], "--version") == 0)
			break;
		else
			return err_set(e, STATUS_BAD, "%s: %s (see weir help)", argv[i],
				strcmp(argv[i], "-C") == 0 ? "needs a value" : "unknown option");
	}
	*at = i;
	a->dir_given = dir != NULL;
	a->dir = dir ? dir : a->dir;
	if (i < argc)
		return STATUS_OK;
	usage(stderr);
	return err_set(e, STATUS_BAD, "no command given");
}

/* Is help asked for, behind the command or its verb? */
static bool help_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc && i <= 2; i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

static enum status dispatch(struct app *a, int argc, char **argv, struct err *e)
{
	int i = 0;
	enum status s = globals(a, argc, argv, &i, e);

	if (s != STATUS_OK)
		return s;
	if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "version") == 0) {
		(void)printf("weir %s\n", WEIR_VERSION);
		return STATUS_OK;
	}
	if (strcmp(argv[i], "help") == 0 || is_help(argv[i]))
		return help(argc - i, argv + i, e);
	const struct command *c = find(argv[i]);
	if (!c)
		return err_set(e, STATUS_BAD, "%s: no such command (see weir help)", argv[i]);
	a->command = c->name;
	if (help_wanted(argc - i, argv + i))
		return help(2, (char *[]){argv[0], argv[i]}, e);
	if (!c->networks || !networks_begin(a))
		return c->run(a, argc - i, argv + i, e);
	return networks_end(a, c->run(a, argc - i, argv + i, e), e);
}

/* A standard stream that is closed stays unusable, but keeps its number: else the next file that is opened,
 * a segment of the recording, would get it and what is printed with it.  (Reading only: a write fails.) */
static void keep_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* Has whoever read standard output gone, as head(1) does?  Asked of the pipe, for SIGPIPE is ignored: on
 * standard error it would end a recorder. */
static bool reader_gone(void)
{
	struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR);
}

/* The status, where the output could be written; who wants no more of it is told nothing. */
static enum status output_end(const struct app *a, enum status s, struct err *e)
{
	bool lost = fflush(stdout) != 0 || ferror(stdout);

	if (!lost || (s >= STATUS_BAD && !a->unwritten))
		return s;
	if (reader_gone())
		return a->unwritten ? STATUS_OK : s;
	return a->unwritten ? s : err_errno(e, "standard output");
}

int main(int argc, char **argv)
{
	const char *env = getenv("WEIR_DIR");
	struct app a = {.w = &world_real, .dir = env && *env ? env : "weir-data", .out = stdout};
	struct err e = {0};

	keep_standard_streams();
	(void)setlocale(LC_CTYPE, "");
	(void)signal(SIGPIPE, SIG_IGN);
	enum status s = dispatch(&a, argc, argv, &e);
	s = output_end(&a, s, &e);
	if (s != STATUS_OK && e.text[0])
		log_line("%s", e.text);
	config_free(&a.cfg);
	return (int)s;
}
