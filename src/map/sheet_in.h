/* Private to the sheet's reader and writer: how it lies on disk. */
#ifndef WEIR_MAP_SHEET_IN_H
#define WEIR_MAP_SHEET_IN_H

#include "base/bytes.h"
#include "map/sheet.h"

#define SHEET_MAGIC    "weirmap1"
#define SHEET_ALIGN    64
#define SHEET_HEAD     ((size_t)64)
#define SHEET_SECTIONS 30
/* Where the first section begins: behind the table at its longest. */
#define SHEET_BEGIN ((size_t)1024)

struct sheet_head {
	char magic[8];
	uint32_t kind, n_section;
	int64_t from_us, to_us;
	uint64_t bytes; /* of the whole file */
	uint32_t crc;   /* of head (this field 0) and table */
	struct id id;   /* of the content */
	uint8_t zero[4];
};
struct sheet_section_at {
	uint32_t tag, crc;
	uint64_t at, n, zero;
};
_Static_assert(sizeof(struct sheet_head) == SHEET_HEAD, "as on disk");
_Static_assert(sizeof(struct sheet_section_at) == 32, "as on disk");
_Static_assert(SHEET_HEAD + SHEET_SECTIONS * sizeof(struct sheet_section_at) <= SHEET_BEGIN, "room");

static inline uint32_t sheet_head_sum(const struct sheet_head *h, const struct sheet_section_at *table)
{
	struct sheet_head z = *h;

	z.crc = 0;
	return crc32c_more(crc32c(&z, sizeof(z)), table, h->n_section * sizeof(*table));
}

#endif
