/* A member of an aggregate: what is proven of all counts for it only where its own bursts stand by the
 * in-leg's; a machine without memory is said to be one; and times that are none change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/search.h"

#define T0     INT64_C(1795000000000000)
#define N      20 /* bursts of the in-leg and of all members together, one by one */
#define WILD   24 /* bursts whose times are no times, more than the others */
#define EACH   2  /* every so many-th of them is the member's */
#define LAG_US 20000

static int left = -1; /* allocations until one fails; -1: none does */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return left >= 0 && left-- == 0 ? NULL : __real_calloc(n, size);
}

struct scene {
	struct flow in, all, one;
	struct burst b[3][2][N + WILD];
	struct ip host;
	struct candidate c;
};

static int64_t at(int i)
{
	return T0 + i * 3 * SECOND_US + (i % 7) * 100000;
}

static void flow_make(struct flow *f, struct burst b[2][N + WILD], const char *from, const char *to)
{
	*f = (struct flow){.burst = {b[0], b[1]}};
	assert_true(endpoint_parse(&f->head.end[0], from));
	assert_true(endpoint_parse(&f->head.end[1], to));
}

static void burst_add(struct flow *f, int d, int64_t t)
{
	f->burst[d][f->n_burst[d]++] = (struct burst){.start_us = t, .packets = 1, .bytes = 40};
}

/* wild: bursts at the end of all times before the others, in every leg but the member's.  shift: of the
 * member's bursts against those that it should have. */
static void scene_make(struct scene *s, bool wild, int64_t shift)
{
	memset(s, 0, sizeof(*s));
	flow_make(&s->in, s->b[0], "198.51.100.7:4000", "192.0.2.10:22");
	flow_make(&s->all, s->b[1], "192.0.2.10:5000", "203.0.113.10:22");
	flow_make(&s->one, s->b[2], "192.0.2.10:5001", "203.0.113.10:22");
	assert_true(ip_parse(&s->host, "192.0.2.10"));
	for (int i = 0; wild && i < WILD; i++)
		for (int d = 0; d < 2; d++) {
			burst_add(&s->in, d, INT64_MIN + i);
			if (i == 0)
				burst_add(&s->all, d, INT64_MIN);
		}
	for (int i = 0; i < N; i++) {
		burst_add(&s->in, 0, at(i));
		burst_add(&s->all, 0, at(i) + LAG_US);
		burst_add(&s->all, 1, at(i) + 5 * LAG_US);
		burst_add(&s->in, 1, at(i) + 6 * LAG_US);
		if (i % EACH)
			continue;
		burst_add(&s->one, 0, at(i) + LAG_US + shift);
		burst_add(&s->one, 1, at(i) + 5 * LAG_US + shift);
	}
	s->c.pair = (struct relink){.in = &s->in, .out = &s->all};
	s->c.link.verdict = LINK_PROVEN;
}

static void settle(struct scene *s, enum status status, enum link_verdict verdict)
{
	struct err e = {0};

	assert_int_equal(member_settle(&s->c, &s->one, &s->host, &e), status);
	assert_int_equal(s->c.link.verdict, verdict);
	assert_int_equal(s->c.link.reason, verdict == LINK_PROVEN ? LINK_REASON_NONE : LINK_REASON_MEMBER);
}

static void a_member_takes_part_and_a_stranger_does_not(void **state)
{
	struct scene s;

	(void)state;
	scene_make(&s, false, 0);
	settle(&s, STATUS_OK, LINK_PROVEN);
	scene_make(&s, false, SECOND_US);
	settle(&s, STATUS_OK, LINK_UNDECIDABLE);
}

static void without_memory_nothing_is_ruled(void **state)
{
	struct scene s;

	(void)state;
	for (int fail = 0; fail < 2; fail++) { /* one a direction */
		scene_make(&s, false, 0);
		left = fail;
		settle(&s, STATUS_MACHINE, LINK_PROVEN);
		assert_int_equal(left, -1);
	}
	settle(&s, STATUS_OK, LINK_PROVEN);
}

static void times_that_are_none_are_no_copies(void **state)
{
	struct scene s;

	(void)state;
	scene_make(&s, true, 0);
	settle(&s, STATUS_OK, LINK_PROVEN);
	scene_make(&s, true, SECOND_US);
	settle(&s, STATUS_OK, LINK_UNDECIDABLE);
}

static void bursts_in_no_order_are_ruled_on_without_overflow(void **state)
{
	static const int64_t WILDEST[] = {INT64_MAX, INT64_MIN, 0, INT64_MAX - 1, INT64_MIN + 1, -1};
	struct scene s;

	(void)state;
	for (size_t leg = 0; leg < 3; leg++) {
		scene_make(&s, false, 0);
		struct flow *f = leg == 0 ? &s.in : leg == 1 ? &s.all : &s.one;
		for (size_t i = 0; i < f->n_burst[0]; i++)
			for (int d = 0; d < 2; d++)
				f->burst[d][i].start_us = WILDEST[(i + leg) % 6];
		settle(&s, STATUS_OK, LINK_UNDECIDABLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_takes_part_and_a_stranger_does_not),
		cmocka_unit_test(without_memory_nothing_is_ruled),
		cmocka_unit_test(times_that_are_none_are_no_copies),
		cmocka_unit_test(bursts_in_no_order_are_ruled_on_without_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
