/* A ledger that was damaged: a journal cut at every byte, sectors that never reached the disk, bits flipped
 * and bytes missing in every file, directories put together from two backups.  Opening for signing refuses,
 * or what was changed does not matter and that is proven; in neither case is anything signed that disagrees
 * with what was signed before. */
#include "ledger_kit.h"

#define BASE        600 /* entries that are published */
#define HEADER_BITS (8 * JOURNAL_HEADER)

static void path_in(char to[PATH_MAX], const char *dir, const char *name)
{
	(void)snprintf(to, PATH_MAX, "%s/%s", dir, name);
}

/* What a crash behind two commits leaves: BASE published, 4 and `last` in the journal; *at, *end: the second
 * record. */
static char *crashed(uint64_t last, size_t *at, size_t *end)
{
	char *dir = kit_ledger(BASE), *copy = kit_dir();
	struct ledger *l = kit_open(dir, LEDGER_SIGN);

	kit_grow(l, 4);
	*at = l->journal_end;
	kit_grow(l, last);
	*end = l->journal_end;
	kit_copy(copy, dir);
	kit_close(l);
	kit_dir_free(dir);
	return copy;
}

/* The handle opens and holds `size` entries. */
static void holds(const char *dir, uint64_t size)
{
	struct acked a = {.size = size};

	kit_quiet();
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	assert_int_equal(ledger_head(l)->size, size);
	kit_close(l);
	kit_verify(dir, &a);
	kit_loud();
}

/* What may not change when opening is refused. */
struct heads {
	uint8_t *checkpoint, *promised;
	size_t n_checkpoint, n_promised;
};

/* Empty where the file is missing. */
static uint8_t *head_of(const char *dir, const char *name, size_t *n)
{
	char path[PATH_MAX];
	struct buf b = {0};

	path_in(path, dir, name);
	(void)file_read(&b, path, NOTE_MAX, &err);
	*n = b.n;
	buf_u8(&b, 0);
	return b.p;
}

static void heads_of(struct heads *h, const char *dir)
{
	h->checkpoint = head_of(dir, "ledger/checkpoint", &h->n_checkpoint);
	h->promised = head_of(dir, "keys/log.head", &h->n_promised);
}

static bool heads_same(const struct heads *a, const struct heads *b)
{
	return a->n_checkpoint == b->n_checkpoint &&
	       memcmp(a->checkpoint, b->checkpoint, a->n_checkpoint) == 0 && a->n_promised == b->n_promised &&
	       memcmp(a->promised, b->promised, a->n_promised) == 0;
}

static void heads_free(struct heads *h)
{
	free(h->checkpoint);
	free(h->promised);
}

static void refused(const char *dir, const char *because)
{
	struct heads before, after;
	struct ledger *l;

	heads_of(&before, dir);
	kit_quiet();
	enum status s = ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err);
	kit_loud();
	if (s != STATUS_BAD || !strstr(err.text, because))
		fail_msg("status %d (%s), wanted: %s", s, s == STATUS_OK ? "" : err.text, because);
	heads_of(&after, dir);
	assert_true(heads_same(&before, &after));
	heads_free(&before);
	heads_free(&after);
}

/* ---- journal ---- */

static void cut_at_every_byte(void **state)
{
	size_t at, end, n;
	char *whole = crashed(5, &at, &end), *dir = kit_dir(), path[PATH_MAX];

	(void)state;
	path_in(path, whole, "ledger/journal");
	uint8_t *journal = kit_slurp(path, &n);
	assert_int_equal(n, end);
	for (size_t cut = 0; cut <= end; cut += cut < at ? 37 : 1) {
		kit_copy(dir, whole);
		path_in(path, dir, "ledger/journal");
		kit_spill(path, journal, cut);
		holds(dir, BASE + (cut >= at ? 4U : 0) + (cut == end ? 5U : 0));
	}
	free(journal);
	kit_dir_free(whole);
	kit_dir_free(dir);
}

static void sectors_never_written(void **state)
{
	size_t at, end, n;
	char *whole = crashed(60, &at, &end), *dir = kit_dir(), path[PATH_MAX];

	(void)state;
	path_in(path, whole, "ledger/journal");
	uint8_t *journal = kit_slurp(path, &n), *torn = malloc(n);
	assert_non_null(torn);
	for (size_t from = 0; from < end; from = (from / 512 + 1) * 512) {
		size_t to = (from / 512 + 1) * 512;
		to = to < n ? to : n;
		kit_copy(dir, whole);
		path_in(path, dir, "ledger/journal");
		memcpy(torn, journal, n);
		/* Of a sector that holds the end of the first record only the second record's part is new. */
		size_t fresh = from < at && to > at ? at : from;
		memset(torn + fresh, 0, to - fresh);
		kit_spill(path, torn, n);
		if (fresh < at)
			refused(dir, "journal: offset 0: damaged");
		else
			holds(dir, BASE + 4);
	}
	free(torn);
	free(journal);
	kit_dir_free(whole);
	kit_dir_free(dir);
}

/* One bit, anywhere in the journal: never taken for a commit that was cut. */
static void journal_flips(void **state)
{
	size_t at, end, n;
	char *dir = crashed(5, &at, &end), path[PATH_MAX];

	(void)state;
	kit_seed("journal flips");
	path_in(path, dir, "ledger/journal");
	uint8_t *journal = kit_slurp(path, &n);
	for (int i = 0; i < 1500; i++) {
		/* Every bit of the two headers and of the last bytes, then by chance. */
		size_t k = (size_t)i, bit = kit_rnd(8 * n);
		if (k < HEADER_BITS)
			bit = k;
		else if (k < 2 * HEADER_BITS)
			bit = 8 * at + k - HEADER_BITS;
		else if (k < 3 * HEADER_BITS)
			bit = 8 * n - 3 * HEADER_BITS + k;
		journal[bit / 8] ^= (uint8_t)(1U << bit % 8);
		kit_spill(path, journal, n);
		refused(dir, "journal: offset");
		journal[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	kit_spill(path, journal, n);
	holds(dir, BASE + 9);
	free(journal);
	kit_dir_free(dir);
}

/* ---- every file ---- */

struct names {
	char *name[64];
	size_t n;
};

static struct names *listed;
static size_t listed_skip;

static int list_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)at;
	if (flag == FTW_F) {
		assert_true(listed->n < 64);
		listed->name[listed->n++] = strdup(path + listed_skip);
	}
	return 0;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_of(struct names *to, const char *dir)
{
	to->n = 0;
	listed = to;
	listed_skip = strlen(dir) + 1;
	assert_int_equal(nftw(dir, list_one, 8, FTW_PHYS), 0);
	qsort(to->name, to->n, sizeof(to->name[0]), name_order);
}

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->name[i]);
}

/* What no signature of the log rests on: the operator's own key, the lock, tiles of older checkpoints, and
 * the witnesses' lines, which only their keys can judge. */
static bool may_be_harmless(const char *name)
{
	static const char *const those[] = {
		"keys/operator.", "ledger/lock", "002.p/80", "002.p/81", "ledger/cosigned"};

	for (size_t i = 0; i < sizeof(those) / sizeof(those[0]); i++)
		if (strstr(name, those[i]))
			return true;
	return false;
}

/* A ledger with all that one may have: full and partial tiles, older partial ones, a rotated key,
 * cosignatures, two records in the journal. */
static char *rich(struct acked *a)
{
	char *dir = kit_ledger(BASE - 8), *copy = kit_dir();
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	struct skey witness;
	struct buf note = {0}, text = {0};

	kit_grow(l, 1);
	ok(ledger_publish(l, &err));
	kit_grow(l, 7);
	ok(ledger_publish(l, &err));
	ok(skey_make(&witness, &world_real, "witness.example/w", KEY_COSIGN, &err));
	ok(ledger_checkpoint(l, &note, &err));
	checkpoint_write(&text, ledger_head(l));
	ok(note_cosign_line(&note, (const char *)text.p, text.n, &witness, (struct wall){SECOND_US}, &err));
	ok(ledger_keep_cosignatures(l, (const char *)note.p, note.n, &err));
	acked_add(a, ledger_head(l), true);
	kit_grow(l, 4);
	kit_grow(l, 5);
	acked_add(a, ledger_head(l), false);
	kit_copy(copy, dir);
	kit_close(l);
	kit_dir_free(dir);
	buf_free(&note);
	buf_free(&text);
	return copy;
}

/* Opens what was changed in the file `name`: refused, and nothing signed; or harmless, and all is there. */
static bool survives(const char *dir, const char *name, const struct acked *a)
{
	struct heads before, after;
	struct ledger *l;

	heads_of(&before, dir);
	enum status s = ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err);
	if (s == STATUS_OK) {
		if (!may_be_harmless(name))
			fail_msg("%s: the change was not seen", name);
		kit_close(l);
		kit_verify(dir, a);
	} else {
		assert_int_equal(s, STATUS_BAD);
		heads_of(&after, dir);
		assert_true(heads_same(&before, &after));
		heads_free(&after);
	}
	heads_free(&before);
	return s == STATUS_OK;
}

static void flips_everywhere(void **state)
{
	struct acked *a = calloc(1, sizeof(*a));
	char *whole = rich(a), *dir = kit_dir(), path[PATH_MAX];
	struct names names;
	unsigned harmless = 0, tried = 0;

	(void)state;
	kit_seed("flips");
	names_of(&names, whole);
	assert_true(names.n > 15);
	kit_quiet();
	for (size_t i = 0; i < names.n; i++) {
		size_t n;
		path_in(path, whole, names.name[i]);
		uint8_t *p = kit_slurp(path, &n);
		path_in(path, dir, names.name[i]);
		for (int k = 0; n && k < 60; k++, tried++) {
			size_t bit = kit_rnd(8 * n);
			kit_copy(dir, whole);
			p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			kit_spill(path, p, n);
			harmless += survives(dir, names.name[i], a);
			p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		free(p);
	}
	kit_loud();
	(void)printf("# %u flips in %zu files, %u harmless\n", tried, names.n, harmless);
	assert_true(tried > 500);
	names_free(&names);
	kit_dir_free(whole);
	kit_dir_free(dir);
	free(a);
}

/* Missing, a byte shorter, a byte longer. */
static void files_cut(void **state)
{
	struct acked *a = calloc(1, sizeof(*a));
	char *whole = rich(a), *dir = kit_dir(), path[PATH_MAX];
	struct names names;

	(void)state;
	names_of(&names, whole);
	kit_quiet();
	for (size_t i = 0; i < names.n; i++) {
		size_t n;
		path_in(path, whole, names.name[i]);
		uint8_t *p = kit_slurp(path, &n);
		path_in(path, dir, names.name[i]);
		bool journal = strstr(names.name[i], "journal") != NULL;
		for (int how = 0; how < 3; how++) {
			kit_copy(dir, whole);
			if (how == 0)
				assert_int_equal(unlink(path), 0);
			else
				kit_spill(path, p, how == 1 && n ? n - 1 : n + 1);
			/* Behind its records a journal, and behind its tiles the sums, may hold what a crash
			 * left. */
			if ((how > 0 && journal) || (how == 2 && strstr(names.name[i], "sums")))
				continue;
			(void)survives(dir, names.name[i], a);
		}
		free(p);
	}
	kit_loud();
	names_free(&names);
	kit_dir_free(whole);
	kit_dir_free(dir);
	free(a);
}

/* ledger_check() believes no sum: it sees what opening sees, and says where. */
static void check_sees(void **state)
{
	struct acked *a = calloc(1, sizeof(*a));
	char *whole = rich(a), *dir = kit_dir(), path[PATH_MAX];
	struct ledger_report r;
	struct names names;

	(void)state;
	kit_seed("check");
	names_of(&names, whole);
	for (size_t i = 0; i < names.n; i++) {
		size_t n;
		path_in(path, whole, names.name[i]);
		uint8_t *p = kit_slurp(path, &n);
		path_in(path, dir, names.name[i]);
		for (int k = 0; n && k < 20 && !may_be_harmless(names.name[i]); k++) {
			size_t bit = kit_rnd(8 * n);
			if (strstr(names.name[i], ".key"))
				break; /* check reads no secret */
			kit_copy(dir, whole);
			p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			kit_spill(path, p, n);
			assert_int_equal(ledger_check(&r, &world_real, dir, false, &err), STATUS_BAD);
			assert_true(*err.text);
			p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		free(p);
	}
	ok(ledger_check(&r, &world_real, whole, false, &err));
	assert_int_equal(r.entries, BASE + 9);
	names_free(&names);
	kit_dir_free(whole);
	kit_dir_free(dir);
	free(a);
}

/* ---- sums ---- */

static void sums_missing(void **state)
{
	char *dir = kit_ledger(BASE), path[PATH_MAX];
	struct ledger_report r;
	size_t n;

	(void)state;
	path_in(path, dir, "ledger/sums");
	assert_int_equal(unlink(path), 0);
	refused(dir, "sums: missing");
	assert_int_equal(ledger_check(&r, &world_real, dir, false, &err), STATUS_BAD);
	assert_non_null(strstr(err.text, "check --sums"));
	/* Where an entry is not whole there is nothing to make sums of. */
	path_in(path, dir, "ledger/tile/entries/001");
	uint8_t *p = kit_slurp(path, &n);
	p[n / 2] ^= 1;
	kit_spill(path, p, n);
	assert_int_equal(ledger_check(&r, &world_real, dir, true, &err), STATUS_BAD);
	p[n / 2] ^= 1;
	kit_spill(path, p, n);
	ok(ledger_check(&r, &world_real, dir, true, &err));
	holds(dir, BASE);
	free(p);
	kit_dir_free(dir);
}

/* ---- two heads ---- */

static void part_of(const char *to, const char *from, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];

	path_in(a, to, name);
	path_in(b, from, name);
	kit_copy(a, b);
}

/* An older backup of one part beside a newer other part. */
static void backups_mixed(void **state)
{
	char *dir = kit_ledger(BASE), *old = kit_dir(), *new = kit_dir(), path[PATH_MAX];
	struct ledger *l;

	(void)state;
	kit_copy(old, dir);
	l = kit_open(dir, LEDGER_SIGN);
	kit_grow(l, 300);
	kit_close(l);
	kit_copy(new, dir);
	part_of(dir, old, "ledger");
	refused(dir, "is the signed head of 900");
	kit_copy(dir, new);
	part_of(dir, old, "ledger/tile");
	refused(dir, "missing");
	kit_copy(dir, new);
	part_of(dir, old, "ledger/sums");
	refused(dir, "sums: too short");
	kit_copy(dir, new);
	part_of(dir, old, "ledger/checkpoint");
	refused(dir, "is the signed head of 900");
	/* The key's own mark may be the older one: the tiles lead from it to the checkpoint. */
	kit_copy(dir, new);
	part_of(dir, old, "keys");
	holds(dir, BASE + 300);
	kit_copy(dir, new);
	path_in(path, dir, "ledger");
	kit_empty(path);
	assert_int_equal(ledger_open(&l, &world_real, dir, LEDGER_SIGN, &err), STATUS_BAD);
	assert_non_null(strstr(err.text, "missing"));
	kit_dir_free(dir);
	kit_dir_free(old);
	kit_dir_free(new);
}

/* All of an older backup, but for the cosignatures of a newer head: a witness remembers. */
static void witness_remembers(void **state)
{
	char *dir = kit_ledger(BASE), *old = kit_dir();
	struct skey witness;
	struct buf note = {0}, text = {0};

	(void)state;
	kit_copy(old, dir);
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	kit_grow(l, 10);
	ok(skey_make(&witness, &world_real, "witness.example/w", KEY_COSIGN, &err));
	ok(ledger_checkpoint(l, &note, &err));
	checkpoint_write(&text, ledger_head(l));
	ok(note_cosign_line(&note, (const char *)text.p, text.n, &witness, (struct wall){SECOND_US}, &err));
	ok(ledger_keep_cosignatures(l, (const char *)note.p, note.n, &err));
	kit_close(l);
	part_of(old, dir, "ledger/cosigned");
	refused(old, "cosigned: a witness holds a head");
	kit_dir_free(old);
	kit_dir_free(dir);
	buf_free(&note);
	buf_free(&text);
}

/* A full tile above level 0 has no sum: it is hashed. */
static void flip_above(void **state)
{
	char *dir = kit_ledger(65536 + 10), path[PATH_MAX];
	size_t n;

	(void)state;
	path_in(path, dir, "ledger/tile/1/000");
	uint8_t *p = kit_slurp(path, &n);
	assert_int_equal(n, 8192);
	p[5000] ^= 4;
	kit_spill(path, p, n);
	refused(dir, "tile 0 of level 1");
	free(p);
	kit_dir_free(dir);
}

/* Full tiles on both sides of where a thread's step ends and of where a directory is full: each is looked at
 * and named. */
static void tile_is_named(void **state)
{
	static const char *const name[] = {
		"0/000", "entries/099", "0/100", "entries/999", "0/x001/000", "entries/x001/000"};
	char *dir = kit_ledger(1001 * TILE_WIDTH), path[PATH_MAX], part[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		(void)snprintf(part, sizeof(part), "ledger/tile/%s", name[i]);
		path_in(path, dir, part);
		uint8_t *p = kit_slurp(path, &n);
		p[n - 1] ^= 1;
		kit_spill(path, p, n);
		(void)snprintf(part, sizeof(part), "tile/%s: not the bytes", name[i]);
		refused(dir, part);
		assert_int_equal(unlink(path), 0);
		(void)snprintf(part, sizeof(part), "tile/%s: missing", name[i]);
		refused(dir, part);
		p[n - 1] ^= 1;
		kit_spill(path, p, n);
		free(p);
	}
	path_in(path, dir, "ledger/tile/entries/x001");
	kit_empty(path);
	refused(dir, "tile/entries/x001/000: missing");
	kit_dir_free(dir);
}

/* Appends an entry that no other branch has. */
static void grow_apart(const char *dir, const char *text, uint64_t n)
{
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	uint64_t index;

	for (uint64_t i = 0; i < n; i++)
		ok(ledger_append(l, text, strlen(text), &index, &err));
	ok(ledger_commit(l, &err));
	kit_close(l);
}

/* One directory, copied and grown apart: parts of the two never sign together. */
static void branches_mixed(void **state)
{
	static const char *const parts[] = {"ledger/checkpoint", "ledger/tile", "keys/log.head"};
	char *one = kit_ledger(BASE), *two = kit_dir(), *dir = kit_dir(), *base = kit_dir();

	(void)state;
	kit_copy(two, one);
	kit_copy(base, one);
	grow_apart(one, "{\"branch\":1}", 7);
	grow_apart(two, "{\"branch\":2}", 7);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		kit_copy(dir, one);
		part_of(dir, two, parts[i]);
		refused(dir, "nothing is signed");
	}
	/* The key's mark is ahead of the checkpoint, as a crash leaves it, but the journal leads elsewhere.
	 */
	kit_copy(dir, base);
	struct ledger *l = kit_open(base, LEDGER_SIGN);
	kit_grow(l, 7);
	part_of(dir, base, "ledger/journal");
	part_of(dir, two, "keys/log.head");
	refused(dir, "two heads that do not agree");
	/* A journal that repeats what is published, but not the same. */
	kit_copy(dir, one);
	part_of(dir, base, "ledger/journal");
	refused(dir, "not the one that was published");
	kit_close(l);
	/* A journal of the other branch behind the same beginning. */
	l = kit_open(two, LEDGER_SIGN);
	kit_grow(l, 2);
	kit_copy(dir, one);
	part_of(dir, two, "ledger/journal");
	refused(dir, "committed on another tree");
	kit_close(l);
	kit_dir_free(one);
	kit_dir_free(two);
	kit_dir_free(base);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(sectors_never_written), cmocka_unit_test(journal_flips),
		cmocka_unit_test(flips_everywhere), cmocka_unit_test(files_cut), cmocka_unit_test(check_sees),
		cmocka_unit_test(sums_missing), cmocka_unit_test(backups_mixed),
		cmocka_unit_test(branches_mixed), cmocka_unit_test(witness_remembers),
		cmocka_unit_test(flip_above), cmocka_unit_test(tile_is_named)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
