/* The hand takes what verifies and nothing else, and cannot do anything else: with a back end that only
 * writes down what it was told, and, when told, tries to break out. */
#include "order_kit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../lib/rnd.h"
#include "base/sandbox_build.h"
#include "block/enforce_in.h"

enum { SEEN = 64 };

/* What the back end saw, in memory that parent and child share. */
static struct seen {
	size_t n_want, syncs;
	struct want want[SEEN];
	bool fails;
	bool opened_file, made_socket, ran_program, made_file, sent_signal;
	unsigned uid;
} * seen;

static const char *fake_cannot(const struct backend_param *p, const struct rule *r)
{
	(void)p;
	(void)r;
	return NULL;
}

static enum status fake_open(void **self, const struct backend_param *p, struct err *e)
{
	(void)p;
	*self = seen;
	return seen->fails ? err_set(e, STATUS_MACHINE, "no such thing here") : STATUS_OK;
}

static void try_everything(void)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	seen->opened_file = fd >= 0;
	seen->made_file = open("/tmp/weir-hand-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
	seen->made_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0;
	seen->sent_signal = kill(getppid(), 0) == 0;
	seen->uid = geteuid();
	seen->ran_program = execl("/bin/true", "true", NULL) != -1;
}

static enum status fake_sync(void *self, const struct want *want, size_t n, struct wall now, bool look,
	struct have *have, struct drift *d, struct err *e)
{
	(void)self;
	(void)now;
	(void)look;
	*d = (struct drift){.missing = 1, .why = "because"};
	seen->syncs++;
	seen->n_want = n;
	for (size_t i = 0; i < n; i++) {
		if (i < SEEN)
			seen->want[i] = want[i];
		have[i] = (struct have){.state = INSTALL_OK, .packets = 3, .bytes = 100};
	}
	try_everything();
	return seen->fails ? err_set(e, STATUS_MACHINE, "the outside is broken") : STATUS_OK;
}

static int fake_fd(void *self)
{
	(void)self;
	return -1;
}

static enum status fake_heard(void *self, struct err *e)
{
	(void)self;
	(void)e;
	return STATUS_OK;
}

static void fake_close(void *self)
{
	(void)self;
}

static const struct backend fake = {.name = "fake",
	.net_admin = true,
	.cannot = fake_cannot,
	.open = fake_open,
	.sync = fake_sync,
	.fd = fake_fd,
	.heard = fake_heard,
	.close = fake_close};

/* ---- a desk, its hand, and what it would be shown ---- */

struct scene {
	struct desk d;
	struct enforcer f; /* for enforce_gather() */
	struct hand *hand;
	struct arena a;
	struct gathered g;
};

static struct scene *scene;

static int set_up(void **state)
{
	(void)state;
	memset(seen, 0, sizeof(*seen));
	scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	desk_open(&scene->d, "max_rules = 20\n");
	scene->f = (struct enforcer){.w = &world_real, .dir = scene->d.dir, .db = scene->d.p.db};
	ok(enforce_keys(&scene->f, &err));
	ok(hand_start(&scene->hand, &fake, &scene->d.cfg, scene->f.log, scene->f.n_log, -1, &err));
	scene->f.hand = scene->hand;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hand_stop(scene->hand);
	arena_free(&scene->a);
	desk_close(&scene->d);
	free(scene);
	return 0;
}

static void gathered(void)
{
	memset(&scene->g, 0, sizeof(scene->g));
	ok(enforce_gather(&scene->f, &scene->a, &scene->g, &err));
}

static struct hand_reply synced(void)
{
	struct hand_reply r;

	ok(hand_sync(scene->hand, scene->g.order, scene->g.n, false, &scene->a, &r, &err));
	assert_int_equal(r.n, scene->g.n);
	return r;
}

/* Nothing of this order reaches the outside, for this reason. */
static void refused(const char *why)
{
	struct hand_reply r = synced();

	assert_int_equal(seen->n_want, 0);
	assert_false(r.result[0].taken);
	assert_false(r.result[0].installed);
	if (!strstr(r.result[0].why, why))
		fail_msg("\"%s\", not \"%s\"", r.result[0].why, why);
}

static struct id order_now(void)
{
	struct rule r = kit_host(1);
	struct id id = desk_order(&scene->d, &r, 1, KIT_HOUR_US);

	gathered();
	return id;
}

/* ---- as it should be ---- */

static void takes_what_verifies(void **state)
{
	struct rule r = kit_host(1);
	struct id id = order_now();
	struct hand_reply reply;
	char text[2][RULE_TEXT];

	(void)state;
	assert_false(hand_knows(scene->hand, &id));
	for (int i = 0; i < 3; i++) {
		reply = synced();
		assert_true(reply.result[0].taken && reply.result[0].installed);
		assert_int_equal(id_order(&reply.result[0].id, &id), 0);
		assert_int_equal(reply.result[0].packets, 3);
		assert_int_equal(reply.result[0].bytes, 100);
		assert_string_equal(reply.result[0].why, "");
		assert_int_equal(reply.drift.missing, 1);
		assert_string_equal(reply.drift.why, "because");
		assert_int_equal(seen->n_want, 1);
		assert_string_equal(rule_text(text[0], &seen->want[0].rule), rule_text(text[1], &r));
		assert_in_range(seen->want[0].until.us, kit_now().us + KIT_HOUR_US - 60 * SECOND_US,
			kit_now().us + KIT_HOUR_US);
		assert_true(hand_knows(scene->hand, &id));
		gathered(); /* its texts are not read again */
		assert_null(scene->g.order[0].order.text);
	}
	desk_undo(&scene->d, &id);
	gathered();
	assert_int_equal(scene->g.n, 0);
	(void)synced();
	assert_int_equal(seen->n_want, 0);
	assert_false(hand_knows(scene->hand, &id));
}

static void many_orders_one_plan(void **state)
{
	enum { N = 8 };
	struct rule r[N];
	struct plan_row row;
	struct hand_reply reply;

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		r[i] = kit_host(i);
	row = desk_plan(&scene->d, r, N);
	for (size_t i = 0; i < N; i++)
		(void)desk_order_of(&scene->d, &row, &r[i], 1, KIT_HOUR_US, false);
	ok(register_flush(&scene->d.p, &err));
	gathered();
	reply = synced();
	for (size_t i = 0; i < N; i++)
		assert_true(reply.result[i].installed);
	assert_int_equal(seen->n_want, N);
	/* all but one go, and come again: the plan is still known for that one */
	scene->g.n = 1;
	(void)synced();
	assert_int_equal(seen->n_want, 1);
	gathered();
	reply = synced();
	for (size_t i = 0; i < N; i++)
		assert_true(reply.result[i].installed);
	assert_int_equal(seen->n_want, N);
}

static void one_does_not_hold_up_others(void **state)
{
	struct rule bad = kit_rule("drop from 127.0.0.1/32 to any any any"), good = kit_host(9);
	struct id no = desk_order(&scene->d, &bad, 1, KIT_HOUR_US);
	struct id yes = desk_order(&scene->d, &good, 1, KIT_HOUR_US);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hand_reply r;
		gathered();
		r = synced();
		assert_int_equal(r.n, 2);
		for (size_t k = 0; k < 2; k++)
			assert_int_equal(r.result[k].taken, id_order(&r.result[k].id, &yes) == 0);
		assert_int_equal(seen->n_want, 1);
	}
	(void)no;
}

static void caps(void **state)
{
	struct rule r[15];

	(void)state;
	for (int k = 0; k < 2; k++) {
		for (uint32_t i = 0; i < 15; i++)
			r[i] = kit_host((uint32_t)k * 100 + i);
		(void)desk_order(&scene->d, r, 15, KIT_HOUR_US);
	}
	gathered();
	struct hand_reply reply = synced(); /* 20 rules at most */
	assert_int_equal(reply.result[0].taken + reply.result[1].taken, 1);
	assert_int_equal(seen->n_want, 15);
}

/* ---- what must not reach the outside ---- */

static void waits_or_unlogged(void **state)
{
	struct rule r = kit_host(1);
	struct plan_row row = desk_plan(&scene->d, &r, 1);

	(void)state;
	(void)desk_order_of(&scene->d, &row, &r, 1, KIT_HOUR_US, false);
	gathered();
	assert_int_equal(scene->g.n, 1);
	assert_non_null(strstr(scene->g.why[0], "does not stand in the ledger yet"));
	refused("was not shown");
	ok(register_flush(&scene->d.p, &err));
	(void)desk_order_of(&scene->d, &row, &r, 1, KIT_HOUR_US + 1, true);
	ok(register_flush(&scene->d.p, &err));
	gathered();
	assert_int_equal(scene->g.n, 1); /* the one that waits is not in force */
	assert_true(synced().result[0].taken);
}

/* The entry of an undo, or of an order that waits, is no order, whatever the database says. */
static void another_kind(void **state)
{
	static const char *const kinds[] = {"undo", "order-waiting", "plan", "claim"};
	struct buf b = {0}, proof = {0};
	struct ledger *l;
	uint64_t index;

	(void)state;
	(void)order_now();
	for (size_t i = 0; i < 4; i++) {
		char entry[400];
		(void)snprintf(entry, sizeof(entry), "{\"v\":1,\"kind\":\"%s\",\"sha256\":\"%s\"}", kinds[i],
			scene->g.row[0].blob);
		ok(ledger_open(&l, &world_real, scene->d.dir, LEDGER_SIGN, &err));
		ok(ledger_append(l, entry, strlen(entry), &index, &err));
		ok(ledger_commit(l, &err));
		ok(ledger_publish(l, &err));
		b.n = proof.n = 0;
		ok(ledger_entry(l, index, &b, &err));
		ok(ledger_proof(l, index, &proof, &err));
		ok(ledger_close(l, &err));
		scene->g.order[0].order.entry = (char *)b.p;
		scene->g.order[0].order.n_entry = b.n;
		scene->g.order[0].order.proof = (char *)proof.p;
		scene->g.order[0].order.n_proof = proof.n;
		refused("not of the kind");
	}
	buf_free(&b);
	buf_free(&proof);
}

static void other_log(void **state)
{
	struct desk other;
	struct rule r = kit_host(1);
	struct enforcer f = {.w = &world_real, .hand = scene->hand};
	struct gathered g = {0};

	(void)state;
	desk_open(&other, "");
	(void)desk_order(&other, &r, 1, KIT_HOUR_US);
	f.dir = other.dir;
	f.db = other.p.db;
	ok(enforce_gather(&f, &scene->a, &g, &err));
	assert_int_equal(g.n, 1);
	scene->g = g;
	refused("");
	/* its order with our plan, and ours with its plan */
	(void)order_now();
	struct proven_text ours = scene->g.order[0].order;
	scene->g.order[0].order = g.order[0].order;
	scene->g.order[0].id = g.order[0].id;
	refused("");
	gathered();
	scene->g.order[0].plan = g.order[0].plan;
	refused("plan");
	(void)ours;
	desk_close(&other);
}

static void another_order(void **state)
{
	struct rule r[2] = {kit_host(1), kit_host(2)};
	struct hand_order one;

	(void)state;
	(void)desk_order(&scene->d, &r[0], 1, KIT_HOUR_US);
	(void)desk_order(&scene->d, &r[1], 1, KIT_HOUR_US);
	gathered();
	one = scene->g.order[0];
	scene->g.n = 1;
	/* text and entry are two orders' */
	scene->g.order[0].order.text = scene->g.order[1].order.text;
	scene->g.order[0].order.n = scene->g.order[1].order.n;
	refused("not the one that the ledger names");
	/* all of another order, by the name of this one */
	scene->g.order[0].order = scene->g.order[1].order;
	refused("of another order");
	/* this order, and the plan of the other */
	scene->g.order[0] = one;
	scene->g.order[0].plan = scene->g.order[1].plan;
	refused("plan");
	scene->g.order[0] = one;
	assert_true(synced().result[0].taken);
}

/* One bit anywhere in what is shown: never another rule than the one that was logged. */
static void any_bit(void **state)
{
	enum { FLIPS = 1500 };
	int harmless = 0;
	char text[2][RULE_TEXT];
	struct rule r = kit_host(1);

	(void)state;
	kit_seed("any_bit");
	(void)order_now();
	struct hand_order was = scene->g.order[0];
	for (int i = 0; i < FLIPS; i++) {
		struct hand_order o = was;
		struct {
			const void *p;
			size_t n;
		} part[] = {{o.order.text, o.order.n}, {o.order.entry, o.order.n_entry},
			{o.order.proof, o.order.n_proof}, {o.plan.text, o.plan.n},
			{o.plan.entry, o.plan.n_entry}, {o.plan.proof, o.plan.n_proof}, {o.id.b, 16}};
		size_t k = kit_rnd(7), at = kit_rnd(part[k].n);
		uint8_t *hit = (uint8_t *)(uintptr_t)part[k].p + at, kept = *hit;
		*hit ^= (uint8_t)(1U << kit_rnd(8));
		scene->g.order[0] = o;
		struct hand_reply reply = synced();
		*hit = kept;
		scene->g.order[0] = was;
		assert_int_equal(seen->n_want, reply.result[0].taken);
		if (reply.result[0].taken) { /* an extension line, a cosignature of nobody ... */
			assert_string_equal(rule_text(text[0], &seen->want[0].rule), rule_text(text[1], &r));
			harmless++;
			scene->g.n = 0; /* forget it */
			(void)synced();
			scene->g.n = 1;
		}
	}
	if (harmless > FLIPS / 20)
		fail_msg("%d of %d flips were taken", harmless, FLIPS);
	assert_true(synced().result[0].taken);
}

/* ---- the machine ---- */

static void confined(void **state)
{
	(void)state;
	(void)order_now();
	(void)synced();
	assert_int_equal(seen->syncs, 1);
	assert_false(seen->opened_file);
	assert_false(seen->made_file);
	assert_false(seen->made_socket);
	assert_false(seen->ran_program);
	if (!SANITIZED) /* its run-time wants kill() */
		assert_false(seen->sent_signal);
	if (geteuid() == 0)
		assert_int_equal(seen->uid, 65534);
}

static void outside_breaks(void **state)
{
	struct hand_reply r;

	(void)state;
	(void)order_now();
	seen->fails = true;
	assert_int_equal(
		hand_sync(scene->hand, scene->g.order, 1, false, &scene->a, &r, &err), STATUS_MACHINE);
	assert_string_equal(err.text, "the outside is broken");
	seen->fails = false;
	assert_true(synced().result[0].installed);
	seen->fails = true;
	struct hand *no = NULL;
	assert_int_equal(hand_start(&no, &fake, &scene->d.cfg, scene->f.log, scene->f.n_log, -1, &err),
		STATUS_MACHINE);
	assert_string_equal(err.text, "no such thing here");
	assert_null(no);
}

/* The process that set_up() forked; 0 where /proc does not tell. */
static int child(void)
{
	char path[64], text[32];
	FILE *f;
	int pid = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%31s", text) == 1)
		pid = atoi(text);
	if (f)
		(void)fclose(f);
	return pid;
}

static void child_dies(void **state)
{
	struct hand_reply r;
	int pid = child();

	(void)state;
	if (!pid)
		skip();
	(void)order_now();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(
		hand_sync(scene->hand, scene->g.order, 1, false, &scene->a, &r, &err), STATUS_MACHINE);
	assert_non_null(strstr(err.text, "ended"));
}

/* One that was stopped cannot end by itself, and holds nobody up: tear_down() comes back. */
static void child_stopped(void **state)
{
	int pid = child();

	(void)state;
	if (!pid)
		skip();
	assert_int_equal(kill(pid, SIGSTOP), 0);
	hand_stop(scene->hand);
	scene->hand = NULL;
	assert_int_equal(child(), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {T(takes_what_verifies), T(many_orders_one_plan),
		T(one_does_not_hold_up_others), T(caps), T(waits_or_unlogged), T(another_kind), T(other_log),
		T(another_order), T(any_bit), T(confined), T(outside_breaks), T(child_dies),
		T(child_stopped)};

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
