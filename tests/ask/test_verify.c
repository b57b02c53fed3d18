/* Verification in one process: bundles packed by an operator with keys, database and ledger of his own, and
 * read by one who trusts him more or less; bundles that are correctly listed and signed, of which something
 * else is wrong; policies that ask for witnesses; answers that are forwarded. */
#include "desk.h"

struct fixture {
	struct desk *d;
	struct arena a;
	struct vkey known[4];
	struct trust t;
	struct bundle b;
	struct verified v;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->d = desk_open("victim.example");
	desk_tell_some(f->d, false);
	f->known[0] = f->d->key.pub;
	f->t = (struct trust){
		.key = f->known, .n_key = 1, .self = "relay.example", .now = {KIT_NOW}, .alpha = 1e-6};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	desk_close(f->d);
	arena_free(&f->a);
	free(f);
	return 0;
}

static enum status verify(struct fixture *f, const struct buf *file)
{
	enum status s = bundle_read(&f->b, file->p, file->n, &f->a, &err);

	f->v = (struct verified){0};
	return s == STATUS_OK ? verify_bundle(&f->v, &f->b, &f->t, &f->a, &err) : s;
}

/* Takes the file.  why NULL: it is good; else what is said of it, whether it cannot be read or says no. */
static void verdict(struct fixture *f, struct buf file, const char *why)
{
	enum status s = verify(f, &file);
	const char *said = s == STATUS_OK ? f->v.why : err.text;

	assert_int_not_equal(s, STATUS_MACHINE);
	if (!why && (s != STATUS_OK || !f->v.good || *said))
		fail_msg("not good: %s", said);
	if (why && (s == STATUS_OK && f->v.good))
		fail_msg("good, but not: %s", why);
	if (why && !strstr(said, why))
		fail_msg("\"%s\" says nothing of \"%s\"", said, why);
	assert_null(strchr(said, '\n'));
	buf_free(&file);
}

static struct buf request(struct fixture *f)
{
	return desk_pack(f->d, "relay.example", NULL, NULL, 0);
}

/* ---- what is good ---- */

static void good(void **state)
{
	struct fixture *f = *state;
	static const enum claim_state state_of[] = {CLAIM_ASSERTED, CLAIM_RECOMPUTED, CLAIM_ASSERTED};

	verdict(f, request(f), NULL);
	assert_true(f->v.known && f->v.genuine && f->v.n_claim == 3);
	for (size_t i = 0; i < 3; i++) {
		const struct checked_claim *c = &f->v.claim[i];
		assert_int_equal(c->state, state_of[i]);
		assert_true(c->logged && c->by_known && c->index == i && c->head.size == 3);
		assert_string_equal(c->head.origin, "victim.example/log");
	}
	assert_memory_equal(&f->v.claim[1].again, &f->v.claim[1].s.log10_e, sizeof(double));
}

/* ---- whom and when ---- */

static void whose_and_for_whom(void **state)
{
	struct fixture *f = *state;
	struct skey other;

	f->t.n_key = 0;
	verdict(f, request(f), "whom you were not told to trust");
	assert_false(f->v.known || f->v.genuine);
	ok(skey_make(&other, &world_real, "victim.example", KEY_ED25519, &err));
	f->known[0] = other.pub;
	f->t.n_key = 1;
	verdict(f, request(f), "not the key that you trust under this name");
	f->known[1] = f->d->key.pub; /* it was rotated: both are trusted */
	f->t.n_key = 2;
	verdict(f, request(f), NULL);
	f->t.self = "somebody.example";
	verdict(f, request(f), "it is for relay.example, not for somebody.example");
	f->t.self = NULL;
	verdict(f, request(f), NULL);
	f->t.self = "somebody.example";
	verdict(f, desk_pack(f->d, "*", NULL, NULL, 0), NULL);
	skey_wipe(&other);
}

static void when(void **state)
{
	struct fixture *f = *state;

	f->t.now.us = KIT_NOW + 3600 * SECOND_US;
	verdict(f, request(f), NULL);
	f->t.now.us++;
	verdict(f, request(f), "it expired at");
	f->t.now.us = KIT_NOW - VERIFY_AHEAD_US;
	verdict(f, request(f), NULL);
	f->t.now.us--;
	verdict(f, request(f), "from the future");
}

static void replayed(void **state)
{
	struct fixture *f = *state;
	struct id seen[3] = {{{0}}, {{0}}, {{0}}};

	verdict(f, request(f), NULL);
	memset(&seen[2], 0xff, sizeof(seen[2]));
	seen[1] = f->b.m.id;
	f->t.seen = seen;
	f->t.n_seen = 3;
	verdict(f, request(f), "it is a replay");
	seen[1].b[15] ^= 1;
	verdict(f, request(f), NULL);
}

/* The signature is a trusted key's, by name and id, and yet it is none. */
static void forged(void **state)
{
	struct fixture *f = *state;
	struct buf file = request(f);
	struct loose l = {.arena = &f->a};
	struct skey forger = f->d->key;
	struct buf again = {0};

	verdict(f, file, NULL);
	file = request(f);
	ok(bundle_read(&f->b, file.p, file.n, &f->a, &err));
	for (size_t i = 1; i < f->b.n_file; i++)
		assert_true(loose_put(&l, f->b.file[i].name, f->b.file[i].p, f->b.file[i].n));
	forger.secret[0] ^= 1;
	struct manifest m = f->b.m;
	assert_true(loose_seal(&l, &m, &forger, &again, &err));
	verdict(f, again, "victim.example");
	assert_false(f->v.genuine);
	buf_free(&file);
}

static void readers_alpha(void **state)
{
	struct fixture *f = *state;

	f->t.alpha = 1e-299;
	verdict(f, request(f), "not proven at alpha 1e-299");
	assert_int_equal(f->v.claim[1].state, CLAIM_INSUFFICIENT);
	f->t.alpha = 0.5;
	verdict(f, request(f), NULL);
}

/* A log of this name is known, by another key. */
static void another_log(void **state)
{
	struct fixture *f = *state;
	struct skey log;

	ok(skey_make(&log, &world_real, "victim.example/log", KEY_ED25519, &err));
	f->known[1] = log.pub;
	f->t.n_key = 2;
	verdict(f, request(f), "is known by another key");
	ok(keys_public(f->d->dir, KEY_LOG, &f->known[1], &err));
	verdict(f, request(f), NULL);
	skey_wipe(&log);
}

/* ---- what is wrong, though listed and signed ---- */

struct fault {
	const char *name;
	void (*make)(struct fixture *f, struct loose *l);
	bool view; /* the view is made anew: the fault is another */
	const char *why;
};

/* The k-th file of a folder. */
static struct tar_file *file_of(struct loose *l, const char *folder, size_t k)
{
	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->file[i].name, folder, strlen(folder)) == 0 && k-- == 0)
			return &l->file[i];
	fail_msg("no %s", folder);
	return NULL;
}

static void swap_bytes(struct tar_file *a, struct tar_file *b)
{
	struct tar_file x = *a;

	a->p = b->p;
	a->n = b->n;
	b->p = x.p;
	b->n = x.n;
}

static void no_change(struct fixture *f, struct loose *l)
{
	(void)f, (void)l;
}

static void drop_train(struct fixture *f, struct loose *l)
{
	(void)f;
	loose_drop(l, file_of(l, "trains/", 0)->name);
}

static void drop_entry(struct fixture *f, struct loose *l)
{
	(void)f;
	loose_drop(l, file_of(l, "entries/", 2)->name);
}

static void drop_proof(struct fixture *f, struct loose *l)
{
	(void)f;
	loose_drop(l, file_of(l, "proofs/", 1)->name);
}

static void drop_view(struct fixture *f, struct loose *l)
{
	(void)f;
	loose_drop(l, MANIFEST_VIEW);
}

static void swap_entries(struct fixture *f, struct loose *l)
{
	(void)f;
	swap_bytes(file_of(l, "entries/", 0), file_of(l, "entries/", 2));
}

static void swap_proofs(struct fixture *f, struct loose *l)
{
	(void)f;
	swap_bytes(file_of(l, "proofs/", 0), file_of(l, "proofs/", 2));
}

static void swap_claims(struct fixture *f, struct loose *l)
{
	(void)f;
	swap_bytes(file_of(l, "claims/", 0), file_of(l, "claims/", 1));
}

static void swap_trains(struct fixture *f, struct loose *l)
{
	(void)f;
	swap_bytes(file_of(l, "trains/", 0), file_of(l, "trains/", 1));
}

/* The same claim by another kind would be another claim. */
static void rename_claim(struct fixture *f, struct loose *l)
{
	struct tar_file *c = file_of(l, "claims/attack", 0);
	char name[TAR_NAME];

	(void)f;
	(void)snprintf(name, sizeof(name), "claims/seen%s", c->name + strlen("claims/attack"));
	memcpy(c->name, name, sizeof(name));
}

static void file_and_folder(struct fixture *f, struct loose *l)
{
	(void)f;
	assert_true(loose_put(l, "claims", "x", 1));
}

static void zero_in_claim(struct fixture *f, struct loose *l)
{
	struct tar_file *c = file_of(l, "claims/block", 0);

	(void)f;
	assert_true(loose_put(l, c->name, "{}\0", 3));
}

static void not_its_id(struct fixture *f, struct loose *l)
{
	(void)f;
	assert_true(loose_put(l, "claims/block-00000000000000000000000000000000.json", "{}", 2));
}

static void other_file(struct fixture *f, struct loose *l)
{
	(void)f;
	assert_true(loose_put(l, "README", "x", 1));
}

static void entry_of_nobody(struct fixture *f, struct loose *l)
{
	(void)f;
	assert_true(loose_put(l, "entries/00000000000000000000000000000000.json", "{}", 2));
}

static void huge_entry(struct fixture *f, struct loose *l)
{
	size_t n = 40 << 20;
	char *p = malloc(n);

	(void)f;
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = "[],"[i % 3];
	p[0] = '[';
	assert_true(loose_put(l, file_of(l, "entries/", 0)->name, p, n));
	free(p);
}

static void huge_claim(struct fixture *f, struct loose *l)
{
	size_t n = 20 << 20;
	char *p = malloc(n + 1), id[ID_TEXT], name[TAR_NAME];

	(void)f;
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = "[],"[i % 3];
	p[n] = '\0';
	struct claim c = {.kind = "block", .body = p};
	assert_true(claim_make_id(&c));
	(void)snprintf(name, sizeof(name), "claims/block-%s.json", id_text(id, &c.id));
	assert_true(loose_put(l, name, p, n));
	free(p);
}

/* Its entry and proof are of a log of the same name, which another key signs. */
static void other_log(struct fixture *f, struct loose *l)
{
	struct desk *d = desk_open("victim.example");
	const struct vkey keep = f->d->key.pub;

	for (size_t i = 0; i < f->d->n_claim; i++) {
		struct told t = {.kind = f->d->claim[i].kind, .body = strdup(f->d->claim[i].body)};
		desk_tell(d, t);
	}
	ok(register_flush(&d->p, &err));
	struct ledger *log;
	struct buf proof = {0};
	ok(ledger_open(&log, &d->w, d->dir, LEDGER_READ, &err));
	for (size_t i = 0; i < 3; i++) {
		char name[TAR_NAME], id[ID_TEXT];
		proof.n = 0;
		ok(ledger_proof(log, i, &proof, &err));
		(void)snprintf(name, sizeof(name), "proofs/%s.tlog-proof", id_text(id, &d->claim[i].id));
		assert_true(loose_put(l, name, proof.p, proof.n));
	}
	ok(ledger_close(log, &err));
	buf_free(&proof);
	desk_close(d);
	assert_string_equal(keep.name, f->d->key.pub.name);
}

static const struct fault faults[] = {
	{"none", no_change, true, NULL},
	{"train missing", drop_train, true, "is not in the bundle"},
	{"entry missing", drop_entry, true, "its entry or proof is not in the bundle"},
	{"proof missing", drop_proof, true, "its entry or proof is not in the bundle"},
	{"view missing", drop_view, false, "stix.json"},
	{"entries exchanged", swap_entries, true, "its entry is another claim's"},
	{"proofs exchanged", swap_proofs, true, "not proven to stand in the log"},
	{"claims exchanged", swap_claims, false, "another id"},
	{"trains exchanged", swap_trains, false, "its bytes are others'"},
	{"claim of another kind", rename_claim, false, "another id"},
	{"file and folder", file_and_folder, false, ""},
	{"zero byte", zero_in_claim, false, "zero byte"},
	{"not its id", not_its_id, false, "another id"},
	{"another file", other_file, false, "no file of a bundle"},
	{"entry of nobody", entry_of_nobody, false, "belongs to no claim"},
	{"entry of 40 MB", huge_entry, false, "its entry is another claim's, or none"},
	{"claim of 20 MB", huge_claim, false, "no claim is that long"},
	{"another log's proofs", other_log, true, "not proven to stand in the log"},
};

static void take_apart(struct fixture *f, const struct buf *file, struct loose *to)
{
	*to = (struct loose){.arena = &f->a};
	ok(bundle_read(&f->b, file->p, file->n, &f->a, &err));
	for (size_t i = 1; i < f->b.n_file; i++)
		assert_true(loose_put(to, f->b.file[i].name, f->b.file[i].p, f->b.file[i].n));
}

static void listed_and_signed_but_wrong(void **state)
{
	struct fixture *f = *state;
	struct buf file = request(f);

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *x = &faults[i];
		struct buf again = {0};
		struct loose l;
		take_apart(f, &file, &l);
		struct manifest m = f->b.m;
		x->make(f, &l);
		if (x->view)
			(void)loose_view(&l, &m, false);
		if (!loose_seal(&l, &m, &f->d->key, &again, &err)) {
			assert_non_null(x->why); /* it cannot even be written */
			buf_free(&again);
			continue;
		}
		print_message("# %s\n", x->name);
		verdict(f, again, x->why);
		arena_free(&f->a);
	}
	buf_free(&file);
}

/* ---- witnesses ---- */

/* One cosigns the head that is published. */
static void witness(struct fixture *f, const struct skey *key)
{
	struct ledger *l;
	struct buf note = {0};
	struct checkpoint c;
	const char *end;

	ok(ledger_open(&l, &f->d->w, f->d->dir, LEDGER_SIGN, &err));
	ok(ledger_checkpoint(l, &note, &err));
	end = memmem(note.p, note.n, "\n\n", 2);
	assert_non_null(end);
	size_t n = (size_t)(end - (const char *)note.p) + 1;
	ok(checkpoint_parse(&c, (const char *)note.p, n, &err));
	ok(note_cosign_line(&note, (const char *)note.p, n, key, (struct wall){KIT_NOW}, &err));
	ok(ledger_keep_cosignatures(l, (const char *)note.p, note.n, &err));
	ok(ledger_close(l, &err));
	buf_free(&note);
}

static void witnesses(void **state)
{
	struct fixture *f = *state;
	char log[VKEY_TEXT], a[VKEY_TEXT], b[VKEY_TEXT], text[2000];
	struct policy *two = calloc(1, sizeof(*two)), *one = calloc(1, sizeof(*one));
	struct skey w[2];
	struct vkey key;

	assert_true(two && one);
	ok(keys_public(f->d->dir, KEY_LOG, &key, &err));
	ok(skey_make(&w[0], &world_real, "first.example", KEY_COSIGN, &err));
	ok(skey_make(&w[1], &world_real, "second.example", KEY_COSIGN, &err));
	(void)snprintf(text, sizeof(text), "log %s\nwitness a %s\nwitness b %s\ngroup g all a b\nquorum g\n",
		vkey_text(log, &key), vkey_text(a, &w[0].pub), vkey_text(b, &w[1].pub));
	ok(policy_parse(two, text, strlen(text), &err));
	memcpy(strstr(text, "all"), "any", 3);
	ok(policy_parse(one, text, strlen(text), &err));
	f->t.policy = one;
	verdict(f, request(f), "not proven to stand in the log");
	witness(f, &w[0]);
	verdict(f, request(f), NULL);
	f->t.policy = two;
	verdict(f, request(f), "not proven to stand in the log");
	witness(f, &w[1]);
	verdict(f, request(f), NULL);
	/* what is entered later was not seen by them */
	desk_tell(f->d, kit_block("later"));
	ok(register_flush(&f->d->p, &err));
	verdict(f, request(f), "not proven to stand in the log");
	f->t.policy = NULL;
	verdict(f, request(f), NULL);
	free(two);
	free(one);
}

/* ---- forwarded answers ---- */

/* relay.example answers the request, and the answer is forwarded to anybody. */
static struct buf forwarding(struct fixture *f, struct desk *relay, const char *answer_to)
{
	struct buf first = request(f);
	struct pack_answer n;
	struct bundle b;

	ok(bundle_read(&b, first.p, first.n, &f->a, &err));
	n.file = desk_pack(relay, answer_to, &b, NULL, 0);
	struct buf probe = n.file;
	ok(bundle_read(&b, probe.p, probe.n, &f->a, &err));
	n.id = b.m.id;
	struct buf to = desk_pack(f->d, "*", NULL, &n, 1);
	buf_free(&n.file);
	buf_free(&first);
	return to;
}

static void forwarded(void **state)
{
	struct fixture *f = *state;
	struct desk *relay = desk_open("relay.example");
	struct skey other;

	desk_tell_some(relay, true);
	f->known[1] = relay->key.pub;
	f->t.n_key = 2;
	verdict(f, forwarding(f, relay, "victim.example"), NULL);
	assert_int_equal(f->v.n_claim, 6);
	assert_true(f->v.claim[3].by_known && f->v.claim[3].in->inner && f->v.claim[3].logged);
	/* of a stranger: nothing is wrong with it, but his word is the sender's */
	f->t.n_key = 1;
	verdict(f, forwarding(f, relay, "victim.example"), NULL);
	assert_false(f->v.claim[3].by_known);
	/* for somebody else */
	verdict(f, forwarding(f, relay, "other.example"), "was for other.example, not for the sender");
	/* signed by what is not the key that one trusts: its name, its id, and not its signature */
	ok(skey_make(&other, &world_real, "relay.example", KEY_ED25519, &err));
	f->known[1] = relay->key.pub;
	f->t.n_key = 2;
	relay->key.secret[3] ^= 1;
	verdict(f, forwarding(f, relay, "victim.example"), "the answer of relay.example in it");
	desk_close(relay);
	skey_wipe(&other);
}

/* An answer asks nothing, and a request tells of no other flow. */
static void claims_in_their_place(void **state)
{
	struct fixture *f = *state;
	struct buf file = request(f);
	struct bundle b;
	struct told t;
	struct kit_pair p;

	ok(bundle_read(&b, file.p, file.n, &f->a, &err));
	f->t.self = NULL;
	verdict(f, desk_pack(f->d, "relay.example", &b, NULL, 0), "kind attack has no place in it");
	kit_pair_make(&p, &f->a, 30);
	ok(tell_seen(&t, &p.in, KIT_CODE, &err));
	desk_tell(f->d, t);
	ok(register_flush(&f->d->p, &err));
	verdict(f, request(f), "kind seen has no place in it");
	buf_free(&file);
}

/* An answer that forwards answers, a request as an answer, an answer that is no bundle. */
static void what_is_no_answer(void **state)
{
	struct fixture *f = *state;
	struct desk *relay = desk_open("relay.example");
	struct pack_answer n = {.id = {{1}}};

	desk_tell_some(relay, true);
	n.file = forwarding(f, relay, "victim.example");
	verdict(f, desk_pack(f->d, "*", NULL, &n, 1), "an answer with other answers in it");
	buf_free(&n.file);
	n.file = request(f);
	verdict(f, desk_pack(f->d, "*", NULL, &n, 1), "not an answer");
	buf_free(&n.file);
	buf_put(&n.file, "x", 1);
	verdict(f, desk_pack(f->d, "*", NULL, &n, 1), "answers/01000000000000000000000000000000.tar");
	buf_free(&n.file);
	desk_close(relay);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(good), TEST(whose_and_for_whom), TEST(when), TEST(replayed),
		TEST(forged), TEST(readers_alpha), TEST(another_log), TEST(listed_and_signed_but_wrong),
		TEST(witnesses), TEST(forwarded), TEST(claims_in_their_place), TEST(what_is_no_answer)};

	kit_seed("sessions");
	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
