/* A process that enforces, as `weir enforce` does, and rounds by whoever can. */
#ifndef WEIR_TESTS_BLOCK_ENFORCE_KIT_H
#define WEIR_TESTS_BLOCK_ENFORCE_KIT_H

#include "net_kit.h"
#include "order_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

static struct desk desk;
static struct arena arena;
static volatile int kit_stop;

static inline void kit_on_term(int sig)
{
	(void)sig;
	kit_stop = 1;
}

static inline _Noreturn void kit_enforce(int64_t tick_us)
{
	struct sigaction end = {.sa_handler = kit_on_term};
	struct enforcer *f = NULL;
	struct case_db *db;
	struct err e = {0};
	enum status s = STATUS_NO;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigaction(SIGTERM, &end, NULL);
	if (case_db_open(&db, &world_real, desk.dir, &e) != STATUS_OK)
		_exit(2);
	while (s == STATUS_NO) /* short-lived ones are at work */
		s = enforcer_open(&f, &world_real, desk.dir, db, &desk.cfg, &backend_nft, &e);
	if (s == STATUS_OK)
		s = enforcer_run(f, tick_us, &kit_stop, &e);
	if (s != STATUS_OK)
		(void)fprintf(stderr, "# %s\n", e.text);
	enforcer_close(f);
	case_db_close(db);
	_exit(s == STATUS_OK ? 0 : 3);
}

static inline pid_t enforcing(int64_t tick_us)
{
	pid_t pid = fork();

	if (pid == 0)
		kit_enforce(tick_us);
	return pid;
}

static inline void ended(pid_t pid, int sig)
{
	int st;

	assert_int_equal(kill(pid, sig), 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	if (sig == SIGTERM)
		assert_int_equal(st, 0);
}

/* Its hand: the one child that it has. */
static inline pid_t hand_of(pid_t pid)
{
	char path[64], text[32] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%31s", text) != 1)
		text[0] = '\0';
	(void)fclose(f);
	return (pid_t)atoi(text);
}

static inline struct enforced once(bool look)
{
	struct enforced done;

	ok(enforce_once(
		&done, &world_real, desk.dir, desk.p.db, &desk.cfg, &backend_nft, look, &arena, &err));
	return done;
}

/* By the long-lived one, as soon as it listens. */
static inline struct enforced by_the_other(bool look)
{
	struct enforced done = {0};

	while (!done.remote)
		done = once(look);
	return done;
}

#endif
