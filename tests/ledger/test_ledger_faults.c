/* The ledger when the machine fails: every operation of a scenario in turn fails once, stops short, or is the
 * last one before a power cut that loses what was not synced.  Afterwards, each time, all that was
 * acknowledged is there and every head that was shown agrees with the new one. */
#include "faulty_world.h"

/* Goes on until the handle opens or the world is dead. */
static struct ledger *open_again(const struct world *w, const char *dir)
{
	struct ledger *l = NULL;

	for (int i = 0; i < 2 && ledger_open(&l, w, dir, LEDGER_SIGN, &err) != STATUS_OK; i++)
		assert_int_equal(err.status, STATUS_MACHINE);
	return l;
}

/* One commit, and every second time the head is shown: both are acknowledged only when they came back OK. */
static bool step(struct ledger *l, uint64_t n, bool show, struct acked *a)
{
	struct buf note = {0};
	bool done = kit_append(l, n) == STATUS_OK && ledger_commit(l, &err) == STATUS_OK;

	if (done)
		acked_add(a, ledger_head(l), false);
	if (done && show) {
		done = ledger_checkpoint(l, &note, &err) == STATUS_OK;
		if (done)
			acked_add(a, ledger_head(l), true);
	}
	buf_free(&note);
	return done;
}

/* From 250 entries over the ends of the first and the second tile; where something fails, opened again. */
static void scenario(const struct world *w, const char *dir, struct acked *a)
{
	static const struct {
		uint64_t n;
		bool show;
	} steps[] = {{3, true}, {2, false}, {10, true}, {1, false}, {260, false}, {1, true}};
	struct ledger *l = open_again(w, dir);

	for (size_t i = 0; l && i < sizeof(steps) / sizeof(steps[0]); i++) {
		bool done = step(l, steps[i].n, steps[i].show, a);
		/* A handle that failed once writes nothing more. */
		if (!done)
			assert_int_equal(kit_append(l, 1), STATUS_MACHINE);
		else if (i != 3)
			continue;
		(void)ledger_close(l, &err);
		l = open_again(w, dir);
	}
	(void)ledger_close(l, &err);
}

static void every_operation(enum fault fault)
{
	char *first = kit_ledger(250), *dir = kit_dir();
	struct acked *a = calloc(1, sizeof(*a));
	bool hit = true;
	long at = 0;

	assert_non_null(a);
	while (hit) {
		struct faulty *f = faulty_make(fault, ++at);
		*a = (struct acked){.size = 250};
		kit_copy(dir, first);
		kit_quiet();
		scenario(&f->w, dir, a);
		kit_verify(dir, a);
		kit_loud();
		hit = f->hit;
		assert_true(hit || a->size == 527);
		faulty_free(f);
	}
	assert_true(at > 100);
	(void)printf("# %ld operations\n", at);
	free(a);
	kit_dir_free(first);
	kit_dir_free(dir);
}

static void fails_once(void **state)
{
	(void)state;
	every_operation(FAULT_ONCE);
}

static void stops_short(void **state)
{
	(void)state;
	every_operation(FAULT_SHORT);
}

static void dies(void **state)
{
	(void)state;
	every_operation(FAULT_DEAD);
}

/* After each operation the power goes, several times with another chance of what reached the disk. */
static void power_cut(void **state)
{
	char *first = kit_ledger(250), *dir = kit_dir(), *after = kit_dir();
	struct acked *a = calloc(1, sizeof(*a));
	bool hit = true;

	(void)state;
	kit_seed("power cut");
	assert_non_null(a);
	for (long at = 1; hit; at++) {
		struct faulty *f = faulty_make(FAULT_DEAD, at);
		*a = (struct acked){.size = 250};
		kit_copy(dir, first);
		f->model = true;
		all_safe(f, dir);
		kit_quiet();
		scenario(&f->w, dir, a);
		for (int i = 0; i < 4; i++) {
			kit_empty(after);
			disk_after(f, after, dir);
			kit_verify(after, a);
		}
		kit_loud();
		hit = f->hit;
		faulty_free(f);
	}
	free(a);
	kit_dir_free(first);
	kit_dir_free(dir);
	kit_dir_free(after);
}

/* A disk that stores another bit than it was given, once, anywhere: it is read back and seen before the file
 * is in place, so that nothing of it is acknowledged or signed and the next opening finds all whole. */
static void writes_wrongly(void **state)
{
	char *first = kit_ledger(250), *dir = kit_dir();
	struct acked *a = calloc(1, sizeof(*a));
	struct ledger *l;
	unsigned failed = 0;
	bool hit = true;

	(void)state;
	kit_seed("writes wrongly");
	assert_non_null(a);
	for (long at = 1; hit; at++) {
		struct faulty *f = faulty_make(FAULT_FLIP, at);
		*a = (struct acked){.size = 250};
		kit_copy(dir, first);
		kit_quiet();
		l = NULL;
		bool done = ledger_open(&l, &f->w, dir, LEDGER_SIGN, &err) == STATUS_OK &&
			    step(l, 3, true, a) && step(l, 300, true, a);
		done = ledger_close(l, &err) == STATUS_OK && done;
		failed += !done;
		kit_verify(dir, a);
		kit_loud();
		hit = f->hit;
		faulty_free(f);
	}
	assert_true(failed > 10);
	free(a);
	kit_dir_free(first);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fails_once), cmocka_unit_test(stops_short),
		cmocka_unit_test(dies), cmocka_unit_test(power_cut), cmocka_unit_test(writes_wrongly)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
