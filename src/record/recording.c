/* A query comes in, a recording goes out: the segments of a directory are read, the wanted chunks collected,
 * joined to flows (join.c), translated copies marked (rewrite.c) and the coverage summed up (coverage.c).
 *
 * A query by time or id finds some chunks of a flow; the others are fetched in a second pass by their
 * endpoints, so that a flow always comes whole. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "record/pair.h"
#include "record/segment.h"

/* One reading: what was collected so far. */
struct reading {
	const struct world *w;
	struct part_filter filter;
	struct parts parts;
	uint64_t damaged;
	bool quiet; /* the second pass will name what is damaged */
	struct segment *segment;
	struct paths paths;
};

/* All segments once.  One that vanished meanwhile was removed by the caps and is passed over. */
static enum status pass(struct reading *g, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < g->paths.n && st == STATUS_OK; i++) {
		struct segment *s = g->segment;
		st = segment_open(s, g->w, g->paths.path[i], e);
		if (st == STATUS_BAD && !g->quiet)
			log_line("%s", e->text);
		g->damaged += st == STATUS_BAD;
		if (st == STATUS_BAD || st == STATUS_NO) {
			st = STATUS_OK;
			continue;
		}
		if (st != STATUS_OK)
			break;
		s->quiet = g->quiet;
		st = parts_collect(&g->parts, s, &g->filter, e);
		g->damaged += s->damaged;
		segment_close(s, g->w);
	}
	return st;
}

/* After a pass by time or id: the same again for whole flows, by the endpoints that were found. */
static enum status pass_whole(struct reading *g, struct err *e)
{
	struct pair_set set = {0};
	enum status st = STATUS_OK;
	struct part_filter before = g->filter;

	for (size_t i = 0; i < g->parts.n && st == STATUS_OK; i++)
		if (!pair_add(&set, &g->parts.part[i].head))
			st = err_nomem(e);
	g->parts.n = 0;
	g->parts.n_cover = 0;
	g->quiet = false;
	g->damaged = 0;
	g->filter.id = NULL;
	g->filter.since_us = INT64_MIN;
	g->filter.until_us = INT64_MAX;
	g->filter.pair = &set;
	if (st == STATUS_OK)
		st = pass(g, e);
	g->filter = before;
	pair_free(&set);
	return st;
}

static bool limited(const struct part_filter *f)
{
	return f->id || f->since_us > INT64_MIN || f->until_us < INT64_MAX;
}

static void filter_of(struct part_filter *f, const struct store_query *q)
{
	*f = (struct part_filter){.host = q->host, .port = q->port, .id = q->id, .heads_only = q->heads_only};
	f->since_us = q->since.us;
	f->until_us = q->until.us;
	if (q->since.us == 0 && q->until.us == 0) { /* a query of zeroes means everything */
		f->since_us = INT64_MIN;
		f->until_us = INT64_MAX;
	}
}

/* Does the flow match what the query says of the whole flow? */
static bool flow_wanted(const struct flow *f, const struct part_filter *q)
{
	bool id = !q->id || id_match(&f->head.id, q->id);

	for (size_t i = 0; !id && i < f->n_alias; i++)
		id = id_match(&f->alias[i], q->id);
	return id && f->head.first_us <= q->until_us && f->last_us >= q->since_us;
}

static void flows_select(struct recording *r, const struct part_filter *f)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_flow; i++)
		if (flow_wanted(&r->flow[i], f))
			r->flow[n++] = r->flow[i];
	r->n_flow = n;
}

static enum status flows_make(
	struct recording *to, struct reading *g, const struct store_query *q, struct err *e)
{
	enum status st = join_parts(to, &g->parts, q, e);

	if (st == STATUS_OK && limited(&g->filter))
		flows_select(to, &g->filter);
	if (st == STATUS_OK)
		st = coverage_merge(to, g->parts.cover, g->parts.n_cover, e);
	if (st == STATUS_OK)
		st = rewrite_mark(to, e);
	return st;
}

enum status recording_read(struct recording *to, const struct world *w, const char *dir,
	const struct store_query *q, struct err *e)
{
	struct reading g = {.w = w};

	*to = (struct recording){0};
	enum status st = store_check(dir, e);
	if (st != STATUS_OK && st != STATUS_NO)
		return st;
	filter_of(&g.filter, q);
	g.quiet = limited(&g.filter);
	g.segment = malloc(sizeof(*g.segment));
	st = g.segment ? segments_list(&g.paths, dir, ".seg", e) : err_nomem(e);
	if (st == STATUS_OK)
		st = pass(&g, e);
	if (st == STATUS_OK && limited(&g.filter))
		st = pass_whole(&g, e);
	if (st == STATUS_OK)
		st = flows_make(to, &g, q, e);
	to->damaged = g.damaged;
	parts_free(&g.parts);
	paths_free(&g.paths);
	free(g.segment);
	if (st != STATUS_OK)
		recording_free(to);
	return st == STATUS_OK ? st : err_wrap(e, "recording %s", dir);
}

void recording_free(struct recording *r)
{
	arena_free(&r->arena);
	*r = (struct recording){0};
}
