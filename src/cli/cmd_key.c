/* weir key: the verifier keys, for those who are to check what we sign; and a new key in place of an old. */
#include "cli/app.h"

#include <string.h>

#include "ledger/ledger.h"

static enum status keys_show(struct app *a, struct err *e)
{
	char text[KEY_ROLES][VKEY_TEXT];
	struct vkey v;

	for (int r = 0; r < KEY_ROLES; r++) {
		if (keys_public(a->dir, (enum key_role)r, &v, e) != STATUS_OK)
			return e->status;
		(void)vkey_text(text[r], &v);
	}
	if (a->json)
		return json_out(
			a, json_pack("{s:s, s:s}", "operator", text[KEY_OPERATOR], "log", text[KEY_LOG]), e);
	(void)fprintf(a->out, "operator  %s\nlog       %s\n", text[KEY_OPERATOR], text[KEY_LOG]);
	return STATUS_OK;
}

static enum status rotate(struct app *a, const char *what, struct err *e)
{
	struct ledger *l;
	struct vkey new;
	struct err later;
	int role = 0;

	while (role < KEY_ROLES && strcmp(what, key_role_name((enum key_role)role)) != 0)
		role++;
	if (role == KEY_ROLES)
		return err_set(e, STATUS_BAD, "key rotate: operator or log");
	enum status s = ledger_open(&l, a->w, a->dir, LEDGER_SIGN, e);
	if (s != STATUS_OK)
		return s;
	s = ledger_rotate(l, (enum key_role)role, &new, e);
	enum status closed = ledger_close(l, s == STATUS_OK ? e : &later);
	if (s == STATUS_OK)
		s = closed;
	if (s == STATUS_OK && !a->json)
		(void)fprintf(a->out,
			"the %s's key was replaced; tell the new one to whoever trusted the old, which signs "
			"nothing "
			"from now on\n",
			what);
	return s == STATUS_OK ? keys_show(a, e) : s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s != STATUS_OK)
		return s;
	if (first == argc)
		return keys_show(a, e);
	if (argc - first <= 2 && strcmp(argv[first], "rotate") == 0)
		return rotate(a, argc - first == 2 ? argv[first + 1] : "operator", e);
	return err_set(e, STATUS_BAD, "key: nothing, or rotate [operator|log]");
}

const struct command command_key = {"key", "[rotate [operator|log]]",
	"print the verifier keys; replace one by a new one, which the ledger tells", run};
