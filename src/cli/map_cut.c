/* weir map cut NET: whose cooperation would isolate NET, cheapest first; what each set costs others, which
 * prefixes it isolates, which of the networks are partners, and how sure the links are. */
#include "cli/map_ask.h"

#include "base/bytes.h"
#include "cli/map_dates.h"
#include "cli/map_svg.h"

#define SIZE_DEFAULT    3
#define SETS_SHOWN      20
#define NAMED_AT_DATE   6
#define UNRELATED_SHOWN 8
#define UNWILLING_SHOWN 8
#define IN_A_LINE       4  /* networks of a set */
#define SET_INDENT      12 /* below its weight */

/* One question with its answer. */
struct question {
	struct net net;
	struct chart chart;
	struct isolate is;
	struct map_dates dates;
	const char *text; /* NET as it was given */
	const struct texts *unwilling;
	uint32_t *refusing; /* AS numbers of these */
	size_t n_refusing;
	size_t size;
};

/* ---- JSON ---- */

/* The same with what is known of each. */
static json_t *members_json(const struct map_ask *q, const struct chart *c, const uint32_t *node, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		uint32_t asn = c->graph.asn[node[i]];
		json_t *j = map_network_json(&q->atlas, asn);
		(void)json_object_set_new(j, "weight", json_integer((json_int_t)c->weight[node[i]]));
		(void)json_object_set_new(j, "core", json_boolean(c->graph.is_core[node[i]]));
		(void)json_object_set_new(j, "partner", json_boolean(map_is_partner(q, asn)));
		(void)json_array_append_new(list, j);
	}
	return list;
}

static json_t *cut_json(
	const struct map_ask *q, const struct chart *c, const struct net *net, const struct isolate_cut *cut)
{
	json_t *prefixes = json_array();
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < cut->n_prefix; i++)
		(void)json_array_append_new(
			prefixes, json_string(prefix_text(text, &net->prefix[cut->prefix[i]])));
	return json_pack("{s:o, s:I, s:b, s:o, s:o}", "networks",
		map_nodes_json(c, cut->set.node, cut->set.n), "weight", (json_int_t)cut->set.weight, "whole",
		(int)cut->whole, "prefixes", prefixes, "members",
		members_json(q, c, cut->set.node, cut->set.n));
}

static json_t *hold_json(
	const struct map_ask *q, const struct chart *c, const struct isolate *is, const struct hold *h)
{
	json_t *j = map_network_json(&q->atlas, c->graph.asn[h->node]);

	(void)json_object_update_new(
		j, json_pack("{s:s, s:b, s:I, s:I, s:I, s:b}", "role", link_role_text[h->role], "in_paths",
			   (int)h->in_paths, "peers", (json_int_t)h->n_peer_as, "dates",
			   (json_int_t)h->n_date, "dates_of", (json_int_t)h->n_dates, "doubtful",
			   (int)hold_is_doubtful(h, is->n_seeing)));
	return j;
}

static json_t *unrelated_json(const struct map_ask *q, const struct isolate *is)
{
	json_t *list = json_array();

	for (size_t i = 0; i < is->n_unrelated; i++) {
		json_t *j = map_network_json(&q->atlas, is->unrelated[i].asn);
		(void)json_object_set_new(j, "peers", json_integer(is->unrelated[i].n_peer_as));
		(void)json_array_append_new(list, j);
	}
	return list;
}

static json_t *unwilling_json(const struct texts *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->n; i++)
		(void)json_array_append_new(list, json_string(t->text[i]));
	return list;
}

static enum status say_json(const struct map_ask *q, const struct chart *c, const struct net *net,
	const struct isolate *is, struct map_dates *dates, const struct texts *unwilling, struct err *e)
{
	json_t *j = map_net_json(net), *cuts = json_array(), *links = json_array();

	for (size_t i = 0; i < is->n_cut; i++)
		(void)json_array_append_new(cuts, cut_json(q, c, net, &is->cut[i]));
	for (size_t i = 0; i < is->n_hold; i++)
		(void)json_array_append_new(links, hold_json(q, c, is, &is->hold[i]));
	(void)json_object_set_new(j, "cuts", cuts);
	(void)json_object_set_new(j, "links", links);
	(void)json_object_set_new(j, "unrelated", unrelated_json(q, is));
	(void)json_object_set_new(j, "more", json_boolean(is->more));
	(void)json_object_set_new(j, "all_of_size", json_integer((json_int_t)is->all_of));
	(void)json_object_set_new(j, "networks_unknown", json_integer((json_int_t)is->n_unknown));
	(void)json_object_set_new(j, "prefixes_left_out", json_boolean(is->prefixes_left_out));
	(void)json_object_set_new(j, "dates", map_dates_json(dates));
	(void)json_object_set_new(j, "connected", json_boolean(is->connected));
	(void)json_object_set_new(j, "core", json_string(map_core_text(c)));
	(void)json_object_set_new(j, "inferred", json_boolean(c->inferred));
	(void)json_object_set_new(j, "cheapest",
		is->has_cheapest
			? json_pack("{s:o, s:I}", "networks", map_nodes_json(c, is->cheapest, is->n_cheapest),
				  "weight", (json_int_t)is->cheapest_weight)
			: json_null());
	(void)json_object_set_new(j, "without_doubtful_links",
		is->surer.n
			? json_pack("{s:o, s:I}", "networks", map_nodes_json(c, is->surer.node, is->surer.n),
				  "weight", (json_int_t)is->surer.weight)
			: json_null());
	(void)json_object_set_new(j, "unwilling", unwilling_json(unwilling));
	(void)json_object_set_new(j, "tables", map_tables_json(&q->atlas));
	(void)json_object_set_new(j, "registries", map_registries_json(&q->atlas));
	return json_out(q->app, j, e);
}

/* ---- text ---- */

static void network_print(const struct map_ask *q, uint32_t asn)
{
	char text[MAP_NETWORK_TEXT];

	(void)fprintf(q->app->out, "%s%s", map_network_text(text, &q->atlas, asn),
		map_is_partner(q, asn) ? " (partner)" : "");
}

/* "AS64500 + AS64501", a few in a line. */
static void set_print(const struct map_ask *q, const struct chart *c, const uint32_t *node, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i && i % IN_A_LINE == 0)
			(void)fprintf(q->app->out, " +\n%*s", SET_INDENT, "");
		else if (i)
			(void)fputs(" + ", q->app->out);
		network_print(q, c->graph.asn[node[i]]);
	}
}

static void holds_print(
	const struct map_ask *q, const struct chart *c, const struct net *net, const struct isolate *is)
{
	FILE *o = q->app->out;
	char n[32];

	(void)fprintf(o, "\n%s hangs by\n", net->text);
	for (size_t i = 0; i < is->n_hold && i < SETS_SHOWN; i++) {
		const struct hold *h = &is->hold[i];
		char peers[COUNT_TEXT];
		(void)fprintf(o, "  %-8s ", link_role_text[h->role]);
		network_print(q, c->graph.asn[h->node]);
		if (h->in_paths)
			(void)fprintf(o, ", shown by %s", counted(peers, h->n_peer_as, "peer network"));
		if (h->n_dates > 1)
			(void)fprintf(o, ", at %u of %u dates", h->n_date, h->n_dates);
		(void)fprintf(o, "%s\n", hold_is_doubtful(h, is->n_seeing) ? "  DOUBTFUL" : "");
	}
	if (is->n_hold > SETS_SHOWN)
		(void)fprintf(o, "  and %s more (--json has all)\n", thousands(n, is->n_hold - SETS_SHOWN));
}

/* Those may be ways up that the search does not know. */
static void unrelated_print(const struct map_ask *q, const struct isolate *is)
{
	FILE *o = q->app->out;
	char text[MAP_NETWORK_TEXT], n[COUNT_TEXT];

	if (is->n_unrelated == 0)
		return;
	(void)fprintf(o,
		"\nTables show %s of it that the relationships do not have.\n"
		"A way up over one is not seen here:\n",
		counted(n, is->n_unrelated, "more neighbour"));
	for (size_t i = 0; i < is->n_unrelated && i < UNRELATED_SHOWN; i++)
		(void)fprintf(o, "  %s, shown by %s\n",
			map_network_text(text, &q->atlas, is->unrelated[i].asn),
			counted(n, is->unrelated[i].n_peer_as, "peer network"));
	if (is->n_unrelated > UNRELATED_SHOWN)
		(void)fprintf(o, "  and %zu more (--json has all)\n", is->n_unrelated - UNRELATED_SHOWN);
}

static void cut_print(const struct map_ask *q, const struct chart *c, const struct net *net,
	const struct isolate_cut *cut, uint32_t seeing)
{
	FILE *o = q->app->out;
	char text[PREFIX_TEXT], peers[COUNT_TEXT], weight[32], some[32], all[32];

	(void)fprintf(o, "  %8s  ", thousands(weight, cut->set.weight));
	set_print(q, c, cut->set.node, cut->set.n);
	if (!cut->whole) {
		(void)fprintf(o, "\n            for %s of %s prefixes, as %s saw them: %s%s",
			thousands(some, cut->n_prefix), thousands(all, net->n_prefix),
			counted(peers, seeing, "peer network"),
			prefix_text(text, &net->prefix[cut->prefix[0]]), cut->n_prefix > 1 ? ", ..." : "");
		if (seeing == 1)
			(void)fputs("  DOUBTFUL", o);
	}
	(void)fputc('\n', o);
}

/* What there is beyond the sets of the size asked for. */
static void beyond_print(const struct map_ask *q, const struct question *w)
{
	const struct isolate *is = &w->is;
	FILE *o = q->app->out;
	char weight[32];

	if (is->more)
		(void)fprintf(o,
			"  The search was stopped: all sets of up to %zu networks are here, of larger ones "
			"there may be more.\n",
			is->all_of);
	if (is->n_cut && is->cut[0].whole)
		return;
	if (!is->has_cheapest) {
		(void)fputs("  No set of willing networks isolates all of it.\n", o);
		return;
	}
	(void)fprintf(o,
		"  No set of up to %zu isolates all of it; the cheapest of any size has %zu:\n"
		"  %8s  ",
		w->size, is->n_cheapest, thousands(weight, is->cheapest_weight));
	set_print(q, &w->chart, is->cheapest, is->n_cheapest);
	(void)fputc('\n', o);
}

/* Who is in no set since he was said to be unwilling. */
static void refusing_print(const struct map_ask *q, const struct question *w)
{
	FILE *o = q->app->out;
	char text[MAP_NETWORK_TEXT], n[32];

	for (size_t i = 0; i < w->n_refusing && i < UNWILLING_SHOWN; i++)
		(void)fprintf(o, "%s%s", i ? ", " : "Left out of all sets, as unwilling: ",
			map_network_text(text, &q->atlas, w->refusing[i]));
	if (w->n_refusing > UNWILLING_SHOWN)
		(void)fprintf(o, " and %s more", thousands(n, w->n_refusing - UNWILLING_SHOWN));
	if (w->n_refusing)
		(void)fputs(".\n", o);
}

static void say_text(const struct map_ask *q, const struct question *w)
{
	const struct chart *c = &w->chart;
	const struct net *net = &w->net;
	const struct isolate *is = &w->is;
	FILE *o = q->app->out;
	char words[512], tables[256], some[32], all[32];

	(void)fprintf(o, "%s, tables of %s\n", map_net_text(words, sizeof(words), &q->atlas, net),
		map_tables_text(tables, sizeof(tables), &q->atlas));
	map_registries_print(q, false);
	if (c->inferred)
		(void)fputs(
			"Relationships are inferred from the paths: no relationship file is loaded.\n", o);
	if (is->n_unknown)
		(void)fprintf(o, "%s of its %s networks have no known relationship and are left out.\n",
			thousands(some, is->n_unknown), thousands(all, net->n_own));
	if (is->prefixes_left_out)
		(void)fprintf(o,
			"More than %s prefixes: they are not looked at one by one, only all of it "
			"together.\n",
			thousands(all, ISOLATE_PREFIXES));
	refusing_print(q, w);
	holds_print(q, c, net, is);
	(void)fputs("\nwho isolates it by refusing it (weight: these and the networks that hang on one of "
		    "them alone)\n",
		o);
	if (!is->connected)
		(void)fputs("  nobody needs to: no way up to the transit-free core is known.\n", o);
	for (size_t i = 0; i < is->n_cut && i < SETS_SHOWN; i++)
		cut_print(q, c, net, &is->cut[i], is->n_seeing);
	if (is->n_cut > SETS_SHOWN)
		(void)fprintf(
			o, "  and %s more sets (--json has all)\n", thousands(all, is->n_cut - SETS_SHOWN));
	if (is->connected)
		beyond_print(q, w);
	if (is->surer.n) {
		(void)fputs("\nWithout the doubtful links this would do: ", o);
		set_print(q, c, is->surer.node, is->surer.n);
		(void)fputc('\n', o);
	}
	unrelated_print(q, is);
	map_dates_print(&w->dates, o);
	(void)fprintf(o,
		"\nIsolated: no way up to the transit-free core (%s).\n"
		"Peers and customers may still reach it: weir map whatif --blocks NETWORKS --target %s\n",
		map_core_text(c), net->text);
}

/* ---- the command ---- */

static enum status answer(struct question *to, struct map_ask *q, struct err *e)
{
	struct isolate_ask ask = {.net = &to->net, .size = to->size};
	enum status s = map_net(&to->net, q, to->text, e);

	if (s == STATUS_OK)
		s = map_nets(q, to->unwilling, &to->refusing, &to->n_refusing, e);
	if (s == STATUS_OK)
		s = map_chart(&to->chart, q, e);
	ask.unwilling = to->refusing;
	ask.n_unwilling = to->n_refusing;
	return s == STATUS_OK ? isolate_make(&to->is, &to->chart, &q->atlas, &ask, &q->arena, e) : s;
}

/* "{AS64500, AS64501}, weight 12"; of more than NAMED_AT_DATE only how many. */
static void cheapest_text(char *to, size_t n, const struct question *w)
{
	const struct isolate *is = &w->is;
	char names[NAMED_AT_DATE * (AS_TEXT + 2) + 1] = "", as[AS_TEXT], weight[32];
	size_t at = 0;

	for (size_t i = 0; i < is->n_cheapest && is->n_cheapest <= NAMED_AT_DATE; i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i ? ", " : "",
			as_text(as, w->chart.graph.asn[is->cheapest[i]]));
	if (at)
		(void)snprintf(to, n, "{%s}, weight %s", names, thousands(weight, is->cheapest_weight));
	else
		(void)snprintf(to, n, "%zu networks, weight %s", is->n_cheapest,
			thousands(weight, is->cheapest_weight));
}

static enum status at_date(void *self, struct map_ask *then, struct map_date *row, struct err *e)
{
	struct question w = *(const struct question *)self;
	enum status s = answer(&w, then, e);
	const struct isolate *is = &w.is;

	if (s != STATUS_OK)
		return s;
	if (!is->has_cheapest)
		return err_set(e, STATUS_NO, "%s",
			is->connected ? "no set of willing networks isolates it" : "no way up was known");
	cheapest_text(row->text, sizeof(row->text), &w);
	row->json =
		json_pack("{s:o, s:I}", "networks", map_nodes_json(&w.chart, is->cheapest, is->n_cheapest),
			"weight", (json_int_t)is->cheapest_weight);
	return STATUS_OK;
}

static enum status picture(struct map_ask *q, const struct question *w, struct err *e)
{
	struct buf b = {0};

	const struct svg_cut_param p = {.atlas = &q->atlas,
		.net = &w->net,
		.chart = &w->chart,
		.is = &w->is,
		.unwilling = w->refusing,
		.n_unwilling = w->n_refusing};

	svg_cut(&b, &p);
	enum status s = map_picture(q, &b, e);
	buf_free(&b);
	return s;
}

static enum status cut(struct map_ask *q, struct question *w, struct err *e)
{
	enum status s = answer(w, q, e);

	if (s == STATUS_OK)
		s = map_dates_make(
			&w->dates, q, w->chart.inferred ? SHEET_PATHS : SHEET_LINKS, at_date, w, e);
	if (s == STATUS_OK && q->app->json)
		s = say_json(q, &w->chart, &w->net, &w->is, &w->dates, w->unwilling, e);
	else if (s == STATUS_OK)
		say_text(q, w);
	map_dates_free(&w->dates);
	return s == STATUS_OK && q->svg ? picture(q, w, e) : s;
}

enum status map_cut(struct app *a, int argc, char **argv, struct err *e)
{
	struct map_ask q = {0};
	struct texts unwilling = {0};
	int64_t size = SIZE_DEFAULT;
	struct option_row row[] = {
		{"unwilling", 0, OPTION_LIST, &unwilling}, {"size", 0, OPTION_COUNT, &size}, MAP_OPTIONS(&q)};
	int first;
	enum status s = options_parse(a, row, 2 + MAP_OPTIONS_N, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "map cut: one NET (AS131279, 192.0.2.0/24 or KP)");
	if (s == STATUS_OK && (size < 1 || size > CUT_SIZE_MAX))
		s = err_set(e, STATUS_BAD, "--size: 1 to %d networks", CUT_SIZE_MAX);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK)
		s = map_ask_open(&q, a, e);
	if (s == STATUS_OK) {
		struct question w = {.text = argv[first], .unwilling = &unwilling, .size = (size_t)size};
		s = cut(&q, &w, e);
	}
	map_ask_close(&q);
	return s;
}
