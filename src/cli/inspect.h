/* A bundle that is to be acted upon is read by a process of its own, which has given up its rights and hands
 * back one JSON document: the process that signs and writes never parses the file.
 *
 * The document: {"status", "error": as an exit status; "report": as `weir verify --json`; "genuine",
 * "verified", "contradicted", "why"; "told": [{"kind", "body", "trains": [NAME, NAME]}], claims that are to
 * be stored, with "trains": {NAME: TEXT}}; and what cmd_answer.c and cmd_import.c add. */
#ifndef WEIR_CLI_INSPECT_H
#define WEIR_CLI_INSPECT_H

#include "ask/here.h"
#include "cli/report.h"
#include "cli/trusted.h"

/* What the reading process makes of the bundle. */
struct inspect {
	struct trusted *trusted;
	enum disclose disclose; /* of an answer */
	bool confirm_only; /* who is asked to confirm tells no link, unless he says how much he discloses */
	/* Fills in what is to be done: cmd_answer.c tells what was found here, cmd_import.c takes the
	 * answer's claims. Runs without rights. */
	enum status (*act)(struct app *a, const struct inspect *i, const struct report *r,
		struct arena *arena, json_t *to, struct err *e);
	bool here; /* look into the own recording too */
};

/* *to: the document, the caller's; file: the bytes that were read.  A bundle that is none is STATUS_BAD. */
enum status inspect_file(struct app *a, const struct inspect *i, const char *path, struct buf *file,
	json_t **to, struct err *e);

/* A claim into the document; takes nothing, t stays the caller's. */
enum status told_put(json_t *doc, const struct told *t, struct err *e);
/* And back: number `at`. */
enum status told_take(struct told *to, const json_t *doc, size_t at, struct err *e);

#endif
