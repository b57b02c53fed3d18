/* What `weir watch` says: one line for each thing that happened, on standard output. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "cli/watch.h"

#define TALLY_US (60 * SECOND_US)

static json_t *sighted(const struct sighting *s)
{
	struct flow_head head = {.proto = s->proto, .end = {s->end[0], s->end[1]}};
	char flow[FLOW_TEXT];

	return json_pack("{s:s?, s:s}", "id", s->flow_id, "flow", flow_text(flow, &head));
}

static json_t *event_json(
	const char *event, const char *when, const char *case_id, const struct sighting *s, const char *text)
{
	char id[ID_TEXT];
	json_t *j =
		json_pack("{s:s, s:s, s:s?, s:s}", "event", event, "at", when, "case", case_id, "text", text);

	(void)json_object_set_new(j, "sighting", s ? json_string(id_text(id, &s->id)) : json_null());
	(void)json_object_set_new(j, "flow", s ? sighted(s) : json_null());
	if (s)
		(void)json_object_set_new(j, "seen", json_time(s->at.us));
	return j;
}

static enum status line_end(struct app *a, struct err *e)
{
	a->unwritten = fflush(a->out) != 0 || ferror(a->out);
	return a->unwritten ? err_errno(e, "standard output") : STATUS_OK;
}

enum status watch_say(struct watch *w, const char *event, const struct id *case_id, const struct sighting *s,
	json_t *more, struct err *e, const char *fmt, ...)
{
	char raw[1024], text[1024], when[WALL_TEXT], id[ID_TEXT];
	struct app *a = w->app;
	enum status r = STATUS_OK;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	(void)printable(text, sizeof(text), raw);
	(void)wall_text(when, a->w->now(a->w->self));
	if (a->json) {
		json_t *j = event_json(event, when, case_id ? id_text(id, case_id) : NULL, s, text);
		(void)json_object_update(j, more);
		r = json_out(a, j, e);
	} else {
		(void)fprintf(a->out, "%.19sZ  %-10s  %.12s%s%s\n", when, event,
			case_id ? id_text(id, case_id) : "", case_id ? "  " : "", text);
	}
	json_decref(more);
	return r == STATUS_OK ? line_end(a, e) : r;
}

/* "12 lines skipped: 10 that are not JSON, ..." on standard error. */
static void say_skipped(const struct watch *w)
{
	char n[COUNT_TEXT], words[400] = "";
	uint64_t all = 0;
	size_t len = 0;

	for (size_t i = 0; i < LINE_COUNT; i++) {
		all += w->tally.skipped[i];
		if (w->tally.skipped[i] && len < sizeof(words))
			len += (size_t)snprintf(words + len, sizeof(words) - len, "%s%" PRIu64 " %s",
				len ? ", " : "", w->tally.skipped[i], sensor_reason((enum line)i));
	}
	if (all)
		log_line("%s: %s skipped: %s", w->path, counted(n, all, "line"), words);
	if (w->tally.unsaid)
		log_line(
			"%s: %s passed over: nobody calls them an attack (weir watches notice.log; weir case "
			"open --zeek takes connections)",
			w->path, counted(n, w->tally.unsaid, "connection"));
}

static enum status say_dropped(struct watch *w, struct err *e)
{
	char n[COUNT_TEXT], flows[COUNT_TEXT];
	struct tally *t = &w->tally;
	enum status s = STATUS_OK;

	if (t->dropped)
		s = watch_say(w, "dropped", NULL, NULL,
			json_pack("{s:I, s:I}", "alerts", (json_int_t)t->dropped, "flows",
				(json_int_t)t->dropped_flows),
			e, "dropped %s of %s: at most %d new cases a minute are opened",
			counted(n, t->dropped, "alert"), counted(flows, t->dropped_flows, "flow"),
			WATCH_NEW_CASES);
	if (s == STATUS_OK && t->folded)
		s = watch_say(w, "counted", NULL, NULL, json_pack("{s:I}", "alerts", (json_int_t)t->folded),
			e,
			"%s of further flows counted onto a sighting of the same attacker: a case takes %d "
			"flows a minute and %d in all",
			counted(n, t->folded, "alert"), WATCH_NEW_FLOWS, WATCH_CASE_FLOWS);
	return s;
}

enum status watch_tally(struct watch *w, bool now, struct err *e)
{
	struct mono at = watch_mono(w);
	enum status s;

	if (!now && at.us - w->tally.said.us < TALLY_US)
		return STATUS_OK;
	say_skipped(w);
	s = say_dropped(w, e);
	w->tally = (struct tally){.said = at};
	return s;
}
