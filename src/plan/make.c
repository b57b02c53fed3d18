/* Making a plan: the pipeline of make.h, and which points of which fronts become options. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "plan/make_in.h"

#define SHOWN     12                   /* points of one front that are shown at most */
#define DRAWS     PLAN_OPTIONS         /* that may become options */
#define TEXT_MOST (PLAN_BYTES / 4 * 3) /* bytes of all actions of a plan, as they will be written */

/* ---- which choices make which options ---- */

static bool takes_all(const struct making *m, const struct choice *c)
{
	(void)m;
	(void)c;
	return true;
}

static bool takes_here(const struct making *m, const struct choice *c)
{
	(void)m;
	return c->place == 0;
}

static bool takes_sure(const struct making *m, const struct choice *c)
{
	(void)m;
	return c->ground.ok;
}

static bool takes_sure_here(const struct making *m, const struct choice *c)
{
	return takes_here(m, c) && takes_sure(m, c);
}

/* At a partner's, or in a network that nobody here has a word with. */
static bool is_partner(const struct making *m, const struct choice *c)
{
	struct prefix network;

	return c->place && !prefix_parse(&network, m->places.name[c->place]);
}

static bool takes_partner(const struct making *m, const struct choice *c)
{
	return is_partner(m, c);
}

static bool takes_network(const struct making *m, const struct choice *c)
{
	return c->place && !is_partner(m, c) && c->ground.step == 0;
}

static bool takes_up_network(const struct making *m, const struct choice *c)
{
	return c->place && !is_partner(m, c) && c->ground.step > 0;
}

static bool takes_rate(const struct making *m, const struct choice *c)
{
	(void)m;
	return c->rate > 0;
}

static bool takes_prefix(const struct making *m, const struct choice *c)
{
	return choice_is_prefix(m, c);
}

/* The hosts that attack, or what is upstream of them: dropped, at one of three widths. */
enum part { PART_PAIR, PART_PORT, PART_HOST };

static bool is_drop(const struct making *m, const struct choice *c, bool upstream, enum part part)
{
	const struct rule *r = &m->match[c->match].rule;
	enum part is = r->to.len ? PART_PAIR : r->proto ? PART_PORT : PART_HOST;

	return c->place == 0 && c->rate == 0 && rule_is_host(&r->from) && is == part &&
	       (c->ground.step > 0) == upstream;
}

static bool takes_pair(const struct making *m, const struct choice *c)
{
	return is_drop(m, c, false, PART_PAIR);
}

static bool takes_port(const struct making *m, const struct choice *c)
{
	return is_drop(m, c, false, PART_PORT);
}

static bool takes_host(const struct making *m, const struct choice *c)
{
	return is_drop(m, c, false, PART_HOST);
}

static bool takes_up_pair(const struct making *m, const struct choice *c)
{
	return is_drop(m, c, true, PART_PAIR);
}

static bool takes_up_port(const struct making *m, const struct choice *c)
{
	return is_drop(m, c, true, PART_PORT);
}

static bool takes_up_host(const struct making *m, const struct choice *c)
{
	return is_drop(m, c, true, PART_HOST);
}

/* Whole fronts first; then, of each width and of what others could do, what stops most: they may cost more
 * than the front, but leave fewer ways back. */
static const struct {
	choice_filter takes;
	bool last; /* only the point that stops most */
} draws_table[] = {{takes_sure_here, false}, {takes_all, false}, {takes_here, false}, {takes_sure, false},
	{takes_pair, true}, {takes_port, true}, {takes_host, true}, {takes_up_pair, true},
	{takes_up_port, true}, {takes_up_host, true}, {takes_rate, true}, {takes_prefix, true},
	{takes_partner, true}, {takes_network, true}, {takes_up_network, true}};
#define N_DRAWS_TABLE (sizeof(draws_table) / sizeof(draws_table[0]))

struct draws {
	struct draw draw[DRAWS];
	size_t n;
	bool *taken;
	uint32_t *share;
	int64_t gap;
	bool exact;
};

static int number_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void draw_add(struct draws *d, const struct front_point *p)
{
	qsort(p->set, p->n, sizeof(*p->set), number_order);
	for (size_t i = 0; i < d->n; i++)
		if (d->draw[i].n == p->n && memcmp(d->draw[i].choice, p->set, p->n * sizeof(*p->set)) == 0)
			return;
	if (d->n < DRAWS)
		d->draw[d->n++] = (struct draw){p->set, p->n, d->taken, d->share};
}

/* At most SHOWN of the points, evenly, both ends among them. */
static void front_take(struct draws *d, const struct front *f, bool last)
{
	size_t shown = f->n < SHOWN ? f->n : SHOWN;

	if (last && f->n)
		draw_add(d, &f->point[f->n - 1]);
	for (size_t i = 0; i < shown && !last; i++)
		draw_add(d, &f->point[shown == 1 ? 0 : i * (f->n - 1) / (shown - 1)]);
}

static enum status draws_make(struct draws *d, struct making *m, struct err *e)
{
	struct problem p;
	enum status s = problem_make(&p, m, e);

	d->exact = true;
	d->taken = arena_array(&m->arena, m->n_choice + 1, sizeof(*d->taken));
	d->share = arena_array(&m->arena, m->paths.n + 1, sizeof(*d->share));
	if (s == STATUS_OK && (!d->taken || !d->share))
		s = err_nomem(e);
	for (size_t i = 0; i < N_DRAWS_TABLE && s == STATUS_OK; i++) {
		struct front f;
		s = problem_solve(&f, &p, m, draws_table[i].takes, draws_table[i].last, e);
		if (s != STATUS_OK)
			break;
		front_take(d, &f, draws_table[i].last);
		d->exact = d->exact && (f.exact || draws_table[i].last);
		if (!draws_table[i].last && f.gap > d->gap)
			d->gap = f.gap;
	}
	return s;
}

/* ---- options ---- */

/* How much its rules leave open: any destination, any protocol. */
static size_t openness(const struct option *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_action; i++)
		n += (size_t)(o->action[i].rule.to.len == 0) + (size_t)(o->action[i].rule.proto == 0);
	return n;
}

static int number(double a, double b)
{
	return (a > b) - (a < b);
}

/* By collateral, then by what they stop; of equal ones the surest, the one that needs the fewest, that rests
 * on no link, the shortest, the narrowest. */
static int option_order(const void *a, const void *b)
{
	const struct option *x = a, *y = b;
	const int by[] = {(x->collateral > y->collateral) - (x->collateral < y->collateral),
		number(x->stops, y->stops), number(x->stops_all, y->stops_all), y->sufficient - x->sufficient,
		number((double)x->n_needs, (double)y->n_needs), (x->needed > 0) - (y->needed > 0),
		number((double)x->n_action, (double)y->n_action),
		number((double)openness(x), (double)openness(y))};

	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
		if (by[i])
			return by[i];
	for (size_t i = 0; i < x->n_action; i++) {
		int c = rule_compare(&x->action[i].rule, &y->action[i].rule);
		if (c == 0)
			c = strcmp(x->action[i].place, y->action[i].place);
		if (c)
			return c;
	}
	return 0;
}

static enum status option_of(
	struct option *o, struct making *m, const struct draw *d, const struct ways *w, struct err *e)
{
	enum status s = option_make(o, m, d, e);

	if (s != STATUS_OK)
		return s;
	for (size_t i = 0; i < d->n; i++)
		d->taken[d->choice[i]] = true;
	s = ways_left(o, w, m, d, e);
	for (size_t i = 0; i < d->n; i++)
		d->taken[d->choice[i]] = false;
	return s;
}

/* Bytes of the option's actions in the plan's text. */
static size_t text_size(const struct option *o)
{
	char rule[RULE_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < o->n_action; i++)
		n += strlen(rule_text(rule, &o->action[i].rule)) + strlen(o->action[i].place) + 16;
	return n;
}

/* A plan's text is bounded: of options that are too long together the longest go that are not marked; of
 * equally long ones the one in the middle, since the ends of a front say most. */
static void options_fit(struct plan *p)
{
	size_t size[PLAN_OPTIONS], all = 0;

	for (size_t i = 0; i < p->n_option; i++)
		all += size[i] = text_size(&p->option[i]);
	while (all > TEXT_MOST && p->n_option > 1) {
		size_t worst = SIZE_MAX;
		for (size_t i = 0; i < p->n_option; i++) {
			size_t mid = p->n_option / 2, d = i > mid ? i - mid : mid - i;
			size_t was = worst > mid ? worst - mid : mid - worst;
			if (!p->option[i].marked && (worst == SIZE_MAX || size[i] > size[worst] ||
							    (size[i] == size[worst] && d < was)))
				worst = i;
		}
		all -= size[worst];
		p->n_option--;
		memmove(&p->option[worst], &p->option[worst + 1], (p->n_option - worst) * sizeof(*p->option));
		memmove(&size[worst], &size[worst + 1], (p->n_option - worst) * sizeof(*size));
	}
}

static enum status options_make(struct plan *to, struct making *m, const struct draws *d, struct err *e)
{
	struct ways w;
	enum status s = ways_find(&w, m, e);

	to->option = arena_array(m->out, DRAWS, sizeof(*to->option));
	if (s == STATUS_OK && !to->option)
		s = err_nomem(e);
	for (size_t i = 0; i < d->n && s == STATUS_OK; i++) {
		s = option_of(&to->option[to->n_option], m, &d->draw[i], &w, e);
		to->n_option += s == STATUS_OK;
		s = s == STATUS_NO ? STATUS_OK : s;
	}
	if (s != STATUS_OK || to->n_option == 0)
		return s;
	qsort(to->option, to->n_option, sizeof(*to->option), option_order);
	to->option[option_best(to->option, to->n_option, to->attacks, m->p->budget >= 0)].marked = true;
	options_fit(to);
	for (size_t i = 0; i < to->n_option; i++)
		to->option[i].k = (uint32_t)i + 1;
	return s;
}

/* ---- the plan ---- */

static enum status nothing(const struct making *m, struct err *e)
{
	char id[ID_TEXT];

	(void)id_text(id, &m->c.id);
	if (m->n_choice == 0 && m->spared)
		return err_set(e, STATUS_NO,
			"case %.12s: all its addresses are protected (never_block, partner_networks, or "
			"nobody's), and nobody else is left to ask",
			id);
	if (m->n_choice && m->p->budget >= 0)
		return err_set(e, STATUS_NO, "case %.12s: no option costs bystanders at most %lld", id,
			(long long)m->p->budget);
	if (m->n_choice)
		return err_set(e, STATUS_NO, "case %.12s: more rules than max_rules (%llu) allows", id,
			(unsigned long long)m->p->cfg->max_rules);
	return err_set(e, STATUS_NO, "case %.12s: nothing in it can be blocked here or by anybody asked", id);
}

/* As they were given: a plan says whom it counts on, and whom not. */
static bool refusing_make(struct plan *to, const struct making *m)
{
	size_t n = m->p->n_refusing < PLAN_REFUSING ? m->p->n_refusing : PLAN_REFUSING;

	to->unwilling = arena_array(m->out, n + 1, sizeof(*to->unwilling));
	for (size_t i = 0; to->unwilling && i < n; i++) {
		to->unwilling[i] = arena_str(m->out, m->p->refusing[i]);
		if (!to->unwilling[i])
			return false;
		to->n_unwilling++;
	}
	return to->unwilling != NULL;
}

static enum status head_make(struct plan *to, const struct making *m, struct err *e)
{
	char text[PREFIX_TEXT];

	to->case_id = m->c.id;
	to->made = m->p->w->now(m->p->w->self);
	to->ends = arena_str(m->out, prefix_text(text, &m->paths.most));
	to->cases = m->paths.cases;
	to->attacks = m->paths.n_this;
	to->attacks_all = m->paths.n_same;
	to->from.us = m->seen.recorded.from_us;
	to->to.us = m->seen.recorded.to_us;
	to->window_us = to->to.us > to->from.us ? to->to.us - to->from.us : 0;
	to->erased = m->seen.erased;
	if (!to->ends || !refusing_make(to, m))
		return err_nomem(e);
	return case_evidence(&m->c, m->p->tracer, &to->evidence, e);
}

/* How long an option lasts: as asked for, but no longer than the configuration lets anything last. */
static int64_t how_long(const struct plan_param *p)
{
	int64_t us = p->for_us > 0 ? p->for_us : p->cfg->block_for_us;

	return us < p->cfg->max_block_us ? us : p->cfg->max_block_us;
}

static enum status pipeline(struct plan *to, struct making *m, struct err *e)
{
	struct draws d = {0};
	enum status s = seen_read(&m->seen, m->p, &m->arena, e);

	if (s == STATUS_OK)
		s = paths_make(m, e);
	if (s == STATUS_OK)
		s = choices_make(m, e);
	if (s == STATUS_OK)
		s = gains_find(m, e);
	if (s == STATUS_OK)
		s = collateral_count(m, e);
	if (s == STATUS_OK)
		s = head_make(to, m, e);
	if (s == STATUS_OK)
		s = draws_make(&d, m, e);
	if (s == STATUS_OK)
		s = options_make(to, m, &d, e);
	if (s == STATUS_OK && to->n_option == 0)
		s = nothing(m, e);
	to->exact = d.exact;
	to->gap = s == STATUS_OK ? (double)d.gap / GAIN_UNIT / (double)m->paths.n_same : 0;
	return s;
}

enum status plan_make(
	struct plan *to, const struct plan_param *p, const char *case_id, struct arena *a, struct err *e)
{
	struct making m = {.p = p, .out = a, .alphas = alphas_of(p->cfg), .for_us = how_long(p)};
	enum status s = case_read(p->db, case_id, &m.arena, &m.c, e);

	*to = (struct plan){.ends = ""};
	if (s == STATUS_OK)
		s = pipeline(to, &m, e);
	seen_free(&m.seen);
	free(m.paths.path);
	arena_free(&m.arena);
	return s;
}
