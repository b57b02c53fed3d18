/* weir flows, weir forget: list what was recorded; erase what was recorded of a host. */
#include "cli/app.h"

#include <string.h>

#include "base/log.h"

static void marks(char *to, size_t n, const struct flow *f)
{
	(void)snprintf(to, n, "%s%s%s%s", f->head.flags & FLOW_ASSUMED ? " initiator-assumed" : "",
		f->count[0].packets == 0 || f->count[1].packets == 0 ? " half" : "",
		f->head.flags & (FLOW_DERIVED_0 | FLOW_DERIVED_1) ? " derived" : "",
		f->rewrite_of ? " rewritten" : "");
}

static void print_flow(FILE *o, const struct flow *f)
{
	char id[ID_TEXT], text[FLOW_TEXT], when[WALL_TEXT], mark[64], b0[32], b1[32];
	char point[POINT_TEXT];

	marks(mark, sizeof(mark), f);
	(void)wall_text(when, (struct wall){f->head.first_us});
	(void)fprintf(o, "%.12s  %.23sZ %8.1f s  %-48s %8s > %8s < %5zu > %5zu <  %s%s\n",
		id_text(id, &f->head.id), when, (double)(f->last_us - f->head.first_us) / 1e6,
		flow_text(text, &f->head), amount(b0, f->count[0].payload_bytes),
		amount(b1, f->count[1].payload_bytes), f->n_burst[0], f->n_burst[1],
		printable(point, sizeof(point), f->head.point), mark);
}

static enum status list(struct app *a, const struct recording *rec, struct err *e)
{
	enum status s = STATUS_OK;

	if (!a->json && rec->n_flow)
		(void)fprintf(a->out, "%-12s  %-24s %10s  %-48s %8s   %8s   %5s   %5s    %s\n", "ID", "FIRST",
			"LASTS", "FLOW", "PAYLOAD", "", "BURST", "", "POINT");
	for (size_t i = 0; i < rec->n_flow && s == STATUS_OK; i++) {
		if (a->json)
			s = json_out(a, json_flow(a, &rec->flow[i]), e);
		else
			print_flow(a->out, &rec->flow[i]);
	}
	return s;
}

static enum status run_flows(struct app *a, int argc, char **argv, struct err *e)
{
	struct ip host = {0};
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1};
	struct option_row row[] = {{"host", 0, OPTION_IP, &host}, {"port", 0, OPTION_PORT, &q.port},
		{"since", 0, OPTION_TIME, &q.since}, {"until", 0, OPTION_TIME, &q.until}};
	struct recording rec;
	int first;
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "flows: %s: takes options only (--host, --port, --since, --until)",
			argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	q.host = host.v ? &host : NULL;
	q.gap_us = a->cfg.burst_gap_us;
	s = recording_read(&rec, a->w, a->dir, &q, e);
	if (s != STATUS_OK)
		return s;
	s = list(a, &rec, e);
	recording_free(&rec);
	return s;
}

static enum status run_forget(struct app *a, int argc, char **argv, struct err *e)
{
	struct ip host = {0};
	struct option_row row[] = {{"host", 0, OPTION_IP, &host}};
	char text[IP_TEXT], count[32];
	struct err late = {0};
	uint64_t n = 0;
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && (first < argc || !host.v))
		s = err_set(e, STATUS_BAD, "forget: say whose trains to erase: --host ADDRESS");
	if (s == STATUS_OK)
		s = store_forget(a->w, a->dir, &host, &n, e);
	if (s > STATUS_NO)
		return s;
	/* STATUS_NO: something could not be erased, and the message says what */
	if (!a->json)
		(void)fprintf(a->out, "%s: %s flows erased\n", ip_text(text, &host), thousands(count, n));
	else if (json_out(a,
			 json_pack("{s:s, s:I, s:b}", "host", ip_text(text, &host), "flows", (json_int_t)n,
				 "complete", s == STATUS_OK),
			 &late) != STATUS_OK)
		return err_set(e, late.status, "%s", late.text);
	return s;
}

const struct command command_flows = {"flows", "[--host A] [--port P] [--since T] [--until T]",
	"list recorded flows, each with the id that other commands take", run_flows};
const struct command command_forget = {"forget", "--host A", "erase what was recorded of a host", run_forget};
