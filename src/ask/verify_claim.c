/* One claim of a bundle: its statement, its trains, the test run again, and its place in the signer's log. */
#include "ask/verify_in.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"

const char *claim_state_name(enum claim_state s)
{
	static const char *const name[] = {[CLAIM_RECOMPUTED] = "re-computed",
		[CLAIM_INSUFFICIENT] = "insufficient",
		[CLAIM_DIFFERS] = "differs",
		[CLAIM_ASSERTED] = "asserted"};

	return name[s];
}

enum status claim_train(
	struct train *to, const struct checked_claim *c, const char *name, struct arena *a, struct err *e)
{
	const struct tar_file *f = bundle_train(c->in, name);
	enum status s;

	if (!f)
		return err_set(e, STATUS_BAD, "its train %.12s is not in the bundle", name);
	if (strcmp(bundle_sha256(c->in, f), name) != 0)
		return err_set(e, STATUS_BAD, "train %.12s: its bytes are others'", name);
	s = train_read(to, (const char *)f->p, f->n, a, e);
	return s == STATUS_OK ? s : err_wrap(e, "train %.12s", name);
}

/* The same, of which no more is needed than that it is one, and of the flow that is named. */
static enum status train_named(struct train *to, const struct checked_claim *c, bool in,
	struct verify_work *work, struct arena *a, struct err *e)
{
	const char *name = in ? c->s.in : c->s.out, *flow = in ? c->s.in_flow : c->s.out_flow;
	enum status s = claim_train(to, c, name, a, e);

	if (s != STATUS_OK)
		return s;
	if (!statement_names(flow, in ? c->s.in_members : c->s.out_members, to))
		return err_set(e, STATUS_BAD, "train %.12s is of another flow than it names", name);
	work->bursts += to->flow.n_burst[0] + to->flow.n_burst[1];
	if (work->bursts > VERIFY_BURSTS)
		return err_set(e, STATUS_BAD, "more than %d bursts to compute: nothing was computed further",
			VERIFY_BURSTS);
	return STATUS_OK;
}

/* ---- the numbers ---- */

/* A flood on the test is refused before it is computed. */
static enum status link_bounded(const struct statement *s, const struct train *in, const struct train *out,
	struct verify_work *work, struct err *e)
{
	size_t bursts =
		in->flow.n_burst[0] + in->flow.n_burst[1] + out->flow.n_burst[0] + out->flow.n_burst[1];

	work->tried += (uint64_t)bursts * link_offsets(s->clock.error_us);
	return work->tried <= VERIFY_WORK ? STATUS_OK
					  : err_set(e, STATUS_BAD,
						    "its clocks are that unsure that more than %d bursts "
						    "would have to be tried: "
						    "nothing was computed further",
						    VERIFY_WORK);
}

static enum status link_again(struct checked_claim *c, const struct trust *t, struct verify_work *work,
	struct arena *a, struct err *e)
{
	struct train in, out;
	struct recomputed r;
	enum status s = train_named(&in, c, true, work, a, e);

	if (s == STATUS_OK)
		s = train_named(&out, c, false, work, a, e);
	if (s == STATUS_OK)
		s = link_bounded(&c->s, &in, &out, work, e);
	if (s == STATUS_OK)
		s = statement_recompute(&work->room, &c->s, &in, &out, &r, e);
	if (s != STATUS_OK)
		return s;
	c->again = r.link.max_log10_e;
	c->needed = -log10(t->alpha) + log10((double)c->s.searched);
	if (!r.same) {
		c->state = CLAIM_DIFFERS;
		(void)snprintf(c->why, sizeof(c->why), "%s", r.why);
	} else if (r.link.verdict != LINK_PROVEN && c->again >= c->needed) {
		c->state = CLAIM_INSUFFICIENT;
		(void)snprintf(c->why, sizeof(c->why), "not proven, for all its log10 e of %.2f: %s",
			c->again, link_reason_text(r.link.reason));
	} else if (r.link.verdict != LINK_PROVEN || c->again < c->needed) {
		c->state = CLAIM_INSUFFICIENT;
		(void)snprintf(c->why, sizeof(c->why),
			"not proven at alpha %g: log10 e %.2f, needed %.2f (its sender's alpha is %g)",
			t->alpha, c->again, c->needed, c->s.alpha);
	} else {
		c->state = CLAIM_RECOMPUTED;
	}
	return STATUS_OK;
}

static enum status state(struct checked_claim *c, const struct trust *t, struct verify_work *work,
	struct arena *a, struct err *e)
{
	struct train one;

	c->state = CLAIM_ASSERTED;
	switch (c->s.kind) {
	case STATES_LINK:
		return link_again(c, t, work, a, e);
	case STATES_ATTACK:
	case STATES_SEEN:
		return train_named(&one, c, false, work, a, e);
	case STATES_SEARCH:
		return err_set(e, STATUS_BAD, "a search names nobody and does not travel");
	case STATES_ORIGIN:
	case STATES_BLOCK:
		break;
	}
	return STATUS_OK;
}

/* ---- the log ---- */

/* The entry is the claim's, and older than the bundle. */
static bool entry_fits(const struct checked_claim *c)
{
	const struct tar_file *f = c->claim->entry;
	json_t *j = f->n <= LEDGER_ENTRY_MAX
			    ? json_loadb((const char *)f->p, f->n, JSON_REJECT_DUPLICATES, NULL)
			    : NULL;
	const char *id = json_string_value(json_object_get(j, "id"));
	const char *sha = json_string_value(json_object_get(j, "sha256"));
	const char *kind = json_string_value(json_object_get(j, "kind"));
	const char *at = json_string_value(json_object_get(j, "at"));
	char want[ID_TEXT], name[BLOB_NAME];
	struct wall when;
	bool fits = id && sha && kind && at && strcmp(id, id_text(want, &c->claim->id)) == 0 &&
		    strcmp(kind, "claim") == 0 && blob_name(name, c->claim->body, c->claim->n_body) &&
		    strcmp(sha, name) == 0 && wall_parse(&when, at) &&
		    when.us <= c->in->m.made.us + VERIFY_AHEAD_US;

	json_decref(j);
	return fits;
}

static void unlogged(struct checked_claim *c, const char *why)
{
	if (!c->why[0])
		(void)snprintf(c->why, sizeof(c->why), "not proven to stand in the log %s: %.150s",
			c->in->m.log.name, why);
}

static enum status logged(struct checked_claim *c, const struct trust *t, struct err *e)
{
	const struct tar_file *entry = c->claim->entry, *proof = c->claim->proof;
	struct policy *own = NULL;
	struct tlog_proof p;
	struct err why;
	enum status s;

	if (!entry || !proof) {
		unlogged(c, "its entry or proof is not in the bundle");
		return STATUS_OK;
	}
	if (!entry_fits(c)) {
		unlogged(c, "its entry is another claim's, or none");
		return STATUS_OK;
	}
	if (!t->policy) {
		own = malloc(sizeof(*own));
		if (!own)
			return err_nomem(e);
		policy_of_log(own, &c->in->m.log);
	}
	s = tlog_proof_parse(&p, (const char *)proof->p, proof->n, &why);
	if (s == STATUS_OK)
		s = tlog_proof_verify(&p, t->policy ? t->policy : own, entry->p, entry->n, &c->head, &why);
	free(own);
	if (s == STATUS_MACHINE) {
		*e = why;
		return s;
	}
	c->logged = s == STATUS_OK;
	c->index = p.index;
	if (s == STATUS_OK && strcmp(c->head.origin, c->in->m.log.name) != 0)
		c->logged = false;
	if (!c->logged)
		unlogged(c, s == STATUS_OK ? "the proof is another log's" : why.text);
	return STATUS_OK;
}

enum status verify_claim(struct checked_claim *c, const struct trust *t, struct verify_work *work,
	struct arena *a, struct err *e)
{
	struct arena scratch = {0};
	enum status s = statement_read(&c->s, c->claim->kind, c->claim->body, c->claim->n_body, a, e);

	if (s == STATUS_OK)
		s = state(c, t, work, &scratch, e);
	arena_free(&scratch);
	return s == STATUS_OK ? logged(c, t, e) : s;
}
