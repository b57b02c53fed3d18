/* Weir's half of the comparison with golang.org/x/mod/sumdb (interop.go is the other; go-interop drives
 * both).
 *
 * `interop make SEED N` writes two lines for each of N random trees, `interop check` reads such lines and
 * answers each with yes or no:
 *     proof LOG WITNESS ENTRY PROOF       is ENTRY in the log, by the .tlog-proof file PROOF?
 *     grown LOG WITNESS OLD NEW HASHES    is the checkpoint OLD (a note) the beginning of NEW?
 * LOG and WITNESS are verifier keys, and both must have signed every checkpoint; the rest is base64, "." for
 * nothing.
 *
 * `interop write DIR N` adds N entries to the ledger in DIR (and makes it); `interop read DIR` says yes, and
 * how many entries there are, or no, and why: ledger_check() with the sums written anew, and every entry
 * read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"
#include "random.h"
#include "small_log.h"

#define FIELDS 6

/* What fails here is the test itself, not what it looks at. */
static void must(bool ok, const char *what)
{
	if (!ok) {
		(void)fprintf(stderr, "interop: %s\n", what);
		exit(3);
	}
}

/* ---- making ---- */

struct maker {
	struct skey log, witness;
	char vlog[VKEY_TEXT], vwitness[VKEY_TEXT];
	struct small_log tree;
	struct merkle_source source;
	struct err e;
	uint64_t seed;
};

static void base64_print(const void *p, size_t n)
{
	struct buf b = {0};

	base64_put(&b, p, n);
	must(!b.failed, "no memory");
	(void)printf(" %.*s", n ? (int)b.n : 1, n ? (const char *)b.p : ".");
	buf_free(&b);
}

static size_t entry_draw(struct maker *m, uint8_t to[300])
{
	size_t n = next_random(&m->seed) % 300;

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)next_random(&m->seed);
	return n;
}

/* The note of the tree's first `size` entries. */
static struct buf note_make(struct maker *m, size_t size)
{
	struct checkpoint c = {.size = size};
	struct buf text = {0}, note = {0};

	memcpy(c.origin, m->log.pub.name, sizeof(c.origin));
	must(merkle_root_of(&m->source, size, &c.root, &m->e) == STATUS_OK, m->e.text);
	checkpoint_write(&text, &c);
	must(note_sign(&note, (const char *)text.p, text.n, &m->log, &m->e) == STATUS_OK, m->e.text);
	must(note_cosign_line(&note, (const char *)text.p, text.n, &m->witness,
		     world_real.now(world_real.self), &m->e) == STATUS_OK,
		m->e.text);
	buf_free(&text);
	return note;
}

static void line_begin(const struct maker *m, const char *kind)
{
	(void)printf("%s %s %s", kind, m->vlog, m->vwitness);
}

static void proof_make(struct maker *m, size_t index, const uint8_t *entry, size_t n)
{
	struct tlog_proof p = {.index = index};
	struct buf note = note_make(m, m->tree.size), file = {0};

	must(merkle_prove(&m->source, index, m->tree.size, p.hash, &p.n_hash, &m->e) == STATUS_OK, m->e.text);
	p.note = (const char *)note.p;
	p.n_note = note.n;
	tlog_proof_write(&file, &p);
	line_begin(m, "proof");
	base64_print(entry, n);
	base64_print(file.p, file.n);
	(void)printf("\n");
	buf_free(&note);
	buf_free(&file);
}

static void grown_make(struct maker *m, size_t old)
{
	struct hash proof[MERKLE_PROOF_MAX];
	struct buf was = note_make(m, old), is = note_make(m, m->tree.size);
	size_t n;

	must(merkle_prove_consistent(&m->source, old, m->tree.size, proof, &n, &m->e) == STATUS_OK,
		m->e.text);
	line_begin(m, "grown");
	base64_print(was.p, was.n);
	base64_print(is.p, is.n);
	base64_print(proof, n * sizeof(proof[0]));
	(void)printf("\n");
	buf_free(&was);
	buf_free(&is);
}

/* Sizes of every order of magnitude up to 2,000. */
static void tree_make(struct maker *m)
{
	uint8_t entry[300], kept[300];
	size_t n_kept = 0;

	m->tree.size = 1 + next_random(&m->seed) % (2000U >> next_random(&m->seed) % 11);
	size_t index = next_random(&m->seed) % m->tree.size;
	for (size_t i = 0; i < m->tree.size; i++) {
		size_t n = entry_draw(m, entry);
		must(merkle_leaf(&m->tree.leaf[i], entry, n), "no hash");
		if (i == index)
			memcpy(kept, entry, n_kept = n);
	}
	proof_make(m, index, kept, n_kept);
	grown_make(m, 1 + next_random(&m->seed) % m->tree.size);
}

static void make(uint64_t seed, unsigned long trees)
{
	struct maker *m = calloc(1, sizeof(*m));

	must(m, "no memory");
	m->seed = seed;
	m->source = (struct merkle_source){&m->tree, small_log_subtree};
	must(skey_make(&m->log, &world_real, "log.example/weir", KEY_ED25519, &m->e) == STATUS_OK, m->e.text);
	must(skey_make(&m->witness, &world_real, "witness.example/w", KEY_COSIGN, &m->e) == STATUS_OK,
		m->e.text);
	(void)vkey_text(m->vlog, &m->log.pub);
	(void)vkey_text(m->vwitness, &m->witness.pub);
	while (trees--)
		tree_make(m);
	free(m);
}

/* ---- checking ---- */

static struct buf bytes_of(const char *text)
{
	struct buf b = {0};
	size_t n = strcmp(text, ".") == 0 ? 0 : strlen(text);

	b.p = malloc(n + 1);
	must(b.p && base64_get(b.p, n, &b.n, text, n), "a field is not base64");
	return b;
}

static void policy_of(struct policy *to, char *const *field)
{
	char text[2 * VKEY_TEXT + 64];
	struct err e;
	int n = snprintf(text, sizeof(text), "log %s\nwitness w %s\nquorum w\n", field[1], field[2]);

	must(policy_parse(to, text, (size_t)n, &e) == STATUS_OK, e.text);
}

static bool proof_check(const struct policy *p, char *const *field)
{
	struct buf entry = bytes_of(field[3]), file = bytes_of(field[4]);
	struct tlog_proof proof;
	struct checkpoint c;
	struct err e;
	bool yes = tlog_proof_parse(&proof, (const char *)file.p, file.n, &e) == STATUS_OK &&
		   tlog_proof_verify(&proof, p, entry.p, entry.n, &c, &e) == STATUS_OK;

	buf_free(&entry);
	buf_free(&file);
	return yes;
}

static bool grown_check(const struct policy *p, char *const *field)
{
	struct buf was = bytes_of(field[3]), is = bytes_of(field[4]), hashes = bytes_of(field[5]);
	struct hash proof[2 * MERKLE_PROOF_MAX];
	size_t n = hashes.n / sizeof(proof[0]);
	struct checkpoint old, new;
	struct err e;
	bool yes = n <= 2 * (size_t)MERKLE_PROOF_MAX && hashes.n % sizeof(proof[0]) == 0 &&
		   policy_verify(p, (const char *)was.p, was.n, &old, &e) == STATUS_OK &&
		   policy_verify(p, (const char *)is.p, is.n, &new, &e) == STATUS_OK;

	if (yes) {
		memcpy(proof, hashes.p, hashes.n);
		yes = merkle_consistent(old.size, &old.root, new.size, &new.root, proof, n);
	}
	buf_free(&was);
	buf_free(&is);
	buf_free(&hashes);
	return yes;
}

static void check(void)
{
	char *line = NULL, *field[FIELDS + 1] = {0};
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		struct policy p;
		size_t n = 0;
		for (char *at = line; n < FIELDS && (field[n] = strtok(at, " \n")); at = NULL)
			n++;
		bool grown = n == 6 && strcmp(field[0], "grown") == 0;
		must(grown || (n == 5 && strcmp(field[0], "proof") == 0), "a line of no known kind");
		policy_of(&p, field);
		(void)puts((grown ? grown_check : proof_check)(&p, field) ? "yes" : "no");
	}
	free(line);
}

/* ---- on disk ---- */

static void ledger_write(const char *dir, unsigned long n)
{
	struct ledger *l;
	struct err e;

	must(keys_init(&world_real, dir, "weir.example", &e) != STATUS_MACHINE, e.text);
	must(ledger_open(&l, &world_real, dir, LEDGER_SIGN, &e) == STATUS_OK, e.text);
	while (n--) {
		char entry[64];
		uint64_t index;
		int k = snprintf(entry, sizeof(entry), "%0*lu", (int)(1 + n % 60), n);
		must(ledger_append(l, entry, (size_t)k, &index, &e) == STATUS_OK, e.text);
	}
	must(ledger_commit(l, &e) == STATUS_OK, e.text);
	must(ledger_close(l, &e) == STATUS_OK, e.text);
}

static enum status ledger_read(const char *dir, struct err *e)
{
	struct ledger *l;
	struct ledger_report report;
	struct buf entry = {0};
	enum status s = ledger_check(&report, &world_real, dir, true, e);

	if (s != STATUS_OK)
		return s;
	s = ledger_open(&l, &world_real, dir, LEDGER_READ, e);
	for (uint64_t i = 0; s == STATUS_OK && i < ledger_head(l)->size; i++)
		s = ledger_entry(l, i, &entry, e);
	if (s == STATUS_OK)
		(void)printf("yes %llu\n", (unsigned long long)ledger_head(l)->size);
	if (s == STATUS_OK)
		s = ledger_close(l, e);
	buf_free(&entry);
	return s;
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc == 4 && strcmp(argv[1], "make") == 0)
		make(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	else if (argc == 2 && strcmp(argv[1], "check") == 0)
		check();
	else if (argc == 4 && strcmp(argv[1], "write") == 0)
		ledger_write(argv[2], strtoul(argv[3], NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "read") == 0 && ledger_read(argv[2], &e) != STATUS_OK)
		(void)printf("no %s\n", e.text);
	else if (argc != 3)
		return 2;
	return fflush(stdout) == 0 ? 0 : 3;
}
