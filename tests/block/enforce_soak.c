/* kill -9 at any moment: enforce_soak N.
 *
 * N times something is begun (an order, an undo, a round, a flush of all rules by somebody else) and
 * something is killed in the middle of it: the enforcer, its hand, or the process that gives the order.  Then
 * an enforcer is started as after a crash, and within 5 s the kernel has to do what the database says, by
 * packets of each address, and its rule set names no other address; a bystander's packets always pass.  Takes
 * root. */
#include "enforce_kit.h"

#include "../lib/rnd.h"

enum { HOSTS = 5, AGREE_S = 5, MOMENT_US = 20000, KINDS = 3 };

static const char *const killed_what[KINDS] = {"the enforcer", "its hand", "who gave the order"};
static bool wanted[HOSTS];

static struct rule rule_of(unsigned host)
{
	char text[RULE_TEXT];

	(void)snprintf(text, sizeof(text), "drop from 203.0.113.%u/32 to any any any", 10 + host);
	return kit_rule(text);
}

static char *host_text(char to[32], unsigned host)
{
	(void)snprintf(to, 32, "203.0.113.%u", 10 + host);
	return to;
}

/* What the database wants, by the orders' texts. */
static void want(void)
{
	struct order_row *row;
	size_t n;

	memset(wanted, 0, sizeof(wanted));
	ok(order_row_list(desk.p.db, NULL, true, kit_now(), &arena, &row, &n, &err));
	for (size_t i = 0; i < n; i++) {
		struct order o;
		ok(order_load(desk.dir, &row[i], &arena, &o, &err));
		wanted[o.rule->from.ip.b[3] - 10] = true;
	}
}

static bool rules_name_others(void)
{
	char line[4096], text[32];
	FILE *f = popen("nft list ruleset", "re");
	bool named[HOSTS] = {false}, differs = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		for (unsigned i = 0; i < HOSTS; i++)
			named[i] = named[i] || strstr(line, host_text(text, i));
	(void)pclose(f);
	for (unsigned i = 0; i < HOSTS; i++)
		differs = differs || named[i] != wanted[i];
	return differs;
}

static bool agrees(void)
{
	char text[32];

	for (unsigned i = 0; i < HOSTS; i++)
		if (net_arrive(host_text(text, i), 9000, 1) != !wanted[i])
			return false;
	return !rules_name_others();
}

/* Orders what is not, undoes what is: its own process, which may be killed. */
static _Noreturn void act(unsigned host)
{
	struct desk d = desk;
	struct order_row *row;
	size_t n;
	bool found = false;
	struct rule r = rule_of(host);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	ok(case_db_open(&d.p.db, &world_real, d.dir, &err));
	ok(order_row_list(d.p.db, NULL, true, kit_now(), &arena, &row, &n, &err));
	for (size_t i = 0; i < n && !found; i++) {
		struct order o;
		ok(order_load(d.dir, &row[i], &arena, &o, &err));
		found = o.rule->from.ip.b[3] == 10 + host;
		if (found)
			desk_undo(&d, &row[i].id);
	}
	if (!found)
		(void)desk_order(&d, &r, 1, KIT_HOUR_US);
	desk.p.db = d.p.db;
	(void)once(false);
	_exit(0);
}

static void gone(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* An enforcer whose hand was killed ends by itself. */
static bool ends_by_itself(pid_t pid)
{
	for (int i = 0; i < AGREE_S * 1000; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		(void)usleep(1000);
	}
	return false;
}

/* One kill.  Returns the enforcer that runs then; 0: one without a hand went on. */
static pid_t one(pid_t enforcer, unsigned kind)
{
	bool flush = kit_rnd(4) == 0;
	unsigned host = (unsigned)kit_rnd(HOSTS);
	pid_t actor = fork(), hand;

	if (actor == 0)
		act(host);
	(void)usleep((useconds_t)kit_rnd(MOMENT_US));
	if (flush)
		net_run("nft flush ruleset");
	if (kind == 2) {
		gone(actor);
		return enforcer;
	}
	hand = hand_of(enforcer);
	if (kind == 0 || hand <= 0) /* it has none yet */
		gone(enforcer);
	else if (kill(hand, SIGKILL) == 0 && !ends_by_itself(enforcer))
		return 0;
	(void)usleep((useconds_t)kit_rnd(MOMENT_US));
	gone(actor); /* it may have failed: the other side is gone */
	return enforcing(SECOND_US);
}

/* What a failure is judged by: whose files they are, and what the enforcer may. */
static void tell(pid_t enforcer)
{
	char command[400];

	(void)fflush(stdout);
	(void)snprintf(command, sizeof(command),
		"{ id; ls -lan %s %s/enforce %s/blobs; grep -E '^(Uid|Cap|NoNew|Seccomp)' /proc/%d/status; } "
		">&2",
		desk.dir, desk.dir, desk.dir, (int)enforcer);
	if (system(command) != 0)
		(void)fprintf(stderr, "# not all of it could be looked at\n");
}

static int run(int n)
{
	pid_t enforcer = enforcing(SECOND_US);
	int64_t slowest = 0;

	for (int i = 0; i < n; i++) {
		unsigned kind = (unsigned)kit_rnd(KINDS);
		int64_t begun;
		enforcer = one(enforcer, kind);
		if (!enforcer) {
			(void)printf("not ok 1 - kill %d: an enforcer without a hand goes on\n", i);
			return 1;
		}
		begun = world_real.mono(NULL).us;
		ok(register_flush(&desk.p, &err)); /* what was cut off: whoever comes next does it */
		want();
		while (!agrees())
			if (world_real.mono(NULL).us - begun > AGREE_S * SECOND_US) {
				(void)printf("not ok 1 - kill %d (%s): not as the database says after %d s\n",
					i, killed_what[kind], AGREE_S);
				tell(enforcer);
				gone(enforcer);
				return 1;
			}
		if (world_real.mono(NULL).us - begun > slowest)
			slowest = world_real.mono(NULL).us - begun;
		arena_free(&arena);
		arena = (struct arena){0};
	}
	gone(enforcer);
	(void)printf(
		"ok 1 - %d kills; the kernel agreed after %.1f s at most\n", n, (double)slowest / SECOND_US);
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 25, r;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!net_open())
		return net_skip();
	(void)printf("1..1\n");
	kit_seed("enforce_soak");
	desk_open(&desk, "");
	r = run(n);
	desk_close(&desk);
	net_close();
	return r;
}
