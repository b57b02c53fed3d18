/* What the texts of plans and orders are written in: a line a field, "KEY VALUE", in the order of a table.
 * The one table writes and reads.  For plan_text.c and block/order.c.
 *
 * A reader takes lines apart loosely; then the value is written again and compared (fields_same()), so that a
 * value has one text, and the writer's rules are the reader's. */
#ifndef WEIR_PLAN_FIELDS_H
#define WEIR_PLAN_FIELDS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

#define FIELD_TIME_MAX INT64_C(7258118400000000) /* 2200-01-01: years of four digits; spans end there too */
#define FIELD_HASH     64                        /* hex digits of a SHA-256 */

enum field_kind {
	FIELD_ID,       /* struct id */
	FIELD_HASH_HEX, /* char[FIELD_HASH + 1] */
	FIELD_TIME,     /* struct wall, RFC 3339 */
	FIELD_SPAN,     /* int64_t, microseconds, not below 0 */
	FIELD_U32,      /* uint32_t */
	FIELD_U64,      /* uint64_t below 2^63 */
	FIELD_SIZE,     /* size_t */
	FIELD_REAL,     /* double, finite: the fewest digits that read back equal */
	FIELD_BOOL,     /* bool: "yes", "no" */
	FIELD_NAME,     /* an enum without negative values, by name[] */
	FIELD_TEXT,     /* const char *, one line that shows as what it is; "" is the key alone */
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t at;               /* of the value in its structure */
	double least, most;      /* FIELD_REAL */
	uint64_t max;            /* FIELD_U32, FIELD_U64, FIELD_SIZE; FIELD_TEXT: bytes */
	const char *const *name; /* FIELD_NAME: max of them */
};

/* Why a value may not stand in a text, NULL where it may: then key is NULL too, else the field's. */
const char *fields_bad(const struct field *f, size_t n, const void *value, const char **key);
/* Where it may (else: what is written is not read again). */
void fields_write(struct buf *to, const struct field *f, size_t n, const void *value);

/* ---- reading ---- */

struct field_reader {
	struct rd text;
	const char *what; /* "plan", for messages */
	size_t number;    /* of the line that is read, from 1 */
	struct arena *arena;
	struct err *e;
};

/* What is left of a text and its size; a text of more than max bytes is refused. */
enum status fields_open(struct field_reader *r, const char *what, const void *text, size_t n, size_t max,
	struct arena *a, struct err *e);
/* STATUS_BAD names line and key. */
enum status fields_read(struct field_reader *r, const struct field *f, size_t n, void *value);
/* The next line must be s. */
enum status field_line(struct field_reader *r, const char *s);
/* The next line must be "KEY " and something: that as a string, in the arena. */
enum status field_rest(struct field_reader *r, const char *key, char **to);
/* The same into to, up to size - 1 bytes. */
enum status field_word(struct field_reader *r, const char *key, char *to, size_t size);
/* STATUS_BAD: the line that was read last is not what belongs there. */
enum status field_bad(struct field_reader *r, const char *form);
/* Is the text, n bytes, what was written again? */
enum status fields_same(
	struct field_reader *r, const void *text, size_t n, const struct buf *again, struct err *e);

#endif
