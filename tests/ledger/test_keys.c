/* The keys: made whole or not at all, refused when others may read them or when a bit is wrong, and rotated
 * in an order that a crash at any step cannot hurt. */
#include "faulty_world.h"

static void path_in(char to[PATH_MAX], const char *dir, const char *name)
{
	(void)snprintf(to, PATH_MAX, "%s/%s", dir, name);
}

static void made(void **state)
{
	char *dir = kit_dir(), path[PATH_MAX];
	struct vkey op, log;
	struct skey k;
	struct stat st;

	(void)state;
	assert_int_equal(keys_public(dir, KEY_OPERATOR, &op, &err), STATUS_NO);
	assert_int_equal(keys_secret(dir, KEY_LOG, &k, &err), STATUS_NO);
	ok(keys_init(&world_real, dir, NULL, &err));
	ok(keys_public(dir, KEY_OPERATOR, &op, &err));
	ok(keys_public(dir, KEY_LOG, &log, &err));
	assert_int_equal(strlen(op.name), strlen("weir.invalid/") + 8);
	assert_memory_equal(op.name, "weir.invalid/", 13);
	assert_memory_equal(log.name, op.name, strlen(op.name));
	assert_string_equal(log.name + strlen(op.name), "/log");
	ok(keys_secret(dir, KEY_OPERATOR, &k, &err));
	assert_true(vkey_equal(&k.pub, &op));
	path_in(path, dir, "keys");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	path_in(path, dir, "keys/log.key");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A second time nothing changes. */
	assert_int_equal(keys_init(&world_real, dir, "example.com/other", &err), STATUS_NO);
	assert_non_null(strstr(err.text, op.name));
	ok(keys_public(dir, KEY_OPERATOR, &log, &err));
	assert_true(vkey_equal(&log, &op));
	kit_dir_free(dir);
}

static void names(void **state)
{
	static const char *const bad[] = {"", "a b", "a+b", "a\nb", "a\x01", "\xff"};
	char *dir = kit_dir(), *long_name = calloc(1, KEY_NAME_MAX + 2);
	struct vkey v;

	(void)state;
	assert_non_null(long_name);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(keys_init(&world_real, dir, bad[i], &err), STATUS_BAD);
	memset(long_name, 'n', KEY_NAME_MAX - 3);
	assert_int_equal(keys_init(&world_real, dir, long_name, &err), STATUS_BAD);
	assert_int_equal(keys_public(dir, KEY_LOG, &v, &err), STATUS_NO);
	long_name[KEY_NAME_MAX - 4] = '\0';
	ok(keys_init(&world_real, dir, long_name, &err));
	ok(keys_public(dir, KEY_LOG, &v, &err));
	assert_int_equal(strlen(v.name), KEY_NAME_MAX);
	free(long_name);
	kit_dir_free(dir);
}

static void open_to_others(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0601, 0620, 0666};
	char *dir = kit_dir(), path[PATH_MAX];
	struct skey k;

	(void)state;
	kit_keys(dir);
	path_in(path, dir, "keys/operator.key");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(keys_secret(dir, KEY_OPERATOR, &k, &err), STATUS_BAD);
		assert_non_null(strstr(err.text, "chmod 600"));
	}
	assert_int_equal(chmod(path, 0600), 0);
	ok(keys_secret(dir, KEY_OPERATOR, &k, &err));
	kit_dir_free(dir);
}

/* Every byte of every key file, wrong in one bit; missing; empty. */
static void damaged(void **state)
{
	static const char *const files[] = {"keys/operator.key", "keys/operator.vkey"};
	char *dir = kit_dir(), path[PATH_MAX];
	struct skey k;
	size_t n;

	(void)state;
	kit_keys(dir);
	for (size_t i = 0; i < 2; i++) {
		path_in(path, dir, files[i]);
		uint8_t *p = kit_slurp(path, &n);
		for (size_t at = 0; at < n; at++) {
			p[at] ^= (uint8_t)(1U << at % 7);
			kit_spill(path, p, n);
			assert_int_equal(keys_secret(dir, KEY_OPERATOR, &k, &err), STATUS_BAD);
			p[at] ^= (uint8_t)(1U << at % 7);
		}
		kit_spill(path, p, 0);
		assert_int_equal(keys_secret(dir, KEY_OPERATOR, &k, &err), STATUS_BAD);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(keys_secret(dir, KEY_OPERATOR, &k, &err), STATUS_BAD);
		assert_non_null(strstr(err.text, "missing"));
		/* A key that was lost is not made anew: it would contradict what it signed. */
		if (i == 1)
			assert_int_equal(keys_init(&world_real, dir, NULL, &err), STATUS_BAD);
		kit_spill(path, p, n);
		free(p);
	}
	ok(keys_secret(dir, KEY_OPERATOR, &k, &err));
	kit_dir_free(dir);
}

/* keys_init() fails, or the power goes, at each operation: no keys or whole ones, and the next one makes
 * them.
 */
static void init_cut(void **state)
{
	char *dir = kit_dir(), *after = kit_dir();
	struct skey k;
	bool hit = true;

	(void)state;
	kit_seed("init cut");
	for (long at = 1; hit; at++) {
		struct faulty *f = faulty_make(FAULT_DEAD, at);
		kit_empty(dir);
		assert_int_equal(mkdir(dir, 0700), 0);
		f->model = true;
		all_safe(f, dir);
		enum status s = keys_init(&f->w, dir, KIT_NAME, &err);
		kit_empty(after);
		disk_after(f, after, dir);
		enum status again = keys_init(&world_real, after, KIT_NAME, &err);
		assert_true(again == STATUS_OK || again == STATUS_NO);
		assert_true(s != STATUS_OK || again == STATUS_NO);
		ok(keys_secret(after, KEY_OPERATOR, &k, &err));
		ok(keys_secret(after, KEY_LOG, &k, &err));
		hit = f->hit;
		faulty_free(f);
	}
	kit_dir_free(dir);
	kit_dir_free(after);
}

/* ---- rotation ---- */

static void rotated(void **state)
{
	char *dir = kit_ledger(5), old_text[VKEY_TEXT], new_text[VKEY_TEXT];
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	struct vkey old, new, today, *retired;
	struct checkpoint before = *ledger_head(l);
	struct arena a = {0};
	struct buf entry = {0};
	size_t n;

	(void)state;
	ok(keys_public(dir, KEY_LOG, &old, &err));
	ok(ledger_rotate(l, KEY_LOG, &new, &err));
	ok(keys_public(dir, KEY_LOG, &today, &err));
	assert_true(vkey_equal(&new, &today));
	assert_true(vkey_equal(&new, ledger_key(l)));
	assert_false(vkey_equal(&new, &old));
	assert_string_equal(new.name, old.name);
	ok(keys_retired(dir, KEY_LOG, &a, &retired, &n, &err));
	assert_int_equal(n, 1);
	assert_true(vkey_equal(&retired[0], &old));
	ok(ledger_entry(l, 5, &entry, &err));
	(void)vkey_text(old_text, &old);
	(void)vkey_text(new_text, &new);
	assert_non_null(memmem(entry.p, entry.n, old_text, strlen(old_text)));
	assert_non_null(memmem(entry.p, entry.n, new_text, strlen(new_text)));
	kit_consistent(l, &before);
	ok(ledger_rotate(l, KEY_OPERATOR, &new, &err));
	kit_grow(l, 1);
	kit_close(l);
	l = kit_open(dir, LEDGER_SIGN);
	kit_consistent(l, &before);
	kit_close(l);
	ok(keys_retired(dir, KEY_OPERATOR, &a, &retired, &n, &err));
	assert_int_equal(n, 1);
	arena_free(&a);
	buf_free(&entry);
	kit_dir_free(dir);
}

/* The text that `by` signs, as doc/ledger-format.md has it, checked as a signed note by the old key. */
static void rotation_signed(void **state)
{
	char *dir = kit_ledger(1), old_text[VKEY_TEXT], new_text[VKEY_TEXT];
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	struct vkey old, new;
	struct buf entry = {0}, note = {0};
	struct arena a = {0};
	struct note n;
	bool by[1];

	(void)state;
	ok(keys_public(dir, KEY_OPERATOR, &old, &err));
	ok(ledger_rotate(l, KEY_OPERATOR, &new, &err));
	ok(ledger_entry(l, 1, &entry, &err));
	buf_u8(&entry, 0);
	const char *sig = strstr((const char *)entry.p, "\"by\":\"");
	assert_non_null(sig);
	sig += strlen("\"by\":\"");
	char text[4096];
	int k = snprintf(text, sizeof(text), "weir-key/v1\noperator\n%s\n%s\n\n\xe2\x80\x94 %s %.*s\n",
		vkey_text(old_text, &old), vkey_text(new_text, &new), old.name, (int)strcspn(sig, "\""), sig);
	buf_put(&note, text, (size_t)k);
	ok(note_parse(&n, (const char *)note.p, note.n, &a, &err));
	ok(note_verify(&n, &old, 1, by, NULL, &err));
	arena_free(&a);
	buf_free(&entry);
	buf_free(&note);
	kit_close(l);
	kit_dir_free(dir);
}

/* How many entries name the key? */
static unsigned named(const char *dir, const struct vkey *v)
{
	struct ledger *l = kit_open(dir, LEDGER_READ);
	char text[VKEY_TEXT];
	struct buf entry = {0};
	unsigned n = 0;

	(void)vkey_text(text, v);
	for (uint64_t i = 0; i < ledger_head(l)->size; i++) {
		entry.n = 0;
		ok(ledger_entry(l, i, &entry, &err));
		n += memmem(entry.p, entry.n, text, strlen(text)) != NULL;
	}
	buf_free(&entry);
	kit_close(l);
	return n;
}

/* A rotation is cut at each operation, by a failure or by the power: afterwards the key in place is the old
 * one, or one that the ledger names; nothing is pending; the next rotation works. */
static void rotation_cut_as(enum key_role role)
{
	char *first = kit_ledger(3), *dir = kit_dir(), *after = kit_dir();
	struct vkey old, new, today, next;
	struct ledger *l;
	bool hit = true;
	unsigned turned = 0, kept = 0;

	ok(keys_public(first, role, &old, &err));
	for (long at = 1; hit; at++) {
		struct faulty *f = faulty_make(FAULT_DEAD, at);
		kit_copy(dir, first);
		f->model = true;
		all_safe(f, dir);
		bool done = false;
		kit_quiet();
		if (ledger_open(&l, &f->w, dir, LEDGER_SIGN, &err) == STATUS_OK) {
			done = ledger_rotate(l, role, &new, &err) == STATUS_OK;
			(void)ledger_close(l, &err);
		}
		kit_empty(after);
		disk_after(f, after, dir);
		kit_close(kit_open(after, LEDGER_SIGN));
		kit_loud();
		ok(keys_public(after, role, &today, &err));
		assert_int_equal(keys_pending(after, role, &next, &err), STATUS_NO);
		bool turn = !vkey_equal(&today, &old);
		assert_true(turn || !done);
		assert_int_equal(named(after, &today), turn);
		turned += turn;
		kept += !turn;
		l = kit_open(after, LEDGER_SIGN);
		ok(ledger_rotate(l, role, &next, &err));
		kit_close(l);
		assert_int_equal(named(after, &next), 1);
		hit = f->hit;
		faulty_free(f);
	}
	assert_true(turned > 3 && kept > 3);
	kit_dir_free(first);
	kit_dir_free(dir);
	kit_dir_free(after);
}

static void rotation_cut(void **state)
{
	(void)state;
	kit_seed("rotation cut");
	rotation_cut_as(KEY_OPERATOR);
	rotation_cut_as(KEY_LOG);
}

/* A checkpoint by another key, of another origin. */
static void strangers(void **state)
{
	char *one = kit_ledger(3), *two = kit_dir(), a[PATH_MAX], b[PATH_MAX];
	struct ledger *l;

	(void)state;
	ok(keys_init(&world_real, two, "example.com/two", &err));
	kit_close(kit_open(two, LEDGER_SIGN));
	for (int mode = 0; mode < 2; mode++) {
		path_in(a, one, "ledger/checkpoint");
		path_in(b, two, "ledger/checkpoint");
		kit_copy(a, b);
		assert_int_equal(ledger_open(&l, &world_real, one, mode ? LEDGER_SIGN : LEDGER_READ, &err),
			STATUS_BAD);
		assert_non_null(strstr(err.text, "checkpoint"));
	}
	kit_dir_free(one);
	kit_dir_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(made), cmocka_unit_test(names),
		cmocka_unit_test(open_to_others), cmocka_unit_test(damaged), cmocka_unit_test(init_cut),
		cmocka_unit_test(rotated), cmocka_unit_test(rotation_signed), cmocka_unit_test(rotation_cut),
		cmocka_unit_test(strangers)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
