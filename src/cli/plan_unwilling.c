/* --unwilling of weir plan, word by word.  What a place is called, networks and partners, is compared as it
 * stands (plan/place.c); an AS number is a question to the map: which AS originates what is announced of a
 * place's network. */
#include "cli/plan_unwilling.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "case/logged.h"
#include "cli/map_ask.h"
#include "ledger/note.h"

#define TYPOS_MOST 2 /* letters that may differ in what was perhaps meant */
#define WORD_TEXT  80
#define FEW        3 /* words that are named where there may be thousands */

/* Words of which one thing is said, in one line however many they are. */
struct few {
	char text[FEW * (WORD_TEXT + 2)];
	size_t n;
};

struct unwilling {
	struct arena arena;
	struct atlas atlas;
	bool has_atlas;
	const char **place; /* networks, and partners' names */
	const char **word;  /* all, as they were given */
	size_t n_word;
	uint32_t *asn;
	bool *place_met, *asn_met; /* of each: is it somebody whom the plan could have asked? */
	size_t n_place, n_asn;
	struct few unseen;    /* AS numbers that no table in use shows */
	const char **partner; /* whom weir knows */
	size_t n_partner;
};

/* ---- one line ---- */

static void few_add(struct few *f, const char *word)
{
	char safe[WORD_TEXT];
	size_t len = strlen(f->text);

	if (f->n < FEW)
		(void)snprintf(f->text + len, sizeof(f->text) - len, "%s%s", f->n ? ", " : "",
			printable(safe, sizeof(safe), word));
	f->n++;
}

/* "--unwilling AS1, AS2, AS3 and 8,996 more: ..."; one: of one alone. */
static void few_say(const struct few *f, const char *one, const char *many)
{
	char more[COUNT_TEXT], rest[COUNT_TEXT + 16] = "";

	if (f->n > FEW)
		(void)snprintf(rest, sizeof(rest), " and %s", counted(more, f->n - FEW, "other"));
	if (f->n)
		log_line("--unwilling %s%s: %s", f->text, rest, f->n == 1 ? one : many);
}

/* ---- partners ---- */

/* The part of "name+hash+key" that is the name. */
static const char *key_owner(const char *key, struct arena *arena)
{
	struct vkey v;
	struct err e;

	return vkey_parse(&v, key, &e) == STATUS_OK ? arena_str(arena, v.name) : NULL;
}

static void partner_add(struct unwilling *u, const char *name)
{
	if (name && *name && strcmp(name, "*") != 0)
		u->partner[u->n_partner++] = name;
}

static enum status partners_find(
	struct unwilling *u, const struct app *a, const struct place *p, const char *case_id, struct err *e)
{
	struct attack_case c;
	struct exchange *x;
	size_t n = 0;
	enum status s = case_read(p->db, case_id, &u->arena, &c, e);

	if (s == STATUS_OK)
		s = exchange_list(p->db, NULL, &u->arena, &x, &n, e);
	if (s != STATUS_OK)
		return s;
	u->partner = arena_array(&u->arena, a->cfg.n_partner_keys + n + c.n_claim + 1, sizeof(*u->partner));
	if (!u->partner)
		return err_nomem(e);
	for (size_t i = 0; i < a->cfg.n_partner_keys; i++)
		partner_add(u, key_owner(a->cfg.partner_keys[i], &u->arena));
	for (size_t i = 0; i < n; i++)
		partner_add(u, x[i].peer);
	for (size_t i = 0; i < c.n_claim; i++)
		partner_add(u, c.claim[i].origin);
	return STATUS_OK;
}

static bool is_partner(const struct unwilling *u, const char *word)
{
	for (size_t i = 0; i < u->n_partner; i++)
		if (strcmp(u->partner[i], word) == 0)
			return true;
	return false;
}

/* ---- what was perhaps meant ---- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to put in, take out or change (Levenshtein 1965); more than WORD_TEXT are too many. */
static size_t typos(const char *a, const char *b)
{
	size_t row[WORD_TEXT + 1], n = strlen(b);

	if (n > WORD_TEXT || strlen(a) > WORD_TEXT)
		return WORD_TEXT;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t changed = corner + (a[i] != b[j]);
			corner = row[j + 1];
			row[j + 1] = least(changed, least(row[j], corner) + 1);
		}
	}
	return row[n];
}

static const char *like(const struct unwilling *u, const char *word)
{
	const char *best = NULL;
	size_t n = TYPOS_MOST + 1;

	for (size_t i = 0; i < u->n_partner; i++) {
		size_t k = typos(word, u->partner[i]);
		if (k < n && k < strlen(word)) {
			n = k;
			best = u->partner[i];
		}
	}
	return best;
}

static enum status no_place(const struct unwilling *u, const char *word, struct err *e)
{
	char meant[NET_MEANT], safe[WORD_TEXT], partner[2 * WORD_TEXT] = "";
	const char *name = like(u, word);

	if (name)
		(void)snprintf(partner, sizeof(partner), "; did you mean %.*s?", WORD_TEXT, name);
	return err_set(e, STATUS_BAD,
		"--unwilling %s: no network, address, AS number (AS64500) or partner that weir knows%s",
		*word ? printable(safe, sizeof(safe), word) : "\"\"",
		name ? partner : net_meant(meant, word));
}

/* ---- AS numbers ---- */

static enum status map_needed(struct unwilling *u, const struct app *a, const char *word, struct err *e)
{
	if (u->has_atlas)
		return STATUS_OK;
	enum status s = atlas_open(&u->atlas, a->dir, &(struct atlas_ask){0}, e);
	u->has_atlas = s == STATUS_OK;
	if (s == STATUS_NO)
		return err_set(e, STATUS_NO, "--unwilling %.16s: no map yet (weir map load FILE...)", word);
	if (s == STATUS_OK && u->atlas.n_origins == 0)
		return err_set(e, STATUS_NO,
			"--unwilling %.16s: neither a BGP table nor origins of prefixes are loaded (weir map "
			"load FILE...)",
			word);
	return s;
}

static enum status asn_take(
	struct unwilling *u, const struct app *a, const char *word, uint32_t asn, struct err *e)
{
	struct net net;
	enum status s = map_needed(u, a, word, e);

	if (s != STATUS_OK)
		return s;
	s = atlas_net(&net, &u->atlas, word, &u->arena, e);
	if (s == STATUS_NO || (s == STATUS_OK && net.n_prefix == 0)) {
		u->asn_met[u->n_asn] = true; /* said by words_take() */
		few_add(&u->unseen, word);
	}
	if (s == STATUS_OK)
		u->asn[u->n_asn++] = asn;
	return s == STATUS_NO ? STATUS_OK : s;
}

/* Is any of the network announced by one of these?  Not knowing, for want of memory, counts as yes. */
static bool refuses(void *self, const struct prefix *network)
{
	struct unwilling *u = self;
	struct arena arena = {0};
	struct net net;
	struct network around;
	char text[PREFIX_TEXT];
	struct err e;
	bool found = atlas_network(&u->atlas, &network->ip, &around);
	enum status s = atlas_net(&net, &u->atlas, prefix_text(text, network), &arena, &e);
	bool yes = s == STATUS_MACHINE;

	for (size_t i = 0; i < u->n_asn; i++) {
		bool is = found && around.asn == u->asn[i];
		for (size_t k = 0; s == STATUS_OK && k < net.n_asn && !is; k++)
			is = net.asn[k] == u->asn[i];
		u->asn_met[i] = u->asn_met[i] || is;
		yes = yes || is;
	}
	arena_free(&arena);
	return yes;
}

/* ---- all of them ---- */

static enum status word_take(struct unwilling *u, const struct app *a, const char *word, struct err *e)
{
	struct prefix network;
	uint32_t asn;

	u->word[u->n_word++] = word;
	if (as_parse(&asn, word))
		return asn_take(u, a, word, asn, e);
	if (!prefix_parse(&network, word) && !is_partner(u, word))
		return no_place(u, word, e);
	u->place[u->n_place++] = word;
	return STATUS_OK;
}

static enum status words_take(
	struct unwilling *u, const struct app *a, const struct texts *given, struct err *e)
{
	size_t n = 0;
	enum status s = STATUS_OK;

	for (size_t i = 0; i < given->n; i++)
		for (const char *p = given->text[i]; p; p = strchr(p + 1, ','))
			n++;
	u->place = arena_array(&u->arena, n, sizeof(*u->place));
	u->asn = arena_array(&u->arena, n, sizeof(*u->asn));
	u->word = arena_array(&u->arena, n, sizeof(*u->word));
	u->place_met = arena_array(&u->arena, n, sizeof(*u->place_met));
	u->asn_met = arena_array(&u->arena, n, sizeof(*u->asn_met));
	if (!u->place_met || !u->asn_met || !u->word || !u->place || !u->asn)
		return err_nomem(e);
	for (size_t i = 0; i < given->n && s == STATUS_OK; i++) {
		char *copy = arena_str(&u->arena, given->text[i]), *one;
		if (!copy)
			return err_nomem(e);
		while (s == STATUS_OK && (one = strsep(&copy, ",")) != NULL)
			s = word_take(u, a, one, e);
	}
	few_say(&u->unseen, "no table in use shows a prefix of it, so it changes nothing",
		"no table in use shows a prefix of them, so they change nothing");
	return s;
}

enum status unwilling_take(struct unwilling **to, struct planning *how, struct app *a, const struct place *p,
	const char *case_id, const struct texts *given, struct err *e)
{
	struct unwilling *u = given->n ? calloc(1, sizeof(*u)) : NULL;

	*to = u;
	if (given->n == 0)
		return STATUS_OK;
	if (!u)
		return err_nomem(e);
	enum status s = partners_find(u, a, p, case_id, e);
	if (s == STATUS_OK)
		s = words_take(u, a, given, e);
	how->unwilling = u->place;
	how->n_unwilling = u->n_place;
	how->met = u->place_met;
	how->refusing = u->word;
	how->n_refusing = u->n_word;
	how->refuses = u->n_asn ? refuses : NULL;
	how->self = u;
	return s;
}

void unwilling_say(const struct unwilling *u)
{
	char as[AS_TEXT];
	struct few unmet = {.n = 0};

	for (size_t i = 0; u && i < u->n_place; i++)
		if (!u->place_met[i])
			few_add(&unmet, u->place[i]);
	for (size_t i = 0; u && i < u->n_asn; i++)
		if (!u->asn_met[i])
			few_add(&unmet, as_text(as, u->asn[i]));
	few_say(&unmet, "no option would have counted on it, so it changes nothing",
		"no option would have counted on them, so they change nothing");
}

void unwilling_free(struct unwilling *u)
{
	if (!u)
		return;
	atlas_close(&u->atlas);
	arena_free(&u->arena);
	free(u);
}
