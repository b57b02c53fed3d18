/* Wall and monotonic time are different types, so that they cannot be mixed.  Text is RFC 3339 in UTC. */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct wall {
	int64_t us; /* UTC microseconds since 1970 */
};

struct mono {
	int64_t us; /* microseconds since an arbitrary start */
};

#define SECOND_US INT64_C(1000000)
#define WALL_TEXT 64
#define WALL_BEGIN                                                                                           \
	(struct wall)                                                                                        \
	{                                                                                                    \
		INT64_MIN                                                                                    \
	}
#define WALL_END                                                                                             \
	(struct wall)                                                                                        \
	{                                                                                                    \
		INT64_MAX                                                                                    \
	}

/* "2026-11-22T15:10:24.123456Z"; returns to. */
char *wall_text(char to[WALL_TEXT], struct wall t);

/* "2026-11-22": its day; returns to. */
char *wall_day(char to[WALL_TEXT], struct wall t);

/* RFC 3339 with or without fraction, a blank for the T, with Z or an offset (also +0000 as Suricata writes
 * it) or none (UTC), a date alone, or seconds since 1970 ("@1416441600.5", also without '@').  False where s
 * is none. */
bool wall_parse(struct wall *t, const char *s);

/* "10m", "1h30m", "45s", "2d", "500ms": microseconds.  False where s is none. */
bool span_parse(int64_t *us, const char *s);

#endif
