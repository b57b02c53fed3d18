/* weir scan: which of my hosts relay now?  Every link in the recording, as it is found, host by host. */
#include "cli/app.h"

#include <string.h>
#include <time.h>

#include "base/log.h"

struct scanning {
	struct app *a;
	struct timespec since;
};

static json_t *scan_json(const struct app *a, const struct scan_link *l)
{
	char relay[IP_TEXT];
	json_t *j = json_pack("{s:s, s:o, s:o}", "relay", ip_text(relay, &l->relay), "in",
		json_flow(a, l->in), "out", json_flow(a, l->out));

	json_link(j, &l->link, l->needed);
	if (!ip_equal(&l->relay, &l->relay_out))
		(void)json_object_set_new(j, "relay_out", json_string(ip_text(relay, &l->relay_out)));
	if (strcmp(l->role, "rewritten") == 0)
		(void)json_object_set_new(
			j, "reason", json_string("one flow, seen before and after translation"));
	(void)json_object_set_new(j, "role", json_string(l->role));
	if (*l->role_why)
		(void)json_object_set_new(j, "role_why", json_string(l->role_why));
	return j;
}

/* "relay 192.0.2.1 > 192.0.2.2 (bastion: 412 clients at port 22)" */
static void print_relay(const struct app *a, const struct scan_link *l)
{
	char ip[IP_TEXT];
	bool proven = l->link.verdict == LINK_PROVEN, plain = strcmp(l->role, "relay") == 0 && !*l->role_why;

	(void)fprintf(a->out, "%s %s", proven ? "relay" : "host", ip_text(ip, &l->relay));
	if (!ip_equal(&l->relay, &l->relay_out))
		(void)fprintf(a->out, " > %s", ip_text(ip, &l->relay_out));
	if (proven && !plain)
		(void)fprintf(a->out, " (%s%s%s)", l->role, *l->role_why ? ": " : "", l->role_why);
}

static enum status found(void *self, const struct scan_link *l, struct err *e)
{
	struct app *a = ((struct scanning *)self)->a;
	char text[FLOW_TEXT], n[COUNT_TEXT];

	if (a->json)
		return json_out(a, scan_json(a, l), e);
	progress_end();
	bool proven = l->link.verdict == LINK_PROVEN;
	print_relay(a, l);
	if (strcmp(l->role, "rewritten") == 0)
		(void)fprintf(a->out, "  one flow, seen before and after translation\n");
	else
		(void)fprintf(a->out, "  %s  log10 e %.1f, needed %.1f, lag %.2f ms, %s%s%s\n",
			link_verdict_name(l->link.verdict), l->link.max_log10_e, l->needed,
			(double)l->link.lag_us / 1000, counted(n, l->link.bursts, "burst"),
			proven ? "" : ": ", proven ? "" : link_reason_text(l->link.reason));
	(void)fprintf(a->out, "  in   %s\n", flow_text(text, &l->in->head));
	(void)fprintf(a->out, "  out  %s\n", flow_text(text, &l->out->head));
	return STATUS_OK;
}

static double elapsed(const struct scanning *x)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - x->since.tv_sec) + (double)(now.tv_nsec - x->since.tv_nsec) / 1e9;
}

static void progress(void *self, uint64_t done, uint64_t total)
{
	char d[32], t[32], what[128];
	double left = done ? elapsed(self) * ((double)total / (double)done - 1) : 0;
	int n = snprintf(
		what, sizeof(what), "scanning %s of %s pairs", thousands(d, done), thousands(t, total));

	if (done && n > 0 && (size_t)n < sizeof(what))
		(void)snprintf(what + n, sizeof(what) - (size_t)n, ", %.0f s left", left);
	progress_show(what, done, total);
}

/* How much was searched before ^C, and what was not listed. */
static void print_left_out(const struct scan_sum *s, bool undeclared)
{
	char d[COUNT_TEXT];

	if (s->stopped)
		log_line("stopped: about %.1f %% of the pairs were searched",
			s->pairs ? 100.0 * (double)s->searched / (double)s->pairs : 0);
	if (undeclared && s->declared)
		log_line("left out: %s of declared relays", counted(d, s->declared, "proven link"));
}

static void print_sum(const struct scan_sum *s, bool undeclared)
{
	char f[COUNT_TEXT], h[COUNT_TEXT], p[COUNT_TEXT], l[COUNT_TEXT], d[32], u[32], r[32], n[32];

	log_line("%s, %s with two or more, %s searched, %s tested in full; %s proven (of declared relays: "
		 "%s); undecidable: %s; flows seen twice because of NAT: %s",
		counted(f, s->flows, "flow"), counted(h, s->hosts, "host"), counted(p, s->pairs, "pair"),
		thousands(n, s->tested), counted(l, s->proven, "link"), thousands(d, s->declared),
		thousands(u, s->undecidable), thousands(r, s->rewritten));
	print_left_out(s, undeclared);
}

/* What is proven and withheld is listed nowhere, and must not look like nothing. */
static void say_withheld(const struct scan_sum *s, double alpha)
{
	char n[COUNT_TEXT];

	if (s->withheld)
		log_line("%s withheld: the audit of this recording allows no \"proven\" at alpha %g (weir "
			 "audit says at "
			 "which; --all lists them)",
			counted(n, s->withheld, "pair"), alpha);
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	double alpha = 0;
	struct scanning x = {.a = a};
	struct scan_param p = {.since = WALL_BEGIN,
		.until = WALL_END,
		.stop = &stop_requested,
		.progress = progress,
		.found = found,
		.self = &x};
	struct option_row row[] = {{"alpha", 0, OPTION_ALPHA, &alpha}, {"all", 0, OPTION_FLAG, &p.all},
		{"any-host", 0, OPTION_FLAG, &p.any_host}, {"undeclared", 0, OPTION_FLAG, &p.undeclared},
		{"since", 0, OPTION_TIME, &p.since}, {"until", 0, OPTION_TIME, &p.until}};
	struct tracer *t = NULL;
	struct scan_sum sum = {0};
	int first;
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "scan: %s: takes options only", argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	catch_signals();
	(void)clock_gettime(CLOCK_MONOTONIC, &x.since);
	say_unrecorded(a);
	s = tracer_open(&t, a->w, a->dir, &a->cfg, alpha > 0 ? alpha : a->cfg.alpha, e);
	if (s == STATUS_OK)
		s = trace_scan(t, &p, &sum, e);
	progress_end();
	if (s == STATUS_OK) {
		print_sum(&sum, p.undeclared);
		say_withheld(&sum, alpha > 0 ? alpha : a->cfg.alpha);
	}
	tracer_close(t);
	return s;
}

const struct command command_scan = {"scan",
	"[--alpha A] [--any-host] [--undeclared] [--all] [--since T] [--until T]",
	"every relay in the recording: which of my hosts relay?", run};
