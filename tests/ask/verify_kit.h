/* What the tests of bundles and of verification share: a request packed by an operator, and a reader who
 * trusts him. */
#ifndef ASK_VERIFY_KIT_H
#define ASK_VERIFY_KIT_H

#include "desk.h"

struct fixture {
	struct desk *d;
	struct arena a;
	struct vkey known[4];
	struct trust t;
	struct bundle b;
	struct verified v;
};

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	desk_close(f->d);
	arena_free(&f->a);
	free(f);
	return 0;
}

static inline enum status verify(struct fixture *f, const struct buf *file)
{
	enum status s = bundle_read(&f->b, file->p, file->n, &f->a, &err);

	f->v = (struct verified){0};
	return s == STATUS_OK ? verify_bundle(&f->v, &f->b, &f->t, &f->a, &err) : s;
}

/* Takes the file.  why NULL: it is good; else what is said of it, whether it cannot be read or says no. */
static inline void verdict(struct fixture *f, struct buf file, const char *why)
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

static inline struct buf request(struct fixture *f)
{
	return desk_pack(f->d, "relay.example", NULL, NULL, 0);
}

/* relay.example answers the request, and the answer is forwarded to anybody. */
static inline struct buf forwarding(struct fixture *f, struct desk *relay, const char *answer_to)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
