/* weir bundle: a request to another network, as one signed file: the attack flows of a case with their
 * trains, the links that were proven here, and the answers of networks that were asked before. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/link_now.h"
#include "cli/send.h"
#include "cli/told_block.h"

/* ---- the claims ---- */

/* A claim "flow F hit us" for each sighting whose flow was recorded here, with the train as it is now; *left:
 * how many were not. */
static enum status claim_attacks(
	struct tracer *t, const struct place *p, const struct attack_case *c, size_t *left, struct err *e)
{
	const struct flow *f;
	char text[FLOW_TEXT];
	enum status s = STATUS_OK;

	for (size_t i = 0; i < c->n_sighting && s == STATUS_OK; i++) {
		const struct sighting *g = &c->sighting[i];
		struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};
		s = tracer_flow(t, flow_text(text, &head), g->at, &f, e);
		if (s == STATUS_OK)
			s = claim_attack(p, &c->id, f, g, e);
		if (s == STATUS_NO) {
			++*left;
			s = STATUS_OK;
		}
	}
	return s;
}

static bool same_subject(const struct statement *a, const struct statement *b)
{
	return a->kind == b->kind && strcmp(a->out_flow, b->out_flow) == 0;
}

/* Is it an own claim that travels?  A link that the audit withholds now does not: nobody is asked to act on
 * what is not relied on here. */
static bool travels(const struct claim *c, const struct tracer *t, struct arena *arena, struct statement *s,
	struct err *e)
{
	char id[ID_TEXT], why[LINK_NOW_WHY];

	if (*c->origin || statement_read(s, c->kind, c->body, strlen(c->body), arena, e) != STATUS_OK ||
		(s->kind != STATES_ATTACK && s->kind != STATES_LINK))
		return false;
	bool withheld = s->kind == STATES_LINK && link_withheld(t, c, s, why);
	if (withheld)
		log_line("claim %.12s is left out: %s", id_text(id, &c->id), why);
	return !withheld;
}

/* Own claims that travel, of those about one flow the newest. */
static enum status choose(const struct attack_case *c, const struct tracer *t, struct arena *arena,
	struct pack *k, struct err *e)
{
	struct claim *to = arena_array(arena, c->n_claim + TOLD_BLOCKS + 1, sizeof(*to));
	struct statement *said = arena_array(arena, c->n_claim + 1, sizeof(*said));

	if (!to || !said)
		return err_nomem(e);
	for (size_t i = c->n_claim; i-- > 0;) {
		const struct claim *l = &c->claim[i];
		struct statement *s = &said[k->n_claim];
		bool have = false;
		if (!travels(l, t, arena, s, e))
			continue;
		for (size_t n = 0; n < k->n_claim && !have; n++)
			have = same_subject(s, &said[n]);
		if (!have)
			to[k->n_claim++] = *l;
	}
	k->claim = to;
	return k->n_claim ? STATUS_OK
			  : err_set(e, STATUS_NO,
				    "no flow of this case was recorded here: there is nothing to show");
}

/* What is blocked here already of the flows that the case is about. */
static enum status add_blocks(const struct place *p, const struct attack_case *c, struct arena *arena,
	struct pack *k, struct err *e)
{
	struct order_row *row;
	size_t n, more = 0;
	struct claim *to = k->claim + k->n_claim; /* room: choose() */
	enum status s = order_row_list(p->db, &c->id, true, p->w->now(p->w->self), arena, &row, &n, e);

	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		struct told_blocks t = {.row = &row[i], .about = c->sighting, .n_about = c->n_sighting};
		s = claim_blocks(p, &t, arena, to, &more, e);
	}
	k->n_claim += more;
	return s;
}

/* ---- the answers ---- */

/* Accepted answers that lead further: with a link or a network in them. */
static bool worth(const struct exchange *x, const struct attack_case *c)
{
	char id[ID_TEXT];
	bool told = false;

	for (size_t i = 0; i < c->n_claim; i++)
		told = told || (strcmp(c->claim[i].bundle, id_text(id, &x->id)) == 0 &&
				       strcmp(c->claim[i].kind, statement_kind_name(STATES_SEEN)) != 0);
	return x->received && x->answer && strcmp(x->verdict, "accepted") == 0 && told;
}

static enum status answers(const struct place *p, const struct attack_case *c, struct arena *arena,
	struct pack *k, struct err *e)
{
	struct exchange *x;
	struct pack_answer *to;
	size_t n;
	enum status s = exchange_list(p->db, &c->id, arena, &x, &n, e);

	if (s != STATUS_OK)
		return s;
	to = arena_array(arena, n + 1, sizeof(*to));
	if (!to)
		return err_nomem(e);
	k->answer = to;
	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		if (!worth(&x[i], c))
			continue;
		struct pack_answer *one = &to[k->n_answer++];
		*one = (struct pack_answer){.id = x[i].id};
		s = blob_read(p->dir, x[i].blob, &one->file, e);
		if (s == STATUS_NO) { /* weir forget took it: what is left is still worth asking with */
			char id[ID_TEXT];
			log_line("answer %.12s was forgotten here and is not forwarded",
				id_text(id, &one->id));
			k->n_answer--;
			s = STATUS_OK;
		}
	}
	return s;
}

/* ---- the command ---- */

static enum status say_made(
	struct app *a, const struct pack *k, const char *path, const char *sha256, struct err *e)
{
	char id[ID_TEXT], until[WALL_TEXT], n[COUNT_TEXT], m[COUNT_TEXT];

	(void)id_text(id, &k->m.id);
	(void)wall_text(until, k->m.not_after);
	if (a->json)
		return json_out(a,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id", id, "file", path,
				"sha256", sha256, "to", k->m.to, "not_after", until, "ask",
				bundle_ask_name(k->m.ask), "claims", (json_int_t)k->n_claim, "answers",
				(json_int_t)k->n_answer),
			e);
	(void)fprintf(a->out, "request %.12s to %s (%s): %s", id, k->m.to, bundle_ask_name(k->m.ask),
		counted(n, k->n_claim, "claim"));
	if (k->n_answer)
		(void)fprintf(a->out, ", %s forwarded", counted(m, k->n_answer, "answer"));
	(void)fprintf(a->out,
		"; holds until %s\nwritten to %s: send it there; your key goes another way (weir key)\n",
		until, path);
	return STATUS_OK;
}

static enum status bundle(
	struct app *a, const char *id, const char *peer, const char *path, struct pack *k, struct err *e)
{
	struct arena arena = {0};
	struct place p = {0};
	struct tracer *t = NULL;
	struct attack_case c;
	char sha256[BLOB_NAME], case_id[ID_TEXT], count[COUNT_TEXT];
	size_t left = 0;
	enum status s = place_open(a, &p, e);

	if (s == STATUS_OK)
		s = case_read(p.db, id, &arena, &c, e);
	if (s == STATUS_OK)
		s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);
	if (s == STATUS_OK)
		s = claim_attacks(t, &p, &c, &left, e);
	if (s == STATUS_OK)
		s = case_read(p.db, id, &arena, &c, e);
	if (s == STATUS_OK)
		s = choose(&c, t, &arena, k, e);
	if (s == STATUS_OK)
		s = add_blocks(&p, &c, &arena, k, e);
	if (s == STATUS_OK && left)
		log_line("%s of the case not recorded here: nothing is claimed of it",
			counted(count, left, "flow"));
	if (s == STATUS_OK)
		s = answers(&p, &c, &arena, k, e);
	if (s == STATUS_OK)
		s = send_bundle(a, &p, k, peer, id_text(case_id, &c.id), path, sha256, e);
	if (s == STATUS_OK)
		s = say_made(a, k, path, sha256, e);
	for (size_t i = 0; i < k->n_answer; i++)
		buf_free(&k->answer[i].file);
	tracer_close(t);
	case_db_close(p.db);
	arena_free(&arena);
	return s;
}

/* "*", "relay1.example", or a verifier key, of which the name goes into the manifest. */
static enum status recipient(struct manifest *m, const char *to, struct err *e)
{
	struct vkey key;
	enum status s = STATUS_OK;

	if (strchr(to, '+')) {
		s = vkey_parse(&key, to, e);
		if (s != STATUS_OK)
			return err_wrap(e, "--to %s", to);
		to = key.name;
	} else if (strcmp(to, "*") != 0 && !key_name_valid(to)) {
		return err_set(e, STATUS_BAD, "--to %s: neither the name of a key nor a key (weir key)", to);
	}
	(void)snprintf(m->to, sizeof(m->to), "%s", to);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	const char *path = NULL, *to = "*", *ask = "trace", *expires = NULL;
	struct option_row row[] = {{"output", 'o', OPTION_TEXT, &path}, {"to", 0, OPTION_TEXT, &to},
		{"ask", 0, OPTION_TEXT, &ask}, {"expires", 0, OPTION_TEXT, &expires}};
	struct pack k = {.m = {.type = BUNDLE_REQUEST}};
	int first;
	enum status s = options_parse(a, row, 4, argc, argv, &first, e);

	if (s != STATUS_OK)
		return s;
	if (argc - first != 1 || !path)
		return err_set(e, STATUS_BAD, "bundle: one CASE, and -o FILE");
	if (!bundle_ask_parse(&k.m.ask, ask))
		return err_set(e, STATUS_BAD, "--ask %s: confirm, trace or block", ask);
	s = recipient(&k.m, to, e);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK)
		s = send_head(a, &k.m, expires, e);
	return s == STATUS_OK ? bundle(a, argv[first], to, path, &k, e) : s;
}

const struct command command_bundle = {"bundle",
	"CASE -o FILE [--to NAME|VKEY] [--ask confirm|trace|block] [--expires T]",
	"a signed request that a stranger can check", run};
