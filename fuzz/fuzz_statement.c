/* Any bytes are a claim's body or are refused; a link that is taken is computed again from any two trains,
 * which fit it or do not.  Input: sections.h, of which `claim KIND` and `train` are read. */
#include <math.h>

#include "ask/statement.h"
#include "sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void bounds_check(const struct statement *s)
{
	if (s->n_blind > STATEMENT_BLIND || !isfinite(s->log10_e) || !isfinite(s->needed) ||
		!isfinite(s->alpha))
		abort();
	for (size_t i = 0; i < s->n_blind; i++)
		if (s->blind[i].from_us >= s->blind[i].to_us ||
			(i && s->blind[i].from_us < s->blind[i - 1].to_us))
			abort();
}

static void recompute(const struct statement *s, const struct sections *all, struct arena *a)
{
	struct relink_room room = {0};
	struct train t[2];
	struct recomputed r;
	struct err e;
	size_t n = 0;

	for (size_t i = 0; i < all->n && n < 2; i++)
		n += strcmp(all->s[i].word, "train") == 0 &&
		     train_read(&t[n], (const char *)all->s[i].p, all->s[i].n, a, &e) == STATUS_OK;
	if (n == 2 && statement_recompute(&room, s, &t[0], &t[1], &r, &e) == STATUS_OK) {
		if (!isfinite(r.link.max_log10_e) || r.same != (r.why[0] == '\0') ||
			(r.same && fabs(r.link.max_log10_e - s->log10_e) > 1e-9) ||
			(r.same && s->proven != (r.link.verdict == LINK_PROVEN)))
			abort();
	}
	relink_free(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sections all;

	sections_read(&all, p, n);
	for (size_t i = 0; i < all.n; i++) {
		struct arena a = {0};
		struct statement s;
		struct err e;
		size_t k;
		if (strcmp(all.s[i].word, "claim") != 0)
			continue;
		char *body = section_body(&all, &all.s[i], &a, &k);
		if (body && statement_read(&s, all.s[i].arg, body, k, &a, &e) == STATUS_OK) {
			bounds_check(&s);
			if (s.kind == STATES_LINK)
				recompute(&s, &all, &a);
		}
		arena_free(&a);
	}
	return 0;
}
