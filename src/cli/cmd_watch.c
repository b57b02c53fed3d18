/* weir watch: a sensor's file is followed as it grows, and its alerts become cases, traces, plans and, where
 * the policy says so, blocks (watch.h has the way). */
#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LOOK_US SECOND_US /* at the file, where nothing tells of it: inotify sees no network file system */
#define MARK_US SECOND_US /* between two marks */
#define TURN    64        /* of the file, before traces and plans get their turn */

struct mono watch_mono(const struct watch *w)
{
	return w->app->w->mono(w->app->w->self);
}

/* ---- the file ---- */

static const char *const began[] = {[FOLLOW_FIRST] = "is there now: read from its start",
	[FOLLOW_ROTATED] = "was rotated: going on in the new file",
	[FOLLOW_CUT] = "was cut: read from its start"};

/* A piece, or (again) the beginning of another file, through the process that reads lines. */
static enum status piece(struct watch *w, const void *p, size_t n, bool again, struct err *e)
{
	struct arena arena = {0};
	struct batch b = {.foreign = ""};
	enum status s = reader_ask(w->reader, p, n, again, &arena, &b, e);

	if (s == STATUS_NO) {
		log_line("%s: %s; %zu bytes are passed over", w->path, e->text, n + w->kept);
		w->kept = 0;
		arena_free(&arena);
		return STATUS_OK;
	}
	w->kept = b.kept;
	w->good += b.n + b.other + b.unsaid;
	if (*b.foreign)
		(void)printable(w->foreign, sizeof(w->foreign), b.foreign);
	if (*b.foreign && !w->once)
		log_line("%s: is %s", w->path, w->foreign);
	if (s == STATUS_OK)
		s = watch_take(w, &b, e);
	arena_free(&arena);
	return s;
}

/* What is there, up to so many pieces; *more: perhaps not all. */
static enum status pieces(struct watch *w, uint8_t *room, bool *more, struct err *e)
{
	enum follow_got got = FOLLOW_BYTES;
	struct follow_bytes b;
	enum status s = STATUS_OK;

	for (int i = 0; i < TURN && got != FOLLOW_NONE && s == STATUS_OK && !stop_requested; i++) {
		s = follow_read(w->follow, room, PIECES_ONE, w->kept > 0, w->once, &got, &b, e);
		if (s == STATUS_OK && got == FOLLOW_BYTES)
			s = piece(w, room, b.n, false, e);
		if (s == STATUS_OK && got == FOLLOW_AGAIN) {
			log_line("%s: %s", w->path, began[b.why]);
			s = piece(w, NULL, 0, true, e);
		}
	}
	*more = got != FOLLOW_NONE;
	return s;
}

/* Where the next watch goes on: behind the last whole line whose alerts are in the database. */
static enum status mark(struct watch *w, bool now, struct err *e)
{
	struct follow_at at;

	if (!now && watch_mono(w).us - w->marked.us < MARK_US)
		return STATUS_OK;
	w->marked = watch_mono(w);
	return follow_where(w->follow, w->kept, &at) ? mark_save(&w->mark, &at, e) : STATUS_OK;
}

/* ---- the loop ---- */

/* Until the file, a signal, or the time that something is due.  A signal is let in only here, so that none
 * comes between looking and waiting. */
static void wait_for(struct watch *w, int64_t us)
{
	struct pollfd fd = {.fd = follow_fd(w->follow), .events = POLLIN};
	struct timespec t = {us / SECOND_US, us % SECOND_US * 1000};
	sigset_t ends, before;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	if (!stop_requested)
		(void)ppoll(&fd, fd.fd >= 0 ? 1 : 0, &t, &before);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	follow_heard(w->follow);
}

static enum status turn(struct watch *w, uint8_t *room, bool *more, struct err *e)
{
	enum status s = pieces(w, room, more, e);

	if (s == STATUS_OK)
		s = watch_hunt(w, e);
	if (s == STATUS_OK)
		s = watch_act(w, e);
	if (s == STATUS_OK)
		s = watch_counts(w, false, e);
	if (s == STATUS_OK)
		s = watch_tally(w, false, e);
	return s == STATUS_OK ? mark(w, false, e) : s;
}

static enum status loop(struct watch *w, struct err *e)
{
	uint8_t *room = malloc(PIECES_ONE);
	enum status s = room ? STATUS_OK : err_nomem(e), last;
	struct err later;
	bool more = true;

	while (s == STATUS_OK && !stop_requested && (more || !w->once)) {
		s = turn(w, room, &more, e);
		if (s == STATUS_OK && !more && !w->once)
			wait_for(w, watch_wait_us(w, LOOK_US));
	}
	free(room);
	if (s == STATUS_OK && w->once && *w->foreign && w->good == 0)
		s = err_set(e, STATUS_BAD, "%s: is %s", w->path, w->foreign);
	/* what was taken is kept, whatever ended it */
	last = watch_counts(w, true, &later);
	if (last == STATUS_OK && s < STATUS_BAD)
		last = mark(w, true, &later);
	if (last == STATUS_OK && !w->app->unwritten)
		last = watch_tally(w, true, &later);
	if (s == STATUS_OK && last != STATUS_OK)
		*e = later;
	return s == STATUS_OK ? last : s;
}

/* ---- beginning and end ---- */

static enum status begin(struct watch *w, bool from_start, struct err *e)
{
	struct app *a = w->app;
	enum status s = store_prepare(a->w, a->dir, e);

	if (s == STATUS_OK) /* before there is a database or a key in this process */
		s = reader_start(&w->reader, a, w->kind, e);
	if (s == STATUS_OK)
		s = mark_open(&w->mark, a->w, a->dir, w->kind, w->path, e);
	if (s == STATUS_OK)
		s = follow_open(&w->follow, a->w, w->path, w->mark.any && !from_start ? &w->mark.saved : NULL,
			from_start || w->once, w->once, e);
	if (s == STATUS_OK && follow_lost(w->follow))
		log_line("%s: the file that was read last is gone (compressed or removed?): what it got "
			 "meanwhile was not seen",
			w->path);
	if (s == STATUS_OK)
		s = place_open(a, &w->p, e);
	if (s == STATUS_OK)
		s = recall_open(&w->recall, &a->cfg, e);
	if (s == STATUS_OK)
		s = recall_read(w->recall, w->p.db, e);
	w->concern = calloc(WATCH_CASES, sizeof(*w->concern));
	w->hunt = calloc(WATCH_HUNTS, sizeof(*w->hunt));
	if (s == STATUS_OK && (!w->concern || !w->hunt))
		s = err_nomem(e);
	w->tally.said = w->counted = w->marked = watch_mono(w);
	return s;
}

static void end(struct watch *w)
{
	reader_stop(w->reader);
	follow_close(w->follow);
	recall_close(w->recall);
	case_db_close(w->p.db);
	mark_close(&w->mark);
	free(w->concern);
	free(w->hunt);
}

static enum status watch(struct watch *w, bool from_start, struct err *e)
{
	static const char *const does[] = {[ON_ALERT_NOTIFY] = "says what it finds",
		[ON_ALERT_PROPOSE] = "proposes blocks",
		[ON_ALERT_BLOCK] = "blocks by itself"};
	enum status s = begin(w, from_start, e);

	if (s == STATUS_OK && !w->once)
		hunt_again(w);
	if (s == STATUS_OK && !w->once)
		log_line("watching %s, ^C ends; policy: %s (on_alert)", w->path, does[w->app->cfg.on_alert]);
	if (s == STATUS_OK)
		s = loop(w, e);
	end(w);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	struct watch w = {.app = a, .mark.lock = -1};
	const char *eve = NULL, *zeek = NULL;
	bool from_start = false;
	struct option_row row[] = {{"eve", 0, OPTION_TEXT, &eve}, {"zeek", 0, OPTION_TEXT, &zeek},
		{"from-start", 0, OPTION_FLAG, &from_start}, {"once", 0, OPTION_FLAG, &w.once},
		{"for", 0, OPTION_SPAN, &w.for_us}};
	int first;
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s != STATUS_OK)
		return s;
	if (first < argc || !eve == !zeek)
		return err_set(e, STATUS_BAD, "watch: one of --eve FILE, --zeek FILE");
	w.kind = eve ? &sensor_eve : &sensor_zeek;
	w.path = eve ? eve : zeek;
	s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	catch_signals();
	say_unrecorded(a);
	return watch(&w, from_start, e);
}

const struct command command_watch = {"watch",
	"(--eve FILE | --zeek FILE) [--from-start] [--once] [--for 1h]",
	"follow alerts, open or join cases, trace, act as the policy allows", run};
