/* The pipeline: opens a source and a segment of the store, feeds frames to the flow table (feed.c), and lets
 * the table hand its chunks to the store; see record.h.
 *
 * Live, every half second of capture time all that was counted is handed out and synced, so that what is on
 * the wire can be read and traced 2 s later.  A file's flows are handed out when they end, and all of them
 * every few seconds, so that a kill loses little; the file can then be recorded again, what is stored is not
 * counted twice. */
#include "record/record.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "record/record_in.h"

static enum status run_emit(void *self, const struct chunk *c, struct err *e)
{
	struct run *r = self;

	return store_append(r->store, c, e);
}

/* ---- what is stored already ---- */

#define WINDOW_BEFORE_US (INT64_C(86400) * 1000000)

/* Loads what was stored from a day before time_us on, up to where the last window begins.  Windows only go
 * down (first packet, then steps of the clock backwards), so none of them holds what this run writes. */
enum status run_window(struct run *r, int64_t time_us, struct err *e)
{
	struct window *last = r->n_window ? &r->window[r->n_window - 1] : NULL;
	struct window w = {.from_us = time_us - WINDOW_BEFORE_US, .to_us = last ? last->from_us : INT64_MAX};
	enum status st;

	if (r->n_window == WINDOWS) { /* a clock that jumps about: the lowest window grows */
		w.to_us = last->to_us;
		store_known_free(last->known);
		r->n_window--;
	}
	st = store_known_open(&w.known, r->w, r->p->dir, r->p->point, (struct span){w.from_us, w.to_us}, e);
	if (st == STATUS_OK)
		r->window[r->n_window++] = w;
	return st;
}

static const struct span *run_known(void *self, uint16_t vlan, uint8_t proto, const struct endpoint *src,
	const struct endpoint *dst, int64_t time_us, size_t *n)
{
	struct run *r = self;

	*n = 0;
	for (size_t i = 0; i < r->n_window; i++)
		if (time_us >= r->window[i].from_us)
			return store_known_get(r->window[i].known, vlan, proto, src, dst, n);
	return NULL;
}

/* ---- ticks ---- */

/* Brings the sums up to the table's counts. */
static void run_count(struct run *r)
{
	const struct table_stat *s = table_stat(r->table);

	r->sum->flows += s->flows - r->flows;
	r->sum->bursts += s->bursts - r->bursts;
	r->sum->skipped[DROP_TABLE] += s->given_up - r->given_up;
	r->flows = s->flows;
	r->bursts = s->bursts;
	r->given_up = s->given_up;
}

static void run_show(struct run *r, struct mono now)
{
	uint64_t done, size;

	if (!r->p->progress || now.us - r->shown.us < PROGRESS_US)
		return;
	r->shown = now;
	run_count(r);
	r->sum->seconds += (double)(now.us - r->began.us) / 1e6;
	r->began = now;
	capture_progress(r->capture, &done, &size);
	r->p->progress(r->p->self, done, size, r->sum);
}

/* Keeps to the caps at the beginning, every minute while live, and at the end of a file, whose own segment
 * stays. What may not go must be known: where that cannot be read nothing goes; at the beginning that is a
 * failure, later it is tried again. */
enum trim_when { TRIM_BEGIN, TRIM_LIVE, TRIM_END };

static enum status run_trim(struct run *r, enum trim_when when, struct err *e)
{
	struct store_keep k = r->p->keep;
	uint64_t freed = 0;
	enum status st = STATUS_OK;

	if (!k.max_bytes && !k.max_age_us)
		return STATUS_OK;
	k.newest_stays = when == TRIM_END;
	if (r->p->held)
		st = r->p->held(r->p->self, &k, e);
	if (st != STATUS_OK && when != TRIM_BEGIN) {
		log_line("%s: the caps are not kept to for now: %s", r->p->dir, e->text);
		return STATUS_OK;
	}
	return st == STATUS_OK ? store_trim(r->w, r->p->dir, &k, &freed, e) : st;
}

/* Hands out everything and syncs it. */
static enum status run_flush(struct run *r, int64_t now_us, struct err *e)
{
	enum status st = table_flush(r->table, now_us, e);

	if (st == STATUS_OK)
		st = cover_to(r, now_us, e);
	return st == STATUS_OK ? store_flush(r->store, true, e) : st;
}

enum status run_tick(struct run *r, int64_t now_us, struct err *e)
{
	struct mono now = r->w->mono(r->w->self);
	enum status st = STATUS_OK;

	if (r->live || now.us - r->flushed.us >= FILE_FLUSH_US) {
		st = run_flush(r, now_us, e);
		r->flushed = now;
	} else {
		st = table_expire(r->table, now_us, e);
	}
	if (st == STATUS_OK && r->live && now.us - r->trimmed.us >= TRIM_US) {
		st = run_trim(r, TRIM_LIVE, e);
		r->trimmed = now;
	}
	run_show(r, now);
	return st;
}

/* ---- the loop ---- */

static enum status run_skipped(struct run *r, enum drop why, struct err *e)
{
	int64_t last = r->timeline.last_us;

	feed_drop(r, why, 0, e->text);
	/* A record was lost here; when is known to within its neighbours. */
	if (why == DROP_RECORD && r->timeline.set)
		return cover_blind(r, (struct span){last, last + 1}, 1, e);
	return STATUS_OK;
}

/* Live: time passes although no packet comes. */
static enum status run_idle(struct run *r, struct err *e)
{
	enum status st = feed_idle(r, e);
	int64_t now = r->w->now(r->w->self).us - TICK_US;

	if (st == STATUS_OK && r->live && now >= r->next_tick_us) {
		st = run_tick(r, now, e);
		r->next_tick_us = now + TICK_US;
	}
	run_show(r, r->w->mono(r->w->self));
	return st;
}

static bool stopped(const struct run *r)
{
	return r->p->stop && *r->p->stop;
}

static enum status run_loop(struct run *r, struct err *e)
{
	enum status st = STATUS_OK;
	enum drop why = DROP_NONE;
	struct frame f;

	while (st == STATUS_OK && !stopped(r)) {
		switch (capture_next(r->capture, &f, &why, e)) {
		case CAPTURE_FRAME:
			st = feed_frame(r, &f, e);
			break;
		case CAPTURE_SKIPPED:
			st = run_skipped(r, why, e);
			break;
		case CAPTURE_IDLE:
			st = run_idle(r, e);
			break;
		case CAPTURE_END:
			r->unplaced = f.lost;
			return st;
		case CAPTURE_FAILED:
			return e->status == STATUS_BAD ? STATUS_BAD : STATUS_MACHINE;
		}
	}
	return st;
}

/* ---- opening and closing ---- */

static enum status run_open(struct run *r, struct err *e)
{
	struct table_param t = {.point = r->p->point,
		.vlan_key = r->p->vlan_key,
		.source = {.kind = SOURCE_PACKETS,
			.resolution_us = capture_resolution_us(r->capture),
			.clock_error_us = r->p->clock_error_us,
			.sampling = 1,
			.gap_us = r->p->gap_us ? r->p->gap_us : BURST_GAP_RECORDED_US},
		.max_flows = r->p->max_flows,
		.emit = run_emit,
		.self = r,
		.known = r->live ? NULL : run_known};
	enum status st = STATUS_OK;

	if (t.source.resolution_us == 0)
		t.source.resolution_us = 1;
	if (r->w->random(r->w->self, &t.seed, sizeof(t.seed)) != 0)
		return err_errno(e, "no random number");
	r->decoder = decoder_new();
	if (!r->decoder)
		return err_nomem(e);
	if (!r->live && r->p->filter && r->p->filter[0]) {
		r->filter = bpf_filter_new(r->p->filter, e);
		st = r->filter ? STATUS_OK : STATUS_BAD;
	}
	if (st == STATUS_OK)
		st = store_prepare(r->w, r->p->dir, e);
	if (st == STATUS_OK)
		st = run_trim(r, TRIM_BEGIN, e);
	if (st == STATUS_OK)
		st = store_writer_open(&r->store, r->w, r->p->dir, e);
	return st == STATUS_OK ? table_new(&r->table, &t, e) : st;
}

/* The end of the source: hands out, covers, syncs. */
static enum status run_end(struct run *r, struct err *e)
{
	int64_t now = r->live ? r->w->now(r->w->self).us - TICK_US : 0;
	enum status st = feed_end(r, e);
	int64_t last = r->timeline.set ? r->timeline.last_us + 1 : 0;

	if (st == STATUS_OK && r->unplaced) {
		log_line("%s: the capture lost %llu packets, it does not say when", r->name,
			(unsigned long long)r->unplaced);
		r->sum->unplaced += r->unplaced;
	}
	if (st == STATUS_OK)
		st = cover_end(r, now > last ? now : last, e);
	return st;
}

/* Frees everything; the first failure stays in e. */
static enum status run_close(struct run *r, enum status st, struct err *e)
{
	struct err later = {0};
	enum status closing;

	if (r->table)
		run_count(r);
	/* After a failure nothing more is handed out that the store would refuse again; it keeps what
	 * it has. */
	closing = table_close(r->table, st == STATUS_OK ? e : &later);
	st = st == STATUS_OK ? closing : st;
	closing = store_writer_close(r->store, st == STATUS_OK ? e : &later);
	st = st == STATUS_OK ? closing : st;
	if (st == STATUS_OK && !r->live)
		st = run_trim(r, TRIM_END, e);
	for (size_t i = 0; i < r->n_window; i++)
		store_known_free(r->window[i].known);
	if (r->capture)
		r->sum->kernel_drops += capture_kernel_drops(r->capture);
	bpf_filter_free(r->filter);
	decoder_free(r->decoder);
	capture_close(r->capture);
	r->sum->seconds += (double)(r->w->mono(r->w->self).us - r->began.us) / 1e6;
	return st;
}

static void run_init(struct run *r, const struct world *w, const struct record_param *p, const char *name,
	struct record_sum *sum)
{
	*r = (struct run){.w = w, .p = p, .sum = sum, .name = name, .next_tick_us = INT64_MIN};
	r->began = r->flushed = r->trimmed = r->shown = w->mono(w->self);
	if (sum->packets == 0) {
		sum->from_us = INT64_MAX;
		sum->to_us = INT64_MIN;
	}
}

/* ---- rights ---- */

/* What the libraries load on first use (libcrypto its configuration), while files can still be opened. */
static enum status warm_up(struct err *e)
{
	struct id id;

	return id_of(&id, "", 0) ? STATUS_OK : err_nomem(e);
}

static void say_missing(const struct sandbox_held *held)
{
	if (held->missing[0])
		log_line("recording with fewer confinements: %s", held->missing);
}

enum status record_confine(const char *dir, char *const *path, size_t n, struct err *e)
{
	const char **read = calloc(n + 1, sizeof(*read));
	struct sandbox s = {.profile = SANDBOX_RECORD, .write_below = dir, .read_below = read};
	struct sandbox_held held = {0};
	enum status st = read ? warm_up(e) : err_nomem(e);

	for (size_t i = 0, k = 0; st == STATUS_OK && i < n; i++)
		if (access(path[i], F_OK) == 0) /* "-" and what is not there is record_file()'s to name */
			read[k++] = path[i];
	if (st == STATUS_OK)
		st = sandbox_drop_caps_but_files(e);
	if (st == STATUS_OK)
		st = sandbox_files(&s, &held, e);
	if (st == STATUS_OK)
		st = sandbox_calls(s.profile, &held, e);
	if (st == STATUS_OK)
		say_missing(&held);
	free(read);
	return st;
}

static enum status live_confine(const char *dir, struct err *e)
{
	struct sandbox s = {.profile = SANDBOX_RECORD, .write_below = dir};
	struct sandbox_held held = {0};
	enum status st = warm_up(e);

	if (st == STATUS_OK)
		st = sandbox_enter(&s, &held, e);
	if (st == STATUS_OK)
		say_missing(&held);
	return st;
}

/* ---- the two entries ---- */

enum status record_file(const struct world *w, const struct record_param *p, const char *path,
	struct record_sum *sum, struct err *e)
{
	struct run r;
	enum status st;

	run_init(&r, w, p, path, sum);
	st = capture_open_file(&r.capture, path, e);
	if (st == STATUS_OK)
		st = run_open(&r, e);
	if (st == STATUS_OK)
		st = run_loop(&r, e);
	if (st == STATUS_OK)
		st = run_end(&r, e);
	return run_close(&r, st, e);
}

enum status record_live(const struct world *w, const struct record_param *p, const char *iface,
	struct record_sum *sum, struct err *e)
{
	struct run r;
	enum status st;

	run_init(&r, w, p, iface, sum);
	r.live = true;
	st = capture_open_live(&r.capture, iface, p->filter && p->filter[0] ? p->filter : NULL, e);
	if (st == STATUS_OK && access(p->dir, F_OK) == 0) /* what is made below it is to be its owner's */
		st = sandbox_become_owner(p->dir, e);
	if (st == STATUS_OK)
		st = store_prepare(w, p->dir, e);
	if (st == STATUS_OK)
		st = live_confine(p->dir, e);
	if (st == STATUS_OK)
		st = run_open(&r, e);
	if (st == STATUS_OK)
		st = cover_begin(&r, w->now(w->self).us, e);
	r.next_tick_us = w->now(w->self).us;
	if (st == STATUS_OK)
		st = run_loop(&r, e);
	if (st == STATUS_OK)
		st = run_end(&r, e);
	return run_close(&r, st, e);
}
