/* Makes a bundle for peer-check: usage make_bundle DIR SIZE INDEX
 *
 * DIR/bundle.tar has one claim, whose entry stands at INDEX of a log of SIZE entries; DIR/operator.vkey is
 * the key that signed it.  Where DIR/train or DIR/manifest stand, they must be a train and a manifest's text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ledger/small_log.h"
#include "ask/manifest.h"
#include "ask/tar.h"
#include "ledger/proof.h"
#include "record/train.h"

#define CLAIM "00112233445566778899aabbccddeeff"

static const char entry[] = "{\"v\":1,\"kind\":\"claim\",\"id\":\"" CLAIM "\"}";

enum { FILES = 4 };

struct file {
	const char *path;
	struct buf bytes;
};

static void must(enum status s, const struct err *e)
{
	if (s == STATUS_OK)
		return;
	(void)fprintf(stderr, "%s\n", e->text);
	exit((int)s);
}

static struct buf text_of(const char *s)
{
	struct buf b = {0};

	buf_put(&b, s, strlen(s));
	return b;
}

/* The proof that `entry` stands at index of a log of size entries. */
static struct buf proof_of(const struct skey *key, uint64_t size, uint64_t index)
{
	static struct small_log log;
	struct merkle_source source = {&log, small_log_subtree};
	struct tlog_proof proof = {.index = index};
	struct checkpoint head = {.size = size};
	struct buf text = {0}, note = {0}, b = {0};
	struct err e;
	bool good = true;

	log.size = size;
	for (uint64_t i = 0; i < size; i++)
		good = good && merkle_leaf(&log.leaf[i], i == index ? (const void *)entry : &i,
				       i == index ? strlen(entry) : sizeof(i));
	must(good ? STATUS_OK : err_nomem(&e), &e);
	must(merkle_root_of(&source, size, &head.root, &e), &e);
	must(merkle_prove(&source, index, size, proof.hash, &proof.n_hash, &e), &e);
	memcpy(head.origin, key->pub.name, sizeof(head.origin));
	checkpoint_write(&text, &head);
	must(note_sign(&note, (const char *)text.p, text.n, key, &e), &e);
	proof.note = (const char *)note.p;
	proof.n_note = note.n;
	tlog_proof_write(&b, &proof);
	buf_free(&text);
	buf_free(&note);
	return b;
}

static void sha256_hex(char to[65], const struct buf *b)
{
	uint8_t h[32];

	if (!sha256(h, b->p, b->n))
		exit(3);
	for (size_t i = 0; i < sizeof(h); i++)
		(void)snprintf(to + 2 * i, 3, "%02x", h[i]);
}

static struct buf manifest_of(
	const struct skey *operator, const struct skey * log, const struct file *file, size_t n)
{
	struct manifest_file list[FILES];
	struct manifest m = {.type = BUNDLE_REQUEST,
		.to = "relay.example",
		.made = {INT64_C(1795362120123456)},
		.not_after = {INT64_C(1797954120123456)},
		.log = log->pub,
		.ask = ASK_TRACE,
		.code = "weir 0.1.0",
		.file = list,
		.n_file = n};
	struct buf text = {0}, note = {0};
	struct err e;

	memcpy(m.from, operator->pub.name, sizeof(m.from));
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(list[i].path, sizeof(list[i].path), "%s", file[i].path);
		sha256_hex(list[i].sha256, &file[i].bytes);
	}
	must(manifest_write(&text, &m, &e), &e);
	must(note_sign(&note, (const char *)text.p, text.n, operator, & e), &e);
	buf_free(&text);
	return note;
}

static void spill(const char *dir, const char *name, const void *p, size_t n)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(3);
	}
}

/* NULL where there is no such file. */
static char *slurp(const char *dir, const char *name, size_t *n)
{
	static char text[1 << 16];
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	*n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	return text;
}

/* The examples that the document shows are what it says they are. */
static void examples_check(const char *dir)
{
	struct arena a = {0};
	struct train t;
	struct manifest m;
	struct err e;
	size_t n;
	const char *text = slurp(dir, "train", &n);

	if (text)
		must(train_read(&t, text, n, &a, &e), &e);
	text = slurp(dir, "manifest", &n);
	if (text)
		must(manifest_read(&m, text, n, &a, &e), &e);
	arena_free(&a);
}

int main(int argc, char **argv)
{
	struct file file[FILES] = {{.path = "claims/attack-" CLAIM ".json", .bytes = text_of("{}")},
		{.path = "trains/0.train", .bytes = text_of("weir-train/v1\n")},
		{.path = "entries/" CLAIM ".json", .bytes = text_of(entry)},
		{.path = "proofs/" CLAIM ".tlog-proof"}};
	struct skey operator, log;
	char text[VKEY_TEXT];
	struct buf tar = {0};
	struct err e;

	if (argc != 4)
		return 2;
	examples_check(argv[1]);
	must(skey_make(&operator, & world_real, "victim.example", KEY_ED25519, &e), &e);
	must(skey_make(&log, &world_real, "victim.example/log", KEY_ED25519, &e), &e);
	file[3].bytes = proof_of(&log, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	struct buf note = manifest_of(&operator, & log, file, FILES);
	tar_put(&tar, "MANIFEST", note.p, note.n);
	for (size_t i = 0; i < FILES; i++)
		tar_put(&tar, file[i].path, file[i].bytes.p, file[i].bytes.n);
	tar_end(&tar);
	must(tar.failed ? err_nomem(&e) : STATUS_OK, &e);
	spill(argv[1], "bundle.tar", tar.p, tar.n);
	(void)vkey_text(text, &operator.pub);
	spill(argv[1], "operator.vkey", text, strlen(text));
	for (size_t i = 0; i < FILES; i++)
		buf_free(&file[i].bytes);
	buf_free(&note);
	buf_free(&tar);
	skey_wipe(&operator);
	skey_wipe(&log);
	return 0;
}
