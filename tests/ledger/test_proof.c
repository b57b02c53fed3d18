/* Checkpoints and offline proofs: what is written is read again; what the specifications do not allow is
 * refused by name; of a proof file, every changed bit is refused. */
#include "ledger/proof.h"
#include "random.h"
#include "small_log.h"
#include "verdict.h"

#define ROOT   "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define ORIGIN "log.example/a"

struct fixture {
	struct err e;
	struct skey log;
	struct policy policy;
	uint64_t seed;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || skey_make(&f->log, &world_real, ORIGIN, KEY_ED25519, &f->e) != STATUS_OK)
		return -1;
	f->seed = seed_take();
	policy_of_log(&f->policy, &f->log.pub);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* ---- checkpoints ---- */

static void checkpoint_known(void **state)
{
	static const char text[] = "example.com/behind-the-sofa\n20852163\n" ROOT "\n";
	static const char go[] = "go.sum database tree\n9223372036854775807\n" ROOT "\nmore\n";
	struct fixture *f = *state;
	struct checkpoint c;
	struct buf b = {0};

	ok(&f->e, checkpoint_parse(&c, text, sizeof(text) - 1, &f->e));
	assert_string_equal(c.origin, "example.com/behind-the-sofa");
	assert_int_equal(c.size, 20852163);
	assert_memory_equal(c.root.b, "\x0a\xc5\x18\x6a\x91\x86\x3e\x8e\x1d", 9);
	checkpoint_write(&b, &c);
	assert_int_equal(b.n, sizeof(text) - 1);
	assert_memory_equal(b.p, text, b.n);
	buf_free(&b);
	ok(&f->e, checkpoint_parse(&c, go, sizeof(go) - 1, &f->e));
	assert_int_equal(c.size, INT64_MAX);
}

static void checkpoint_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{"", "line 1"},
		{"a", "line 1"},
		{"\n1\n" ROOT "\n", "line 1"},
		{"a\n", "line 2"},
		{"a\n\n" ROOT "\n", "line 2"},
		{"a\n01\n" ROOT "\n", "line 2"},
		{"a\n00\n" ROOT "\n", "line 2"},
		{"a\n+1\n" ROOT "\n", "line 2"},
		{"a\n-1\n" ROOT "\n", "line 2"},
		{"a\n 1\n" ROOT "\n", "line 2"},
		{"a\n1 \n" ROOT "\n", "line 2"},
		{"a\n0x1\n" ROOT "\n", "line 2"},
		{"a\n9223372036854775808\n" ROOT "\n", "line 2"},
		{"a\n18446744073709551616\n" ROOT "\n", "line 2"},
		{"a\n99999999999999999999\n" ROOT "\n", "line 2"},
		{"a\n1\n", "line 3"},
		{"a\n1\n" ROOT, "line 3"},
		{"a\n1\n\n", "line 3"},
		{"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", "line 3"},
		{"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", "line 3"},
		{"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", "line 3"},
		{"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2IA\n", "line 3"},
		{"a\n1\n" ROOT " \n", "line 3"},
		{"a\n1\n" ROOT "\n\n", "extension line"},
		{"a\n1\n" ROOT "\nmore\n\n", "extension line"},
		{"a\n1\n" ROOT "\nmore", "extension line"},
	};
	char origin[KEY_NAME_MAX + 60];
	struct fixture *f = *state;
	struct checkpoint c;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		refused(&f->e, checkpoint_parse(&c, t[i].text, strlen(t[i].text), &f->e), STATUS_BAD,
			t[i].says);
	refused(&f->e, checkpoint_parse(&c, "a\0b\n1\n" ROOT "\n", 51, &f->e), STATUS_BAD, "line 1");
	memset(origin, 'o', KEY_NAME_MAX);
	(void)snprintf(origin + KEY_NAME_MAX, 60, "\n1\n%s\n", ROOT);
	ok(&f->e, checkpoint_parse(&c, origin, strlen(origin), &f->e));
	memset(origin, 'o', KEY_NAME_MAX + 1);
	(void)snprintf(origin + KEY_NAME_MAX + 1, 59, "\n1\n%s\n", ROOT);
	refused(&f->e, checkpoint_parse(&c, origin, strlen(origin), &f->e), STATUS_BAD, "line 1");
}

/* ---- offline proofs ---- */

#define HEAD "c2sp.org/tlog-proof@v1\n"

static void proof_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{"", "line 1"},
		{"c2sp.org/tlog-proof@v1", "line 1"},
		{"c2sp.org/tlog-proof@v2\nindex 0\n\nx", "line 1"},
		{"c2sp.org/tlog-proof@v1 \nindex 0\n\nx", "line 1"},
		{HEAD, "ends after line 1"},
		{HEAD "index 0", "ends after line 1"},
		{HEAD "extra AA==\n", "ends after the extra"},
		{HEAD "extra A\nindex 0\n\nx", "extra data is not"},
		{HEAD "extra AA==\nextra AA==\nindex 0\n\nx", "no line with the entry's index"},
		{HEAD "\nindex 0\n\nx", "no line with the entry's index"},
		{HEAD "index\n\nx", "no line with the entry's index"},
		{HEAD "index \n\nx", "no line with the entry's index"},
		{HEAD "index 00\n\nx", "no line with the entry's index"},
		{HEAD "index -1\n\nx", "no line with the entry's index"},
		{HEAD "index  1\n\nx", "no line with the entry's index"},
		{HEAD "index 9223372036854775808\n\nx", "no line with the entry's index"},
		{HEAD "index 0\n", "no empty line"},
		{HEAD "index 0\n" ROOT "\n", "no empty line"},
		{HEAD "index 0\n" ROOT "\n" ROOT "=\n\nx", "hash 2"},
		{HEAD "index 0\n\n", "ends before the checkpoint"},
	};
	struct fixture *f = *state;
	struct tlog_proof p;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		refused(&f->e, tlog_proof_parse(&p, t[i].text, strlen(t[i].text), &f->e), STATUS_BAD,
			t[i].says);
}

static void proof_odd(void **state)
{
	static const char bare[] = HEAD "extra \nindex 0\n\nx";
	static const char last[] = HEAD "extra AA==\nindex 9223372036854775807\n" ROOT "\n\nx";
	struct fixture *f = *state;
	struct buf b = {0};
	struct tlog_proof p;

	ok(&f->e, tlog_proof_parse(&p, bare, sizeof(bare) - 1, &f->e));
	assert_int_equal(p.n_hash, 0);
	ok(&f->e, tlog_proof_parse(&p, last, sizeof(last) - 1, &f->e));
	assert_int_equal(p.index, INT64_MAX);
	assert_int_equal(p.n_hash, 1);
	assert_int_equal(p.n_note, 1);
	buf_put(&b, HEAD "index 1\n", strlen(HEAD) + 8);
	for (unsigned i = 0; i < MERKLE_PROOF_MAX; i++)
		buf_put(&b, ROOT "\n", 45);
	size_t n = b.n;
	buf_put(&b, "\nx", 2);
	ok(&f->e, tlog_proof_parse(&p, (const char *)b.p, b.n, &f->e));
	assert_int_equal(p.n_hash, MERKLE_PROOF_MAX);
	b.n = n;
	buf_put(&b, ROOT "\n\nx", 47);
	refused(&f->e, tlog_proof_parse(&p, (const char *)b.p, b.n, &f->e), STATUS_BAD,
		"more than 64 hashes");
	buf_free(&b);
}

/* A log of which each entry is its own number as text. */
static size_t entry_of(char to[24], size_t i)
{
	return (size_t)snprintf(to, 24, "entry %zu\n", i);
}

static void log_fill(struct small_log *l, size_t size)
{
	char entry[24];

	l->size = size;
	for (size_t i = 0; i < size; i++)
		assert_true(merkle_leaf(&l->leaf[i], entry, entry_of(entry, i)));
}

/* The proof file of entry i, as a log would write it. */
static struct buf log_proof(struct fixture *f, struct small_log *l, size_t i)
{
	struct merkle_source source = {l, small_log_subtree};
	struct checkpoint c = {.origin = ORIGIN, .size = l->size};
	struct tlog_proof p = {.index = i};
	struct buf text = {0}, note = {0}, b = {0};

	ok(&f->e, merkle_root_of(&source, l->size, &c.root, &f->e));
	ok(&f->e, merkle_prove(&source, i, l->size, p.hash, &p.n_hash, &f->e));
	checkpoint_write(&text, &c);
	ok(&f->e, note_sign(&note, (const char *)text.p, text.n, &f->log, &f->e));
	p.note = (const char *)note.p;
	p.n_note = note.n;
	tlog_proof_write(&b, &p);
	buf_free(&text);
	buf_free(&note);
	return b;
}

static enum status judge(
	struct fixture *f, const struct buf *b, const char *entry, size_t n, struct checkpoint *c)
{
	struct tlog_proof p;
	enum status s = tlog_proof_parse(&p, (const char *)b->p, b->n, &f->e);

	return s == STATUS_OK ? tlog_proof_verify(&p, &f->policy, entry, n, c, &f->e) : s;
}

static void proofs_hold(void **state)
{
	struct fixture *f = *state;
	struct small_log l;

	for (unsigned round = 0; round < 100; round++) {
		char entry[24];
		struct checkpoint c;
		struct tlog_proof p;
		log_fill(&l, 1 + next_random(&f->seed) % 200);
		size_t i = next_random(&f->seed) % l.size, n = entry_of(entry, i);
		struct buf b = log_proof(f, &l, i), again = {0};
		ok(&f->e, judge(f, &b, entry, n, &c));
		assert_string_equal(c.origin, ORIGIN);
		assert_int_equal(c.size, l.size);
		refused(&f->e, judge(f, &b, entry, n - 1, &c), STATUS_NO, "does not show the entry");
		ok(&f->e, tlog_proof_parse(&p, (const char *)b.p, b.n, &f->e));
		tlog_proof_write(&again, &p);
		assert_int_equal(again.n, b.n);
		assert_memory_equal(again.p, b.p, b.n);
		buf_free(&b);
		buf_free(&again);
	}
}

static void bits_refused(void **state)
{
	struct fixture *f = *state;
	char entry[24];
	struct small_log l;

	log_fill(&l, 11);
	size_t n = entry_of(entry, 6);
	struct buf b = log_proof(f, &l, 6);
	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		struct checkpoint c;
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		enum status s = judge(f, &b, entry, n, &c);
		if (s != STATUS_NO && s != STATUS_BAD)
			fail_msg("bit %zu: status %d: %.*s", bit, s, (int)b.n, (const char *)b.p);
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t cut = 0; cut < b.n; cut++) {
		struct buf part = {.p = b.p, .n = cut};
		struct checkpoint c;
		assert_int_not_equal(judge(f, &part, entry, n, &c), STATUS_OK);
	}
	buf_free(&b);
}

/* A good proof in a log that nobody asked about, and a log that signs for another origin. */
static void other_logs(void **state)
{
	struct fixture *f = *state;
	char entry[24];
	struct small_log l;
	struct checkpoint c;
	struct skey log = f->log;

	log_fill(&l, 3);
	struct buf b = log_proof(f, &l, 1);
	ok(&f->e, skey_make(&f->log, &world_real, "other.example", KEY_ED25519, &f->e));
	policy_of_log(&f->policy, &f->log.pub);
	refused(&f->e, judge(f, &b, entry, entry_of(entry, 1), &c), STATUS_NO,
		"the proof's checkpoint: not signed by any key");
	buf_free(&b);
	b = log_proof(f, &l, 1);
	refused(&f->e, judge(f, &b, entry, entry_of(entry, 1), &c), STATUS_NO,
		"no log of the policy signed for the origin " ORIGIN);
	buf_free(&b);
	f->log = log;
	policy_of_log(&f->policy, &f->log.pub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checkpoint_known),
		cmocka_unit_test(checkpoint_bad),
		cmocka_unit_test(proof_bad),
		cmocka_unit_test(proof_odd),
		cmocka_unit_test(proofs_hold),
		cmocka_unit_test(bits_refused),
		cmocka_unit_test(other_logs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
