/* Sightings come in, paths go out: those of this case traced anew, those of the other open cases as their
 * claims tell them.
 *
 * Tracing reads everything that was recorded of a host.  A host that nothing else was recorded of has no
 * in-leg, so a thousand attackers from outside cost one look at the index each; where more than PLAN_TRACED
 * flows do have to be traced, the others are taken from the claims that an earlier trace made. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "plan/make_in.h"

#define FAR_OFF_US (60 * SECOND_US) /* a sensor's alert this far from a flow's life is not of it */
#define PATHS_MOST 100000           /* of all cases together; each is 2.5 kB */

/* ---- the list ---- */

static struct path *path_new(struct making *m, const struct id *of, struct err *e)
{
	struct paths *l = &m->paths;

	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct path *room = realloc(l->path, cap * sizeof(*room));
		if (!room) {
			(void)err_nomem(e);
			return NULL;
		}
		l->path = room;
		l->cap = cap;
	}
	struct path *p = &l->path[l->n];
	*p = (struct path){.case_id = *of, .this_case = id_order(of, &m->c.id) == 0, .weight = 1};
	return p;
}

/* What makes two steps one flow: its id, or the 5-tuple where it was not recorded. */
struct same {
	struct id flow;
	uint8_t proto;
	struct endpoint end[2];
};

static struct same same_of(const struct step *s)
{
	struct same k;

	memset(&k, 0, sizeof(k)); /* compared as bytes */
	if (s->recorded && !(s->members && id_order(&s->flow, &(struct id){0}) == 0)) {
		k.flow = s->flow;
		return k;
	}
	k.proto = s->proto;
	for (int i = 0; i < 2; i++) {
		k.end[i].ip = s->end[i].ip;
		k.end[i].port = s->end[i].port;
	}
	return k;
}

struct sorted {
	struct same key;
	size_t at;
};

static int sorted_order(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int c = memcmp(&x->key, &y->key, sizeof(x->key));

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Of the paths from `first` on, one for each attack: the first, in the order in which they came. */
static enum status paths_once(struct paths *l, size_t first, struct err *e)
{
	size_t n = l->n - first, k = first;
	struct sorted *s = calloc(n + 1, sizeof(*s));
	bool *twice = calloc(n + 1, sizeof(*twice));

	for (size_t i = 0; s && twice && i < n; i++)
		s[i] = (struct sorted){same_of(&l->path[first + i].step[0]), i};
	if (s && twice) {
		qsort(s, n, sizeof(*s), sorted_order);
		for (size_t i = 1; i < n; i++)
			twice[s[i].at] = memcmp(&s[i].key, &s[i - 1].key, sizeof(s[i].key)) == 0;
		for (size_t i = 0; i < n; i++)
			if (!twice[i])
				l->path[k++] = l->path[first + i];
		l->n = k;
	}
	enum status st = s && twice ? STATUS_OK : err_nomem(e);
	free(s);
	free(twice);
	return st;
}

/* ---- one sighting ---- */

static bool by_sensor(const struct sighting *g)
{
	return strcmp(g->source, "operator") != 0;
}

/* Ports are used again: a flow of another time is another session.  An operator may have named no time. */
static bool is_of(const struct flow *f, const struct sighting *g)
{
	return !by_sensor(g) ||
	       (g->at.us >= f->head.first_us - FAR_OFF_US && g->at.us <= f->last_us + FAR_OFF_US);
}

/* The end that the attack comes from: as tracing takes it (trace/chain.c). */
static int from_end(const struct flow *f, const struct sighting *g)
{
	if ((f->head.flags & FLOW_ASSUMED) && by_sensor(g))
		return endpoint_equal(&f->head.end[1], &g->end[0]) ? 1 : 0;
	return flow_opener(f);
}

/* Could a trace find anything: may the host be followed, and was anything else recorded of it? */
static bool worth_tracing(const struct making *m, uint32_t flow, int from)
{
	const struct flow *f = &m->seen.rec.flow[flow];
	const struct config *cfg = m->p->cfg;
	bool inside = m->seen.whole || f->head.first_us - 2 * cfg->clock_skew_us >= m->seen.window.from_us;

	if (!config_owns(cfg, &f->head.end[from].ip))
		return false;
	return !inside || m->seen.moved[flow] || seen_others(&m->seen, flow, &f->head.end[from].ip);
}

/* In the window; NO_INDEX: it is not there. */
static uint32_t find_seen(const struct making *m, const struct sighting *g)
{
	uint32_t k = seen_find(&m->seen, g->proto, g->end, g->flow_id, g->at);
	bool other = k != NO_INDEX && g->flow_id && !m->seen.whole && !seen_has_id(&m->seen, k, g->flow_id);

	return k == NO_INDEX || other || !is_of(&m->seen.rec.flow[k], g) ? NO_INDEX : k;
}

static enum status find_recorded(
	struct making *m, const struct sighting *g, const struct flow **to, struct err *e)
{
	char text[FLOW_TEXT];
	struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};
	enum status s = STATUS_NO;

	*to = NULL;
	if (g->flow_id)
		s = tracer_flow(m->p->tracer, g->flow_id, g->at, to, e);
	if (s == STATUS_NO || s == STATUS_BAD)
		s = tracer_flow(m->p->tracer, flow_text(text, &head), g->at, to, e);
	if (s == STATUS_BAD || (s == STATUS_OK && !is_of(*to, g)))
		return STATUS_NO; /* a notation that is none, another session: not recorded */
	return s;
}

static enum status trace_path(
	struct making *m, struct path *p, const struct flow *f, const struct sighting *g, struct err *e)
{
	struct chain c;
	const struct endpoint *said = by_sensor(g) ? &g->end[0] : NULL;
	enum status s = trace_chain(m->p->tracer, f, said, &c, e);

	return s == STATUS_OK ? path_of_chain(p, &c, from_end(f, g), &m->seen, m->p->tracer, e) : s;
}

static void path_start(struct making *m, struct path *p, uint32_t flow, const struct sighting *g)
{
	if (flow == NO_INDEX) {
		step_of_sighting(&p->step[0], g);
	} else {
		const struct flow *f = &m->seen.rec.flow[flow];
		step_of_flow(&p->step[0], f, from_end(f, g), m->seen.moved[flow]);
	}
	p->n_step = 1;
	p->origin = p->step[0].end[0].ip;
}

/* *traces: how many more may be; 0: taken from claims.  STATUS_OK, or the machine failed. */
static enum status path_make(struct making *m, struct path *p, const struct sighting *g,
	const struct told_links *links, size_t *traces, struct err *e)
{
	uint32_t i = find_seen(m, g);
	bool trace = i == NO_INDEX ? !m->seen.whole : worth_tracing(m, i, from_end(&m->seen.rec.flow[i], g));
	const struct flow *f;
	enum status s = STATUS_NO;

	path_start(m, p, i, g);
	if (trace && *traces) {
		--*traces;
		s = find_recorded(m, g, &f, e);
		if (s == STATUS_OK)
			s = trace_path(m, p, f, g, e);
	}
	if (s > STATUS_NO)
		return s;
	path_extend(p, links, &m->seen, s == STATUS_NO);
	return STATUS_OK;
}

static enum status paths_of(struct making *m, const struct attack_case *c, size_t traces, struct err *e)
{
	struct told_links links;
	size_t first = m->paths.n;
	enum status s = told_links_read(&links, c, m->p->tracer, &m->arena, e);

	for (size_t i = 0; i < c->n_sighting && s == STATUS_OK && m->paths.n < PATHS_MOST; i++) {
		struct path *p = path_new(m, &c->id, e);
		if (!p)
			return STATUS_MACHINE;
		s = path_make(m, p, &c->sighting[i], &links, &traces, e);
		m->paths.n += s == STATUS_OK;
	}
	return s == STATUS_OK ? paths_once(&m->paths, first, e) : s;
}

/* ---- where they end ---- */

static int prefix_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

/* The networks that this case's paths end in, each once, and the one that most of them do. */
static enum status ends_find(struct making *m, struct err *e)
{
	struct paths *l = &m->paths;
	size_t most = 0, same = 0, k = 0;

	l->end = arena_array(&m->arena, l->n_this + 1, sizeof(*l->end));
	if (!l->end)
		return err_nomem(e);
	for (size_t i = 0; i < l->n_this; i++)
		l->end[i] = network_of(&l->path[i].origin);
	qsort(l->end, l->n_this, sizeof(*l->end), prefix_order);
	for (size_t i = 0; i < l->n_this; i++) {
		bool again = k && prefix_order(&l->end[k - 1], &l->end[i]) == 0;
		same = again ? same + 1 : 1;
		if (same > most) {
			most = same;
			l->most = l->end[i];
		}
		if (!again)
			l->end[k++] = l->end[i];
	}
	l->n_end = k;
	return STATUS_OK;
}

static bool ends_there(const struct paths *l, const struct path *p)
{
	struct prefix n = network_of(&p->origin);

	return bsearch(&n, l->end, l->n_end, sizeof(n), prefix_order) != NULL;
}

/* ---- what was searched for all of them together ---- */

/* A flow that left a relay. */
struct left {
	struct ip relay;
	struct same flow;
};

static int left_order(const void *a, const void *b)
{
	const struct left *x = a, *y = b;
	int c = ip_compare(&x->relay, &y->relay);

	return c ? c : memcmp(&x->flow, &y->flow, sizeof(x->flow));
}

/* How many flows of the relay are among these. */
static uint64_t left_count(const struct left *l, size_t n, const struct ip *relay)
{
	size_t lo = 0, hi = n, k = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (ip_compare(&l[mid].relay, relay) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + k < n && ip_equal(&l[lo + k].relay, relay))
		k++;
	return k;
}

/* The flows of this case that left relays and whose in-leg was looked for: sorted, each once. */
static struct left *left_make(const struct making *m, size_t *n)
{
	size_t most = 1, all = 0;

	for (size_t i = 0; i < m->paths.n_this; i++)
		most += m->paths.path[i].n_step;
	struct left *l = calloc(most, sizeof(*l));
	for (size_t i = 0; l && i < m->paths.n_this; i++) {
		const struct path *p = &m->paths.path[i];
		for (size_t k = 0; k < p->n_step; k++)
			if (p->step[k].recorded || k + 1 < p->n_step) {
				l[all].relay = p->step[k].end[0].ip;
				l[all++].flow = same_of(&p->step[k]);
			}
	}
	if (l && all)
		qsort(l, all, sizeof(*l), left_order);
	*n = 0;
	for (size_t i = 0; l && i < all; i++)
		if (i == 0 || left_order(&l[*n - 1], &l[i]) != 0)
			l[(*n)++] = l[i];
	return l;
}

/* A plan takes the best of what was found for any flow of the case, so M is what was searched for all of them
 * that left the relay, as `weir scan` charges all pairs (doc/evidence.md): else a host that fed none of a
 * thousand flows would have a thousand tries at one alpha. */
static enum status searched_together(struct making *m, struct err *e)
{
	size_t n;
	struct left *l = left_make(m, &n);

	if (!l)
		return err_nomem(e);
	for (size_t i = 0; i < m->paths.n_this; i++) {
		struct path *p = &m->paths.path[i];
		for (size_t k = 1; k < p->n_step; k++) {
			uint64_t *searched = &p->step[k].searched,
				 flows = left_count(l, n, &p->step[k - 1].end[0].ip);
			*searched = *searched > UINT64_MAX / flows ? UINT64_MAX : *searched * flows;
		}
	}
	free(l);
	return STATUS_OK;
}

/* ---- the other open cases ---- */

static enum status other_case(struct making *m, const struct attack_case *listed, struct err *e)
{
	char id[ID_TEXT];
	struct attack_case c;
	struct arena once = {0};
	size_t first = m->paths.n, n = 0;
	enum status s = case_read(m->p->db, id_text(id, &listed->id), &once, &c, e);

	if (s == STATUS_OK)
		s = paths_of(m, &c, 0, e);
	else if (s == STATUS_NO)
		s = STATUS_OK; /* gone meanwhile */
	arena_free(&once);
	for (size_t i = first; i < m->paths.n && s == STATUS_OK; i++) {
		m->paths.path[i].same_end = ends_there(&m->paths, &m->paths.path[i]);
		n += m->paths.path[i].same_end;
	}
	m->paths.n_same += n;
	m->paths.cases += n > 0;
	return s;
}

static enum status other_cases(struct making *m, struct err *e)
{
	struct attack_case *list;
	size_t n;
	enum status s = case_list(m->p->db, WALL_BEGIN, WALL_END, &m->arena, &list, &n, e);

	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		if (list[i].closed.us == 0 && id_order(&list[i].id, &m->c.id) != 0)
			s = other_case(m, &list[i], e);
	return s;
}

/* ---- nobody's loss ---- */

/* The flow itself, not another session of the same ports. */
static void mark_step(struct seen *s, const struct step *k, int64_t skew)
{
	uint32_t i = NO_INDEX;

	if (!k->hidden && k->recorded && k->first_us)
		i = seen_find(s, k->proto, k->end, NULL, (struct wall){k->first_us});
	const struct flow *f = i == NO_INDEX ? NULL : &s->rec.flow[i];
	if (f && f->head.first_us <= k->last_us + skew && k->first_us <= f->last_us + skew)
		s->talk[s->talk_of[i]].attack = true;
}

/* Attack flows of all cases and proven legs are no bystanders. */
static void attacks_mark(struct making *m)
{
	for (size_t i = 0; i < m->paths.n; i++)
		for (size_t k = 0; k < m->paths.path[i].n_step; k++)
			if (k == 0 || m->paths.path[i].step[k].proven)
				mark_step(&m->seen, &m->paths.path[i].step[k], m->p->cfg->clock_skew_us);
}

enum status paths_make(struct making *m, struct err *e)
{
	char id[ID_TEXT];
	enum status s = paths_of(m, &m->c, PLAN_TRACED, e);

	if (s != STATUS_OK)
		return s;
	m->paths.n_this = m->paths.n_same = m->paths.n;
	m->paths.cases = 1;
	if (m->paths.n == 0)
		return err_set(e, STATUS_NO, "case %s has no sighting: there is nothing to block",
			id_text(id, &m->c.id));
	for (size_t i = 0; i < m->paths.n; i++)
		m->paths.path[i].same_end = true;
	s = searched_together(m, e);
	if (s == STATUS_OK)
		s = ends_find(m, e);
	if (s == STATUS_OK)
		s = other_cases(m, e);
	if (s == STATUS_OK && m->paths.n >= PATHS_MOST)
		log_line("more than %d attack flows in open cases: the rest is left out of the plan",
			PATHS_MOST);
	if (s == STATUS_OK)
		attacks_mark(m);
	return s;
}
