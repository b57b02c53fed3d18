/* The ledger in calm: what is written is what is read, every tree against the slow one, every tile against
 * c2sp.org/tlog-tiles, proofs from every size to every other; cosignatures; what is refused; readers beside a
 * writer, and two writers. */
#include "ledger_kit.h"

/* ---- shapes ---- */

static void no_keys(void **state)
{
	char *dir = kit_dir();
	struct ledger *l;
	struct ledger_report r;

	(void)state;
	assert_int_equal(ledger_open(&l, &world_real, dir, LEDGER_READ, &err), STATUS_NO);
	assert_int_equal(ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err), STATUS_NO);
	assert_non_null(strstr(err.text, "no keys here: weir init"));
	assert_int_equal(ledger_check(&r, &world_real, dir, false, &err), STATUS_NO);
	kit_keys(dir);
	assert_int_equal(ledger_open(&l, &world_real, dir, LEDGER_READ, &err), STATUS_NO);
	assert_int_equal(ledger_check(&r, &world_real, dir, false, &err), STATUS_NO);
	kit_dir_free(dir);
}

static void empty(void **state)
{
	char *dir = kit_dir();
	struct hash none;
	struct buf note = {0}, entry = {0};
	struct ledger_report r;

	(void)state;
	kit_keys(dir);
	kit_close(kit_open(dir, LEDGER_SIGN));
	struct ledger *l = kit_open(dir, LEDGER_READ);
	assert_true(merkle_empty(&none));
	assert_int_equal(ledger_head(l)->size, 0);
	assert_true(hash_equal(&ledger_head(l)->root, &none));
	ok(ledger_checkpoint(l, &note, &err));
	assert_memory_equal(note.p, KIT_NAME "/log\n0\n", strlen(KIT_NAME) + 7);
	assert_int_equal(ledger_entry(l, 0, &entry, &err), STATUS_NO);
	kit_close(l);
	ok(ledger_check(&r, &world_real, dir, false, &err));
	assert_int_equal(r.entries, 0);
	buf_free(&note);
	kit_dir_free(dir);
}

static void what_is_no_entry(void **state)
{
	char *dir = kit_dir(), *big = calloc(1, LEDGER_ENTRY_MAX + 1);
	struct buf entry = {0};
	uint64_t index;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', LEDGER_ENTRY_MAX + 1);
	kit_keys(dir);
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	assert_int_equal(ledger_append(l, "", 0, &index, &err), STATUS_BAD);
	assert_int_equal(ledger_append(l, "a\0b", 3, &index, &err), STATUS_BAD);
	assert_int_equal(ledger_append(l, big, LEDGER_ENTRY_MAX + 1, &index, &err), STATUS_BAD);
	for (int i = 0; i < 300; i++)
		ok(ledger_append(l, big, LEDGER_ENTRY_MAX, &index, &err));
	ok(ledger_commit(l, &err));
	kit_close(l);
	l = kit_open(dir, LEDGER_READ);
	assert_int_equal(ledger_append(l, "a", 1, &index, &err), STATUS_BAD);
	ok(ledger_entry(l, 299, &entry, &err));
	assert_int_equal(entry.n, LEDGER_ENTRY_MAX);
	assert_memory_equal(entry.p, big, entry.n);
	kit_close(l);
	buf_free(&entry);
	free(big);
	kit_dir_free(dir);
}

/* Not committed is not there; an index is given again. */
static void dropped(void **state)
{
	char *dir = kit_ledger(5);
	struct ledger *l = kit_open(dir, LEDGER_SIGN);

	(void)state;
	ok(kit_append(l, 7));
	kit_close(l);
	l = kit_open(dir, LEDGER_SIGN);
	assert_int_equal(ledger_head(l)->size, 5);
	kit_grow(l, 1);
	assert_int_equal(ledger_head(l)->size, 6);
	kit_close(l);
	kit_dir_free(dir);
}

/* ---- trees ---- */

/* Every tile of a tree of n entries, against the definition: hash i of tile t at level l is the root over its
 * 256^l leaves; the partial ones have their width; none is there that should not be. */
static void tiles_are(const char *dir, const struct hash *leaf, uint64_t n)
{
	char root[4096];
	struct hash h[TILE_WIDTH];

	(void)snprintf(root, sizeof(root), "%s/ledger", dir);
	for (unsigned level = 0; n >> (8 * level); level++) {
		uint64_t span = UINT64_C(1) << (8 * level), total = n / span;
		for (uint64_t t = 0; t * TILE_WIDTH < total; t++) {
			struct tile tile = tile_of((int)level, t, n);
			char path[PATH_MAX];
			struct stat st;
			ok(tile_path(path, root, tile, &err));
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_size, tile.width * sizeof(*h));
			ok(tile_hashes(h, root, tile, &err));
			for (unsigned i = 0; i < tile.width; i++) {
				struct hash want = slow_root(leaf + (t * TILE_WIDTH + i) * span, span);
				assert_memory_equal(&h[i], &want, sizeof(want));
			}
			ok(tile_path(path, root, (struct tile){(int)level, t, 1}, &err));
			*strrchr(path, '/') = '\0';
			assert_true(tile.width < TILE_WIDTH || stat(path, &st) != 0);
		}
	}
}

static const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 513, 1000};

/* Grown in one go and in steps: the same head, the slow tree's. */
static void roots(void **state)
{
	struct hash *leaf = slow_leaves(1000);
	char *steps = kit_dir();

	(void)state;
	kit_keys(steps);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		char *dir = kit_ledger(sizes[k]);
		struct hash want = slow_root(leaf, sizes[k]);
		struct ledger *l = kit_open(dir, LEDGER_READ);
		assert_true(hash_equal(&ledger_head(l)->root, &want));
		kit_close(l);
		tiles_are(dir, leaf, sizes[k]);
		l = kit_open(steps, LEDGER_SIGN);
		kit_grow(l, sizes[k] - ledger_head(l)->size);
		assert_true(hash_equal(&ledger_head(l)->root, &want));
		kit_close(l);
		tiles_are(steps, leaf, sizes[k]);
		kit_dir_free(dir);
	}
	free(leaf);
	kit_dir_free(steps);
}

/* Three levels of tiles, and a journal that fills up and publishes on its way. */
static void three_levels(void **state)
{
	const uint64_t n = 65536 + 256 * 3 + 17;
	struct hash *leaf = slow_leaves(n);
	char *dir = kit_dir();
	struct ledger_report r;

	(void)state;
	kit_keys(dir);
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	while (ledger_head(l)->size < n) {
		uint64_t left = n - ledger_head(l)->size;
		kit_grow(l, left < 9000 ? left : 9000);
	}
	kit_close(l);
	tiles_are(dir, leaf, n);
	kit_close(kit_open(dir, LEDGER_SIGN));
	ok(ledger_check(&r, &world_real, dir, false, &err));
	assert_int_equal(r.entries, n);
	free(leaf);
	kit_dir_free(dir);
}

static void proofs(void **state)
{
	const uint64_t n = 700;
	struct hash *leaf = slow_leaves(n), proof[MERKLE_PROOF_MAX];
	char *dir = kit_ledger(n);
	struct ledger *l = kit_open(dir, LEDGER_READ);
	size_t k = 0;

	(void)state;
	kit_seed("proofs");
	for (int i = 0; i < 3000; i++) {
		uint64_t size = 1 + kit_rnd(n), index = kit_rnd(size), old = kit_rnd(size + 1);
		struct hash root = slow_root(leaf, size), old_root = slow_root(leaf, old);
		ok(ledger_prove(l, index, size, proof, &k, &err));
		assert_true(merkle_included(index, size, &leaf[index], proof, k, &root));
		ok(ledger_prove_consistent(l, old, size, proof, &k, &err));
		assert_true(merkle_consistent(old, &old_root, size, &root, proof, k));
	}
	assert_int_equal(ledger_prove(l, n, n, proof, &k, &err), STATUS_NO);
	assert_int_equal(ledger_prove(l, 0, n + 1, proof, &k, &err), STATUS_NO);
	assert_int_equal(ledger_prove_consistent(l, 1, n + 1, proof, &k, &err), STATUS_NO);
	kit_close(l);
	free(leaf);
	kit_dir_free(dir);
}

/* A proof that a stranger checks with the log's key alone. */
static void proof_files(void **state)
{
	char *dir = kit_ledger(300), text[KIT_ENTRY_MAX];
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	struct policy p;
	struct vkey log;

	(void)state;
	ok(keys_public(dir, KEY_LOG, &log, &err));
	policy_of_log(&p, &log);
	kit_grow(l, 30);
	for (uint64_t i = 0; i < 330; i += 7) {
		struct buf b = {0};
		struct tlog_proof t;
		struct checkpoint c;
		ok(ledger_proof(l, i, &b, &err));
		ok(tlog_proof_parse(&t, (const char *)b.p, b.n, &err));
		ok(tlog_proof_verify(&t, &p, text, kit_entry(text, i), &c, &err));
		assert_int_equal(c.size, 330);
		assert_int_equal(
			tlog_proof_verify(&t, &p, text, kit_entry(text, i + 1), &c, &err), STATUS_NO);
		buf_free(&b);
	}
	kit_close(l);
	kit_dir_free(dir);
}

/* ---- witnesses ---- */

static void cosigned_by(struct buf *to, struct ledger *l, const struct skey *w)
{
	struct checkpoint c;
	struct arena a = {0};
	struct note n;

	ok(ledger_checkpoint(l, to, &err));
	ok(note_parse(&n, (const char *)to->p, to->n, &a, &err));
	ok(checkpoint_parse(&c, n.text, n.n_text, &err));
	ok(note_cosign_line(to, n.text, n.n_text, w, (struct wall){1416820353000000}, &err));
	arena_free(&a);
}

static void witness(struct skey *k, const char *name)
{
	ok(skey_make(k, &world_real, name, KEY_COSIGN, &err));
}

static void policy_of(struct policy *p, const struct vkey *log, const struct skey *a, const struct skey *b)
{
	char text[4 * VKEY_TEXT], l[VKEY_TEXT], x[VKEY_TEXT], y[VKEY_TEXT];
	int n = snprintf(text, sizeof(text),
		"log %s\nwitness a %s\nwitness b %s\ngroup g all a b\nquorum g\n", vkey_text(l, log),
		vkey_text(x, &a->pub), vkey_text(y, &b->pub));

	ok(policy_parse(p, text, (size_t)n, &err));
}

static void cosignatures(void **state)
{
	char *dir = kit_ledger(20), entry[KIT_ENTRY_MAX];
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	struct skey a, b;
	struct buf first = {0}, second = {0}, proof = {0}, late = {0};
	struct policy p;
	struct tlog_proof t;
	struct checkpoint c;

	(void)state;
	witness(&a, "witness.example/a");
	witness(&b, "witness.example/b");
	policy_of(&p, ledger_key(l), &a, &b);
	cosigned_by(&first, l, &a);
	cosigned_by(&second, l, &b);
	ok(ledger_keep_cosignatures(l, (const char *)first.p, first.n, &err));
	ok(ledger_proof(l, 3, &proof, &err));
	ok(tlog_proof_parse(&t, (const char *)proof.p, proof.n, &err));
	assert_int_equal(tlog_proof_verify(&t, &p, entry, kit_entry(entry, 3), &c, &err), STATUS_NO);
	proof.n = 0;
	ok(ledger_keep_cosignatures(l, (const char *)second.p, second.n, &err));
	/* The head moves on: what the witnesses covered is still proven with them. */
	kit_grow(l, 400);
	ok(ledger_proof(l, 3, &proof, &err));
	ok(tlog_proof_parse(&t, (const char *)proof.p, proof.n, &err));
	ok(tlog_proof_verify(&t, &p, entry, kit_entry(entry, 3), &c, &err));
	assert_int_equal(c.size, 20);
	proof.n = 0;
	ok(ledger_proof(l, 20, &proof, &err));
	ok(tlog_proof_parse(&t, (const char *)proof.p, proof.n, &err));
	assert_int_equal(tlog_proof_verify(&t, &p, entry, kit_entry(entry, 20), &c, &err), STATUS_NO);
	/* A newer one takes the place of the older, not the other way round. */
	cosigned_by(&late, l, &a);
	ok(ledger_keep_cosignatures(l, (const char *)late.p, late.n, &err));
	assert_int_equal(ledger_keep_cosignatures(l, (const char *)first.p, first.n, &err), STATUS_NO);
	kit_close(l);
	kit_close(kit_open(dir, LEDGER_SIGN));
	buf_free(&first);
	buf_free(&second);
	buf_free(&late);
	buf_free(&proof);
	kit_dir_free(dir);
}

static void cosignatures_refused(void **state)
{
	char *dir = kit_ledger(20), *other = kit_ledger(20);
	struct ledger *l = kit_open(dir, LEDGER_SIGN), *o = kit_open(other, LEDGER_SIGN);
	struct skey a;
	struct buf note = {0}, plain = {0};

	(void)state;
	witness(&a, "witness.example/a");
	cosigned_by(&note, o, &a);
	assert_int_equal(ledger_keep_cosignatures(l, (const char *)note.p, note.n, &err), STATUS_NO);
	assert_true(ledger_keep_cosignatures(l, "no note", 7, &err) == STATUS_BAD);
	ok(ledger_checkpoint(l, &plain, &err));
	assert_int_equal(ledger_keep_cosignatures(l, (const char *)plain.p, plain.n, &err), STATUS_NO);
	/* Our key over a head that we never had. */
	struct checkpoint c = *ledger_head(l);
	struct buf text = {0}, forged = {0};
	c.size = 12;
	checkpoint_write(&text, &c);
	ok(note_sign(&forged, (const char *)text.p, text.n, &l->key, &err));
	ok(note_cosign_line(&forged, (const char *)text.p, text.n, &a, (struct wall){SECOND_US}, &err));
	assert_int_equal(ledger_keep_cosignatures(l, (const char *)forged.p, forged.n, &err), STATUS_NO);
	kit_close(l);
	kit_close(o);
	buf_free(&note);
	buf_free(&plain);
	buf_free(&text);
	buf_free(&forged);
	kit_dir_free(dir);
	kit_dir_free(other);
}

/* ---- several at once ---- */

/* Two processes append, each in many openings: nothing is lost, nothing twice. */
static void two_writers(void **state)
{
	char *dir = kit_ledger(1);
	const int writers = 2, rounds = 40;
	int status;

	(void)state;
	for (int i = 0; i < writers; i++) {
		if (fork() != 0)
			continue;
		for (int r = 0; r < rounds; r++) {
			struct ledger *l;
			if (ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err) != STATUS_OK ||
				kit_append(l, 3) != STATUS_OK || ledger_commit(l, &err) != STATUS_OK ||
				ledger_close(l, &err) != STATUS_OK)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < writers; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	struct acked a = {.size = 1 + (uint64_t)(writers * rounds * 3)};
	struct ledger *l = kit_open(dir, LEDGER_READ);
	assert_int_equal(ledger_head(l)->size, a.size);
	kit_close(l);
	kit_verify(dir, &a);
	kit_dir_free(dir);
}

/* A reader without a lock, while a writer publishes: every open finds a whole tree, and heads only grow. */
static void reader_beside_writer(void **state)
{
	char *dir = kit_ledger(200);
	struct checkpoint before = {0};
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(merkle_empty(&before.root));
	if (pid == 0) {
		struct ledger *l;
		if (ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err) != STATUS_OK)
			_exit(1);
		for (int r = 0; r < 150; r++)
			if (kit_append(l, 5) != STATUS_OK || ledger_commit(l, &err) != STATUS_OK ||
				ledger_publish(l, &err) != STATUS_OK)
				_exit(1);
		_exit(ledger_close(l, &err) == STATUS_OK ? 0 : 1);
	}
	for (int seen = 0; waitpid(pid, &status, WNOHANG) == 0 || seen == 0; seen++) {
		struct ledger *l = kit_open(dir, LEDGER_READ);
		struct buf b = {0};
		kit_consistent(l, &before);
		before = *ledger_head(l);
		ok(ledger_proof(l, before.size - 1, &b, &err));
		kit_close(l);
		buf_free(&b);
	}
	assert_int_equal(status, 0);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_keys), cmocka_unit_test(empty),
		cmocka_unit_test(what_is_no_entry), cmocka_unit_test(dropped), cmocka_unit_test(roots),
		cmocka_unit_test(three_levels), cmocka_unit_test(proofs), cmocka_unit_test(proof_files),
		cmocka_unit_test(cosignatures), cmocka_unit_test(cosignatures_refused),
		cmocka_unit_test(two_writers), cmocka_unit_test(reader_beside_writer)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
