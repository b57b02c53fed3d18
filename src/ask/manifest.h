/* MANIFEST: the signed text of a bundle (doc/bundle-format.md).
 *
 *     weir-bundle/v1
 *     id 32 hex digits
 *     type request | answer
 *     from NAME                   (the operator's key name)
 *     to NAME | *
 *     made 2026-11-22T15:42:00.123456Z
 *     not-after 2026-12-22T15:42:00.123456Z
 *     log VKEY                    (the sender's log, in which the claims stand)
 *     ask confirm | trace | block           (a request)
 *     reply-to 32 hex digits                (an answer: the request's id ...)
 *     reply-sha256 64 hex digits            (... and the SHA-256 of its file)
 *     verdict accepted | doubted | refused  (an answer)
 *     why TEXT                              (optional: one line of UTF-8, at most 400 bytes)
 *     code weir 0.1.0
 *     64 hex digits, two blanks, path       (one line for each other file of the tar, in its order)
 *
 * It is the text of a signed note with exactly one signature: the sender's.  The id is the first 16 bytes of
 * the SHA-256 of the text after the id line, but without the line of stix.json: the view names the bundle.
 * One manifest has one text: manifest_read() accepts nothing that manifest_write() would not write. */
#ifndef WEIR_ASK_MANIFEST_H
#define WEIR_ASK_MANIFEST_H

#include "base/hash.h"
#include "ledger/note.h"

#define MANIFEST_FORMAT "weir-bundle/v1"
#define MANIFEST_WHY    400
#define MANIFEST_VIEW   "stix.json" /* the file that the id does not cover (the signature does) */

enum bundle_type { BUNDLE_REQUEST, BUNDLE_ANSWER };
enum bundle_ask { ASK_CONFIRM, ASK_TRACE, ASK_BLOCK };
enum bundle_verdict { ANSWER_ACCEPTED, ANSWER_DOUBTED, ANSWER_REFUSED };

struct manifest_file {
	char path[101];
	char sha256[65];
};

struct manifest {
	struct id id; /* filled in by both */
	enum bundle_type type;
	char from[KEY_NAME_MAX + 1], to[KEY_NAME_MAX + 1];
	struct wall made, not_after;
	struct vkey log;
	enum bundle_ask ask;         /* request */
	struct id reply_to;          /* answer */
	char reply_sha256[65];       /* answer */
	enum bundle_verdict verdict; /* answer */
	char why[MANIFEST_WHY + 1];  /* "" for none */
	char code[64];
	struct manifest_file *file;
	size_t n_file;
};

/* Names as they stand in the text. */
const char *bundle_ask_name(enum bundle_ask a);
const char *bundle_verdict_name(enum bundle_verdict v);
bool bundle_ask_parse(enum bundle_ask *to, const char *s);

/* Fills in m->id from the rest, whatever the files. */
enum status manifest_id(struct manifest *m, struct err *e);
/* Writes the note's text (not the signature) and fills in m->id.  STATUS_BAD: a value that may not stand. */
enum status manifest_write(struct buf *to, struct manifest *m, struct err *e);
/* From the text of a note.  STATUS_BAD names the line. */
enum status manifest_read(struct manifest *to, const char *text, size_t n, struct arena *a, struct err *e);

#endif
