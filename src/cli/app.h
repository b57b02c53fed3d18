/* What the commands share: the global options, option parsing from tables, output as text or JSON. */
#ifndef WEIR_CLI_APP_H
#define WEIR_CLI_APP_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/count.h"
#include "base/err.h"
#include "base/world.h"
#include "case/case.h"
#include "case/logged.h"
#include "record/flow.h"
#include "trace/trace.h"

struct app {
	const struct world *w;
	const char *dir;
	bool dir_given;      /* by -C: some commands look into DIR only then */
	const char *command; /* as it was called, for messages */
	bool json;
	bool unwritten; /* json_out() could not write */
	FILE *out;
	struct networks *networks; /* while addresses are named (networks.h), else NULL */
	struct config cfg;         /* loaded before a command runs */
};

/* One command: a file of its own, a row of the table in main.c. */
struct command {
	const char *name, *args, *does; /* the usage line's words */
	enum status (*run)(struct app *a, int argc, char **argv, struct err *e);
	bool networks; /* the addresses in its answers are named (networks.h) */
};

extern const struct command command_record, command_forget, command_flows, command_case, command_trace,
	command_scan, command_why, command_config, command_init, command_key, command_ledger, command_bundle,
	command_verify, command_answer, command_plan, command_block, command_blocks, command_unblock,
	command_reconcile, command_enforce, command_watch, command_audit, command_map;

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_TIME,
	OPTION_IP,
	OPTION_PORT,
	OPTION_SIZE,
	OPTION_ALPHA,
	OPTION_LIST,
	OPTION_SPAN,
	OPTION_COUNT
};

#define TEXTS_MAX 64
struct texts { /* of an option that may be given several times */
	const char *text[TEXTS_MAX];
	size_t n;
};

/* `to` points to a bool, const char *, struct wall, struct ip, int, uint64_t (size), double, struct texts,
 * int64_t (span in microseconds) or int64_t (count). */
struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_kind kind;
	void *to;
};

/* Parses argv[1..] by the table and the global options (-C, --json); *first is the index of the first
 * argument that is none.  STATUS_BAD names what is wrong. */
enum status options_parse(struct app *a, const struct option_row *row, size_t n, int argc, char **argv,
	int *first, struct err *e);

/* Loads the configuration of the app's directory; called by each command after its options. */
enum status app_config(struct app *a, struct err *e);

/* Says on standard error where DIR holds no recording at all: a mistyped DIR looks like an empty one. */
void say_unrecorded(const struct app *a);

/* One JSON document on a line of its own; takes the reference.  STATUS_MACHINE where it cannot be written. */
enum status json_out(struct app *a, json_t *j, struct err *e);

#define POINT_TEXT 256 /* bytes of an observation point's name, which another program may have written */

json_t *json_time(int64_t us);
/* {"id", "flow", "point", ...}: what every flow shows.  NULL flow: JSON null. */
json_t *json_flow(const struct app *a, const struct flow *f);
/* verdict, reason and numbers of a link test, into an object. */
void json_link(json_t *to, const struct link_result *l, double needed);
/* `limit` of a pair: null where even a relay without jitter would not have been proven. */
void json_limit(json_t *to, const struct relink *p);
struct limit;
json_t *json_limit_of(const struct limit *l);
json_t *json_hop(const struct app *a, const struct hop *h, const char *claim_id);
json_t *json_chain(const struct app *a, const struct chain *c, char (*claim_id)[ID_TEXT]);

/* A text in an object, "?" where it is none; a number, 0 where it is none. */
const char *json_text(const json_t *j, const char *key);
double json_number(const json_t *j, const char *key);

/* What is stored, whole: what was said, what was claimed and the data that makes it checkable. */
json_t *json_sighting(const struct sighting *g);
json_t *json_claim(const struct claim *c);
json_t *json_exchange(const struct exchange *x);
json_t *json_case(const struct attack_case *c);

/* The flow for people; of flows together: "tcp 198.51.100.7:* > 192.0.2.10:22 (200 flows together)". */
#define FLOW_WORDS (FLOW_TEXT + COUNT_TEXT + 16)
char *flow_words(char to[FLOW_WORDS], const struct flow *f);
/* The same of a flow as a claim writes it, of so many together or (0) of one. */
char *told_flow_words(char to[FLOW_WORDS], const char *flow, uint32_t members);

/* "12.3 MB" */
char *amount(char to[32], uint64_t bytes);

/* Draws a hop: the bursts of the in-leg and, under them, of the out-leg, over the stretch that shows most. */
void draw_legs(FILE *to, const struct ip *relay, const struct flow *in, const struct flow *out,
	const struct clock_fit *clock, const char *indent);

/* Prints one hop or a whole chain for people. */
void print_chain(struct app *a, const struct chain *c, char (*claim_id)[ID_TEXT]);

/* Set by ^C and SIGTERM once catch_signals() was called. */
extern volatile sig_atomic_t stop_requested;
void catch_signals(void);

#endif
