/* Plans and orders in the database: what is written is read back, a list is what a second filter says it is,
 * an undo stays the first one, what is measured adds up, and a row comes with its entry or not at all. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "case/order.h"
#include "case_kit.h"
#include "failing_vfs.h"

#define BLOB "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"

static struct id numbered(uint8_t kind, unsigned i)
{
	struct id id = {{kind, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};

	return id;
}

static void blob_of(char to[BLOB_NAME], unsigned i)
{
	(void)snprintf(to, BLOB_NAME, "%s%02x", BLOB, i & 0xff);
}

static struct id case_made(struct fixture *f, unsigned i)
{
	struct sighting s = sighting_of(i);
	struct id id;

	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	return id;
}

static struct plan_row plan_of(unsigned i, const struct id *case_id)
{
	struct plan_row p = {
		.id = numbered(1, i), .case_id = *case_id, .evidence = numbered(2, i), .made.us = 1000 + i};

	blob_of(p.blob, i);
	return p;
}

static struct order_row order_of(unsigned i, const struct plan_row *plan)
{
	struct order_row o = {.id = numbered(3, i),
		.case_id = plan->case_id,
		.plan = plan->id,
		.option = 1 + i % 5,
		.made.us = 2000 + i,
		.expires.us = 1000000 + i,
		.why = "",
		.by = "alice"};

	blob_of(o.blob, i);
	return o;
}

static const struct logged plan_entry = {.kind = "plan", .text = "{\"kind\":\"plan\"}"};
static const struct logged order_entry = {.kind = "order", .text = "{\"kind\":\"order\"}"};
static const struct logged undo_entry = {.kind = "undo", .text = "{\"kind\":\"undo\"}"};

/* A case with a plan. */
static struct plan_row planned(struct fixture *f, unsigned i)
{
	struct id id = case_made(f, i);
	struct plan_row p = plan_of(i, &id);

	ok(f, plan_row_write(f->db, &p, &plan_entry, &f->e));
	return p;
}

/* ---- plans ---- */

static void assert_same_plan(const struct plan_row *a, const struct plan_row *b)
{
	assert_int_equal(id_order(&a->id, &b->id), 0);
	assert_int_equal(id_order(&a->case_id, &b->case_id), 0);
	assert_int_equal(id_order(&a->evidence, &b->evidence), 0);
	assert_int_equal(a->made.us, b->made.us);
	assert_string_equal(a->blob, b->blob);
}

static void plans(void **state)
{
	struct fixture *f = *state;
	struct plan_row got, *all, first, second;
	struct logged *l;
	char text[ID_TEXT];
	size_t n;

	open_db(f);
	struct id a = case_made(f, 1), b = case_made(f, 2);
	assert_int_equal(plan_row_last(f->db, &a, &got, &f->e), STATUS_NO);
	first = plan_of(7, &a);
	second = plan_of(3, &a); /* made before, written later: the one written last is the newest */
	ok(f, plan_row_write(f->db, &first, &plan_entry, &f->e));
	ok(f, plan_row_last(f->db, &a, &got, &f->e));
	assert_same_plan(&got, &first);
	ok(f, plan_row_write(f->db, &second, &plan_entry, &f->e));
	ok(f, plan_row_write(f->db, &second, &plan_entry, &f->e)); /* again changes nothing */
	ok(f, plan_row_last(f->db, &a, &got, &f->e));
	assert_same_plan(&got, &second);
	ok(f, plan_row_list(f->db, &a, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, 2);
	assert_same_plan(&all[0], &second);
	assert_same_plan(&all[1], &first);
	ok(f, plan_row_list(f->db, &b, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, 0);
	assert_int_equal(plan_row_last(f->db, &b, &got, &f->e), STATUS_NO);
	(void)id_text(text, &first.id);
	ok(f, plan_row_read(f->db, text, &got, &f->e));
	assert_same_plan(&got, &first);
	text[7] = '\0'; /* both begin so */
	assert_int_equal(plan_row_read(f->db, text, &got, &f->e), STATUS_BAD);
	assert_int_equal(plan_row_read(f->db, "ffffffff", &got, &f->e), STATUS_NO);
	assert_int_equal(plan_row_read(f->db, "../../etc", &got, &f->e), STATUS_BAD);
	ok(f, logged_of(f->db, &second.id, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, 1);
	assert_string_equal(l[0].kind, "plan");
	assert_int_equal(l[0].entry, -1);
}

/* ---- orders ---- */

static void assert_same_order(const struct order_row *a, const struct order_row *b)
{
	assert_int_equal(id_order(&a->id, &b->id), 0);
	assert_int_equal(id_order(&a->case_id, &b->case_id), 0);
	assert_int_equal(id_order(&a->plan, &b->plan), 0);
	assert_int_equal(a->option, b->option);
	assert_int_equal(a->made.us, b->made.us);
	assert_int_equal(a->expires.us, b->expires.us);
	assert_int_equal(a->undone.us, b->undone.us);
	assert_int_equal(a->waits, b->waits);
	assert_string_equal(a->why, b->why);
	assert_string_equal(a->by, b->by);
	assert_string_equal(a->blob, b->blob);
}

static struct order_row order_get(struct fixture *f, const struct id *id)
{
	struct order_row got;
	char text[ID_TEXT];

	ok(f, order_row_read(f->db, id_text(text, id), &f->arena, &got, &f->e));
	return got;
}

static void orders(void **state)
{
	struct fixture *f = *state;
	struct order_row got, changed;

	open_db(f);
	struct plan_row p = planned(f, 1);
	struct order_row o = order_of(1, &p), waiting = order_of(2, &p);
	o.why = "the minister asked \xc3\xa9";
	waiting.waits = true;
	waiting.why = waiting.by = NULL;
	ok(f, order_row_write(f->db, &o, &order_entry, &f->e));
	ok(f, order_row_write(f->db, &waiting, NULL, &f->e));
	got = order_get(f, &o.id);
	assert_same_order(&got, &o);
	assert_int_equal(got.measured.us, 0);
	assert_string_equal(got.note, "");
	assert_true(got.packets == 0 && got.bytes == 0 && !got.installed && !got.announced);
	got = order_get(f, &waiting.id);
	waiting.why = waiting.by = "";
	assert_same_order(&got, &waiting);
	/* an order is what it was made as: the same id again changes nothing */
	changed = o;
	changed.why = "";
	changed.expires.us = INT64_MAX;
	ok(f, order_row_write(f->db, &changed, NULL, &f->e));
	got = order_get(f, &o.id);
	assert_same_order(&got, &o);
	assert_int_equal(order_row_read(f->db, "ffffffff", &f->arena, &got, &f->e), STATUS_NO);
	assert_non_null(strstr(f->e.text, "block"));
	assert_int_equal(order_row_read(f->db, "x", &f->arena, &got, &f->e), STATUS_BAD);
}

static void undone_once(void **state)
{
	struct fixture *f = *state;
	struct logged *l;
	size_t n;

	open_db(f);
	struct plan_row p = planned(f, 1);
	struct order_row o = order_of(1, &p);
	ok(f, order_row_write(f->db, &o, &order_entry, &f->e));
	ok(f, order_row_undo(f->db, &o.id, (struct wall){5000}, &undo_entry, &f->e));
	ok(f, order_row_undo(f->db, &o.id, (struct wall){6000}, &undo_entry, &f->e));
	o = order_get(f, &o.id);
	assert_int_equal(o.undone.us, 5000);
	ok(f, logged_of(f->db, &o.id, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, 2);
	assert_string_equal(l[0].kind, "order");
	assert_string_equal(l[1].kind, "undo");
}

static void measured(void **state)
{
	struct fixture *f = *state;
	struct wall at = {7000};

	open_db(f);
	struct plan_row p = planned(f, 1);
	struct order_row o = order_of(1, &p), other = order_of(2, &p);
	ok(f, order_row_write(f->db, &o, &order_entry, &f->e));
	ok(f, order_row_write(f->db, &other, &order_entry, &f->e));
	ok(f, order_row_measure(f->db, &o.id, at, true, false, 10, 1000, "", &f->e));
	at.us++;
	ok(f, order_row_measure(f->db, &o.id, at, false, true, 5, 20, "the set is full", &f->e));
	o = order_get(f, &o.id);
	assert_int_equal(o.packets, 15);
	assert_int_equal(o.bytes, 1020);
	assert_int_equal(o.measured.us, 7001);
	assert_true(!o.installed && o.announced);
	assert_string_equal(o.note, "the set is full");
	other = order_get(f, &other.id);
	assert_true(other.measured.us == 0 && other.packets == 0);
}

static void hostile(void **state)
{
	static const char *const bad[] = {"", "00", "../../../../etc/passwd", BLOB "zz", BLOB "0", BLOB "AB"};
	struct fixture *f = *state;
	struct order_row got, *all;
	struct logged *l;
	struct id none = numbered(9, 9);
	size_t n;

	open_db(f);
	struct plan_row p = planned(f, 1), wrong = plan_of(2, &p.case_id);
	struct order_row o = order_of(1, &p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(o.blob, sizeof(o.blob), "%s", bad[i]);
		(void)snprintf(wrong.blob, sizeof(wrong.blob), "%s", bad[i]);
		assert_int_equal(order_row_write(f->db, &o, &order_entry, &f->e), STATUS_BAD);
		assert_int_equal(plan_row_write(f->db, &wrong, &plan_entry, &f->e), STATUS_BAD);
	}
	o = order_of(1, &p);
	o.why = "\xff";
	assert_int_equal(order_row_write(f->db, &o, &order_entry, &f->e), STATUS_BAD);
	o.why = "";
	o.by = "\xc0\xaf";
	assert_int_equal(order_row_write(f->db, &o, &order_entry, &f->e), STATUS_BAD);
	/* of a plan, or a case, that is not here: refused, and no entry waits for what is not there */
	o = order_of(1, &p);
	o.plan = none;
	assert_true(order_row_write(f->db, &o, &order_entry, &f->e) != STATUS_OK);
	wrong = plan_of(2, &none);
	assert_true(plan_row_write(f->db, &wrong, &plan_entry, &f->e) != STATUS_OK);
	ok(f, order_row_list(f->db, NULL, false, (struct wall){0}, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, 0);
	ok(f, logged_waiting(f->db, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, 1); /* the plan's */
	/* a row that somebody wrote into the file */
	o = order_of(1, &p);
	ok(f, order_row_write(f->db, &o, &order_entry, &f->e));
	raw_sql(f, "UPDATE orders SET blob = '../x'");
	assert_int_equal(
		order_row_list(f->db, NULL, false, (struct wall){0}, &f->arena, &all, &n, &f->e), STATUS_BAD);
	assert_non_null(strstr(f->e.text, "damaged"));
	char text[ID_TEXT];
	assert_int_equal(order_row_read(f->db, id_text(text, &o.id), &f->arena, &got, &f->e), STATUS_BAD);
}

/* ---- lists ---- */

enum { CASES = 3, ORDERS = 120 };

static bool wanted(const struct order_row *o, const struct id *case_id, bool in_force, int64_t now)
{
	if (case_id && id_order(case_id, &o->case_id) != 0)
		return false;
	return !in_force || (o->undone.us == 0 && !o->waits && o->expires.us > now);
}

/* What the database lists, against what a filter over all that was written says. */
static void assert_listed(
	struct fixture *f, const struct order_row *made, const struct id *case_id, bool in_force, int64_t now)
{
	struct order_row *got;
	size_t n, k = 0;

	ok(f, order_row_list(f->db, case_id, in_force, (struct wall){now}, &f->arena, &got, &n, &f->e));
	for (size_t i = ORDERS; i-- > 0;) /* newest first */
		if (wanted(&made[i], case_id, in_force, now)) {
			assert_true(k < n);
			assert_same_order(&got[k++], &made[i]);
		}
	assert_int_equal(k, n);
}

static void lists(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = seed_take();
	struct plan_row plan[CASES];
	struct order_row made[ORDERS];

	open_db(f);
	for (unsigned i = 0; i < CASES; i++)
		plan[i] = planned(f, i);
	for (unsigned i = 0; i < ORDERS; i++) {
		struct order_row *o = &made[i];
		*o = order_of(i, &plan[next_random(&seed) % CASES]);
		o->waits = next_random(&seed) % 4 == 0;
		o->expires.us = 100 + next_random(&seed) % 20;
		ok(f, order_row_write(f->db, o, NULL, &f->e));
		if (next_random(&seed) % 4 == 0) {
			o->undone.us = 1 + next_random(&seed) % 100;
			ok(f, order_row_undo(f->db, &o->id, o->undone, NULL, &f->e));
		}
	}
	for (int64_t now = 98; now < 122; now++)
		for (unsigned of = 0; of <= CASES; of++) {
			const struct id *case_id = of < CASES ? &plan[of].case_id : NULL;
			assert_listed(f, made, case_id, true, now);
			assert_listed(f, made, case_id, false, now);
		}
}

/* ---- a row and its entry ---- */

/* Both or neither; *state tells which. */
static bool order_whole(struct fixture *f, const struct order_row *o)
{
	struct order_row got;
	struct logged *l;
	char text[ID_TEXT];
	size_t n;
	enum status s = order_row_read(f->db, id_text(text, &o->id), &f->arena, &got, &f->e);

	assert_true(s == STATUS_OK || s == STATUS_NO);
	ok(f, logged_of(f->db, &o->id, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, s == STATUS_OK ? 1 + (got.undone.us != 0) : 0);
	return s == STATUS_OK;
}

/* The N-th write to the disk fails, for each N until a run needs fewer. */
static void rows_with_entries(void **state)
{
	struct fixture *f = *state;
	static sqlite3_vfs v;
	unsigned made = 0, there = 0;
	bool all = false;

	open_db(f);
	struct plan_row p = planned(f, 1);
	case_db_close(f->db);
	f->db = NULL;
	assert_true(vfs_wrap(&v));
	for (int at = 1; !all && at < 300; at++, made++) {
		struct order_row o = order_of(made, &p);
		struct case_db *db;
		writes_left = at;
		enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
		if (s == STATUS_OK)
			s = order_row_write(db, &o, &order_entry, &f->e);
		if (s == STATUS_OK)
			s = order_row_undo(db, &o.id, (struct wall){9}, &undo_entry, &f->e);
		all = writes_left > 0;
		writes_left = -1;
		case_db_close(db);
		assert_true(s == STATUS_OK || s == STATUS_MACHINE);
		open_db(f);
		bool is = order_whole(f, &o);
		assert_true(is || s == STATUS_MACHINE);
		there += is;
		case_db_close(f->db);
		f->db = NULL;
	}
	assert_int_equal(sqlite3_vfs_unregister(&v), SQLITE_OK);
	print_message("# %u tries, %u orders there, each with its entries\n", made, there);
	assert_true(all);
	assert_true(there < made);
}

/* Killed in the middle: what was acknowledged is there, with its entry. */
static void killed_between(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = seed_take();
	unsigned there = 0;

	open_db(f);
	struct plan_row p = planned(f, 1);
	case_db_close(f->db);
	f->db = NULL;
	for (unsigned round = 0; round < 8; round++) {
		unsigned stop = 1 + next_random(&seed) % 10, last = 0;
		int fd[2];
		assert_int_equal(pipe(fd), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct case_db *db;
			enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
			for (unsigned i = 1000 * round; s == STATUS_OK; i++) {
				struct order_row o = order_of(i, &p);
				s = order_row_write(db, &o, &order_entry, &f->e);
				if (write(fd[1], &i, sizeof(i)) != sizeof(i))
					break;
			}
			_exit(1);
		}
		(void)close(fd[1]);
		for (unsigned seen = 0; seen < stop; seen++)
			assert_int_equal(read(fd[0], &last, sizeof(last)), sizeof(last));
		(void)kill(pid, SIGKILL);
		while (read(fd[0], &last, sizeof(last)) == sizeof(last)) /* acknowledged before the kill */
			;
		(void)close(fd[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		open_db(f);
		for (unsigned i = 1000 * round; i <= last; i++, there++) {
			struct order_row o = order_of(i, &p);
			assert_true(order_whole(f, &o));
		}
		struct order_row next = order_of(last + 1, &p);
		(void)order_whole(f, &next);
		case_db_close(f->db);
		f->db = NULL;
	}
	print_message("# %u orders acknowledged and there\n", there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(plans), TEST(orders), TEST(undone_once), TEST(measured),
		TEST(hostile), TEST(lists), TEST(rows_with_entries), TEST(killed_between)};

	return cmocka_run_group_tests_name("order-rows", tests, NULL, NULL);
}
