/* Checkpoints and offline proofs: see proof.h (c2sp.org/tlog-checkpoint, "Note text"; c2sp.org/tlog-proof,
 * "Format").  Text comes in and is taken apart, or is written; a proof is judged by a policy. */
#include "ledger/proof.h"

#include <stdlib.h>

#include "ledger/text.h"

#define PROOF_HEADER "c2sp.org/tlog-proof@v1"

/* ---- checkpoints ---- */

static bool origin_read(char to[KEY_NAME_MAX + 1], const struct rd *line)
{
	size_t n = rd_left(line);

	if (n == 0 || n > KEY_NAME_MAX || memchr(line->p, '\0', n))
		return false;
	memcpy(to, line->p, n);
	to[n] = '\0';
	return true;
}

enum status checkpoint_parse(struct checkpoint *to, const char *text, size_t n, struct err *e)
{
	struct rd r = rd_of(text, n), line;

	*to = (struct checkpoint){0};
	if (!line_take(&r, &line) || !origin_read(to->origin, &line))
		return err_set(e, STATUS_BAD, "no checkpoint: line 1 is not an origin of 1 to %d bytes",
			KEY_NAME_MAX);
	if (!line_take(&r, &line) || !line_decimal(&line, &to->size))
		return err_set(e, STATUS_BAD, "no checkpoint: line 2 is not a tree's size");
	if (!line_take(&r, &line) || !line_hash(&line, &to->root))
		return err_set(e, STATUS_BAD, "no checkpoint: line 3 is not a hash in base64");
	/* "Extension lines, if any, MUST be non-empty." */
	while (rd_left(&r) > 0)
		if (!line_take(&r, &line) || rd_left(&line) == 0)
			return err_set(e, STATUS_BAD, "no checkpoint: an extension line is empty");
	return STATUS_OK;
}

void checkpoint_write(struct buf *to, const struct checkpoint *c)
{
	text_put(to, c->origin);
	buf_u8(to, '\n');
	decimal_put(to, c->size);
	buf_u8(to, '\n');
	hash_put(to, &c->root);
	buf_u8(to, '\n');
}

/* ---- offline proofs ---- */

/* The extra data is "not authenticated" and means nothing here; it only has to be base64. */
static bool extra_valid(const struct rd *text)
{
	uint8_t *bytes = malloc(rd_left(text) + 1);
	size_t n;
	bool ok = bytes && base64_get(bytes, rd_left(text), &n, (const char *)text->p, rd_left(text));

	free(bytes);
	return ok;
}

/* "c2sp.org/tlog-proof@v1", `extra` or not, `index`. */
static enum status head_parse(struct tlog_proof *to, struct rd *r, struct err *e)
{
	struct rd line;

	if (!line_take(r, &line) || !line_is(&line, PROOF_HEADER))
		return err_set(e, STATUS_BAD, "no proof: line 1 is not " PROOF_HEADER);
	if (!line_take(r, &line))
		return err_set(e, STATUS_BAD, "no proof: it ends after line 1");
	if (line_skip(&line, "extra ")) {
		if (!extra_valid(&line))
			return err_set(e, STATUS_BAD, "no proof: the extra data is not base64");
		if (!line_take(r, &line))
			return err_set(e, STATUS_BAD, "no proof: it ends after the extra data");
	}
	if (!line_skip(&line, "index ") || !line_decimal(&line, &to->index))
		return err_set(e, STATUS_BAD, "no proof: no line with the entry's index");
	return STATUS_OK;
}

enum status tlog_proof_parse(struct tlog_proof *to, const char *bytes, size_t n, struct err *e)
{
	struct rd r = rd_of(bytes, n), line;
	enum status s;

	*to = (struct tlog_proof){0};
	s = head_parse(to, &r, e);
	if (s != STATUS_OK)
		return s;
	for (;;) {
		if (!line_take(&r, &line))
			return err_set(e, STATUS_BAD, "no proof: no empty line after the hashes");
		if (rd_left(&line) == 0)
			break;
		if (to->n_hash == MERKLE_PROOF_MAX)
			return err_set(e, STATUS_BAD, "no proof: more than %d hashes", MERKLE_PROOF_MAX);
		if (!line_hash(&line, &to->hash[to->n_hash++]))
			return err_set(e, STATUS_BAD, "no proof: hash %zu is not one in base64", to->n_hash);
	}
	if (rd_left(&r) == 0)
		return err_set(e, STATUS_BAD, "no proof: it ends before the checkpoint");
	to->note = (const char *)r.p;
	to->n_note = rd_left(&r);
	return STATUS_OK;
}

void tlog_proof_write(struct buf *to, const struct tlog_proof *p)
{
	text_put(to, PROOF_HEADER "\nindex ");
	decimal_put(to, p->index);
	buf_u8(to, '\n');
	for (size_t i = 0; i < p->n_hash; i++) {
		hash_put(to, &p->hash[i]);
		buf_u8(to, '\n');
	}
	buf_u8(to, '\n');
	buf_put(to, p->note, p->n_note);
}

enum status tlog_proof_verify(const struct tlog_proof *p, const struct policy *policy, const void *entry,
	size_t n, struct checkpoint *c, struct err *e)
{
	struct hash leaf;
	enum status s = policy_verify(policy, p->note, p->n_note, c, e);

	if (s != STATUS_OK)
		return err_wrap(e, "the proof's checkpoint");
	if (!merkle_leaf(&leaf, entry, n))
		return err_nomem(e);
	if (!merkle_included(p->index, c->size, &leaf, p->hash, p->n_hash, &c->root))
		return err_set(e, STATUS_NO,
			"the proof does not show the entry at %llu of the %llu that %s signed",
			(unsigned long long)p->index, (unsigned long long)c->size, c->origin);
	return STATUS_OK;
}
