/* What the parts of `weir watch` share.
 *
 *     a piece of the sensor's file -> alerts           watch_reader.c, in a process of its own
 *     -> an open case that knows them, or a new one    watch_take.c
 *     -> traces, while the recording grows             watch_hunt.c
 *     -> what the policy says                          watch_act.c
 *     one line for each                                watch_say.c
 */
#ifndef WEIR_CLI_WATCH_H
#define WEIR_CLI_WATCH_H

#include "case/recall.h"
#include "cli/blocking.h"
#include "cli/watch_mark.h"
#include "cli/watch_reader.h"

#define WATCH_NEW_CASES  30      /* a minute */
#define WATCH_NEW_FLOWS  60      /* a minute, into one case */
#define WATCH_CASE_FLOWS 256     /* of one case, by alerts; each is traced, and planned against */
#define WATCH_CASES      1024    /* that are kept in mind */
#define WATCH_HUNTS      256     /* sightings that are traced again and again at once */
#define WATCH_SOON       30      /* plans a minute that wait for no pause, see act_soon() */
#define WATCH_SOON_CASE  6       /* of one case */
#define WATCH_BY         "watch" /* who gave an order */

/* How often something was done in the minute that runs. */
struct minute {
	struct mono since;
	unsigned n;
};
/* Is there room for one more? */
bool minute_room(const struct minute *m, struct mono now, unsigned most);
/* Counts one more, where there is room. */
bool minute_takes(struct minute *m, struct mono now, unsigned most);

/* A case that had an alert since the watch began. */
struct concern {
	struct id case_id; /* all zero: free */
	bool ours;         /* this watch opened it */
	struct minute flows;
	size_t n_flows;
	struct wall seen; /* the latest alert, by the sensor's clock */
	struct mono touched;
	/* for watch_act.c */
	bool due;         /* there is something new to plan with */
	struct mono next; /* not before */
	int64_t pause_us;
	struct minute soon;         /* plans that waited for no pause */
	struct id said;             /* hash of what was said last */
	struct id back;             /* of the return that was said last */
	struct wall given, expires; /* of the newest block of this case that is in force; 0: none known */
	struct sighting fresh;      /* a new flow since the last look at the blocks; count 0: none */
};

/* A sighting that is traced. */
struct hunt {
	struct id case_id;
	struct sighting s; /* text and source are kept, flow_id is none */
	char text[SENSOR_TEXT_MAX];
	struct mono next, begun, until;
	int64_t soon_us; /* a flow that is not recorded yet, or not answered yet, is looked at again after so
			    long */
	size_t proven;   /* hops that were said */
	uint64_t bytes;  /* of the recording when it was tried last, and its last time */
	int64_t to_us;
	bool tried, found; /* found: its flow was recorded when it was tried last */
	bool answered;     /* by both sides, with payload: only then its sighting is enough for a block */
	bool enough;       /* the hop behind the proven ones: its evidence is enough to block a host */
};

/* What was not taken, until it is said. */
struct tally {
	uint64_t skipped[LINE_COUNT], unsaid;
	uint64_t dropped, dropped_flows; /* alerts; flows that they were of */
	uint64_t folded;                 /* alerts that were counted onto another flow's sighting */
	struct mono said;
};

struct watch {
	struct app *app;
	const struct sensor *kind;
	const char *path; /* as it was given */
	bool once;
	int64_t for_us;
	struct place p;
	struct mark mark;
	struct follow *follow;
	struct reader *reader;
	struct recall *recall;
	struct concern *concern; /* WATCH_CASES */
	struct hunt *hunt;       /* n_hunt of WATCH_HUNTS */
	size_t n_hunt;
	struct store_stat grown; /* the recording as it was looked at last */
	struct mono rest;        /* until then nothing is looked at again but together with something new */
	struct minute cases, soon;
	struct tally tally;
	struct mono counted;      /* when counts went into the database last */
	struct mono marked;       /* when the mark was written last */
	uint64_t good;            /* lines of this sensor so far */
	char foreign[PIECES_TIP]; /* what the file seems to be instead, "" for nothing */
	size_t kept;              /* bytes of a line whose end did not come yet */
};

struct mono watch_mono(const struct watch *w);

/* ---- watch_say.c ---- */

/* One line on standard output.  s NULL: of no flow.  more: its reference is taken, NULL: none. */
enum status watch_say(struct watch *w, const char *event, const struct id *case_id, const struct sighting *s,
	json_t *more, struct err *e, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* What was skipped and dropped, once a minute or (now) at once. */
enum status watch_tally(struct watch *w, bool now, struct err *e);

/* ---- watch_take.c ---- */

enum status watch_take(struct watch *w, const struct batch *b, struct err *e);
/* Counts of alerts into the database, every few seconds or (now) at once. */
enum status watch_counts(struct watch *w, bool now, struct err *e);
/* NULL: too many cases at once. */
struct concern *watch_concern(struct watch *w, const struct id *case_id);

/* ---- watch_hunt.c ---- */

void hunt_add(struct watch *w, const struct id *case_id, const struct sighting *s);
/* What an earlier watch took within the last hour is looked at again. */
void hunt_again(struct watch *w);
/* When the sighting is looked at next. */
struct mono hunt_time(const struct watch *w, const struct hunt *h);
/* Traces what is due; then planning may be due. */
enum status watch_hunt(struct watch *w, struct err *e);

/* ---- watch_act.c ---- */

enum status watch_act(struct watch *w, struct err *e);
/* Why weir must not enforce the option by itself, as "it ..."; "": it may. */
const char *not_by_itself(char *to, size_t n, const struct watch *w, const struct option *o);
/* A flow was found, or found to be answered, that the case's last plan had to do without: the next one is due
 * at once. */
void act_soon(struct watch *w, struct concern *c);

/* When something is due next, at most `most` from now. */
int64_t watch_wait_us(const struct watch *w, int64_t most);

#endif
