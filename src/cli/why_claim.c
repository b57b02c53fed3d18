/* From a claim, or a bundle, back to what it rests on: numbers, trains, entry and proof.
 *
 * The proof is made and verified on the spot, against the checkpoint that is published: what is shown as
 * logged is logged. */
#include "cli/why.h"

#include <math.h>
#include <string.h>

#include "case/blob.h"
#include "cli/link_now.h"
#include "cli/report.h"

/* A stored thing and the case that it belongs to. */
enum status stored_out(struct app *a, json_t *j, const char *case_id, struct err *e)
{
	(void)json_object_set_new(j, "case", *case_id ? json_string(case_id) : json_null());
	return json_out(a, j, e);
}

/* ---- the ledger ---- */

/* Does the entry say what the row says, and is it in the tree of the published checkpoint? */
static enum status entry_proven(struct why *y, const struct logged *row, bool *proven, struct err *e)
{
	int64_t at = row->entry;
	struct buf entry = {0}, text = {0};
	struct policy *own = arena_alloc(&y->arena, sizeof(*own));
	struct tlog_proof p;
	struct checkpoint c;
	enum status s = own ? ledger_entry(y->ledger, (uint64_t)at, &entry, e) : err_nomem(e);

	if (s == STATUS_OK)
		s = ledger_proof(y->ledger, (uint64_t)at, &text, e);
	if (s == STATUS_OK)
		s = tlog_proof_parse(&p, (const char *)text.p, text.n, e);
	if (s == STATUS_OK) {
		policy_of_log(own, ledger_key(y->ledger));
		s = tlog_proof_verify(&p, own, entry.p, entry.n, &c, e);
	}
	*proven = s == STATUS_OK && entry.n == strlen(row->text) && memcmp(entry.p, row->text, entry.n) == 0;
	buf_free(&entry);
	buf_free(&text);
	return s == STATUS_NO ? STATUS_OK : s;
}

/* Each place where the object stands, as JSON objects. */
enum status logged_json(struct why *y, const struct id *object, json_t **to, struct err *e)
{
	struct logged *row;
	size_t n;
	enum status s = logged_of(y->db, object, &y->arena, &row, &n, e);

	*to = json_array();
	for (size_t i = 0; s == STATUS_OK && i < n; i++) {
		json_t *j = json_pack("{s:s}", "kind", row[i].kind);
		bool proven = false;
		if (row[i].entry >= 0 && y->ledger)
			s = entry_proven(y, &row[i], &proven, e);
		(void)json_object_set_new(
			j, "entry", row[i].entry >= 0 ? json_integer(row[i].entry) : json_null());
		(void)json_object_set_new(j, "proven", json_boolean(proven));
		(void)json_array_append_new(*to, j);
	}
	return s;
}

void print_logged(struct why *y, const json_t *list)
{
	FILE *o = y->a->out;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i), *at = json_object_get(j, "entry");
		const char *kind = json_string_value(json_object_get(j, "kind"));
		long long index = json_integer_value(at);
		if (json_is_null(at))
			(void)fprintf(o, "our ledger: waits for an entry (weir init makes the keys)\n");
		else if (json_is_true(json_object_get(j, "proven")))
			(void)fprintf(o,
				"our ledger: the %s is entry %lld of %llu in %s, inclusion proven just now "
				"(weir ledger proof %lld)\n",
				kind, index, (unsigned long long)ledger_head(y->ledger)->size,
				ledger_head(y->ledger)->origin, index);
		else
			(void)fprintf(o,
				"our ledger: entry %lld was to say it, and does NOT (weir ledger check; a "
				"restored backup?)\n",
				index);
	}
}

/* ---- the trains ---- */

static const char *const leg_keys[] = {"in", "out", "flow"};

#define N_LEGS (sizeof(leg_keys) / sizeof(leg_keys[0]))

/* Is the train's text still in DIR/blobs? */
static bool train_kept(struct why *y, const json_t *leg)
{
	struct buf b = {0};
	struct err e;
	bool kept = blob_read(y->a->dir, json_text(leg, "train"), &b, &e) == STATUS_OK;

	buf_free(&b);
	return kept;
}

static uint64_t count_of(const json_t *j, const char *key)
{
	double v = json_number(j, key);

	return v > 0 && v < 1e15 ? (uint64_t)v : 0;
}

static void print_legs(struct why *y, const json_t *body)
{
	FILE *o = y->a->out;
	bool gone = false;
	char flow[FLOW_WORDS], words[FLOW_WORDS], id[ID_TEXT], point[POINT_TEXT], first[WALL_TEXT],
		last[WALL_TEXT];

	for (size_t k = 0; k < N_LEGS; k++) {
		const json_t *leg = json_object_get(body, leg_keys[k]);
		const char *train = json_text(leg, "train");
		if (!json_is_object(leg))
			continue;
		(void)fprintf(o, "  %-4s  %s  flow %.12s at point %s, %s .. %s\n", leg_keys[k],
			printable(flow, sizeof(flow),
				told_flow_words(
					words, json_text(leg, "flow"), (uint32_t)count_of(leg, "members"))),
			printable(id, sizeof(id), json_text(leg, "id")),
			printable(point, sizeof(point), json_text(leg, "point")),
			printable(first, sizeof(first), json_text(leg, "first")),
			printable(last, sizeof(last), json_text(leg, "last")));
		if (strlen(train) == BLOB_NAME - 1 && train_kept(y, leg))
			(void)fprintf(o, "        train %s/blobs/%.2s/%s\n", y->a->dir, train, train);
		else
			gone = true;
	}
	if (gone)
		(void)fprintf(o, "its trains are no longer recorded here: it cannot be computed again\n");
}

/* ---- the numbers ---- */

/* Of a search, which is only ever our own. */
static void print_search(FILE *o, const json_t *j)
{
	char flows[COUNT_TEXT];

	(void)fprintf(o,
		"  best log10 e %.2f, needed %.2f = log10(1/%g) + log10(%s searched): nobody is named, nor "
		"is it said "
		"that the host relayed anything\n",
		json_number(j, "log10_e"), json_number(j, "needed"), json_number(j, "alpha"),
		counted(flows, count_of(j, "searched"), "flow"));
}

/* The test run again on the trains that were kept. */
static void print_again(FILE *o, const struct link_now *now)
{
	if (*now->differs)
		(void)fprintf(o, "  computed again just now: NOT so: %s\n", now->differs);
	else if (now->computed)
		(void)fprintf(o, "  computed again just now from the trains kept here: the same\n");
}

static void print_link(struct why *y, const struct claim *c, const struct statement *l)
{
	char flows[COUNT_TEXT], bursts[COUNT_TEXT];
	const char *by = c->origin;
	FILE *o = y->a->out;
	struct link_now now;

	link_now(&now, y->a, y->t, c, l);
	(void)fprintf(o, "verdict: %s\n",
		!l->proven     ? "not proven"
		: now.withheld ? "proven when made"
			       : "proven");
	(void)fprintf(o, "  log10 e %.2f, needed %.2f = log10(1/%g) + log10(%s searched%s%s)\n", l->log10_e,
		l->needed, l->alpha, counted(flows, l->searched, "flow"), *by ? ", by the word of " : "", by);
	(void)fprintf(o, "  lag %.1f ms, %s, bursts merged at %d ms\n", (double)l->lag_us / 1000,
		counted(bursts, l->bursts, "burst"), BURST_GAP_READ_US / 1000);
	print_again(o, &now);
	link_now_print(o, &now, l);
	if (l->in_members || l->out_members)
		(void)fprintf(o, "means: what goes in and what goes out, each taken together, are one; "
				 "which flow of the one carries which of the other is not said\n");
	if (l->proven && !now.withheld)
		(void)fprintf(o,
			"means: were there no link, a number this high would be seen at most once in 10^%.1f "
			"such "
			"searches\n",
			l->log10_e - log10((double)l->searched));
	(void)fprintf(o, "how it is computed: evidence.md, in %s or in doc/ of the source\n", WEIR_DOC);
}

/* ---- claims and bundles ---- */

static void print_says(struct why *y, const struct claim *c, const json_t *body)
{
	struct statement said;
	struct err e;
	char text[512];

	if (statement_read(&said, c->kind, c->body, strlen(c->body), &y->arena, &e) != STATUS_OK)
		return;
	(void)fprintf(y->a->out, "says: %s\n", statement_text(text, sizeof(text), &said));
	if (said.kind == STATES_LINK)
		print_link(y, c, &said);
	else if (said.kind == STATES_SEARCH && !*c->origin)
		print_search(y->a->out, body);
}

enum status why_claim(struct why *y, const struct claim *c, const char *case_id, struct err *e)
{
	FILE *o = y->a->out;
	char id[ID_TEXT], when[WALL_TEXT], code[80];
	json_t *body = json_loads(c->body, 0, NULL), *logged;
	enum status s = logged_json(y, &c->id, &logged, e);

	if (s == STATUS_OK && y->a->json) {
		json_t *j = claim_now_json(y->a, y->t, c);
		(void)json_object_set(j, "logged", logged);
		s = stored_out(y->a, j, case_id, e);
	} else if (s == STATUS_OK) {
		(void)fprintf(o, "claim %.12s, %s %s, computed by %s%s%s%s%.12s\n", id_text(id, &c->id),
			*c->origin ? "received" : "made", wall_text(when, c->made),
			printable(code, sizeof(code), json_text(body, "code")),
			*c->origin ? ", claimed by " : "", c->origin, *case_id ? ", in case " : "", case_id);
		print_says(y, c, body);
		(void)fprintf(o, "rests on:\n");
		print_legs(y, body);
		if (*c->bundle)
			(void)fprintf(o, "came in bundle %.12s (weir why %.12s)\n", c->bundle, c->bundle);
		print_logged(y, logged);
	}
	json_decref(logged);
	json_decref(body);
	return s;
}

enum status why_exchange(struct why *y, const struct exchange *x, struct err *e)
{
	FILE *o = y->a->out;
	char id[ID_TEXT], made[WALL_TEXT], until[WALL_TEXT], why[512];
	json_t *logged;
	enum status s = logged_json(y, &x->id, &logged, e);

	if (s == STATUS_OK && y->a->json) {
		json_t *j = json_exchange(x);
		(void)json_object_set(j, "logged", logged);
		s = stored_out(y->a, j, x->case_id, e);
	} else if (s == STATUS_OK) {
		(void)fprintf(o, "%s %.12s %s %.*s: %s%s%s%s\n", x->answer ? "answer" : "request",
			id_text(id, &x->id), x->received ? "from" : "to", (int)strcspn(x->peer, "+"), x->peer,
			x->ask, x->verdict, *x->why ? ", " : "", printable(why, sizeof(why), x->why));
		(void)fprintf(o, "made %s, holds until %s%s%.12s\n", wall_text(made, x->made),
			wall_text(until, x->not_after), *x->case_id ? ", in case " : "", x->case_id);
		if (x->answer)
			(void)fprintf(o, "answers request %.12s\n", id_text(id, &x->reply_to));
		(void)fprintf(o,
			"file %s/blobs/%.2s/%s (weir verify, or doc/bundle-format.md without weir)\n",
			y->a->dir, x->blob, x->blob);
		print_logged(y, logged);
	}
	json_decref(logged);
	return s;
}
