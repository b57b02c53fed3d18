/* Drives the back end for ExaBGP as the enforcer would, but without orders, keys or rights: ExaBGP runs this
 * as its process.
 *
 *     exabgp_drive DIR
 *
 * DIR/rules has a rule a line; every tick, and when ExaBGP says something, the back end is made to agree with
 * it.  DIR/state, replaced each time, says how it stands:
 *
 *     pid 123
 *     status 0
 *     drift missing 0 foreign 0 added 1 removed 0 renewed 0 rebuilt 0 why ...
 *     announced drop from 203.0.113.10/32 to any any any
 *     refused drop from ... : why
 *
 * DIR/log keeps every drift line that was not empty.  SIGTERM ends it, and what was announced is withdrawn.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "block/backend.h"

#define TICK_MS   500
#define RULES_MAX 20000

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static int by_rule(const void *a, const void *b)
{
	return rule_compare(&((const struct want *)a)->rule, &((const struct want *)b)->rule);
}

static size_t rules_read(struct want *to, const char *dir)
{
	char path[512], line[RULE_TEXT + 2];
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/rules", dir);
	FILE *f = fopen(path, "r");
	while (f && n < RULES_MAX && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (rule_parse(&to[n].rule, line))
			to[n++].until = WALL_END;
		else
			(void)fprintf(stderr, "drive: no rule: %s\n", line);
	}
	if (f)
		(void)fclose(f);
	qsort(to, n, sizeof(*to), by_rule);
	return n;
}

static void drift_print(FILE *to, const struct drift *d)
{
	(void)fprintf(to,
		"drift missing %llu foreign %llu added %llu removed %llu renewed %llu rebuilt %d why %s\n",
		(unsigned long long)d->missing, (unsigned long long)d->foreign, (unsigned long long)d->added,
		(unsigned long long)d->removed, (unsigned long long)d->renewed, d->rebuilt, d->why);
}

static void state_write(const char *dir, enum status s, const struct err *e, const struct want *want,
	const struct have *have, size_t n, const struct drift *d)
{
	static const char *const word[] = {"not", "ok", "announced", "refused"};
	char path[512], part[520], text[RULE_TEXT];

	(void)snprintf(path, sizeof(path), "%s/state", dir);
	(void)snprintf(part, sizeof(part), "%s.part", path);
	FILE *f = fopen(part, "w");
	if (!f)
		return;
	(void)fprintf(f, "pid %d\nstatus %d %s\n", getpid(), s, s == STATUS_OK ? "" : e->text);
	drift_print(f, d);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(
			f, "%s %s : %s\n", word[have[i].state], rule_text(text, &want[i].rule), have[i].why);
	(void)fclose(f);
	(void)rename(part, path);
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	f = fopen(path, "a");
	if (!f)
		return;
	drift_print(f, d);
	(void)fclose(f);
}

static enum status round_do(void *self, const char *dir, struct want *want, struct have *have, struct err *e)
{
	struct drift d = {0};
	size_t n = rules_read(want, dir);
	enum status s = backend_exabgp.sync(self, want, n, (struct wall){0}, false, have, &d, e);

	state_write(dir, s, e, want, have, n, &d);
	return s;
}

int main(int argc, char **argv)
{
	struct want *want = calloc(RULES_MAX, sizeof(*want));
	struct have *have = calloc(RULES_MAX, sizeof(*have));
	struct config cfg = {0};
	struct backend_param p = {.max_rules = RULES_MAX, .cfg = &cfg};
	void *self = NULL;
	struct err e = {0};

	(void)signal(SIGTERM, on_signal);
	if (argc != 2 || !want || !have || config_load(&cfg, argv[1], &e) != STATUS_OK ||
		backend_exabgp.open(&self, &p, &e) != STATUS_OK) {
		(void)fprintf(stderr, "drive: %s\n", e.text);
		return 1;
	}
	enum status heard = STATUS_OK;
	while (!stop && heard == STATUS_OK) {
		struct pollfd fd = {.fd = backend_exabgp.fd(self), .events = POLLIN};
		(void)round_do(self, argv[1], want, have, &e);
		(void)poll(&fd, 1, TICK_MS);
		heard = backend_exabgp.heard(self, &e);
	}
	(void)fprintf(stderr, "drive: ends: %s\n", heard == STATUS_OK ? "told to" : e.text);
	backend_exabgp.close(self);
	config_free(&cfg);
	free(want);
	free(have);
	return 0;
}
