/* An operator for the tests: a directory with keys, database and ledger, a clock that stands still, claims
 * that are stored and entered, and the bundle that is packed of them. */
#ifndef ASK_DESK_H
#define ASK_DESK_H

#include "ask_kit.h"

#include "ledger/keys.h"
#include "seal.h"

enum { DESK_CLAIMS = 8 };

struct desk {
	struct world w;
	struct place p;
	char *dir;
	struct arena a;
	struct skey key;
	struct claim claim[DESK_CLAIMS];
	size_t n_claim;
};

static inline struct wall desk_now(void *self)
{
	(void)self;
	return (struct wall){KIT_NOW};
}

/* In memory where there is such a place: the steps are tested, not the disk. */
static inline char *desk_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	if (!base)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	assert_true(asprintf(&path, "%s/weir-ask-XXXXXX", base) > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline struct desk *desk_open(const char *name)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->w = world_real;
	d->w.now = desk_now;
	d->dir = desk_dir();
	d->p = (struct place){.w = &d->w, .dir = d->dir};
	ok(keys_init(&world_real, d->dir, name, &err));
	ok(keys_secret(d->dir, KEY_OPERATOR, &d->key, &err));
	ok(case_db_open(&d->p.db, &d->w, d->dir, &err));
	return d;
}

static inline void desk_close(struct desk *d)
{
	case_db_close(d->p.db);
	kit_dir_free(d->dir);
	arena_free(&d->a);
	free(d);
}

/* Takes t. */
static inline void desk_tell(struct desk *d, struct told t)
{
	struct claim *c = &d->claim[d->n_claim++];

	assert_true(d->n_claim <= DESK_CLAIMS);
	ok(told_store(&d->p, &t, NULL, "", "", &c->id, &err));
	c->kind = arena_str(&d->a, t.kind);
	c->body = arena_str(&d->a, t.body);
	told_free(&t);
}

/* "F hit us" (of who answers: "F passed here"), "R relayed it", a block: one claim of each of three kinds. */
static inline void desk_tell_some(struct desk *d, bool answers)
{
	struct kit_pair p;
	struct told t;

	kit_pair_make(&p, &d->a, 120);
	if (answers)
		ok(tell_seen(&t, &p.out, KIT_CODE, &err));
	else
		ok(tell_attack(&t, &p.out, NULL, 0, KIT_CODE, &err));
	desk_tell(d, t);
	ok(tell_hop(&t, &p.hop, 1e-6, 0, KIT_CODE, &err));
	assert_string_equal(t.kind, "link");
	desk_tell(d, t);
	desk_tell(d, kit_block("drop tcp 203.0.113.10/32"));
	ok(register_flush(&d->p, &err));
}

static inline struct manifest desk_manifest(const struct desk *d, const char *to)
{
	struct manifest m = {.type = BUNDLE_REQUEST,
		.ask = ASK_TRACE,
		.made = {KIT_NOW},
		.not_after = {KIT_NOW + 3600 * SECOND_US},
		.code = KIT_CODE};

	memcpy(m.from, d->key.pub.name, sizeof(m.from));
	(void)snprintf(m.to, sizeof(m.to), "%s", to);
	return m;
}

/* A request, or the answer to another bundle. */
static inline struct buf desk_pack(struct desk *d, const char *to, const struct bundle *reply,
	struct pack_answer *answer, size_t n_answer)
{
	struct pack k = {.m = desk_manifest(d, to),
		.claim = d->claim,
		.n_claim = d->n_claim,
		.answer = answer,
		.n_answer = n_answer};
	struct buf b = {0};

	if (reply) {
		k.m.type = BUNDLE_ANSWER;
		k.m.reply_to = reply->m.id;
		memcpy(k.m.reply_sha256, reply->sha256, sizeof(reply->sha256));
	}
	ok(pack_write(&d->p, &k, &d->key, &b, &err));
	return b;
}

#endif
