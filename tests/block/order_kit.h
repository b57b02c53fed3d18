/* A directory with keys, a case, plans and orders that stand in its ledger. */
#ifndef WEIR_TESTS_BLOCK_ORDER_KIT_H
#define WEIR_TESTS_BLOCK_ORDER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask/register.h"
#include "block/enforcer.h"
#include "block/keep.h"

#define KIT_HOUR_US (INT64_C(3600) * SECOND_US)

struct desk {
	char dir[64];
	struct place p;
	struct config cfg;
	struct id case_id;
};

static struct err err;

#define ok(call)                                                                                             \
	do {                                                                                                 \
		if ((call) != STATUS_OK)                                                                     \
			fail_msg("%s", err.text);                                                            \
	} while (0)

static inline struct wall kit_now(void)
{
	return world_real.now(NULL);
}

static inline void desk_open(struct desk *d, const char *conf)
{
	struct sighting s = {
		.source = "operator", .proto = PROTO_TCP, .at = kit_now(), .text = "t", .count = 1};

	memset(d, 0, sizeof(*d));
	(void)snprintf(d->dir, sizeof(d->dir), "%s/weir-block-XXXXXX",
		getenv("WEIR_TEST_DIR")         ? getenv("WEIR_TEST_DIR")
		: access("/dev/shm", W_OK) == 0 ? "/dev/shm"
						: "/tmp");
	assert_non_null(mkdtemp(d->dir));
	d->p = (struct place){.w = &world_real, .dir = d->dir};
	ok(config_parse(&d->cfg, "test", conf, strlen(conf), &err));
	ok(keys_init(&world_real, d->dir, "block.example", &err));
	ok(case_db_open(&d->p.db, &world_real, d->dir, &err));
	assert_true(
		endpoint_parse(&s.end[0], "203.0.113.10:4000") && endpoint_parse(&s.end[1], "192.0.2.1:22"));
	ok(case_open(d->p.db, "t", &s, 1, &d->case_id, &err));
}

static inline void desk_close(struct desk *d)
{
	char command[128];

	case_db_close(d->p.db);
	config_free(&d->cfg);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", d->dir);
	assert_int_equal(system(command), 0); /* NOLINT: a name of ours */
}

/* "drop from 203.0.113.N/32 to any any any" */
static inline struct rule kit_host(uint32_t n)
{
	struct rule r;

	assert_true(rule_parse(&r, "drop from 100.64.0.0/32 to any any any"));
	r.from.ip.b[1] = (uint8_t)(64 + (n >> 16));
	r.from.ip.b[2] = (uint8_t)(n >> 8);
	r.from.ip.b[3] = (uint8_t)n;
	return r;
}

static inline struct rule kit_rule(const char *text)
{
	struct rule r;

	if (!rule_parse(&r, text))
		fail_msg("%s", text);
	return r;
}

/* A plan of one option, these rules here for an hour. */
static inline struct plan_row desk_plan(struct desk *d, const struct rule *r, size_t n)
{
	struct action *action = calloc(n, sizeof(*action));
	struct option o = {.k = 1,
		.marked = true,
		.action = action,
		.n_action = n,
		.stops = 1,
		.cost_us = "",
		.cost_partner = "",
		.cost_bystanders = "",
		.missing = "",
		.for_us = KIT_HOUR_US,
		.sufficient = true};
	static int serial;
	struct plan p = {.case_id = d->case_id,
		.made = {kit_now().us + serial++},
		.ends = "",
		.cases = 1,
		.exact = true,
		.option = &o,
		.n_option = 1};
	struct plan_row row;
	struct id id;

	assert_non_null(action);
	for (size_t i = 0; i < n; i++)
		action[i] = (struct action){r[i], ""};
	ok(plan_store(d->p.w, d->dir, d->p.db, &p, &id, &err));
	ok(plan_row_last(d->p.db, &d->case_id, &row, &err));
	assert_int_equal(id_order(&row.id, &id), 0);
	free(action);
	return row;
}

static inline struct id desk_order_of(struct desk *d, const struct plan_row *row, const struct rule *r,
	size_t n, int64_t for_us, bool waits)
{
	static int serial;
	struct order o = {.case_id = d->case_id,
		.option = 1,
		.made = {kit_now().us - serial++},
		.override_why = "",
		.by = {"test", ""},
		.rule = r,
		.n_rule = n};
	struct id id;

	memcpy(o.plan, row->blob, sizeof(o.plan));
	o.expires.us = o.made.us + for_us;
	ok(order_store(d->p.w, d->dir, d->p.db, &o, row, waits, &id, &err));
	return id;
}

/* Plan and order of these rules, logged. */
static inline struct id desk_order(struct desk *d, const struct rule *r, size_t n, int64_t for_us)
{
	struct plan_row row = desk_plan(d, r, n);
	struct id id = desk_order_of(d, &row, r, n, for_us, false);

	ok(register_flush(&d->p, &err));
	return id;
}

static inline void desk_undo(struct desk *d, const struct id *id)
{
	struct arena a = {0};
	struct order_row row;
	char text[ID_TEXT];

	ok(order_row_read(d->p.db, id_text(text, id), &a, &row, &err));
	ok(order_undo(d->p.w, d->p.db, &row, "test", "", &err));
	ok(register_flush(&d->p, &err));
	arena_free(&a);
}

#endif
