/* The front of a plan as a picture (SVG 1.1): collateral to the right, the share of the attack that stops
 * upwards, every option a numbered point, and the numbers again in rows below.
 *
 * Points of one place are stacked and tied to it by a line; a number goes where it hides nothing. Nothing
 * here depends on anything but the plan, so that the same plan gives the same bytes.  Texts are made
 * printable and escaped: XML allows neither control characters nor a bare '<'. */
#include "cli/plan_print.h"
#include "cli/svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The picture in its own units. */
#define WIDTH         960
#define LEFT          90.0
#define RIGHT         930.0
#define TOP           84.0
#define BOTTOM        400.0
#define PAD           26.0 /* between the axes and the points at 0 */
#define LEGEND_Y      472.0
#define ROWS_Y        530.0
#define ROW_HEIGHT    19.0
#define ROWS_MAX      16 /* options that are written out below */
#define ENDS_TEXT     60 /* bytes of the texts that are cut where they are longer */
#define HELP_TEXT     24
#define REFUSING_TEXT 120
#define RULE_SHOWN    56

#define MARK          7.5 /* half of a mark's size */
#define MARK_MANY     5.0 /* where there are more than MANY */
#define MANY          20
#define MARKED        9.5  /* of the marked one's */
#define APART         21.0 /* between marks of one place */
#define STACK_STEP    1.0  /* in which a free place is looked for, above and below */
#define LABEL_HEIGHT  13.0 /* of a number */
#define LABEL_DIGIT   8.5  /* width of a digit */
#define FAR           24.0 /* a number farther than this from its mark is tied to it */
#define LINEAR_TO     30   /* collateral above this is shown on a logarithmic axis */
#define OBSTACLES_MAX (4 * PLAN_OPTIONS + 4)

struct spot {
	double x, y;
};

struct box {
	double x0, y0, x1, y1;
};

struct picture {
	struct buf *to;
	const struct plan *plan;
	bool log;    /* the axis of collateral */
	double most; /* its end */
	double half; /* of a mark's size */
	struct spot mark[PLAN_OPTIONS], label[PLAN_OPTIONS];
	struct box taken[OBSTACLES_MAX];
	size_t n_taken;
};

/* ---- text ---- */

/* "98 %": what is not all is not shown as 100. */
static const char *percent(char to[16], double share)
{
	double v = 100 * share;

	(void)snprintf(to, 16, "%.*f %%", v > 99 && v < 100 ? 1 : 0, v > 99.9 && share < 1 ? 99.9 : v);
	return to;
}

/* ---- the axes ---- */

static double x_of(const struct picture *g, double collateral)
{
	double share = g->log ? log10(1 + collateral) / log10(1 + g->most) : collateral / g->most;

	return LEFT + PAD + share * (RIGHT - LEFT - 2 * PAD);
}

static double y_of(double stops)
{
	return BOTTOM - PAD - stops * (BOTTOM - TOP - PAD);
}

static struct spot spot_of(const struct picture *g, const struct option *o)
{
	return (struct spot){x_of(g, (double)o->collateral), y_of(o->stops)};
}

/* Linear to a round number above the most, or logarithmic (of 1 + collateral: most fronts begin at 0) to a
 * power of ten. */
static void scale(struct picture *g)
{
	uint64_t most = 0;

	for (size_t i = 0; i < g->plan->n_option; i++)
		if (g->plan->option[i].collateral > most)
			most = g->plan->option[i].collateral;
	g->log = most > LINEAR_TO;
	g->most = most <= 5 ? 5 : most <= 10 ? 10 : LINEAR_TO;
	if (g->log)
		for (g->most = 100; g->most < (double)most;)
			g->most *= 10;
}

static void tick(struct picture *g, double at)
{
	char text[32];
	double x = x_of(g, at);

	svg_put(g->to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"" SVG_FAINT "\"/>\n",
		x, TOP, x, BOTTOM);
	svg_put(g->to,
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"" SVG_MIDDLE "\">%s</text>\n", x,
		BOTTOM + 18, thousands(text, (uint64_t)at));
}

static void axes(struct picture *g)
{
	double step = g->most <= 5 ? 1 : g->most <= 10 ? 2 : 5;

	if (g->log) {
		tick(g, 0);
		for (double at = 1; at <= g->most; at *= 10)
			tick(g, at);
	} else {
		for (double at = 0; at <= g->most; at += step)
			tick(g, at);
	}
	for (int share = 0; share <= 100; share += 25) {
		double y = y_of(share / 100.0);
		svg_put(g->to,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"" SVG_FAINT "\"/>\n",
			LEFT, y, RIGHT, y);
		svg_put(g->to,
			"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"" SVG_MIDDLE
			"\">%d %%</text>\n",
			LEFT - 8, y + 4, share);
	}
	svg_put(g->to, "<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"" SVG_MIDDLE "\"/>\n", LEFT,
		TOP, BOTTOM, RIGHT);
	svg_put(g->to,
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">collateral: bystander flows, and one "
		"more for "
		"each address that is or may be shared%s</text>\n",
		(LEFT + RIGHT) / 2, BOTTOM + 40, g->log ? " (logarithmic)" : "");
	svg_put(g->to,
		"<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\">share of the "
		"attack "
		"that stops</text>\n",
		LEFT - 56, (TOP + BOTTOM) / 2);
}

/* ---- the places of marks and numbers ---- */

static void take(struct picture *g, double x0, double y0, double x1, double y1)
{
	if (g->n_taken < OBSTACLES_MAX)
		g->taken[g->n_taken++] = (struct box){x0, y0, x1, y1};
}

static bool is_free(const struct picture *g, const struct box *b)
{
	if (b->x0 < LEFT + 2 || b->x1 > RIGHT || b->y0 < TOP - 20 || b->y1 > BOTTOM - 2)
		return false;
	for (size_t i = 0; i < g->n_taken; i++) {
		const struct box *t = &g->taken[i];
		if (b->x0 < t->x1 && b->x1 > t->x0 && b->y0 < t->y1 && b->y1 > t->y0)
			return false;
	}
	return true;
}

static bool free_at(const struct picture *g, struct spot s, double width, double height)
{
	struct box b = {s.x - width / 2, s.y - height / 2, s.x + width / 2, s.y + height / 2};

	return is_free(g, &b);
}

/* A free place for a box of this size at its middle, on rings around `at`, the first of `from` radius; where
 * none is free, at itself. */
static struct spot place_near(
	const struct picture *g, struct spot at, double width, double height, double from)
{
	static const double turn[] = {-45, 0, -90, 45, -135, 90, 180, 135, -20, -70, 20, -110};
	const double degree = acos(-1) / 180;

	for (double r = from; r < from + 8 * APART; r += APART / 3)
		for (size_t k = 0; k < sizeof(turn) / sizeof(turn[0]); k++) {
			struct spot s = {at.x + r * cos(turn[k] * degree), at.y + r * sin(turn[k] * degree)};
			if (free_at(g, s, width, height))
				return s;
		}
	return at;
}

/* Marks of one place are stacked: beside each other one would look cheaper than the other.  Downwards first,
 * since most of them stand at the top. */
static struct spot place_stacked(const struct picture *g, struct spot at, double size)
{
	for (int k = 0; k <= 2 * (int)((BOTTOM - TOP) / STACK_STEP); k++) {
		struct spot s = {at.x, at.y + (k % 2 ? 1 : -1) * ((k + 1) / 2) * STACK_STEP};
		if (free_at(g, s, size, size))
			return s;
	}
	return place_near(g, at, size, size, size);
}

static void place_mark(struct picture *g, size_t i)
{
	double half = g->plan->option[i].marked ? MARKED : g->half;
	struct spot s = place_stacked(g, spot_of(g, &g->plan->option[i]), 2 * half + 2);

	g->mark[i] = s;
	take(g, s.x - half - 1, s.y - half - 1, s.x + half + 1, s.y + half + 1);
}

static void place_label(struct picture *g, size_t i)
{
	double width = LABEL_DIGIT * (g->plan->option[i].k > 9 ? 2 : 1) + 4;
	struct spot s = place_near(g, g->mark[i], width, LABEL_HEIGHT,
		(g->plan->option[i].marked ? MARKED : g->half) + 2 + LABEL_HEIGHT / 2);

	g->label[i] = s;
	take(g, s.x - width / 2, s.y - LABEL_HEIGHT / 2, s.x + width / 2, s.y + LABEL_HEIGHT / 2);
}

/* The marked one stands where it belongs, whoever else does. */
static void places(struct picture *g)
{
	const struct plan *p = g->plan;

	for (int marked = 1; marked >= 0; marked--)
		for (size_t i = 0; i < p->n_option; i++)
			if (p->option[i].marked == marked)
				place_mark(g, i);
}

/* ---- the front ---- */

/* The most that stops at each collateral, as stairs; no number is put on them. */
static void stairs(struct picture *g)
{
	const struct plan *p = g->plan;
	struct spot last = {0, BOTTOM};

	for (size_t i = 0; i < p->n_option; i++) {
		struct spot s = spot_of(g, &p->option[i]);
		if (i && s.y >= last.y)
			continue;
		svg_put(g->to,
			i ? "H%.1fV%.1f"
			  : "<path fill=\"none\" stroke=\"" SVG_MIDDLE
			    "\" stroke-width=\"1.5\" d=\"M%.1f %.1f",
			s.x, s.y);
		if (i)
			take(g, last.x, last.y - 2, s.x, last.y + 2);
		take(g, s.x - 2, s.y, s.x + 2, i ? last.y : s.y + 1);
		last = s;
	}
	if (p->n_option) {
		svg_put(g->to, "H%.1f\"/>\n", RIGHT);
		take(g, last.x, last.y - 2, RIGHT, last.y + 2);
	}
}

/* ---- marks ---- */

static void shape(struct picture *g, struct spot s, bool marked, bool help, bool sufficient)
{
	double half = marked ? MARKED : g->half;
	const char *fill = marked ? SVG_GOOD : sufficient ? SVG_PALE : "#ffffff";
	const char *line = sufficient ? "stroke=\"" SVG_GOOD "\" stroke-width=\"1.6\""
				      : "stroke=\"" SVG_LACK
					"\" stroke-width=\"2\" stroke-dasharray=\"3.5 2.5\"";

	if (help)
		svg_put(g->to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" %s",
			s.x - half, s.y - half, 2 * half, 2 * half, fill, line);
	else
		svg_put(g->to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" %s", s.x, s.y, half,
			fill, line);
}

static void tie(struct picture *g, struct spot a, struct spot b)
{
	svg_put(g->to,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"" SVG_MIDDLE
		"\" stroke-width=\"0.8\"/>\n",
		a.x, a.y, b.x, b.y);
}

static double away(struct spot a, struct spot b)
{
	return hypot(a.x - b.x, a.y - b.y);
}

static void ties(struct picture *g, size_t i)
{
	struct spot at = spot_of(g, &g->plan->option[i]);

	if (away(at, g->mark[i]) > 1) {
		tie(g, at, g->mark[i]);
		svg_put(g->to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2\" fill=\"" SVG_MIDDLE "\"/>\n", at.x,
			at.y);
	}
	if (away(g->mark[i], g->label[i]) > FAR)
		tie(g, g->mark[i], g->label[i]);
}

static void point(struct picture *g, size_t i)
{
	const struct option *o = &g->plan->option[i];
	char share[16], n[32];

	shape(g, g->mark[i], o->marked, o->n_needs > 0, o->sufficient);
	svg_put(g->to, "><title>option %" PRIu32 ": %s stops, collateral %s</title></%s>\n", o->k,
		percent(share, o->stops), thousands(n, o->collateral), o->n_needs ? "rect" : "circle");
	svg_put(g->to,
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-weight=\"bold\">%" PRIu32
		"</text>\n",
		g->label[i].x, g->label[i].y + 4.5, o->k);
}

/* ---- words ---- */

/* Whom --unwilling named, as far as there is room. */
static void refusing(struct picture *g)
{
	const struct plan *p = g->plan;
	char list[REFUSING_TEXT + 1], safe[6 * REFUSING_TEXT + 16];
	size_t n = 0;

	for (size_t i = 0; i < p->n_unwilling && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", p->unwilling[i]);
	if (p->n_unwilling)
		svg_put(g->to,
			"<text x=\"%.1f\" y=\"70\" font-size=\"12\" fill=\"" SVG_MIDDLE
			"\">not counting on: %s</text>\n",
			LEFT, svg_escaped(safe, REFUSING_TEXT, list));
}

static void head(struct picture *g, const struct id *id, double height)
{
	const struct plan *p = g->plan;
	char text[ID_TEXT], case_id[ID_TEXT], made[WALL_TEXT], ends[6 * ENDS_TEXT + 16], n[COUNT_TEXT];

	(void)id_text(case_id, &p->case_id);
	svg_put(g->to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%.0f\" "
		"viewBox=\"0 0 %d %.0f\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" "
		"font-size=\"13\" fill=\"" SVG_INK "\">\n",
		WIDTH, height, WIDTH, height);
	svg_put(g->to, "<title>Plan %.12s of case %.12s</title>\n", id_text(text, id), case_id);
	svg_put(g->to, "<rect width=\"%d\" height=\"%.0f\" fill=\"#ffffff\"/>\n", WIDTH, height);
	svg_put(g->to,
		"<text x=\"%.1f\" y=\"32\" font-size=\"18\" font-weight=\"bold\">Case %.12s: attack stopped "
		"against "
		"collateral</text>\n",
		LEFT, case_id);
	svg_put(g->to,
		"<text x=\"%.1f\" y=\"54\" fill=\"" SVG_MIDDLE "\">plan %.12s, made %.19sZ; %s%s%s</text>\n",
		LEFT, text, wall_text(made, p->made), counted(n, p->attacks, "attack flow"),
		*p->ends ? "; the trace ends in " : "", svg_escaped(ends, ENDS_TEXT, p->ends));
	refusing(g);
}

static void legend(struct picture *g)
{
	static const struct {
		double x;
		bool marked, help, sufficient;
		const char *text;
	} entry[] = {{LEFT, true, false, true, "marked"}, {LEFT + 110, false, false, true, "here alone"},
		{LEFT + 240, false, true, true, "needs help"},
		{LEFT + 370, false, false, false, "evidence does not suffice"}};

	for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
		shape(g, (struct spot){entry[i].x + MARKED, LEGEND_Y}, entry[i].marked, entry[i].help,
			entry[i].sufficient);
		svg_put(g->to, "/>\n<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", entry[i].x + 2 * MARKED + 8,
			LEGEND_Y + 4.5, entry[i].text);
	}
	svg_put(g->to, "<path d=\"M%.1f %.1fh24\" stroke=\"" SVG_MIDDLE "\" stroke-width=\"1.5\"/>\n",
		LEFT + 606, LEGEND_Y);
	svg_put(g->to, "<text x=\"%.1f\" y=\"%.1f\">the front</text>\n", LEFT + 638, LEGEND_Y + 4.5);
	svg_put(g->to, "<text x=\"%.1f\" y=\"%.1f\">stacked: one place</text>\n", LEFT + 718, LEGEND_Y + 4.5);
}

/* Where the columns of the rows begin. */
enum { COLUMN_K, COLUMN_STOPS, COLUMN_COLLATERAL, COLUMN_RULE, COLUMN_HELP, COLUMN_EVIDENCE };
static const double column[] = {LEFT, LEFT + 54, LEFT + 112, LEFT + 190, LEFT + 586, LEFT + 762};

static void cell(struct picture *g, size_t at, double y, const char *fill, const char *text)
{
	svg_put(g->to, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" font-size=\"12\">%s</text>\n", column[at], y,
		fill, text);
}

/* "drop from 203.0.113.10/32 to any tcp 22 and 2 more" */
static const char *rules_text(char to[6 * RULE_SHOWN + 64], const struct option *o)
{
	char rule[RULE_TEXT], text[6 * RULE_SHOWN + 16];

	if (o->n_action == 0)
		return "none";
	(void)svg_escaped(
		text, o->n_action > 1 ? RULE_SHOWN - 12 : RULE_SHOWN, rule_text(rule, &o->action[0].rule));
	if (o->n_action == 1)
		(void)snprintf(to, 6 * RULE_SHOWN + 64, "%s", text);
	else
		(void)snprintf(to, 6 * RULE_SHOWN + 64, "%s and %zu more", text, o->n_action - 1);
	return to;
}

static void row(struct picture *g, const struct option *o, double y)
{
	char share[16], n[32], rules[6 * RULE_SHOWN + 64], help[6 * HELP_TEXT + 24], k[16];
	const char *fill = o->marked ? SVG_GOOD : SVG_INK;

	(void)snprintf(k, sizeof(k), "%s%" PRIu32, o->marked ? "&gt; " : "", o->k);
	cell(g, COLUMN_K, y, fill, k);
	cell(g, COLUMN_STOPS, y, fill, percent(share, o->stops));
	cell(g, COLUMN_COLLATERAL, y, fill, thousands(n, o->collateral));
	cell(g, COLUMN_RULE, y, fill, rules_text(rules, o));
	if (o->n_needs)
		(void)svg_escaped(help, o->n_needs > 1 ? HELP_TEXT - 6 : HELP_TEXT, o->needs[0]);
	if (o->n_needs > 1)
		(void)snprintf(help + strlen(help), 24, " +%zu", o->n_needs - 1);
	cell(g, COLUMN_HELP, y, fill, o->n_needs ? help : "nobody");
	cell(g, COLUMN_EVIDENCE, y, o->sufficient ? fill : SVG_LACK,
		o->sufficient ? "sufficient" : "insufficient");
}

static void rows(struct picture *g)
{
	static const char *const name[] = {"option", "stops", "collateral", "rules", "help of", "evidence"};
	size_t n = g->plan->n_option;
	char more[48];

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		cell(g, i, ROWS_Y - ROW_HEIGHT, SVG_MIDDLE, name[i]);
	for (size_t i = 0; i < n && i < ROWS_MAX; i++)
		row(g, &g->plan->option[i], ROWS_Y + ROW_HEIGHT * (double)i);
	(void)snprintf(more, sizeof(more), "... %zu more", n > ROWS_MAX ? n - ROWS_MAX : 0);
	if (n > ROWS_MAX)
		cell(g, COLUMN_K, ROWS_Y + ROW_HEIGHT * ROWS_MAX, SVG_MIDDLE, more);
}

void plan_svg(struct buf *to, const struct plan *p, const struct id *id)
{
	struct picture *g = calloc(1, sizeof(*g));
	size_t n = p->n_option < ROWS_MAX ? p->n_option : ROWS_MAX + 1;

	if (!g) {
		to->failed = true;
		return;
	}
	g->to = to;
	g->plan = p;
	g->half = p->n_option > MANY ? MARK_MANY : MARK;
	scale(g);
	head(g, id, ROWS_Y + ROW_HEIGHT * (double)n + 6);
	axes(g);
	places(g);
	stairs(g);
	for (size_t i = 0; i < p->n_option; i++)
		place_label(g, i);
	for (size_t i = 0; i < p->n_option; i++)
		ties(g, i);
	for (size_t i = 0; i < p->n_option; i++)
		point(g, i);
	legend(g);
	rows(g);
	svg_put(g->to, "</svg>\n");
	free(g);
}
