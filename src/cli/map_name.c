/* weir map name: what addresses and AS numbers are called, as everywhere in weir. */
#include "base/log.h"
#include "cli/map_ask.h"
#include "cli/networks.h"

static enum status name_json(
	struct app *a, const char *word, bool known, const struct network *n, struct err *e)
{
	static const struct network nobody = {.name = "", .holder = ""};
	json_t *j = network_json(known ? n : &nobody);

	(void)json_object_set_new(j, "of", json_string(word));
	(void)json_object_set_new(j, "origins", json_integer(known ? n->n_origin : 0));
	return json_out(a, j, e);
}

static void name_print(FILE *o, const char *word, bool known, const struct network *n)
{
	char prefix[PREFIX_TEXT], text[NETWORK_TEXT];
	uint32_t asn;

	if (!known) {
		(void)fprintf(o, "%s  unknown\n", word);
		return;
	}
	if (!as_parse(&asn, word)) /* a network's own number stands in what it is called */
		(void)fprintf(o, "%s  ", word);
	(void)fputs(network_text(text, n), o);
	if (n->prefix.ip.v)
		(void)fprintf(o, "  (%s%s)", prefix_text(prefix, &n->prefix),
			n->n_origin > 1 ? ", more than one origin" : "");
	(void)fputc('\n', o);
}

static enum status name_one(struct map_ask *q, const char *word, bool *known, struct err *e)
{
	struct network n = {.name = "", .holder = ""};
	char meant[NET_MEANT], shown[PREFIX_TEXT];
	struct ip ip;
	uint32_t asn;

	if (as_parse(&asn, word))
		*known = atlas_asn(&q->atlas, asn, &n);
	else if (ip_parse(&ip, word))
		*known = atlas_network(&q->atlas, &ip, &n);
	else
		return err_set(e, STATUS_BAD, "%s: neither an address nor AS and a number%s",
			printable(shown, sizeof(shown), word), net_meant(meant, word));
	if (q->app->json)
		return name_json(q->app, word, *known, &n, e);
	name_print(q->app->out, word, *known, &n);
	return STATUS_OK;
}

enum status map_name(struct app *a, int argc, char **argv, struct err *e)
{
	struct map_ask q = {0};
	struct option_row row[] = {MAP_OPTIONS(&q)};
	bool all = true, bad = false;
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e); /* --at, --within */

	if (s == STATUS_OK && first == argc)
		s = err_set(e, STATUS_BAD, "map name: ADDRESS or AS numbers");
	if (s == STATUS_OK)
		s = map_ask_open(&q, a, e);
	for (int i = first; s == STATUS_OK && i < argc; i++) {
		bool known = false;
		s = name_one(&q, argv[i], &known, e);
		all = all && known;
		if (s != STATUS_BAD)
			continue;
		log_line("%s", e->text); /* the others are answered */
		bad = true;
		s = STATUS_OK;
	}
	map_ask_close(&q);
	if (s != STATUS_OK)
		return s;
	e->text[0] = '\0'; /* all is said */
	return bad ? STATUS_BAD : all ? STATUS_OK : STATUS_NO;
}
