/* Is it a relay's order?
 *
 * In go the lanes, the bets and what sizes say, out comes a yes or a no that only withholds a verdict.  What
 * is asked: who speaks first, whom R's words to V and to X wait for, whether V's answers decide when X has
 * his. */
#include "trace/link_shape.h"

#include "trace/link_bytes.h"
#include "trace/link_cause.h"

/* As cause_favours() counts, in roots of the bursts: so much may speak against a relay, for chance.  Relays
 * of the zoo are above -1 in all of these, but for hidden keys (-6) and polled tunnels; `zoo` tells which
 * classes need which. */
#define OWN_MOST    2 /* X's words rather than V's, of what R says to X */
#define DOUBT_MOST  1 /* the same where the times of the answers cannot tell */
#define DRIVEN_MOST 2 /* V's words rather than X's, of what R says to V */
#define STREAM_MOST 4 /* the same where X's words are a stream: few start */
#define TICKS_MOST  8 /* the same where they are ticks, which hide what starts */
#define TASK_MOST   6 /* R's words to X, of what R says to V: tasks that are sent apart */

/* And so much must speak for it. */
#define TOLD_LEAST   6 /* requests: so clear that they are not asked in another way */
#define BOTH_LEAST   4 /* requests and answers together, where only times can tell */
#define TOLD_BACK    6 /* answers: so clear that half of them need be hidden, the others in any order */
#define HIDDEN_LEAST 6 /* bursts of X's and of R's to X, or nothing can be seen to be hidden */
#define PASSED_MORE                                                                                          \
	1.1 /* words of X's to one of R's to V, and PASSED_ROOTS of their number: more, and some are not     \
	       passed on */
#define PASSED_ROOTS   3
#define HIDDEN_WORDS   50   /* words of R's to V to one burst of X's: more, and X never pauses */
#define HEARD_LEAST    (-1) /* R's words to X, for V's words rather than for R's to V */
#define ASKS_LEAST     (-2) /* V's words, of those of R's */
#define REQUESTS_LEAST 2    /* requests, where only times can tell and X's words are no stream */
#define BOTH_SHARE     0.3  /* the same as a share of the root of the bursts, with which a relay's grows */
#define HEARD_SHARE    0.6  /* answers likewise: so clear that requests need not be */

#define CLEAR_LEAST  1   /* for V's words rather than X's; with less */
#define CLEAR_SIGMAS 6   /* the slope must be so far above 0 */
#define FAR_SIGMAS   2.8 /* OUT after IN rather than before, as a fair coin would have it */
#define DRIVEN_SLOPE 0.6 /* of OUT on IN, after V's words; 0 for a shared cause, 0.85 and more for relays */

/* Who speaks first where the other side opened the leg?  What R says to X on a leg that R opened is V's; what
 * V says on a leg that V opened is asked for. */
static int is_asked(const struct legs *l, const struct link_param *p)
{
	struct order asked;
	if (p->in_opened && !order_explains(&l->out_back, &l->in_back))
		return 0;
	if (!p->out_answered)
		return 1;
	order_side(&l->out_fwd, &l->out_back, &asked);
	return order_leans(&asked);
}

/* Is a favour so large a share of the root of R's bursts, with which a relay's grows and chance's does not?
 */
static int grown(double favour, const struct legs *l, double share)
{
	size_t n = l->out_fwd.n > l->in_back.n ? l->out_fwd.n : l->in_back.n;
	return favour >= share * __builtin_sqrt((double)n);
}

/* Does R speak to V because V spoke, rather than because X did?  Who drives both, a task at a time, does, and
 * who acknowledges what V told him. */
static int is_driven(struct legs *l, int ticks, double from_x)
{
	struct echo asked;
	double doubt = ticks ? TICKS_MOST : order_stream(&l->in_fwd) ? STREAM_MOST : DRIVEN_MOST;
	double tasks = cause_favours(&l->out_fwd, &l->in_fwd, &l->in_back, l->scratch);
	if (from_x < -doubt || tasks < -TASK_MOST)
		return 1;
	if (!(grown(from_x, l, BOTH_SHARE) && grown(tasks, l, BOTH_SHARE)) &&
		cause_asks(&l->out_fwd, &l->out_back, l->scratch) < ASKS_LEAST)
		return 1;
	if (from_x < TOLD_LEAST) {
		order_echo(&l->out_back, &l->in_fwd, &l->out_fwd, l->scratch, &asked);
		if (order_flat(&asked, DRIVEN_SLOPE))
			return 1;
	}
	return cause_waits(&l->in_fwd, &l->out_back, &l->out_fwd, l->scratch);
}

/* Does one decision of R's give both their next task?  Then what it sends to X and to V starts at once, or it
 * speaks to X because X spoke. */
static int is_in_step(const struct legs *l)
{
	struct four_lanes o = {&l->in_fwd, &l->in_back, &l->out_fwd, &l->out_back};
	return cause_at_once(&o, l->scratch);
}

/* Are IN's answers R's own?  So much more they wait for what X said than for what V did.  A polled tunnel
 * answers each question itself; there the slope says whether V's answers are among them. */
static double own_words(struct legs *l)
{
	return order_exact(legs_echo(l)) ? 0
					 : -cause_favours(&l->in_back, &l->out_back, &l->in_fwd, l->scratch);
}

/* Do times say that OUT follows IN, where the number is that of sizes? */
static int is_felt(const struct best *best, const struct order *fwd)
{
	return (order_leans_far(fwd, FAR_SIGMAS) && order_meets(fwd)) ||
	       best->r[WAY_FORWARD].log10_sup - best->charge >= SIZES_SPEAK ||
	       best->r[WAY_TICKS].log10_sup - best->charge >= SIZES_SPEAK;
}

int shape_may_be(struct legs *l, const struct link_param *p)
{
	const struct view *v = legs_orders(l);
	return order_leans(&v->fwd) && order_conserves(&v->back) && is_asked(l, p);
}

/* What the gates go by, of one pair. */
struct look {
	const struct order *fwd, *back;
	const struct echo *echo;
	const struct likeness *sizes;
	int enough[WAYS]; /* the ways whose number suffices */
	double from_x;    /* how much more R's words to V wait for X than for V */
	double own;       /* and R's words to X for X than for V */
	int match;        /* sizes do so forwards in time alone */
	int far;          /* OUT follows IN more often than chance has it */
	int led;          /* OUT follows IN */
	int answers;      /* R's words to X are V's */
	int hidden;       /* or that cannot be seen, since R speaks all the time */
};

/* Are R's words to X V's, by when they come or by their sizes? */
static int has_answers(const struct look *o)
{
	int timed = o->enough[WAY_FORWARD] || o->enough[WAY_ANSWERS];
	int told =
		order_steady(o->echo) || (order_vague(o->echo) && timed && o->match && o->own <= DOUBT_MOST);
	return order_keeps(o->back) && o->own <= OWN_MOST &&
	       (order_echoes(o->echo, -o->own >= CLEAR_LEAST ? ECHO_SIGMAS : CLEAR_SIGMAS) ||
		       (told && o->sizes->follow));
}

/* Can it not be seen whose they are, since R speaks to X all the time: chaff behind keys, a polled tunnel? */
static int is_hidden(const struct legs *l, const struct look *o)
{
	int told = -o->own >= TOLD_BACK;
	int ticks = o->enough[WAY_TICKS] && order_stream(&l->in_fwd) && order_keeps(o->fwd);
	if (HIDDEN_WORDS * l->in_fwd.n < l->out_fwd.n || l->in_fwd.n < HIDDEN_LEAST ||
		l->in_back.n < HIDDEN_LEAST || o->own > OWN_MOST)
		return 0;
	return (told || ticks) &&
	       order_hidden(&l->in_fwd, &l->out_back, o->echo, told ? HIDDEN_CLEAR : HIDDEN_SHARE);
}

static void look_at(struct legs *l, const struct best *best, const struct link_param *p,
	const struct likeness *sizes, struct look *o)
{
	o->fwd = &l->view.fwd;
	o->back = &l->view.back;
	o->echo = legs_echo(l);
	o->sizes = sizes;
	for (int k = 0; k < WAYS; k++)
		o->enough[k] = best->r[k].log10_sup - best->charge >= p->needed;
	o->from_x = cause_favours(&l->out_fwd, &l->in_fwd, &l->out_back, l->scratch);
	o->own = own_words(l);
	o->match = sizes->there || sizes->back;
	o->far = order_leans_far(o->fwd, FAR_SIGMAS);
	o->led = order_leads(o->fwd) || sizes->there || (o->enough[WAY_FORWARD] && o->far);
	o->answers = has_answers(o);
	o->hidden = is_hidden(l, o);
}

/* Do R's words to X wait for what R said to V rather than for what V said?  R's own answers to X do, where
 * what R says to V comes when X's question does. */
static int is_unheard(const struct look *o, const struct legs *l)
{
	return !grown(-o->own, l, BOTH_SHARE) &&
	       cause_favours(&l->in_back, &l->out_back, &l->out_fwd, l->scratch) < HEARD_LEAST;
}

/* Does X say much that R does not pass on, and is not even so all that V says passed on at once?  A polled
 * tunnel's questions are such words; so are those of a client of R's own. */
static int is_kept_back(const struct look *o, const struct legs *l)
{
	double n = (double)l->out_fwd.n, most = PASSED_MORE * n + PASSED_ROOTS * __builtin_sqrt(n);
	return (double)l->in_fwd.n > most && !order_exact(o->echo) && !grown(-o->own, l, BOTH_SHARE);
}

/* Where nothing but times can tell a relay: do they not? */
static int is_doubtful(const struct look *o, const struct legs *l)
{
	if (o->match || o->sizes->follow)
		return 0;
	if (o->hidden)
		return o->own > DOUBT_MOST;
	int requests =
		o->from_x >= REQUESTS_LEAST || order_stream(&l->in_fwd) || grown(-o->own, l, HEARD_SHARE);
	return !requests || o->from_x - o->own < BOTH_LEAST || !grown(o->from_x - o->own, l, BOTH_SHARE);
}

/* Is there a way whose number suffices, and beside it what that way asks for? */
static int is_shown(const struct look *o, const struct legs *l, const struct best *best)
{
	if (o->enough[WAY_FORWARD] && (order_follows(o->fwd) || (o->match && o->far)) &&
		(o->answers || o->hidden))
		return 1;
	if (o->enough[WAY_ANSWERS] && (order_follows(o->back) || o->match) && o->answers && o->led)
		return 1;
	if ((o->enough[WAY_SIZES] || o->enough[WAY_SIZES_BACK]) && o->match && o->answers &&
		(o->led || is_felt(best, o->fwd)))
		return 1;
	if (o->enough[WAY_ANSWERS] && o->sizes->follow && o->sizes->volume && o->led && o->own <= OWN_MOST &&
		(order_leans(o->back) || grown(-o->own, l, BOTH_SHARE)) &&
		!order_denies(&l->out_back, o->echo, o->own > DOUBT_MOST))
		return 1;
	return o->enough[WAY_TICKS] && (o->answers || o->hidden);
}

int shape_is_relays(
	struct legs *l, const struct best *best, const struct link_param *p, const struct likeness *sizes)
{
	struct look o;
	if (!shape_may_be(l, p))
		return 0;
	look_at(l, best, p, sizes, &o);
	if (is_driven(l, o.enough[WAY_TICKS], o.from_x))
		return 0;
	if (!o.hidden && is_in_step(l))
		return 0;
	return !is_unheard(&o, l) && !is_kept_back(&o, l) && !is_doubtful(&o, l) && is_shown(&o, l, best);
}
