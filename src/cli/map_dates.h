/* "The same at other dates": a question asked again of the tables of each other time that the map has. */
#ifndef WEIR_CLI_MAP_DATES_H
#define WEIR_CLI_MAP_DATES_H

#include "cli/map_ask.h"

struct map_date {
	char at[WALL_TEXT]; /* RFC 3339 */
	char text[320];     /* what the answer was then, in a line */
	json_t *json;       /* the same, an object; NULL: not known then */
};
struct map_dates {
	struct map_date *row; /* newest first */
	size_t n, left_out;   /* shown, and how many older ones are not */
};
/* Asks `one` of each time at which there is a table of that kind, but those in use.  It fills text and json;
 * STATUS_NO: not known then (its message is the text).  Memory of q's arena; map_dates_free() for the JSON.
 */
enum status map_dates_make(struct map_dates *to, struct map_ask *q, enum sheet_kind k,
	enum status (*one)(void *self, struct map_ask *then, struct map_date *row, struct err *e), void *self,
	struct err *e);
void map_dates_print(const struct map_dates *d, FILE *o);
/* [{"at", ...}]; the rows' objects go into it. */
json_t *map_dates_json(struct map_dates *d);
void map_dates_free(struct map_dates *d);

#endif
