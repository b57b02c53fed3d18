/* Private to loading: a file of a call while it is worked on. */
#ifndef WEIR_MAP_LOAD_IN_H
#define WEIR_MAP_LOAD_IN_H

#include "map/list.h"
#include "map/load.h"

#define LOAD_PIECE                                                                                           \
	((size_t)1 << 20) /* what is looked at to tell what a file is, and read between two progresses */

struct job {
	struct load_file *f;
	char name[SHEET_NAME];
	struct input *in;    /* open where it is a pipe or the call's only file */
	enum text_kind text; /* TEXT_NONE: MRT */
	bool is_table, is_pipe;
	struct wall first;     /* of an MRT file: time of the first record */
	struct mrt_peer *peer; /* that its beginning names */
	size_t n_peer;
	size_t group; /* jobs of one group make one sheet, ordered by time */
};

struct loading {
	const char *dir;
	const struct world *w;
	unsigned threads;
	const struct load_watch *watch;
	struct job *job;
	size_t n;
	struct list list; /* with what is added */
};

/* ---- load_look.c ---- */
/* What each file is, and which belong together. */
enum status load_look(struct loading *l, struct err *e);
enum status job_open(const struct loading *l, struct job *j, struct err *e);
void job_close(struct job *j);

/* ---- load_mrt.c, load_text.c: the jobs of one group into one sheet ---- */
/* Where the list has that content already no sheet is left of it: then the jobs say `again`. */
enum status load_routes(struct loading *l, struct job **job, size_t n, struct err *e);
enum status load_text(struct loading *l, struct job *j, struct err *e);

/* ---- load.c ---- */
enum status load_progress(const struct loading *l, const struct job *j, struct err *e);
/* A sheet is begun under a name that no list has: its own is its content's. */
struct sheet_out *load_begin(const struct loading *l, enum sheet_kind kind, struct err *e);
/* The content's id, to these jobs; *known: the list has it. */
enum status load_id(const struct loading *l, struct job *const *job, size_t n, struct sheet_out *o,
	bool *known, struct err *e);
/* Finishes the sheet under its id and puts it to the list; o is freed, whatever comes. */
enum status load_keep(struct loading *l, const struct job *j, struct sheet_out *o,
	const struct list_line *line, struct err *e);

#endif
