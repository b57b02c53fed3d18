/* Opening the atlas for a question, and the words in which networks and tables are written. */
#include "cli/map_ask.h"

#include <stdlib.h>
#include <string.h>

#include "cli/networks.h"
#include "cli/outfile.h"

#define WITHIN_MOST 36525 /* days, a hundred years */
#define DAY_US      (INT64_C(86400) * SECOND_US)

const char *const map_kind_text[] = {"", "BGP table", "AS relationships", "delegations", "origins", "names"};

static bool any_in_use(const struct atlas *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->entry[i].in_use)
			return true;
	return false;
}

/* --at.  A date alone means all of that day. */
static enum status at_take(struct map_ask *q, struct err *e)
{
	const char *s = q->at_text;

	if (!s)
		return STATUS_OK;
	if (!wall_parse(&q->at, s))
		return err_set(e, STATUS_BAD,
			"--at %s: it takes a time as 2026-11-22T15:42:00Z (RFC 3339), a date (all of that "
			"day), or seconds since 1970",
			s);
	if (strchr(s, '-') && !strpbrk(s, "Tt :"))
		q->at.us += DAY_US - 1;
	return STATUS_OK;
}

enum status map_ask_open(struct map_ask *q, struct app *a, struct err *e)
{
	q->app = a;
	if (at_take(q, e) != STATUS_OK)
		return STATUS_BAD;
	struct atlas_ask ask = {.at = q->at, .within_days = (int)q->within_days};
	if (q->within_days < 0 || q->within_days > WITHIN_MOST)
		return err_set(e, STATUS_BAD, "--within: up to %d days", WITHIN_MOST);
	enum status s = atlas_open(&q->atlas, a->dir, &ask, e);
	if (s == STATUS_NO)
		return err_set(e, STATUS_NO, "%s: no map yet (weir map load FILE...)", a->dir);
	char day[WALL_TEXT];
	if (s == STATUS_OK && !any_in_use(&q->atlas))
		return err_set(
			e, STATUS_NO, "no table of %s or before (weir map list)", wall_day(day, q->at));
	return s;
}

void map_ask_close(struct map_ask *q)
{
	atlas_close(&q->atlas);
	arena_free(&q->arena);
}

enum status map_net(struct net *to, struct map_ask *q, const char *text, struct err *e)
{
	enum status s = atlas_net(to, &q->atlas, text, &q->arena, e);

	q->country = q->country || (s == STATUS_OK && to->kind == NET_COUNTRY);
	return s;
}

enum status map_chart(struct chart *to, struct map_ask *q, struct err *e)
{
	char day[WALL_TEXT];
	enum status s = chart_make(to, &q->atlas, &q->arena, e);

	if (s == STATUS_NO && q->at.us)
		return err_set(e, STATUS_NO,
			"no relationships and no BGP table of %s or before (weir map list)",
			wall_day(day, q->at));
	return s;
}

static enum status nets_add(struct map_ask *q, const char *text, uint32_t **asn, size_t *n, struct err *e)
{
	struct net net;
	enum status s = map_net(&net, q, text, e);

	if (s != STATUS_OK)
		return s;
	q->foreign += net.n_foreign;
	if (net.n_own == 0)
		return err_set(e, STATUS_NO, "%s: no network is registered there, others originate its space",
			net.text);
	uint32_t *more = arena_array(&q->arena, *n + net.n_own + 1, sizeof(*more));
	if (!more)
		return err_nomem(e);
	if (*n)
		memcpy(more, *asn, *n * sizeof(*more));
	memcpy(more + *n, net.own, net.n_own * sizeof(*more));
	*asn = more;
	*n += net.n_own;
	return STATUS_OK;
}

enum status map_nets(struct map_ask *q, const struct texts *given, uint32_t **asn, size_t *n, struct err *e)
{
	enum status s = STATUS_OK;

	*asn = NULL;
	*n = 0;
	for (size_t i = 0; i < given->n && s == STATUS_OK; i++) {
		char *copy = arena_str(&q->arena, given->text[i]), *one;
		if (!copy)
			return err_nomem(e);
		while (s == STATUS_OK && (one = strsep(&copy, ",")) != NULL)
			s = nets_add(q, one, asn, n, e);
	}
	return s;
}

bool as_parse(uint32_t *asn, const char *s)
{
	char *end;

	if ((s[0] != 'A' && s[0] != 'a') || (s[1] != 'S' && s[1] != 's') || s[2] < '0' || s[2] > '9')
		return false;
	unsigned long long v = strtoull(s + 2, &end, 10);
	*asn = (uint32_t)v;
	return *end == '\0' && v > 0 && v <= UINT32_MAX;
}

char *as_text(char to[AS_TEXT], uint32_t asn)
{
	(void)snprintf(to, AS_TEXT, "AS%u", asn);
	return to;
}

json_t *map_network_json(const struct atlas *a, uint32_t asn)
{
	struct network net;

	(void)atlas_asn(a, asn, &net);
	return network_json(&net);
}

json_t *map_nodes_json(const struct chart *c, const uint32_t *node, size_t n)
{
	json_t *list = json_array();
	char text[AS_TEXT];

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(as_text(text, c->graph.asn[node[i]])));
	return list;
}

char *map_network_text(char to[MAP_NETWORK_TEXT], const struct atlas *a, uint32_t asn)
{
	struct network net;

	if (atlas_asn(a, asn, &net))
		(void)network_text(to, &net);
	else
		(void)as_text(to, asn);
	return to;
}

char *map_net_text(char *to, size_t n, const struct atlas *a, const struct net *net)
{
	char name[MAP_NETWORK_TEXT], networks[COUNT_TEXT], prefixes[32], foreign[64] = "", k[32];

	if (net->n_foreign)
		(void)snprintf(foreign, sizeof(foreign), " and %s of others that originate its space",
			thousands(k, net->n_foreign));
	if (net->kind == NET_ASN)
		(void)snprintf(to, n, "%s", map_network_text(name, a, net->asn[0]));
	else
		(void)snprintf(to, n, "%s: %s%s, %s %s", net->text, counted(networks, net->n_own, "network"),
			foreign, thousands(prefixes, net->n_prefix),
			net->n_prefix == 1 ? "prefix" : "prefixes");
	return to;
}

json_t *map_net_json(const struct net *net)
{
	json_t *asns = json_array(), *prefixes = json_array();
	char text[PREFIX_TEXT], as[AS_TEXT];

	for (size_t i = 0; i < net->n_asn; i++) {
		(void)json_array_append_new(asns, json_string(as_text(as, net->asn[i])));
	}
	for (size_t i = 0; i < net->n_prefix; i++)
		(void)json_array_append_new(prefixes, json_string(prefix_text(text, &net->prefix[i])));
	return json_pack("{s:s, s:o, s:o}", "net", net->text, "networks", asns, "prefixes", prefixes);
}

json_t *map_tables_json(const struct atlas *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n; i++) {
		const struct atlas_entry *t = &a->entry[i];
		if (t->in_use)
			(void)json_array_append_new(
				list, json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", t->id, "name", t->name,
					      "kind", map_kind_text[t->sheet.kind], "from",
					      json_time(t->sheet.from.us), "to", json_time(t->sheet.to.us)));
	}
	return list;
}

json_t *map_registries_json(const struct atlas *a)
{
	uint32_t rirs = registries_rirs(a->registry, a->n_registry);
	json_t *loaded = json_array(), *missing = json_array();

	for (int i = 0; i < RIRS; i++)
		(void)json_array_append_new(
			rirs & UINT32_C(1) << i ? loaded : missing, json_string(rir_text[i]));
	return json_pack("{s:o, s:o}", "loaded", loaded, "missing", missing);
}

void map_registries_print(const struct map_ask *q, bool groups)
{
	uint32_t rirs = registries_rirs(q->atlas.registry, q->atlas.n_registry);
	bool unnamed = groups && q->atlas.n_holders == 0;
	char words[RIRS_TEXT];

	if (rirs == (UINT32_C(1) << RIRS) - 1 || (!q->country && !unnamed))
		return;
	(void)fprintf(q->app->out, "Registries: %s.\n", rirs_words(words, rirs));
	if (q->country)
		(void)fputs("What these delegate to a country is missing here.\n", q->app->out);
	if (unnamed)
		(void)fputs("Networks of these have no country and no holder here.\n", q->app->out);
}

char *map_tables_text(char *to, size_t n, const struct atlas *a)
{
	char day[WALL_TEXT], last[WALL_TEXT] = "";
	size_t at = 0, days = 0;

	to[0] = '\0';
	for (size_t i = 0; i < a->n; i++) {
		const struct atlas_entry *t = &a->entry[i];
		if (!t->in_use || (t->sheet.kind != SHEET_PATHS && t->sheet.kind != SHEET_LINKS))
			continue;
		(void)wall_day(day, t->sheet.to);
		if (strcmp(day, last) == 0)
			continue;
		int k = snprintf(to + at, n - at, "%s%s", days++ ? ", " : "", day);
		if (k < 0 || (size_t)k >= n - at)
			break;
		at += (size_t)k;
		memcpy(last, day, sizeof(last));
	}
	return to;
}

const char *map_core_text(const struct chart *c)
{
	return c->inferred ? "the clique that is inferred from the paths"
			   : core_source_text[c->graph.core_source];
}

bool map_is_partner(const struct map_ask *q, uint32_t asn)
{
	const struct config *c = &q->app->cfg;

	for (size_t i = 0; i < c->n_partner_networks; i++) {
		struct network net;
		if (atlas_network(&q->atlas, &c->partner_networks[i].ip, &net) && net.asn == asn)
			return true;
	}
	return false;
}

enum status map_picture(struct map_ask *q, const struct buf *b, struct err *e)
{
	return b->failed ? err_nomem(e) : outfile_put(q->app->w, q->svg, b, e);
}
