/* Entries of the ledger: one line of JSON that names what it is about by id and SHA-256 and holds no address,
 * for the ledger may be shown to anybody. */
#include <jansson.h>

#include "case/logged.h"

char *logged_text(const struct world *w, const char *kind, const struct id *id, struct json_t *more)
{
	char text[ID_TEXT], at[WALL_TEXT];
	json_t *j = json_pack("{s:i, s:s, s:s, s:s}", "v", 1, "kind", kind, "id", id_text(text, id), "at",
		wall_text(at, w->now(w->self)));
	char *s = NULL;

	if (j && (!more || json_object_update(j, more) == 0))
		s = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	json_decref(more);
	return s;
}
