/* Policies: the specification's example, each thing that a policy may not say, and random policies against a
 * recursive judge. */
#include "base/hash.h"
#include "ledger/proof.h"
#include "random.h"
#include "verdict.h"

#define ORIGIN    "log.example/a"
#define WITNESSES 12

struct fixture {
	struct err e;
	struct skey log[2], witness[WITNESSES];
	char vlog[2][VKEY_TEXT], vwitness[WITNESSES][VKEY_TEXT];
	uint64_t seed;
	struct policy policy;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	bool ok = f;

	for (size_t i = 0; ok && i < 2; i++) {
		ok = skey_make(&f->log[i], &world_real, i ? "log.example/b" : ORIGIN, KEY_ED25519, &f->e) ==
		     STATUS_OK;
		(void)vkey_text(f->vlog[i], &f->log[i].pub);
	}
	for (size_t i = 0; ok && i < WITNESSES; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "witness.example/%zu", i);
		ok = skey_make(&f->witness[i], &world_real, name, KEY_COSIGN, &f->e) == STATUS_OK;
		(void)vkey_text(f->vwitness[i], &f->witness[i].pub);
	}
	if (!ok)
		return -1;
	f->seed = seed_take();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* text with each @0.. @9 replaced by a witness's key and each $0, $1 by a log's. */
static struct buf filled(const struct fixture *f, const char *text)
{
	struct buf b = {0};

	for (; *text; text++) {
		const char *key = text[0] == '@'   ? f->vwitness[text[1] - '0']
				  : text[0] == '$' ? f->vlog[text[1] - '0']
						   : NULL;
		if (key)
			buf_put(&b, key, strlen(key));
		else
			buf_put(&b, text, 1);
		text += key != NULL;
	}
	return b;
}

static enum status parse(struct fixture *f, const char *text)
{
	struct buf b = filled(f, text);
	enum status s = policy_parse(&f->policy, (const char *)b.p, b.n, &f->e);

	buf_free(&b);
	return s;
}

/* The note of a checkpoint that the logs and witnesses of the sets signed. */
static enum status judge(struct fixture *f, unsigned logs, unsigned witnesses)
{
	struct checkpoint c = {.origin = ORIGIN, .size = 7}, read;
	struct buf text = {0}, b = {0};

	checkpoint_write(&text, &c);
	buf_put(&b, text.p, text.n);
	buf_u8(&b, '\n');
	for (unsigned i = 0; i < 2; i++)
		if (logs >> i & 1)
			ok(&f->e, note_sign_line(&b, (const char *)text.p, text.n, &f->log[i], &f->e));
	for (unsigned i = 0; i < WITNESSES; i++)
		if (witnesses >> i & 1)
			ok(&f->e, note_cosign_line(&b, (const char *)text.p, text.n, &f->witness[i],
					  (struct wall){SECOND_US}, &f->e));
	enum status s = policy_verify(&f->policy, (const char *)b.p, b.n, &read, &f->e);
	if (s != STATUS_BAD) {
		assert_string_equal(read.origin, ORIGIN);
		assert_int_equal(read.size, 7);
	}
	buf_free(&text);
	buf_free(&b);
	return s;
}

/* ---- the example ---- */

static void example(void **state)
{
	struct fixture *f = *state;

	ok(&f->e, parse(f, "log $0\n\n"
			   "witness X1 @0\nwitness X2 @1\nwitness X3 @2\ngroup X-witnesses 2 X1 X2 X3\n\n"
			   "witness Y1 @3\nwitness Y2 @4\nwitness Y3 @5\ngroup Y-witnesses any Y1 Y2 Y3\n\n"
			   "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"));
	assert_int_equal(f->policy.n_log, 1);
	assert_int_equal(f->policy.n_member, 9);
	for (unsigned set = 0; set < 64; set++) {
		bool want = __builtin_popcount(set & 7) >= 2 && (set & 070);
		assert_int_equal(judge(f, 1, set), want ? STATUS_OK : STATUS_NO);
		if (!want)
			assert_non_null(
				strstr(f->e.text, "of the members of X-and-Y cosigned, 2 are needed"));
	}
	refused(&f->e, judge(f, 2, 63), STATUS_NO, "no log of the policy signed for the origin " ORIGIN);
	refused(&f->e, judge(f, 0, 0), STATUS_BAD, "no signature");
	refused(&f->e, judge(f, 2, 0), STATUS_NO, "not signed by any key");
}

static void one_witness(void **state)
{
	struct fixture *f = *state;

	ok(&f->e, parse(f, "witness a\x80\xff @3\nquorum a\x80\xff\nlog $1 https://log.example/ \nlog $0\n"));
	ok(&f->e, judge(f, 1, 8));
	refused(&f->e, judge(f, 1, 4), STATUS_NO, "the witness a?? did not cosign");
	/* the other log's word is no word for this origin */
	refused(&f->e, judge(f, 2, 8), STATUS_NO, "no log of the policy");
}

static void no_witness(void **state)
{
	struct fixture *f = *state;
	struct policy of_log;

	ok(&f->e, parse(f, "log $0\nquorum none\n"));
	policy_of_log(&of_log, &f->log[0].pub);
	assert_memory_equal(&of_log, &f->policy, sizeof(of_log));
	ok(&f->e, judge(f, 1, 0));
	ok(&f->e, judge(f, 3, 5));
	/* "Only the quorum is mandatory": the logs may be put in by who knows them */
	ok(&f->e, parse(f, "quorum none\n"));
	refused(&f->e, judge(f, 1, 0), STATUS_NO, "not signed by any key");
	f->policy.log[f->policy.n_log++] = f->log[0].pub;
	ok(&f->e, judge(f, 1, 0));
}

/* A witness that signed something else spoils the note, also where the quorum does not need it. */
static void bad_witness(void **state)
{
	struct fixture *f = *state;
	struct checkpoint c = {.origin = ORIGIN, .size = 7};
	struct buf text = {0}, b = {0};

	ok(&f->e, parse(f, "log $0\nwitness a @0\nquorum none\n"));
	checkpoint_write(&text, &c);
	ok(&f->e, note_sign(&b, (const char *)text.p, text.n, &f->log[0], &f->e));
	ok(&f->e, policy_verify(&f->policy, (const char *)b.p, b.n, &c, &f->e));
	ok(&f->e, note_cosign_line(&b, "a\n", 2, &f->witness[0], (struct wall){0}, &f->e));
	refused(&f->e, policy_verify(&f->policy, (const char *)b.p, b.n, &c, &f->e), STATUS_NO,
		"the signature of witness.example/0 is bad");
	b.n = 0;
	ok(&f->e, note_sign(&b, "no checkpoint\n", 14, &f->log[0], &f->e));
	refused(&f->e, policy_verify(&f->policy, (const char *)b.p, b.n, &c, &f->e), STATUS_BAD,
		"no checkpoint");
	buf_free(&text);
	buf_free(&b);
}

/* ---- what is no policy ---- */

static void good_lines(void **state)
{
	static const char *const texts[] = {
		"quorum none\n",
		"\t quorum \t none \t\n",
		"# a comment with \xff and log\n\t # another\n\n \t\nquorum none\n",
		"witness a @0\nquorum a\nwitness b @1\n",
		"witness a @0 https://w.example/#x\nquorum a\n",
		"witness any @0\nwitness all @1\nwitness 1 @2\ngroup 2 all any all 1\nquorum 2\n",
		"witness a @0\ngroup b 1 a\ngroup c any b\nquorum b\n",
		"log $0\nlog $1\nquorum none\n",
		"witness group @0\nquorum group\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ok(&f->e, parse(f, texts[i]));
}

static void bad_lines(void **state)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{"", "no quorum line"},
		{"log $0\n", "no quorum line"},
		{"quorum none", "line 1: it does not end"},
		{"quorum none\r\n", "line 1: there is a control character"},
		{"#\x01\nquorum none\n", "line 1: there is a control character"},
		{"#\x7f\nquorum none\n", "line 1: there is a control character"},
		{"\n\nquorums none\n", "line 3: it begins with none of"},
		{"Quorum none\n", "line 1: it begins with none of"},
		{"quorum\n", "line 1: a name is missing"},
		{"quorum none none\n", "line 1: there is something behind it"},
		{"quorum none # why\n", "line 1: there is something behind it"},
		{"quorum none\nquorum none\n", "line 2: there is more than one quorum"},
		{"quorum a\nwitness a @0\n", "line 1: the name was not defined"},
		{"log\n", "line 1: a verifier key is missing"},
		{"log x\n", "line 1: the verifier key is not valid"},
		{"log @0\n", "line 1: the verifier key is of another type"},
		{"log $0\nlog $0\n", "line 2: the log's key was there before"},
		{"log $0 url more\n", "line 1: there is something behind it"},
		{"witness\n", "line 1: a name is missing"},
		{"witness a\n", "line 1: a verifier key is missing"},
		{"witness a $0\n", "line 1: the verifier key is of another type"},
		{"witness none @0\n", "line 1: the name none"},
		{"witness a @0\nwitness a @1\n", "line 2: the name was there before"},
		{"witness a @0\nwitness b @0\n", "line 2: the witness's key was there before"},
		{"witness a @0 url more\n", "line 1: there is something behind it"},
		{"witness a @0\ngroup a any a\n", "line 2: the name was there before"},
		{"witness a @0\ngroup none any a\n", "line 2: the name none"},
		{"group g\n", "line 1: how many members it needs is missing"},
		{"group g any\n", "line 1: how many members it needs is not"},
		{"group g all\n", "line 1: how many members it needs is not"},
		{"group g any g\n", "line 1: a member was not defined"},
		{"group g any none\n", "line 1: a member was not defined"},
		{"witness a @0\ngroup g 0 a\n", "line 2: how many"},
		{"witness a @0\ngroup g 2 a\n", "line 2: how many"},
		{"witness a @0\ngroup g 01 a\n", "line 2: how many"},
		{"witness a @0\ngroup g 4294967297 a\n", "line 2: how many"},
		{"witness a @0\ngroup g some a\n", "line 2: how many"},
		{"witness a @0\ngroup g any a a\n", "line 2: a member is in a group already"},
		{"witness a @0\ngroup g any a\ngroup h any a\n", "line 3: a member is in a group already"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		refused(&f->e, parse(f, t[i].text), STATUS_BAD, t[i].says);
	refused(&f->e, policy_parse(&f->policy, "quorum none\n\0\n", 14, &f->e), STATUS_BAD,
		"line 2: there is a");
}

/* Keys are the same where the public key is, whatever name it has. */
static void same_key(void **state)
{
	struct fixture *f = *state;
	char text[SKEY_TEXT];
	struct skey k = f->witness[0];
	struct buf b = {0};

	/* the same secret under another name: its id is made by reading it back until it fits */
	(void)snprintf(k.pub.name, sizeof(k.pub.name), "other");
	for (;;) {
		struct skey read;
		(void)skey_text(text, &k);
		if (skey_parse(&read, text, &f->e) == STATUS_OK)
			break;
		/* SHA-256(name || 0x0A || type || key)[:4], computed here once more */
		uint8_t bytes[6 + 1 + 32] = "other\n", h[32];
		bytes[6] = KEY_COSIGN;
		memcpy(bytes + 7, k.pub.key, 32);
		assert_true(sha256(h, bytes, sizeof(bytes)));
		assert_memory_not_equal(k.pub.id, h, 4);
		memcpy(k.pub.id, h, 4);
	}
	(void)vkey_text(text, &k.pub);
	buf_put(&b, "witness a ", 10);
	buf_put(&b, f->vwitness[0], strlen(f->vwitness[0]));
	buf_put(&b, "\nwitness b ", 11);
	buf_put(&b, text, strlen(text));
	buf_put(&b, "\nquorum b\n", 10);
	refused(&f->e, policy_parse(&f->policy, (const char *)b.p, b.n, &f->e), STATUS_BAD,
		"line 2: the witness's key was there before");
	buf_free(&b);
}

/* As many as there is room for; one more is refused by name. */
static void limits(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0};

	for (unsigned i = 0; i <= POLICY_MEMBERS; i++) {
		struct skey k;
		char line[VKEY_TEXT + 32], text[VKEY_TEXT];
		ok(&f->e, skey_make(&k, &world_real, "w", KEY_COSIGN, &f->e));
		int n = snprintf(line, sizeof(line), "witness w%u %s\n", i, vkey_text(text, &k.pub));
		buf_put(&b, line, (size_t)n);
		size_t at = b.n;
		buf_put(&b, "quorum none\n", 12);
		enum status s = policy_parse(&f->policy, (const char *)b.p, b.n, &f->e);
		if (i < POLICY_MEMBERS)
			ok(&f->e, s);
		else
			refused(&f->e, s, STATUS_BAD, "line 65: there are too many witnesses and groups");
		b.n = at;
	}
	b.n = 0;
	buf_put(&b, "quorum ", 7);
	for (unsigned i = 0; i <= KEY_NAME_MAX; i++)
		buf_u8(&b, 'q');
	buf_u8(&b, '\n');
	refused(&f->e, policy_parse(&f->policy, (const char *)b.p, b.n, &f->e), STATUS_BAD,
		"line 1: a name is too long");
	buf_free(&b);
}

/* ---- random policies ---- */

/* A group's members as a list, as the test drew them; not as policy.c keeps them. */
struct drawn {
	unsigned n, need, member[WITNESSES];
	bool group, used;
};

static bool drawn_holds(const struct drawn *d, unsigned k, unsigned witnesses)
{
	unsigned have = 0;

	if (!d[k].group)
		return witnesses >> k & 1;
	for (unsigned i = 0; i < d[k].n; i++)
		have += drawn_holds(d, d[k].member[i], witnesses);
	return have >= d[k].need;
}

/* WITNESSES witnesses, and then groups of what no group has yet; returns how many there are. */
static unsigned policy_draw(struct fixture *f, struct drawn *d, struct buf *b)
{
	unsigned n = WITNESSES;
	char line[VKEY_TEXT + 32];

	for (unsigned i = 0; i < WITNESSES; i++)
		buf_put(b, line, (size_t)snprintf(line, sizeof(line), "witness m%u %s\n", i, f->vwitness[i]));
	for (unsigned g = 0; g < 5; g++) {
		struct drawn group = {.group = true};
		for (unsigned k = 0; k < n && group.n < WITNESSES; k++)
			if (!d[k].used && next_random(&f->seed) % 3 == 0) {
				d[k].used = true;
				group.member[group.n++] = k;
			}
		if (group.n == 0)
			continue;
		group.need = 1 + next_random(&f->seed) % group.n;
		buf_put(b, line, (size_t)snprintf(line, sizeof(line), "group m%u %u", n, group.need));
		for (unsigned k = 0; k < group.n; k++)
			buf_put(b, line, (size_t)snprintf(line, sizeof(line), " m%u", group.member[k]));
		buf_u8(b, '\n');
		d[n++] = group;
	}
	return n;
}

static void random_policies(void **state)
{
	struct fixture *f = *state;
	unsigned yes = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct drawn d[WITNESSES + 5] = {0};
		struct buf b = {0};
		char line[32];
		unsigned n = policy_draw(f, d, &b), quorum = n - 1;
		unsigned set = next_random(&f->seed) % (1U << WITNESSES);
		buf_put(&b, line, (size_t)snprintf(line, sizeof(line), "quorum m%u\n", quorum));
		buf_put(&b, "log ", 4);
		buf_put(&b, f->vlog[0], strlen(f->vlog[0]));
		buf_u8(&b, '\n');
		ok(&f->e, policy_parse(&f->policy, (const char *)b.p, b.n, &f->e));
		enum status s = judge(f, 1, set);
		assert_int_equal(s, drawn_holds(d, quorum, set) ? STATUS_OK : STATUS_NO);
		yes += s == STATUS_OK;
		buf_free(&b);
	}
	assert_true(yes > 20 && yes < 180);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example),
		cmocka_unit_test(one_witness),
		cmocka_unit_test(no_witness),
		cmocka_unit_test(bad_witness),
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(same_key),
		cmocka_unit_test(limits),
		cmocka_unit_test(random_policies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
