/* What the readers of sensor files share: see sensor.c. */
#ifndef WEIR_CASE_SENSOR_H
#define WEIR_CASE_SENSOR_H

#include <jansson.h>
#include <stdio.h>

#include "case/case.h"

#define SENSOR_LINE_MAX  ((size_t)1 << 20) /* bytes of a line */
#define SENSOR_FLOWS_MAX 65536             /* sightings of a file */
#define SENSOR_TEXT_MAX  512               /* bytes of a sighting's text */
#define SENSOR_IDENT_MAX 64                /* bytes of the sensor's own name of a flow */

/* What became of a line.  Up to LINE_TAIL each is a line that was skipped, and why. */
enum line {
	LINE_LONG,
	LINE_NUL,
	LINE_UTF8,
	LINE_NUMBER,
	LINE_DEEP,
	LINE_TWICE,
	LINE_JSON,
	LINE_OBJECT,
	LINE_KIND,
	LINE_TIME,
	LINE_ADDRESS,
	LINE_PROTO,
	LINE_PORT,
	LINE_FLOWS,
	LINE_TAIL,
	LINE_COUNT, /* number of reasons */
	LINE_OTHER, /* a good line of the sensor that is no alert */
	LINE_TAKEN,
};

/* An alert as one line tells it.  Texts point into the line's JSON. */
struct alert {
	uint8_t proto;
	struct endpoint end[2];
	bool sure; /* end[0] is known to be the initiator, not only the sender of the packet that alerted */
	bool word; /* somebody's word that this is an attack, not only a connection's record */
	struct wall at;
	const char *text;
	char text_own[SENSOR_TEXT_MAX + 1]; /* room for a text that is put together */
	char ident[SENSOR_IDENT_MAX];       /* the sensor's own name of the flow, "" for none */
};

struct sensor {
	const char *source; /* of the sightings: "eve" */
	const char *what;   /* in messages: "a Suricata EVE file" */
	const char *alerts; /* "alert of a flow" */
	enum line (*line)(const json_t *o, struct alert *to);
};

extern const struct sensor sensor_eve, sensor_zeek;

/* Reads all lines of f; name stands in messages. */
enum status sensor_read(const struct sensor *k, FILE *f, const char *name, struct arena *a,
	struct sighting **to, size_t *n, uint64_t *skipped, struct err *e);
/* The same of a file by its path. */
enum status sensor_open(const struct sensor *k, const char *path, struct arena *a, struct sighting **to,
	size_t *n, uint64_t *skipped, struct err *e);

/* One line: LINE_TAKEN with the alert, whose texts live as long as *hold (json_decref(), NULL is none), or
 * why not.  *memory false: it ran out. */
enum line sensor_parse(
	const struct sensor *k, const char *p, size_t n, struct alert *to, json_t **hold, bool *memory);
/* Why a line was skipped (below LINE_COUNT): "is not JSON". */
const char *sensor_reason(enum line why);
/* What else people hand over, by its first line: what it is and what to do; NULL: nothing that is known. */
const char *sensor_foreign(const char *p, size_t n);

/* Helpers of the line readers.  A key with a dot is looked up as it is, then as an object in an object. */
const json_t *sensor_get(const json_t *o, const char *key);
const char *sensor_text(const json_t *o, const char *key); /* NULL where absent or no string */
bool sensor_proto(uint8_t *to, const json_t *v);
bool sensor_time(struct wall *to, const json_t *v);
bool sensor_ip(struct ip *to, const json_t *v);
/* An absent port is 0. */
bool sensor_port(uint16_t *to, const json_t *v);
bool sensor_has_ports(uint8_t proto);

#endif
