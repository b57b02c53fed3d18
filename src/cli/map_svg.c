/* The map as a picture: the target at the bottom, networks in tiers above it, lines where two are neighbours.
 * Nothing here depends on anything but the answer, so the same answer gives the same bytes. */
#include "cli/map_svg.h"

#include <string.h>

#include "cli/map_ask.h"
#include "cli/svg.h"

/* The picture in its own units. */
#define WIDTH           960.0
#define BOX_W           132.0
#define BOX_H           56.0
#define TIER            112.0 /* from tier to tier */
#define TITLE_H         64.0
#define BAND_H          34.0 /* of the core, above all tiers */
#define FOOT_H          56.0
#define FOOT_LINE       18.0 /* one more line of it */
#define UNWILLING_SHOWN 8
#define TIERS_MAX       6
#define TIER_MAX        6   /* boxes in a tier */
#define CORE_LINE       8.0 /* from a box's right side, by tier: dotted lines of one column stay apart */
#define BESIDE          2.5 /* from a box to a dotted line past it */
#define AROUND          8.0 /* below a box, where such a line turns */
#define NAME_SHOWN      18
#define TITLE_SHOWN     90
#define TABLES_SHOWN    72 /* of the days of tables; there may be more */

struct box {
	uint32_t id; /* AS number, or node */
	char name[MAP_NETWORK_TEXT], note[32];
	bool cut, doubtful;
	double x;
};
struct drawing {
	struct buf *to;
	struct box box[TIERS_MAX][TIER_MAX]; /* tier 0: the target */
	size_t n[TIERS_MAX], more[TIERS_MAX], tiers;
	double band; /* room for the core above the tiers */
	double foot; /* and for the lines below them */
};

static struct box *box_add(struct drawing *d, size_t tier, uint32_t id, const char *name)
{
	if (tier >= TIERS_MAX || d->n[tier] == TIER_MAX) {
		d->more[tier < TIERS_MAX ? tier : TIERS_MAX - 1]++;
		return NULL;
	}
	struct box *b = &d->box[tier][d->n[tier]++];
	b->id = id;
	(void)snprintf(b->name, sizeof(b->name), "%s", name);
	d->tiers = tier + 1 > d->tiers ? tier + 1 : d->tiers;
	return b;
}

static double y_of(const struct drawing *d, size_t tier)
{
	return TITLE_H + d->band + TIER * (double)(d->tiers - 1 - tier) + 10;
}

static void place(struct drawing *d)
{
	for (size_t t = 0; t < d->tiers; t++)
		for (size_t i = 0; i < d->n[t]; i++)
			d->box[t][i].x = WIDTH * ((double)i + 1) / ((double)d->n[t] + 1);
}

static void line(const struct drawing *d, size_t tier_a, const struct box *a, size_t tier_b,
	const struct box *b, bool doubtful)
{
	svg_put(d->to,
		"<path d=\"M%.1f %.1f L%.1f %.1f\" stroke=\"" SVG_MIDDLE "\" stroke-width=\"1.4\"%s/>\n",
		a->x, y_of(d, tier_a), b->x, y_of(d, tier_b) + BOX_H,
		doubtful ? " stroke-dasharray=\"5 4\"" : "");
}

static void box_put(const struct drawing *d, size_t tier, const struct box *b)
{
	char safe[6 * NAME_SHOWN + 16];
	const char *space = strchr(b->name, ' ');
	int first = space ? (int)(space - b->name) : (int)strlen(b->name);
	double y = y_of(d, tier), x = b->x - BOX_W / 2;
	static const double down[] = {35, 49};
	const char *small[] = {
		space ? svg_escaped(safe, NAME_SHOWN, space + 1) : b->note, space ? b->note : ""};

	svg_put(d->to,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" rx=\"6\" fill=\"%s\" "
		"stroke=\"%s\" "
		"stroke-width=\"%s\"/>\n",
		x, y, BOX_W, BOX_H, tier == 0 ? SVG_PALE : "#ffffff", b->cut ? SVG_LACK : SVG_INK,
		b->cut ? "3" : "1.2");
	svg_put(d->to, "<text x=\"%.1f\" y=\"%.1f\" font-weight=\"bold\">%.*s</text>\n", b->x, y + 19, first,
		b->name);
	for (int i = 0; i < 2; i++)
		svg_put(d->to,
			"<text x=\"%.1f\" y=\"%.1f\" font-size=\"11\" fill=\"" SVG_MIDDLE "\">%s</text>\n",
			b->x, y + down[i], small[i]);
}

static void boxes_put(const struct drawing *d)
{
	for (size_t t = 0; t < d->tiers; t++) {
		for (size_t i = 0; i < d->n[t]; i++)
			box_put(d, t, &d->box[t][i]);
		if (d->more[t])
			svg_put(d->to,
				"<text x=\"%.0f\" y=\"%.1f\" font-size=\"11\" fill=\"" SVG_MIDDLE
				"\" text-anchor=\"end\">+ %zu</text>\n",
				WIDTH - 8, y_of(d, t) + BOX_H / 2 + 4, d->more[t]);
	}
}

static void head(const struct drawing *d, const char *title)
{
	char safe[6 * TITLE_SHOWN + 16];
	double height = TITLE_H + d->band + TIER * (double)(d->tiers ? d->tiers : 1) + d->foot;

	svg_put(d->to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
		"height=\"%.0f\" "
		"font-family=\"sans-serif\" font-size=\"13\" text-anchor=\"middle\" fill=\"" SVG_INK "\">\n",
		WIDTH, height, WIDTH, height);
	svg_put(d->to, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\" stroke=\"none\"/>\n", WIDTH,
		height);
	svg_put(d->to, "<text x=\"24\" y=\"34\" font-size=\"18\" text-anchor=\"start\">%s</text>\n",
		svg_escaped(safe, TITLE_SHOWN, title));
}

static void foot_line(const struct drawing *d, double down, const char *text)
{
	svg_put(d->to,
		"<text x=\"24\" y=\"%.1f\" font-size=\"12\" text-anchor=\"start\" fill=\"" SVG_MIDDLE
		"\">%s</text>\n",
		TITLE_H + d->band + TIER * (double)(d->tiers ? d->tiers : 1) + down, text);
}

/* How to read it, and what it rests on: a picture travels alone. */
static void foot(const struct drawing *d, const struct atlas *a, const struct net *net, const char *text)
{
	char tables[TABLES_SHOWN], whose[RIRS_TEXT], line[TABLES_SHOWN + RIRS_TEXT + 32];
	uint32_t rirs = registries_rirs(a->registry, a->n_registry);

	(void)map_tables_text(tables, sizeof(tables), a);
	if (net->kind == NET_COUNTRY)
		(void)snprintf(
			line, sizeof(line), "Tables of %s. Registries: %s.", tables, rirs_words(whose, rirs));
	else
		(void)snprintf(line, sizeof(line), "Tables of %s.", tables);
	foot_line(d, 22, text);
	foot_line(d, 40, line);
}

static void target_add(struct drawing *d, const struct atlas *a, const struct net *net)
{
	char name[MAP_NETWORK_TEXT];

	if (net->kind == NET_ASN)
		(void)map_network_text(name, a, net->asn[0]);
	else
		(void)snprintf(name, sizeof(name), "%s %zu network%s", net->text, net->n_asn,
			net->n_asn == 1 ? "" : "s");
	(void)box_add(d, 0, net->n_asn ? net->asn[0] : 0, name);
}

static const char *title_of(const struct drawing *d, const struct net *net)
{
	return net->kind == NET_ASN ? d->box[0][0].name : net->text;
}

/* ---- dependence ---- */

#define SHARE_SHOWN 0.005

static bool seen_together(
	const struct atlas *a, const struct net *net, const struct box *x, const struct box *y, bool target)
{
	struct link_seen seen = {0};
	struct err e;

	for (size_t i = 0; i < (target ? net->n_asn : 1) && seen.n_peer_as == 0; i++)
		(void)depend_link_seen(&seen, a->paths, a->n_paths, target ? net->asn[i] : x->id, y->id, &e);
	return seen.n_peer_as > 0;
}

void svg_depend(struct buf *b, const struct atlas *a, const struct net *net, const struct depend *dep)
{
	struct drawing d = {.to = b, .foot = FOOT_H};
	char name[MAP_NETWORK_TEXT], title[MAP_NETWORK_TEXT + 64];

	target_add(&d, a, net);
	for (size_t i = 0; i < dep->n && dep->row[i].share >= SHARE_SHOWN; i++) {
		const struct depend_row *r = &dep->row[i];
		struct box *box = box_add(&d, r->distance, r->asn, map_network_text(name, a, r->asn));
		if (box)
			(void)snprintf(box->note, sizeof(box->note), "%.0f %%", 100 * r->share);
	}
	place(&d);
	(void)snprintf(title, sizeof(title), "On whom %s depends", title_of(&d, net));
	head(&d, title);
	for (size_t t = 0; t + 1 < d.tiers; t++)
		for (size_t i = 0; i < d.n[t]; i++)
			for (size_t k = 0; k < d.n[t + 1]; k++)
				if (seen_together(a, net, &d.box[t][i], &d.box[t + 1][k], t == 0))
					line(&d, t, &d.box[t][i], t + 1, &d.box[t + 1][k], false);
	boxes_put(&d);
	foot(&d, a, net,
		"Share of the paths' weight that leads through a network (local AS hegemony); lines: "
		"neighbours on paths.");
	svg_put(b, "</svg>\n");
}

/* ---- the cut ---- */

#define CUT_TIERS 3 /* above the target */

static bool in_cut(const struct isolate *is, uint32_t node)
{
	if (is->n_cut == 0 || !is->cut[0].whole)
		return false;
	for (uint32_t i = 0; i < is->cut[0].set.n; i++)
		if (is->cut[0].set.node[i] == node)
			return true;
	return false;
}

static bool drawn(const struct drawing *d, uint32_t id)
{
	for (size_t t = 1; t < d->tiers; t++)
		for (size_t i = 0; i < d->n[t]; i++)
			if (d->box[t][i].id == id)
				return true;
	return false;
}

/* Returns its box, NULL where it is drawn already or has no room. */
static struct box *node_add(struct drawing *d, size_t tier, const struct atlas *a, const struct chart *c,
	const struct isolate *is, uint32_t node)
{
	char name[MAP_NETWORK_TEXT];

	if (drawn(d, node))
		return NULL;
	struct box *b = box_add(d, tier, node, map_network_text(name, a, c->graph.asn[node]));
	if (!b)
		return NULL;
	b->cut = in_cut(is, node);
	if (c->graph.is_core[node])
		(void)snprintf(b->note, sizeof(b->note), "core");
	return b;
}

/* Tier by tier: what those of the tier below hang by; the cut first, so that it is never among those left
 * out.  The core is one band above them. */
static void tiers_fill(
	struct drawing *d, const struct atlas *a, const struct chart *c, const struct isolate *is)
{
	const struct graph *g = &c->graph;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < is->n_hold; i++) {
			if (in_cut(is, is->hold[i].node) != (pass == 0))
				continue;
			struct box *b = node_add(d, 1, a, c, is, is->hold[i].node);
			if (b)
				b->doubtful = hold_is_doubtful(&is->hold[i], is->n_seeing);
		}
	for (size_t t = 1; t < CUT_TIERS && t < d->tiers; t++)
		for (size_t i = 0; i < d->n[t]; i++) {
			uint32_t node = d->box[t][i].id;
			for (uint32_t k = g->row[LINK_PROVIDERS][node]; k < g->row[LINK_PROVIDERS][node + 1];
				k++) {
				uint32_t up = g->to[LINK_PROVIDERS][k];
				if (!g->is_core[node] && (!g->is_core[up] || in_cut(is, up)))
					(void)node_add(d, t + 1, a, c, is, up);
			}
		}
}

/* Is it in the core, or is one of its providers or peers? */
static bool reaches_core(const struct graph *g, uint32_t node)
{
	for (int role = LINK_PROVIDERS; role <= LINK_PEERS; role++)
		for (uint32_t k = g->row[role][node]; k < g->row[role][node + 1]; k++)
			if (g->is_core[g->to[role][k]])
				return true;
	return g->is_core[node];
}

/* Does a line upwards at x keep clear of the boxes of the tier? */
static bool tier_clear(const struct drawing *d, size_t tier, double x)
{
	for (size_t i = 0; i < d->n[tier]; i++)
		if (x > d->box[tier][i].x - BOX_W / 2 - 1 && x < d->box[tier][i].x + BOX_W / 2 + 1)
			return false;
	return true;
}

static bool all_clear(const struct drawing *d, size_t from, double x)
{
	for (size_t t = from; t < d->tiers; t++)
		if (!tier_clear(d, t, x))
			return false;
	return true;
}

/* The nearest x at the side of a box of the tier where it is clear; x where it is. */
static double beside(const struct drawing *d, size_t tier, double x)
{
	double best = x, far = WIDTH;

	if (tier_clear(d, tier, x))
		return x;
	for (size_t i = 0; i < 2 * d->n[tier]; i++) {
		double at = d->box[tier][i / 2].x + (i % 2 ? 1 : -1) * (BOX_W / 2 + BESIDE);
		double way = at > x ? at - x : x - at;
		if (way < far && tier_clear(d, tier, at)) {
			best = at;
			far = way;
		}
	}
	return best;
}

/* From a box into the core, past the boxes of the tiers between: straight up from where on its top that
 * goes, else around them. */
static void core_line(const struct drawing *d, size_t tier, const struct box *b)
{
	double first = b->x + BOX_W / 2 - CORE_LINE * (double)tier, x = first;

	while (x > b->x - BOX_W / 2 + CORE_LINE && !all_clear(d, tier + 1, x))
		x -= CORE_LINE;
	if (!all_clear(d, tier + 1, x))
		x = first;
	svg_put(d->to, "<path d=\"M%.1f %.1f", x, y_of(d, tier));
	for (size_t t = tier + 1; t < d->tiers; t++) {
		double at = beside(d, t, x);
		if (at != x)
			svg_put(d->to, " V%.1f H%.1f", y_of(d, t) + BOX_H + AROUND * (double)(tier + 1), at);
		x = at;
	}
	svg_put(d->to,
		" V%.1f\" fill=\"none\" stroke=\"" SVG_MIDDLE
		"\" stroke-width=\"1.4\" stroke-dasharray=\"1 3\"/>\n",
		TITLE_H - 8 + BAND_H);
}

static void core_put(const struct drawing *d, const struct chart *c)
{
	const struct graph *g = &c->graph;

	svg_put(d->to,
		"<rect x=\"24\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" rx=\"6\" fill=\"" SVG_FAINT "\"/>\n"
		"<text x=\"%.0f\" y=\"%.0f\">transit-free core, %zu networks (%s)</text>\n",
		TITLE_H - 8, WIDTH - 48, BAND_H, WIDTH / 2, TITLE_H - 8 + BAND_H / 2 + 5, g->n_core,
		map_core_text(c));
	for (size_t t = 1; t < d->tiers; t++)
		for (size_t i = 0; i < d->n[t]; i++)
			if (reaches_core(g, d->box[t][i].id))
				core_line(d, t, &d->box[t][i]);
}

/* The last line below: whom no set has in it. */
static void unwilling_put(const struct drawing *d, const struct svg_cut_param *p)
{
	char text[256] = "Left out of all sets, as unwilling:", as[AS_TEXT];
	size_t i, at = strlen(text);

	for (i = 0; i < p->n_unwilling && i < UNWILLING_SHOWN; i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s %s", i ? "," : "", as_text(as, p->unwilling[i]));
	if (i < p->n_unwilling)
		(void)snprintf(text + at, sizeof(text) - at, " and %zu more", p->n_unwilling - i);
	if (p->n_unwilling)
		foot_line(d, FOOT_H + 2, text);
}

void svg_cut(struct buf *b, const struct svg_cut_param *p)
{
	const struct atlas *a = p->atlas;
	const struct net *net = p->net;
	const struct chart *c = p->chart;
	const struct isolate *is = p->is;
	struct drawing d = {.to = b, .band = BAND_H + 30, .foot = FOOT_H + (p->n_unwilling ? FOOT_LINE : 0)};
	char title[MAP_NETWORK_TEXT + 64];

	target_add(&d, a, net);
	tiers_fill(&d, a, c, is);
	place(&d);
	(void)snprintf(title, sizeof(title), "What %s hangs by", title_of(&d, net));
	head(&d, title);
	core_put(&d, c);
	for (size_t t = 0; t + 1 < d.tiers; t++)
		for (size_t i = 0; i < d.n[t]; i++)
			for (size_t k = 0; k < d.n[t + 1]; k++)
				if (t == 0)
					line(&d, 0, &d.box[0][0], 1, &d.box[1][k], d.box[1][k].doubtful);
				else if (graph_has(&c->graph, d.box[t][i].id, LINK_PROVIDERS,
						 d.box[t + 1][k].id))
					line(&d, t, &d.box[t][i], t + 1, &d.box[t + 1][k], false);
	boxes_put(&d);
	foot(&d, a, net,
		is->n_cut && is->cut[0].whole ? "Thick: the cheapest set whose refusal isolates it. "
						"Upwards: providers and peers; dashed: "
						"doubtful; dotted: into the core."
					      : "No small set isolates it. Upwards: providers and peers; "
						"dashed: doubtful; dotted: into the "
						"core.");
	unwilling_put(&d, p);
	svg_put(b, "</svg>\n");
}
