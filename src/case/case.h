/* Cases: what belongs together about one attack, in DIR/weir.db (SQLite, WAL, synchronous FULL).
 *
 * A case has sightings (somebody's word that a flow is an attack) and claims (checkable statements with
 * the numbers that they rest on).  Ids are content hashes: opening the same sightings again gives the
 * same case. */
#ifndef WEIR_CASE_CASE_H
#define WEIR_CASE_CASE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/ip.h"
#include "base/world.h"

struct sighting {
	struct id id;       /* SHA-256 over source, flow, time, text */
	const char *source; /* "eve", "zeek", "operator" */
	uint8_t proto;
	struct endpoint end[2]; /* initiator first, as far as the source knows */
	struct wall at;         /* when it was seen */
	const char *text;       /* signature or note; made printable where it is printed */
	const char *flow_id;    /* hex id of the recorded flow where known, else NULL */
	uint64_t count; /* alerts of this flow that were joined to this one, itself included: at least 1 */
};

struct claim {
	struct id id;     /* SHA-256 over kind, body */
	const char *kind; /* "link", later others */
	const char *body; /* JSON, canonical as written: the data that makes it checkable */
	struct wall made;
	const char *origin; /* key name of the partner whose claim it is; "" (or NULL to write): this
			       operator's */
	const char *bundle; /* id of the bundle that it came in, "" (or NULL): made here */
};

struct attack_case {
	struct id id;
	const char *title;
	struct wall opened, closed; /* closed.us 0: open */
	struct sighting *sighting;
	size_t n_sighting;
	struct claim *claim;
	size_t n_claim;
};

struct case_db;
struct logged; /* case/logged.h */

/* Creates DIR/weir.db where absent.  A database of a newer version, of another program, or damaged:
 * STATUS_BAD.  A handle is for one thread, and not for both sides of a fork; several processes may each
 * have one. */
enum status case_db_open(struct case_db **to, const struct world *w, const char *dir, struct err *e);
/* To read: nothing in DIR is made or changed (but for files that SQLite makes while it is open), and DIR may
 * be read-only.  STATUS_NO where there is none, or one of an older version, to which no bundle came. */
enum status case_db_open_existing(struct case_db **to, const struct world *w, const char *dir, struct err *e);
void case_db_close(struct case_db *db);

/* Opens a case with these sightings (ids are filled in), or finds the one that is there (reopens it where
 * closed).  A title of NULL or "" keeps the one that is there, or is made from the first sighting. STATUS_BAD
 * without a sighting, or where a text is not UTF-8. */
enum status case_open(
	struct case_db *db, const char *title, struct sighting *s, size_t n, struct id *id, struct err *e);
/* Adds sightings (ids are filled in) to an open case, or, where one is in it already, takes the larger count.
 * STATUS_NO: there is no such case, or it is closed; STATUS_BAD as case_open(). */
enum status case_join(
	struct case_db *db, const struct id *case_id, struct sighting *s, size_t n, struct err *e);
/* Closing a closed case is OK and keeps its time.  Status of the prefix as case_read(). */
enum status case_close(struct case_db *db, const char *id_prefix, struct id *id, struct err *e);

/* One case by id prefix (6 or more hex digits): STATUS_NO where there is none, STATUS_BAD where it
 * is ambiguous. */
enum status case_read(
	struct case_db *db, const char *id_prefix, struct arena *a, struct attack_case *to, struct err *e);
/* Those opened in [since, until), newest first, without claims. */
enum status case_list(struct case_db *db, struct wall since, struct wall until, struct arena *a,
	struct attack_case **to, size_t *n, struct err *e);

/* Stores a claim (once; again is OK) and ties it to a case (case_id may be NULL: a claim of no case).  Fills
 * in the id, and the time where it is 0.  l: a row that waits for the ledger with it, in the same
 * transaction (its object is the claim, whatever stands there); NULL: none.  A claim that a partner made and
 * this operator makes too is the operator's.  STATUS_BAD where the body is not JSON, STATUS_NO where the case
 * is not there. */
enum status claim_write(
	struct case_db *db, const struct id *case_id, struct claim *c, const struct logged *l, struct err *e);
/* Fills in the id from kind and body, without writing.  False: memory is out. */
bool claim_make_id(struct claim *c);
/* By id prefix; *case_id text is filled where it belongs to one ("" else). */
enum status claim_read(struct case_db *db, const char *id_prefix, struct arena *a, struct claim *to,
	char case_id[ID_TEXT], struct err *e);
/* A sighting by id prefix. */
enum status sighting_read(struct case_db *db, const char *id_prefix, struct arena *a, struct sighting *to,
	char case_id[ID_TEXT], struct err *e);

/* Ids (32 hex digits resolved to struct id; sorted, each once) of the flows that open cases refer to, from
 * sightings and from own claims (a partner's hold nothing here): they are held beyond the caps. */
enum status case_held(struct case_db *db, struct arena *a, struct id **to, size_t *n, struct err *e);

/* Readers of what sensors wrote.  Bad lines are skipped and counted (*skipped), each kind named once in the
 * log. Alerts of one flow are joined.  STATUS_BAD where the file holds no alert at all, or is none. */
enum status eve_read(
	const char *path, struct arena *a, struct sighting **to, size_t *n, uint64_t *skipped, struct err *e);
enum status zeek_read(
	const char *path, struct arena *a, struct sighting **to, size_t *n, uint64_t *skipped, struct err *e);

#endif
