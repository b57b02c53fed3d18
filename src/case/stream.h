/* A sensor's file as it grows, in pieces: see stream.c.  One process feeds the pieces, another one, without
 * rights, makes batches of sightings of them; what passes between the two stands here. */
#ifndef WEIR_CASE_STREAM_H
#define WEIR_CASE_STREAM_H

#include "base/bytes.h"
#include "case/sensor.h"

#define STREAM_PIECE ((size_t)64 << 10) /* bytes of a piece at most */
/* Sightings of a piece at most: no alert is as short as 64 bytes, and a line may have begun before. */
#define STREAM_BATCH (STREAM_PIECE / 64 + 1)
#define STREAM_TIP   256 /* bytes of what is said about a file that is none of the sensor's */

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

struct stream {
	const struct sensor *kind;
	char *line; /* SENSOR_LINE_MAX bytes of the line whose end did not come yet */
	size_t n;
	bool passing; /* over the rest of a line that is too long */
	bool begun;   /* the file's first line was seen */
};

enum status stream_open(struct stream *to, const struct sensor *k, struct err *e);
void stream_close(struct stream *s);
/* Another file, or this one from its start: what was begun is dropped, and counted as not complete. */
void stream_again(struct stream *s, struct batch *to);
/* The next n bytes (at most STREAM_PIECE).  The batch was zeroed before; what it gains is in the arena. */
enum status stream_piece(
	struct stream *s, const void *p, size_t n, struct arena *a, struct batch *to, struct err *e);

/* The batch as bytes, and back.  The bytes may come from a process that a hostile line took over: STATUS_BAD
 * where they are not what batch_write() writes of alerts that a sensor can give. */
void batch_write(struct buf *to, const struct batch *b);
enum status batch_read(
	struct batch *to, const struct sensor *k, const void *p, size_t n, struct arena *a, struct err *e);
#define STREAM_BATCH_BYTES (STREAM_BATCH * (96 + SENSOR_TEXT_MAX) + 1024)

#endif
