/* "The same at other dates": the atlas is opened again at each other time of which it has a table, and the
 * question is asked of what was in use then. */
#include "cli/map_dates.h"

#include <string.h>

#define DATES_MAX 24 /* times that are asked about */
#define DAY_TEXT  10 /* of an RFC 3339 time, the day */

typedef enum status ask_one(void *self, struct map_ask *then, struct map_date *row, struct err *e);

static enum status date_ask(
	struct map_date *to, const struct map_ask *q, struct wall at, ask_one *one, void *self, struct err *e)
{
	struct map_ask then = {.at = at, .within_days = q->within_days};
	enum status s = map_ask_open(&then, q->app, e);

	(void)wall_text(to->at, at);
	if (s == STATUS_OK)
		s = one(self, &then, to, e);
	if (s == STATUS_NO) {
		(void)snprintf(to->text, sizeof(to->text), "%.*s", (int)sizeof(to->text) - 1, e->text);
		s = STATUS_OK;
	}
	map_ask_close(&then);
	return s;
}

enum status map_dates_make(struct map_dates *to, struct map_ask *q, enum sheet_kind k,
	enum status (*one)(void *self, struct map_ask *then, struct map_date *row, struct err *e), void *self,
	struct err *e)
{
	const struct wall *at;
	size_t n;

	*to = (struct map_dates){0};
	enum status s = atlas_dates(&q->atlas, k, &at, &n, &q->arena, e);
	if (s != STATUS_OK)
		return s;
	to->left_out = n > DATES_MAX ? n - DATES_MAX : 0;
	n -= to->left_out;
	to->row = arena_array(&q->arena, n + 1, sizeof(*to->row));
	if (!to->row)
		return err_nomem(e);
	for (; to->n < n && s == STATUS_OK; to->n++)
		s = date_ask(&to->row[to->n], q, at[to->n], one, self, e);
	if (s != STATUS_OK)
		map_dates_free(to);
	return s;
}

void map_dates_print(const struct map_dates *d, FILE *o)
{
	if (d->n)
		(void)fputs("\nthe same at other dates\n", o);
	for (size_t i = 0; i < d->n; i++)
		(void)fprintf(o, "  %.*s  %s\n", DAY_TEXT, d->row[i].at, d->row[i].text);
	if (d->left_out)
		(void)fprintf(o, "  and %zu older ones (--at)\n", d->left_out);
}

json_t *map_dates_json(struct map_dates *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		json_t *row = d->row[i].json ? d->row[i].json
					     : json_pack("{s:n, s:s}", "networks", "unknown", d->row[i].text);
		d->row[i].json = NULL;
		(void)json_object_set_new(row, "at", json_string(d->row[i].at));
		(void)json_array_append_new(list, row);
	}
	return list;
}

void map_dates_free(struct map_dates *d)
{
	for (size_t i = 0; i < d->n; i++)
		json_decref(d->row[i].json);
	d->n = 0;
}
