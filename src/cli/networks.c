/* Networks of the addresses in what a command prints.  The text is held back until the command is done, so
 * that one legend below it names each address once; of what streams only the addresses are kept.  A document
 * of JSON is looked through before it is written. */
#include "cli/networks.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/map_ask.h"

#define ADDRESSES_MAX 1000 /* that are named below one answer */
#define OF_ADDRESS    "0123456789abcdefABCDEF:./"

struct addresses { /* a prefix is named by its first address */
	struct prefix *of;
	size_t n;
	const struct config *but; /* addresses of its own networks are not named; NULL: all are */
	bool more;                /* than ADDRESSES_MAX */
};

struct networks {
	struct atlas atlas;
	FILE *out; /* the app's */
	char *text;
	size_t n_text;
	bool streams;          /* nothing is held back */
	struct addresses seen; /* of what streamed */
};

static bool is_own(const struct config *c, const struct ip *ip)
{
	return c->n_own && config_owns(c, ip);
}

static void address_add(struct addresses *to, const struct prefix *p)
{
	if (to->but && is_own(to->but, &p->ip))
		return;
	for (size_t i = 0; i < to->n; i++)
		if (ip_equal(&to->of[i].ip, &p->ip) && to->of[i].len == p->len)
			return;
	to->more = to->n == ADDRESSES_MAX;
	if (!to->more)
		to->of[to->n++] = *p;
}

/* An address, alone or with a port, or a prefix that is not the default route. */
static bool address_of(struct prefix *to, const char *word)
{
	struct endpoint end;

	if (prefix_parse(to, word))
		return to->len > 0;
	if (!endpoint_parse(&end, word))
		return false;
	*to = prefix_of(&end.ip, ip_bits(&end.ip));
	return true;
}

/* The addresses in a text: its words of an address' characters. */
static void addresses_of(struct addresses *to, const char *s)
{
	while (*s) {
		size_t n = strspn(s, OF_ADDRESS);
		char word[ENDPOINT_TEXT];
		struct prefix p;
		size_t end = n;
		while (end && (s[end - 1] == ':' || s[end - 1] == '.'))
			end--; /* the end of a sentence */
		if (end && end < sizeof(word)) {
			memcpy(word, s, end);
			word[end] = '\0';
			if (strpbrk(word, ".:") && address_of(&p, word))
				address_add(to, &p);
		}
		s += n ? n : 1;
	}
}

static void addresses_in(struct addresses *to, const json_t *j)
{
	json_t *object = (json_t *)(uintptr_t)j; /* the iterators below change nothing */

	if (json_is_string(j))
		addresses_of(to, json_string_value(j));
	for (size_t i = 0; i < json_array_size(j); i++)
		addresses_in(to, json_array_get(j, i));
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
		addresses_in(to, json_object_iter_value(at));
}

/* An address, or a prefix where it has more than one. */
static const char *name_of(char to[PREFIX_TEXT], const struct prefix *p)
{
	return p->len == ip_bits(&p->ip) ? ip_text(to, &p->ip) : prefix_text(to, p);
}

json_t *network_json(const struct network *n)
{
	char as[AS_TEXT], prefix[PREFIX_TEXT];

	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?}", "as", n->asn ? as_text(as, n->asn) : NULL, "name",
		n->name[0] ? n->name : NULL, "cc", n->cc[0] ? n->cc : NULL, "holder",
		n->holder[0] ? n->holder : NULL, "prefix",
		n->prefix.ip.v ? prefix_text(prefix, &n->prefix) : NULL);
}

json_t *networks_json(const struct app *a, const struct ip *ip)
{
	struct network n;

	return a->networks && atlas_network(&a->networks->atlas, ip, &n) ? network_json(&n) : json_null();
}

const char *networks_text(char to[NETWORKS_TEXT], const struct app *a, const struct ip *ip)
{
	struct network n;
	char text[NETWORK_TEXT];

	to[0] = '\0';
	if (a->networks && atlas_network(&a->networks->atlas, ip, &n))
		(void)snprintf(to, NETWORKS_TEXT, " (%s)", network_text(text, &n));
	return to;
}

const char *networks_short(char to[NETWORK_TEXT], const struct app *a, const struct ip *ip)
{
	struct network n;

	if (is_own(&a->cfg, ip))
		return "own";
	if (!a->networks || !atlas_network(&a->networks->atlas, ip, &n))
		return "unknown";
	return network_text(to, &n);
}

void networks_seen(struct app *a, const struct ip *ip)
{
	if (a->networks && a->networks->seen.of)
		address_add(&a->networks->seen, &(struct prefix){*ip, ip_bits(ip)});
}

void networks_into(const struct app *a, json_t *j)
{
	struct addresses found = {0};
	json_t *to = json_object();
	char text[PREFIX_TEXT];

	if (a->networks) {
		found.of = calloc(ADDRESSES_MAX, sizeof(*found.of));
		found.but = a->networks->streams ? &a->cfg : NULL;
	}
	if (a->networks && found.of && json_is_object(j)) {
		addresses_in(&found, j);
		for (size_t i = 0; i < found.n; i++) {
			json_t *one = networks_json(a, &found.of[i].ip);
			(void)json_object_set_new(to, name_of(text, &found.of[i]), one);
		}
		(void)json_object_set(j, "networks", to);
	}
	json_decref(to);
	free(found.of);
}

/* " of " and the day of the newest table that says who originates what; " (none is loaded)". */
static const char *origins_day(char to[WALL_TEXT], const struct atlas *a)
{
	struct wall newest = {0};

	for (size_t i = 0; i < a->n; i++) {
		const struct atlas_entry *t = &a->entry[i];
		bool says = t->sheet.kind == SHEET_PATHS || t->sheet.kind == SHEET_ORIGINS;
		if (t->in_use && says && t->sheet.to.us > newest.us)
			newest = t->sheet.to;
	}
	if (newest.us == 0)
		return " (none is loaded)";
	char day[WALL_TEXT];
	(void)snprintf(to, WALL_TEXT, " of %s", wall_day(day, newest));
	return to;
}

static void legend(const struct atlas *a, const struct addresses *found, FILE *o)
{
	char ip[PREFIX_TEXT], text[NETWORK_TEXT], day[WALL_TEXT];

	for (size_t i = 0; i < found->n; i++) {
		struct network w;
		bool known = atlas_network(a, &found->of[i].ip, &w);
		if (i == 0)
			(void)fprintf(o,
				"\nnetworks (by routing table%s and registration, which is not ownership)\n",
				origins_day(day, a));
		(void)fprintf(o, "  %-18s  %s\n", name_of(ip, &found->of[i]),
			known ? network_text(text, &w) : "unknown");
	}
	if (found->more)
		(void)fprintf(
			o, "  and more: %d addresses are named here, --json names all\n", ADDRESSES_MAX);
}

/* The atlas of a->networks; false: it is not there, and nothing changes. */
static bool atlas_begin(struct app *a)
{
	struct networks *n = calloc(1, sizeof(*n));
	struct err e;

	if (!n)
		return false;
	enum status s = atlas_open(&n->atlas, a->dir, &(struct atlas_ask){0}, &e);
	if (s != STATUS_OK && s != STATUS_NO)
		log_line("%s: networks are not named", e.text);
	if (s != STATUS_OK) {
		atlas_close(&n->atlas);
		free(n);
		return false;
	}
	n->out = a->out;
	a->networks = n;
	return true;
}

bool networks_begin(struct app *a)
{
	if (!atlas_begin(a))
		return false;
	FILE *hold = a->json ? NULL : open_memstream(&a->networks->text, &a->networks->n_text);
	a->out = hold ? hold : a->out;
	return true;
}

bool networks_stream(struct app *a)
{
	if (!atlas_begin(a))
		return false;
	struct networks *n = a->networks;
	n->streams = true;
	n->seen.but = &a->cfg;
	n->seen.of = a->json ? NULL : calloc(ADDRESSES_MAX, sizeof(*n->seen.of));
	return true;
}

/* What was held back, with its legend. */
static enum status held_put(struct networks *n, struct app *a, enum status s, struct err *e)
{
	struct addresses found = {.of = calloc(ADDRESSES_MAX, sizeof(*found.of))};
	bool whole = fclose(a->out) == 0 && n->text;

	a->out = n->out;
	if (!whole || !found.of)
		s = err_nomem(e);
	if (whole) {
		(void)fputs(n->text, a->out);
		if (found.of)
			addresses_of(&found, n->text);
		legend(&n->atlas, &found, a->out);
	}
	free(found.of);
	return s;
}

enum status networks_end(struct app *a, enum status s, struct err *e)
{
	struct networks *n = a->networks;

	if (!n)
		return s;
	if (a->out != n->out)
		s = held_put(n, a, s, e);
	if (n->seen.of)
		legend(&n->atlas, &n->seen, a->out);
	a->networks = NULL;
	atlas_close(&n->atlas);
	free(n->seen.of);
	free(n->text);
	free(n);
	return s;
}
