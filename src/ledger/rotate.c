/* A new key in place of an old one, in an order that a crash cannot hurt: the new key is made and set aside;
 * an entry that names both, signed by the old one, is committed; then the new key is put in place (keys.c);
 * then, for the log's own key, the head is signed anew.
 *
 * Cut before the entry was committed: the new key is thrown away.  Cut behind: the next one who opens the
 * ledger for signing finds the entry and goes on. */
#include "ledger/ledger_in.h"

/* What the old key signs: a text that is no checkpoint and no manifest.  As a signed note it can be checked
 * with any program that knows those; `by` in the entry is the base64 of its signature line. */
static enum status rotation_sign(
	struct buf *by, const char *dir, enum key_role role, const char *old, const char *new, struct err *e)
{
	struct skey k;
	struct buf text = {0};
	struct buf line = {0};
	enum status s = keys_secret(dir, role, &k, e);

	buf_put(&text, "weir-key/v1\n", 12);
	buf_put(&text, key_role_name(role), strlen(key_role_name(role)));
	buf_u8(&text, '\n');
	buf_put(&text, old, strlen(old));
	buf_u8(&text, '\n');
	buf_put(&text, new, strlen(new));
	buf_u8(&text, '\n');
	if (s == STATUS_OK)
		s = text.failed ? err_nomem(e) : note_sign_line(&line, (const char *)text.p, text.n, &k, e);
	/* "— name base64\n": the last word */
	if (s == STATUS_OK && !line.failed) {
		const uint8_t *blank = memrchr(line.p, ' ', line.n);
		buf_put(by, blank + 1, (size_t)(line.p + line.n - blank - 2));
	}
	buf_u8(by, 0);
	skey_wipe(&k);
	buf_free(&text);
	buf_free(&line);
	return s == STATUS_OK && (by->failed || line.failed) ? err_nomem(e) : s;
}

/* Key names and base64 need no escapes in JSON, except that a name may have quotes. */
static void json_put(struct buf *b, const char *key, const char *value)
{
	buf_put(b, ",\"", 2);
	buf_put(b, key, strlen(key));
	buf_put(b, "\":\"", 3);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_u8(b, '\\');
		buf_u8(b, (uint8_t)*value);
	}
	buf_u8(b, '"');
}

static enum status rotation_log(struct ledger *l, enum key_role role, const struct vkey *new, struct err *e)
{
	char old_text[VKEY_TEXT], new_text[VKEY_TEXT], at[WALL_TEXT];
	struct buf entry = {0}, by = {0};
	struct vkey old;
	uint64_t index;
	enum status s = keys_public(l->dir, role, &old, e);

	if (s != STATUS_OK)
		return s;
	(void)vkey_text(old_text, &old);
	(void)vkey_text(new_text, new);
	s = rotation_sign(&by, l->dir, role, old_text, new_text, e);
	if (s == STATUS_OK) {
		buf_put(&entry, "{\"v\":1,\"kind\":\"key\"", 19);
		json_put(&entry, "role", key_role_name(role));
		json_put(&entry, "old", old_text);
		json_put(&entry, "new", new_text);
		json_put(&entry, "at", wall_text(at, l->w->now(l->w->self)));
		json_put(&entry, "by", (const char *)by.p);
		buf_u8(&entry, '}');
		s = entry.failed ? err_nomem(e) : ledger_append(l, entry.p, entry.n, &index, e);
	}
	if (s == STATUS_OK)
		s = ledger_commit(l, e);
	buf_free(&by);
	buf_free(&entry);
	return s;
}

/* The handle goes on with the key that is in place now. */
static enum status key_reload(struct ledger *l, struct err *e)
{
	struct skey k;
	enum status s = keys_secret(l->dir, KEY_LOG, &k, e);
	struct vkey *known;

	if (s == STATUS_OK && !vkey_equal(&k.pub, &l->key.pub)) {
		known = arena_array(&l->arena, l->n_known + 1, sizeof(*known));
		if (!known) {
			s = err_nomem(e);
		} else {
			known[0] = k.pub;
			memcpy(known + 1, l->known, l->n_known * sizeof(*known));
			l->known = known;
			l->n_known++;
			l->key = k;
			l->resign = true;
		}
	}
	skey_wipe(&k);
	return s;
}

static enum status rotation_finish(struct ledger *l, enum key_role role, struct err *e)
{
	enum status s = keys_rotate(l->w, l->dir, role, e);

	if (s == STATUS_OK && role == KEY_LOG)
		s = key_reload(l, e);
	return s == STATUS_OK ? ledger_publish(l, e) : s;
}

enum status ledger_rotate(struct ledger *l, enum key_role role, struct vkey *new, struct err *e)
{
	enum status s = writable(l, e);

	if (s == STATUS_OK && l->n_pending > 0)
		s = err_set(e, STATUS_BAD, "a key is not rotated between append and commit");
	if (s == STATUS_OK)
		s = keys_next(l->w, l->dir, role, new, e);
	if (s == STATUS_OK)
		s = rotation_log(l, role, new, e);
	return s == STATUS_OK ? rotation_finish(l, role, e) : s;
}

/* Does an entry name the key? */
static enum status was_logged(struct ledger *l, const struct vkey *v, bool *yes, struct err *e)
{
	char text[VKEY_TEXT];
	struct buf entry = {0};
	enum status s = STATUS_OK;

	(void)vkey_text(text, v);
	*yes = false;
	for (uint64_t i = l->head.size; i-- > 0 && s == STATUS_OK && !*yes;) {
		entry.n = 0;
		s = ledger_entry(l, i, &entry, e);
		*yes = s == STATUS_OK && memmem(entry.p, entry.n, text, strlen(text)) != NULL;
	}
	buf_free(&entry);
	return s;
}

enum status rotation_resume(struct ledger *l, struct err *e)
{
	struct vkey next, today;
	bool logged;
	enum status s = STATUS_OK;

	for (int r = 0; r < KEY_ROLES && s == STATUS_OK; r++) {
		enum key_role role = (enum key_role)r;
		s = keys_pending(l->dir, role, &next, e);
		if (s == STATUS_NO) {
			s = STATUS_OK;
			continue;
		}
		if (s == STATUS_OK)
			s = keys_public(l->dir, role, &today, e);
		if (s != STATUS_OK)
			break;
		logged = vkey_equal(&today, &next);
		if (!logged)
			s = was_logged(l, &next, &logged, e);
		if (s == STATUS_OK)
			s = logged ? rotation_finish(l, role, e) : keys_drop(l->w, l->dir, role, e);
	}
	return s;
}
