/* The STIX view of a bundle: what stands in it, what must not, what is refused, and memory that runs out.
 * That it is STIX is held against others' schemas and identifiers by the script stix-schema. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "ask/stix_id.h"
#include "stix_kit.h"

struct fixture {
	struct kit kit[KIT_VIEWS];
	struct buf b;
	struct err e;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (f)
		kit_views(f->kit);
	return f ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	buf_free(&f->b);
	free(f);
	return 0;
}

static struct kit *kit(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < KIT_VIEWS; i++)
		if (strcmp(f->kit[i].name, name) == 0)
			return &f->kit[i];
	fail_msg("no view %s", name);
	return NULL;
}

/* The text in f->b. */
static const char *written(struct fixture *f, const struct stix_view *v)
{
	f->b.n = 0;
	if (stix_write(&f->b, v, &f->e) != STATUS_OK)
		fail_msg("%s", f->e.text);
	buf_u8(&f->b, 0);
	return (const char *)f->b.p;
}

static json_t *parsed(struct fixture *f, const struct stix_view *v)
{
	json_t *j = json_loads(written(f, v), JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(j);
	return j;
}

/* The i-th object of a type; NULL: there are no more. */
static const json_t *object(const json_t *view, const char *type, size_t i)
{
	size_t k;
	const json_t *o;

	json_array_foreach(json_object_get(view, "objects"), k,
		o) if (strcmp(json_string_value(json_object_get(o, "type")), type) == 0 && i-- == 0) return o;
	return NULL;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	if (!s)
		fail_msg("no %s", key);
	return s;
}

/* Addresses of section 2.9 of the specification and of a manual of another implementation. */
static void ids_as_published(void **state)
{
	static const struct {
		const char *value, *id;
	} known[] = {{"198.51.100.3", "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
		{"177.60.40.7", "ipv4-addr--dc63603e-e634-5357-b239-d4b562bc5445"}};
	char id[STIX_ID];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		json_t *p = json_pack("{s:s}", "value", known[i].value);
		assert_true(stix_id_observable(id, "ipv4-addr", p));
		assert_string_equal(id, known[i].id);
		json_decref(p);
	}
}

static void each_view_has_its_objects(void **state)
{
	static const struct {
		const char *view, *type;
		size_t n;
	} expected[] = {
		{"request-trace", "ipv4-addr", 3},
		{"request-trace", "network-traffic", 2},
		{"request-trace", "observed-data", 2},
		{"request-trace", "relationship", 2}, /* the link, and based-on */
		{"request-trace", "note", 1},         /* the attack */
		{"request-trace", "indicator", 1},
		{"request-trace", "course-of-action", 0},
		{"request-trace", "opinion", 0},
		{"request-block", "ipv6-addr", 2},
		{"request-block", "network-traffic", 2}, /* of three claims */
		{"request-block", "note", 3},
		{"request-block", "relationship", 3}, /* two based-on, one mitigates */
		{"request-block", "course-of-action", 1},
		{"request-everybody", "marking-definition", 0},
		{"request-everybody", "indicator", 1},
		{"request-empty", "indicator", 0},
		{"request-empty", "course-of-action", 0},
		{"request-empty", "grouping", 1},
		{"answer-accepted", "relationship", 1},
		{"answer-accepted", "note", 5},
		{"answer-accepted", "network-traffic", 3},
		{"answer-accepted", "indicator", 0},
		{"answer-accepted", "opinion", 1},
		{"answer-accepted", "sighting", 0},
		{"answer-doubted", "sighting", 1},
		{"answer-doubted", "opinion", 1},
		{"answer-refused", "sighting", 0},
		{"answer-refused", "identity", 1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		json_t *j = parsed(f, &kit(f, expected[i].view)->view);
		size_t n = 0;
		while (object(j, expected[i].type, n))
			n++;
		if (n != expected[i].n)
			fail_msg("%s: %zu %s", expected[i].view, n, expected[i].type);
		json_decref(j);
	}
}

static void an_answer_speaks_of_its_request(void **state)
{
	static const char *const opinions[][2] = {
		{"answer-accepted", "agree"}, {"answer-doubted", "disagree"}, {"answer-refused", "neutral"}};
	struct fixture *f = *state;
	json_t *request = parsed(f, &kit(f, "request-trace")->view);

	for (size_t i = 0; i < 3; i++) {
		json_t *j = parsed(f, &kit(f, opinions[i][0])->view);
		const json_t *o = object(j, "opinion", 0), *about = json_object_get(o, "object_refs");
		assert_string_equal(text(o, "opinion"), opinions[i][1]);
		assert_int_equal(json_array_size(about), 1);
		assert_string_equal(json_string_value(json_array_get(about, 0)),
			text(object(request, "grouping", 0), "id"));
		json_decref(j);
	}
	json_t *j = parsed(f, &kit(f, "answer-doubted")->view);
	const json_t *s = object(j, "sighting", 0);
	assert_int_equal(json_integer_value(json_object_get(s, "count")), 0);
	assert_true(json_is_integer(json_object_get(s, "count")));
	assert_string_equal(text(s, "sighting_of_ref"), text(object(request, "indicator", 0), "id"));
	assert_string_equal(text(object(j, "opinion", 0), "explanation"), "not in our records of that hour");
	json_decref(j);
	json_decref(request);
}

/* 95 where the sender's own threshold was met, and nothing else ever. */
static void confidence_is_earned(void **state)
{
	static const struct {
		const char *verdict;
		double log10_e, alpha;
		bool link, confidence;
	} row[] = {
		{"proven", 31.25, 1e-6, true, true},
		{"proven", 8.301, 0.05, true, true},
		{"proven", 8.301, 0.051, true, false},
		{"proven", 8.3, 1e-6, false, false}, /* its own numbers contradict it */
		{"insufficient", 31.25, 1e-6, false, false},
		{"undecidable", 31.25, 1e-6, false, false},
		{NULL, 31.25, 1e-6, false, false},
	};
	struct fixture *f = *state;
	struct kit *k = kit(f, "request-trace");
	struct stix_claim *c = &k->claim[1];

	for (size_t i = 0; i <= sizeof(row) / sizeof(row[0]); i++) {
		bool last = i == sizeof(row) / sizeof(row[0]);
		c->verdict = last ? "proven" : row[i].verdict;
		c->log10_e = last ? (double)NAN : row[i].log10_e;
		c->alpha = last ? 1e-6 : row[i].alpha;
		json_t *j = parsed(f, &k->view);
		const json_t *o = object(j, "relationship", 0);
		bool link = strcmp(text(o, "relationship_type"), "related-to") == 0;
		assert_int_equal(link, !last && row[i].link);
		assert_int_equal(json_object_get(o, "confidence") != NULL, !last && row[i].confidence);
		assert_null(object(j, "note", link ? 1 : 2));
		if (!link)
			assert_non_null(strstr(text(object(j, "note", 1), "content"), "Whether"));
		json_decref(j);
	}
}

/* The numbers stand in plain words. */
static void a_link_tells_its_numbers(void **state)
{
	struct fixture *f = *state;
	json_t *j = parsed(f, &kit(f, "request-trace")->view);
	const char *said = text(object(j, "relationship", 0), "description");

	assert_non_null(strstr(said, "host 198.51.100.7"));
	assert_non_null(strstr(said, "log10 e = 31.25 against 8.301 needed (alpha 1e-06, 200 pairs"));
	json_decref(j);
}

/* A claim's unused members, an address of no family, one of which no bit is told, and a port of 0 must leave
 * no trace. */
static void what_is_not_disclosed_is_absent(void **state)
{
	struct fixture *f = *state;
	struct kit *k = kit(f, "answer-accepted");
	const struct ip secret = ip_v4((const uint8_t[4]){203, 0, 113, 99});

	for (size_t i = 1; i < 4; i++) {
		k->flow[i].port[0] = 0;
		if (k->flow[i].end[0].ip.v == 0)
			memcpy(k->flow[i].end[0].ip.b, secret.b, sizeof(secret.b));
	}
	k->flow[0].end[0] = kit_net("0.0.0.0/0");
	memcpy(k->claim[2].relay.ip.b, secret.b, sizeof(secret.b));
	k->flow[1].packets[0] = k->flow[1].packets[1] = 0;
	k->flow[1].bytes[0] = k->flow[1].bytes[1] = 0;
	const char *all = written(f, &k->view);
	assert_null(strstr(all, "203.0.113"));
	assert_null(strstr(all, "0.0.0.0"));
	assert_null(strstr(all, "_port\": 0"));
	json_t *j = json_loads(all, 0, NULL);
	const json_t *network = object(j, "network-traffic", 0);
	assert_null(json_object_get(network, "src_port"));
	assert_null(json_object_get(network, "src_packets"));
	assert_null(json_object_get(network, "dst_byte_count"));
	assert_int_equal(json_integer_value(json_object_get(network, "dst_port")), 443);
	assert_string_equal(text(object(j, "ipv4-addr", 0), "value"), "175.45.176.0/22");
	network = object(j, "network-traffic", 2);
	assert_null(json_object_get(network, "src_ref"));
	assert_non_null(json_object_get(network, "dst_ref"));
	json_decref(j);
}

/* Every IPv4 address of the text is one that the view's claims hold. */
static void no_address_but_the_claims(void **state)
{
	static const char *const held[] = {"198.51.100.7", "192.0.2.10", "203.0.113.5"};
	struct fixture *f = *state;
	const char *s = written(f, &kit(f, "request-trace")->view);

	for (size_t n; *s; s += n + (s[n] != '\0')) {
		unsigned a[4];
		n = strcspn(s, " '\"");
		bool known = false;
		for (size_t i = 0; i < 3; i++)
			known = known || (n >= strlen(held[i]) && strncmp(s, held[i], strlen(held[i])) == 0);
		if (sscanf(s, "%3u.%3u.%3u.%3u", &a[0], &a[1], &a[2], &a[3]) == 4 && !known)
			fail_msg("%.40s", s);
	}
}

static void same_view_same_bytes(void **state)
{
	struct fixture *f = *state;
	static struct kit again[KIT_VIEWS];

	kit_views(again);
	for (size_t i = 0; i < KIT_VIEWS; i++) {
		char *first = strdup(written(f, &f->kit[i].view));
		assert_non_null(first);
		assert_string_equal(first, written(f, &again[i].view));
		assert_int_equal(first[strlen(first) - 1], '\n');
		free(first);
	}
}

/* Another bundle of the same claims shares observables and the identity, and no other object. */
static void bundles_do_not_overwrite_each_other(void **state)
{
	struct fixture *f = *state;
	struct kit *k = kit(f, "request-block");
	json_t *a = parsed(f, &k->view), *known = json_object();
	size_t i;
	const json_t *o;

	json_array_foreach(json_object_get(a, "objects"), i, o)
		assert_int_equal(json_object_set_new(known, text(o, "id"), json_true()), 0);
	k->view.bundle = kit_id("another");
	json_t *b = parsed(f, &k->view);
	json_array_foreach(json_object_get(b, "objects"), i, o)
	{
		bool same = json_object_get(known, text(o, "id")) != NULL;
		bool versioned = json_object_get(o, "modified") && strcmp(text(o, "type"), "identity") != 0;
		assert_int_equal(same, !versioned);
	}
	json_decref(a);
	json_decref(b);
	json_decref(known);
}

/* Printable ASCII only, and it comes back as it was. */
static void hostile_text_is_text(void **state)
{
	struct fixture *f = *state;
	struct kit *k = kit(f, "answer-hostile");

	for (const char *s = written(f, &k->view); *s; s++)
		assert_true(*s == '\n' || (*s >= ' ' && *s <= '~'));
	json_t *j = parsed(f, &k->view);
	assert_string_equal(text(object(j, "opinion", 0), "explanation"), KIT_HOSTILE);
	assert_non_null(strstr(text(object(j, "note", 0), "content"), KIT_HOSTILE));
	json_decref(j);
}

#define MEMBER(m) offsetof(struct kit, m)

/* One member of request-trace that cannot stand. */
static const struct {
	size_t member;
	const char *text;
} bad_text[] = {
	{MEMBER(view.from), "two words"},
	{MEMBER(view.to), "\xff"},
	{MEMBER(view.to), ""},
	{MEMBER(view.why), "\xc0\xaf"}, /* overlong */
	{MEMBER(view.why), "a\x1b]0;x\x07"},
	{MEMBER(view.why), "two\nlines"},
	{MEMBER(view.ask), "destroy"},
	{MEMBER(view.ask), NULL},
	{MEMBER(claim[0].kind), "rumour"},
	{MEMBER(claim[0].kind), "search"}, /* does not travel */
	{MEMBER(claim[0].kind), NULL},
	{MEMBER(claim[1].verdict), "\xed\xa0\x80"},       /* a surrogate */
	{MEMBER(claim[1].verdict), "\xe2\x80\xaenevorp"}, /* written from the right */
	{MEMBER(flow[1].proto), "tcp\""},
	{MEMBER(flow[1].proto), ""},
	{MEMBER(flow[1].proto), NULL},
};

static const struct {
	size_t member;
	int64_t us;
} bad_time[] = {
	{MEMBER(view.not_after), 0},
	{MEMBER(view.not_after), INT64_MAX},
	{MEMBER(view.made), INT64_MIN},
	{MEMBER(claim[1].made), INT64_MAX},
	{MEMBER(flow[1].first), INT64_MIN},
	{MEMBER(flow[1].last), INT64_MAX},
	{MEMBER(flow[1].last), 0},
};

static const struct {
	size_t member;
	uint8_t bits;
} bad_length[] = {
	{MEMBER(claim[1].relay.len), 24},
	{MEMBER(flow[1].end[0].len), 8},
	{MEMBER(flow[1].end[1].len), 33},
};

static struct kit *fresh(struct fixture *f)
{
	kit_views(f->kit);
	return kit(f, "request-trace");
}

/* Refused, and what stood in the buffer is left. */
static void refused(struct fixture *f, const struct kit *k, const char *what, size_t i)
{
	f->b.n = 0;
	buf_u8(&f->b, 'x');
	if (stix_write(&f->b, &k->view, &f->e) != STATUS_BAD || f->b.n != 1)
		fail_msg("%s %zu was taken", what, i);
}

static void what_cannot_stand_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad_text) / sizeof(bad_text[0]); i++) {
		struct kit *k = fresh(f);
		memcpy((char *)k + bad_text[i].member, &bad_text[i].text, sizeof(bad_text[i].text));
		refused(f, k, "text", i);
	}
	for (size_t i = 0; i < sizeof(bad_time) / sizeof(bad_time[0]); i++) {
		struct kit *k = fresh(f);
		memcpy((char *)k + bad_time[i].member, &bad_time[i].us, sizeof(int64_t));
		refused(f, k, "time", i);
	}
	for (size_t i = 0; i < sizeof(bad_length) / sizeof(bad_length[0]); i++) {
		struct kit *k = fresh(f);
		memcpy((char *)k + bad_length[i].member, &bad_length[i].bits, 1);
		refused(f, k, "length", i);
	}
	struct kit *k = fresh(f);
	k->view.answer = true; /* with no verdict */
	refused(f, k, "answer", 0);
}

/* An integer that a double cannot hold is left out; a flow of one moment and the ends of time are fine. */
static void limits(void **state)
{
	struct fixture *f = *state;
	struct kit *k = kit(f, "request-trace");
	struct stix_flow *flow = &k->flow[0];

	flow->bytes[0] = UINT64_MAX;
	flow->bytes[1] = (UINT64_C(1) << 53) - 1;
	flow->first = flow->last = kit_time("9999-12-31T23:59:59.999999Z");
	json_t *j = parsed(f, &k->view);
	const json_t *t = object(j, "network-traffic", 0);
	assert_null(json_object_get(t, "src_byte_count"));
	assert_int_equal(json_integer_value(json_object_get(t, "dst_byte_count")), INT64_C(9007199254740991));
	assert_string_equal(text(t, "end"), "9999-12-31T23:59:59.999999Z");
	json_decref(j);
}

/* 0: no allocation fails; n: the n-th from now does. */
static unsigned until_failure;

static void *failing_malloc(size_t n)
{
	return until_failure && --until_failure == 0 ? NULL : malloc(n);
}

/* Whichever allocation of a view's JSON fails, that is said, and nothing is appended or lost. */
static void memory_runs_out(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < KIT_VIEWS; i++) {
		enum status s = STATUS_MACHINE;
		unsigned n = 0, left = 0;
		json_set_alloc_funcs(failing_malloc, free);
		while (s == STATUS_MACHINE && n < 100000) {
			f->b.n = 0;
			until_failure = ++n;
			s = stix_write(&f->b, &f->kit[i].view, &f->e);
			left = until_failure;
			assert_true(s == STATUS_OK || f->b.n == 0);
		}
		until_failure = 0;
		json_set_alloc_funcs(malloc, free);
		assert_int_equal(s, STATUS_OK);
		if (left == 0)
			fail_msg("%s: that allocation %u failed was overlooked", f->kit[i].name, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_as_published),
		cmocka_unit_test_setup_teardown(each_view_has_its_objects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_speaks_of_its_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(confidence_is_earned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_link_tells_its_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_disclosed_is_absent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_address_but_the_claims, set_up, tear_down),
		cmocka_unit_test_setup_teardown(same_view_same_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bundles_do_not_overwrite_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_text_is_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_stand_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_runs_out, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("stix", tests, NULL, NULL);
}
