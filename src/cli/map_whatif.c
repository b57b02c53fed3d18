/* weir map whatif: who still reaches the target when some networks refuse it, and who is stranded when they
 * are gone. */
#include "cli/map_ask.h"

#include <string.h>

#include "map/whatif.h"

#define NAMED 15 /* networks that are named in text */

/* What is asked, and the answer with the space that is lost. */
struct question {
	struct net target;
	bool has_target;
	uint32_t *node, *block;
	size_t n_node, n_block;
	size_t target_unknown, block_unknown; /* networks that no relationship has, left out */
	struct chart chart;
	struct whatif answer;
	bool limited; /* the target is a prefix, and tables show which providers are told it */
	struct space losing, stranded;
};

static uint32_t *asns_of(struct map_ask *q, const struct chart *c, const uint32_t *node, size_t n)
{
	uint32_t *asn = arena_array(&q->arena, n + 1, sizeof(*asn));

	for (size_t i = 0; asn && i < n; i++)
		asn[i] = c->graph.asn[node[i]];
	return asn;
}

static enum status space_of(struct space *to, struct map_ask *q, const struct chart *c, const uint32_t *node,
	size_t n, struct err *e)
{
	uint32_t *asn = asns_of(q, c, node, n);

	return asn ? atlas_space(to, &q->atlas, asn, n, &q->arena, e) : err_nomem(e);
}

/* ---- JSON ---- */

static uint64_t family_size(const struct space_count c[SPACE_WAYS])
{
	return c[SPACE_ROUTED].size + c[SPACE_DELEGATED].size;
}

static bool family_known(const struct space_count c[SPACE_WAYS])
{
	return c[SPACE_ROUTED].n_network || c[SPACE_DELEGATED].n_network || c[SPACE_UNKNOWN].n_network == 0;
}

/* Of networks of which nothing is known the size is null, never 0. */
static json_t *size_json(const struct space_count c[SPACE_WAYS])
{
	return family_known(c) ? json_integer((json_int_t)family_size(c)) : json_null();
}

static json_t *counted_json(const struct space *s)
{
	static const char *const by[SPACE_WAYS] = {"routes", "delegations", "unknown"};
	json_t *list = json_array();

	for (int f = 0; f < SPACE_FAMILIES; f++)
		for (int k = 0; k < SPACE_WAYS; k++) {
			const struct space_count *c = &s->of[f][k];
			if (c->n_network == 0)
				continue;
			(void)json_array_append_new(
				list, json_pack("{s:i, s:s, s:I, s:o}", "family", f == SPACE_V4 ? 4 : 6, "by",
					      by[k], "networks", (json_int_t)c->n_network, "size",
					      k == SPACE_UNKNOWN ? json_null()
								 : json_integer((json_int_t)c->size)));
		}
	return list;
}

static json_t *space_json(const struct chart *c, const uint32_t *node, size_t n, const struct space *s)
{
	json_t *cc = json_array();

	for (uint32_t i = 0; i < s->n_country; i++)
		(void)json_array_append_new(cc, json_string(s->cc[i]));
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "count", (json_int_t)n, "networks",
		map_nodes_json(c, node, n), "addresses_v4", size_json(s->of[SPACE_V4]), "prefixes_v6_48",
		size_json(s->of[SPACE_V6]), "counted", counted_json(s), "countries", cc);
}

static enum status say_json(const struct map_ask *q, const struct question *w, struct err *e)
{
	const struct whatif *x = &w->answer;
	json_t *j = json_pack("{s:o, s:I, s:o, s:s, s:b, s:o}", "blocks",
		map_nodes_json(&w->chart, w->block, w->n_block), "networks", (json_int_t)x->n_all, "gone",
		json_pack(
			"{s:o}", "stranded", space_json(&w->chart, x->stranded, x->n_stranded, &w->stranded)),
		"core", map_core_text(&w->chart), "inferred", (int)w->chart.inferred, "tables",
		map_tables_json(&q->atlas));

	(void)json_object_set_new(j, "registries", map_registries_json(&q->atlas));
	(void)json_object_set_new(j, "blocks_unknown", json_integer((json_int_t)w->block_unknown));
	(void)json_object_set_new(j, "blocks_foreign", json_integer((json_int_t)q->foreign));
	if (w->has_target)
		(void)json_object_set_new(j, "target_unknown", json_integer((json_int_t)w->target_unknown));
	if (w->has_target)
		(void)json_object_update_new(
			j, json_pack("{s:s, s:I, s:I, s:o}", "target", w->target.text, "reach_now",
				   (json_int_t)x->before, "reach_refused", (json_int_t)x->refusing, "losing",
				   space_json(&w->chart, x->losing, x->n_losing, &w->losing)));
	return json_out(q->app, j, e);
}

/* ---- text ---- */

static void names_print(const struct map_ask *q, const struct chart *c, const uint32_t *node, size_t n)
{
	char text[MAP_NETWORK_TEXT];

	for (size_t i = 0; i < n && i < NAMED; i++)
		(void)fprintf(
			q->app->out, "  %s\n", map_network_text(text, &q->atlas, c->graph.asn[node[i]]));
	if (n > NAMED)
		(void)fprintf(q->app->out, "  and %zu more (--json has all)\n", n - NAMED);
}

/* What the counts rest on: " (BGP table of 2014-05-23, origins of 2014-05-13)". */
static void tables_print(FILE *o, const struct atlas *a, unsigned kinds)
{
	char day[WALL_TEXT], said[WALL_TEXT] = "";
	enum sheet_kind last = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct atlas_entry *t = &a->entry[i];
		if (!t->in_use || !(kinds & 1U << t->sheet.kind))
			continue;
		(void)wall_day(day, t->sheet.to);
		if (last == t->sheet.kind && strcmp(said, day) == 0)
			continue; /* several of one day */
		(void)fprintf(o, "%s%s of %s", last ? ", " : " (", map_kind_text[t->sheet.kind], day);
		last = t->sheet.kind;
		memcpy(said, day, sizeof(said));
	}
	(void)fputs(last ? ")\n" : "\n", o);
}

#define ROUTES      (1U << SHEET_PATHS | 1U << SHEET_ORIGINS)
#define DELEGATIONS (1U << SHEET_REGISTRY)

static void family_print(FILE *o, const struct atlas *a, const struct space *s, int f)
{
	static const char *const name[SPACE_FAMILIES] = {"IPv4 addresses", "IPv6 /48s"};
	const struct space_count *c = s->of[f];
	char size[32], n[COUNT_TEXT];

	if (c[SPACE_ROUTED].n_network) {
		(void)fprintf(o, "  %s: %s announced by %s", name[f], thousands(size, c[SPACE_ROUTED].size),
			counted(n, c[SPACE_ROUTED].n_network, "network"));
		tables_print(o, a, ROUTES);
	}
	if (c[SPACE_DELEGATED].n_network) {
		(void)fprintf(o, "  %s: up to %s%s in no route, delegated to the holders of %s", name[f],
			thousands(size, c[SPACE_DELEGATED].size), c[SPACE_ROUTED].n_network ? " more" : "",
			counted(n, c[SPACE_DELEGATED].n_network, "network"));
		tables_print(o, a, DELEGATIONS);
	}
	if (c[SPACE_UNKNOWN].n_network)
		(void)fprintf(o, "  %s: unknown of %s\n", name[f],
			counted(n, c[SPACE_UNKNOWN].n_network, "network"));
}

static void space_print(FILE *o, const struct atlas *a, const struct space *s)
{
	for (int f = 0; f < SPACE_FAMILIES; f++)
		family_print(o, a, s, f);
	for (uint32_t i = 0; i < s->n_country && i < NAMED; i++)
		(void)fprintf(o, "%s %s", i ? "," : "  registered in", s->cc[i]);
	if (s->n_country)
		(void)fputs(s->n_country > NAMED ? ", ...\n" : "\n", o);
}

static void unknown_print(FILE *o, size_t n, const char *of)
{
	char text[32];

	if (n)
		(void)fprintf(o, "%s of the networks %s: no relationship is known, left out\n",
			thousands(text, n), of);
}

static void target_print(const struct map_ask *q, const struct question *w)
{
	const struct whatif *x = &w->answer;
	FILE *o = q->app->out;
	char now[32], then[32], all[32];

	(void)fprintf(o, "\n%s now reach %s, of %s other networks\n", thousands(now, x->before),
		w->target.text, thousands(all, x->n_all - w->n_node));
	if (w->limited)
		(void)fputs("(over the providers that tables show on paths to it, and all its peers and "
			    "customers)\n",
			o);
	(void)fputs("if its routes (and only its) are refused by\n", o);
	names_print(q, &w->chart, w->block, w->n_block);
	(void)fprintf(o, "%s still reach it, %s others lose it\n", thousands(then, x->refusing),
		thousands(now, x->n_losing));
	if (x->n_losing)
		space_print(o, &q->atlas, &w->losing);
}

static void say_text(const struct map_ask *q, const struct question *w)
{
	const struct whatif *x = &w->answer;
	FILE *o = q->app->out;
	char n[COUNT_TEXT], tables[256];

	(void)fprintf(o, "tables of %s%s\n", map_tables_text(tables, sizeof(tables), &q->atlas),
		w->chart.inferred ? "; relationships inferred from paths" : "");
	map_registries_print(q, w->losing.n_country || w->stranded.n_country);
	unknown_print(o, w->block_unknown, "that refuse");
	if (q->foreign)
		(void)fprintf(o,
			"%s that %s space of the country that refuses, registered elsewhere: not counted as "
			"refusing\n",
			counted(n, q->foreign, "network"), q->foreign == 1 ? "originates" : "originate");
	unknown_print(o, w->target_unknown, "of the target");
	if (w->has_target)
		target_print(q, w);
	(void)fprintf(o, "\nif %s gone altogether\n",
		w->has_target ? (w->n_block == 1 ? "it were" : "they were") : "these were");
	if (!w->has_target)
		names_print(q, &w->chart, w->block, w->n_block);
	(void)fprintf(o, "%s %s no other way up: stranded\n", thousands(n, x->n_stranded),
		x->n_stranded == 1 ? "other has" : "others have");
	names_print(q, &w->chart, x->stranded, x->n_stranded);
	if (x->n_stranded)
		space_print(o, &q->atlas, &w->stranded);
	(void)fputs("\nA route that exists is not reach, and a default route needs none: this counts "
		    "valley-free\n"
		    "routes (customers' to all, peers' and providers' to customers only).\n",
		o);
}

/* ---- the command ---- */

static enum status nodes_known(struct map_ask *q, struct question *w, const uint32_t *asn, size_t n,
	uint32_t **node, size_t *n_node, struct err *e)
{
	char text[AS_TEXT];
	enum status s = chart_nodes(&w->chart, asn, n, node, n_node, &q->arena, e);

	if (s == STATUS_OK && *n_node == 0)
		return err_set(
			e, STATUS_NO, "%s: no relationship of it is known", as_text(text, n ? asn[0] : 0));
	return s;
}

/* Who reaches the target, by the links that it is told over; who is stranded, by all links. */
static enum status reach_of(struct map_ask *q, struct question *w, struct err *e)
{
	const struct graph *g = &w->chart.graph;
	struct graph told = *g;
	struct whatif all;
	enum status s = STATUS_OK;

	if (w->has_target)
		s = chart_told(&told, &w->limited, &w->chart, &q->atlas, &w->target, w->node, w->n_node,
			&q->arena, e);
	if (s == STATUS_OK)
		s = whatif_make(&w->answer, &told, w->node, w->n_node, w->block, w->n_block, &q->arena, e);
	if (s != STATUS_OK || !w->limited)
		return s;
	s = whatif_make(&all, g, w->node, w->n_node, w->block, w->n_block, &q->arena, e);
	w->answer.stranded = all.stranded;
	w->answer.n_stranded = all.n_stranded;
	return s;
}

static enum status refuses_itself(const struct question *w, uint32_t node, struct err *e)
{
	char text[AS_TEXT];

	for (size_t i = 0; i < w->n_block; i++)
		if (w->block[i] == node)
			return err_set(e, STATUS_BAD, "--blocks %s: it is of the target itself",
				as_text(text, w->chart.graph.asn[node]));
	return STATUS_OK;
}

static enum status answer(struct map_ask *q, struct question *w, const struct texts *blocks, struct err *e)
{
	uint32_t *asn;
	size_t n;
	enum status s = map_nets(q, blocks, &asn, &n, e);

	if (s == STATUS_OK)
		s = map_chart(&w->chart, q, e);
	if (s == STATUS_OK)
		s = nodes_known(q, w, asn, n, &w->block, &w->n_block, e);
	if (s == STATUS_OK && w->has_target)
		s = nodes_known(q, w, w->target.own, w->target.n_own, &w->node, &w->n_node, e);
	for (size_t i = 0; s == STATUS_OK && i < w->n_node; i++)
		s = refuses_itself(w, w->node[i], e);
	w->block_unknown = n - w->n_block;
	w->target_unknown = w->has_target ? w->target.n_own - w->n_node : 0;
	if (s == STATUS_OK)
		s = reach_of(q, w, e);
	if (s == STATUS_OK)
		s = space_of(&w->losing, q, &w->chart, w->answer.losing, w->answer.n_losing, e);
	if (s == STATUS_OK)
		s = space_of(&w->stranded, q, &w->chart, w->answer.stranded, w->answer.n_stranded, e);
	return s;
}

enum status map_whatif(struct app *a, int argc, char **argv, struct err *e)
{
	struct map_ask q = {0};
	struct question w = {0};
	struct texts blocks = {0};
	const char *target = NULL;
	struct option_row row[] = {
		{"blocks", 0, OPTION_LIST, &blocks}, {"target", 0, OPTION_TEXT, &target}, MAP_OPTIONS(&q)};
	int first;
	enum status s = options_parse(a, row, 1 + MAP_OPTIONS_N, argc, argv, &first, e); /* no picture */

	if (s == STATUS_OK && (argc != first || blocks.n == 0))
		s = err_set(e, STATUS_BAD, "map whatif: --blocks NET,... [--target NET]");
	if (s == STATUS_OK)
		s = map_ask_open(&q, a, e);
	w.has_target = target != NULL;
	if (s == STATUS_OK && target)
		s = map_net(&w.target, &q, target, e);
	if (s == STATUS_OK)
		s = answer(&q, &w, &blocks, e);
	if (s == STATUS_OK && a->json)
		s = say_json(&q, &w, e);
	else if (s == STATUS_OK)
		say_text(&q, &w);
	map_ask_close(&q);
	return s;
}
