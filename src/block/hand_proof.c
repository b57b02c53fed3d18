/* Does a text stand in the ledger?  Its entry names it by SHA-256, and the entry is included in a tree whose
 * head the log has signed (c2sp.org/tlog-proof). */
#include <jansson.h>

#include "block/hand_in.h"
#include "case/blob.h"

#define ENTRY_VERSION 1

static bool says(const json_t *entry, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(entry, key));

	return s && strcmp(s, value) == 0;
}

/* Of this kind, and of this text. */
static enum status entry_check(const struct proven_text *t, const char *kind, const char *sha, struct err *e)
{
	json_t *entry = json_loadb(t->entry, t->n_entry, JSON_REJECT_DUPLICATES, NULL);
	enum status s = STATUS_OK;

	if (!entry || json_integer_value(json_object_get(entry, "v")) != ENTRY_VERSION)
		s = err_set(e, STATUS_NO, "its entry of the ledger cannot be read");
	else if (!says(entry, "kind", kind))
		s = err_set(e, STATUS_NO, "its entry of the ledger is not of the kind \"%s\"", kind);
	else if (!says(entry, "sha256", sha))
		s = err_set(e, STATUS_NO, "its text is not the one that the ledger names");
	json_decref(entry);
	return s;
}

static enum status included(const struct proven_text *t, const struct vkey *log, struct err *e)
{
	struct tlog_proof proof;
	struct checkpoint head;
	struct policy policy;
	enum status s = tlog_proof_parse(&proof, t->proof, t->n_proof, e);

	if (s != STATUS_OK)
		return s;
	policy_of_log(&policy, log);
	return tlog_proof_verify(&proof, &policy, t->entry, t->n_entry, &head, e);
}

enum status proof_check(const struct proven_text *t, const char *kind, const struct vkey *logs, size_t n_logs,
	char sha[65], struct err *e)
{
	enum status s = STATUS_NO;

	if (!blob_name(sha, t->text, t->n))
		return err_nomem(e);
	(void)err_set(e, STATUS_NO, "no key of a log is known");
	for (size_t i = 0; i < n_logs && s != STATUS_OK; i++)
		s = included(t, &logs[i], e);
	if (s == STATUS_OK)
		s = entry_check(t, kind, sha, e);
	return s;
}
