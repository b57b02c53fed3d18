/* weir map whatif: who still reaches the target when some networks refuse it, and who is stranded when they
 * are gone. */
#include "cli/map_ask.h"

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

static json_t *space_json(const struct chart *c, const uint32_t *node, size_t n, const struct space *s)
{
	json_t *cc = json_array();

	for (uint32_t i = 0; i < s->n_country; i++)
		(void)json_array_append_new(cc, json_string(s->cc[i]));
	return json_pack("{s:I, s:o, s:I, s:I, s:o}", "count", (json_int_t)n, "networks",
		map_nodes_json(c, node, n), "addresses_v4", (json_int_t)s->v4, "prefixes_v6_48",
		(json_int_t)s->v6_48, "countries", cc);
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

static void space_print(FILE *o, const struct space *s)
{
	char v4[32], v6[COUNT_TEXT];

	(void)fprintf(o, "  with %s IPv4 %s, %s", thousands(v4, s->v4), s->v4 == 1 ? "address" : "addresses",
		counted(v6, s->v6_48, "IPv6 /48"));
	for (uint32_t i = 0; i < s->n_country && i < NAMED; i++)
		(void)fprintf(o, "%s %s", i ? "," : ", registered in", s->cc[i]);
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
		space_print(o, &w->losing);
}

static void say_text(const struct map_ask *q, const struct question *w)
{
	const struct whatif *x = &w->answer;
	FILE *o = q->app->out;
	char n[32], tables[256];

	(void)fprintf(o, "tables of %s%s\n", map_tables_text(tables, sizeof(tables), &q->atlas),
		w->chart.inferred ? "; relationships inferred from paths" : "");
	map_registries_print(q, w->losing.n_country || w->stranded.n_country);
	unknown_print(o, w->block_unknown, "that refuse");
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
		space_print(o, &w->stranded);
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
