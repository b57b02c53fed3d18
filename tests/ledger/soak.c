/* kill -9 under load, COUNT times: a child appends, commits, shows heads, rotates keys, and tells of each
 * commit over a pipe when it was acknowledged; the parent kills it after a random number of acknowledgements
 * and some way into what follows, opens what is left, and asks for every
 * acknowledged entry byte by byte and for a proof from every head that was ever shown to the new one.
 *
 * usage: soak COUNT */
#include "ledger_kit.h"

#include <poll.h>
#include <signal.h>

#define SIZE_ENOUGH 4000 /* entries after which a ledger is begun anew, so that asking stays quick */

struct ack {
	struct checkpoint head;
	bool shown;
};

static enum status rotate(struct ledger *l)
{
	struct vkey new;

	return ledger_rotate(l, kit_rnd(2) ? KEY_LOG : KEY_OPERATOR, &new, &err);
}

/* The child: never returns. */
static void load(const char *dir, int to)
{
	struct ledger *l;
	struct buf note = {0};

	if (ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err) != STATUS_OK)
		_exit(1);
	for (;;) {
		struct ack a = {.shown = kit_rnd(3) == 0};
		uint64_t n = kit_rnd(8) ? 1 + kit_rnd(9) : 1 + kit_rnd(400);
		note.n = 0;
		if (kit_append(l, n) != STATUS_OK || ledger_commit(l, &err) != STATUS_OK)
			_exit(1);
		if (a.shown && ledger_checkpoint(l, &note, &err) != STATUS_OK)
			_exit(1);
		a.head = *ledger_head(l);
		if (write(to, &a, sizeof(a)) != (ssize_t)sizeof(a))
			_exit(1);
		if (kit_rnd(40) == 0 &&
			(ledger_close(l, &err) != STATUS_OK ||
				ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err) != STATUS_OK))
			_exit(1);
		if (kit_rnd(60) == 0 && rotate(l) != STATUS_OK)
			_exit(1);
	}
}

/* Reads acknowledgements until the child is to die, kills it, reads what it had said until then. */
static void kill_at_random(pid_t pid, int from, struct acked *acked)
{
	uint64_t until = kit_rnd(30);
	struct ack a;
	int status;

	for (uint64_t i = 0; read(from, &a, sizeof(a)) == (ssize_t)sizeof(a); i++) {
		acked_add(acked, &a.head, a.shown);
		if (i < until)
			continue;
		/* Some way into what it does next: so many rounds of this loop, not of a clock. */
		for (volatile uint64_t spin = kit_rnd(3000000); spin > 0; spin--)
			;
		(void)kill(pid, SIGKILL);
		until = UINT64_MAX;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("the child gave up");
}

/* As kit_verify(), for a ledger that goes on: nothing is appended. */
static void verify(const char *dir, const struct acked *a)
{
	static const char key[] = "{\"v\":1,\"kind\":\"key\"";
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	char text[KIT_ENTRY_MAX];
	struct buf entry = {0};

	assert_true(ledger_head(l)->size >= a->size);
	for (uint64_t i = 0; i < ledger_head(l)->size; i++) {
		entry.n = 0;
		ok(ledger_entry(l, i, &entry, &err));
		if (entry.n > sizeof(key) - 1 && memcmp(entry.p, key, sizeof(key) - 1) == 0)
			continue; /* the heads vouch for it */
		assert_int_equal(entry.n, kit_entry(text, i));
		assert_memory_equal(entry.p, text, entry.n);
	}
	for (size_t i = 0; i < a->n_head; i++)
		kit_consistent(l, &a->head[i]);
	buf_free(&entry);
	kit_close(l);
}

static unsigned long rounds = 50;

static void killed(void **state)
{
	struct acked *a = calloc(1, sizeof(*a));
	struct ledger_report r;
	unsigned long acks = 0;
	char *dir = NULL;

	(void)state;
	assert_non_null(a);
	kit_seed("soak");
	for (unsigned long i = 0; i < rounds; i++) {
		int fd[2];
		if (!dir) {
			*a = (struct acked){0};
			dir = kit_ledger(kit_rnd(300));
		}
		assert_int_equal(pipe(fd), 0);
		(void)kit_rnd(2); /* each child has luck of its own */
		pid_t pid = fork();
		if (pid == 0)
			load(dir, fd[1]);
		(void)close(fd[1]);
		kill_at_random(pid, fd[0], a);
		(void)close(fd[0]);
		kit_quiet();
		verify(dir, a);
		kit_loud();
		acks += a->n_head;
		if (a->size > SIZE_ENOUGH) {
			ok(ledger_check(&r, &world_real, dir, false, &err));
			kit_dir_free(dir);
			dir = NULL;
		}
	}
	(void)printf("# %lu kills, %lu proofs from heads that were shown\n", rounds, acks);
	if (dir)
		kit_dir_free(dir);
	free(a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(killed)};

	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
