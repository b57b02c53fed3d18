/* weir flows, weir forget: list what was recorded; erase what was recorded of a host. */
#include "cli/app.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "case/blob.h"
#include "cli/networks.h"

static void marks(char *to, size_t n, const struct flow *f)
{
	(void)snprintf(to, n, "%s%s%s%s", f->head.flags & FLOW_ASSUMED ? " assumed" : "",
		f->count[0].packets == 0 || f->count[1].packets == 0 ? " half" : "",
		f->head.flags & (FLOW_DERIVED_0 | FLOW_DERIVED_1) ? " derived" : "",
		f->rewrite_of ? " rewritten" : "");
}

/* "999", "1.2k", "34M": three or four characters that say how much. */
static const char *short_amount(char to[16], uint64_t v)
{
	static const char unit[] = " kMGTPE";
	double x = (double)v;
	size_t k = 0;

	for (; x >= 999.5; k++)
		x /= 1000;
	(void)snprintf(to, 16, k && x < 9.95 ? "%.1f%.*s" : "%.0f%.*s", x, k > 0, &unit[k]);
	return to;
}

/* Columns of the list: as wide as what stands in them. */
struct widths {
	int lasts, flow, burst, point; /* point 0: the last column, as wide as it is */
};

static void widen(int *width, int n)
{
	*width = n > *width ? n : *width;
}

#define POINT_WORDS (POINT_TEXT + 64)

static double lasts(const struct flow *f)
{
	return (double)(f->last_us - f->head.first_us) / 1e6;
}

/* The point's name and the marks. */
static const char *point_of(char to[POINT_WORDS], const struct flow *f)
{
	char mark[64], point[POINT_TEXT];

	marks(mark, sizeof(mark), f);
	(void)snprintf(to, POINT_WORDS, "%s%s", printable(point, sizeof(point), f->head.point), mark);
	return to;
}

static struct widths widths_of(const struct recording *rec, bool networks)
{
	struct widths w = {(int)strlen("LASTS"), (int)strlen("FLOW"), (int)strlen("> BURSTS <") / 2 - 1,
		networks ? (int)strlen("POINT") + 2 : 0};
	char text[FLOW_TEXT], point[POINT_WORDS];

	for (size_t i = 0; i < rec->n_flow; i++) {
		const struct flow *f = &rec->flow[i];
		widen(&w.lasts, snprintf(NULL, 0, "%.1f s", lasts(f)));
		widen(&w.flow, (int)strlen(flow_text(text, &f->head)));
		widen(&w.burst, snprintf(NULL, 0, "%zu", f->n_burst[0]));
		widen(&w.burst, snprintf(NULL, 0, "%zu", f->n_burst[1]));
		if (networks)
			widen(&w.point, (int)strlen(point_of(point, f)));
	}
	return w;
}

/* What goes from initiator to responder stands under >, what comes back under <. */
static void print_header(FILE *o, const struct widths *w)
{
	int pad = 2 * w->burst + 1 - (int)strlen("> BURSTS <"), point = w->point - (abs(pad) - pad);

	(void)fprintf(o, "%-10s %-20s %*s %-*s > PAYLOAD < %*s%s %-*s%s\n", "ID", "FIRST", w->lasts, "LASTS",
		w->flow, "FLOW", pad, "", "> BURSTS <", w->point ? point : 0, "POINT",
		w->point ? " NETWORKS" : "");
}

static void print_flow(struct app *a, const struct flow *f, const struct widths *w)
{
	char id[ID_TEXT], text[FLOW_TEXT], when[WALL_TEXT], b0[16], b1[16], point[POINT_WORDS];
	char from[NETWORK_TEXT], to[NETWORK_TEXT];

	(void)wall_text(when, (struct wall){f->head.first_us});
	(void)fprintf(a->out, "%.10s %.19sZ %*.1f s %-*s %5s %5s %*zu %*zu %-*s", id_text(id, &f->head.id),
		when, w->lasts - 2, lasts(f), w->flow, flow_text(text, &f->head),
		short_amount(b0, f->count[0].payload_bytes), short_amount(b1, f->count[1].payload_bytes),
		w->burst, f->n_burst[0], w->burst, f->n_burst[1], w->point, point_of(point, f));
	if (w->point)
		(void)fprintf(a->out, " %s > %s", networks_short(from, a, &f->head.end[0].ip),
			networks_short(to, a, &f->head.end[1].ip));
	(void)fputc('\n', a->out);
}

static enum status list(struct app *a, const struct recording *rec, bool networks, struct err *e)
{
	struct widths w = {0};
	enum status s = STATUS_OK;

	if (!a->json && rec->n_flow) {
		w = widths_of(rec, networks);
		print_header(a->out, &w);
	}
	for (size_t i = 0; i < rec->n_flow && s == STATUS_OK && !ferror(a->out); i++) {
		if (a->json)
			s = json_out(a, json_flow(a, &rec->flow[i]), e);
		else
			print_flow(a, &rec->flow[i], &w);
	}
	return s;
}

/* In JSON wherever there is a map, in text where it is asked for: the line is long as it is. */
static enum status networks_wanted(struct app *a, bool asked, struct err *e)
{
	if ((asked || a->json) && !networks_stream(a) && asked)
		return err_set(
			e, STATUS_NO, "--networks: there is no map to name them by (weir map load FILE...)");
	return STATUS_OK;
}

static enum status run_flows(struct app *a, int argc, char **argv, struct err *e)
{
	struct ip host = {0};
	bool networks = false;
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1};
	struct option_row row[] = {{"host", 0, OPTION_IP, &host}, {"port", 0, OPTION_PORT, &q.port},
		{"since", 0, OPTION_TIME, &q.since}, {"until", 0, OPTION_TIME, &q.until},
		{"networks", 0, OPTION_FLAG, &networks}};
	struct recording rec;
	int first;
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD,
			"flows: %s: takes options only (--host, --port, --since, --until, --networks)",
			argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	say_unrecorded(a);
	q.host = host.v ? &host : NULL;
	q.gap_us = a->cfg.burst_gap_us;
	s = recording_read(&rec, a->w, a->dir, &q, e);
	if (s != STATUS_OK)
		return s;
	s = networks_wanted(a, networks, e);
	if (s == STATUS_OK)
		s = networks_end(a, list(a, &rec, networks, e), e);
	recording_free(&rec);
	return s;
}

/* What `weir forget` has erased. */
struct forgotten {
	struct ip host;
	uint64_t flows, blobs;
	bool complete;
};

/* The database keeps what was reported and claimed: that is the operator's word, and no recording. */
static void print_forgotten(struct app *a, const struct forgotten *f)
{
	char text[IP_TEXT], flows[COUNT_TEXT], blobs[COUNT_TEXT], path[4096];
	int k = snprintf(path, sizeof(path), "%s/weir.db", a->dir);

	(void)fprintf(a->out, "%s: %s erased\n", ip_text(text, &f->host), counted(flows, f->flows, "flow"));
	if (f->blobs > 0)
		(void)fprintf(a->out, "%s of claims and bundles erased\n", counted(blobs, f->blobs, "file"));
	if (k > 0 && (size_t)k < sizeof(path) && access(path, F_OK) == 0)
		(void)fprintf(a->out, "cases and claims that name it keep its address (%s)\n", path);
}

static enum status forgotten_json(struct app *a, const struct forgotten *f, struct err *e)
{
	char text[IP_TEXT];

	return json_out(a,
		json_pack("{s:s, s:I, s:I, s:b}", "host", ip_text(text, &f->host), "flows",
			(json_int_t)f->flows, "blobs", (json_int_t)f->blobs, "complete", f->complete),
		e);
}

/* STATUS_NO: something could not be erased, and the message says what; the rest is. */
static enum status all_forget(struct app *a, struct forgotten *f, struct err *e)
{
	struct err late = {0};
	enum status s = store_forget(a->w, a->dir, &f->host, &f->flows, e), r;

	if (s > STATUS_NO)
		return s;
	r = blob_forget(a->w, a->dir, &f->host, &f->blobs, &late);
	f->complete = s == STATUS_OK && r == STATUS_OK;
	if (r == STATUS_OK)
		return s;
	if (s == STATUS_NO)
		log_line("%s", e->text);
	*e = late;
	return r;
}

static enum status run_forget(struct app *a, int argc, char **argv, struct err *e)
{
	struct forgotten f = {0};
	struct option_row row[] = {{"host", 0, OPTION_IP, &f.host}};
	struct err late = {0};
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && (first < argc || !f.host.v))
		s = err_set(e, STATUS_BAD, "forget: say whose trains to erase: --host ADDRESS");
	if (s == STATUS_OK)
		s = all_forget(a, &f, e);
	if (s > STATUS_NO)
		return s;
	if (!a->json)
		print_forgotten(a, &f);
	else if (forgotten_json(a, &f, &late) != STATUS_OK)
		return err_set(e, late.status, "%s", late.text);
	return s;
}

const struct command command_flows = {"flows", "[--host A] [--port P] [--since T] [--until T] [--networks]",
	"list recorded flows, each with the id that other commands take", run_flows};
const struct command command_forget = {"forget", "--host A", "erase what was recorded of a host", run_forget};
