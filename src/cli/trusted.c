/* What a reader of bundles brings: see trusted.h. */
#include "cli/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/keys.h"

#define POLICY_BYTES (1 << 20)

static enum status read_all(struct buf *to, int fd, const char *path, size_t most, struct err *e)
{
	uint8_t piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		if (to->n + (size_t)n > most)
			return err_set(e, STATUS_BAD, "%s: longer than %zu bytes", path, most);
		buf_put(to, piece, (size_t)n);
		if (to->failed)
			return err_nomem(e);
	}
	return n < 0 ? err_errno(e, "%s", path) : STATUS_OK;
}

static enum status file_read(struct buf *to, const char *path, size_t most, struct err *e)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	enum status s;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, STATUS_BAD, "%s: there is no such file", path);
	if (fd < 0)
		return err_errno(e, "%s", path);
	s = read_all(to, fd, path, most, e);
	if (s == STATUS_MACHINE && errno == EISDIR)
		s = err_set(e, STATUS_BAD, "%s: a directory", path);
	if (!standard)
		(void)close(fd);
	return s;
}

enum status bundle_file(struct buf *to, const char *path, struct err *e)
{
	return file_read(to, path, TAR_BYTES, e);
}

/* ---- keys ---- */

static enum status key_add(struct trusted *to, const char *text, const char *where, struct err *e)
{
	struct vkey key;

	if (vkey_parse(&key, text, e) != STATUS_OK)
		return err_wrap(e, "%s", where);
	for (size_t i = 0; i < to->trust.n_key; i++)
		if (vkey_equal(&to->key[i], &key))
			return STATUS_OK;
	if (to->trust.n_key == TRUST_KEYS)
		return err_set(e, STATUS_BAD, "%s: more than %d keys", where, TRUST_KEYS);
	to->key[to->trust.n_key++] = key;
	return STATUS_OK;
}

static enum status policy_load(struct trusted *to, const char *path, struct err *e)
{
	struct buf b = {0};
	enum status s = file_read(&b, path, POLICY_BYTES, e);

	to->policy = calloc(1, sizeof(*to->policy));
	if (s == STATUS_OK && !to->policy)
		s = err_nomem(e);
	if (s == STATUS_OK && policy_parse(to->policy, (const char *)b.p, b.n, e) != STATUS_OK)
		s = err_wrap(e, "%s", path);
	to->trust.policy = to->policy;
	buf_free(&b);
	return s;
}

/* ---- what DIR knows ---- */

/* The own key: bundles made here verify here, and those for others do not. */
static enum status self_load(struct trusted *to, const char *dir, struct err *e)
{
	struct vkey own;
	enum status s = keys_public(dir, KEY_OPERATOR, &own, e);

	if (s == STATUS_NO)
		return STATUS_OK;
	if (s != STATUS_OK)
		return s;
	if (to->trust.n_key == TRUST_KEYS)
		return err_set(e, STATUS_BAD, "more than %d keys", TRUST_KEYS);
	to->key[to->trust.n_key++] = own;
	to->trust.self = arena_str(&to->arena, own.name);
	return to->trust.self ? STATUS_OK : err_nomem(e);
}

static enum status exchanges_load(struct trusted *to, const struct app *a, struct err *e)
{
	struct case_db *db = NULL;
	struct exchange *x;
	struct id *seen;
	size_t n;
	enum status s = case_db_open_existing(&db, a->w, a->dir, e);

	if (s == STATUS_NO)
		return STATUS_OK;
	if (s == STATUS_OK)
		s = exchange_list(db, NULL, &to->arena, &x, &n, e);
	case_db_close(db);
	if (s != STATUS_OK)
		return s;
	seen = arena_array(&to->arena, n + 1, sizeof(*seen));
	to->sent = arena_array(&to->arena, n + 1, sizeof(*to->sent));
	if (!seen || !to->sent)
		return err_nomem(e);
	/* a request came before when it was answered: an answer that failed on its way can be given again */
	for (size_t i = 0; i < n; i++) {
		if (x[i].answer)
			seen[to->trust.n_seen++] = x[i].received ? x[i].id : x[i].reply_to;
		else if (!x[i].received)
			to->sent[to->n_sent++] = x[i];
	}
	qsort(seen, to->trust.n_seen, sizeof(*seen), id_order);
	to->trust.seen = seen;
	return STATUS_OK;
}

static enum status dir_load(struct trusted *to, struct app *a, struct err *e)
{
	enum status s = app_config(a, e);

	for (size_t i = 0; i < a->cfg.n_partner_keys && s == STATUS_OK; i++)
		s = key_add(to, a->cfg.partner_keys[i], "partner_keys", e);
	if (s == STATUS_OK)
		s = self_load(to, a->dir, e);
	return s == STATUS_OK ? exchanges_load(to, a, e) : s;
}

enum status trusted_load(struct trusted *to, struct app *a, const struct texts *key, const char *policy,
	bool with_dir, double alpha, struct err *e)
{
	enum status s = STATUS_OK;

	*to = (struct trusted){.key = calloc(TRUST_KEYS, sizeof(*to->key))};
	if (!to->key)
		return err_nomem(e);
	to->trust.key = to->key;
	to->trust.now = a->w->now(a->w->self);
	for (size_t i = 0; i < key->n && s == STATUS_OK; i++)
		s = key_add(to, key->text[i], "--key", e);
	if (s == STATUS_OK && policy)
		s = policy_load(to, policy, e);
	if (s == STATUS_OK)
		s = with_dir ? dir_load(to, a, e) : config_parse(&a->cfg, "defaults", "", 0, e);
	to->trust.alpha = alpha > 0 ? alpha : a->cfg.alpha;
	return s;
}

void trusted_pin(struct trusted *t, const struct manifest *m)
{
	struct err e;

	for (size_t i = 0; m->type == BUNDLE_ANSWER && i < t->n_sent; i++)
		if (id_order(&t->sent[i].id, &m->reply_to) == 0 && strchr(t->sent[i].peer, '+'))
			(void)key_add(t, t->sent[i].peer, "the request", &e);
}

void trusted_free(struct trusted *t)
{
	arena_free(&t->arena);
	free(t->key);
	free(t->policy);
	*t = (struct trusted){0};
}
