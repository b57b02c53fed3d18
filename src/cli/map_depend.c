/* weir map depend NET: on whom NET depends, network by network, by holder and by country of registration, and
 * who depends on NET.  Shares are local AS hegemony (map/depend.h). */
#include "cli/map_ask.h"

#include <string.h>

#include "base/bytes.h"
#include "cli/map_dates.h"
#include "cli/map_svg.h"
#include "map/depend.h"
#include "map/group.h"

#define ROWS_SHOWN  15
#define SHARE_SHOWN 0.0005 /* what is less is 0.0 % */
#define LEAST       0.01   /* dependents below this share are not named */
#define FAMILIES    2
#define DATE_ROWS   3 /* networks that are named of another date */

/* One family's answers. */
struct answer {
	uint8_t family;
	struct depend on, holders, countries, from;
	struct groups holder, country; /* what the rows of the two in the middle are called */
};

static struct depend_ask ask_of(const struct net *net, uint8_t family)
{
	struct depend_ask ask = {.asn = net->own, .n_asn = net->n_own, .family = family};

	if (net->kind != NET_ASN) {
		ask.prefix = net->prefix;
		ask.n_prefix = net->n_prefix;
	}
	if (net->kind == NET_PREFIX)
		ask.n_asn = 0;
	return ask;
}

static enum status answer_make(
	struct answer *to, struct map_ask *q, const struct net *net, uint8_t family, struct err *e)
{
	const struct paths *const *p = q->atlas.paths;
	size_t n = q->atlas.n_paths;
	struct depend_ask ask[3] = {ask_of(net, family), ask_of(net, family), ask_of(net, family)};
	struct depend on[3] = {{0}};

	*to = (struct answer){.family = family,
		.holder = {.atlas = &q->atlas, .arena = &q->arena},
		.country = {.atlas = &q->atlas, .arena = &q->arena}};
	ask[1].group = group_holder;
	ask[1].self = &to->holder;
	ask[2].group = group_country;
	ask[2].self = &to->country;
	enum status s = depend_groups(on, ask, 3, p, n, &q->arena, e);
	to->on = on[0];
	to->holders = on[1];
	to->countries = on[2];
	if (s == STATUS_OK && net->kind == NET_ASN)
		s = depend_from(&to->from, p, n, net->asn[0], family, LEAST, &q->arena, e);
	return s == STATUS_OK && (to->holder.failed || to->country.failed) ? err_nomem(e) : s;
}

/* Shown by one peer network only, where others see the scope, too. */
static bool is_doubtful(const struct depend_row *r)
{
	return r->n_peer_as == 1 && r->n_seeing > 2;
}

/* ---- JSON ---- */

static json_t *row_json(json_t *j, const struct depend_row *r)
{
	(void)json_object_set_new(j, "share", json_real(r->share));
	(void)json_object_set_new(j, "peers", json_integer(r->n_peer_as));
	(void)json_object_set_new(j, "tables", json_integer(r->n_sheet));
	(void)json_object_set_new(j, "one_peer_only", json_boolean(r->n_peer_as == 1));
	return j;
}

static json_t *networks_json(const struct map_ask *q, const struct depend *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(
			list, row_json(map_network_json(&q->atlas, d->row[i].asn), &d->row[i]));
	return list;
}

static json_t *groups_json(const struct depend *d, const struct groups *g, const char *what)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(
			list, row_json(json_pack("{s:s}", what, g->name[d->row[i].asn - 1]), &d->row[i]));
	return list;
}

static json_t *answer_json(const struct map_ask *q, const struct answer *w)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "family", (int)w->family,
		"prefixes", (json_int_t)w->on.n_prefix, "peers", (json_int_t)w->on.n_peer_as, "sessions",
		(json_int_t)w->on.n_session, "peers_in_tables", (json_int_t)w->on.n_peer_as_all, "networks",
		networks_json(q, &w->on), "holders", groups_json(&w->holders, &w->holder, "holder"),
		"countries", groups_json(&w->countries, &w->country, "cc"), "dependents",
		networks_json(q, &w->from));
}

static enum status say_json(struct map_ask *q, const struct net *net, const struct answer *w, size_t n,
	struct map_dates *dates, struct err *e)
{
	json_t *j = map_net_json(net), *families = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(families, answer_json(q, &w[i]));
	(void)json_object_set_new(j, "families", families);
	(void)json_object_set_new(j, "dates", map_dates_json(dates));
	(void)json_object_set_new(j, "tables", map_tables_json(&q->atlas));
	(void)json_object_set_new(j, "registries", map_registries_json(&q->atlas));
	return json_out(q->app, j, e);
}

/* ---- text ---- */

static void rows_print(
	const struct map_ask *q, const char *title, const struct depend *d, const struct groups *g)
{
	FILE *o = q->app->out;
	char text[MAP_NETWORK_TEXT], n[COUNT_TEXT];

	(void)fprintf(o, "\n%s\n", title);
	size_t i = 0;
	for (; i < d->n && i < ROWS_SHOWN && d->row[i].share >= SHARE_SHOWN; i++) {
		const struct depend_row *r = &d->row[i];
		(void)fprintf(o, "  %5.1f %%  %s%s\n", 100 * r->share,
			g ? g->name[r->asn - 1] : map_network_text(text, &q->atlas, r->asn),
			is_doubtful(r) ? "   (one peer alone shows it)" : "");
	}
	if (i == 0 && d->n)
		(void)fputs("  none by 0.1 % or more (--json has all)\n", o);
	if (i && d->n > i)
		(void)fprintf(o, "  and %s more (--json has all)\n", thousands(n, d->n - i));
	if (d->n == 0)
		(void)fputs("  none\n", o);
}

static void answer_print(const struct map_ask *q, const struct net *net, const struct answer *w)
{
	FILE *o = q->app->out;
	char prefixes[32], peers[COUNT_TEXT], sessions[COUNT_TEXT], title[128];

	(void)fprintf(o, "\nIPv%u: %s of its prefixes, seen by %s (%s) of the %u in the tables\n", w->family,
		thousands(prefixes, w->on.n_prefix), counted(peers, w->on.n_peer_as, "peer network"),
		counted(sessions, w->on.n_session, "session"), w->on.n_peer_as_all);
	if (w->on.n_peer_as == 1)
		(void)fputs("One peer alone: these are its own ways, not shares of the Internet.\n", o);
	(void)snprintf(title, sizeof(title), "%s depends on", net->text);
	rows_print(q, title, &w->on, NULL);
	if (w->holders.n)
		rows_print(q, "by holder, siblings as one", &w->holders, &w->holder);
	if (w->countries.n)
		rows_print(q, "by country of registration", &w->countries, &w->country);
	(void)snprintf(title, sizeof(title), "depend on %s, by 1 %% and more", net->text);
	if (net->kind == NET_ASN)
		rows_print(q, title, &w->from, NULL);
}

static void say_text(const struct map_ask *q, const struct net *net, const struct answer *w, size_t n,
	const struct map_dates *dates)
{
	FILE *o = q->app->out;
	char words[512], tables[256];

	(void)fprintf(o, "%s, tables of %s\n", map_net_text(words, sizeof(words), &q->atlas, net),
		map_tables_text(tables, sizeof(tables), &q->atlas));
	map_registries_print(q, true);
	for (size_t i = 0; i < n; i++)
		answer_print(q, net, &w[i]);
	map_dates_print(dates, o);
	(void)fputs(
		"\nThe share is what lies behind a network now, not what could not reroute: weir map cut.\n"
		"Registration is not ownership. What no peer shows is not known, not unreachable.\n",
		o);
}

/* ---- the command ---- */

static bool has_history(const struct atlas *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!a->entry[i].in_use && a->entry[i].sheet.kind == SHEET_PATHS)
			return true;
	return false;
}

static enum status answers(struct answer w[FAMILIES], size_t *n, struct net *net, struct map_ask *q,
	const char *text, struct err *e)
{
	static const uint8_t family[FAMILIES] = {4, 6};
	char day[WALL_TEXT];
	enum status s = map_net(net, q, text, e);

	*n = 0;
	if (s == STATUS_OK && q->atlas.n_paths == 0 && q->at.us)
		s = err_set(
			e, STATUS_NO, "no BGP table of %s or before (weir map list)", wall_day(day, q->at));
	else if (s == STATUS_OK && q->atlas.n_paths == 0)
		s = err_set(e, STATUS_NO,
			"no BGP table is loaded: dependence is measured on paths (weir map load)");
	for (size_t i = 0; i < FAMILIES && s == STATUS_OK; i++) {
		s = answer_make(&w[*n], q, net, family[i], e);
		*n += s == STATUS_OK && (w[*n].on.n_prefix > 0 || w[*n].from.n > 0);
	}
	return s == STATUS_OK && *n == 0
		       ? err_set(e, STATUS_NO, "%s: no table in use shows a path to it or through it%s",
				 net->text,
				 has_history(&q->atlas) ? "; tables of other times: --at (weir map list)"
							: "")
		       : s;
}

/* Is there a table of that very time with routes of the family?  Of the other one what was in use then is
 * older, and has a row of its own. */
static bool is_of_date(const struct map_ask *then, uint8_t family)
{
	for (size_t i = 0; i < then->atlas.n_paths; i++) {
		const struct paths *p = then->atlas.paths[i];
		uint8_t first = p->prefix[0].v, last = p->prefix[p->n_prefix - 1].v; /* IPv4 first */
		if (p->sheet->to.us == then->at.us && (first == family || last == family))
			return true;
	}
	return false;
}

/* " IPv4 AS64500 75.0 %, AS64501 25.0 %". */
static void family_print(FILE *o, const struct answer *w)
{
	const struct depend *d = &w->on;
	char as[AS_TEXT];
	size_t said = 0;

	(void)fprintf(o, "IPv%u ", w->family);
	for (size_t i = 0; i < d->n && i < DATE_ROWS; i++)
		if (d->row[i].share >= SHARE_SHOWN)
			(void)fprintf(o, "%s%s %.1f %%", said++ ? ", " : "", as_text(as, d->row[i].asn),
				100 * d->row[i].share);
	if (!said)
		(void)fputs(d->n_prefix ? "on nobody by 0.1 % and more" : "no path to it is known", o);
}

static json_t *family_json(const struct map_ask *then, const struct answer *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->on.n && i < DATE_ROWS; i++)
		(void)json_array_append_new(
			list, row_json(map_network_json(&then->atlas, w->on.row[i].asn), &w->on.row[i]));
	return json_pack("{s:i, s:I, s:o}", "family", (int)w->family, "peers", (json_int_t)w->on.n_peer_as,
		"networks", list);
}

/* Whom it depended on most at another date, family by family: their figures are not comparable. */
static enum status at_date(void *self, struct map_ask *then, struct map_date *row, struct err *e)
{
	struct answer w[FAMILIES];
	struct net net;
	size_t n, said = 0;
	enum status s = answers(w, &n, &net, then, self, e);

	if (s != STATUS_OK && s != STATUS_NO)
		return s;
	FILE *o = fmemopen(row->text, sizeof(row->text), "w");
	json_t *list = json_array();
	for (size_t i = 0; o && s == STATUS_OK && i < n; i++) {
		if (!is_of_date(then, w[i].family))
			continue;
		(void)fputs(said++ ? "; " : "", o);
		family_print(o, &w[i]);
		(void)json_array_append_new(list, family_json(then, &w[i]));
	}
	if (o)
		(void)fclose(o);
	if (said) { /* the first family's stand in the row, too, as they did before there were two */
		row->json = json_deep_copy(json_array_get(list, 0));
		(void)json_object_set(row->json, "families", list);
	}
	json_decref(list);
	if (!o)
		return err_nomem(e);
	return said ? STATUS_OK : err_set(e, STATUS_NO, "no path to it was seen");
}

static enum status picture(struct map_ask *q, const struct net *net, const struct depend *d, struct err *e)
{
	struct buf b = {0};

	svg_depend(&b, &q->atlas, net, d);
	enum status s = map_picture(q, &b, e);
	buf_free(&b);
	return s;
}

static enum status depend(struct map_ask *q, char *text, struct err *e)
{
	struct answer w[FAMILIES];
	struct map_dates dates = {0};
	struct net net;
	size_t n;
	enum status s = answers(w, &n, &net, q, text, e);

	if (s == STATUS_OK)
		s = map_dates_make(&dates, q, SHEET_PATHS, at_date, text, e);
	if (s == STATUS_OK && q->app->json)
		s = say_json(q, &net, w, n, &dates, e);
	else if (s == STATUS_OK)
		say_text(q, &net, w, n, &dates);
	map_dates_free(&dates);
	return s == STATUS_OK && q->svg ? picture(q, &net, &w[0].on, e) : s;
}

enum status map_depend(struct app *a, int argc, char **argv, struct err *e)
{
	struct map_ask q = {0};
	struct option_row row[] = {MAP_OPTIONS(&q)};
	int first;
	enum status s = options_parse(a, row, MAP_OPTIONS_N, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "map depend: one NET (AS131279, 192.0.2.0/24 or KP)");
	if (s == STATUS_OK)
		s = map_ask_open(&q, a, e);
	if (s == STATUS_OK)
		s = depend(&q, argv[first], e);
	map_ask_close(&q);
	return s;
}
