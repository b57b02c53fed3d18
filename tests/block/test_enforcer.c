/* The enforcer with the real hand and the kernel's nftables, in namespaces of our own: from an order in the
 * ledger to packets that do not arrive, and back to nothing.  Needs root for the namespaces. */
#include "enforce_kit.h"

#include <sys/stat.h>

static const struct hand_result *of(const struct enforced *done, const struct id *id)
{
	for (size_t i = 0; i < done->reply.n; i++)
		if (id_order(&done->reply.result[i].id, id) == 0)
			return &done->reply.result[i];
	fail_msg("the order is not in the reply");
	return NULL;
}

static bool ruleset_is_empty(void)
{
	FILE *f = popen("nft list ruleset", "re");
	int c = f ? fgetc(f) : 0;

	if (f)
		(void)pclose(f);
	return c == EOF;
}

static struct order_row row_of(const struct id *id)
{
	struct order_row row;
	char text[ID_TEXT];

	ok(order_row_read(desk.p.db, id_text(text, id), &arena, &row, &err));
	return row;
}

static int set_up(void **state)
{
	(void)state;
	desk_open(&desk, "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	net_run("nft flush ruleset");
	desk_close(&desk);
	arena_free(&arena);
	arena = (struct arena){0};
	return 0;
}

/* ---- */

static void block_and_undo(void **state)
{
	struct rule r[2];
	struct id id, second;
	struct enforced done;

	(void)state;
	r[0] = kit_rule("drop from 203.0.113.10/32 to any any any");
	r[1] = kit_rule("drop from 203.0.113.11/32 to 192.0.2.1/32 udp 9000");
	id = desk_order(&desk, r, 2, KIT_HOUR_US);
	done = once(false);
	assert_false(done.remote);
	assert_true(of(&done, &id)->installed);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 10), 0);
	assert_int_equal(net_arrive("203.0.113.11", 9000, 5), 0);
	assert_int_equal(net_arrive("203.0.113.11", 9001, 5), 5);
	/* short-lived enforcers count on, and count nothing twice */
	(void)once(true);
	assert_int_equal(row_of(&id).packets, 15);
	(void)once(true);
	(void)once(false);
	assert_int_equal(row_of(&id).packets, 15);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 10), 0);
	second = desk_order(&desk, r, 1, KIT_HOUR_US / 2); /* the same match: counts from now on */
	(void)once(false);
	assert_int_equal(row_of(&id).packets, 25);
	assert_int_equal(row_of(&second).packets, 0);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 10), 0);
	(void)once(true);
	assert_int_equal(row_of(&id).packets, 35);
	assert_int_equal(row_of(&second).packets, 10);
	assert_int_equal(row_of(&second).bytes, 10 * (20 + 8 + 1));
	assert_true(row_of(&second).installed);
	desk_undo(&desk, &id);
	(void)once(false);
	assert_int_equal(net_arrive("203.0.113.11", 9000, 5), 5);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 5), 0);
	desk_undo(&desk, &second);
	(void)once(false);
	assert_true(ruleset_is_empty());
	assert_int_equal(net_arrive("203.0.113.10", 9000, 5), 5);
}

static void expires(void **state)
{
	struct rule r;
	struct id id;
	struct enforced done;
	pid_t pid;
	int arrived = 0;

	(void)state;
	r = kit_rule("drop from 203.0.113.10/32 to any any any");
	pid = enforcing(KIT_HOUR_US); /* the tick is far away: the order's end alone wakes it */
	(void)by_the_other(false);
	id = desk_order(&desk, &r, 1, 3 * SECOND_US);
	done = once(false);
	assert_true(done.remote && of(&done, &id)->installed);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 10), 0);
	while (arrived == 0)
		arrived = net_arrive_slowly("203.0.113.10", 9000, 1, 5000);
	assert_true(kit_now().us >= row_of(&id).expires.us - 20000);
	while (!ruleset_is_empty()) /* the table as well, by the enforcer alone */
		assert_true(kit_now().us < row_of(&id).expires.us + 5 * SECOND_US);
	ended(pid, SIGTERM);
}

static void two_at_once(void **state)
{
	struct rule r;
	struct id id;
	struct enforcer *second = NULL;
	struct enforced done;
	struct stat st;
	char path[128], pid_text[32];
	pid_t pid;

	(void)state;
	pid = enforcing(SECOND_US);
	(void)by_the_other(false);
	assert_int_equal(
		enforcer_open(&second, &world_real, desk.dir, desk.p.db, &desk.cfg, &backend_nft, &err),
		STATUS_NO);
	(void)snprintf(pid_text, sizeof(pid_text), "pid %d", (int)pid);
	assert_non_null(strstr(err.text, pid_text));
	(void)snprintf(path, sizeof(path), "%s/enforce/nft.sock", desk.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	r = kit_rule("drop from 2001:db8:7:7::/64 to any any any");
	id = desk_order(&desk, &r, 1, KIT_HOUR_US);
	done = once(false);
	assert_true(done.remote && of(&done, &id)->installed);
	assert_int_equal(net_arrive("2001:db8:7:7:1:2:3:4", 9001, 10), 0);
	done = once(true);
	assert_int_equal(of(&done, &id)->packets, 10);
	ended(pid, SIGTERM);
	assert_int_equal(stat(path, &st), -1);
	/* what is installed stays, without any of ours */
	assert_int_equal(net_arrive("2001:db8:7:7:1:2:3:4", 9001, 10), 0);
}

static void mends_by_itself(void **state)
{
	struct rule r;
	struct id id;
	pid_t pid;
	int64_t begun;

	(void)state;
	pid = enforcing(SECOND_US / 10);
	(void)by_the_other(false);
	r = kit_rule("drop from 203.0.113.10/32 to any any any");
	id = desk_order(&desk, &r, 1, KIT_HOUR_US);
	(void)once(false);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 7), 0);
	(void)once(true); /* counted, before the counters are gone */
	for (int i = 0; i < 3; i++) {
		net_run(i == 0   ? "nft flush ruleset"
			: i == 1 ? "nft flush chain inet weir match"
				 : "nft delete table inet weir");
		begun = kit_now().us;
		while (net_arrive_slowly("203.0.113.10", 9000, 1, 1000) == 1)
			assert_true(kit_now().us < begun + 5 * SECOND_US);
	}
	assert_true(row_of(&id).packets >= 7);
	ended(pid, SIGTERM);
}

/* Killed at any moment, and started again: no lock, no socket is in the way. */
static void killed(void **state)
{
	struct rule r;
	struct id id;
	struct enforced done;

	(void)state;
	r = kit_rule("drop from 203.0.113.10/32 to any any any");
	for (int i = 0; i < 10; i++) {
		pid_t pid = enforcing(SECOND_US / 50);
		(void)by_the_other(false);
		id = desk_order(&desk, &r, 1, KIT_HOUR_US);
		if (i % 2)
			(void)once(false);
		ended(pid, SIGKILL);
		done = once(false);
		assert_false(done.remote);
		assert_true(of(&done, &id)->installed);
		assert_int_equal(net_arrive("203.0.113.10", 9000, 3), 0);
		desk_undo(&desk, &id);
		(void)once(false);
		assert_true(ruleset_is_empty());
	}
}

/* The hand alone is killed: the enforcer has no right to start another and says so. */
static void hand_killed(void **state)
{
	pid_t pid, hand;
	int st;

	(void)state;
	pid = enforcing(KIT_HOUR_US);
	(void)by_the_other(false);
	hand = hand_of(pid);
	assert_true(hand > 0);
	assert_int_equal(kill(hand, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st) && WEXITSTATUS(st) == 3);
	assert_false(once(false).remote);
}

static void rights(void **state)
{
	char path[64], line[128];
	unsigned long long effective = 1;
	pid_t pid;
	FILE *f;

	(void)state;
	pid = enforcing(KIT_HOUR_US);
	(void)by_the_other(false);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "CapPrm: %llx", &effective);
	(void)fclose(f);
	assert_int_equal(effective, 0);
	ended(pid, SIGTERM);
}

/* A table with nobody's permission, and a kernel without it: said in one line, nothing changed. */
static void no_permission(void **state)
{
	char command[sizeof(desk.dir) + 32];
	struct rule r;
	pid_t pid;
	int st;

	(void)state;
	r = kit_rule("drop from 203.0.113.10/32 to any any any");
	(void)desk_order(&desk, &r, 1, KIT_HOUR_US);
	(void)snprintf(command, sizeof(command), "chown -R nobody '%s'", desk.dir);
	net_run(command);
	pid = fork();
	if (pid == 0) {
		struct enforced done;
		struct case_db *db;
		struct err e = {0};
		if (setresuid(65534, 65534, 65534) != 0 ||
			case_db_open(&db, &world_real, desk.dir, &e) != STATUS_OK)
			_exit(2);
		enum status s = enforce_once(
			&done, &world_real, desk.dir, db, &desk.cfg, &backend_nft, false, &arena, &e);
		_exit(s != STATUS_MACHINE || !strstr(e.text, "no permission"));
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_true(ruleset_is_empty());
}

/* An order for an address that has become ours meanwhile. */
static void becomes_ours(void **state)
{
	struct rule r;
	struct id id;
	struct enforced done;

	(void)state;
	r = kit_rule("drop from 203.0.113.77/32 to any any any");
	id = desk_order(&desk, &r, 1, KIT_HOUR_US);
	done = once(false);
	assert_true(of(&done, &id)->installed);
	net_run("ip addr add 203.0.113.77/32 dev lo");
	done = once(false);
	assert_false(of(&done, &id)->taken);
	assert_true(ruleset_is_empty());
	net_run("ip addr del 203.0.113.77/32 dev lo");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {T(block_and_undo), T(expires), T(two_at_once), T(mends_by_itself),
		T(killed), T(hand_killed), T(rights), T(no_permission), T(becomes_ours)};
	int r;

	if (!net_open())
		return net_skip();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	net_close();
	return r;
}
