/* Our own table: every rule that is wanted or announced, and what ExaBGP was told of it. */
#include <stdlib.h>

#include "block/exabgp.h"

#define SECOND      INT64_C(1000000)
#define LONGEST_LOG 6 /* 64 seconds between two tries at most */

static int match_compare(const struct rule *a, const struct rule *b)
{
	return rule_same_match(a, b) ? 0 : rule_compare(a, b);
}

/* The rule as it is wanted now; what is announced is so no longer where it differs. */
static void wish(struct told *t, const struct rule *r)
{
	t->wanted = true;
	if (t->rule.action == r->action && t->rule.rate == r->rate)
		return;
	t->rule = *r;
	t->fresh = false;
	t->holders = 0; /* of the form before */
	t->version++;
	t->fails = 0;
	t->again_us = 0;
	t->trouble = TROUBLE_NONE;
}

static struct told made(const struct rule *r, bool want)
{
	return (struct told){.rule = *r, .wanted = want, .there = !want, .held = !want};
}

static bool kept(const struct told *t)
{
	return t->wanted || t->there || t->flying || t->leaving;
}

static bool sorted(const struct rule *rule, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (match_compare(&rule[i - 1], &rule[i]) >= 0)
			return false;
	return true;
}

/* Both lists in step: what is in one, in the other, or in both. */
static size_t merge(
	struct told *to, const struct table *t, const struct rule *rule, size_t n, bool want, size_t *moved)
{
	size_t i = 0, k = 0, out = 0;

	while (i < t->n || k < n) {
		int order = i == t->n ? 1 : k == n ? -1 : match_compare(&t->told[i].rule, &rule[k]);
		if (order > 0) {
			to[out++] = made(&rule[k++], want);
			continue;
		}
		to[out] = t->told[i];
		to[out].wanted = to[out].wanted && !want;
		if (order == 0 && want)
			wish(&to[out], &rule[k]);
		k += order == 0;
		moved[i++] = kept(&to[out]) ? out : SIZE_MAX;
		out += kept(&to[out]);
	}
	return out;
}

enum status table_merge(
	struct table *t, const struct rule *rule, size_t n, bool want, size_t *moved, struct err *e)
{
	struct told *to;

	if (!sorted(rule, n))
		return err_set(e, STATUS_BAD, "rules are not in order, or a match stands twice");
	to = calloc(t->n + n + 1, sizeof(*to));
	if (!to)
		return err_nomem(e);
	size_t out = merge(to, t, rule, n, want, moved);
	free(t->told);
	*t = (struct table){to, out};
	return STATUS_OK;
}

struct told *table_find(const struct table *t, const struct rule *match)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = match_compare(&t->told[mid].rule, match);
		if (order == 0)
			return &t->told[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void table_free(struct table *t)
{
	free(t->told);
	*t = (struct table){0};
}

/* 1, 2, 4 ... 64 seconds: the others go on meanwhile. */
void told_trouble(struct told *t, enum trouble why, int64_t now_us)
{
	t->trouble = why;
	t->again_us = now_us + (SECOND << (t->fails < LONGEST_LOG ? t->fails : LONGEST_LOG));
	if (t->fails < UINT8_MAX)
		t->fails++;
}

const char *trouble_text(enum trouble why)
{
	static const char *const text[] = {
		[TROUBLE_NONE] = "",
		[TROUBLE_ERROR] = "ExaBGP answered error: its log says why",
		[TROUBLE_SILENT] = "ExaBGP passed over the command without an answer",
		[TROUBLE_NOT_HELD] =
			"no neighbor of ExaBGP holds it: family not configured, or adj-rib-out off",
		[TROUBLE_STAYS] = "withdrawn, and a neighbor of ExaBGP still has it",
	};

	return text[why];
}
