/* Whatever lies in a bundle that is correctly listed and signed by a trusted key: it is read and verified
 * without harm, what is said to be good is so, and one changed byte is never good.
 *
 * Input: sections.h.  `train`, `claim KIND`, and for the claim before them `entry`, `proof` (each made as it
 * should be where it is missing); `file NAME`; `answer VERDICT`, `request ASK`, `why TEXT`; `noview`; `open`
 * to `close` is an answer that lies in the bundle. */
#include "../tests/ask/seal.h"
#include "../tests/ledger/small_log.h"
#include "ask/verify.h"
#include "ledger/ledger.h"
#include "sections.h"

#define NOW INT64_C(1795362120123456)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* ---- keys ---- */

enum { OUTER, INNER, LOG, KEYS };

static int same_bytes(void *self, void *to, size_t n)
{
	memset(to, *(int *)self, n);
	return 0;
}

static const struct skey *key_of(int which)
{
	static const char *const name[KEYS] = {"victim.example", "relay.example", "victim.example/log"};
	static struct skey key[KEYS];
	static bool made;
	struct err e;

	for (int k = 0; k < KEYS && !made; k++) {
		struct world w = world_real;
		w.self = &k;
		w.random = same_bytes;
		if (skey_make(&key[k], &w, name[k], KEY_ED25519, &e) != STATUS_OK)
			abort();
	}
	made = true;
	return &key[which];
}

/* ---- one bundle ---- */

struct making {
	const struct sections *all;
	size_t at; /* section that is next */
	struct arena *a;
	struct loose files;
	struct manifest m;
	bool view;
	struct id claim[SECTIONS];
	size_t n_claim;
};

static bool put(
	struct making *k, const char *folder, const char *name, const char *tail, const void *p, size_t n)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s%s%s", folder, name, tail);
	return loose_put(&k->files, path, p, n);
}

static void put_claim(struct making *k, const struct section *s)
{
	size_t n;
	char *body = section_body(k->all, s, k->a, &n), id[ID_TEXT], name[160], sha[BLOB_NAME], entry[512];
	struct claim c = {.kind = s->arg, .body = body};

	if (!body || !claim_make_id(&c) || !blob_name(sha, body, n))
		return;
	k->claim[k->n_claim++] = c.id;
	(void)snprintf(name, sizeof(name), "%s-%s", s->arg, id_text(id, &c.id));
	(void)put(k, "claims/", name, ".json", body, n);
	(void)snprintf(entry, sizeof(entry),
		"{\"v\":1,\"kind\":\"claim\",\"id\":\"%s\",\"at\":\"2026-11-22T15:00:00Z\",\"sha256\":\"%"
		"s\"}",
		id, sha);
	(void)put(k, "entries/", id, ".json", entry, strlen(entry));
}

static void put_of_claim(struct making *k, const struct section *s)
{
	bool entry = strcmp(s->word, "entry") == 0;
	char id[ID_TEXT];
	size_t n = s->n - (entry && s->n && s->p[s->n - 1] == '\n');

	if (k->n_claim)
		(void)put(k, entry ? "entries/" : "proofs/", id_text(id, &k->claim[k->n_claim - 1]),
			entry ? ".json" : ".tlog-proof", s->p, n);
}

static void put_train(struct making *k, const struct section *s)
{
	char name[BLOB_NAME];

	if (blob_name(name, s->p, s->n))
		(void)put(k, "trains/", name, ".train", s->p, s->n);
}

static void put_file(struct making *k, const struct section *s)
{
	if (tar_name_valid(s->arg) && strcmp(s->arg, "MANIFEST") != 0)
		(void)put(k, "", s->arg, "", s->p, s->n);
}

static void set_request(struct making *k, const struct section *s)
{
	k->m.type = BUNDLE_REQUEST;
	(void)bundle_ask_parse(&k->m.ask, s->arg);
}

static void set_answer(struct making *k, const struct section *s)
{
	k->m.type = BUNDLE_ANSWER;
	for (int v = ANSWER_ACCEPTED; v <= ANSWER_REFUSED; v++)
		if (strcmp(bundle_verdict_name((enum bundle_verdict)v), s->arg) == 0)
			k->m.verdict = (enum bundle_verdict)v;
}

static void set_why(struct making *k, const struct section *s)
{
	memcpy(k->m.why, s->arg, sizeof(s->arg));
}

static void set_noview(struct making *k, const struct section *s)
{
	(void)s;
	k->view = false;
}

static bool make(
	const struct sections *all, size_t *at, int signer, struct arena *a, struct buf *to, struct id *id);

static void put_answer(struct making *k, const struct section *s)
{
	struct buf b = {0};
	char text[ID_TEXT];
	struct id id;

	(void)s;
	if (make(k->all, &k->at, INNER, k->a, &b, &id))
		(void)put(k, "answers/", id_text(text, &id), ".tar", b.p, b.n);
	buf_free(&b);
}

static const struct {
	const char *word;
	void (*take)(struct making *k, const struct section *s);
} table[] = {{"train", put_train}, {"claim", put_claim}, {"entry", put_of_claim}, {"proof", put_of_claim},
	{"file", put_file}, {"request", set_request}, {"answer", set_answer}, {"why", set_why},
	{"noview", set_noview}, {"open", put_answer}};

/* The proofs that are not there, of a log with all the entries. */
static void put_proofs(struct making *k)
{
	static struct small_log log;
	struct merkle_source source = {&log, small_log_subtree};
	struct checkpoint head = {.size = k->n_claim};
	struct buf text = {0}, note = {0};
	char path[128], id[ID_TEXT];
	struct err e;

	log.size = k->n_claim;
	memcpy(head.origin, k->m.log.name, sizeof(head.origin));
	for (size_t i = 0; i < k->n_claim; i++) {
		(void)snprintf(path, sizeof(path), "entries/%s.json", id_text(id, &k->claim[i]));
		const struct tar_file *f = loose_find(&k->files, path);
		(void)merkle_leaf(&log.leaf[i], f ? f->p : (const uint8_t *)"", f ? f->n : 0);
	}
	if (k->n_claim == 0 || merkle_root_of(&source, log.size, &head.root, &e) != STATUS_OK)
		return;
	checkpoint_write(&text, &head);
	if (note_sign(&note, (const char *)text.p, text.n, key_of(LOG), &e) != STATUS_OK)
		abort();
	for (size_t i = 0; i < k->n_claim; i++) {
		struct tlog_proof proof = {.index = i, .note = (const char *)note.p, .n_note = note.n};
		struct buf b = {0};
		(void)snprintf(path, sizeof(path), "proofs/%s.tlog-proof", id_text(id, &k->claim[i]));
		if (merkle_prove(&source, i, log.size, proof.hash, &proof.n_hash, &e) != STATUS_OK)
			abort();
		tlog_proof_write(&b, &proof);
		if (!loose_find(&k->files, path))
			(void)loose_put(&k->files, path, b.p, b.n);
		buf_free(&b);
	}
	buf_free(&text);
	buf_free(&note);
}

/* A bundle out of the sections up to `close`. */
static bool make(
	const struct sections *all, size_t *at, int signer, struct arena *a, struct buf *to, struct id *id)
{
	struct making *k = arena_alloc(a, sizeof(*k));
	struct err e;

	if (!k)
		return false;
	*k = (struct making){.all = all, .at = *at, .a = a, .files.arena = a, .view = true};
	k->m = (struct manifest){.type = signer == INNER ? BUNDLE_ANSWER : BUNDLE_REQUEST,
		.to = "victim.example",
		.made = {NOW},
		.not_after = {NOW + 3600 * SECOND_US},
		.log = key_of(LOG)->pub,
		.code = "fuzz",
		.reply_sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"};
	memcpy(k->m.from, key_of(signer)->pub.name, sizeof(k->m.from));
	while (k->at < all->n && strcmp(all->s[k->at].word, "close") != 0) {
		const struct section *s = &all->s[k->at++];
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if (strcmp(table[i].word, s->word) == 0)
				table[i].take(k, s);
	}
	*at = k->at + 1;
	put_proofs(k);
	if (k->view)
		(void)loose_view(&k->files, &k->m, false);
	bool good = loose_seal(&k->files, &k->m, key_of(signer), to, &e);
	*id = k->m.id;
	return good;
}

/* ---- what must hold ---- */

static bool holds(const void *p, size_t n)
{
	const struct vkey key[] = {key_of(OUTER)->pub, key_of(INNER)->pub};
	struct trust t = {.key = key, .n_key = 2, .self = "victim.example", .now = {NOW}, .alpha = 1e-6};
	struct arena a = {0};
	struct bundle b;
	struct verified v = {0};
	struct err e;

	bool good = bundle_read(&b, p, n, &a, &e) == STATUS_OK &&
		    verify_bundle(&v, &b, &t, &a, &e) == STATUS_OK && v.good;
	for (size_t i = 0; i < v.n_claim && good; i++)
		if (v.claim[i].state == CLAIM_DIFFERS || !v.claim[i].logged || v.claim[i].why[0])
			abort();
	if (good && (!v.known || !v.genuine || v.why[0]))
		abort();
	arena_free(&a);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sections all;
	struct arena a = {0};
	struct buf tar = {0};
	size_t at = 0, sum = n;
	struct id id;

	sections_read(&all, p, n);
	if (make(&all, &at, OUTER, &a, &tar, &id)) {
		(void)holds(tar.p, tar.n);
		for (size_t i = 0; i < n; i++)
			sum = sum * 31 + p[i];
		tar.p[sum % tar.n] ^= (uint8_t)(1 + sum / 7 % 255);
		if (holds(tar.p, tar.n))
			abort();
	}
	buf_free(&tar);
	arena_free(&a);
	return 0;
}
