/* A sheet: one converted table on disk, mapped and never parsed again.  A container of named sections; what
 * the sections mean is paths.h's, links.h's and registry.h's business.
 *
 * File: a head of 64 bytes (magic "weirmap1", kind, number of sections, first and last time of what was read,
 * bytes of the whole file, CRC-32C of head and section table, id of the content), the section table, then the
 * sections, each at a multiple of 64.  Numbers are little-endian, as the machine's (checked when built).
 * Opening checks the head, the table and the bounds of each section, and reads nothing else: each view checks
 * what it takes from inside (an index beyond its table is "damaged", never followed).  `sheet_check()`
 * compares every section's CRC-32C; the atlas does so when it opens a sheet, but for the routes of BGP
 * tables, which are large: theirs are compared when they are asked for (paths_routes()). */
#ifndef WEIR_MAP_SHEET_H
#define WEIR_MAP_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/world.h"

enum sheet_kind {
	SHEET_PATHS = 1,    /* BGP routes: paths.h */
	SHEET_LINKS = 2,    /* AS relationships: links.h */
	SHEET_REGISTRY = 3, /* delegations: registry.h */
	SHEET_ORIGINS = 4,  /* prefix to origin: a paths sheet without sessions and paths, see paths.h */
	SHEET_HOLDERS = 5,  /* names of networks and organisations: registry.h */
};

#define SHEET_ID ID_TEXT /* an id as text: 32 hex digits and the zero */

struct sheet {
	enum sheet_kind kind;
	struct wall from,
		to;   /* of what it was made from; equal for a snapshot; 0 where the file says nothing */
	struct id id; /* of its content: sheet_id() */
	const uint8_t *map; /* the whole file, read only */
	size_t n;
};

/* STATUS_BAD: not a sheet or damaged (the message names the file); STATUS_MACHINE: cannot be read. */
enum status sheet_open(struct sheet *s, const char *path, struct err *e);
/* The same of n bytes of memory (8-aligned), for tests; not to be closed. */
enum status sheet_of(struct sheet *s, const void *p, size_t n, struct err *e);
void sheet_close(struct sheet *s);
enum status sheet_check(const struct sheet *s, struct err *e);
/* The same of the n sections of these tags, or of all but these. */
enum status sheet_check_only(const struct sheet *s, const uint32_t *tag, size_t n, struct err *e);
enum status sheet_check_but(const struct sheet *s, const uint32_t *tag, size_t n, struct err *e);

/* The section of that tag as an array of *n elements of `size` bytes, aligned to 64; NULL and 0 where there
 * is none, or where its bytes are no multiple of size. */
const void *sheet_section(const struct sheet *s, uint32_t tag, size_t size, size_t *n);

/* Writing: sections in any order, straight to a temporary file beside `path`; nothing is seen until
 * sheet_finish(), which syncs and renames.  sheet_drop() removes what was begun.  Both free. */
struct sheet_out;
struct sheet_out *sheet_begin(const struct world *w, const char *path, enum sheet_kind kind, struct err *e);
void sheet_time(struct sheet_out *o, struct wall from, struct wall to);
void sheet_times(const struct sheet_out *o, struct wall *from, struct wall *to); /* as told; 0: not */
enum status sheet_put(struct sheet_out *o, uint32_t tag, const void *p, size_t n, struct err *e);
/* The same of a section that follows from the others (an index): it is no part of the id. */
enum status sheet_put_index(struct sheet_out *o, uint32_t tag, const void *p, size_t n, struct err *e);
/* The content's id: SHA-256 of kind, times as they are told by now, and tag, length and bytes of what was
 * put, in that order.  It says nothing of the file that the content came from: how that was compressed, or
 * what it had that no sheet keeps.  Once, behind the last sheet_put(). */
enum status sheet_id(struct sheet_out *o, struct id *to, struct err *e);
/* Its place is this one: where its name depends on its id. */
enum status sheet_place(struct sheet_out *o, const char *path, struct err *e);
enum status sheet_finish(struct sheet_out *o, struct err *e);
void sheet_drop(struct sheet_out *o);

#define SHEET_TAG(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

#endif
