/* Erasing a host: every segment that names it is rewritten without its flows.  What cannot be read might be
 * of the host too, and goes as well: damaged blocks and torn tails of segments.
 *
 * Running recorders are asked to begin new segments (rotate.h), which they do at their next flush; the rest
 * is counted and said: nothing is claimed to be gone that is not. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "record/forgotten.h"
#include "record/rotate.h"
#include "record/segment_filter.h"

#define WAIT_STEP_NS 50000000L /* 50 ms */
#define WAIT_STEPS   60        /* 3 s in all: recorders flush every 500 ms */

static bool host_touches(void *self, const struct block_tables *t)
{
	return block_has_host(t, self);
}

static bool host_stays(void *self, const struct flow_head *h)
{
	const struct ip *ip = self;

	return !ip_equal(ip, &h->end[0].ip) && !ip_equal(ip, &h->end[1].ip);
}

/* Must the segment be rewritten: does it name the host, or hold what cannot be read? */
static enum status concerned(
	const struct world *w, const char *path, const struct ip *host, bool *yes, struct err *e)
{
	struct segment *s = malloc(sizeof(*s));
	struct parts p = {0};
	struct arena scratch = {0};
	struct block_tables t;
	struct block_head h;
	enum status st = s ? segment_open(s, w, path, e) : err_nomem(e);

	*yes = false;
	if (st != STATUS_OK) {
		free(s);
		return st;
	}
	s->quiet = true;
	while (!*yes && (st = segment_next(s, &h, e)) == STATUS_OK) {
		*yes = !block_tables_read(&t, &p, &scratch, &h) || block_has_host(&t, host);
		arena_free(&scratch);
	}
	*yes = *yes || s->damaged > 0 || segment_tail(s) > 0;
	segment_close(s, w);
	parts_free(&p);
	free(s);
	return st == STATUS_NO ? STATUS_OK : st;
}

struct forgetting {
	const struct world *w;
	struct ip host;
	struct segment_change change;
	uint64_t live;  /* segments that are being written */
	uint64_t alien; /* files that are no segments of this version: nothing is known of what they hold */
};

static enum status path_forget(struct forgetting *f, const char *path, struct err *e)
{
	const struct segment_choice choice = {&f->host, host_touches, host_stays};
	bool yes;
	int fd;

	enum status st = segment_lock(&fd, f->w, path, e);
	if (st == STATUS_BAD) {
		f->live++;
		return STATUS_OK;
	}
	if (st != STATUS_OK)
		return st;
	st = concerned(f->w, path, &f->host, &yes, e);
	if (st == STATUS_OK && yes)
		return segment_filter(f->w, fd, path, &choice, &f->change, e);
	if (st == STATUS_BAD) {
		log_line("%s", e->text);
		f->alien++;
		st = STATUS_OK;
	}
	(void)f->w->close(f->w->self, fd);
	return st;
}

/* All segments once. */
static enum status pass(struct forgetting *f, const char *dir, struct err *e)
{
	struct paths p = {0};
	enum status st = segments_list(&p, dir, ".seg", e);

	f->live = 0;
	f->alien = 0;
	for (size_t i = 0; i < p.n && st == STATUS_OK; i++) {
		st = path_forget(f, p.path[i], e);
		if (st == STATUS_NO) /* somebody else rewrote or removed it: what is there now is looked at
					once more */
			st = path_forget(f, p.path[i], e);
		st = st == STATUS_NO ? STATUS_OK : st;
	}
	paths_free(&p);
	return st;
}

/* Passes until no recorder holds an old segment, or the time is over. */
static enum status passes(struct forgetting *f, const char *dir, struct err *e)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
	char trains[PATH_MAX];
	enum status st = pass(f, dir, e);

	if (st != STATUS_OK || f->live == 0)
		return st;
	if (snprintf(trains, sizeof(trains), "%s/trains", dir) >= (int)sizeof(trains))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	st = rotate_ask(f->w, trains, e);
	for (int i = 0; i < WAIT_STEPS && st == STATUS_OK && f->live > 0; i++) {
		(void)nanosleep(&step, NULL);
		st = pass(f, dir, e);
	}
	return st;
}

/* What went is written down even where something could not be erased. */
static enum status passes_noted(struct forgetting *f, const char *dir, uint64_t *n, struct err *e)
{
	struct err late;
	enum status st = passes(f, dir, e);

	*n = segment_gone_count(&f->change);
	if (forgotten_done(f->w, dir, f->change.gone_span, *n, &late) == STATUS_OK || st != STATUS_OK)
		return st;
	*e = late;
	return late.status;
}

enum status store_forget(
	const struct world *w, const char *dir, const struct ip *host, uint64_t *n, struct err *e)
{
	struct forgetting f = {.w = w, .host = *host};
	char text[IP_TEXT];

	*n = 0;
	enum status st = store_check(dir, e);
	if (st == STATUS_NO)
		return STATUS_OK;
	if (st == STATUS_OK)
		st = temporaries_remove(w, dir, e);
	if (st == STATUS_OK)
		st = forgotten_begin(w, dir, e);
	if (st == STATUS_OK)
		st = passes_noted(&f, dir, n, e);
	segment_change_free(&f.change);
	if (st != STATUS_OK)
		return err_wrap(e, "forget %s", ip_text(text, host));
	if (f.live + f.alien > 0)
		return err_set(e, STATUS_NO,
			"forget %s: not complete: %llu segments are being written by a running recorder and "
			"%llu are not "
			"of this version; what they hold was not erased",
			ip_text(text, host), (unsigned long long)f.live, (unsigned long long)f.alien);
	return STATUS_OK;
}
