/* The handle of a ledger: opening, appending, committing; see ledger.h.  What it holds is the tree of all
 * that was committed and the entries that stand in no full tile yet.
 *
 * Opening for signing: key, lock, checkpoint, what the key promised last, tiles, journal, in this order, and
 * the first thing that does not agree ends it. */
#include "ledger/ledger_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_US (10 * SECOND_US)
#define LOCK_STEP_NS 5000000L

enum status tail_add(struct ledger *l, const uint8_t *entry, size_t n, const struct hash *leaf, struct err *e)
{
	buf_u8(&l->tail.bytes, (uint8_t)(n >> 8));
	buf_u8(&l->tail.bytes, (uint8_t)n);
	buf_put(&l->tail.bytes, entry, n);
	buf_put(&l->tail.leaf, leaf, sizeof(*leaf));
	if (l->tail.bytes.failed || l->tail.leaf.failed || !merkle_add(&l->tree, leaf))
		return err_nomem(e);
	return STATUS_OK;
}

/* ---- keys and checkpoints ---- */

/* The log's key and those before it, newest first; the secret one only for signing. */
static enum status keys_load(struct ledger *l, struct err *e)
{
	struct vkey *old = NULL;
	size_t n = 0;
	struct vkey v;
	enum status s = keys_public(l->dir, KEY_LOG, &v, e);

	if (s == STATUS_OK && l->mode == LEDGER_SIGN)
		s = keys_secret(l->dir, KEY_LOG, &l->key, e);
	if (s == STATUS_OK)
		s = keys_retired(l->dir, KEY_LOG, &l->arena, &old, &n, e);
	if (s != STATUS_OK)
		return s;
	l->known = arena_array(&l->arena, n + 1, sizeof(*l->known));
	if (!l->known)
		return err_nomem(e);
	l->known[l->n_known++] = v;
	while (n > 0)
		l->known[l->n_known++] = old[--n];
	return STATUS_OK;
}

static enum status signed_by(
	const struct ledger *l, const struct note *n, bool *by_old, struct arena *a, struct err *e)
{
	bool *by = arena_array(a, l->n_known, sizeof(*by));

	if (!by)
		return err_nomem(e);
	enum status s = note_verify(n, l->known, l->n_known, by, NULL, e);
	*by_old = !by[0];
	return s == STATUS_NO ? err_wrap(e, "not signed by the log's key %s", l->known[0].name) : s;
}

enum status checkpoint_verify(const struct ledger *l, const char *bytes, size_t n, struct checkpoint *to,
	bool *by_old, struct err *e)
{
	struct arena a = {0};
	struct note note = {0};
	bool old = false;
	enum status s = note_parse(&note, bytes, n, &a, e);

	if (s == STATUS_OK)
		s = signed_by(l, &note, &old, &a, e);
	if (s == STATUS_OK)
		s = checkpoint_parse(to, note.text, note.n_text, e);
	if (s == STATUS_OK && strcmp(to->origin, l->known[0].name) != 0)
		s = err_set(e, STATUS_BAD, "the checkpoint of another log than %s", l->known[0].name);
	if (by_old)
		*by_old = old;
	arena_free(&a);
	return s;
}

enum status checkpoint_read(const struct ledger *l, const char *path, struct checkpoint *to, struct buf *note,
	bool *by_old, struct err *e)
{
	note->n = 0;
	enum status s = file_read(note, path, NOTE_MAX, e);
	if (s != STATUS_OK)
		return s;
	s = checkpoint_verify(l, (const char *)note->p, note->n, to, by_old, e);
	if (s == STATUS_NO || s == STATUS_BAD) {
		e->status = STATUS_BAD;
		(void)err_wrap(e, "%s", path);
		s = STATUS_BAD;
	}
	return s;
}

static enum status published_read(struct ledger *l, struct err *e)
{
	char path[PATH_MAX];
	enum status s = path_of(path, e, "%s/checkpoint", l->root);

	return s == STATUS_OK ? checkpoint_read(l, path, &l->published, &l->note, &l->resign, e) : s;
}

static enum status promised_read(struct ledger *l, struct err *e)
{
	char path[PATH_MAX];
	struct buf note = {0};
	enum status s = path_of(path, e, "%s/keys/log.head", l->dir);

	if (s == STATUS_OK)
		s = checkpoint_read(l, path, &l->promised, &note, NULL, e);
	buf_free(&note);
	return s;
}

/* ---- a new ledger ---- */

static enum status empty_file(struct ledger *l, const char *name, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = {0};
	enum status s = path_of(path, e, "%s/%s", l->root, name);

	if (s == STATUS_OK)
		s = file_read(&b, path, JOURNAL_MAX, e);
	if (s == STATUS_OK && b.n > 0)
		s = err_set(e, STATUS_BAD,
			"%s: holds entries, but %s/checkpoint is missing: nothing is signed; restore the "
			"directory from a backup",
			path, l->root);
	if (s == STATUS_NO)
		s = file_replace(l->w, path, 0600, "", 0, e);
	buf_free(&b);
	return s;
}

static enum status ledger_lost(const struct ledger *l, struct err *e)
{
	return err_set(e, STATUS_BAD,
		"%s/checkpoint: missing, but %s/keys/log.head is the signed head of %llu entries: nothing is "
		"signed; "
		"restore the directory from a backup",
		l->root, l->dir, (unsigned long long)l->promised.size);
}

/* Nothing is published: was there ever? */
static enum status never_logged(struct ledger *l, struct err *e)
{
	enum status s = promised_read(l, e);

	if (s == STATUS_OK && l->promised.size > 0)
		return ledger_lost(l, e);
	if (s != STATUS_OK && s != STATUS_NO)
		return s;
	return err_set(e, STATUS_NO, "%s: nothing was logged here yet", l->dir);
}

/* Where the key never signed more than the empty tree: a ledger that begins.  Else it was lost. */
static enum status ledger_begin(struct ledger *l, struct err *e)
{
	enum status s = promised_read(l, e);

	if (s == STATUS_OK && l->promised.size > 0)
		return ledger_lost(l, e);
	if (s != STATUS_OK && s != STATUS_NO)
		return s;
	l->head = (struct checkpoint){0};
	memcpy(l->head.origin, l->known[0].name, sizeof(l->head.origin));
	if (!merkle_empty(&l->head.root))
		return err_nomem(e);
	s = empty_file(l, "journal", e);
	if (s == STATUS_OK)
		s = empty_file(l, "sums", e);
	return s == STATUS_OK ? head_sign(l, e) : s;
}

/* ---- opening ---- */

enum status lock_take(struct ledger *l, struct err *e)
{
	char path[PATH_MAX];
	const struct timespec step = {.tv_nsec = LOCK_STEP_NS};
	int64_t until = l->w->mono(l->w->self).us + LOCK_WAIT_US;
	enum status s = path_of(path, e, "%s/lock", l->root);

	if (s == STATUS_OK)
		s = dir_make(l->w, l->root, 0755, e);
	if (s != STATUS_OK)
		return s;
	l->lock = l->w->open(l->w->self, path, O_RDWR | O_CREAT, 0600);
	if (l->lock < 0)
		return err_errno(e, "%s", path);
	while (flock(l->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, "%s", path);
		if (l->w->mono(l->w->self).us >= until)
			return err_set(e, STATUS_MACHINE,
				"%s: another weir holds the ledger for more than 10 s", path);
		(void)nanosleep(&step, NULL);
	}
	return STATUS_OK;
}

/* The tree begins with what the key signed last, or reaches it by what the journal holds. */
static enum status promise_kept(struct ledger *l, struct err *e)
{
	struct merkle_source from = {.self = &l->tiles, .subtree = source_subtree};
	struct hash root;
	enum status s;

	if (l->promised.size > l->published.size)
		return STATUS_OK; /* journal_replay() comes to it */
	s = l->promised.size ? merkle_root_of(&from, l->promised.size, &root, e) : STATUS_OK;
	if (s == STATUS_OK && l->promised.size && !hash_equal(&root, &l->promised.root))
		s = err_set(e, STATUS_BAD,
			"%s and %s/keys/log.head are two heads that do not agree: nothing is signed; keep "
			"both, and "
			"restore the directory from one backup",
			l->root, l->dir);
	return s;
}

static enum status promise_read(struct ledger *l, struct err *e)
{
	enum status s = promised_read(l, e);

	return s == STATUS_NO
		       ? err_set(e, STATUS_BAD,
				 "%s/keys/log.head: missing: what the log's key signed last is not known; "
				 "nothing is signed (if nothing newer can be: cp %s/checkpoint there)",
				 l->dir, l->root)
		       : s;
}

/* Everything a signature will stand for. */
static enum status stored_check(struct ledger *l, struct err *e)
{
	enum status s = promise_read(l, e);

	if (s == STATUS_OK)
		s = edge_load(l, e);
	if (s == STATUS_OK)
		s = edge_all(l, e);
	if (s == STATUS_OK)
		s = promise_kept(l, e);
	if (s == STATUS_OK)
		s = cosigned_check(l, e);
	return s == STATUS_OK ? journal_replay(l, e) : s;
}

static enum status open_sign(struct ledger *l, struct err *e)
{
	enum status s = lock_take(l, e);

	if (s == STATUS_OK)
		s = published_read(l, e);
	if (s == STATUS_NO)
		s = ledger_begin(l, e);
	source_reset(&l->tiles, l->root, l->published.size);
	if (s == STATUS_OK)
		s = stored_check(l, e);
	if (s == STATUS_OK && l->tree.size < l->promised.size)
		s = err_set(e, STATUS_BAD,
			"%s: ends at entry %llu, but %s/keys/log.head is the signed head of %llu: nothing is "
			"signed; entries were lost, restore a newer backup",
			l->root, (unsigned long long)l->tree.size, l->dir,
			(unsigned long long)l->promised.size);
	l->head = l->published;
	l->head.size = l->tree.size;
	if (s == STATUS_OK && l->tree.size && !merkle_root(&l->tree, &l->head.root))
		s = err_nomem(e);
	return s == STATUS_OK ? rotation_resume(l, e) : s;
}

static enum status open_read(struct ledger *l, struct err *e)
{
	enum status s = published_read(l, e);

	if (s == STATUS_NO)
		return never_logged(l, e);
	source_reset(&l->tiles, l->root, l->published.size);
	if (s == STATUS_OK)
		s = edge_load(l, e);
	l->head = l->published;
	return s;
}

void ledger_free(struct ledger *l)
{
	if (l->journal >= 0)
		(void)l->w->close(l->w->self, l->journal);
	if (l->lock >= 0)
		(void)l->w->close(l->w->self, l->lock);
	skey_wipe(&l->key);
	source_free(&l->tiles);
	buf_free(&l->note);
	buf_free(&l->pending);
	buf_free(&l->tail.bytes);
	buf_free(&l->tail.leaf);
	arena_free(&l->arena);
	free(l);
}

enum status ledger_handle(
	struct ledger **to, const struct world *w, const char *dir, enum ledger_mode mode, struct err *e)
{
	struct ledger *l = calloc(1, sizeof(*l));

	*to = NULL;
	if (!l)
		return err_nomem(e);
	l->w = w;
	l->mode = mode;
	l->lock = l->journal = -1;
	enum status s = path_of(l->dir, e, "%s", dir);
	if (s == STATUS_OK)
		s = path_of(l->root, e, "%s/ledger", dir);
	if (s == STATUS_OK)
		s = keys_load(l, e);
	if (s == STATUS_OK)
		*to = l;
	else
		ledger_free(l);
	return s;
}

enum status ledger_open(
	struct ledger **to, const struct world *w, const char *dir, enum ledger_mode mode, struct err *e)
{
	struct ledger *l;
	enum status s = ledger_handle(&l, w, dir, mode, e);

	*to = NULL;
	if (s != STATUS_OK)
		return s;
	s = mode == LEDGER_SIGN ? open_sign(l, e) : open_read(l, e);
	if (s == STATUS_OK)
		*to = l;
	else
		ledger_free(l);
	return s;
}

enum status ledger_close(struct ledger *l, struct err *e)
{
	enum status s = STATUS_OK;

	if (!l)
		return s;
	if (l->mode == LEDGER_SIGN)
		s = ledger_publish(l, e);
	ledger_free(l);
	return s;
}

/* ---- appending ---- */

enum status writable(const struct ledger *l, struct err *e)
{
	if (l->mode != LEDGER_SIGN)
		return err_set(e, STATUS_BAD, "%s: open for reading only", l->root);
	return l->broken ? err_set(e, STATUS_MACHINE, "%s: a write failed before; it is to be opened again",
				   l->root)
			 : STATUS_OK;
}

enum status ledger_append(struct ledger *l, const void *entry, size_t n, uint64_t *index, struct err *e)
{
	static const uint8_t room[JOURNAL_HEADER];
	enum status s = writable(l, e);

	if (s != STATUS_OK)
		return s;
	if (n == 0 || n > LEDGER_ENTRY_MAX || memchr(entry, '\0', n))
		return err_set(e, STATUS_BAD, "an entry is a text of 1 to %d bytes without zero bytes",
			LEDGER_ENTRY_MAX);
	if (l->pending.n + n > COMMIT_MAX)
		return err_set(e, STATUS_BAD, "too much for one commit (%zu bytes)", COMMIT_MAX);
	if (l->pending.n == 0)
		buf_put(&l->pending, room, sizeof(room));
	buf_u8(&l->pending, (uint8_t)(n >> 8));
	buf_u8(&l->pending, (uint8_t)n);
	buf_put(&l->pending, entry, n);
	if (l->pending.failed)
		return err_nomem(e);
	*index = l->head.size + l->n_pending++;
	return STATUS_OK;
}

enum status ledger_commit(struct ledger *l, struct err *e)
{
	enum status s = writable(l, e);

	if (s != STATUS_OK || l->n_pending == 0)
		return s;
	l->broken = true; /* until it is done */
	s = journal_commit(l, e);
	l->pending.n = 0;
	l->n_pending = 0;
	if (s == STATUS_OK && !merkle_root(&l->tree, &l->head.root))
		s = err_nomem(e);
	if (s != STATUS_OK)
		return s;
	l->head.size = l->tree.size;
	l->broken = false;
	return l->journal_end > JOURNAL_PUBLISH ? ledger_publish(l, e) : STATUS_OK;
}

const struct checkpoint *ledger_head(const struct ledger *l)
{
	return &l->head;
}

const struct vkey *ledger_key(const struct ledger *l)
{
	return &l->known[0];
}
