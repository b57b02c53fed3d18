/* Files into sheets: weir map load. */
#ifndef WEIR_MAP_LOAD_H
#define WEIR_MAP_LOAD_H

#include "map/atlas.h"
#include "map/input.h"
#include "map/text.h"

struct load_file {
	const char *path;
	const char *format; /* "MRT table", "MRT updates", "AS relationships", ...; static */
	bool is_text;
	struct paths_counts mrt; /* of an MRT file */
	struct text_counts text;
	struct input_at at;
	char damage[160];  /* where it broke: "cut off ..."; "" whole */
	char id[SHEET_ID]; /* of its sheet */
	bool again;        /* its contents were loaded before: nothing to do */
};
struct load_watch {
	void *self;
	/* Called now and then; false: stop, nothing is loaded. */
	bool (*progress)(void *self, const char *path, const struct input_at *at);
};

/* All or nothing: the files' sheets are made, then the list is replaced once.  MRT files of one call: each
 * table begins a sheet, updates go to the sheet of the table before them in time that shares a peer, else to
 * one of their own.  STATUS_BAD: a file that is none of the formats, or has nothing in it (e names it). file:
 * n elements, paths given. */
enum status map_load(const char *dir, const struct world *w, struct load_file *file, size_t n,
	unsigned threads, const struct load_watch *watch, struct err *e);
/* Takes a sheet out of the list and removes it; at least 6 digits of its id name it.  STATUS_NO: none has
 * that id; STATUS_BAD: several begin so. */
enum status map_forget(const char *dir, const struct world *w, const char *id, struct err *e);

#endif
