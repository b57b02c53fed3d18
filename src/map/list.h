/* DIR/map/tables: the sheets there are, one line each, replaced by one rename.
 *
 *     sum 1 5a0b1c2d
 *     0123456789abcdef0123456789abcdef paths 46 1419206400000000 1419206400000000 rib.20141222.0000.gz
 *
 * Number and CRC-32C of the lines that follow, so that none is lost or changed unseen (a list of an older
 * weir begins with the first of them).  Of a sheet: id, kind, address families of its routes ("-": none),
 * first and last time in microseconds, name. */
#ifndef WEIR_MAP_LIST_H
#define WEIR_MAP_LIST_H

#include <limits.h>

#include "map/sheet.h"

#define SHEET_NAME 128

struct list_line {
	char id[SHEET_ID];
	char name[SHEET_NAME];
	enum sheet_kind kind;
	bool v4, v6;
	struct wall from, to;
};
struct list {
	struct list_line *line;
	size_t n, cap;
	bool sure; /* it is as it was written: its sum says so, or there is no list */
};

/* A list that is not there is empty.  STATUS_BAD: not such a list, or damaged. */
enum status list_read(struct list *l, const char *dir, struct err *e);
enum status list_write(const struct list *l, const char *dir, const struct world *w, struct err *e);
enum status list_add(struct list *l, const struct list_line *line, struct err *e);
/* The line of that id, or NULL. */
struct list_line *list_find(const struct list *l, const char *id);
void list_free(struct list *l);

/* DIR/map/ID.sheet; false where that is too long. */
bool list_sheet_path(char to[PATH_MAX], const char *dir, const char *id);

/* Who changes anything in DIR/map holds it (flock), and makes the directory where there is none; < 0: e. */
int list_lock(const char *dir, const struct world *w, struct err *e);
/* The same without waiting and without making anything; < 0: somebody has it, or it cannot be had. */
int list_lock_now(const char *dir);

/* Where the process is root and DIR is somebody else's: it becomes that user for good, since he could put a
 * link where root would write.  DIR and DIR/map are both asked. */
enum status list_become_owner(const char *dir, struct err *e);
/* Is it so? */
bool list_is_others(const char *dir);

/* Under the lock: removes sheets that the list does not have, of loads that were killed, and what was
 * inferred from such.  Where the list is in doubt (it has no sum, or names what is not there) no sheet is
 * removed. */
void list_sweep(const struct list *l, const char *dir, const struct world *w);

#endif
