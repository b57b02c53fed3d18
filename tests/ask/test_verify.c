/* Verification in one process: bundles packed by an operator with keys, database and ledger of his own, and
 * read by one who trusts him more or less; policies that ask for witnesses; answers that are forwarded. */
#include "verify_kit.h"

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

static void forwarded(void **state)
{
	struct fixture *f = *state;
	struct desk *relay = desk_open("relay.example");

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
	f->t.n_key = 2;
	relay->key.secret[3] ^= 1;
	verdict(f, forwarding(f, relay, "victim.example"), "the answer of relay.example in it");
	desk_close(relay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(good), TEST(whose_and_for_whom), TEST(when), TEST(replayed),
		TEST(forged), TEST(readers_alpha), TEST(another_log), TEST(witnesses), TEST(forwarded)};

	kit_seed("sessions");
	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
