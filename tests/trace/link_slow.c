/* A second implementation of the evidence (not of the verdict), written from the formulas in doc/evidence.md:
 * quadratic, with libm, logarithms of wealth instead of wealth.  It shares no code with src/trace. */
#include "link_slow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bursts {
	double *s, *e; /* microseconds; exact below 2^53 */
	int n;
};

struct spans {
	const struct span *s;
	size_t n;
};

static int touches(const struct spans *b, double from, double to)
{
	for (size_t i = 0; i < b->n; i++)
		if ((double)b->s[i].to_us + 200000 >= from && (double)b->s[i].from_us <= to)
			return 1;
	return 0;
}

static struct bursts merge(const struct link_train *t, double offset, const struct spans *blind)
{
	struct bursts m = {calloc(t->n + 1, sizeof(double)), calloc(t->n + 1, sizeof(double)), 0};
	double last = -1e30, end = -1e30;
	int kept = 0;
	for (size_t i = 0; i < t->n; i++) {
		double s = (double)t->b[i].start_us;
		if (s < last)
			continue;
		last = s;
		s += offset;
		double e = s + t->b[i].dur_us;
		if (s - end >= 100000) {
			kept = !touches(blind, s, s);
			if (kept) {
				m.s[m.n] = s;
				m.e[m.n++] = e;
			}
			end = e;
		} else {
			end = fmax(end, e);
			if (kept)
				m.e[m.n - 1] = fmax(m.e[m.n - 1], e);
		}
	}
	return m;
}

static void bursts_drop(struct bursts *m)
{
	free(m->s);
	free(m->e);
}

static double wilson(double h, double n)
{
	double p = h / n, z = 2;
	return fmin(
		1, (p + z * z / (2 * n) + z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n));
}

static double limit(double h, double n)
{
	if (h == 0)
		return wilson(0, fmax(n, 20));
	return wilson(fmin(h, n), fmax(h, n));
}

/* The pauses of b that ended by t and were seen whole, the last 64 of them. */
static int pauses(const struct bursts *b, double t, const struct spans *blind, double *out)
{
	int n = 0;
	for (int k = b->n - 1; k > 0 && n < 64; k--) {
		int unseen = 0;
		for (size_t i = 0; i < blind->n; i++)
			unseen |= (double)blind->s[i].to_us >= b->e[k - 1] &&
				  (double)blind->s[i].from_us <= b->s[k];
		if (b->s[k] <= t && !unseen)
			out[n++] = b->s[k] - b->e[k - 1];
	}
	return n;
}

static double replay(const struct bursts *b, int last, double open, double w, double now)
{
	double wide = floor(w / 4) + 5000, n = 0, h = 0;
	for (int k = last - 1; k >= 0 && n < 32; k--) {
		double from = b->s[k] + (open - b->s[last]) - wide;
		double to = from + w + 2 * wide;
		int hit = 0;
		if (to > now)
			continue;
		for (int j = k + 1; j <= last; j++)
			hit |= b->s[j] >= from && b->s[j] < to;
		n++;
		h += hit;
	}
	return n > 0 ? limit(h, n) : 0;
}

static double self_bound(
	const struct bursts *b, int next, double t, double open, double w, const struct spans *blind)
{
	double p[64], n = 0, h = 0, tau = open - b->e[next - 1], wide = floor(w / 4) + 5000;
	int m = pauses(b, t, blind, p);
	for (int i = 0; i < m; i++) {
		n += p[i] >= tau;
		h += p[i] >= tau - wide && p[i] < tau + w + wide;
	}
	double q = limit(h, n);
	if (n < 16)
		q = fmax(q, replay(b, next - 1, open, w, t));
	return fmax(q, 0.04);
}

struct slow_cell {
	double log_w, log_f, seen, hit, price, q, settle, win[6];
	int open, won, wins;
};

static const double WINDOW[12][2] = {{0, 10000}, {0, 20000}, {0, 50000}, {0, 100000}, {10000, 20000},
	{10000, 50000}, {20000, 20000}, {30000, 30000}, {50000, 50000}, {50000, 100000}, {100000, 50000},
	{150000, 100000}};

static int beat(const struct slow_cell *c, double middle, double w)
{
	for (int i = 0; i < c->wins; i++)
		for (int j = i + 1; j < c->wins; j++) {
			double d = c->win[i] - c->win[j];
			if (d >= 400000 && fabs(middle - c->win[i] - d) <= w / 2 + 10000)
				return 1;
		}
	return 0;
}

static void bet(struct slow_cell *c, const struct bursts *b, double t, const double window[2],
	const struct spans *blind)
{
	double open = t + window[0], w = window[1];
	int next = 0, local = 0;
	while (next < b->n && (b->s[next] < open || (window[0] == 0 && b->s[next] == open)))
		next++;
	if (c->open || next == 0 || b->e[next - 1] > open || touches(blind, b->e[next - 1], open + 256000))
		return;
	for (int i = next; i < b->n; i++)
		local += b->s[i] < open + 256000;
	double r = (c->hit + 1) / (c->seen + 2), known = c->hit > 0 ? c->price / c->hit : 0, self = 0.04,
	       s = 0;
	if (r > known && r > 0.04) {
		self = self_bound(b, next, t, open, w, blind);
		known = fmax(known, self);
		if (known < 0.9 && r > known && !beat(c, open + w / 2, w))
			s = 0.9 * (r - known) / (1 - known);
	}
	c->q = fmax(self, 1.25 * local * w / 256000);
	c->won = next < b->n && b->s[next] < open + w;
	c->settle = c->won ? b->s[next] : open + w;
	c->open = 1;
	c->log_f = log10(c->won ? 1 - s + s / c->q : 1 - s);
}

static double settle(struct slow_cell cell[12], double now)
{
	double sum = 0, top = -1e300;
	for (int i = 0; i < 12; i++) {
		struct slow_cell *c = &cell[i];
		if (c->open && c->settle <= now) {
			c->open = 0;
			c->seen++;
			c->log_w += c->log_f;
			if (c->won) {
				c->hit++;
				c->price += c->q;
				memmove(c->win + 1, c->win, 5 * sizeof(double));
				c->win[0] = c->settle;
				c->wins += c->wins < 6;
			}
		}
		top = fmax(top, c->log_w);
	}
	for (int i = 0; i < 12; i++)
		sum += pow(10, cell[i].log_w - top);
	return top + log10(sum / 12);
}

static void direction(
	const struct bursts *a, const struct bursts *b, const struct spans *blind, double *end, double *sup)
{
	struct slow_cell cell[12];
	memset(cell, 0, sizeof cell);
	*sup = 0;
	for (int k = 0; k < a->n; k++) {
		*sup = fmax(*sup, settle(cell, a->s[k]));
		for (int i = 0; i < 12; i++)
			bet(&cell[i], b, a->s[k], WINDOW[i], blind);
	}
	*end = settle(cell, 1e300);
	*sup = fmax(*sup, *end);
}

static const double PHASE[6][2] = {
	{0, 2000}, {0, 5000}, {2000, 5000}, {5000, 5000}, {10000, 5000}, {15000, 5000}};

/* The mean interval of A's ticks up to its burst k, in whole microseconds as the test keeps it. */
static int64_t period(const struct link_train *a, size_t k)
{
	int64_t span = 0, count = 0, est = 0;
	for (size_t i = 1; i <= k; i++) {
		int64_t d = a->b[i].start_us - a->b[i - 1].start_us;
		if (d < 10000 || d > 64000)
			continue;
		if (est == 0 || 4 * d < 3 * est)
			span = count = 0;
		int64_t n = count > 0 ? (int64_t)floor((double)d / (double)est + 0.5) : 1;
		span += d;
		count += n > 0 ? n : 1;
		est = span / count;
	}
	return est;
}

static int near_multiple(double distance, double unit, double slack)
{
	double off = fmod(distance, unit);
	return off <= slack || unit - off <= slack;
}

static void ticking(const struct link_train *a, const struct bursts *b, const struct spans *blind,
	double *end, double *sup)
{
	double log_w[6] = {0}, seen[6] = {0}, hit[6] = {0}, win[6][2];
	int wins[6] = {0};
	*sup = *end = 0;
	for (int j = 1; j < b->n; j++) {
		size_t k = 0;
		while (k < a->n && (double)a->b[k].start_us < b->s[j])
			k++;
		if (k == 0 || k >= a->n || (double)a->b[k].start_us == b->s[j])
			continue;
		double tick = (double)a->b[k - 1].start_us, slot = (double)a->b[k].start_us - tick;
		if (slot < 10000 || slot > 64000 || touches(blind, tick, tick + slot))
			continue;
		double unit = (double)period(a, k - 1), sum = 0;
		int known = 0, inside = 0;
		for (int m = j - 1; m > 0 && known < 64; m--, known++) {
			double pause = b->s[m] - b->e[m - 1], tau = tick - b->e[j - 1];
			inside += pause >= tau - 5000 && pause < tau + slot + 5000;
		}
		if (known < 10 || inside > 0.4 * known)
			continue;
		for (int i = 0; i < 6; i++) {
			double lo = PHASE[i][0], w = PHASE[i][1], x = b->s[j] - tick;
			if (lo + w <= slot) {
				double q = fmax(0.04, 1.25 * w / slot), r = (hit[i] + 1) / (seen[i] + 2);
				int on = 0, won = x >= lo && x < lo + w;
				for (int m = 0; m < wins[i]; m++)
					on |= near_multiple(tick - win[i][m], 20000, floor(w / 2) + 1000) ||
					      (unit > 0 && near_multiple(tick - win[i][m], unit,
								   floor(w / 2) + 1000));
				double s = r > q && !on ? 0.9 * (r - q) / (1 - q) : 0;
				log_w[i] += log10(won ? 1 - s + s / q : 1 - s);
				seen[i]++;
				hit[i] += won;
				if (won) {
					win[i][1] = win[i][0];
					win[i][0] = tick;
					wins[i] += wins[i] < 2;
				}
			}
			sum += pow(10, log_w[i]) / 6;
		}
		*end = log10(sum);
		*sup = fmax(*sup, *end);
	}
}

struct piece {
	double start, end, bytes, came, came_packets;
	int blind;
};

/* B's stretches, and what A brought up to each one's end that it had not brought before. */
static struct piece *pieces(const struct link_train *b, double off_b, const struct link_train *a,
	double off_a, const struct spans *blind, int *n)
{
	struct piece *p = calloc(b->n + 1, sizeof *p);
	double last = -1e30;
	size_t read = 0;
	*n = 0;
	for (size_t i = 0; i < b->n; i++) {
		double s = (double)b->b[i].start_us + off_b;
		if (*n == 0 || s - p[*n - 1].end >= 400000) {
			p[*n].start = p[*n].end = fmax(s, last);
			(*n)++;
		}
		last = fmax(s, last);
		p[*n - 1].end = fmax(p[*n - 1].end, last + b->b[i].dur_us);
		p[*n - 1].bytes += (double)b->b[i].bytes;
	}
	for (int k = 0; k < *n; k++) {
		for (; read < a->n && (double)a->b[read].start_us + off_a <= p[k].end; read++) {
			p[k].came += (double)a->b[read].bytes;
			p[k].came_packets += a->b[read].packets;
		}
		p[k].blind = touches(blind, k > 0 ? p[k - 1].end : -4e18, p[k].end);
	}
	return p;
}

static int like(double a, double b)
{
	return fabs(a - b) <= 16 + floor(fmin(a, b) / 8);
}

static double upper_none_of_20(int h, int n)
{
	double m = h == 0 ? fmax(n, 20) : n, p = h / m;
	return fmin(1, (p + 2 / m + 2 * sqrt(p * (1 - p) / m + 1 / (m * m))) / (1 + 4 / m));
}

static int ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

/* Is d among the 12 smallest of v? */
static int is_near(const double *v, int n, double d)
{
	double w[64];
	memcpy(w, v, (size_t)n * sizeof *w);
	qsort(w, (size_t)n, sizeof *w, ascending);
	return d <= w[n < 12 ? n - 1 : 11];
}

/* The largest limit over the likenesses of the remembered pieces old[from .. n) to piece k. */
static double alike_bound(const struct piece *p, const int *old, int n, int k, double lo, double hi)
{
	int from = n > 64 ? n - 64 : 0, in[6] = {0}, all[6] = {0};
	double q = 1.25 / 8, pause = k > 0 ? p[k].start - p[k - 1].end : 8e18, off[3][64];
	double now[3] = {pause, p[k].end - p[k].start, pause + p[k].end - p[k].start};
	for (int m = from; m < n; m++) {
		const struct piece *o = &p[old[m]];
		double span = o->end - o->start, was = old[m] > 0 ? o->start - o[-1].end : 8e18;
		double then[3] = {was, span, was + span};
		for (int i = 0; i < 3; i++)
			off[i][m - from] = fabs(then[i] - now[i]);
	}
	for (int m = from; m < n; m++) {
		const struct piece *o = &p[old[m]];
		int one = m > from && like(p[old[m - 1]].bytes, p[old[n - 1]].bytes);
		int two = one && m > from + 1 && like(p[old[m - 2]].bytes, p[old[n - 2]].bytes);
		int is[6] = {1, one, two, is_near(off[0], n - from, off[0][m - from]),
			is_near(off[1], n - from, off[1][m - from]),
			is_near(off[2], n - from, off[2][m - from])};
		for (int i = 0; i < 6; i++) {
			all[i] += is[i];
			in[i] += is[i] && o->bytes >= lo && o->bytes <= hi;
		}
	}
	for (int i = 0; i < 6; i++)
		q = fmax(q, upper_none_of_20(in[i], all[i]));
	double per[4] = {now[0], now[1], now[2], p[old[n - 1]].bytes};
	for (int i = 0; i < 4; i++) {
		int hits = 0, tries = 0;
		for (int m = from; m < n && per[i] > 0; m++) {
			const struct piece *o = &p[old[m]];
			double was = old[m] > 0 ? o->start - o[-1].end : 8e18, span = o->end - o->start;
			double d[4] = {was, span, was + span, m > 0 ? p[old[m - 1]].bytes : 0};
			tries += d[i] > 0 && o->bytes > 0;
			hits += d[i] > 0 && o->bytes > 0 && o->bytes / d[i] >= lo / per[i] &&
				o->bytes / d[i] <= hi / per[i];
		}
		if (per[i] > 0)
			q = fmax(q, upper_none_of_20(hits, tries));
	}
	for (int lag = 1; lag < 64 && lag <= n; lag++) {
		double v = p[old[n - lag]].bytes;
		int same = 0, tries = n - lag;
		for (int m = lag; m < n; m++)
			same += like(p[old[m]].bytes, p[old[m - lag]].bytes);
		if (v >= lo - trunc(lo / 8) - 16 && v <= hi + trunc(hi / 8) + 16 && tries >= 4 &&
			2 * same >= tries)
			q = fmax(q, upper_none_of_20(same, tries));
	}
	return q;
}

static double median_framing(const double *f, int n)
{
	double v[16];
	int m = n < 16 ? n : 16;
	memcpy(v, f + n - m, (size_t)m * sizeof *v);
	qsort(v, (size_t)m, sizeof *v, ascending);
	return m > 0 ? v[m / 2] : 0;
}

static void sizing(const struct link_train *a, double off_a, const struct link_train *b, double off_b,
	const struct spans *blind, double *end, double *sup)
{
	static const double TOL[3][2] = {{8, 0}, {24, 64}, {64, 12}};
	int n, known = 0, framed = 0;
	struct piece *p = pieces(b, off_b, a, off_a, blind, &n);
	double *f = calloc((size_t)n + 1, sizeof *f), log_w[3] = {0}, seen[3] = {0}, hit[3] = {0};
	int *old = calloc((size_t)n + 1, sizeof *old);
	*sup = *end = 0;
	for (int k = 0; k < n; k++) {
		double x = fmax(0, p[k].came + median_framing(f, framed) * p[k].came_packets), sum = 0;
		for (int i = 0; i < 3 && p[k].came > 0 && !p[k].blind && known > 0; i++) {
			double tol = TOL[i][0] + (TOL[i][1] > 0 ? floor(x / TOL[i][1]) : 0);
			double own = alike_bound(p, old, known, k, x - tol, x + tol), ahead = 0,
			       m = fmin(8, n - k);
			for (int j = k; j < k + 8 && j < n; j++)
				ahead += fabs(p[j].bytes - x) <= tol;
			int won = fabs(p[k].bytes - x) <= tol;
			double r = (hit[i] + 1) / (seen[i] + 2);
			double price = fmax(own, 1.25 * ahead / fmax(m, 4));
			double s = r > own && own < 0.9 ? 0.9 * (r - own) / (1 - own) : 0;
			log_w[i] += log10(won ? 1 - s + s / price : 1 - s);
			seen[i]++;
			hit[i] += won;
		}
		if (p[k].came > 0) {
			double v = trunc((p[k].bytes - p[k].came) / fmax(1, p[k].came_packets));
			if (fabs(v) <= 100)
				f[framed++] = v;
		}
		if (!p[k].blind)
			old[known++] = k;
		for (int i = 0; i < 3; i++)
			sum += pow(10, log_w[i]) / 3;
		*end = log10(sum);
		*sup = fmax(*sup, *end);
	}
	free(p);
	free(f);
	free(old);
}

void slow_test(const struct link_leg *in, const struct link_leg *out, const struct span *blind,
	size_t n_blind, const struct link_param *p, struct slow_result *r)
{
	struct spans b = {blind, n_blind};
	struct bursts in_fwd = merge(&in->fwd, 0, &b), in_back = merge(&in->back, 0, &b);
	int steps = (int)ceil((double)p->offset_error_us / 20000);
	double sum = 0, top = -1e300, end[5], sup[5], all[5 * 201] = {0};
	int n = 0;
	steps = steps > 100 ? 100 : steps;
	for (int i = -steps; i <= steps; i++) {
		double off = (double)p->offset_us +
			     (steps ? trunc((double)i * (double)p->offset_error_us / steps) : 0);
		struct bursts out_fwd = merge(&out->fwd, off, &b), out_back = merge(&out->back, off, &b);
		direction(&in_fwd, &out_fwd, &b, &end[0], &sup[0]);
		direction(&out_back, &in_back, &b, &end[1], &sup[1]);
		ticking(&in->fwd, &out_fwd, &b, &end[2], &sup[2]);
		sizing(&in->fwd, 0, &out->fwd, off, &b, &end[3], &sup[3]);
		sizing(&out->back, off, &in->back, 0, &b, &end[4], &sup[4]);
		for (int d = 0; d < 5; d++) {
			all[n++] = end[d];
			top = fmax(top, sup[d]);
		}
		bursts_drop(&out_fwd);
		bursts_drop(&out_back);
	}
	r->max_log10_e = top - log10(n);
	top = all[0];
	for (int i = 1; i < n; i++)
		top = fmax(top, all[i]);
	for (int i = 0; i < n; i++)
		sum += pow(10, all[i] - top);
	r->log10_e = top + log10(sum) - log10(n);
	bursts_drop(&in_fwd);
	bursts_drop(&in_back);
}
