/* What tracing reads: one view of the recording a host, read once and kept; flows by id or notation. */
#include "trace/tracer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "trace/audit.h"
#include "trace/recognise_in.h"

/* What the last audit allows.  One that cannot be read may have said that nothing is to be proven. */
static enum status alpha_allowed(struct tracer *t, struct err *e)
{
	struct audit a;
	bool newer;
	enum status s = audit_read(t->w, t->dir, &a, &newer, e);

	t->alpha_most = 1;
	if (s == STATUS_NO || s == STATUS_OK) {
		t->alpha_most = s == STATUS_OK ? a.alpha_most : 1;
		t->audited = a.made;
		return STATUS_OK;
	}
	if (s != STATUS_BAD)
		return s;
	log_line("%s: nothing is called proven until weir audit was run%s", e->text,
		newer ? " by that one" : " again");
	t->alpha_most = 0;
	return STATUS_OK;
}

enum status tracer_open(struct tracer **to, const struct world *w, const char *dir, const struct config *cfg,
	double alpha, struct err *e)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(e);
	t->w = w;
	t->dir = dir;
	t->cfg = cfg;
	t->alpha = alpha;
	enum status s = alpha_allowed(t, e);
	if (s != STATUS_OK) {
		tracer_close(t);
		return s;
	}
	*to = t;
	return STATUS_OK;
}

void tracer_settle(const struct tracer *t, struct link_result *l)
{
	if (l->verdict != LINK_PROVEN || t->alpha <= t->alpha_most)
		return;
	l->verdict = LINK_UNDECIDABLE;
	l->reason = LINK_REASON_AUDIT;
}

bool tracer_flawed(const struct tracer *t)
{
	return t->alpha_most < 1;
}

static bool suffices(const struct link_told *l, double alpha)
{
	return l->log10_e >= -log10(alpha) + (l->searched > 1 ? log10((double)l->searched) : 0);
}

bool tracer_withholds(const struct tracer *t, const struct link_told *l)
{
	return l->alpha > t->alpha_most && !(t->alpha <= t->alpha_most && suffices(l, t->alpha));
}

char *tracer_withheld_say(char *to, size_t n, const struct tracer *t, const struct link_told *l)
{
	char when[WALL_TEXT];

	if (t->audited.us == 0)
		(void)snprintf(to, n,
			"the finding of weir audit cannot be read, so nothing counts as proven until it was "
			"run again");
	else if (t->alpha_most <= 0)
		(void)snprintf(to, n,
			"the audit of %s withholds it: the link test does not hold on this recording, at any "
			"alpha",
			wall_text(when, t->audited));
	else
		(void)snprintf(to, n,
			"the audit of %s withholds it at alpha %.2g: the link test holds on this recording "
			"at "
			"%.2g or less, for which its number %s",
			wall_text(when, t->audited), l->alpha, alpha_floor(t->alpha_most),
			suffices(l, t->alpha_most) ? "would suffice" : "is too small");
	return to;
}

static void views_free(struct view *v)
{
	while (v) {
		struct view *next = v->next;
		recording_free(&v->own);
		free(v);
		v = next;
	}
}

void tracer_close(struct tracer *t)
{
	if (!t)
		return;
	views_free(t->views);
	views_free(t->found);
	reach_free(t->reach);
	arena_free(&t->arena);
	relink_free(&t->room);
	free(t);
}

static bool view_fill(struct view *v)
{
	v->rec = &v->own;
	v->n = v->own.n_flow;
	v->by_tuple = arena_array(&v->own.arena, v->n + 1, sizeof(*v->by_tuple));
	for (size_t i = 0; v->by_tuple && i < v->n; i++)
		v->by_tuple[i] = &v->own.flow[i];
	if (v->by_tuple)
		view_sort(v);
	return v->by_tuple != NULL;
}

static enum status view_read(
	struct tracer *t, struct view **list, const struct store_query *q, struct view **to, struct err *e)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return err_nomem(e);
	enum status s = recording_read(&v->own, t->w, t->dir, q, e);
	if (s == STATUS_OK && !view_fill(v)) {
		recording_free(&v->own);
		s = err_nomem(e);
	}
	if (s != STATUS_OK) {
		free(v);
		return s;
	}
	v->next = *list;
	*list = v;
	*to = v;
	return STATUS_OK;
}

/* As recorded: the link test merges bursts itself, and reads the ticks of hidden keystrokes between them. */
static struct store_query query_all(void)
{
	return (struct store_query){
		.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = BURST_GAP_RECORDED_US};
}

enum status view_get(struct tracer *t, const struct ip *host, struct view **to, struct err *e)
{
	struct store_query q = query_all();

	for (struct view *v = t->views; v; v = v->next) {
		if (ip_equal(&v->host, host)) {
			*to = v;
			return STATUS_OK;
		}
	}
	q.host = host;
	enum status s = view_read(t, &t->views, &q, to, e);
	if (s == STATUS_OK)
		(*to)->host = *host;
	return s;
}

const struct ip *flow_peer(const struct flow *f, const struct ip *host)
{
	return &f->head.end[ip_equal(&f->head.end[0].ip, host) ? 1 : 0].ip;
}

int flow_opener(const struct flow *f)
{
	uint16_t a = f->head.end[0].port, b = f->head.end[1].port;

	return (f->head.flags & FLOW_ASSUMED) && a && a < 1024 && b >= 1024;
}

bool flow_carries(const struct flow *f)
{
	return f->n_burst[0] > 0 || f->n_burst[1] > 0;
}

bool flow_overlap(const struct flow *a, const struct flow *b, int64_t skew_us)
{
	return a->head.first_us <= b->last_us + skew_us && b->head.first_us <= a->last_us + skew_us;
}

/* Is f of this protocol between these ends, whichever opened it? */
static bool matches(const struct flow *f, uint8_t proto, const struct endpoint end[2])
{
	const struct endpoint *x = f->head.end;

	if (f->head.proto != proto)
		return false;
	return (endpoint_equal(&x[0], &end[0]) && endpoint_equal(&x[1], &end[1])) ||
	       (endpoint_equal(&x[0], &end[1]) && endpoint_equal(&x[1], &end[0]));
}

bool flow_same(const struct flow *a, const struct flow *b, int64_t skew_us)
{
	return flow_overlap(a, b, skew_us) && matches(a, b->head.proto, b->head.end);
}

bool flow_rewritten(const struct flow *a, const struct flow *b)
{
	const struct flow *ra = a->rewrite_of ? a->rewrite_of : a, *rb = b->rewrite_of ? b->rewrite_of : b;

	return ra == rb && a != b;
}

bool relay_declared(const struct config *cfg, const struct flow *in, const struct ip *relay)
{
	int side = in ? flow_side(in, relay) : -1;
	bool answers = side >= 0 && side != flow_opener(in);

	return config_known_relay(cfg, relay, answers ? in->head.end[side].port : 0);
}

/* How far t is from the flow's life; 0 inside. */
static int64_t distance(const struct flow *f, int64_t t)
{
	if (t < f->head.first_us)
		return f->head.first_us - t;
	return t > f->last_us ? t - f->last_us : 0;
}

static enum status by_notation(struct tracer *t, uint8_t proto, const struct endpoint end[2], struct wall at,
	const struct flow **to, struct err *e)
{
	struct view *v;
	const struct flow *best = NULL;
	enum status s = view_get(t, &end[1].ip, &v, e);

	if (s != STATUS_OK)
		return s;
	for (size_t i = 0; i < v->n; i++) {
		const struct flow *f = v->by_tuple[i];
		if (!matches(f, proto, end))
			continue;
		bool nearer = best && at.us != INT64_MAX && distance(f, at.us) < distance(best, at.us);
		bool later = best && at.us == INT64_MAX && f->last_us > best->last_us;
		if (!best || nearer || later)
			best = f;
	}
	*to = best;
	return best ? STATUS_OK : STATUS_NO;
}

static enum status by_id(struct tracer *t, const char *id, const struct flow **to, struct err *e)
{
	struct store_query q = query_all();
	struct view *v;

	q.id = id;
	enum status s = view_read(t, &t->found, &q, &v, e);
	if (s != STATUS_OK)
		return s;
	if (v->n > 1)
		return err_set(e, STATUS_BAD, "%s: %zu flows begin like this; give more digits", id, v->n);
	*to = v->n ? v->by_tuple[0] : NULL;
	return *to ? STATUS_OK : STATUS_NO;
}

/* Why text names no flow. */
static enum status text_bad(const char *text, struct err *e)
{
	char named[FLOW_TEXT + 8];
	struct endpoint end[2];
	uint8_t proto;

	if (snprintf(named, sizeof(named), "tcp %s", text) < (int)sizeof(named) &&
		flow_parse(&proto, end, named))
		return err_set(e, STATUS_BAD, "%s: write the protocol in front: tcp %s, or udp", text, text);
	if (*text && text[strspn(text, "0123456789abcdefABCDEF")] == '\0')
		return err_set(e, STATUS_BAD, "\"%s\": an id has 6 to 32 hex digits, in lower case", text);
	return err_set(e, STATUS_BAD, "%s: neither a flow id nor a flow (tcp A:P > B:P)", text);
}

enum status tracer_flow(
	struct tracer *t, const char *text, struct wall at, const struct flow **to, struct err *e)
{
	struct endpoint end[2];
	uint8_t proto;
	enum status s;

	*to = NULL;
	if (id_like(text))
		s = by_id(t, text, to, e);
	else if (flow_parse(&proto, end, text))
		s = by_notation(t, proto, end, at, to, e);
	else
		return text_bad(text, e);
	if (s == STATUS_NO)
		return err_set(e, STATUS_NO,
			id_like(text) ? "%s: no such flow here" : "%s: not recorded here", text);
	return s;
}
