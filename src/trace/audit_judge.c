/* What the counts of an audit say: limits, verdict, the decay of the tail, and the alpha that is left. */
#include "trace/audit.h"

#include <math.h>

#include "base/binomial.h"

#define LIMIT_A   0.01 /* one-sided 99 % limits */
#define COUNT_MIN 10   /* a share that rests on fewer pairs says little of the decay, unless it is flawed */
#define SHARE_MIN 2    /* pairs that make a share; one alone is judged as the largest of all */
#define FAIR_TENS 2    /* the largest of N is above 10^2 N in at most one of 10^2 audits (audit.h) */
#define LEAST_LOG -300 /* below this no alpha can be written */

/* Is the lower limit of the share above 10^-k? */
bool audit_level_flawed(const struct audit_part *p, int k)
{
	int64_t x = (int64_t)p->reached[k], n = (int64_t)p->able;
	double allowed = pow(10, -k);

	return x >= SHARE_MIN && (double)x > (double)n * allowed && binomial_tail(x, n, allowed) < LIMIT_A;
}

/* P(any of N pairs reaches 10^k) <= N 10^-k: is the largest beyond what one in 100 audits meets? */
static void largest_judge(struct audit *a)
{
	uint64_t n = a->part[AUDIT_ALL].able;

	a->largest_fair = n ? log10((double)n) + FAIR_TENS : 0;
	a->largest_flawed = n && a->max_log10_e > a->largest_fair;
}

static void rows_fill(struct audit_part *p)
{
	for (int k = 1; k <= AUDIT_TENS; k++) {
		struct audit_row *r = &p->row[k];
		int64_t x = (int64_t)p->reached[k], n = (int64_t)p->able;
		r->share = n ? (double)x / (double)n : 0;
		r->lower = limit_lower(x, n, LIMIT_A);
		r->upper = limit_upper(x, n, LIMIT_A);
	}
	p->flawed = false;
	for (int k = 1; k <= AUDIT_LEVELS; k++) {
		bool flawed = audit_level_flawed(p, k);
		p->flawed = p->flawed || flawed;
		if (k <= AUDIT_TENS)
			p->row[k].flawed = flawed;
	}
}

static void add_up(struct audit *a)
{
	struct audit_part *all = &a->part[AUDIT_ALL];

	*all = (struct audit_part){0};
	for (int m = 0; m < AUDIT_ALL; m++) {
		all->pairs += a->part[m].pairs;
		all->able += a->part[m].able;
		for (int k = 1; k <= AUDIT_LEVELS; k++)
			all->reached[k] += a->part[m].reached[k];
	}
}

/* b of audit.h, of one part. */
static double decay_of(const struct audit_part *p)
{
	double b = 1;

	for (int k = 1; k <= AUDIT_LEVELS; k++) {
		if (p->reached[k] < COUNT_MIN && !audit_level_flawed(p, k))
			continue;
		b = fmin(b, -log10(limit_upper((int64_t)p->reached[k], (int64_t)p->able, LIMIT_A)) / k);
	}
	return b;
}

/* The same of the largest, which one pair reached. */
static double decay_of_largest(const struct audit *a)
{
	int64_t n = (int64_t)a->part[AUDIT_ALL].able;

	return a->largest_flawed ? -log10(limit_upper(1, n, LIMIT_A)) / a->max_log10_e : 1;
}

static double alpha_left(double alpha, double b, uint64_t searchable)
{
	double m = searchable > 1 ? log10((double)searchable) : 0;

	if (b < AUDIT_DECAY_MIN)
		return 0;
	double to = (log10(alpha) - (1 - b) * m) / b;
	return to < LEAST_LOG ? 0 : fmin(alpha, pow(10, to));
}

/* The k of the table at which the share exceeds what is allowed most; the last where none does. */
static int worst(const struct audit *a)
{
	int at = AUDIT_TENS;
	double top = 0;

	for (int m = 0; m < AUDIT_PARTS; m++) {
		for (int k = 1; k <= AUDIT_TENS; k++) {
			double over = a->part[m].row[k].share * pow(10, k);
			if (!a->part[m].row[k].flawed || over <= top)
				continue;
			top = over;
			at = k;
		}
	}
	return at;
}

void audit_judge(struct audit *a)
{
	add_up(a);
	largest_judge(a);
	a->decay = 1;
	bool flawed = a->largest_flawed;
	for (int m = 0; m < AUDIT_PARTS; m++) {
		rows_fill(&a->part[m]);
		flawed = flawed || a->part[m].flawed;
	}
	for (int m = 0; flawed && m < AUDIT_PARTS; m++)
		a->decay = fmin(a->decay, decay_of(&a->part[m]));
	a->decay = fmin(a->decay, decay_of_largest(a));
	a->verdict = flawed ? AUDIT_FLAWED : AUDIT_HOLDS;
	if (!flawed && a->part[AUDIT_ALL].able < AUDIT_ABLE_MIN)
		a->verdict = AUDIT_TOO_LITTLE;
	a->alpha_most = flawed ? alpha_left(a->alpha, a->decay, a->searchable) : 1;
	a->worst_k = worst(a);
	if (!flawed)
		a->lift = 0;
	else if (a->lift < a->part[AUDIT_ALL].able)
		a->lift = a->part[AUDIT_ALL].able;
}

bool audit_replaces(struct audit *fresh, const struct audit *old)
{
	bool stands = old && old->verdict == AUDIT_FLAWED, fails = fresh->verdict == AUDIT_FLAWED;

	if (fresh->verdict == AUDIT_TOO_LITTLE || (fresh->stopped && !fails))
		return false;
	if (!stands)
		return true;
	bool more = fresh->alpha_most > old->alpha_most;
	if (more && (fresh->stopped || fresh->part[AUDIT_ALL].able < old->lift))
		return false;
	if (fails && fresh->lift < old->lift)
		fresh->lift = old->lift;
	return true;
}

double alpha_floor(double alpha)
{
	double unit = pow(10, floor(log10(alpha)) - 1);

	return floor(alpha / unit) * unit;
}

const char *audit_verdict_name(enum audit_verdict v)
{
	static const char *const name[] = {[AUDIT_TOO_LITTLE] = "too little traffic to tell",
		[AUDIT_HOLDS] = "holds",
		[AUDIT_FLAWED] = "does not hold"};

	return name[v];
}
