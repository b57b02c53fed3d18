/* What an audit found: a plot, a table, a verdict in plain words, and the same as JSON.
 *
 * The plot is log-log: across 10^k, up the share of pairs that reached it, three lines a decade.  Each k has
 * two columns, pairs moved by whole minutes on the left and by anything on the right.  A point is a share,
 * the bar through it its limits; where no pair got there only the upper limit can be shown. */
#include "cli/audit_print.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define PLOT_DECADES 7
#define PLOT_STEPS   3 /* lines a decade */
#define PLOT_LINES   (PLOT_DECADES * PLOT_STEPS + 1)
#define PLOT_WIDTH   70
#define PLOT_STEP    13 /* columns from k to k + 1 */
#define PLOT_FIRST   8  /* column of k = 1 */
#define PLOT_APART   2  /* each kind this far from it */

enum mark { MARK_NONE, MARK_LINE, MARK_BAR, MARK_TOP, MARK_LOW, MARK_BELOW, MARK_SHARE, MARK_FLAW, MARKS };

static const char *const marks_utf8[MARKS] = {" ", "·", "│", "┬", "┴", "▽", "●", "◆"};
static const char *const marks_ascii[MARKS] = {" ", ".", "|", "-", "-", "v", "o", "#"};

static const char *const moved_name[AUDIT_PARTS] = {
	[AUDIT_MINUTES] = "whole minutes", [AUDIT_FREE] = "any distance", [AUDIT_ALL] = "all"};

/* ---- the plot ---- */

static int line_of(double share)
{
	double l = share > 0 ? -log10(share) * PLOT_STEPS : PLOT_LINES;

	if (l > PLOT_LINES - 1)
		return PLOT_LINES - 1;
	return l < 0 ? 0 : (int)lround(l);
}

static void plot_row(
	enum mark cell[PLOT_LINES][PLOT_WIDTH], int column, const struct audit_row *r, uint64_t reached)
{
	int top = line_of(r->upper), low = line_of(r->lower);

	if (reached == 0) {
		cell[top][column] = MARK_BELOW;
		return;
	}
	for (int y = top; y <= low; y++)
		cell[y][column] = MARK_BAR;
	cell[top][column] = MARK_TOP;
	cell[low][column] = MARK_LOW;
	cell[line_of(r->share)][column] = r->flawed ? MARK_FLAW : MARK_SHARE;
}

static void plot_fill(enum mark cell[PLOT_LINES][PLOT_WIDTH], const struct audit *a)
{
	for (int x = 0; x < PLOT_WIDTH; x++) {
		double k = 1 + (double)(x - PLOT_FIRST) / PLOT_STEP;
		if (k >= 0 && x % 2 == 0)
			cell[line_of(pow(10, -k))][x] = MARK_LINE;
	}
	for (int m = 0; m < AUDIT_ALL; m++) {
		if (a->part[m].able == 0)
			continue;
		int side = m == AUDIT_MINUTES ? -PLOT_APART : PLOT_APART;
		for (int k = 1; k <= AUDIT_TENS; k++)
			plot_row(cell, PLOT_FIRST + (k - 1) * PLOT_STEP + side, &a->part[m].row[k],
				a->part[m].reached[k]);
	}
}

void audit_plot(FILE *o, const struct audit *a, bool utf8)
{
	const char *const *mark = utf8 ? marks_utf8 : marks_ascii;
	enum mark cell[PLOT_LINES][PLOT_WIDTH] = {{MARK_NONE}};
	char ticks[PLOT_WIDTH + 8];

	plot_fill(cell, a);
	(void)fprintf(o, "share of pairs\n");
	for (int y = 0; y < PLOT_LINES; y++) {
		bool decade = y % PLOT_STEPS == 0;
		int n = PLOT_WIDTH;
		while (n > 0 && cell[y][n - 1] == MARK_NONE)
			n--;
		if (decade && y)
			(void)fprintf(o, "  10^-%d %s", y / PLOT_STEPS, utf8 ? "┤" : "+");
		else
			(void)fprintf(o, "%7s %s", y ? "" : "1", utf8 ? (decade ? "┤" : "│") : "|");
		for (int x = 0; x < n; x++)
			(void)fputs(mark[cell[y][x]], o);
		(void)fputc('\n', o);
	}
	(void)memset(ticks, ' ', sizeof(ticks));
	for (int k = 1; k <= AUDIT_TENS; k++) {
		char tick[8];
		int n = snprintf(tick, sizeof(tick), "10^%d", k);
		memcpy(&ticks[PLOT_FIRST + (k - 1) * PLOT_STEP - 1], tick, (size_t)n);
	}
	ticks[PLOT_FIRST + (AUDIT_TENS - 1) * PLOT_STEP + 3] = '\0';
	(void)fprintf(o, "%9s%s\n", "", ticks);
	(void)fprintf(o,
		"        e reached.  %s share, left moved by whole minutes, right by any distance;\n"
		"        %s%s%s 99 %% limits; %s nobody got there, the share is below this; %s 10^-k;\n"
		"        %s above what is allowed\n",
		mark[MARK_SHARE], mark[MARK_TOP], mark[MARK_BAR], mark[MARK_LOW], mark[MARK_BELOW],
		mark[MARK_LINE], mark[MARK_FLAW]);
}

/* ---- words ---- */

static void print_table(FILE *o, const struct audit *a)
{
	char n[32], able[32];

	(void)fprintf(o, "\n%-14s %11s %11s   reached 10^1 .. 10^%d (!: more than may)\n", "moved by",
		"pairs", "able", AUDIT_TENS);
	for (int m = 0; m < AUDIT_PARTS; m++) {
		const struct audit_part *p = &a->part[m];
		(void)fprintf(o, "%-14s %11s %11s  ", moved_name[m], thousands(n, p->pairs),
			thousands(able, p->able));
		for (int k = 1; k <= AUDIT_TENS; k++)
			(void)fprintf(o, " %" PRIu64 "%s", p->reached[k], p->row[k].flawed ? "!" : "");
		(void)fputc('\n', o);
	}
	(void)fprintf(o, "%-38s  ", "upper 99 % limits of the share, all");
	for (int k = 1; k <= AUDIT_TENS; k++)
		(void)fprintf(o, " %.2g", a->part[AUDIT_ALL].row[k].upper);
	(void)fprintf(o, "\nlargest log10 e %.1f", a->max_log10_e);
	if (a->part[AUDIT_ALL].able)
		(void)fprintf(o, ";\namong so many chance gives more than %.1f in at most 1 of 100 audits",
			a->largest_fair);
	(void)fprintf(o, "\ncalled proven at alpha %g without charge: %" PRIu64 "\n", a->alpha, a->proven);
}

static const char *service_text(char to[32], const struct audit_port *p)
{
	char name[8];

	if (p->port)
		(void)snprintf(to, 32, "%s %u", proto_name(name, p->proto), p->port);
	else
		(void)snprintf(to, 32, "%s", proto_name(name, p->proto));
	return to;
}

/* The part where level k is exceeded most; ALL where none is. */
static const struct audit_part *worst_part(const struct audit *a)
{
	const struct audit_part *at = &a->part[AUDIT_ALL];

	for (int m = 0; m < AUDIT_PARTS; m++)
		if (a->part[m].row[a->worst_k].flawed &&
			(!at->row[a->worst_k].flawed ||
				a->part[m].row[a->worst_k].share > at->row[a->worst_k].share))
			at = &a->part[m];
	return at;
}

static void print_ports(FILE *o, const struct audit *a)
{
	char service[32], n[32], able[32];

	if (a->n_port)
		(void)fprintf(o,
			"Services that take part in the excess (pairs that reached 10^%d, of those "
			"able):\n",
			a->worst_k);
	for (size_t i = 0; i < a->n_port; i++)
		(void)fprintf(o, "  %-12s %s of %s\n", service_text(service, &a->port[i]),
			thousands(n, a->port[i].reached[a->worst_k]), thousands(able, a->port[i].able));
}

/* Beyond the table: a share of few pairs at a level above it, or the one that reached most. */
static void print_far(FILE *o, const struct audit *a)
{
	const struct audit_part *all = &a->part[AUDIT_ALL];
	char n[32], able[32];

	for (int k = AUDIT_TENS + 1; k <= AUDIT_LEVELS; k++) {
		for (int m = 0; m < AUDIT_PARTS; m++) {
			const struct audit_part *p = &a->part[m];
			if (!audit_level_flawed(p, k))
				continue;
			(void)fprintf(o,
				"The null does NOT hold on this traffic: of %s pairs that cannot be links\n"
				"%s reached 10^%d; at most one in 10^%d may.\n",
				thousands(able, p->able), thousands(n, p->reached[k]), k, k);
			return;
		}
	}
	(void)fprintf(o,
		"The null does NOT hold on this traffic: of %s pairs that cannot be links\n"
		"one reached 10^%.1f; among so many chance gives more than 10^%.1f in at most\n1 of 100 "
		"audits.\n",
		thousands(able, all->able), a->max_log10_e, a->largest_fair);
}

/* What may be called proven while this finding stands. */
static void print_advice(FILE *o, const struct audit *a, double alpha)
{
	if (a->alpha_most <= 0)
		(void)fprintf(o, "No alpha mends this: trace, scan and plan call nothing proven here.\n");
	else if (alpha > a->alpha_most)
		(void)fprintf(o,
			"Until alpha is corrected trace, scan and plan call nothing proven: for a true\n"
			"error of %g set alpha = %.2g or less (weir.conf, or --alpha).\n",
			a->alpha, alpha_floor(a->alpha_most));
	else
		(void)fprintf(
			o, "The alpha in use, %g, allows for it (%.2g at most).\n", alpha, a->alpha_most);
}

static void print_leg(FILE *o, const char *name, const struct audit_leg *l)
{
	struct flow f = {.head = {.proto = l->proto, .end = {l->end[0], l->end[1]}}, .members = l->members};
	char id[ID_TEXT], text[FLOW_WORDS];

	(void)fprintf(o, "%-4s %.12s  %s\n", name, id_text(id, &l->id), flow_words(text, &f));
}

/* Who may have a look: these flows, and how far they were from each other. */
static void print_worst(FILE *o, const struct audit *a)
{
	char in[AUDIT_POINT], out[AUDIT_POINT];

	if (a->n_worst)
		(void)fprintf(o, "\nPairs that reached most (weir why ID shows a flow of them):\n");
	for (size_t i = 0; i < a->n_worst; i++) {
		const struct audit_pair *p = &a->worst[i];
		(void)fprintf(o, "  10^%-5.1f ", p->log10_e);
		print_leg(o, "in", &p->in);
		(void)fprintf(o, "           ");
		print_leg(o, "out", &p->out);
		(void)fprintf(o, "                OUT moved by %+.3f s; seen at point %s",
			(double)p->move_us / 1e6, printable(in, sizeof(in), p->in.point));
		if (strcmp(p->in.point, p->out.point) != 0)
			(void)fprintf(o, " and %s", printable(out, sizeof(out), p->out.point));
		(void)fputc('\n', o);
	}
}

static void print_flawed(FILE *o, const struct audit *a, double alpha)
{
	const struct audit_part *p = worst_part(a);
	int k = a->worst_k;
	char n[COUNT_TEXT], able[32];

	if (p->row[k].flawed)
		(void)fprintf(o,
			"The null does NOT hold on this traffic: of %s pairs that cannot be links\n"
			"%s reached 10^%d, a share of %.2g (at least %.2g); at most %g may.\n",
			thousands(able, p->able), thousands(n, p->reached[k]), k, p->row[k].share,
			p->row[k].lower, pow(10, -k));
	else
		print_far(o, a);
	print_ports(o, a);
	print_advice(o, a, alpha);
	(void)fprintf(o, "A whole audit of at least %s that finds it well lifts this.\n",
		counted(n, a->lift, "able pair"));
	print_worst(o, a);
}

void audit_print_stands(FILE *o, const struct audit *fresh, const struct audit *old, double alpha)
{
	char when[WALL_TEXT], able[COUNT_TEXT], lift[COUNT_TEXT];

	(void)fprintf(o,
		"\nBut what stands is the audit of %s, which found on\n%s that it does NOT hold.  This one "
		"%s:\n"
		"only a whole one of at least %s lifts it.\n",
		wall_text(when, old->made), counted(able, old->part[AUDIT_ALL].able, "able pair"),
		fresh->stopped ? "was stopped" : "is smaller", counted(lift, old->lift, "able pair"));
	print_advice(o, old, alpha);
}

static void print_little(FILE *o, const struct audit *a)
{
	char n[COUNT_TEXT];

	(void)fprintf(o,
		"Too little traffic to tell: %s could reach anything.  With fewer than %d\n"
		"not even \"at most 1 in 100 reaches 10^2\" can be said.  Record longer, or let\n"
		"--pairs be more.\n",
		counted(n, a->part[AUDIT_ALL].able, "pair"), AUDIT_ABLE_MIN);
}

void audit_print(FILE *o, const struct audit *a, double alpha, bool utf8)
{
	char p[COUNT_TEXT], f[COUNT_TEXT], h[COUNT_TEXT], n[32];

	(void)fprintf(o, "%s that cannot be links (%s, %s);\n%s could have reached 10%s\n\n",
		counted(p, a->part[AUDIT_ALL].pairs, "pair"), counted(f, a->flows, "flow"),
		counted(h, a->hosts, "host"), thousands(n, a->part[AUDIT_ALL].able),
		a->stopped ? "; stopped before the end" : "");
	audit_plot(o, a, utf8);
	print_table(o, a);
	(void)fputc('\n', o);
	if (a->verdict == AUDIT_FLAWED)
		print_flawed(o, a, alpha);
	else if (a->verdict == AUDIT_TOO_LITTLE)
		print_little(o, a);
	else
		(void)fprintf(o,
			"The null holds on %s: no share is above 10^-k, "
			"and the\nlargest is no more than chance gives among so many.\n",
			a->stopped ? "what was drawn" : "this traffic");
}

/* ---- JSON ---- */

static json_t *rows_json(const struct audit_part *p)
{
	json_t *rows = json_array();

	for (int k = 1; k <= AUDIT_TENS; k++)
		(void)json_array_append_new(
			rows, json_pack("{s:i, s:I, s:f, s:f, s:f, s:f, s:b}", "k", k, "reached",
				      (json_int_t)p->reached[k], "share", p->row[k].share, "lower",
				      p->row[k].lower, "upper", p->row[k].upper, "nominal", pow(10, -k),
				      "flawed", (int)p->row[k].flawed));
	return rows;
}

static json_t *services_json(const struct audit *a)
{
	json_t *list = json_array();
	char service[32];

	for (size_t i = 0; a->verdict == AUDIT_FLAWED && i < a->n_port; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:i, s:I, s:I}", "service", service_text(service, &a->port[i]),
				      "k", a->worst_k, "reached", (json_int_t)a->port[i].reached[a->worst_k],
				      "able", (json_int_t)a->port[i].able));
	return list;
}

static json_t *leg_json(const struct audit_leg *l)
{
	struct flow_head head = {.proto = l->proto, .end = {l->end[0], l->end[1]}};
	char id[ID_TEXT], text[FLOW_TEXT], point[AUDIT_POINT];
	json_t *j =
		json_pack("{s:s, s:s, s:s, s:o}", "id", id_text(id, &l->id), "flow", flow_text(text, &head),
			"point", printable(point, sizeof(point), l->point), "first", json_time(l->first_us));

	if (l->members > 1)
		(void)json_object_set_new(j, "members", json_integer(l->members));
	return j;
}

static json_t *worst_json(const struct audit *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_worst; i++)
		(void)json_array_append_new(
			list, json_pack("{s:f, s:f, s:o, s:o}", "log10_e", a->worst[i].log10_e, "moved_s",
				      (double)a->worst[i].move_us / 1e6, "in", leg_json(&a->worst[i].in),
				      "out", leg_json(&a->worst[i].out)));
	return list;
}

/* The alpha at which "proven" is said with the error that was meant; null: at none. */
static json_t *corrected(const struct audit *a)
{
	bool never = a->verdict == AUDIT_FLAWED && a->alpha_most <= 0;

	return never ? json_null() : json_real(fmin(a->alpha, a->alpha_most));
}

json_t *audit_stands_json(const struct audit *a)
{
	if (!a)
		return json_null();
	return json_pack("{s:o, s:s, s:I, s:f, s:o, s:o}", "made", json_time(a->made.us), "verdict",
		audit_verdict_name(a->verdict), "able", (json_int_t)a->part[AUDIT_ALL].able, "alpha_most",
		a->alpha_most, "corrected_alpha", corrected(a), "lift",
		a->lift ? json_integer((json_int_t)a->lift) : json_null());
}

json_t *audit_json(const struct audit *a)
{
	const struct audit_part *all = &a->part[AUDIT_ALL];
	json_t *j = json_pack("{s:I, s:I, s:I, s:I, s:o}", "pairs", (json_int_t)all->pairs, "flows",
		       (json_int_t)a->flows, "hosts", (json_int_t)a->hosts, "able", (json_int_t)all->able,
		       "rows", rows_json(all)),
	       *moved = json_array();

	for (int m = 0; m < AUDIT_ALL; m++)
		(void)json_array_append_new(
			moved, json_pack("{s:s, s:I, s:I, s:o}", "by", moved_name[m], "pairs",
				       (json_int_t)a->part[m].pairs, "able", (json_int_t)a->part[m].able,
				       "rows", rows_json(&a->part[m])));
	(void)json_object_set_new(j, "moved", moved);
	(void)json_object_set_new(j, "max_log10_e", json_real(a->max_log10_e));
	(void)json_object_set_new(j, "largest_fair", json_real(a->largest_fair));
	(void)json_object_set_new(j, "largest_flawed", json_boolean(a->largest_flawed));
	(void)json_object_set_new(j, "worst", worst_json(a));
	(void)json_object_set_new(j, "proven", json_integer((json_int_t)a->proven));
	(void)json_object_set_new(j, "verdict", json_string(audit_verdict_name(a->verdict)));
	(void)json_object_set_new(j, "services", services_json(a));
	(void)json_object_set_new(j, "alpha", json_real(a->alpha));
	(void)json_object_set_new(j, "decay", json_real(a->decay));
	(void)json_object_set_new(j, "alpha_most", json_real(a->alpha_most));
	(void)json_object_set_new(j, "corrected_alpha", corrected(a));
	(void)json_object_set_new(j, "seed", json_integer((json_int_t)a->seed));
	(void)json_object_set_new(j, "made", json_time(a->made.us));
	(void)json_object_set_new(j, "stopped", json_boolean(a->stopped));
	return j;
}
