/* The schema of weir.db and every statement that is run on it.
 *
 * Ids are the 32 hex digits that people see, so that a prefix is a range of the primary key; times are UTC
 * microseconds; addresses are text as RFC 5952 writes it.  A table only gains rows: a case is closed,
 * never removed.  A database is brought from version N to N + 1 by step N; a fresh one takes all steps, so
 * that it has the tables of one that has grown. */
#include "case/db.h"

/* The tables as version 1 has them. */
#define STEP_1                                                                                               \
	"CREATE TABLE cases ("                                                                               \
	" id TEXT PRIMARY KEY CHECK (length(id) = 32),"                                                      \
	" title TEXT NOT NULL,"                                                                              \
	" opened INTEGER NOT NULL,"                                                                          \
	" closed INTEGER NOT NULL DEFAULT 0"                                                                 \
	") STRICT, WITHOUT ROWID;"                                                                           \
	"CREATE INDEX cases_opened ON cases (opened);"                                                       \
	"CREATE TABLE sightings ("                                                                           \
	" id TEXT PRIMARY KEY CHECK (length(id) = 32),"                                                      \
	" source TEXT NOT NULL,"                                                                             \
	" proto INTEGER NOT NULL CHECK (proto BETWEEN 0 AND 255),"                                           \
	" from_ip TEXT NOT NULL,"                                                                            \
	" from_port INTEGER NOT NULL CHECK (from_port BETWEEN 0 AND 65535),"                                 \
	" to_ip TEXT NOT NULL,"                                                                              \
	" to_port INTEGER NOT NULL CHECK (to_port BETWEEN 0 AND 65535),"                                     \
	" at INTEGER NOT NULL,"                                                                              \
	" text TEXT NOT NULL,"                                                                               \
	" flow_id TEXT,"                                                                                     \
	" alerts INTEGER NOT NULL"                                                                           \
	") STRICT, WITHOUT ROWID;"                                                                           \
	"CREATE TABLE case_sightings ("                                                                      \
	" case_id TEXT NOT NULL REFERENCES cases (id),"                                                      \
	" sighting_id TEXT NOT NULL REFERENCES sightings (id),"                                              \
	" PRIMARY KEY (case_id, sighting_id)"                                                                \
	") STRICT, WITHOUT ROWID;"                                                                           \
	"CREATE INDEX case_sightings_back ON case_sightings (sighting_id);"                                  \
	"CREATE TABLE claims ("                                                                              \
	" id TEXT PRIMARY KEY CHECK (length(id) = 32),"                                                      \
	" kind TEXT NOT NULL,"                                                                               \
	" body TEXT NOT NULL,"                                                                               \
	" made INTEGER NOT NULL"                                                                             \
	") STRICT, WITHOUT ROWID;"                                                                           \
	"CREATE TABLE case_claims ("                                                                         \
	" case_id TEXT NOT NULL REFERENCES cases (id),"                                                      \
	" claim_id TEXT NOT NULL REFERENCES claims (id),"                                                    \
	" PRIMARY KEY (case_id, claim_id)"                                                                   \
	") STRICT, WITHOUT ROWID;"                                                                           \
	"CREATE INDEX case_claims_back ON case_claims (claim_id);"

/* Who made a claim, and what went between two operators: statements for the ledger wait in `logged` until
 * they have an entry there. */
#define STEP_2                                                                                               \
	"ALTER TABLE claims ADD COLUMN origin TEXT NOT NULL DEFAULT '';"                                     \
	"ALTER TABLE claims ADD COLUMN bundle TEXT NOT NULL DEFAULT '';"                                     \
	"CREATE TABLE logged ("                                                                              \
	" row INTEGER PRIMARY KEY,"                                                                          \
	" object TEXT NOT NULL CHECK (length(object) = 32),"                                                 \
	" kind TEXT NOT NULL,"                                                                               \
	" text TEXT NOT NULL,"                                                                               \
	" entry INTEGER CHECK (entry >= 0),"                                                                 \
	" UNIQUE (object, kind)"                                                                             \
	") STRICT;"                                                                                          \
	"CREATE INDEX logged_waiting ON logged (row) WHERE entry IS NULL;"                                   \
	"CREATE TABLE exchanges ("                                                                           \
	" row INTEGER PRIMARY KEY,"                                                                          \
	" id TEXT NOT NULL CHECK (length(id) = 32),"                                                         \
	" received INTEGER NOT NULL CHECK (received IN (0, 1)),"                                             \
	" answer INTEGER NOT NULL CHECK (answer IN (0, 1)),"                                                 \
	" peer TEXT NOT NULL,"                                                                               \
	" case_id TEXT NOT NULL,"                                                                            \
	" made INTEGER NOT NULL,"                                                                            \
	" not_after INTEGER NOT NULL,"                                                                       \
	" blob TEXT NOT NULL,"                                                                               \
	" ask TEXT NOT NULL,"                                                                                \
	" verdict TEXT NOT NULL,"                                                                            \
	" why TEXT NOT NULL,"                                                                                \
	" reply_to TEXT NOT NULL CHECK (length(reply_to) = 32),"                                             \
	" UNIQUE (id, received)"                                                                             \
	") STRICT;"                                                                                          \
	"CREATE INDEX exchanges_case ON exchanges (case_id);"

/* What was planned and ordered; the texts are blobs. */
#define STEP_3                                                                                               \
	"CREATE TABLE plans ("                                                                               \
	" row INTEGER PRIMARY KEY,"                                                                          \
	" id TEXT NOT NULL UNIQUE CHECK (length(id) = 32),"                                                  \
	" case_id TEXT NOT NULL REFERENCES cases (id),"                                                      \
	" evidence TEXT NOT NULL CHECK (length(evidence) = 32),"                                             \
	" made INTEGER NOT NULL,"                                                                            \
	" blob TEXT NOT NULL"                                                                                \
	") STRICT;"                                                                                          \
	"CREATE INDEX plans_case ON plans (case_id, row);"                                                   \
	"CREATE TABLE orders ("                                                                              \
	" row INTEGER PRIMARY KEY,"                                                                          \
	" id TEXT NOT NULL UNIQUE CHECK (length(id) = 32),"                                                  \
	" case_id TEXT NOT NULL REFERENCES cases (id),"                                                      \
	" plan TEXT NOT NULL REFERENCES plans (id),"                                                         \
	" option INTEGER NOT NULL CHECK (option > 0),"                                                       \
	" made INTEGER NOT NULL,"                                                                            \
	" expires INTEGER NOT NULL,"                                                                         \
	" undone INTEGER NOT NULL DEFAULT 0,"                                                                \
	" waits INTEGER NOT NULL CHECK (waits IN (0, 1)),"                                                   \
	" why TEXT NOT NULL,"                                                                                \
	" given_by TEXT NOT NULL,"                                                                           \
	" blob TEXT NOT NULL,"                                                                               \
	" measured INTEGER NOT NULL DEFAULT 0,"                                                              \
	" installed INTEGER NOT NULL DEFAULT 0,"                                                             \
	" announced INTEGER NOT NULL DEFAULT 0,"                                                             \
	" packets INTEGER NOT NULL DEFAULT 0,"                                                               \
	" bytes INTEGER NOT NULL DEFAULT 0,"                                                                 \
	" note TEXT NOT NULL DEFAULT ''"                                                                     \
	") STRICT;"                                                                                          \
	"CREATE INDEX orders_case ON orders (case_id);"                                                      \
	"CREATE INDEX orders_live ON orders (expires) WHERE undone = 0 AND waits = 0;"

const char *const db_steps[DB_VERSION] = {STEP_1, STEP_2, STEP_3};

#define SIGHTING_COLUMNS                                                                                     \
	"s.id, s.source, s.proto, s.from_ip, s.from_port, s.to_ip, s.to_port, s.at, s.text, s.flow_id, "     \
	"s.alerts"

#define CLAIM_COLUMNS  "l.id, l.kind, l.body, l.made, l.origin, l.bundle"
#define LOGGED_COLUMNS "row, object, kind, text, coalesce(entry, -1)"
#define PLAN_COLUMNS   "id, case_id, evidence, made, blob"
#define ORDER_COLUMNS                                                                                        \
	"id, case_id, plan, option, made, expires, undone, waits, why, given_by, blob, measured, "           \
	"installed, "                                                                                        \
	"announced, packets, bytes, note"
#define EXCHANGE_COLUMNS                                                                                     \
	"id, received, answer, peer, case_id, made, not_after, blob, ask, verdict, why, reply_to"

/* 'g' comes behind every hex digit: ids that begin with the prefix ?1. */
#define BEGINS "id BETWEEN ?1 AND ?1 || 'g' LIMIT 2"

const char *const db_texts[DB_QUERIES] = {
	[DB_CASE_FIND] = "SELECT id FROM cases WHERE " BEGINS,
	[DB_CASE_READ] = "SELECT id, title, opened, closed FROM cases WHERE id = ?1",
	[DB_CASE_ADD] = "INSERT INTO cases (id, title, opened) VALUES (?1, ?2, ?3)",
	[DB_CASE_OPEN_AGAIN] = "UPDATE cases SET closed = 0, title = coalesce(?2, title) WHERE id = ?1",
	[DB_CASE_CLOSE] = "UPDATE cases SET closed = ?2 WHERE id = ?1 AND closed = 0",
	[DB_CASE_LIST] = "SELECT id, title, opened, closed FROM cases WHERE opened >= ?1 AND opened < ?2"
			 " ORDER BY opened DESC, id",
	[DB_CASE_SIGHTINGS] =
		"SELECT " SIGHTING_COLUMNS " FROM case_sightings c JOIN sightings s ON s.id = c.sighting_id"
		" WHERE c.case_id = ?1 ORDER BY s.at, s.id",
	[DB_CASE_CLAIMS] = "SELECT " CLAIM_COLUMNS " FROM case_claims c JOIN claims l ON l.id = c.claim_id"
			   " WHERE c.case_id = ?1 ORDER BY l.made, l.id",
	[DB_OPEN_SIGHTINGS] =
		"SELECT " SIGHTING_COLUMNS ", o.id FROM cases o"
		" JOIN case_sightings c ON c.case_id = o.id JOIN sightings s ON s.id = c.sighting_id"
		" WHERE o.closed = 0 ORDER BY o.opened, o.id, s.at, s.id",
	[DB_OPEN_LINKS] = "SELECT o.id, l.body FROM cases o JOIN case_claims c ON c.case_id = o.id"
			  " JOIN claims l ON l.id = c.claim_id"
			  " WHERE o.closed = 0 AND l.kind = 'link' ORDER BY o.opened, o.id, l.made, l.id",
	[DB_CHANGES] = "PRAGMA data_version",
	[DB_CASE_COUNTS] =
		"SELECT (SELECT count(*) FROM cases), (SELECT coalesce(sum(closed), 0) FROM cases),"
		" (SELECT count(*) FROM case_sightings), (SELECT count(*) FROM case_claims)",
	[DB_SIGHTING_ADD] =
		"INSERT INTO sightings (id, source, proto, from_ip, from_port, to_ip, to_port, at, text,"
		" flow_id, alerts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" ON CONFLICT (id) DO UPDATE SET alerts = max(alerts, excluded.alerts),"
		" flow_id = coalesce(excluded.flow_id, flow_id)",
	[DB_SIGHTING_TIE] = "INSERT OR IGNORE INTO case_sightings (case_id, sighting_id) VALUES (?1, ?2)",
	[DB_SIGHTING_FIND] = "SELECT id FROM sightings WHERE " BEGINS,
	[DB_SIGHTING_READ] = "SELECT " SIGHTING_COLUMNS " FROM sightings s WHERE s.id = ?1",
	[DB_SIGHTING_CASE] = "SELECT c.id FROM case_sightings t JOIN cases c ON c.id = t.case_id"
			     " WHERE t.sighting_id = ?1 ORDER BY c.opened DESC, c.id LIMIT 1",
	[DB_CLAIM_ADD] =
		"INSERT INTO claims (id, kind, body, made, origin, bundle) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
		" ON CONFLICT (id) DO UPDATE SET origin = '', bundle = '' WHERE excluded.origin = ''",
	[DB_CLAIM_TIE] = "INSERT OR IGNORE INTO case_claims (case_id, claim_id) VALUES (?1, ?2)",
	[DB_CLAIM_FIND] = "SELECT id FROM claims WHERE " BEGINS,
	[DB_CLAIM_READ] = "SELECT " CLAIM_COLUMNS " FROM claims l WHERE l.id = ?1",
	[DB_CLAIM_CASE] = "SELECT c.id FROM case_claims t JOIN cases c ON c.id = t.case_id"
			  " WHERE t.claim_id = ?1 ORDER BY c.opened DESC, c.id LIMIT 1",
	[DB_HELD_SIGHTINGS] =
		"SELECT DISTINCT s.flow_id FROM cases c JOIN case_sightings t ON t.case_id = c.id"
		" JOIN sightings s ON s.id = t.sighting_id"
		" WHERE c.closed = 0 AND s.flow_id IS NOT NULL",
	[DB_HELD_CLAIMS] = "SELECT DISTINCT l.body FROM cases c JOIN case_claims t ON t.case_id = c.id"
			   " JOIN claims l ON l.id = t.claim_id WHERE c.closed = 0 AND l.origin = ''",
	[DB_LOGGED_ADD] = "INSERT INTO logged (object, kind, text) VALUES (?1, ?2, ?3)"
			  " ON CONFLICT (object, kind) DO NOTHING",
	[DB_LOGGED_DONE] = "UPDATE logged SET entry = ?2 WHERE row = ?1",
	[DB_LOGGED_WAITING] = "SELECT " LOGGED_COLUMNS " FROM logged WHERE entry IS NULL ORDER BY row",
	[DB_LOGGED_OF] = "SELECT " LOGGED_COLUMNS " FROM logged WHERE object = ?1 ORDER BY row",
	[DB_LOGGED_LAST] =
		"SELECT " LOGGED_COLUMNS " FROM logged WHERE entry IS NOT NULL ORDER BY row DESC LIMIT 1",
	[DB_EXCHANGE_ADD] = "INSERT INTO exchanges (" EXCHANGE_COLUMNS
			    ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12"
			    /* one answer to one request, though two processes give one at once */
			    " WHERE ?2 = 1 OR ?3 = 0 OR NOT EXISTS (SELECT 1 FROM exchanges"
			    " WHERE received = 0 AND answer = 1 AND reply_to = ?12)"
			    " ON CONFLICT (id, received) DO NOTHING",
	[DB_SENT_FIND] = "SELECT id FROM exchanges WHERE received = 0 AND " BEGINS,
	[DB_RECEIVED_FIND] = "SELECT id FROM exchanges WHERE received = 1 AND " BEGINS,
	[DB_EXCHANGE_READ] = "SELECT " EXCHANGE_COLUMNS " FROM exchanges WHERE id = ?1 AND received = ?2",
	[DB_EXCHANGE_LIST] =
		"SELECT " EXCHANGE_COLUMNS " FROM exchanges WHERE ?1 IS NULL OR case_id = ?1 ORDER BY row",
	[DB_PLAN_ADD] = "INSERT OR IGNORE INTO plans (" PLAN_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5)",
	[DB_PLAN_LAST] = "SELECT " PLAN_COLUMNS " FROM plans WHERE case_id = ?1 ORDER BY row DESC LIMIT 1",
	[DB_PLAN_LIST] = "SELECT " PLAN_COLUMNS " FROM plans WHERE case_id = ?1 ORDER BY row DESC",
	[DB_PLAN_FIND] = "SELECT id FROM plans WHERE " BEGINS,
	[DB_PLAN_READ] = "SELECT " PLAN_COLUMNS " FROM plans WHERE id = ?1",
	[DB_ORDER_ADD] = "INSERT OR IGNORE INTO orders (id, case_id, plan, option, made, expires, waits, why,"
			 " given_by, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[DB_ORDER_FIND] = "SELECT id FROM orders WHERE " BEGINS,
	[DB_ORDER_READ] = "SELECT " ORDER_COLUMNS " FROM orders WHERE id = ?1",
	[DB_ORDER_LIST] = "SELECT " ORDER_COLUMNS " FROM orders WHERE (?1 IS NULL OR case_id = ?1)"
			  " AND (?2 = 0 OR (undone = 0 AND waits = 0 AND expires > ?3)) ORDER BY row DESC",
	[DB_ORDER_UNDO] = "UPDATE orders SET undone = ?2 WHERE id = ?1 AND undone = 0",
	[DB_ORDER_MEASURE] =
		"UPDATE orders SET measured = ?2, installed = ?3, announced = ?4, packets = packets + ?5,"
		" bytes = bytes + ?6, note = ?7 WHERE id = ?1",
};
