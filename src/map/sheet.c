/* A sheet on disk, read where it lies; see sheet.h.
 *
 * File: head (64 bytes), section table (32 bytes a section: tag, CRC-32C, place, bytes, 8 zero), sections.
 * The head holds the sum of itself (its own field as zero) and of the table; the sums of the sections are
 * looked at by sheet_check() only, since that reads everything. */
#include "map/sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/order.h"
#include "map/sheet_in.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a sheet's columns are used as they lie");

static const struct sheet_section_at *table_of(const struct sheet *s)
{
	const void *at = s->map + SHEET_HEAD;

	return at;
}

static uint32_t sections_of(const struct sheet *s)
{
	struct sheet_head h;

	memcpy(&h, s->map, sizeof(h));
	return h.n_section;
}

/* Head and table; false where they are not what sheet_finish() wrote. */
static bool head_good(const struct sheet *s)
{
	struct sheet_head h;

	if (s->n < SHEET_HEAD)
		return false;
	memcpy(&h, s->map, sizeof(h));
	if (memcmp(h.magic, SHEET_MAGIC, sizeof(h.magic)) != 0 || h.bytes != s->n ||
		h.n_section > SHEET_SECTIONS ||
		s->n < SHEET_HEAD + h.n_section * sizeof(struct sheet_section_at))
		return false;
	return sheet_head_sum(&h, table_of(s)) == h.crc;
}

static bool sections_good(const struct sheet *s)
{
	const struct sheet_section_at *t = table_of(s);

	for (uint32_t i = 0; i < sections_of(s); i++)
		if (t[i].at % SHEET_ALIGN || t[i].at > s->n || t[i].n > s->n - t[i].at)
			return false;
	return true;
}

static bool magic_good(const struct sheet *s)
{
	return s->n >= sizeof(SHEET_MAGIC) - 1 && memcmp(s->map, SHEET_MAGIC, sizeof(SHEET_MAGIC) - 1) == 0;
}

enum status sheet_of(struct sheet *s, const void *p, size_t n, struct err *e)
{
	struct sheet_head h;

	*s = (struct sheet){.map = p, .n = n};
	if (!magic_good(s))
		return err_set(e, STATUS_BAD, "not a sheet of a map");
	if (!head_good(s) || !sections_good(s))
		return err_set(e, STATUS_BAD, "damaged: its head does not fit the file");
	memcpy(&h, p, sizeof(h));
	s->kind = (enum sheet_kind)h.kind;
	s->from.us = h.from_us;
	s->to.us = h.to_us;
	s->id = h.id;
	return STATUS_OK;
}

static enum status file_map(int fd, const void **map, size_t *n, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot be read");
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)SHEET_HEAD)
		return err_set(e, STATUS_BAD, "not a sheet of a map");
	*n = (size_t)st.st_size;
	*map = mmap(NULL, *n, PROT_READ, MAP_SHARED, fd, 0);
	return *map == MAP_FAILED ? err_errno(e, "cannot be mapped") : STATUS_OK;
}

enum status sheet_open(struct sheet *s, const char *path, struct err *e)
{
	const void *map = NULL;
	size_t n = 0;

	*s = (struct sheet){0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "%s", path);
	enum status st = file_map(fd, &map, &n, e);
	(void)close(fd);
	if (st == STATUS_OK) {
		st = sheet_of(s, map, n, e);
		if (st != STATUS_OK)
			sheet_close(s);
	}
	return st == STATUS_OK ? st : err_wrap(e, "%s", path);
}

void sheet_close(struct sheet *s)
{
	if (s->map)
		(void)munmap((void *)(uintptr_t)s->map, s->n);
	*s = (struct sheet){0};
}

static enum status check(const struct sheet *s, const uint32_t *tag, size_t n, bool these, struct err *e)
{
	const struct sheet_section_at *t = table_of(s);

	for (uint32_t i = 0; i < sections_of(s); i++)
		if (u32_has(tag, n, t[i].tag) == these && crc32c(s->map + t[i].at, t[i].n) != t[i].crc)
			return err_set(e, STATUS_BAD, "damaged: the sum of section %u of %u is wrong", i + 1,
				sections_of(s));
	return STATUS_OK;
}

enum status sheet_check(const struct sheet *s, struct err *e)
{
	return check(s, NULL, 0, false, e);
}

enum status sheet_check_only(const struct sheet *s, const uint32_t *tag, size_t n, struct err *e)
{
	return check(s, tag, n, true, e);
}

enum status sheet_check_but(const struct sheet *s, const uint32_t *tag, size_t n, struct err *e)
{
	return check(s, tag, n, false, e);
}

const void *sheet_section(const struct sheet *s, uint32_t tag, size_t size, size_t *n)
{
	const struct sheet_section_at *t = table_of(s);

	*n = 0;
	for (uint32_t i = 0; i < sections_of(s); i++) {
		if (t[i].tag != tag)
			continue;
		if (t[i].n % size || t[i].n == 0)
			return NULL;
		*n = t[i].n / size;
		return s->map + t[i].at;
	}
	return NULL;
}
