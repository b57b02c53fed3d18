/* The keys on disk: see keys.h.  Takes a directory, gives verifier keys and signing keys.
 *
 * Both keys are made in a directory of their own that is renamed to DIR/keys when it is whole.  A rotation
 * has one moment at which it happens: when ROLE.vkey is replaced.  Before it the old key signs, after it the
 * new one, which keys_secret() then finds as ROLE.key.next until it is written as ROLE.key. */
#include "ledger/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sandbox.h"

#include "ledger/files.h"

#define RETIRED_MAX ((size_t)1 << 20) /* bytes of retired.vkeys: some thousand rotations */
#define LOG_SUFFIX  "/log"

const char *key_role_name(enum key_role role)
{
	static const char *const name[KEY_ROLES] = {[KEY_OPERATOR] = "operator", [KEY_LOG] = "log"};

	return name[role];
}

/* Cuts the newline that ends the only line; false where there is another shape. */
static bool one_line(char *text, size_t n)
{
	if (n == 0 || text[n - 1] != '\n' || memchr(text, '\0', n))
		return false;
	text[n - 1] = '\0';
	return strchr(text, '\n') == NULL;
}

/* Is DIR/keys there at all?  Where it is, a key that is missing was lost, and is not to be made anew. */
static enum status absent(const char *dir, const char *path, struct err *e)
{
	char keys[PATH_MAX];
	struct stat st;
	enum status s = path_of(keys, e, "%s/keys", dir);

	if (s == STATUS_OK && stat(keys, &st) != 0 && errno == ENOENT)
		return err_set(e, STATUS_NO, "%s: no keys here: weir init", dir);
	return s == STATUS_OK ? err_set(e, STATUS_BAD, "%s: missing; restore it from a backup", path) : s;
}

enum status keys_public(const char *dir, enum key_role role, struct vkey *to, struct err *e)
{
	char path[PATH_MAX];
	struct buf text = {0};
	enum status s = path_of(path, e, "%s/keys/%s.vkey", dir, key_role_name(role));

	if (s == STATUS_OK)
		s = file_read(&text, path, VKEY_TEXT, e);
	if (s == STATUS_NO)
		s = absent(dir, path, e);
	else if (s == STATUS_OK && !one_line((char *)text.p, text.n))
		s = err_set(e, STATUS_BAD, "%s: not one line with a verifier key", path);
	else if (s == STATUS_OK && vkey_parse(to, (const char *)text.p, e) != STATUS_OK)
		s = err_wrap(e, "%s", path);
	buf_free(&text);
	return s;
}

/* The bytes of a secret file, which nobody else may have been able to read. */
static enum status secret_bytes(char *to, size_t cap, size_t *n, const char *path, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum status s = STATUS_OK;

	if (fd < 0) {
		bool missing = errno == ENOENT;
		(void)err_errno(e, "%s", path);
		return missing ? STATUS_NO : STATUS_MACHINE;
	}
	if (fstat(fd, &st) != 0)
		s = err_errno(e, "%s", path);
	else if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (size_t)st.st_size > cap)
		s = err_set(e, STATUS_BAD, "%s: not a key file", path);
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		s = err_set(e, STATUS_BAD,
			"%s: others may read it (mode %04o); if nobody did: chmod 600 %s, else weir key "
			"rotate",
			path, (unsigned)st.st_mode & 07777U, path);
	if (s == STATUS_OK) {
		*n = (size_t)st.st_size;
		s = file_read_at(fd, to, *n, 0, path, e);
	}
	(void)close(fd);
	return s;
}

static enum status secret_read(struct skey *to, const char *path, struct err *e)
{
	char text[SKEY_TEXT + 1];
	size_t n = 0;
	enum status s = secret_bytes(text, sizeof(text), &n, path, e);

	if (s == STATUS_OK && !one_line(text, n))
		s = err_set(e, STATUS_BAD, "%s: not one line with a key", path);
	else if (s == STATUS_OK && skey_parse(to, text, e) != STATUS_OK)
		s = err_wrap(e, "%s", path);
	sodium_memzero(text, sizeof(text));
	return s;
}

/* ROLE.key where it is the key of v, else ROLE.key.next where that is (a rotation that was cut). */
static enum status secret_of(
	const char *dir, enum key_role role, const struct vkey *v, struct skey *to, struct err *e)
{
	char path[PATH_MAX], next[PATH_MAX];
	struct err ignored;
	enum status s = path_of(path, e, "%s/keys/%s.key", dir, key_role_name(role));

	if (s == STATUS_OK)
		s = path_of(next, e, "%s.next", path);
	if (s == STATUS_OK)
		s = secret_read(to, path, e);
	if (s == STATUS_OK && vkey_equal(&to->pub, v))
		return STATUS_OK;
	if (s == STATUS_MACHINE)
		return s;
	struct err first = *e;
	if (secret_read(to, next, &ignored) == STATUS_OK && vkey_equal(&to->pub, v))
		return STATUS_OK;
	*e = first;
	if (s == STATUS_NO)
		return absent(dir, path, e);
	return s == STATUS_OK ? err_set(e, STATUS_BAD,
					"%s: is not the key of %s.vkey beside it; restore both from a backup",
					path, key_role_name(role))
			      : s;
}

enum status keys_secret(const char *dir, enum key_role role, struct skey *to, struct err *e)
{
	struct vkey v;
	enum status s = keys_public(dir, role, &v, e);

	*to = (struct skey){0};
	sandbox_no_dump();
	if (s == STATUS_OK)
		s = secret_of(dir, role, &v, to, e);
	if (s != STATUS_OK)
		skey_wipe(to);
	return s;
}

/* Appends the lines of text that are keys of this name. */
static enum status retired_parse(
	char *text, const struct vkey *today, struct arena *a, struct vkey **to, size_t *n, struct err *e)
{
	size_t lines = 0;
	char *rest = NULL;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	*to = arena_array(a, lines + 1, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	for (char *line = strtok_r(text, "\n", &rest); line && *n <= lines;
		line = strtok_r(NULL, "\n", &rest)) {
		if (vkey_parse(&(*to)[*n], line, e) != STATUS_OK)
			return STATUS_BAD;
		*n += strcmp((*to)[*n].name, today->name) == 0;
	}
	return STATUS_OK;
}

/* The whole of retired.vkeys, ended by a zero; empty where there is none. */
static enum status retired_read(const char *dir, char path[PATH_MAX], struct buf *to, struct err *e)
{
	enum status s = path_of(path, e, "%s/keys/retired.vkeys", dir);

	if (s == STATUS_OK)
		s = file_read(to, path, RETIRED_MAX, e);
	if (s == STATUS_OK && to->n > 0 && (to->p[to->n - 1] != '\n' || memchr(to->p, '\0', to->n)))
		s = err_set(e, STATUS_BAD, "%s: not lines with verifier keys", path);
	if (s == STATUS_NO)
		s = STATUS_OK;
	buf_u8(to, 0);
	return s == STATUS_OK && to->failed ? err_nomem(e) : s;
}

enum status keys_retired(
	const char *dir, enum key_role role, struct arena *a, struct vkey **to, size_t *n, struct err *e)
{
	char path[PATH_MAX];
	struct buf text = {0};
	struct vkey today;
	enum status s = keys_public(dir, role, &today, e);

	*to = NULL;
	*n = 0;
	if (s == STATUS_OK)
		s = retired_read(dir, path, &text, e);
	if (s == STATUS_OK && retired_parse((char *)text.p, &today, a, to, n, e) != STATUS_OK)
		s = e->status == STATUS_BAD ? err_wrap(e, "%s", path) : e->status;
	buf_free(&text);
	return s;
}

static enum status secret_write(const struct world *w, const char *path, const struct skey *k, struct err *e)
{
	char text[SKEY_TEXT + 1];

	(void)skey_text(text, k);
	size_t n = strlen(text);
	text[n] = '\n';
	enum status s = file_replace(w, path, 0600, text, n + 1, e);
	sodium_memzero(text, sizeof(text));
	return s;
}

static enum status public_write(const struct world *w, const char *path, const struct vkey *v, struct err *e)
{
	char text[VKEY_TEXT + 1];

	(void)vkey_text(text, v);
	size_t n = strlen(text);
	text[n] = '\n';
	return file_replace(w, path, 0600, text, n + 1, e);
}

/* Both keys' names have to fit: the log's is the longer one. */
static enum status name_check(const char *name, struct err *e)
{
	if (key_name_valid(name) && strlen(name) + strlen(LOG_SUFFIX) <= KEY_NAME_MAX)
		return STATUS_OK;
	return err_set(e, STATUS_BAD,
		"a name is a host and a path as example.com/weir, printable ASCII without blank and plus, "
		"of at most %d bytes",
		KEY_NAME_MAX - (int)strlen(LOG_SUFFIX));
}

/* One key into the directory that is being made. */
static enum status key_make(
	const struct world *w, const char *in, enum key_role role, const char *name, struct err *e)
{
	char path[PATH_MAX], full[KEY_NAME_MAX + sizeof(LOG_SUFFIX)];
	struct skey k = {0};
	enum status s;

	(void)snprintf(full, sizeof(full), "%s%s", name, role == KEY_LOG ? LOG_SUFFIX : "");
	s = skey_make(&k, w, full, KEY_ED25519, e);
	if (s == STATUS_OK)
		s = path_of(path, e, "%s/%s.key", in, key_role_name(role));
	if (s == STATUS_OK)
		s = secret_write(w, path, &k, e);
	if (s == STATUS_OK)
		s = path_of(path, e, "%s/%s.vkey", in, key_role_name(role));
	if (s == STATUS_OK)
		s = public_write(w, path, &k.pub, e);
	skey_wipe(&k);
	return s;
}

/* A name and no secret: that some letters are a little more likely than others does no harm. */
static enum status name_default(const struct world *w, char to[KEY_NAME_MAX + 1], struct err *e)
{
	uint8_t r[8];

	if (w->random(w->self, r, sizeof(r)) != 0)
		return err_errno(e, "no random numbers");
	int n = snprintf(to, KEY_NAME_MAX + 1, "weir.invalid/");
	for (size_t i = 0; i < sizeof(r); i++)
		to[(size_t)n + i] = (char)('a' + r[i] % 26);
	to[(size_t)n + sizeof(r)] = '\0';
	return STATUS_OK;
}

/* Makes both keys in tmp and renames it to keys.  Of two at the same time one wins: a directory that holds
 * something is not renamed over. */
static enum status keys_make(
	const struct world *w, const char *tmp, const char *keys, const char *name, struct err *e)
{
	enum status s = dir_make(w, tmp, 0700, e);

	for (int role = 0; role < KEY_ROLES && s == STATUS_OK; role++)
		s = key_make(w, tmp, (enum key_role)role, name, e);
	if (s != STATUS_OK)
		return s;
	if (w->rename(w->self, tmp, keys) != 0)
		return errno == ENOTEMPTY || errno == EEXIST
			       ? err_set(e, STATUS_NO, "%s: made by another process just now", keys)
			       : err_errno(e, "%s", keys);
	return world_sync_dir(w, keys) == 0 ? STATUS_OK : err_errno(e, "%s", keys);
}

enum status keys_init(const struct world *w, const char *dir, const char *name, struct err *e)
{
	char keys[PATH_MAX], tmp[PATH_MAX], made[KEY_NAME_MAX + 1];
	struct vkey v;
	enum status s = keys_public(dir, KEY_OPERATOR, &v, e);

	if (s == STATUS_OK)
		return err_set(e, STATUS_NO, "%s: has keys already, of %s", dir, v.name);
	if (s != STATUS_NO)
		return s;
	s = name ? name_check(name, e) : name_default(w, made, e);
	if (s == STATUS_OK)
		s = path_of(keys, e, "%s/keys", dir);
	if (s == STATUS_OK)
		s = path_of(tmp, e, "%s/keys.%ld.tmp", dir, (long)getpid());
	if (s == STATUS_OK)
		s = dir_make(w, dir, 0700, e);
	return s == STATUS_OK ? keys_make(w, tmp, keys, name ? name : made, e) : s;
}

static enum status next_path(char to[PATH_MAX], const char *dir, enum key_role role, struct err *e)
{
	return path_of(to, e, "%s/keys/%s.key.next", dir, key_role_name(role));
}

static enum status next_read(const char *dir, enum key_role role, struct skey *to, struct err *e)
{
	char path[PATH_MAX];
	enum status s = next_path(path, dir, role, e);

	*to = (struct skey){0};
	if (s == STATUS_OK)
		s = secret_read(to, path, e);
	return s == STATUS_NO ? err_set(e, STATUS_NO, "no new %s key was made", key_role_name(role)) : s;
}

enum status keys_pending(const char *dir, enum key_role role, struct vkey *to, struct err *e)
{
	struct skey k;
	enum status s = next_read(dir, role, &k, e);

	*to = k.pub;
	skey_wipe(&k);
	return s;
}

enum status keys_next(
	const struct world *w, const char *dir, enum key_role role, struct vkey *to, struct err *e)
{
	char path[PATH_MAX];
	struct skey k = {0};
	struct vkey today;

	if (keys_public(dir, role, &today, e) != STATUS_OK)
		return e->status;
	enum status s = keys_pending(dir, role, to, e);
	if (s != STATUS_NO)
		return s;
	s = next_path(path, dir, role, e);
	if (s == STATUS_OK)
		s = skey_make(&k, w, today.name, KEY_ED25519, e);
	if (s == STATUS_OK)
		s = secret_write(w, path, &k, e);
	*to = k.pub;
	skey_wipe(&k);
	return s;
}

/* Adds a key to retired.vkeys, once. */
static enum status retire(const struct world *w, const char *dir, const struct vkey *old, struct err *e)
{
	char path[PATH_MAX], text[VKEY_TEXT + 1];
	struct buf b = {0};
	enum status s = retired_read(dir, path, &b, e);

	(void)vkey_text(text, old);
	if (s == STATUS_OK && !strstr((const char *)b.p, text)) {
		b.n--; /* the zero */
		buf_put(&b, text, strlen(text));
		buf_u8(&b, '\n');
		s = b.failed ? err_nomem(e) : file_replace(w, path, 0600, b.p, b.n, e);
	}
	buf_free(&b);
	return s;
}

enum status keys_drop(const struct world *w, const char *dir, enum key_role role, struct err *e)
{
	char path[PATH_MAX];
	enum status s = next_path(path, dir, role, e);

	if (s == STATUS_OK && w->unlink(w->self, path) != 0 && errno != ENOENT)
		s = err_errno(e, "%s", path);
	return s;
}

/* The public file turns to the new key: from here on it is the one. */
static enum status public_turn(
	const struct world *w, const char *dir, enum key_role role, const struct vkey *new, struct err *e)
{
	char path[PATH_MAX];
	struct vkey old;
	enum status s = keys_public(dir, role, &old, e);

	if (s != STATUS_OK || vkey_equal(&old, new))
		return s;
	s = retire(w, dir, &old, e);
	if (s == STATUS_OK)
		s = path_of(path, e, "%s/keys/%s.vkey", dir, key_role_name(role));
	return s == STATUS_OK ? public_write(w, path, new, e) : s;
}

/* The secret is written anew and only then dropped under its other name: a crash may keep one of two changes
 * of names and not the other. */
enum status keys_rotate(const struct world *w, const char *dir, enum key_role role, struct err *e)
{
	char path[PATH_MAX];
	struct skey k;
	enum status s = next_read(dir, role, &k, e);

	if (s == STATUS_OK)
		s = public_turn(w, dir, role, &k.pub, e);
	if (s == STATUS_OK)
		s = path_of(path, e, "%s/keys/%s.key", dir, key_role_name(role));
	if (s == STATUS_OK)
		s = secret_write(w, path, &k, e);
	skey_wipe(&k);
	return s == STATUS_OK ? keys_drop(w, dir, role, e) : s;
}
