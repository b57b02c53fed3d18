/* The one function that says whether evidence is enough: a row for each kind of case. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "plan/sufficient.h"

static const struct alphas alphas = {{[WIDTH_RATE] = 1e-2, [WIDTH_HOST] = 1e-3, [WIDTH_WIDE] = 1e-5}};

/* Step 0 is as said; a link for each pair of numbers. */
struct row {
	const char *name;
	bool recorded, answered;
	struct {
		double e;
		uint64_t m;
		bool undecidable;
		enum link_reason why_not;
	} link[3];
	size_t n_link;
	enum width width;
	bool ok;
	double log10_e;      /* net */
	const char *missing; /* in it */
};

static const struct row rows[] = {
	{"a sighting, not recorded, rate", false, false, {{0}}, 0, WIDTH_RATE, false, 0, "not recorded"},
	{"a sighting, not recorded, host", false, false, {{0}}, 0, WIDTH_HOST, false, 0, "not recorded"},
	{"recorded, rate", true, false, {{0}}, 0, WIDTH_RATE, true, 0, ""},
	{"recorded one way, host", true, false, {{0}}, 0, WIDTH_HOST, false, 0, "forged"},
	{"recorded both ways, host", true, true, {{0}}, 0, WIDTH_HOST, true, 0, ""},
	{"recorded both ways, wide", true, true, {{0}}, 0, WIDTH_WIDE, false, 0, "an hour at most"},
	{"a link, enough for a host", true, true, {{3.5, 1, false}}, 1, WIDTH_HOST, true, 3.5, ""},
	{"the same, M eats it", true, true, {{3.5, 10, false}}, 1, WIDTH_HOST, false, 2.5, "or rate-limit"},
	{"the same, rate", true, true, {{3.5, 10, false}}, 1, WIDTH_RATE, true, 2.5, ""},
	{"too weak for all", true, true, {{1.7, 1, false}}, 1, WIDTH_HOST, false, 1.7,
		"log10 e - log10 M = 1.7, one host for an hour needs 3.0: record on"},
	{"exactly enough", true, true, {{3, 1, false}}, 1, WIDTH_HOST, true, 3, ""},
	{"wide", true, true, {{5.5, 2, false}}, 1, WIDTH_WIDE, true, 5.5 - 0.30103, ""},
	{"wide, not enough", true, true, {{5.2, 2, false}}, 1, WIDTH_WIDE, false, 5.2 - 0.30103, "needs 5.0"},
	{"undecidable, whatever its number", true, true, {{90, 1, true}}, 1, WIDTH_RATE, false, 90,
		"timing cannot tell"},
	{"withheld by the audit", true, true, {{90, 1, true, LINK_REASON_AUDIT}}, 1, WIDTH_RATE, false, 90,
		"weir audit"},
	{"withheld for a rival", true, true, {{90, 1, true, LINK_REASON_RIVAL}}, 1, WIDTH_RATE, false, 90,
		"another peer"},
	{"of many, not visibly this one", true, true, {{90, 1, true, LINK_REASON_MEMBER}}, 1, WIDTH_RATE,
		false, 90, "not visibly this one"},
	{"the weakest of three", true, true, {{9, 1, false}, {2, 1, false}, {70, 9, false}}, 3, WIDTH_HOST,
		false, 2, "203.0.113.2"},
	{"an undecidable one below", true, true, {{9, 1, false}, {50, 1, true}, {70, 9, false}}, 3,
		WIDTH_RATE, false, 50, "203.0.113.2"},
	{"M counts by link", true, true, {{9, 1, false}, {8, 1000000, false}, {4, 1, false}}, 3, WIDTH_HOST,
		false, 2, "203.0.113.2"},
	{"none searched is no charge", true, true, {{3, 0, false}}, 1, WIDTH_HOST, true, 3, ""},
	{"links stand where the sighting was not recorded", false, false, {{4, 1, false}}, 1, WIDTH_HOST,
		true, 4, ""},
};

static void path_of(struct path *p, const struct row *r)
{
	memset(p, 0, sizeof(*p));
	p->n_step = r->n_link + 1;
	for (size_t i = 0; i <= r->n_link; i++) {
		char end[ENDPOINT_TEXT];
		(void)snprintf(end, sizeof(end), "203.0.113.%zu:22", i);
		assert_true(endpoint_parse(&p->step[i].end[1], end));
		(void)snprintf(end, sizeof(end), "203.0.113.%zu:40000", i + 1);
		assert_true(endpoint_parse(&p->step[i].end[0], end));
		p->step[i].by = "";
	}
	p->step[0].recorded = r->recorded;
	p->step[0].answered = r->answered;
	for (size_t i = 0; i < r->n_link; i++) {
		p->step[i + 1].log10_e = r->link[i].e;
		p->step[i + 1].searched = r->link[i].m;
		p->step[i + 1].undecidable = r->link[i].undecidable;
		p->step[i + 1].why_not = r->link[i].why_not;
	}
}

static void test_table(void **state)
{
	struct path p;
	struct sufficiency s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		path_of(&p, r);
		sufficient(&s, &p, r->n_link, r->width, &alphas);
		if (s.ok != r->ok || !strstr(s.missing, r->missing) || fabs(s.log10_e - r->log10_e) > 1e-6)
			fail_msg("%s: %d %.3f \"%s\"", r->name, s.ok, s.log10_e, s.missing);
		assert_true(s.ok == (s.missing[0] == '\0'));
		assert_true(r->n_link == 0 ? s.needed == 0
					   : fabs(s.needed + log10(alphas.alpha[r->width])) < 1e-12);
	}
}

/* A chain is never better than a shorter piece of it, a wider action never easier than a narrower one. */
static void test_order(void **state)
{
	struct row r = {.recorded = true, .answered = true, .n_link = 3};
	struct path p;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		bool ok[4][WIDTHS];
		for (size_t k = 0; k < 3; k++) {
			r.link[k].e = (double)kit_rnd(9000) / 1000 - 1;
			r.link[k].m = kit_rnd(2) ? 1 : kit_rnd(500);
			r.link[k].undecidable = kit_rnd(20) == 0;
		}
		path_of(&p, &r);
		for (size_t k = 0; k < 4; k++)
			for (enum width w = WIDTH_RATE; w <= WIDTH_WIDE; w++) {
				struct sufficiency s;
				sufficient(&s, &p, k, w, &alphas);
				ok[k][w] = s.ok;
				assert_true(w == 0 || !ok[k][w] || ok[k][w - 1]);
				assert_true(k < 2 || !ok[k][w] || ok[k - 1][w]);
			}
	}
}

static void test_beyond(void **state)
{
	struct path p;
	struct sufficiency s;
	struct prefix net;

	(void)state;
	path_of(&p, &rows[6]);
	sufficient(&s, &p, 2, WIDTH_RATE, &alphas);
	assert_false(s.ok);
	p.step[1].hidden = 25;
	p.step[1].by = "example.com/foo";
	sufficient(&s, &p, 1, WIDTH_RATE, &alphas);
	assert_false(s.ok);
	assert_non_null(strstr(s.missing, "not disclosed by example.com/foo"));
	p.step[1].hidden = 0;
	p.step[1].recorded = true;
	sufficient(&s, &p, 1, WIDTH_RATE, &alphas);
	assert_true(s.ok); /* the attack itself passed here */
	p.step[0].recorded = false;
	sufficient(&s, &p, 1, WIDTH_RATE, &alphas);
	assert_false(s.ok);
	assert_non_null(strstr(s.missing, "the word of example.com/foo alone"));
	p.step[1].recorded = false;
	sufficient(&s, &p, 1, WIDTH_RATE, &alphas);
	assert_true(s.ok); /* there, where he answers for it */
	assert_true(prefix_parse(&net, "203.0.113.0/28"));
	sufficient_prefix(&s, &net, 15, &alphas);
	assert_false(s.ok);
	assert_non_null(strstr(s.missing, "15 of the 16 hosts"));
	sufficient_prefix(&s, &net, 16, &alphas);
	assert_true(s.ok);
	assert_true(prefix_parse(&net, "2001:db8::/48"));
	sufficient_prefix(&s, &net, 65535, &alphas);
	assert_false(s.ok);
	sufficient_prefix(&s, &net, 65536, &alphas);
	assert_true(s.ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_order), cmocka_unit_test(test_beyond)};

	kit_seed("sufficient");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
