/* The register: what a claim or an exchange was acknowledged for stands in the database, and after the next
 * flush in the ledger, whatever failed in between and wherever the process ended; at most an entry stands
 * there twice. */
#include "desk.h"

#include "../case/failing_vfs.h"

/* Words of the entries of a directory's ledger: how many have this id and kind. */
static size_t entries_of(const struct desk *d, const struct id *id, const char *kind)
{
	char want[ID_TEXT], text[64];
	struct ledger *l;
	size_t n = 0;

	ok(ledger_open(&l, &world_real, d->dir, LEDGER_SIGN, &err));
	(void)snprintf(text, sizeof(text), "\"kind\":\"%s\"", kind);
	(void)id_text(want, id);
	for (uint64_t i = 0; i < ledger_head(l)->size; i++) {
		struct buf b = {0};
		ok(ledger_entry(l, i, &b, &err));
		n += memmem(b.p, b.n, want, strlen(want)) && memmem(b.p, b.n, text, strlen(text));
		buf_free(&b);
	}
	ok(ledger_close(l, &err));
	return n;
}

/* The rows of an object: none waits, and where each is said to stand its text stands. */
static void row_stands(const struct desk *d, const struct id *object)
{
	struct arena a = {0};
	struct logged *row;
	struct ledger *l;
	size_t n;

	ok(logged_of(d->p.db, object, &a, &row, &n, &err));
	assert_true(n > 0);
	ok(ledger_open(&l, &world_real, d->dir, LEDGER_SIGN, &err));
	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};
		assert_true(row[i].entry >= 0);
		ok(ledger_entry(l, (uint64_t)row[i].entry, &b, &err));
		assert_int_equal(b.n, strlen(row[i].text));
		assert_memory_equal(b.p, row[i].text, b.n);
		buf_free(&b);
	}
	ok(ledger_close(l, &err));
	arena_free(&a);
}

static struct told attack_of(struct arena *a, size_t keys)
{
	struct kit_pair p;
	struct told t;

	kit_pair_make(&p, a, keys);
	ok(tell_attack(&t, &p.out, NULL, 0, KIT_CODE, &err));
	return t;
}

static const char file_bytes[] = "a bundle's bytes";

static struct exchange exchange_of(uint8_t number)
{
	return (struct exchange){.id = {{number}},
		.received = true,
		.peer = "victim.example",
		.case_id = "",
		.made = {KIT_NOW},
		.not_after = {KIT_NOW + 1},
		.ask = "trace",
		.verdict = "",
		.why = ""};
}

/* ---- as it should be ---- */

static void stored_and_entered(void **state)
{
	struct desk *d = desk_open("victim.example");
	struct told t = attack_of(&d->a, 20);
	struct exchange x = exchange_of(1);
	struct buf b = {0};
	struct id id, again;

	(void)state;
	ok(told_store(&d->p, &t, NULL, "", "", &id, &err));
	ok(told_store(&d->p, &t, NULL, "", "", &again, &err));
	assert_int_equal(id_order(&id, &again), 0);
	ok(blob_read(d->dir, t.name[0], &b, &err));
	assert_int_equal(b.n, t.train[0].n);
	ok(exchange_store(&d->p, &x, file_bytes, sizeof(file_bytes), &err));
	assert_int_equal(exchange_store(&d->p, &x, file_bytes, sizeof(file_bytes), &err), STATUS_NO);
	for (int i = 0; i < 3; i++)
		ok(register_flush(&d->p, &err));
	assert_int_equal(entries_of(d, &id, "claim"), 1);
	assert_int_equal(entries_of(d, &x.id, "request-received"), 1);
	row_stands(d, &id);
	row_stands(d, &x.id);
	buf_free(&b);
	told_free(&t);
	desk_close(d);
}

/* Another's claim is entered as one that was received. */
static void of_another(void **state)
{
	struct desk *d = desk_open("victim.example");
	struct told t = attack_of(&d->a, 20);
	struct id id;

	(void)state;
	ok(told_store(&d->p, &t, NULL, "relay.example", "00112233445566778899aabbccddeeff", &id, &err));
	ok(register_flush(&d->p, &err));
	assert_int_equal(entries_of(d, &id, "claim-received"), 1);
	assert_int_equal(entries_of(d, &id, "claim"), 0);
	told_free(&t);
	desk_close(d);
}

/* Without keys it goes on waiting; made later, all is entered. */
static void before_there_are_keys(void **state)
{
	struct desk *d = desk_open("victim.example");
	struct told t = attack_of(&d->a, 20);
	char cmd[256];
	struct id id;

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s/keys %s/ledger", d->dir, d->dir);
	assert_int_equal(system(cmd), 0);
	ok(told_store(&d->p, &t, NULL, "", "", &id, &err));
	ok(register_flush(&d->p, &err));
	ok(keys_init(&world_real, d->dir, "victim.example", &err));
	ok(register_flush(&d->p, &err));
	assert_int_equal(entries_of(d, &id, "claim"), 1);
	row_stands(d, &id);
	told_free(&t);
	desk_close(d);
}

/* ---- what fails ---- */

/* One of each, and into the ledger. */
struct work {
	struct told t;
	struct exchange x;
	struct id claim;
	enum status told, exchanged, flushed;
};

static void work_do(struct work *k, const struct place *p)
{
	struct err e;

	k->told = told_store(p, &k->t, NULL, "", "", &k->claim, &e);
	k->exchanged = exchange_store(p, &k->x, file_bytes, sizeof(file_bytes), &e);
	k->flushed = register_flush(p, &e);
}

/* On a machine that works again: what was acknowledged is there, and is entered, at most twice. */
static void work_stands(struct desk *d, const struct work *k, bool told, bool exchanged)
{
	struct buf b = {0};
	size_t n;

	ok(register_flush(&d->p, &err));
	if (told) {
		n = entries_of(d, &k->claim, "claim");
		assert_true(n == 1 || n == 2);
		row_stands(d, &k->claim);
		ok(blob_read(d->dir, k->t.name[0], &b, &err));
	}
	if (exchanged) {
		n = entries_of(d, &k->x.id, "request-received");
		assert_true(n == 1 || n == 2);
		row_stands(d, &k->x.id);
	}
	buf_free(&b);
}

/* The same done again, as a person would. */
static void again_after(struct desk *d, struct work *k)
{
	ok(told_store(&d->p, &k->t, NULL, "", "", &k->claim, &err));
	enum status s = exchange_store(&d->p, &k->x, file_bytes, sizeof(file_bytes), &err);
	assert_true(s == STATUS_OK || s == STATUS_NO);
	work_stands(d, k, true, true);
}

static void each_operation_fails_once(void **state)
{
	bool more = true;
	uint64_t at = 1;

	(void)state;
	kit_quiet();
	for (; more; at++) {
		struct kit_world broken = {.at = at, .half = at % 2};
		struct desk *d = desk_open("victim.example");
		struct world w = kit_world_of(&broken);
		struct place p = {.w = &w, .dir = d->dir, .db = d->p.db};
		struct work k = {.t = attack_of(&d->a, 20), .x = exchange_of(2)};
		w.now = desk_now;
		work_do(&k, &p);
		more = broken.broke;
		work_stands(d, &k, k.told == STATUS_OK, k.exchanged == STATUS_OK);
		again_after(d, &k);
		told_free(&k.t);
		desk_close(d);
	}
	kit_loud();
	print_message("# %llu operations, each failed once\n", (unsigned long long)at - 2);
	assert_true(at > 12);
}

/* The process ends at the at-th operation of the world, or the at-th write of the database. */
static bool dies_at(struct desk *d, struct work *k, uint64_t world, int writes)
{
	int how;
	pid_t child;

	case_db_close(d->p.db); /* a handle is not for both sides of a fork */
	d->p.db = NULL;
	child = fork();
	if (child == 0) {
		struct kit_world broken = {.at = world, .die = true};
		struct world w = kit_world_of(&broken);
		struct place p = {.w = &w, .dir = d->dir};
		struct err e;
		w.now = desk_now;
		if (case_db_open(&p.db, &w, d->dir, &e) != STATUS_OK)
			_exit(3);
		writes_kill = true;
		writes_left = writes;
		work_do(k, &p);
		_exit(k->told == STATUS_OK && k->exchanged == STATUS_OK && k->flushed == STATUS_OK ? 0 : 3);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &how, 0), child);
	ok(case_db_open(&d->p.db, &d->w, d->dir, &err));
	assert_true(WIFEXITED(how) && (WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == 42));
	return WEXITSTATUS(how) == 42;
}

/* How many of the claim's rows are in the database: then it was acknowledged, or about to be. */
static bool is_there(struct desk *d, const struct id *id)
{
	struct arena a = {0};
	struct logged *row;
	size_t n;

	ok(logged_of(d->p.db, id, &a, &row, &n, &err));
	arena_free(&a);
	return n > 0;
}

static uint64_t ends_everywhere(bool database)
{
	bool more = true;
	uint64_t at = 1;

	for (; more; at++) {
		struct desk *d = desk_open("victim.example");
		struct work k = {.t = attack_of(&d->a, 20), .x = exchange_of(3)};
		struct claim c = {.kind = k.t.kind, .body = k.t.body};
		assert_true(claim_make_id(&c));
		k.claim = c.id;
		more = dies_at(d, &k, database ? 0 : at, database ? (int)at : -1);
		work_stands(d, &k, is_there(d, &k.claim), is_there(d, &k.x.id));
		again_after(d, &k);
		told_free(&k.t);
		desk_close(d);
	}
	return at - 2;
}

static void ends_at_each_operation(void **state)
{
	(void)state;
	kit_quiet();
	uint64_t n = ends_everywhere(false);
	kit_loud();
	print_message("# ended before each of %llu operations\n", (unsigned long long)n);
	assert_true(n > 12);
}

static void ends_at_each_write_of_the_database(void **state)
{
	static sqlite3_vfs v;

	(void)state;
	assert_true(vfs_wrap(&v));
	kit_quiet();
	uint64_t n = ends_everywhere(true);
	kit_loud();
	assert_int_equal(sqlite3_vfs_unregister(&v), SQLITE_OK);
	print_message("# ended before each of %llu writes of the database\n", (unsigned long long)n);
	assert_true(n > 6);
}

/* ---- two at once ---- */

enum { EACH = 20 };

static void tell_and_flush(const struct desk *d, unsigned who)
{
	struct place p = d->p;
	struct err e;

	if (case_db_open(&p.db, p.w, p.dir, &e) != STATUS_OK)
		_exit(3);
	for (unsigned i = 0; i < EACH; i++) {
		struct told t = {.kind = "block"};
		struct id id;
		char body[64];
		(void)snprintf(body, sizeof(body), "{\"who\":%u,\"n\":%u}", who, i);
		t.body = body;
		if (told_store(&p, &t, NULL, "", "", &id, &e) != STATUS_OK ||
			register_flush(&p, &e) != STATUS_OK)
			_exit(4);
	}
	case_db_close(p.db);
	_exit(0);
}

/* Two processes store and flush all the time: each claim is entered exactly once, for nobody ended early. */
static void two_processes(void **state)
{
	struct desk *d = desk_open("victim.example");
	pid_t child[2];
	int how;

	(void)state;
	case_db_close(d->p.db);
	d->p.db = NULL;
	for (unsigned k = 0; k < 2; k++) {
		child[k] = fork();
		if (child[k] == 0)
			tell_and_flush(d, k);
		assert_true(child[k] > 0);
	}
	for (int k = 0; k < 2; k++) {
		assert_int_equal(waitpid(child[k], &how, 0), child[k]);
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
	ok(case_db_open(&d->p.db, &d->w, d->dir, &err));
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < EACH; i++) {
			char body[64];
			(void)snprintf(body, sizeof(body), "{\"who\":%u,\"n\":%u}", k, i);
			struct claim c = {.kind = "block", .body = body};
			assert_true(claim_make_id(&c));
			assert_int_equal(entries_of(d, &c.id, "claim"), 1);
			row_stands(d, &c.id);
		}
	}
	desk_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stored_and_entered), cmocka_unit_test(of_another),
		cmocka_unit_test(before_there_are_keys), cmocka_unit_test(each_operation_fails_once),
		cmocka_unit_test(ends_at_each_operation),
		cmocka_unit_test(ends_at_each_write_of_the_database), cmocka_unit_test(two_processes)};

	kit_seed("sessions");
	return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
