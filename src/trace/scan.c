/* Scan: which of my hosts relay now?  Every pair of flows that were alive together at an own host, or at any
 * two, is searched, and M is the number of all those pairs over all hosts, since all were searched.
 *
 * The recording is read once; its flows stand as legs in sets of pairs (scan_host.c, scan_any.c), which are
 * counted (scan_pairs.c) and searched (scan_run.c): a table of bits finds the pairs that could be proven at
 * all (index.c), the link test says which are. */
#include "trace/scan_in.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static bool point_known(const struct scan *sc, const char *name)
{
	for (size_t i = 0; i < sc->n_point; i++)
		if (sc->point[i] == name || strcmp(sc->point[i], name) == 0)
			return true;
	return false;
}

/* Distinct names of observation points, in order of appearance. */
static enum status points(struct scan *sc, struct err *e)
{
	size_t cap = 0;

	for (size_t i = 0; i < sc->rec.n_flow; i++) {
		const char *name = sc->rec.flow[i].head.point;
		if (point_known(sc, name))
			continue;
		if (!grow(&sc->point, &cap, sc->n_point, 1, sizeof(*sc->point)))
			return err_nomem(e);
		sc->point[sc->n_point++] = name;
	}
	return STATUS_OK;
}

static enum status sets(struct scan *sc, struct err *e)
{
	enum status s = points(sc, e);

	sc->told = arena_array(&sc->rec.arena, sc->rec.n_flow + 1, sizeof(*sc->told));
	if (s == STATUS_OK && !sc->told)
		s = err_nomem(e);
	if (s == STATUS_OK)
		s = scan_views(sc, e);
	if (s == STATUS_OK)
		s = scan_host_sets(sc, e);
	if (s == STATUS_OK && sc->p->any_host && !scan_stopped(sc))
		s = scan_any_sets(sc, e);
	return s;
}

enum status trace_scan(struct tracer *t, const struct scan_param *p, struct scan_sum *sum, struct err *e)
{
	struct scan sc = {.t = t, .p = p, .sum = sum};
	struct store_query q = {
		.since = p->since, .until = p->until, .port = -1, .gap_us = BURST_GAP_RECORDED_US};

	*sum = (struct scan_sum){0};
	enum status s = recording_read(&sc.rec, t->w, t->dir, &q, e);
	if (s != STATUS_OK)
		return s;
	s = sets(&sc, e);
	sum->flows = sc.rec.n_flow;
	for (size_t i = 0; i < sc.n_view; i++)
		sum->hosts += sc.view[i].n > 1;
	sum->pairs = sc.pairs;
	sc.needed = -log10(t->alpha) + (sc.pairs ? log10((double)sc.pairs) : 0);
	if (s == STATUS_OK)
		s = scan_run(&sc, e);
	sum->stopped = scan_stopped(&sc);
	free(sc.held);
	free(sc.twins);
	free(sc.set);
	free(sc.point);
	recording_free(&sc.rec);
	return s;
}
