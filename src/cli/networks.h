/* What the networks of the addresses in an answer are called: origin AS by longest match, name, country of
 * delegation (map/atlas.h).  Where no map is loaded nothing changes. */
#ifndef WEIR_CLI_NETWORKS_H
#define WEIR_CLI_NETWORKS_H

#include "cli/app.h"
#include "map/atlas.h"

struct networks; /* an atlas, and what is printed meanwhile */

/* From here to networks_end() every address that is printed is named: in text in a legend at the end, in JSON
 * in "networks" of each document.  False: no map, nothing to end. */
bool networks_begin(struct app *a);
/* The same for a command that streams, of addresses outside the own networks: nothing is held back, and the
 * legend has the addresses of networks_seen().  After app_config(). */
bool networks_stream(struct app *a);
void networks_seen(struct app *a, const struct ip *ip);
/* Writes what was held back.  s: how the command ended; STATUS_MACHINE where it cannot be written. */
enum status networks_end(struct app *a, enum status s, struct err *e);

/* For json_out(): "networks" into an object, of every address in its texts. */
void networks_into(const struct app *a, json_t *j);
/* " (AS131279 STAR-KP, KP)", or "" as below. */
#define NETWORKS_TEXT (NETWORK_TEXT + 4)
const char *networks_text(char to[NETWORKS_TEXT], const struct app *a, const struct ip *ip);
/* The same in a column: "AS131279 STAR-KP, KP", "own" or "unknown". */
const char *networks_short(char to[NETWORK_TEXT], const struct app *a, const struct ip *ip);
/* {"as", "name", "cc", "holder", "prefix"}, each null where it is unknown: a network in all JSON. */
json_t *network_json(const struct network *n);
/* That of an address, or JSON null where nothing is known or no names are asked for. */
json_t *networks_json(const struct app *a, const struct ip *ip);

#endif
