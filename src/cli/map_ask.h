/* What the questions of weir map share: the atlas and the NET they are asked of, and how networks are
 * written. */
#ifndef WEIR_CLI_MAP_ASK_H
#define WEIR_CLI_MAP_ASK_H

#include "cli/app.h"
#include "map/atlas.h"
#include "map/isolate.h"

struct map_ask {
	struct app *app;
	struct arena arena;
	struct atlas atlas;
	const char *at_text; /* --at or NULL */
	struct wall at;      /* the same, of a date its end; 0: the newest tables */
	int64_t within_days; /* --within, 0: as atlas.h says */
	const char *svg;     /* --svg FILE or NULL */
	bool country;        /* a NET that was asked about is one */
	size_t foreign;      /* networks that map_nets() left out, see there */
};

/* Options that every question has, for the end of a table: --at, --within, --svg. */
#define MAP_OPTIONS(q)                                                                                       \
	{"at", 0, OPTION_TEXT, &(q)->at_text}, {"within", 0, OPTION_COUNT, &(q)->within_days},               \
	{                                                                                                    \
		"svg", 0, OPTION_TEXT, &(q)->svg                                                             \
	}
#define MAP_OPTIONS_N 3

/* STATUS_NO where nothing was ever loaded. */
enum status map_ask_open(struct map_ask *q, struct app *a, struct err *e);
void map_ask_close(struct map_ask *q);

/* One NET; q->country is kept for map_registries_print(). */
enum status map_net(struct net *to, struct map_ask *q, const char *text, struct err *e);
/* chart_make(), whose error names the day of --at. */
enum status map_chart(struct chart *to, struct map_ask *q, struct err *e);
/* "AS4837,AS20485", given once or several times: AS numbers of all NETs together.  Of a country those that
 * are registered there; who else originates a part of its space is another country's, and only counted. */
enum status map_nets(struct map_ask *q, const struct texts *given, uint32_t **asn, size_t *n, struct err *e);

/* As networks.h writes it; prefix is null. */
json_t *map_network_json(const struct atlas *a, uint32_t asn);
#define MAP_NETWORK_TEXT (NETWORK_TEXT + 16)
#define AS_TEXT          16
char *as_text(char to[AS_TEXT], uint32_t asn);
/* "AS64500", any case; false where s is no number that a network can have. */
bool as_parse(uint32_t *asn, const char *s);
/* ["AS64500"]: nodes of the chart's graph. */
json_t *map_nodes_json(const struct chart *c, const uint32_t *node, size_t n);
char *map_network_text(char to[MAP_NETWORK_TEXT], const struct atlas *a, uint32_t asn);
/* "KP: 2 networks, 4 prefixes" or the network's name; n bytes. */
char *map_net_text(char *to, size_t n, const struct atlas *a, const struct net *net);
json_t *map_net_json(const struct net *net);
/* [{"id", "name", "kind", "from", "to"}]: the tables that an answer rests on. */
json_t *map_tables_json(const struct atlas *a);
/* "tables of 2015-01-01 and 2015-10-23"; n bytes. */
char *map_tables_text(char *to, size_t n, const struct atlas *a);
/* Which of the five registries' delegations an answer rests on: {"loaded", "missing"}; a line where one is
 * missing, which would look like nothing else.  groups: networks are listed by country or holder,
 * which a table of names may tell as well. */
json_t *map_registries_json(const struct atlas *a);
void map_registries_print(const struct map_ask *q, bool groups);
extern const char *const map_kind_text[]; /* by enum sheet_kind */

/* What the transit-free core is, in words. */
const char *map_core_text(const struct chart *c);
/* AS numbers that originate a configured partner network: whom weir can ask by itself. */
bool map_is_partner(const struct map_ask *q, uint32_t asn);

/* Writes a picture to q->svg. */
struct buf;
enum status map_picture(struct map_ask *q, const struct buf *b, struct err *e);

enum status map_depend(struct app *a, int argc, char **argv, struct err *e);
enum status map_cut(struct app *a, int argc, char **argv, struct err *e);
enum status map_name(struct app *a, int argc, char **argv, struct err *e);
enum status map_whatif(struct app *a, int argc, char **argv, struct err *e);

#endif
