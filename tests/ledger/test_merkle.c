/* The tree against the recursions of RFC 6962 section 2.1 written down as they stand there, on every tree of
 * a few leaves and on random ones of thousands; every proof holds, and no changed one does. */
#include "random.h"
#include "slow_tree.h"
#include "verdict.h"

#define LEAVES 4000
#define SMALL  40 /* every tree up to here, with every proof */

/* ---- the trees ---- */

struct fixture {
	struct hash leaf[LEAVES];
	struct merkle_source source;
	struct err e;
	uint64_t seed;
	size_t fail_after; /* the source's answers before it fails; 0: never */
};

static enum status leaves_subtree(void *self, unsigned level, uint64_t at, struct hash *to, struct err *e)
{
	struct fixture *f = self;

	if (f->fail_after && --f->fail_after == 0)
		return err_set(e, STATUS_MACHINE, "the disk is gone");
	assert_true(((at + 1) << level) <= LEAVES);
	*to = slow_root(f->leaf + (at << level), (size_t)1 << level);
	return STATUS_OK;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->seed = seed_take();
	f->source = (struct merkle_source){f, leaves_subtree};
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t entry[4] = {(uint8_t)next_random(&f->seed), (uint8_t)i, (uint8_t)(i >> 8), 0};
		if (!merkle_leaf(&f->leaf[i], entry, sizeof(entry)))
			return -1;
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void hash_is(const struct hash *h, const char *hex)
{
	char text[65];

	for (size_t i = 0; i < sizeof(h->b); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", h->b[i]);
	assert_string_equal(text, hex);
}

/* The leaves and roots that the first Certificate Transparency implementations were tested with. */
static void known_roots(void **state)
{
	static const struct {
		const char *entry;
		size_t n;
		const char *root;
	} t[] = {
		{"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"\0", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{" !", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
		{"01", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
		{"@ABC", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
		{"PQRSTUVW", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{"`abcdefghijklmno", 16, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	};
	struct merkle m = {0};
	struct hash h;

	(void)state;
	assert_true(merkle_empty(&h));
	hash_is(&h, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_true(merkle_root(&m, &h));
	hash_is(&h, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_true(merkle_leaf(&h, t[i].entry, t[i].n));
		assert_true(merkle_add(&m, &h));
		assert_true(merkle_root(&m, &h));
		hash_is(&h, t[i].root);
	}
}

static void growing(void **state)
{
	struct fixture *f = *state;
	struct merkle m = {0};

	for (size_t i = 0; i < LEAVES; i++) {
		assert_true(merkle_add(&m, &f->leaf[i]));
		assert_int_equal(m.size, i + 1);
		if (i > 150 && i % 97 != 0 && i < LEAVES - 3)
			continue;
		struct hash grown, made, slow = slow_root(f->leaf, i + 1);
		assert_true(merkle_root(&m, &grown));
		assert_memory_equal(&grown, &slow, sizeof(slow));
		assert_int_equal(merkle_root_of(&f->source, i + 1, &made, &f->e), STATUS_OK);
		assert_memory_equal(&made, &slow, sizeof(slow));
	}
}

/* ---- proofs ---- */

struct shown {
	uint64_t index, size; /* of a growth: the old size, the new one */
	struct hash leaf;     /* the old root */
	struct hash root;
	struct hash proof[MERKLE_PROOF_MAX + 1];
	size_t n;
};

typedef bool judge(const struct shown *s);

static bool included(const struct shown *s)
{
	bool yes = merkle_included(s->index, s->size, &s->leaf, s->proof, s->n, &s->root);

	assert_int_equal(yes, slow_included(s->index, s->size, s->leaf, s->proof, s->n, &s->root));
	return yes;
}

static bool consistent(const struct shown *s)
{
	bool yes = merkle_consistent(s->index, &s->leaf, s->size, &s->root, s->proof, s->n);

	if (s->index > 0) /* the empty tree has a test of its own */
		assert_int_equal(yes, slow_consistent(s->index, &s->leaf, s->size, &s->root, s->proof, s->n));
	return yes;
}

static void bits_refused(struct shown *s, judge *j, void *what, size_t n)
{
	uint8_t *p = what;

	for (size_t bit = 0; bit < 8 * n; bit++) {
		p[bit / 8] ^= (uint8_t)(1U << (bit % 8));
		assert_false(j(s));
		p[bit / 8] ^= (uint8_t)(1U << (bit % 8));
	}
}

/* Where numbers change, the recursion decides: (size, root) is what a log signs, and one root may be reached
 * by the same steps in trees of two sizes. */
static void numbers_changed(struct shown *s, judge *j)
{
	struct shown t = *s;

	for (unsigned bit = 0; bit < 13; bit++) {
		t.size = s->size ^ UINT64_C(1) << bit;
		(void)j(&t);
	}
	for (uint64_t d = 1; d < 4; d++) {
		t.size = s->size + d;
		(void)j(&t);
		t.size = s->size > d ? s->size - d : 0;
		(void)j(&t);
	}
}

static void lengths_refused(struct shown *s, judge *j)
{
	size_t n = s->n;

	for (s->n = 0; s->n < n; s->n++)
		assert_false(j(s));
	s->proof[n] = s->root;
	s->n = n + 1;
	assert_false(j(s));
	s->n = n;
}

/* Another leaf's number, with this one's proof. */
static void indices_refused(struct shown *s, judge *j)
{
	uint64_t index = s->index;

	for (unsigned bit = 0; bit < 64; bit++) {
		s->index = index ^ UINT64_C(1) << bit;
		assert_false(j(s));
	}
	s->index = index + 1;
	assert_false(j(s));
	s->index = index - 1;
	assert_false(j(s));
	s->index = index;
}

static void changed_refused(struct shown *s, judge *j)
{
	bits_refused(s, j, s->proof, s->n * sizeof(s->proof[0]));
	bits_refused(s, j, &s->leaf, sizeof(s->leaf));
	bits_refused(s, j, &s->root, sizeof(s->root));
	numbers_changed(s, j);
	lengths_refused(s, j);
}

static struct shown show_entry(struct fixture *f, size_t index, size_t size)
{
	struct shown s = {
		.index = index, .size = size, .leaf = f->leaf[index], .root = slow_root(f->leaf, size)};
	struct hash slow[MERKLE_PROOF_MAX];
	size_t n = slow_path(index, f->leaf, size, slow);

	assert_int_equal(merkle_prove(&f->source, index, size, s.proof, &s.n, &f->e), STATUS_OK);
	assert_int_equal(s.n, n);
	if (n)
		assert_memory_equal(s.proof, slow, n * sizeof(slow[0]));
	assert_true(included(&s));
	return s;
}

static struct shown show_growth(struct fixture *f, size_t old, size_t size)
{
	struct shown s = {.index = old,
		.size = size,
		.leaf = slow_root(f->leaf, old),
		.root = slow_root(f->leaf, size)};
	struct hash slow[MERKLE_PROOF_MAX];
	size_t n = slow_proof(old, f->leaf, size, true, slow);

	assert_int_equal(merkle_prove_consistent(&f->source, old, size, s.proof, &s.n, &f->e), STATUS_OK);
	assert_int_equal(s.n, n);
	if (n)
		assert_memory_equal(s.proof, slow, n * sizeof(slow[0]));
	assert_true(consistent(&s));
	return s;
}

static void small_trees(void **state)
{
	struct fixture *f = *state;

	for (size_t size = 1; size <= SMALL; size++) {
		for (size_t i = 0; i < size; i++)
			(void)show_entry(f, i, size);
		for (size_t old = 1; old <= size; old++)
			(void)show_growth(f, old, size);
	}
}

static void entries_changed(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 60; i++) {
		size_t size = i < 30 ? i + 1 : 1 + next_random(&f->seed) % LEAVES;
		struct shown s = show_entry(f, next_random(&f->seed) % size, size);
		changed_refused(&s, included);
		indices_refused(&s, included);
	}
}

static void growth_changed(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 60; i++) {
		size_t size = i < 30 ? i + 2 : 2 + next_random(&f->seed) % (LEAVES - 1);
		struct shown s = show_growth(f, 1 + next_random(&f->seed) % (size - 1), size);
		changed_refused(&s, consistent);
	}
}

static void random_trees(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 150; i++) {
		size_t size = 1 + next_random(&f->seed) % LEAVES;
		(void)show_entry(f, next_random(&f->seed) % size, size);
		(void)show_growth(f, 1 + next_random(&f->seed) % size, size);
	}
}

/* Every proof of a small tree, claimed of every other place in every other small tree. */
static void misplaced(void **state)
{
	enum { FEW = 9 };
	struct fixture *f = *state;

	for (size_t was = 0; was < (size_t)FEW * FEW; was++) {
		size_t size = 1 + was / FEW, index = was % FEW;
		if (index >= size)
			continue;
		struct shown entry = show_entry(f, index, size), growth = show_growth(f, index + 1, size);
		for (size_t is = 0; is < (size_t)(FEW + 1) * (FEW + 1); is++) {
			entry.size = growth.size = is / (FEW + 1);
			entry.index = growth.index = is % (FEW + 1);
			(void)included(&entry);
			if (growth.index > 0)
				(void)consistent(&growth);
		}
	}
}

/* ---- edges ---- */

static void empty_trees(void **state)
{
	struct fixture *f = *state;
	struct hash empty, root = slow_root(f->leaf, 5), proof[MERKLE_PROOF_MAX];
	size_t n;

	assert_true(merkle_empty(&empty));
	assert_int_equal(merkle_prove_consistent(&f->source, 0, 5, proof, &n, &f->e), STATUS_OK);
	assert_int_equal(n, 0);
	assert_true(merkle_consistent(0, &empty, 5, &root, NULL, 0));
	assert_true(merkle_consistent(0, &empty, 0, &empty, NULL, 0));
	assert_false(merkle_consistent(0, &root, 5, &root, NULL, 0));
	assert_false(merkle_consistent(0, &empty, 5, &root, &root, 1));
	assert_false(merkle_consistent(0, &empty, 0, &root, NULL, 0));
	assert_false(merkle_consistent(0, &root, 0, &root, NULL, 0));
	assert_true(merkle_consistent(5, &root, 5, &root, NULL, 0));
	assert_false(merkle_consistent(5, &empty, 5, &root, NULL, 0));
	assert_false(merkle_consistent(5, &root, 5, &root, &root, 1));
	assert_false(merkle_included(0, 0, &empty, NULL, 0, &empty));
	assert_int_equal(merkle_root_of(&f->source, 0, &root, &f->e), STATUS_OK);
	assert_memory_equal(&root, &empty, sizeof(root));
}

static void out_of_range(void **state)
{
	struct fixture *f = *state;
	struct hash h = f->leaf[0], proof[MERKLE_PROOF_MAX];
	struct merkle m = {.size = INT64_MAX};
	size_t n;

	assert_int_equal(merkle_prove(&f->source, 5, 5, proof, &n, &f->e), STATUS_BAD);
	assert_string_equal(f->e.text, "entry 5 is not in a tree of 5");
	assert_int_equal(merkle_prove(&f->source, UINT64_MAX, 5, proof, &n, &f->e), STATUS_BAD);
	assert_int_equal(merkle_prove(&f->source, 0, UINT64_MAX, proof, &n, &f->e), STATUS_BAD);
	assert_int_equal(merkle_prove_consistent(&f->source, 6, 5, proof, &n, &f->e), STATUS_BAD);
	assert_string_equal(f->e.text, "a tree of 6 does not begin one of 5");
	assert_int_equal(merkle_root_of(&f->source, UINT64_C(1) << 63, &h, &f->e), STATUS_BAD);
	assert_false(merkle_included(0, UINT64_C(1) << 63, &h, proof, 63, &h));
	assert_false(merkle_included(0, UINT64_MAX, &h, proof, 64, &h));
	assert_false(merkle_consistent(1, &h, UINT64_MAX, &h, proof, 64));
	assert_false(merkle_consistent(6, &h, 5, &h, proof, 0));
	assert_false(merkle_add(&m, &h));
	assert_int_equal(m.size, INT64_MAX);
}

/* What the source fails with comes through, whichever of its answers it is. */
static void source_fails(void **state)
{
	struct fixture *f = *state;
	struct hash proof[MERKLE_PROOF_MAX];
	unsigned failed = 0;
	size_t n;

	for (size_t k = 1; k < 40; k++) {
		f->fail_after = k;
		enum status s = merkle_prove(&f->source, 1000, 3001, proof, &n, &f->e);
		f->fail_after = k;
		enum status c = merkle_prove_consistent(&f->source, 1000, 3001, proof, &n, &f->e);
		f->fail_after = 0;
		assert_true(s == STATUS_OK || s == STATUS_MACHINE);
		assert_true(c == STATUS_OK || c == STATUS_MACHINE);
		failed += s == STATUS_MACHINE;
		failed += c == STATUS_MACHINE;
	}
	assert_true(failed > 20 && failed < 78);
}

/* Every leaf the same: trees near 2^63 leaves, which nobody stores. */
static enum status same_subtree(void *self, unsigned level, uint64_t at, struct hash *to, struct err *e)
{
	const struct hash *root = self;

	(void)at;
	(void)e;
	assert_true(level < 63);
	*to = root[level];
	return STATUS_OK;
}

static void huge_trees(void **state)
{
	struct fixture *f = *state;
	struct hash root[63] = {f->leaf[0]};
	struct merkle_source source = {root, same_subtree};

	for (unsigned level = 1; level < 63; level++)
		root[level] = slow_node(root[level - 1], root[level - 1]);
	for (unsigned i = 0; i < 2000; i++) {
		struct shown s = {.leaf = root[0]};
		struct hash old;
		s.size = (((uint64_t)next_random(&f->seed) << 32 | next_random(&f->seed)) >> (i % 60)) + 1;
		s.size = i == 0 || s.size > INT64_MAX ? INT64_MAX : s.size;
		s.index = ((uint64_t)next_random(&f->seed) << 32 | next_random(&f->seed)) % s.size;
		assert_int_equal(merkle_root_of(&source, s.size, &s.root, &f->e), STATUS_OK);
		assert_int_equal(merkle_prove(&source, s.index, s.size, s.proof, &s.n, &f->e), STATUS_OK);
		assert_true(s.n <= MERKLE_PROOF_MAX && included(&s));
		s.index++;
		assert_int_equal(merkle_root_of(&source, s.index, &old, &f->e), STATUS_OK);
		s.leaf = old;
		assert_int_equal(
			merkle_prove_consistent(&source, s.index, s.size, s.proof, &s.n, &f->e), STATUS_OK);
		assert_true(s.n <= MERKLE_PROOF_MAX && consistent(&s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_roots),
		cmocka_unit_test(growing),
		cmocka_unit_test(small_trees),
		cmocka_unit_test(random_trees),
		cmocka_unit_test(entries_changed),
		cmocka_unit_test(growth_changed),
		cmocka_unit_test(misplaced),
		cmocka_unit_test(empty_trees),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(source_fails),
		cmocka_unit_test(huge_trees),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
