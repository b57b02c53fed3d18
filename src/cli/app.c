/* Options from tables, configuration, signals: see app.h. */
#include "cli/app.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 16

volatile int stop_requested;

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
	}
	return false;
}

/* getopt_long's tables out of ours; option k has the value 256 + k. */
static void tables(const struct option_row *row, size_t n, struct option *o, char *letters)
{
	size_t l = 0;

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
	o[n] = (struct option){"json", no_argument, NULL, 'J'};
	o[n + 1] = (struct option){0};
	letters[l] = '\0';
}

enum status options_parse(struct app *a, const struct option_row *row, size_t n, int argc, char **argv,
	int *first, struct err *e)
{
	struct option o[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 4];
	int c;

	if (n > OPTIONS_MAX)
		return err_set(e, STATUS_MACHINE, "too many options in a table");
	tables(row, n, o, letters);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, letters, o, NULL)) != -1) {
		size_t k = n;
		if (c == 'C')
			a->dir = optarg;
		else if (c == 'J')
			a->json = true;
		else if (c >= 256)
			k = (size_t)(c - 256);
		else
			for (k = 0; k < n && row[k].letter != c; k++)
				;
		if (c == '?' || (k == n && c != 'C' && c != 'J'))
			return err_set(e, STATUS_BAD,
				"%s: unknown option or missing value (see weir help %s)", argv[optind - 1],
				argv[0]);
		if (k < n && !value_set(&row[k], optarg))
			return err_set(e, STATUS_BAD, "--%s %s: not a value that this option takes",
				row[k].name, optarg);
	}
	*first = optind;
	return STATUS_OK;
}

enum status app_config(struct app *a, struct err *e)
{
	return config_load(&a->cfg, a->dir, e);
}

char *thousands(char to[32], uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v), k = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			to[k++] = ',';
		to[k++] = digits[i];
	}
	to[k] = '\0';
	return to;
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
