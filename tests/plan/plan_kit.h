/* What the tests of plans share: a data directory that they fill themselves, or from a run of lab/set. */
#ifndef WEIR_TESTS_PLAN_KIT_H
#define WEIR_TESTS_PLAN_KIT_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plan/make.h"
#include "record/record.h"

#define T0     INT64_C(1795000000000000)
#define MINUTE (60 * SECOND_US)
#define HOUR   (60 * MINUTE)

struct scene {
	char dir[64];
	struct config cfg;
	struct store_writer *w;
	struct case_db *db;
	struct arena arena;
	uint32_t isn;
};

static inline void scene_open(struct scene *s, const char *conf)
{
	struct err e = {0};

	memset(s, 0, sizeof(*s));
	strcpy(s->dir, "/tmp/weir-test-plan-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(config_parse(&s->cfg, "test", conf, strlen(conf), &e), STATUS_OK);
	assert_int_equal(store_prepare(&world_real, s->dir, &e), STATUS_OK);
	assert_int_equal(store_writer_open(&s->w, &world_real, s->dir, &e), STATUS_OK);
	assert_int_equal(case_db_open(&s->db, &world_real, s->dir, &e), STATUS_OK);
}

static inline void scene_sealed(struct scene *s)
{
	struct err e = {0};

	assert_int_equal(store_writer_close(s->w, &e), STATUS_OK);
	s->w = NULL;
}

static inline void scene_close(struct scene *s)
{
	char cmd[128];

	case_db_close(s->db);
	config_free(&s->cfg);
	arena_free(&s->arena);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", s->dir);
	assert_int_equal(system(cmd), 0);
}

static inline void scene_cover(struct scene *s, const char *point, int64_t from, int64_t to)
{
	struct err e = {0};
	struct coverage c = {.point = point, .span = {from, to}};

	assert_int_equal(store_cover(s->w, &c, &e), STATUS_OK);
}

/* One flow: packets of each direction, spread over its time, with payload where answered. */
struct scene_flow {
	const char *point; /* NULL: "edge" */
	const char *flow;  /* notation, as opened */
	int64_t from, us;
	uint32_t packets[2];
	bool mute;    /* the responder sends no payload */
	bool assumed; /* no SYN was seen */
};

static inline void scene_flow_put(struct scene *s, const struct scene_flow *f)
{
	struct chunk c = {.head = {.point = f->point ? f->point : "edge",
				  .flags = f->assumed ? FLOW_ASSUMED : FLOW_SYN | FLOW_SYNACK,
				  .source = {.kind = SOURCE_PACKETS,
					  .resolution_us = 1,
					  .sampling = 1,
					  .gap_us = BURST_GAP_RECORDED_US}}};
	struct burst burst[2] = {{f->from, (uint32_t)f->us, f->packets[0], f->packets[0] * 36},
		{f->from, (uint32_t)f->us, f->packets[1], f->packets[1] * 36}};
	struct err e = {0};

	assert_true(flow_parse(&c.head.proto, c.head.end, f->flow));
	c.head.isn[0] = ++s->isn;
	c.head.first_us = f->from;
	assert_true(flow_make_id(&c.head));
	for (int d = 0; d < 2; d++) {
		bool speaks = f->packets[d] && !(d == 1 && f->mute);
		c.burst[d] = &burst[d];
		c.n_burst[d] = speaks;
		c.count[d] = (struct flow_count){f->packets[d], f->packets[d] * 100,
			speaks ? f->packets[d] * 36 : 0, f->packets[d] ? f->from : 0,
			f->packets[d] ? f->from + f->us : -1};
	}
	assert_int_equal(store_append(s->w, &c, &e), STATUS_OK);
}

/* A flow of 10 packets each way in a second. */
static inline void scene_talk(struct scene *s, const char *flow, int64_t from)
{
	scene_flow_put(
		s, &(struct scene_flow){.flow = flow, .from = from, .us = SECOND_US, .packets = {10, 10}});
}

/* A case of these flows, as an operator (or a sensor) saw them at `at`. */
static inline void scene_case(
	struct scene *s, const char *source, const char *const *flow, size_t n, int64_t at, char id[ID_TEXT])
{
	struct sighting *g = calloc(n, sizeof(*g));
	struct id of;
	struct err e = {0};

	assert_non_null(g);
	for (size_t i = 0; i < n; i++) {
		g[i] = (struct sighting){.source = source, .at = {at}, .text = "test", .count = 1};
		assert_true(flow_parse(&g[i].proto, g[i].end, flow[i]));
	}
	assert_int_equal(case_open(s->db, "test", g, n, &of, &e), STATUS_OK);
	free(g);
	(void)id_text(id, &of);
}

/* A run of lab/set: its captures recorded, a point each, and a case of its alerts. */
static inline void scene_lab(struct scene *s, const char *run, char id[ID_TEXT])
{
	char path[PATH_MAX], point[64];
	struct err e = {0};
	struct sighting *g;
	struct id of;
	size_t n;
	uint64_t skipped = 0;

	(void)snprintf(path, sizeof(path), "%s/lab/set/%s", getenv("WEIR_SOURCE"), run);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *f = readdir(d); f; f = readdir(d)) {
		const char *dot = strchr(f->d_name, '.');
		struct record_param p = {.dir = s->dir, .point = point};
		struct record_sum sum = {0};
		if (!dot || strncmp(dot, ".pcap", 5) != 0)
			continue;
		(void)snprintf(point, sizeof(point), "%.*s", (int)(dot - f->d_name), f->d_name);
		(void)snprintf(path, sizeof(path), "%s/lab/set/%s/%s", getenv("WEIR_SOURCE"), run, f->d_name);
		assert_int_equal(record_file(&world_real, &p, path, &sum, &e), STATUS_OK);
	}
	(void)closedir(d);
	(void)snprintf(path, sizeof(path), "%s/lab/set/%s/eve.json", getenv("WEIR_SOURCE"), run);
	assert_int_equal(eve_read(path, &s->arena, &g, &n, &skipped, &e), STATUS_OK);
	assert_int_equal(case_open(s->db, run, g, n, &of, &e), STATUS_OK);
	(void)id_text(id, &of);
}

static inline struct plan_param scene_param(struct scene *s)
{
	return (struct plan_param){
		.w = &world_real, .dir = s->dir, .cfg = &s->cfg, .db = s->db, .budget = -1};
}

/* The plan, and its canonical text taken and given back. */
static inline enum status scene_plan(
	struct scene *s, struct plan_param *p, const char *id, struct plan *to, struct err *e)
{
	enum status st = tracer_open(&p->tracer, &world_real, s->dir, &s->cfg, s->cfg.alpha, e);
	struct buf text = {0};
	struct plan back;

	assert_int_equal(st, STATUS_OK);
	st = plan_make(to, p, id, &s->arena, e);
	tracer_close(p->tracer);
	if (st != STATUS_OK)
		return st;
	plan_write(&text, to);
	assert_false(text.failed);
	assert_int_equal(plan_read(&back, text.p, text.n, &s->arena, e), STATUS_OK);
	if (getenv("WEIR_SHOW"))
		(void)fprintf(stderr, "%.*s\n", (int)text.n, (const char *)text.p);
	buf_free(&text);
	return st;
}

#define ATTACK "tcp 203.0.113.10:40000 > 192.0.2.10:22"

static inline enum status plan_of(struct scene *s, const char *id, struct plan *to, struct err *e)
{
	struct plan_param q = scene_param(s);

	return scene_plan(s, &q, id, to, e);
}

static inline struct plan plan_good(struct scene *s, const char *id)
{
	struct plan p;
	struct err e = {0};
	enum status st = plan_of(s, id, &p, &e);

	if (st != STATUS_OK)
		fail_msg("%s", e.text);
	return p;
}

/* A scene of one attack, recorded. */
static inline struct plan simple(struct scene *s, const char *conf, char id[ID_TEXT])
{
	static const char *const attack[] = {ATTACK};

	scene_open(s, conf);
	scene_talk(s, ATTACK, T0);
	scene_sealed(s);
	scene_case(s, "operator", attack, 1, T0, id);
	return plan_good(s, id);
}

static inline const struct option *marked(const struct plan *p)
{
	const struct option *m = NULL;

	for (size_t i = 0; i < p->n_option; i++) {
		assert_true(!p->option[i].marked || !m);
		m = p->option[i].marked ? &p->option[i] : m;
	}
	assert_non_null(m);
	return m;
}

static inline bool has_rule(const struct option *o, const char *rule, const char *place)
{
	char text[RULE_TEXT];

	for (size_t i = 0; i < o->n_action; i++)
		if (strcmp(rule_text(text, &o->action[i].rule), rule) == 0 &&
			strcmp(o->action[i].place, place) == 0)
			return true;
	return false;
}

/* The option of just this action; NULL: none. */
static inline const struct option *only(const struct plan *p, const char *rule, const char *place)
{
	for (size_t i = 0; i < p->n_option; i++)
		if (p->option[i].n_action == 1 && has_rule(&p->option[i], rule, place))
			return &p->option[i];
	return NULL;
}

#endif
