/* weir scan: which of my hosts relay now?  Every link in the recording, as it is found, host by host. */
#include "cli/app.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/networks.h"
#include "trace/limit.h"

struct scanning {
	struct app *a;
	struct timespec since;
};

/* Seen before and after translation: no pair that was tested. */
static const char rewritten[] = "one flow, seen before and after translation";

/* Why it is not proven, with how many bursts there are where so few are that the test did not read them. */
static char *say_reason(char *to, size_t n, const struct scan_link *l)
{
	struct link_result r = l->link;

	if (!l->pair) {
		(void)snprintf(to, n, "%s", rewritten);
		return to;
	}
	if (r.reason == LINK_REASON_FEW_BURSTS && r.bursts == 0)
		r.bursts = (uint32_t)relink_bursts(l->pair);
	return link_reason_say(to, n, &r, l->needed);
}

/* A limit costs some ten tests: not of the many pairs that had no chance, of which there are most with --all.
 */
static bool has_limit(const struct scan_link *l)
{
	return l->pair && l->link.reason != LINK_REASON_FEW_BURSTS &&
	       l->link.reason != LINK_REASON_NO_OVERLAP;
}

static json_t *scan_json(const struct app *a, const struct scan_link *l)
{
	char relay[IP_TEXT], why[LIMIT_TEXT];
	json_t *j = json_pack("{s:s, s:o, s:o}", "relay", ip_text(relay, &l->relay), "in",
		json_flow(a, l->in), "out", json_flow(a, l->out));

	json_link(j, &l->link, l->needed);
	if (!ip_equal(&l->relay, &l->relay_out))
		(void)json_object_set_new(j, "relay_out", json_string(ip_text(relay, &l->relay_out)));
	if (l->link.verdict != LINK_PROVEN)
		(void)json_object_set_new(j, "reason", json_string(say_reason(why, sizeof(why), l)));
	if (has_limit(l))
		json_limit(j, l->pair);
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

static void print_limit(const struct app *a, const struct scan_link *l)
{
	struct relink_room room = {0};
	struct limit limit;
	struct err e;
	char text[LIMIT_TEXT];
	bool good = limit_find(&room, l->pair, &limit, &e) == STATUS_OK;

	limit.unproven = l->link.verdict != LINK_PROVEN;
	if (good)
		(void)fprintf(a->out, "  limit  %s\n", limit_text(text, sizeof(text), &limit, l->needed));
	relink_free(&room);
}

static void print_numbers(const struct app *a, const struct scan_link *l)
{
	char n[COUNT_TEXT];

	(void)fprintf(a->out, "  log10 e %.1f, needed %.1f, lag %.2f ms, %s", l->link.max_log10_e, l->needed,
		(double)l->link.lag_us / 1000, counted(n, l->link.bursts, "burst"));
}

static void ends_seen(struct app *a, const struct flow *f)
{
	for (int i = 0; i < 2; i++)
		networks_seen(a, &f->head.end[i].ip);
}

static enum status found(void *self, const struct scan_link *l, struct err *e)
{
	struct app *a = ((struct scanning *)self)->a;
	char text[FLOW_WORDS], why[LIMIT_TEXT];

	if (a->json)
		return json_out(a, scan_json(a, l), e);
	progress_end();
	ends_seen(a, l->in);
	ends_seen(a, l->out);
	bool proven = l->link.verdict == LINK_PROVEN;
	print_relay(a, l);
	if (l->pair) {
		(void)fprintf(a->out, "  %s", link_verdict_name(l->link.verdict));
		print_numbers(a, l);
	}
	(void)fprintf(a->out, "%s%s\n",
		proven    ? ""
		: l->pair ? ": "
			  : "  ",
		proven ? "" : say_reason(why, sizeof(why), l));
	(void)fprintf(a->out, "  in   %s\n", flow_words(text, l->in));
	(void)fprintf(a->out, "  out  %s\n", flow_words(text, l->out));
	if (has_limit(l))
		print_limit(a, l);
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

/* "1,571 pairs searched"; "about 300 of 1,571 pairs searched" after ^C. */
static void say_searched(char *to, size_t size, const struct scan_sum *s)
{
	char n[32], p[COUNT_TEXT];

	if (s->stopped)
		(void)snprintf(to, size, "about %s of %s searched", thousands(n, s->searched),
			counted(p, s->pairs, "pair"));
	else
		(void)snprintf(to, size, "%s searched", counted(p, s->pairs, "pair"));
}

/* What is not listed, and must not look like nothing. */
static void print_left_out(const struct scan_sum *s, bool undeclared, double alpha)
{
	char n[COUNT_TEXT];

	if (undeclared && s->declared)
		log_line("left out: %s of declared relays", counted(n, s->declared, "proven link"));
	if (s->rivals)
		log_line("%s withheld: another flow explains the same out-leg as well or better, so that "
			 "nobody is named (--all lists them)",
			counted(n, s->rivals, "pair"));
	if (s->withheld)
		log_line("%s withheld: the audit of this recording allows no \"proven\" at alpha %g (weir "
			 "audit says at which; --all lists them)",
			counted(n, s->withheld, "pair"), alpha);
	if (s->stopped)
		log_line("stopped: what is listed may have rivals that were not looked at");
}

static void print_sum(const struct scan_sum *s)
{
	char f[COUNT_TEXT], h[COUNT_TEXT], p[128], l[COUNT_TEXT], d[32], u[32], r[32], n[32];

	say_searched(p, sizeof(p), s);
	log_line("%s%s, %s with two or more, %s, %s tested in full; %s proven (of declared relays: %s); "
		 "undecidable: %s; flows seen twice because of NAT: %s",
		s->stopped ? "stopped: " : "", counted(f, s->flows, "flow"), counted(h, s->hosts, "host"), p,
		thousands(n, s->tested), counted(l, s->proven, "link"), thousands(d, s->declared),
		thousands(u, s->undecidable), thousands(r, s->rewritten));
}

/* The last line of JSON after ^C: whoever reads it must not take a part for the whole. */
static enum status json_stopped(struct app *a, const struct scan_sum *s, struct err *e)
{
	return json_out(a,
		json_pack("{s:b, s:I, s:I}", "stopped", 1, "searched", (json_int_t)s->searched, "pairs",
			(json_int_t)s->pairs),
		e);
}

static enum status scan(struct app *a, const struct scan_param *p, double alpha, struct err *e)
{
	struct tracer *t = NULL;
	struct scan_sum sum = {0};
	enum status s = tracer_open(&t, a->w, a->dir, &a->cfg, alpha, e);

	if (s == STATUS_OK)
		s = trace_scan(t, p, &sum, e);
	progress_end();
	if (s == STATUS_OK) {
		print_sum(&sum);
		print_left_out(&sum, p->undeclared, alpha);
	}
	if (s == STATUS_OK && sum.stopped && a->json)
		s = json_stopped(a, &sum, e);
	tracer_close(t);
	return s;
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
	(void)networks_stream(a);
	s = scan(a, &p, alpha > 0 ? alpha : a->cfg.alpha, e);
	return networks_end(a, s, e);
}

const struct command command_scan = {"scan",
	"[--alpha A] [--any-host] [--undeclared] [--all] [--since T] [--until T]",
	"every relay in the recording: which of my hosts relay?", run};
