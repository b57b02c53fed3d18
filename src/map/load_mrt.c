/* MRT files of one group into one paths sheet: record by record from the input to the builder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/load_in.h"

struct reading {
	struct loading *l;
	struct paths_build *build;
	struct job *j;
	struct mrt *m;
	struct wall from, to; /* of all files */
	bool any;
};

/* TABLE_DUMP and TABLE_DUMP_V2 (RFC 6396, 4.2, 4.3) say what there is, all others what changes. */
static bool is_table_record(const uint8_t *p, size_t n)
{
	struct rd r = rd_of(p, n);

	rd_skip(&r, 4);
	uint16_t type = rd_be16(&r);
	return type == 12 || type == 13;
}

/* Of records with routes: one damaged record's time would move the whole table to where it has no neighbours
 * in time, and in front of all others. */
static void time_of(struct reading *r)
{
	struct wall at = mrt_time(r->m);

	if (!r->any || at.us < r->from.us)
		r->from = at;
	if (!r->any || at.us > r->to.us)
		r->to = at;
	r->any = true;
}

static enum status record(struct reading *r, const uint8_t *p, size_t n, struct err *e)
{
	const struct mrt_route *route;
	size_t n_route, n_peer;
	enum status st = mrt_record(r->m, p, n, &route, &n_route, e);

	if (st != STATUS_OK)
		return st;
	if (n_route)
		time_of(r);
	paths_build_record(r->build, is_table_record(p, n), mrt_time(r->m));
	const struct mrt_peer *peer = mrt_peers(r->m, &n_peer);
	return paths_build_add(r->build, route, n_route, peer, n_peer, e);
}

static void damage_tell(struct job *j, size_t left, size_t size)
{
	const char *damage = input_damage(j->in);
	unsigned long long at = input_where(j->in).out;

	if (damage)
		(void)snprintf(j->f->damage, sizeof(j->f->damage), "%s", damage);
	else if (size == SIZE_MAX)
		(void)snprintf(j->f->damage, sizeof(j->f->damage),
			"at byte %llu stands no record, and nothing behind it is read", at);
	else if (left)
		(void)snprintf(j->f->damage, sizeof(j->f->damage),
			"cut off in the middle of a record at byte %llu", at);
}

/* Whole records of at most a piece, at least one where there is one.  *size: of the one that could not be
 * taken, 0 where none was in the way. */
static enum status records(
	struct reading *r, const uint8_t *p, size_t n, size_t *used, size_t *size, struct err *e)
{
	enum status st = STATUS_OK;

	*used = 0;
	do {
		*size = mrt_size(p + *used, n - *used);
		if (*size == 0 || *size > n - *used)
			return st;
		st = record(r, p + *used, *size, e);
		*used += *size;
		*size = 0;
	} while (st == STATUS_OK && *used < LOAD_PIECE);
	return st;
}

/* All records of the file. */
static enum status file_read(struct reading *r, struct err *e)
{
	size_t n, used, size, want = LOAD_PIECE;
	const uint8_t *p;
	bool end = false;

	while (!end) {
		enum status st = input_peek(r->j->in, want, &p, &n, e);
		if (st == STATUS_OK)
			st = records(r, p, n, &used, &size, e);
		if (st != STATUS_OK)
			return st;
		end = size == SIZE_MAX || (used == 0 && n < want);
		input_skip(r->j->in, used);
		if (end)
			damage_tell(r->j, n - used, size);
		want = size > LOAD_PIECE && !end ? size : LOAD_PIECE;
		if ((st = load_progress(r->l, r->j, e)) != STATUS_OK)
			return st;
	}
	return STATUS_OK;
}

/* What this file added to the builder's counts, and the reader's. */
static void counts_keep(struct reading *r, const struct paths_counts *before)
{
	struct paths_counts *to = &r->j->f->mrt;
	const struct paths_counts *now = paths_build_counts(r->build);
	uint64_t a[sizeof(*to) / sizeof(uint64_t)], b[sizeof(*to) / sizeof(uint64_t)];

	_Static_assert(sizeof(*to) % sizeof(uint64_t) == 0, "counts are numbers only");
	memcpy(a, now, sizeof(a));
	memcpy(b, before, sizeof(b));
	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
		a[i] -= b[i];
	memcpy(to, a, sizeof(a));
	for (size_t i = 0; i < MRT_DROPS; i++)
		to->dropped[i] += mrt_dropped(r->m)[i];
}

static enum status job_read(struct reading *r, struct job *j, struct err *e)
{
	struct paths_counts before = *paths_build_counts(r->build);
	enum status st = job_open(r->l, j, e);

	if (st != STATUS_OK)
		return st;
	r->j = j;
	r->m = mrt_new();
	if (!r->m)
		st = err_nomem(e);
	paths_build_file(r->build);
	if (st == STATUS_OK)
		st = file_read(r, e);
	if (st == STATUS_OK)
		counts_keep(r, &before);
	mrt_free(r->m);
	job_close(j);
	return st == STATUS_OK || st == STATUS_NO ? st : err_wrap(e, "%s", j->name);
}

/* What the list says of the sheet. */
static struct list_line line_of(const struct reading *r)
{
	struct list_line line = {.kind = SHEET_PATHS, .from = r->from, .to = r->to};

	paths_build_families(r->build, &line.v4, &line.v6);
	return line;
}

static enum status sheet_write(struct reading *r, struct job *const *job, size_t n, struct err *e)
{
	struct sheet_out *o = load_begin(r->l, SHEET_PATHS, e);
	bool known = false;

	if (!o)
		return e->status;
	sheet_time(o, r->from, r->to);
	enum status st = paths_build_write(r->build, o, e);
	if (st == STATUS_OK)
		st = load_id(r->l, job, n, o, &known, e);
	else if (st == STATUS_BAD)
		(void)err_wrap(e, "%s", job[0]->name);
	if (st != STATUS_OK || known) {
		sheet_drop(o);
		return st;
	}
	struct list_line line = line_of(r);
	return load_keep(r->l, job[0], o, &line, e);
}

enum status load_routes(struct loading *l, struct job **job, size_t n, struct err *e)
{
	struct reading r = {.l = l};
	enum status st = STATUS_OK;

	r.build = paths_build_new();
	if (!r.build)
		return err_nomem(e);
	for (size_t i = 0; i < n && st == STATUS_OK; i++)
		st = job_read(&r, job[i], e);
	if (st == STATUS_OK)
		st = sheet_write(&r, job, n, e);
	paths_build_free(r.build);
	return st;
}
