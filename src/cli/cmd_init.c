/* weir init: the operator's key and the log's, and the first entry of the ledger, which names both. */
#include "cli/claims.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"

static enum status first_entry(struct app *a, struct ledger *l, struct err *e)
{
	char operator[VKEY_TEXT], at[WALL_TEXT], log[VKEY_TEXT];
	struct vkey v;
	uint64_t index;
	enum status s = keys_public(a->dir, KEY_OPERATOR, &v, e);

	if (s != STATUS_OK)
		return s;
	json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s}", "v", 1, "kind", "init", "operator",
		vkey_text(operator, & v), "log", vkey_text(log, ledger_key(l)), "at",
		wall_text(at, a->w->now(a->w->self)));
	char *text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	s = text ? ledger_append(l, text, strlen(text), &index, e) : err_nomem(e);
	free(text);
	return s == STATUS_OK ? ledger_commit(l, e) : s;
}

/* Keys without an entry are what a crash of weir init leaves: then it goes on.  *fresh: there was none. */
static enum status ledger_begun(struct app *a, bool *fresh, struct err *e)
{
	struct ledger *l;
	struct err later;
	enum status s = ledger_open(&l, a->w, a->dir, LEDGER_SIGN, e);

	if (s != STATUS_OK)
		return s;
	*fresh = ledger_head(l)->size == 0;
	if (*fresh)
		s = first_entry(a, l, e);
	enum status closed = ledger_close(l, s == STATUS_OK ? e : &later);
	return s == STATUS_OK ? closed : s;
}

enum status keys_begin(struct app *a, const char *name, struct err *e)
{
	struct err had = {0};
	bool fresh = false;
	enum status s, made = keys_init(a->w, a->dir, name, &had);

	if (made != STATUS_OK && made != STATUS_NO) {
		*e = had;
		return made;
	}
	s = ledger_begun(a, &fresh, e);
	if (s == STATUS_OK && made == STATUS_NO && !fresh) {
		*e = had;
		return STATUS_NO;
	}
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	const char *name = NULL;
	struct option_row row[] = {{"name", 0, OPTION_TEXT, &name}};
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "init: %s: takes options only (--name ORIGIN)", argv[first]);
	if (s == STATUS_OK)
		s = keys_begin(a, name, e);
	/* What was made is shown as weir key shows it. */
	return s == STATUS_OK ? command_key.run(a, 1, argv, e) : s;
}

const struct command command_init = {
	"init", "[--name ORIGIN]", "make the keys and begin the ledger; ORIGIN as example.com/weir", run};
