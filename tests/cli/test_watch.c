/* What `weir watch` makes of alerts while the recording grows, by a clock that the test moves: when it looks
 * again for a flow that is not recorded yet, when it plans again, and what it says of what it only proposes.
 * The lines are its JSON. */
#include "../plan/plan_kit.h"

#include "cli/watch.h"

#define ATTACKER "203.0.113.10"
#define LOOK                                                                                                 \
	(SECOND_US / 10) /* a flow that is missing is looked for again after so long at most, at first       \
			  */
#define FAR (600 * SECOND_US)

struct desk {
	struct scene s;
	struct world world;     /* the real one but for its clock, which the test moves */
	int64_t us, opening_us; /* opening a file takes so long */
	int64_t tick_us;        /* and asking for the time */
	unsigned opened;        /* files */
	struct app app;
	struct watch w;
	char *said;
	size_t n_said;
	json_t *line; /* those that were read */
};

static struct wall desk_now(void *self)
{
	return (struct wall){T0 + MINUTE + ((struct desk *)self)->us};
}

static struct mono desk_mono(void *self)
{
	struct desk *d = self;

	d->us += d->tick_us;
	return (struct mono){d->us};
}

static int desk_open(void *self, const char *path, int flags, mode_t mode)
{
	struct desk *d = self;

	d->us += d->opening_us;
	d->opened++;
	return world_real.open(world_real.self, path, flags, mode);
}

static void desk_open_at(struct desk *d, const char *conf)
{
	struct err e = {0};

	memset(d, 0, sizeof(*d));
	scene_open(&d->s, conf);
	d->us = 1000 * SECOND_US;
	d->world = world_real;
	d->world.self = d;
	d->world.now = desk_now;
	d->world.mono = desk_mono;
	d->world.open = desk_open;
	d->app = (struct app){.w = &d->world, .dir = d->s.dir, .json = true, .cfg = d->s.cfg};
	d->app.out = open_memstream(&d->said, &d->n_said);
	d->w = (struct watch){.app = &d->app, .kind = &sensor_eve, .path = "eve.json"};
	d->w.p = (struct place){.w = &d->world, .dir = d->s.dir, .db = d->s.db};
	d->w.concern = calloc(WATCH_CASES, sizeof(*d->w.concern));
	d->w.hunt = calloc(WATCH_HUNTS, sizeof(*d->w.hunt));
	d->line = json_array();
	assert_true(d->app.out && d->w.concern && d->w.hunt && d->line);
	assert_int_equal(recall_open(&d->w.recall, &d->app.cfg, &e), STATUS_OK);
	assert_int_equal(recall_read(d->w.recall, d->s.db, &e), STATUS_OK);
}

static void desk_close(struct desk *d)
{
	recall_close(d->w.recall);
	free(d->w.concern);
	free(d->w.hunt);
	(void)fclose(d->app.out);
	free(d->said);
	json_decref(d->line);
	if (d->s.w)
		scene_sealed(&d->s);
	scene_close(&d->s);
}

/* An alert of a flow at T0. */
static void alert(struct desk *d, const char *flow)
{
	struct batch_alert a = {.sure = true, .s = {.source = "eve", .at = {T0}, .text = "test", .count = 1}};
	struct batch b = {.alert = &a, .n = 1, .foreign = ""};
	struct err e = {0};

	assert_true(flow_parse(&a.s.proto, a.s.end, flow));
	assert_int_equal(watch_take(&d->w, &b, &e), STATUS_OK);
}

/* What a turn of the loop does but for the sensor's file; its lines are read. */
static void turn(struct desk *d)
{
	struct err e = {0};
	enum status s = watch_hunt(&d->w, &e);

	if (s == STATUS_OK)
		s = watch_act(&d->w, &e);
	if (s != STATUS_OK)
		fail_msg("%s", e.text);
	json_array_clear(d->line);
	(void)fflush(d->app.out);
	for (char *at = d->said; at < d->said + d->n_said; at = strchr(at, '\n') + 1)
		assert_int_equal(
			json_array_append_new(d->line, json_loads(at, JSON_DISABLE_EOF_CHECK, NULL)), 0);
	rewind(d->app.out);
}

/* The turn's only line of this event; NULL: none. */
static json_t *line(const struct desk *d, const char *event)
{
	json_t *found = NULL, *l;
	size_t i;

	json_array_foreach(d->line, i, l) if (strcmp(json_text(l, "event"), event) == 0)
	{
		assert_null(found);
		found = l;
	}
	return found;
}

static bool says(const json_t *l, const char *key, const char *words)
{
	assert_non_null(l);
	return strstr(json_text(l, key), words) != NULL;
}

static void recorded(struct desk *d, const char *flow)
{
	scene_talk(&d->s, flow, T0 - SECOND_US / 2);
}

/* ---- a flow that is recorded after its alert ---- */

/* The sensor was quicker than the recorder: the flow is looked for again soon, and what is then known is
 * planned with at once. */
static void test_recorded_late(void **state)
{
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"propose\"\n");
	alert(&d, ATTACK);
	turn(&d);
	assert_true(says(line(&d, "traced"), "text", "not in this recording yet"));
	assert_true(json_is_false(json_object_get(line(&d, "proposed"), "sufficient")));
	recorded(&d, ATTACK);
	scene_sealed(&d.s);
	int64_t wait = watch_wait_us(&d.w, FAR);
	assert_in_range(wait, 1, LOOK);
	d.us += wait;
	turn(&d);
	assert_true(says(line(&d, "traced"), "text", "no hop proven yet"));
	assert_true(json_is_true(json_object_get(line(&d, "proposed"), "sufficient")));
	desk_close(&d);
}

/* The recorder wrote the flow's first packets down when the alert came, and its payload a moment later: who
 * answered whom is planned with at once. */
static void test_answered_late(void **state)
{
	struct scene_flow f = {.flow = ATTACK,
		.from = T0 - SECOND_US / 2,
		.us = SECOND_US,
		.packets = {10, 10},
		.mute = true};
	struct err e = {0};
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"propose\"\n");
	scene_flow_put(&d.s, &f);
	scene_sealed(&d.s);
	alert(&d, ATTACK);
	turn(&d);
	assert_true(says(line(&d, "traced"), "text", "no hop proven yet"));
	assert_true(says(line(&d, "proposed"), "missing", "two-way connection"));
	assert_int_equal(store_writer_open(&d.s.w, &world_real, d.s.dir, &e), STATUS_OK);
	d.s.isn--; /* the same flow */
	f.mute = false;
	scene_flow_put(&d.s, &f);
	scene_sealed(&d.s);
	int64_t wait = watch_wait_us(&d.w, FAR);
	assert_in_range(wait, 1, LOOK);
	d.us += wait;
	turn(&d);
	assert_true(json_is_true(json_object_get(line(&d, "proposed"), "sufficient")));
	assert_in_range(watch_wait_us(&d.w, FAR), SECOND_US / 2, 2 * SECOND_US); /* no more haste */
	desk_close(&d);
}

/* However long the pause is after many plans: one that knew nothing of the flow delays none. */
static void test_pause_of_a_blind_plan(void **state)
{
	static const char *const other[] = {"tcp 203.0.113.10:40001 > 192.0.2.10:22",
		"tcp 203.0.113.10:40002 > 192.0.2.10:22", "tcp 203.0.113.10:40003 > 192.0.2.10:22",
		"tcp 203.0.113.10:40004 > 192.0.2.10:22", "tcp 203.0.113.10:40005 > 192.0.2.10:22"};
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"propose\"\n");
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		alert(&d, other[i]);
		d.us += 3 * SECOND_US / 2;
		turn(&d);
	}
	alert(&d, ATTACK);
	d.us += 3 * SECOND_US / 2;
	turn(&d);
	struct concern *c = watch_concern(&d.w, &d.w.hunt[0].case_id);
	assert_true(!c->due && c->next.us > d.us + 20 * SECOND_US);
	recorded(&d, ATTACK);
	scene_sealed(&d.s);
	int64_t begun = d.us;
	do {
		d.us += watch_wait_us(&d.w, FAR);
		turn(&d);
		assert_true(d.us <= begun + 3 * SECOND_US);
	} while (!line(&d, "traced"));
	assert_true(json_is_true(json_object_get(line(&d, "proposed"), "sufficient")));
	desk_close(&d);
}

/* ---- bounds ---- */

/* How often it looks within so long. */
static unsigned looks(struct desk *d, int64_t us)
{
	int64_t until = d->us + us;
	unsigned n = 0;

	for (;; n++) {
		int64_t wait = watch_wait_us(&d->w, FAR);
		if (d->us + wait > until)
			return n;
		d->us += wait;
		turn(d);
	}
}

/* A flow that is never recorded: looks are rare soon, as if it were there. */
static void test_never_recorded(void **state)
{
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"notify\"\n");
	alert(&d, ATTACK);
	assert_in_range(looks(&d, 2 * SECOND_US), 4, 7);
	assert_in_range(looks(&d, MINUTE), 10, 45);
	assert_in_range(looks(&d, 10 * MINUTE), 10, 300);
	desk_close(&d);
}

/* Of 100 that are never recorded and come each at a time of its own: looks of several come together, and the
 * more seldom the longer one takes. */
static void test_many_never_recorded(void **state)
{
	static const struct {
		int64_t opening_us;
		unsigned most;
	} table[] = {{0, 20}, {SECOND_US / 100, 10}, {SECOND_US / 20, 3}};

	(void)state;
	for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
		struct desk d;
		desk_open_at(&d, "on_alert = \"notify\"\n");
		recorded(&d, "tcp 198.51.100.9:1 > 192.0.2.10:22");
		scene_sealed(&d.s);
		for (int i = 0; i < 100; i++) {
			struct sighting s = {.source = "eve", .at = {T0}, .text = "test", .count = 1};
			char flow[FLOW_TEXT];
			(void)snprintf(flow, sizeof(flow), "tcp 203.0.113.10:%d > 192.0.2.10:22", 40000 + i);
			assert_true(flow_parse(&s.proto, s.end, flow));
			d.us += 1700;
			hunt_add(&d.w, &(struct id){{1}}, &s);
			turn(&d);
		}
		d.opening_us = table[k].opening_us;
		(void)looks(&d, SECOND_US / 10); /* until it knows how long one takes */
		assert_in_range(looks(&d, SECOND_US), 1, table[k].most + 1);
		desk_close(&d);
	}
}

/* A flow of a minute ago that is recorded, and that nobody answered. */
static void unanswered(struct desk *d, int port)
{
	struct sighting s = {.source = "eve", .at = {T0}, .text = "test", .count = 1};
	char flow[FLOW_TEXT];

	(void)snprintf(flow, sizeof(flow), "tcp 203.0.113.10:%d > 192.0.2.10:22", port);
	assert_true(flow_parse(&s.proto, s.end, flow));
	scene_flow_put(
		&d->s, &(struct scene_flow){
			       .flow = flow, .from = T0, .us = SECOND_US, .packets = {10, 10}, .mute = true});
	hunt_add(&d->w, &(struct id){{1}}, &s);
}

/* As many flows as are traced at once, nobody of whom answers, while the recording grows all the time: they
 * share its readings, and looking again takes a tenth of the time, though each is traced at a time of its own
 * within a reading.  A new one is looked at at once all the same. */
static void test_many_share_readings(void **state)
{
	struct desk d;
	unsigned rounds = 0;
	int64_t looked = 0, longest = 0;

	(void)state;
	desk_open_at(&d, "on_alert = \"notify\"\n");
	for (int i = 0; i < WATCH_HUNTS - 1; i++) {
		unanswered(&d, 40000 + i);
		d.us += 1700;
	}
	unanswered(&d, 50000);
	d.w.n_hunt--; /* it comes later */
	scene_sealed(&d.s);
	d.tick_us = 60;
	d.opening_us = SECOND_US / 50;
	turn(&d);
	struct hunt late = d.w.hunt[WATCH_HUNTS - 1];
	for (int64_t begun = d.us; d.us < begun + MINUTE && rounds < 1000; rounds++) {
		d.us += watch_wait_us(&d.w, FAR);
		for (size_t i = 0; i < d.w.n_hunt; i++)
			d.w.hunt[i].bytes = 0; /* as if more were recorded since */
		int64_t before = d.us;
		unsigned opened = d.opened;
		turn(&d);
		assert_true(d.opened > opened);
		looked += d.us - before;
		longest = d.us - before > longest ? d.us - before : longest;
	}
	print_message("%u readings, %.1f s in all, the longest %.3f s\n", rounds, (double)looked / SECOND_US,
		(double)longest / SECOND_US);
	assert_true(longest >= 60000);
	assert_in_range(rounds, 5, 60);
	assert_true(looked <= MINUTE / 10 + 2 * longest);
	d.w.hunt[d.w.n_hunt++] = late;
	d.w.hunt[d.w.n_hunt - 1].next.us = d.us;
	assert_int_equal(watch_wait_us(&d.w, FAR), 0);
	desk_close(&d);
}

/* Flows that are found late make only so many plans at once, of one case and of all; beyond that one a
 * second, as an alert does. */
static void test_plans_are_bounded(void **state)
{
	struct desk d;
	unsigned at_once = 0, of_first = 0;

	(void)state;
	desk_open_at(&d, "on_alert = \"notify\"\n");
	for (int i = 0; i < 2000; i++) {
		struct concern *c = watch_concern(&d.w, &(struct id){{(uint8_t)(1 + i % 20)}});
		c->next.us = d.us + MINUTE; /* a plan was made just now */
		act_soon(&d.w, c);
		assert_true(c->due && c->next.us <= d.us + SECOND_US);
		at_once += c->next.us == d.us;
		of_first += c->next.us == d.us && i % 20 == 0;
		d.us += MINUTE / 2000;
	}
	assert_int_equal(at_once, WATCH_SOON);
	assert_in_range(of_first, 1, WATCH_SOON_CASE);
	/* one case alone */
	d.us += 2 * MINUTE;
	struct concern *c = watch_concern(&d.w, &(struct id){{1}});
	for (at_once = 0;
		at_once < 100 && (c->next.us = d.us + MINUTE, act_soon(&d.w, c), c->next.us == d.us);)
		at_once++;
	assert_int_equal(at_once, WATCH_SOON_CASE);
	/* what the common bound refuses costs the case nothing */
	d.us += 2 * MINUTE;
	d.w.soon = (struct minute){.since = {d.us}, .n = WATCH_SOON};
	c->soon = (struct minute){{0}, 0};
	c->next.us = d.us + MINUTE;
	act_soon(&d.w, c);
	assert_int_equal(c->next.us, d.us + SECOND_US);
	assert_int_equal(c->soon.n, 0);
	desk_close(&d);
}

/* ---- why it is only proposed ---- */

struct reason {
	const char *conf;  /* besides on_alert; nothing of it may reach a kernel, so watch_blocks is 0 */
	const char *other; /* flow of a bystander, NULL: none */
	const char *why;   /* "": there is none, and watch would give it */
};

/* The policy would let watch block; the option suffices, and is only proposed: the line says why. */
static void test_why_proposed(void **state)
{
	static const struct reason table[] = {
		{"on_alert = \"block\"\nwatch_blocks = 0\n", "tcp 203.0.113.10:41000 > 192.0.2.10:22",
			"it hits 1 flow of bystanders, and watch_budget is 0"},
		{"on_alert = \"block\"\nwatch_blocks = 0\nown_networks = {\"192.0.2.0/24\", "
		 "\"203.0.113.0/24\"}\n",
			NULL, "it cuts off 203.0.113.10, one of the own hosts"},
		{"on_alert = \"block\"\nwatch_blocks = 0\nwatch_budget = 1\n",
			"tcp 203.0.113.10:41000 > 192.0.2.10:22", ""},
		{"on_alert = \"propose\"\n", "tcp 203.0.113.10:41000 > 192.0.2.10:22", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct desk d;
		desk_open_at(&d, table[i].conf);
		recorded(&d, ATTACK);
		if (table[i].other)
			recorded(&d, table[i].other);
		scene_sealed(&d.s);
		alert(&d, ATTACK);
		turn(&d);
		if (table[i].why && !*table[i].why) {
			assert_null(line(&d, "proposed"));
			assert_true(says(line(&d, "refused"), "text", "watch_blocks is 0"));
		} else if (table[i].why) {
			assert_true(json_is_true(json_object_get(line(&d, "proposed"), "sufficient")));
			assert_true(says(line(&d, "proposed"), "text", table[i].why));
			assert_true(says(line(&d, "proposed"), "not_by_itself", table[i].why + 3));
		} else {
			assert_false(says(line(&d, "proposed"), "text", "by itself"));
			assert_string_equal(json_text(line(&d, "proposed"), "not_by_itself"), "");
		}
		desk_close(&d);
	}
}

/* Each reason alone, and which is told first. */
static void test_reasons(void **state)
{
	static const struct {
		bool sufficient;
		uint32_t needs;
		uint64_t flows;
		const char *rule, *place, *why;
	} table[] = {{true, 0, 0, "drop from 203.0.113.10/32 to any any any", "", ""},
		{false, 1, 9, "drop from 203.0.113.0/24 to any any any", "", "is not sufficient"},
		{true, 1, 9, "drop from 203.0.113.10/32 to any any any", "", "needs the help of others"},
		{true, 0, 0, "drop from 203.0.113.10/32 to any any any", "203.0.113.0/24",
			"needs the help of others"},
		{true, 0, 9, "drop from 203.0.113.0/24 to any any any", "",
			"hits 9 flows of bystanders, and watch_budget is 0"},
		{true, 0, 0, "drop from 203.0.113.0/24 to any any any", "",
			"is wider than one host a rule: 203.0.113.0/24"},
		{true, 0, 0, "drop from 2001:db8::/63 to any any any", "",
			"is wider than one host a rule: 2001:db8::/63"},
		{true, 0, 0, "drop from 192.0.2.7/32 to any any any", "",
			"cuts off 192.0.2.7, one of the own hosts"}};
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"block\"\nown_networks = {\"192.0.2.0/24\"}\n");
	scene_sealed(&d.s);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct action a[2] = {{.place = ""}, {.place = table[i].place}};
		struct option o = {.sufficient = table[i].sufficient,
			.n_needs = table[i].needs,
			.action = a,
			.n_action = 2};
		char why[400];
		o.hit.flows = table[i].flows;
		assert_true(rule_parse(&a[0].rule, table[0].rule)); /* the second one counts too */
		assert_true(rule_parse(&a[1].rule, table[i].rule));
		assert_string_equal(not_by_itself(why, sizeof(why), &d.w, &o), table[i].why);
	}
	desk_close(&d);
}

/* Somebody blocked the attacker: the plan's marked option is in force. */
static void blocked_by_hand(struct desk *d, const char *rule)
{
	struct plan_row row;
	struct rule r;
	struct order o = {.option = 1,
		.made = {T0 - 10 * SECOND_US},
		.expires = {T0 + HOUR},
		.override_why = "",
		.by = {"test", ""},
		.rule = &r,
		.n_rule = 1};
	struct id id;
	struct err e = {0};

	assert_true(rule_parse(&r, rule));
	o.case_id = d->w.hunt[0].case_id;
	assert_int_equal(plan_row_last(d->s.db, &o.case_id, &row, &e), STATUS_OK);
	memcpy(o.plan, row.blob, sizeof(o.plan));
	assert_int_equal(order_store(&d->world, d->s.dir, d->s.db, &o, &row, false, &id, &e), STATUS_OK);
}

/* The attack is back though what the plan marks is in force: another option is a person's to give. */
static void test_not_the_marked_one(void **state)
{
	static const char other[] = "tcp 203.0.113.10:40001 > 192.0.2.10:22";
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"block\"\nwatch_blocks = 0\nown_networks = {\"192.0.2.0/24\"}\n");
	recorded(&d, ATTACK);
	recorded(&d, other);
	scene_sealed(&d.s);
	alert(&d, ATTACK);
	turn(&d);
	blocked_by_hand(&d, "drop from " ATTACKER "/32 to any any any");
	alert(&d, other);
	d.us += 2 * SECOND_US;
	turn(&d);
	assert_non_null(line(&d, "returned"));
	assert_true(json_is_true(json_object_get(line(&d, "proposed"), "sufficient")));
	assert_string_equal(
		json_text(line(&d, "proposed"), "not_by_itself"), "is not the one that the plan marks");
	desk_close(&d);
}

static bool same_figures(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"option", "stops", "collateral", "sufficient", "missing"};
	bool same = true;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		same = same && json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i]));
	return same;
}

/* Another option is news though it has the number and the figures of the one before. */
static void test_other_rules_are_news(void **state)
{
	struct desk d;

	(void)state;
	desk_open_at(&d, "on_alert = \"propose\"\n");
	recorded(&d, ATTACK);
	recorded(&d, "tcp 203.0.113.10:40001 > 192.0.2.10:80");
	scene_sealed(&d.s);
	alert(&d, ATTACK);
	turn(&d);
	assert_true(says(line(&d, "proposed"), "text", "drop from " ATTACKER "/32 to 192.0.2.10/32 tcp 22"));
	json_t *first = json_incref(line(&d, "proposed"));
	alert(&d, "tcp 203.0.113.10:40001 > 192.0.2.10:80");
	d.us += 2 * SECOND_US;
	turn(&d);
	assert_true(says(line(&d, "proposed"), "text", "drop from " ATTACKER "/32 to any any any"));
	assert_true(same_figures(first, line(&d, "proposed")));
	json_decref(first);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_late),
		cmocka_unit_test(test_answered_late),
		cmocka_unit_test(test_pause_of_a_blind_plan),
		cmocka_unit_test(test_never_recorded),
		cmocka_unit_test(test_many_never_recorded),
		cmocka_unit_test(test_many_share_readings),
		cmocka_unit_test(test_plans_are_bounded),
		cmocka_unit_test(test_why_proposed),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_not_the_marked_one),
		cmocka_unit_test(test_other_rules_are_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
