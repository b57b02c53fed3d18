/* Bundles that are correctly listed and signed, of which something else is wrong: read or verified in one
 * process, and refused with one line that says what. */
#include "verify_kit.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listed_and_signed_but_wrong), TEST(claims_in_their_place), TEST(what_is_no_answer)};

	kit_seed("sessions");
	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
