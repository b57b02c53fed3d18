/* What a ledger shows of itself: its head as a signed note, entries, proofs, .tlog-proof files; and the
 * cosignatures of witnesses, kept in DIR/ledger/cosigned as one note: the newest checkpoint that any witness
 * signed, with the log's line and theirs (c2sp.org/tlog-cosignature).
 *
 * A handle that signs publishes first: nothing is proven against a head that is not on disk. */
#include "ledger/ledger_in.h"

#define COSIGNATURE_SIZE 72 /* time, signature */

static enum status settled(struct ledger *l, struct err *e)
{
	return l->mode == LEDGER_SIGN ? ledger_publish(l, e) : STATUS_OK;
}

/* ---- cosignatures ---- */

static enum status cosigned_path(const struct ledger *l, char to[PATH_MAX], struct err *e)
{
	return path_of(to, e, "%s/cosigned", l->root);
}

/* STATUS_NO: no witness signed yet. */
static enum status cosigned_read(
	const struct ledger *l, struct checkpoint *to, struct buf *note, struct err *e)
{
	char path[PATH_MAX];
	enum status s = cosigned_path(l, path, e);

	return s == STATUS_OK ? checkpoint_read(l, path, to, note, NULL, e) : s;
}

/* Is c a head that the tiles still lead to? */
static enum status was_head(struct ledger *l, const struct checkpoint *c, struct err *e)
{
	struct merkle_source from = {.self = &l->tiles, .subtree = source_subtree};
	struct hash root;
	enum status s;

	if (c->size > l->published.size)
		return err_set(e, STATUS_NO, "a head of %llu entries, but the ledger has %llu",
			(unsigned long long)c->size, (unsigned long long)l->published.size);
	if (c->size == 0)
		s = merkle_empty(&root) ? STATUS_OK : err_nomem(e);
	else
		s = merkle_root_of(&from, c->size, &root, e);
	if (s == STATUS_OK && !hash_equal(&root, &c->root))
		s = err_set(e, STATUS_NO, "another root at %llu entries than the ledger has",
			(unsigned long long)c->size);
	return s;
}

enum status cosigned_check(struct ledger *l, struct err *e)
{
	struct checkpoint c;
	struct buf note = {0};
	enum status s = cosigned_read(l, &c, &note, e);

	buf_free(&note);
	if (s == STATUS_NO)
		return STATUS_OK;
	if (s == STATUS_OK)
		s = was_head(l, &c, e);
	if (s == STATUS_NO) {
		e->status = STATUS_BAD;
		s = err_wrap(e,
			"%s/cosigned: a witness holds a head that these tiles do not lead to; nothing is "
			"signed; "
			"keep both, and restore a newer backup",
			l->root);
	}
	return s;
}

static bool is_log(const struct ledger *l, const struct note_sig *g)
{
	for (size_t i = 0; i < l->n_known; i++)
		if (strcmp(g->name, l->known[i].name) == 0)
			return true;
	return false;
}

static bool has_sig(const struct note *n, const struct note_sig *g)
{
	for (size_t i = 0; n && i < n->n_sig; i++)
		if (memcmp(n->sig[i].id, g->id, sizeof(g->id)) == 0 && strcmp(n->sig[i].name, g->name) == 0)
			return true;
	return false;
}

static void sig_put(struct buf *b, const struct note_sig *g)
{
	struct buf raw = {0};

	buf_put(&raw, g->id, sizeof(g->id));
	buf_put(&raw, g->sig, g->n);
	b->failed = b->failed || raw.failed;
	buf_put(b, "\xe2\x80\x94 ", 4);
	buf_put(b, g->name, strlen(g->name));
	buf_u8(b, ' ');
	base64_put(b, raw.p, raw.n);
	buf_u8(b, '\n');
	buf_free(&raw);
}

/* Appends the witnesses' lines of n that `not_in` has not; how many. */
static size_t cosignatures_put(
	const struct ledger *l, struct buf *b, const struct note *n, const struct note *not_in)
{
	size_t put = 0;

	for (size_t i = 0; i < n->n_sig; i++) {
		const struct note_sig *g = &n->sig[i];
		if (g->n != COSIGNATURE_SIZE || is_log(l, g) || has_sig(not_in, g))
			continue;
		sig_put(b, g);
		put++;
	}
	return put;
}

/* The lines of `fresh` added to those of `kept` where that is the same checkpoint. */
static enum status cosigned_write(
	struct ledger *l, const struct note *fresh, const struct note *kept, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = {0};
	enum status s = cosigned_path(l, path, e);

	if (s == STATUS_OK)
		s = note_sign(&b, fresh->text, fresh->n_text, &l->key, e);
	size_t n = cosignatures_put(l, &b, fresh, NULL);
	if (s == STATUS_OK && n == 0)
		s = err_set(e, STATUS_NO, "no witness's cosignature in it");
	if (kept)
		n += cosignatures_put(l, &b, kept, fresh);
	if (s == STATUS_OK && n >= NOTE_SIGS)
		s = err_set(e, STATUS_BAD, "more than %d cosignatures", NOTE_SIGS - 1);
	if (s == STATUS_OK)
		s = b.failed ? err_nomem(e) : file_replace(l->w, path, 0644, b.p, b.n, e);
	buf_free(&b);
	return s;
}

/* What was kept before, against a checkpoint of c: parsed into *to where it is of the same head. */
static enum status kept_before(struct ledger *l, const struct checkpoint *c, struct buf *bytes,
	struct note *to, bool *same, struct arena *a, struct err *e)
{
	struct checkpoint old;
	enum status s = cosigned_read(l, &old, bytes, e);

	*same = false;
	if (s == STATUS_NO)
		return STATUS_OK;
	if (s == STATUS_OK && old.size > c->size)
		return err_set(e, STATUS_NO,
			"cosignatures of a newer head, of %llu entries, are kept already",
			(unsigned long long)old.size);
	if (s == STATUS_OK && old.size == c->size) {
		s = note_parse(to, (const char *)bytes->p, bytes->n, a, e);
		*same = s == STATUS_OK;
	}
	return s;
}

enum status ledger_keep_cosignatures(struct ledger *l, const char *note, size_t n, struct err *e)
{
	struct arena a = {0};
	struct note fresh, kept;
	struct checkpoint c;
	struct buf old = {0};
	bool same = false;
	enum status s = writable(l, e);

	if (s == STATUS_OK)
		s = settled(l, e);
	if (s == STATUS_OK)
		s = checkpoint_verify(l, note, n, &c, NULL, e);
	if (s == STATUS_OK)
		s = note_parse(&fresh, note, n, &a, e);
	if (s == STATUS_OK)
		s = was_head(l, &c, e);
	if (s == STATUS_OK)
		s = kept_before(l, &c, &old, &kept, &same, &a, e);
	if (s == STATUS_OK)
		s = cosigned_write(l, &fresh, same ? &kept : NULL, e);
	buf_free(&old);
	arena_free(&a);
	return s;
}

/* ---- head, entries, proofs ---- */

enum status ledger_checkpoint(struct ledger *l, struct buf *to, struct err *e)
{
	struct checkpoint c;
	struct buf note = {0};
	enum status s = settled(l, e);

	if (s == STATUS_OK)
		s = cosigned_read(l, &c, &note, e);
	if (s == STATUS_OK && c.size == l->published.size)
		buf_put(to, note.p, note.n);
	else if (s == STATUS_OK || s == STATUS_NO)
		buf_put(to, l->note.p, l->note.n);
	buf_free(&note);
	if (s == STATUS_OK || s == STATUS_NO)
		s = to->failed ? err_nomem(e) : STATUS_OK;
	return s;
}

static enum status beyond(uint64_t index, uint64_t size, struct err *e)
{
	return err_set(e, STATUS_NO, "no entry %llu: the ledger has %llu", (unsigned long long)index,
		(unsigned long long)size);
}

enum status ledger_entry(struct ledger *l, uint64_t index, struct buf *to, struct err *e)
{
	enum status s = settled(l, e);

	if (s != STATUS_OK)
		return s;
	return index < l->published.size ? source_entry(&l->tiles, index, to, e)
					 : beyond(index, l->published.size, e);
}

enum status ledger_prove(
	struct ledger *l, uint64_t index, uint64_t size, struct hash *proof, size_t *n, struct err *e)
{
	struct merkle_source from = {.self = &l->tiles, .subtree = source_subtree};
	enum status s = settled(l, e);

	if (s == STATUS_OK && (size > l->published.size || index >= size))
		return beyond(size > l->published.size ? size - 1 : index,
			size > l->published.size ? l->published.size : size, e);
	return s == STATUS_OK ? merkle_prove(&from, index, size, proof, n, e) : s;
}

enum status ledger_prove_consistent(
	struct ledger *l, uint64_t old_size, uint64_t size, struct hash *proof, size_t *n, struct err *e)
{
	struct merkle_source from = {.self = &l->tiles, .subtree = source_subtree};
	enum status s = settled(l, e);

	if (s == STATUS_OK && size > l->published.size)
		return beyond(size - 1, l->published.size, e);
	return s == STATUS_OK ? merkle_prove_consistent(&from, old_size, size, proof, n, e) : s;
}

/* The proof leads from the entry as it is stored to the root that was signed, or nothing is handed out. */
static enum status proof_holds(
	struct ledger *l, const struct tlog_proof *p, const struct checkpoint *c, struct err *e)
{
	struct buf entry = {0};
	struct hash leaf;
	enum status s = source_entry(&l->tiles, p->index, &entry, e);

	if (s == STATUS_OK && !merkle_leaf(&leaf, entry.p, entry.n))
		s = err_nomem(e);
	if (s == STATUS_OK && !merkle_included(p->index, c->size, &leaf, p->hash, p->n_hash, &c->root))
		s = err_set(e, STATUS_BAD, "%s: the tiles do not lead to the signed root: weir ledger check",
			l->root);
	buf_free(&entry);
	return s;
}

enum status ledger_proof(struct ledger *l, uint64_t index, struct buf *to, struct err *e)
{
	struct checkpoint c = {0};
	struct tlog_proof p = {.index = index};
	struct buf note = {0};
	enum status s = settled(l, e);

	if (s == STATUS_OK)
		s = cosigned_read(l, &c, &note, e);
	if (s == STATUS_NO || (s == STATUS_OK && c.size <= index)) {
		c = l->published;
		note.n = 0;
		buf_put(&note, l->note.p, l->note.n);
		s = note.failed ? err_nomem(e) : STATUS_OK;
	}
	if (s == STATUS_OK)
		s = ledger_prove(l, index, c.size, p.hash, &p.n_hash, e);
	if (s == STATUS_OK)
		s = proof_holds(l, &p, &c, e);
	p.note = (const char *)note.p;
	p.n_note = note.n;
	if (s == STATUS_OK)
		tlog_proof_write(to, &p);
	buf_free(&note);
	return s == STATUS_OK && to->failed ? err_nomem(e) : s;
}
