/* A sensor's file as it grows, in pieces: see pieces.c.  One process feeds the pieces, another one, without
 * rights, makes batches of sightings of them; what passes between the two stands here. */
#ifndef WEIR_CASE_PIECES_H
#define WEIR_CASE_PIECES_H

#include "base/bytes.h"
#include "case/sensor.h"

#define PIECES_ONE ((size_t)64 << 10) /* bytes of a piece at most */
/* Sightings of a piece at most: no alert is as short as 64 bytes, and a line may have begun before. */
#define PIECES_BATCH (PIECES_ONE / 64 + 1)
#define PIECES_TIP   256 /* bytes of what is said about a file that is none of the sensor's */

/* What a piece gave. */
struct batch {
	struct batch_alert {
		struct id key; /* of the flow, as the sensor names it */
		bool sure;     /* end[0] is known to be the initiator */
		struct sighting s;
	} * alert; /* in the order of the file; each flow once */
	size_t n;
	uint64_t skipped[LINE_COUNT]; /* lines, by reason */
	uint64_t other;               /* good lines that are no alert */
	uint64_t unsaid;              /* connections that nobody calls an attack: no alert either */
	size_t kept;                  /* bytes of a line whose end did not come yet */
	const char *foreign;          /* "" or: what the file is instead, and what to do */
};

struct pieces {
	const struct sensor *kind;
	char *line; /* SENSOR_LINE_MAX bytes of the line whose end did not come yet */
	size_t n;
	bool passing; /* over the rest of a line that is too long */
	bool begun;   /* the file's first line was seen */
};

enum status pieces_open(struct pieces *to, const struct sensor *k, struct err *e);
void pieces_close(struct pieces *s);
/* Another file, or this one from its start: what was begun is dropped, and counted as not complete. */
void pieces_again(struct pieces *s, struct batch *to);
/* The next n bytes (at most PIECES_ONE).  The batch was zeroed before; what it gains is in the arena. */
enum status pieces_take(
	struct pieces *s, const void *p, size_t n, struct arena *a, struct batch *to, struct err *e);

/* The batch as bytes, and back.  The bytes may come from a process that a hostile line took over: STATUS_BAD
 * where they are not what batch_write() writes of alerts that a sensor can give. */
void batch_write(struct buf *to, const struct batch *b);
enum status batch_read(
	struct batch *to, const struct sensor *k, const void *p, size_t n, struct arena *a, struct err *e);
#define PIECES_BATCH_BYTES (PIECES_BATCH * (96 + SENSOR_TEXT_MAX) + 1024)

#endif
