/* Options from tables, configuration, signals: see app.h. */
#include "cli/app.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define OPTIONS_MAX 16

volatile sig_atomic_t stop_requested;

static void on_signal(int sig)
{
	(void)sig;
	stop_requested = 1;
}

void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
}

static bool port_parse(int *to, const char *s)
{
	char *end;
	long v = strtol(s, &end, 10);

	*to = (int)v;
	return *s && !*end && v > 0 && v <= 65535;
}

static bool texts_add(struct texts *to, const char *text)
{
	bool room = to->n < TEXTS_MAX;

	if (room)
		to->text[to->n++] = text;
	return room;
}

static bool count_parse(int64_t *to, const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 15 || strspn(s, "0123456789") != n)
		return false;
	*to = strtoll(s, NULL, 10);
	return true;
}

static bool value_set(const struct option_row *row, const char *text)
{
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->to = true;
		return true;
	case OPTION_TEXT:
		*(const char **)row->to = text;
		return *text != '\0';
	case OPTION_TIME:
		return wall_parse(row->to, text);
	case OPTION_IP:
		return ip_parse(row->to, text);
	case OPTION_PORT:
		return port_parse(row->to, text);
	case OPTION_SIZE:
		return size_parse(row->to, text);
	case OPTION_ALPHA:
		return alpha_parse(row->to, text);
	case OPTION_LIST:
		return *text && texts_add(row->to, text);
	case OPTION_SPAN:
		return span_parse(row->to, text) && *(int64_t *)row->to > 0;
	case OPTION_COUNT:
		return count_parse(row->to, text);
	}
	return false;
}

/* What a value may be, for whoever gave another. */
static const char *takes(enum option_kind kind)
{
	switch (kind) {
	case OPTION_FLAG:
		return "no value";
	case OPTION_TEXT:
		return "a text that is not empty";
	case OPTION_TIME:
		return "a time as 2026-11-22T15:42:00Z (RFC 3339), a date, or seconds since 1970";
	case OPTION_IP:
		return "an address, without prefix length, port or brackets";
	case OPTION_PORT:
		return "a port, 1 to 65535";
	case OPTION_SIZE:
		return "a size such as 20G (K, M, G, T, P; 0: no cap)";
	case OPTION_ALPHA:
		return "a number above 0 and at most 0.5";
	case OPTION_LIST:
		return "a text that is not empty, at most 64 times";
	case OPTION_SPAN:
		return "a time such as 45s, 10m, 1h30m or 2d";
	case OPTION_COUNT:
		return "a number";
	}
	return "something else";
}

#define OPTION_JSON 255 /* what getopt_long() answers for --json; for row k it is 256 + k */

/* getopt_long's tables out of ours.  The colon in front has it tell a missing value from an unknown option.
 */
static void tables(const struct option_row *row, size_t n, struct option *o, char *letters)
{
	size_t l = 0;

	letters[l++] = ':';
	letters[l++] = 'C';
	letters[l++] = ':';
	for (size_t k = 0; k < n; k++) {
		o[k] = (struct option){row[k].name,
			row[k].kind == OPTION_FLAG ? no_argument : required_argument, NULL, 256 + (int)k};
		if (!row[k].letter)
			continue;
		letters[l++] = row[k].letter;
		if (row[k].kind != OPTION_FLAG)
			letters[l++] = ':';
	}
	o[n] = (struct option){"json", no_argument, NULL, OPTION_JSON};
	o[n + 1] = (struct option){0};
	letters[l] = '\0';
}

/* c is '?' or ':' of getopt_long(), word what it read last. */
static enum status option_bad(const struct app *a, int c, const char *word, struct err *e)
{
	char letter[] = {'-', (char)optopt, '\0'}, safe[80];
	const char *what = "unknown option";

	if (c == ':')
		what = "needs a value";
	else if (optopt >= OPTION_JSON)
		what = "takes no value";
	if (optopt > 0 && optopt < OPTION_JSON)
		word = letter;
	return err_set(e, STATUS_BAD, "%s: %s (see weir help %s)", printable(safe, sizeof(safe), word), what,
		a->command);
}

/* Takes one option, that getopt_long() answered c for. */
static enum status option_take(struct app *a, const struct option_row *row, size_t n, int c, struct err *e)
{
	size_t k = 0;

	if (c == 'C') {
		a->dir = optarg;
		a->dir_given = true;
	}
	if (c == OPTION_JSON)
		a->json = true;
	if (c == 'C' || c == OPTION_JSON)
		return STATUS_OK;
	if (c >= 256)
		k = (size_t)(c - 256);
	else
		while (k < n && row[k].letter != c)
			k++;
	if (k < n && !value_set(&row[k], optarg))
		return err_set(
			e, STATUS_BAD, "--%s %s: it takes %s", row[k].name, optarg, takes(row[k].kind));
	return STATUS_OK;
}

/* --since after --until finds nothing, which would look like an answer. */
static enum status times_ordered(const struct option_row *row, size_t n, struct err *e)
{
	const struct wall *since = NULL, *until = NULL;
	char from[WALL_TEXT], to[WALL_TEXT];

	for (size_t k = 0; k < n; k++) {
		if (row[k].kind == OPTION_TIME && strcmp(row[k].name, "since") == 0)
			since = row[k].to;
		if (row[k].kind == OPTION_TIME && strcmp(row[k].name, "until") == 0)
			until = row[k].to;
	}
	if (!since || !until || since->us <= until->us)
		return STATUS_OK;
	return err_set(e, STATUS_BAD, "--since %s is after --until %s", wall_text(from, *since),
		wall_text(to, *until));
}

enum status options_parse(struct app *a, const struct option_row *row, size_t n, int argc, char **argv,
	int *first, struct err *e)
{
	struct option o[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 8];
	enum status s = STATUS_OK;
	int c;

	if (n > OPTIONS_MAX)
		return err_set(e, STATUS_MACHINE, "too many options in a table");
	tables(row, n, o, letters);
	opterr = 0;
	optind = 1;
	while (s == STATUS_OK && (c = getopt_long(argc, argv, letters, o, NULL)) != -1)
		s = c == '?' || c == ':' ? option_bad(a, c, argv[optind - 1], e)
					 : option_take(a, row, n, c, e);
	*first = optind;
	return s == STATUS_OK ? times_ordered(row, n, e) : s;
}

enum status app_config(struct app *a, struct err *e)
{
	return config_load(&a->cfg, a->dir, e);
}

/* Is there a segment at all?  What cannot be looked at is the reader's to say. */
static bool recorded(const char *dir)
{
	char path[PATH_MAX];
	struct dirent *d;
	bool any = false;

	if (snprintf(path, sizeof(path), "%s/trains", dir) >= (int)sizeof(path))
		return true;
	DIR *at = opendir(path);
	if (!at)
		return errno != ENOENT && errno != ENOTDIR;
	while (!any && (d = readdir(at)) != NULL)
		any = d->d_name[0] != '.';
	(void)closedir(at);
	return any;
}

void say_unrecorded(const struct app *a)
{
	if (!recorded(a->dir))
		log_line("%s: holds no recording yet", a->dir);
}

char *amount(char to[32], uint64_t bytes)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double v = (double)bytes;
	size_t k = 0;

	for (; v >= 1000 && k + 1 < sizeof(unit) / sizeof(unit[0]); k++)
		v /= 1000;
	(void)snprintf(to, 32, k ? "%.1f %s" : "%.0f %s", v, unit[k]);
	return to;
}
