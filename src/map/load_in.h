/* Private to loading: a file of a call while it is worked on. */
#ifndef WEIR_MAP_LOAD_IN_H
#define WEIR_MAP_LOAD_IN_H

#include "base/hash.h"
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
	uint8_t sum[32]; /* SHA-256 of the file as given */
	bool has_sum;    /* of a pipe only behind its end */
	size_t group;    /* jobs of one group make one sheet, ordered by time */
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
/* What each file is, its sum, and which belong together. */
enum status load_look(struct loading *l, struct err *e);
enum status job_open(const struct loading *l, struct job *j, struct err *e);
void job_close(struct job *j);

/* ---- load_mrt.c, load_text.c: the jobs of one group into one sheet ---- */
/* Not begun where the contents are in the list already: then the jobs say `again`. */
enum status load_routes(struct loading *l, struct job **job, size_t n, struct err *e);
enum status load_text(struct loading *l, struct job *j, struct err *e);

/* ---- load.c ---- */
enum status load_progress(const struct loading *l, const struct job *j, struct err *e);
/* The id of these jobs together, to all of them; true where the list has it. */
bool load_known(const struct loading *l, struct job *const *job, size_t n);
enum status load_keep(struct loading *l, const struct job *j, const struct list_line *line, struct err *e);

#endif
