/* A plan's text: every field travels, one plan has one text and no other is taken.  The text is compared with
 * a slow second writer's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "plan/plan.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- made plans ---- */

static const char *const texts[] = {"", "x", " ", "nobody: one flow, of 3 h ago", "a at b",
	"caf\xc3\xa9 \xe2\x80\x94 \xf0\x9f\x98\x80", "recorded nothing", "end"};
static const char *const lines[] = {"203.0.113.0/24", "a partner", "b at c", "caf\xc3\xa9", "d"}; /* sorted */

static const char *random_text(void)
{
	return texts[kit_rnd(N_OF(texts))];
}

static uint64_t random_count(void)
{
	return kit_rnd(2) ? kit_rnd(1000) : kit_rnd((uint64_t)INT64_MAX);
}

static double random_real(double least, double most)
{
	static const double hard[] = {0, 0.1, 1.0 / 3, 5e-324, 1 - 1e-16, 1e22, 123456789.123456789};
	double v = kit_rnd(2) ? hard[kit_rnd(N_OF(hard))]
			      : ((double)kit_rnd(1U << 30) / 1e9) * pow(10, (double)kit_rnd(9));

	v = kit_rnd(2) && least < 0 ? -v : v;
	return v < least ? least : v > most ? most : v;
}

static struct wall random_time(void)
{
	return (struct wall){(int64_t)kit_rnd(UINT64_C(7258118400000001))};
}

static void random_id(struct id *to)
{
	for (size_t i = 0; i < sizeof(to->b); i++)
		to->b[i] = (uint8_t)kit_rnd(256);
}

static struct rule random_rule(void)
{
	struct rule r = {.from = {{4, {203, 0, 113, (uint8_t)kit_rnd(256)}}, 32},
		.to = {{4, {192, 0, 2, 0}}, 24},
		.proto = PROTO_TCP,
		.port = (uint16_t)kit_rnd(65536)};

	if (kit_rnd(3) == 0)
		r.to = r.from = (struct prefix){{6, {0x20, 1, 0x0d, 0xb8, (uint8_t)kit_rnd(256)}}, 64};
	if (kit_rnd(3) == 0) {
		r.action = RULE_RATE;
		r.rate = 1 + (uint32_t)kit_rnd(RULE_RATE_MAX);
	}
	return r;
}

static const char **random_list(struct arena *a, size_t *n, size_t max)
{
	const char **list = arena_array(a, max, sizeof(*list));

	assert_non_null(list);
	*n = 0;
	for (size_t i = 0; i < max; i++)
		if (kit_rnd(2))
			list[(*n)++] = lines[i];
	return list;
}

static void random_option(struct option *o, uint32_t k, struct arena *a)
{
	*o = (struct option){.k = k,
		.stops = random_real(0, 1),
		.stops_all = random_real(0, 1),
		.stops_bytes = random_real(0, 1),
		.hit = {random_count(), random_count(), random_count(), random_count(),
			(enum shared)kit_rnd(3)},
		.collateral = random_count(),
		.cost_us = random_text(),
		.cost_partner = random_text(),
		.cost_bystanders = random_text(),
		.for_us = random_time().us,
		.sufficient = kit_rnd(2),
		.log10_e = random_real(-HUGE_VAL, HUGE_VAL),
		.needed = random_real(-HUGE_VAL, HUGE_VAL)};
	o->missing = o->sufficient ? "" : random_text();
	o->needs = random_list(a, &o->n_needs, N_OF(lines));
	o->way = random_list(a, &o->n_way, N_OF(lines));
	o->n_action = kit_rnd(5);
	o->action = arena_array(a, o->n_action, sizeof(*o->action));
	assert_non_null(o->action);
	for (size_t i = 0; i < o->n_action; i++)
		o->action[i] = (struct action){random_rule(), kit_rnd(2) ? "" : lines[kit_rnd(N_OF(lines))]};
}

static void random_plan(struct plan *p, struct arena *a)
{
	*p = (struct plan){.made = random_time(),
		.ends = random_text(),
		.cases = (uint32_t)kit_rnd(UINT32_MAX),
		.attacks = random_count(),
		.attacks_all = random_count(),
		.window_us = random_time().us,
		.from = random_time(),
		.to = random_time(),
		.exact = kit_rnd(2),
		.gap = random_real(0, HUGE_VAL),
		.n_option = kit_rnd(5)};
	random_id(&p->case_id);
	random_id(&p->evidence);
	p->option = arena_array(a, p->n_option, sizeof(*p->option));
	assert_non_null(p->option);
	for (size_t i = 0; i < p->n_option; i++)
		random_option(&p->option[i], (uint32_t)i + 1, a);
	if (p->n_option)
		p->option[kit_rnd(p->n_option)].marked = kit_rnd(2);
}

/* ---- the slow second writer ---- */

static void slow_real(FILE *f, const char *key, double v)
{
	char text[64];

	v = v < 0 || v > 0 ? v : 0; /* -0 is 0 */
	for (int digits = 17; digits > 0; digits--) {
		char shorter[64];
		(void)snprintf(shorter, sizeof(shorter), "%.*g", digits, v);
		if (strtod(shorter, NULL) == v)
			strcpy(text, shorter);
	}
	(void)fprintf(f, "%s %s\n", key, text);
}

static void slow_text(FILE *f, const char *key, const char *s)
{
	(void)fprintf(f, *s ? "%s %s\n" : "%s%s\n", key, s);
}

static void slow_id(FILE *f, const char *key, const struct id *id)
{
	(void)fprintf(f, "%s ", key);
	for (size_t i = 0; i < sizeof(id->b); i++)
		(void)fprintf(f, "%02x", id->b[i]);
	(void)fprintf(f, "\n");
}

static void slow_time(FILE *f, const char *key, struct wall t)
{
	char text[WALL_TEXT];

	(void)fprintf(f, "%s %s\n", key, wall_text(text, t));
}

static void slow_number(FILE *f, const char *key, uint64_t v)
{
	(void)fprintf(f, "%s %llu\n", key, (unsigned long long)v);
}

static void slow_option(FILE *f, const struct option *o)
{
	static const char *const shared[] = {"no", "yes", "unknown"};
	char rule[RULE_TEXT];

	slow_number(f, "option", o->k);
	slow_text(f, "marked", o->marked ? "yes" : "no");
	slow_real(f, "stops", o->stops);
	slow_real(f, "stops-all", o->stops_all);
	slow_real(f, "stops-bytes", o->stops_bytes);
	slow_number(f, "hit-flows", o->hit.flows);
	slow_number(f, "hit-peers", o->hit.peers);
	slow_number(f, "hit-bytes", o->hit.bytes);
	slow_number(f, "hit-own", o->hit.own);
	slow_text(f, "shared", shared[o->hit.shared]);
	slow_number(f, "collateral", o->collateral);
	slow_text(f, "cost-us", o->cost_us);
	slow_text(f, "cost-partner", o->cost_partner);
	slow_text(f, "cost-bystanders", o->cost_bystanders);
	slow_number(f, "for", (uint64_t)o->for_us);
	slow_text(f, "sufficient", o->sufficient ? "yes" : "no");
	slow_text(f, "missing", o->missing);
	slow_real(f, "log10-e", o->log10_e);
	slow_real(f, "needed", o->needed);
	slow_number(f, "needs", o->n_needs);
	for (size_t i = 0; i < o->n_needs; i++)
		slow_text(f, "need", o->needs[i]);
	slow_number(f, "ways", o->n_way);
	for (size_t i = 0; i < o->n_way; i++)
		slow_text(f, "way", o->way[i]);
	slow_number(f, "actions", o->n_action);
	for (size_t i = 0; i < o->n_action; i++)
		(void)fprintf(f, "action %s%s%s\n", rule_text(rule, &o->action[i].rule),
			*o->action[i].place ? " at " : "", o->action[i].place);
}

/* Freed by the caller. */
static char *slow_plan(const struct plan *p, size_t *n)
{
	char *text;
	FILE *f = open_memstream(&text, n);

	assert_non_null(f);
	(void)fprintf(f, "weir-plan/v1\n");
	slow_id(f, "case", &p->case_id);
	slow_time(f, "made", p->made);
	slow_id(f, "evidence", &p->evidence);
	slow_text(f, "ends", p->ends);
	slow_number(f, "cases", p->cases);
	slow_number(f, "attacks", p->attacks);
	slow_number(f, "attacks-all", p->attacks_all);
	slow_number(f, "window", (uint64_t)p->window_us);
	if (p->from.us <= p->to.us) {
		slow_time(f, "from", p->from);
		slow_time(f, "to", p->to);
	} else {
		(void)fprintf(f, "recorded nothing\n");
	}
	slow_text(f, "exact", p->exact ? "yes" : "no");
	slow_real(f, "gap", p->gap);
	slow_number(f, "options", p->n_option);
	for (size_t i = 0; i < p->n_option; i++)
		slow_option(f, &p->option[i]);
	(void)fprintf(f, "end\n");
	assert_int_equal(fclose(f), 0);
	return text;
}

/* ---- there and back ---- */

/* Reads bytes of which nothing stands behind; what is taken is written to the same bytes. */
static enum status try_read(const char *text, size_t n, struct plan *to, struct arena *a, struct err *e)
{
	char *exact = malloc(n ? n : 1);
	struct buf b = {0};

	assert_non_null(exact);
	memcpy(exact, text, n);
	enum status s = plan_read(to, exact, n, a, e);
	free(exact);
	if (s == STATUS_OK) {
		plan_write(&b, to);
		assert_false(b.failed);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, text, n);
	} else {
		assert_int_equal(s, STATUS_BAD);
		assert_null(strchr(e->text, '\n'));
	}
	buf_free(&b);
	return s;
}

static void same_list(const char **a, const char **b, size_t n, size_t n_b)
{
	assert_int_equal(n, n_b);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(a[i], b[i]);
}

static void same_option(const struct option *a, const struct option *b)
{
	assert_int_equal(a->k, b->k);
	assert_int_equal(a->marked, b->marked);
	assert_true(a->stops == b->stops && a->stops_all == b->stops_all);
	assert_true(a->stops_bytes == b->stops_bytes);
	assert_true(a->log10_e == b->log10_e && a->needed == b->needed);
	assert_int_equal(a->hit.flows, b->hit.flows);
	assert_int_equal(a->hit.peers, b->hit.peers);
	assert_int_equal(a->hit.bytes, b->hit.bytes);
	assert_int_equal(a->hit.own, b->hit.own);
	assert_int_equal(a->hit.shared, b->hit.shared);
	assert_int_equal(a->collateral, b->collateral);
	assert_string_equal(a->cost_us, b->cost_us);
	assert_string_equal(a->cost_partner, b->cost_partner);
	assert_string_equal(a->cost_bystanders, b->cost_bystanders);
	assert_int_equal(a->for_us, b->for_us);
	assert_int_equal(a->sufficient, b->sufficient);
	assert_string_equal(a->missing, b->missing);
	same_list(a->needs, b->needs, a->n_needs, b->n_needs);
	same_list(a->way, b->way, a->n_way, b->n_way);
	assert_int_equal(a->n_action, b->n_action);
	for (size_t i = 0; i < a->n_action; i++) {
		assert_int_equal(rule_compare(&a->action[i].rule, &b->action[i].rule), 0);
		assert_string_equal(a->action[i].place, b->action[i].place);
	}
}

static void same_plan(const struct plan *a, const struct plan *b)
{
	assert_memory_equal(&a->case_id, &b->case_id, sizeof(a->case_id));
	assert_memory_equal(&a->evidence, &b->evidence, sizeof(a->evidence));
	assert_int_equal(a->made.us, b->made.us);
	assert_string_equal(a->ends, b->ends);
	assert_int_equal(a->cases, b->cases);
	assert_int_equal(a->attacks, b->attacks);
	assert_int_equal(a->attacks_all, b->attacks_all);
	assert_int_equal(a->window_us, b->window_us);
	assert_int_equal(a->from.us > a->to.us, b->from.us > b->to.us);
	if (a->from.us <= a->to.us) {
		assert_int_equal(a->from.us, b->from.us);
		assert_int_equal(a->to.us, b->to.us);
	}
	assert_int_equal(a->exact, b->exact);
	assert_true(a->gap == b->gap);
	assert_int_equal(a->n_option, b->n_option);
	for (size_t i = 0; i < a->n_option; i++) {
		same_option(&a->option[i], &b->option[i]);
		assert_ptr_equal(plan_option(b, a->option[i].k), &b->option[i]);
	}
	assert_null(plan_option(b, 0));
	assert_null(plan_option(b, (uint32_t)a->n_option + 1));
}

static void there_and_back(void **state)
{
	(void)state;
	kit_seed("plan");
	for (int i = 0; i < 2000; i++) {
		struct arena a = {0};
		struct plan p, back;
		struct buf b = {0};
		struct err e;
		size_t n;
		random_plan(&p, &a);
		char *slow = slow_plan(&p, &n);
		plan_write(&b, &p);
		if (b.failed)
			fail_msg("%s", plan_valid(&p, &e) ? e.text : "out of memory?");
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, slow, n);
		if (try_read(slow, n, &back, &a, &e) != STATUS_OK)
			fail_msg("%s in\n%s", e.text, slow);
		same_plan(&p, &back);
		assert_int_equal(strlen(back.sha256), 64);
		free(slow);
		buf_free(&b);
		arena_free(&a);
	}
}

/* As sha256sum(1) has it. */
static void hash_of_text(void **state)
{
	struct plan p = {.option = NULL}, back;
	struct arena a = {0};
	struct buf b = {0};
	struct err e;
	char cmd[512], sum[65] = "", name[] = "/tmp/weir-plan-XXXXXX";
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	plan_write(&b, &p);
	assert_int_equal(write(fd, b.p, b.n), b.n);
	(void)close(fd);
	(void)snprintf(cmd, sizeof(cmd), "sha256sum %s", name);
	FILE *f = popen(cmd, "r");
	assert_non_null(f);
	assert_int_equal(fread(sum, 1, 64, f), 64);
	(void)pclose(f);
	(void)unlink(name);
	assert_int_equal(plan_read(&back, b.p, b.n, &a, &e), STATUS_OK);
	assert_string_equal(back.sha256, sum);
	buf_free(&b);
	arena_free(&a);
}

/* ---- no other text ---- */

/* A changed byte is another plan's text, or none: try_read() compares.  Taking one out, doubling one and
 * cutting the text give none or another's as well. */
static void every_byte_counts(void **state)
{
	size_t taken = 0, tried = 0;

	(void)state;
	kit_seed("plan");
	for (int round = 0; round < 6; round++) {
		struct arena a = {0};
		struct plan p;
		struct err e;
		size_t n;
		random_plan(&p, &a);
		char *text = slow_plan(&p, &n), *longer = malloc(n + 1);
		assert_non_null(longer);
		for (size_t at = 0; at < n; at++) {
			char was = text[at];
			for (unsigned v = 1; v < 256; v = v * 2 + (unsigned)kit_rnd(2)) {
				struct arena one = {0};
				text[at] = (char)(was ^ (char)v);
				taken += try_read(text, n, &p, &one, &e) == STATUS_OK;
				tried++;
				arena_free(&one);
			}
			text[at] = was;
			struct arena rest = {0};
			assert_int_equal(try_read(text, at, &p, &rest, &e), STATUS_BAD);
			memcpy(longer, text, at);
			memcpy(longer + at, text + at + 1, n - at - 1);
			(void)try_read(longer, n - 1, &p, &rest, &e);
			memcpy(longer + at + 1, text + at, n - at);
			longer[at] = was;
			(void)try_read(longer, n + 1, &p, &rest, &e);
			arena_free(&rest);
		}
		free(text);
		free(longer);
		arena_free(&a);
	}
	(void)printf("# %zu of %zu changed texts are those of other plans\n", taken, tried);
	assert_in_range(taken, 1, tried - 1);
}

#define BASE                                                                                                 \
	"weir-plan/v1\ncase 000102030405060708090a0b0c0d0e0f\nmade 2026-11-22T15:42:00.123456Z\n"            \
	"evidence f00102030405060708090a0b0c0d0e0f\nends 203.0.113.0/24\ncases 2\nattacks 10\n"              \
	"attacks-all 20\nwindow 86400000000\nfrom 2026-11-21T15:42:00.000000Z\n"                             \
	"to 2026-11-22T15:42:00.000000Z\nexact yes\ngap 0.25\noptions 2\noption 1\nmarked yes\nstops 0.5\n"  \
	"stops-all 0.25\nstops-bytes 1\nhit-flows 3\nhit-peers 2\nhit-bytes 100\nhit-own 0\nshared no\n"     \
	"collateral 3\ncost-us\ncost-partner none\ncost-bystanders 3 flows\nfor 3600000000\nsufficient no\n" \
	"missing 1.5 of log10 e\nlog10-e 4.5\nneeded 6\nneeds 2\nneed a\nneed b\nways 1\nway other relay\n"  \
	"actions 2\naction drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22\n"                              \
	"action drop from 203.0.113.0/24 to any any any at partner\noption 2\nmarked no\nstops 0\n"          \
	"stops-all 0\nstops-bytes 0\nhit-flows 0\nhit-peers 0\nhit-bytes 0\nhit-own 0\nshared unknown\n"     \
	"collateral 0\ncost-us x\ncost-partner\ncost-bystanders\nfor 0\nsufficient yes\nmissing\nlog10-e "   \
	"0\n"                                                                                                \
	"needed 0\nneeds 0\nways 0\nactions 0\nend\n"

static void refused(void **state)
{
	static const struct {
		const char *from, *to, *names; /* what the message says */
	} bad[] = {
		{"weir-plan/v1", "weir-plan/v2", "line 1 "},
		{"case 0001", "case 001", "line 2 of the plan: case"},
		{"case 0001", "case  001", "case"},
		{"case 000102030405060708090a", "case 000102030405060708090A", "case"},
		{"123456Z", "1234560Z", "line 3"},
		{"123456Z", "123456+00:00", "line 3"},
		{"made 2026", "made 1926", "made"},
		{"made 2026", "made 2226", "made"},
		{"made 2026-11-22T15:42:00.123456Z", "made @1", "line 3"},
		{"ends 203", "ends \t203", "ends"},
		{"ends 203.0.113.0/24", "ends ", "line 5"},
		{"ends 203.0.113.0/24", "ends \xe2\x80\xae", "ends"},
		{"ends 203.0.113.0/24", "ends \xff", "ends"},
		{"cases 2", "cases 4294967296", "cases"},
		{"cases 2", "cases 02", "cases"},
		{"cases 2", "cases -2", "cases"},
		{"cases 2", "cases", "cases"},
		{"cases 2\n", "", "cases"},
		{"attacks 10", "attacks 9223372036854775808", "attacks"},
		{"attacks 10", "attacks 10 ", "attacks"},
		{"window 86400000000", "window 9223372036854775807", "window"},
		{"from 2026-11-21", "from 2026-11-23", "line 10"},
		{"from 2026-11-21T15:42:00.000000Z\nto", "recorded nothing\nto", "line 11"},
		{"exact yes", "exact true", "exact"},
		{"gap 0.25", "gap 0.250", "line 13"},
		{"gap 0.25", "gap .25", "line 13"},
		{"gap 0.25", "gap 2.5e-1", "line 13"},
		{"gap 0.25", "gap 0x.4", "line 13"},
		{"gap 0.25", "gap +0.25", "line 13"},
		{"gap 0.25", "gap -0", "line 13"},
		{"gap 0.25", "gap -0.25", "gap"},
		{"gap 0.25", "gap nan", "gap"},
		{"gap 0.25", "gap inf", "gap"},
		{"gap 0.25", "gap 1e999", "gap"},
		{"gap 0.25", "gap 0.25x", "gap"},
		{"options 2", "options 3", "option"},
		{"options 2", "options 1", "end"},
		{"options 2", "options 65", "options"},
		{"options 2", "options 18446744073709551616", "options"},
		{"option 2", "option 1", "option 2"},
		{"option 2", "option 3", "option 2"},
		{"marked no", "marked yes", "marks 2"},
		{"stops 0.5", "stops 1.5", "stops"},
		{"stops 0.5", "stops -0.5", "stops"},
		{"shared no", "shared maybe", "shared"},
		{"shared no", "shared No", "shared"},
		{"sufficient no", "sufficient yes", "missing"},
		{"missing 1.5", "missing\n1.5", ""},
		{"log10-e 4.5", "log10-e -inf", "log10-e"},
		{"need a\nneed b", "need b\nneed a", "needs"},
		{"need a\nneed b", "need a\nneed a", "needs"},
		{"need a", "need", "need"},
		{"need a", "need ", "need"},
		{"needs 2", "needs 1", "ways"},
		{"ways 1", "ways 17", "ways"},
		{"way other relay", "way other\x1b[0mrelay", "way"},
		{"actions 2", "actions 20001", "actions"},
		{"actions 2", "actions 1", "option"},
		{"tcp 22", "tcp 022", "action"},
		{"tcp 22", "tcp 22 at ", "line 40"},
		{"tcp 22", "tcp 22 at", "action"},
		{"any any at partner", "any any  at partner", "action"},
		{"at partner", "at \xc2\x85", "action"},
		{"203.0.113.0/24 to", "203.0.113.10/24 to", "action"},
		{"\nend\n", "\nend", "end"},
		{"\nend\n", "\nend\n\n", ""},
		{"\nend\n", "\nend\nend\n", ""},
		{"\nend\n", "\r\nend\n", ""},
	};
	static const char base[] = BASE;
	struct arena a = {0};
	struct plan p;
	struct err e;

	(void)state;
	if (try_read(base, strlen(base), &p, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < N_OF(bad); i++) {
		const char *at = strstr(base, bad[i].from);
		char *text;
		assert_non_null(at);
		int n = asprintf(
			&text, "%.*s%s%s", (int)(at - base), base, bad[i].to, at + strlen(bad[i].from));
		assert_true(n > 0);
		if (try_read(text, (size_t)n, &p, &a, &e) == STATUS_OK)
			fail_msg("\"%s\" for \"%s\" was taken", bad[i].to, bad[i].from);
		if (!strstr(e.text, bad[i].names))
			fail_msg("\"%s\" for \"%s\": %s", bad[i].to, bad[i].from, e.text);
		free(text);
	}
	/* a zero byte ends no line */
	char zero[sizeof(base)];
	memcpy(zero, base, sizeof(base));
	strstr(zero, "x\ncost-partner")[0] = '\0';
	assert_int_equal(try_read(zero, sizeof(base) - 1, &p, &a, &e), STATUS_BAD);
	arena_free(&a);
}

/* ---- bounds ---- */

static void not_written(void **state)
{
	struct rule rule = {.from = {{4, {203, 0, 113, 1}}, 32}, .to = {{4, {192, 0, 2, 1}}, 32}};
	static char longest[PLAN_TEXT_MAX + 2];
	const char *need[] = {"b", "a"};
	struct action action = {rule, ""};
	struct option o = {.k = 1, .action = &action, .n_action = 1, .missing = longest};
	struct plan good = {.option = &o, .n_option = 1}, p;
	struct option was = o;
	struct buf b = {0};
	struct err e;

	(void)state;
	memset(longest, 'x', PLAN_TEXT_MAX);
	plan_write(&b, &good); /* texts that are not set are empty */
	assert_false(b.failed);
	buf_free(&b);
#define BAD(change, what)                                                                                    \
	do {                                                                                                 \
		p = good;                                                                                    \
		change;                                                                                      \
		assert_int_equal(plan_valid(&p, &e), STATUS_BAD);                                            \
		if (!strstr(e.text, what))                                                                   \
			fail_msg("%s", e.text);                                                              \
		plan_write(&b, &p);                                                                          \
		assert_true(b.failed);                                                                       \
		buf_free(&b);                                                                                \
		o = was;                                                                                     \
		action = (struct action){rule, ""};                                                          \
	} while (0)
	BAD(p.made.us = -1, "made");
	BAD(p.window_us = INT64_MIN, "window");
	BAD(p.to = WALL_END, "to");
	BAD(p.gap = NAN, "gap");
	BAD(p.ends = "a\nb", "ends");
	BAD(p.n_option = PLAN_OPTIONS + 1, "options");
	BAD(o.k = 2, "number");
	BAD(o.stops = 1 + 1e-9, "stops");
	BAD(o.log10_e = -HUGE_VAL, "log10-e");
	BAD(o.hit.flows = UINT64_MAX, "hit-flows");
	BAD(o.hit.shared = (enum shared)3, "shared");
	BAD(longest[PLAN_TEXT_MAX] = 'x', "missing");
	longest[PLAN_TEXT_MAX] = '\0';
	BAD(o.sufficient = true, "missing");
	BAD((o.needs = need, o.n_needs = 2), "needs");
	BAD((o.way = need, o.n_way = PLAN_WAYS + 1), "ways");
	BAD(o.n_action = PLAN_ACTIONS + 1, "actions");
	BAD(action.rule.from.len = 0, "action 1");
	BAD(action.place = "a\nb", "action 1");
#undef BAD
}

/* The largest option goes through; a text above its bound does not. */
static void large(void **state)
{
	enum { OPTIONS = 6 };
	struct option o[OPTIONS];
	struct plan p = {.option = o, .n_option = OPTIONS}, back;
	struct action *action = calloc(PLAN_ACTIONS, sizeof(*action));
	struct arena a = {0};
	struct buf b = {0};
	struct err e;

	(void)state;
	assert_non_null(action);
	for (size_t i = 0; i < PLAN_ACTIONS; i++)
		action[i] = (struct action){{.from = {{4, {198, 18, (uint8_t)(i >> 8), (uint8_t)i}}, 32},
						    .to = {{4, {192, 0, 2, 1}}, 32},
						    .proto = PROTO_TCP,
						    .port = 22},
			""};
	for (uint32_t k = 0; k < OPTIONS; k++)
		o[k] = (struct option){.k = k + 1,
			.action = action,
			.n_action = PLAN_ACTIONS,
			.cost_us = "",
			.cost_partner = "",
			.cost_bystanders = "",
			.missing = ""};
	plan_write(&b, &p);
	assert_false(b.failed);
	assert_in_range(b.n, PLAN_BYTES / 2, PLAN_BYTES);
	assert_int_equal(plan_read(&back, b.p, b.n, &a, &e), STATUS_OK);
	same_option(&o[OPTIONS - 1], &back.option[OPTIONS - 1]);
	for (size_t i = 0; i < PLAN_ACTIONS; i++)
		action[i].place = "the network 203.0.113.0/24";
	buf_free(&b);
	plan_write(&b, &p);
	assert_true(b.failed);
	uint8_t *zeros = calloc(PLAN_BYTES + 1, 1);
	assert_non_null(zeros);
	assert_int_equal(plan_read(&back, zeros, PLAN_BYTES + 1, &a, &e), STATUS_BAD);
	free(zeros);
	free(action);
	buf_free(&b);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(hash_of_text),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(refused),
		cmocka_unit_test(not_written),
		cmocka_unit_test(large),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
