/* A list of files to a tar and back: POSIX ustar (IEEE Std 1003.1-2017, pax, "ustar Interchange Format"), the
 * one form of it that tar.h fixes.
 *
 * The reader takes a name and a size from a header, makes the header that the writer would have made of
 * them, and compares all 512 bytes: links, devices, folders, other formats' headers, other digits and a wrong
 * checksum all differ somewhere, and the first difference is named. */
#include "ask/tar.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK      512
#define NAME_BYTES 100
#define SIZE_AT    124
#define SIZE_BYTES 12 /* 11 octal digits and a zero */
#define SUM_AT     148

static const uint8_t zeros[2 * BLOCK];

/* What a header holds besides name, size and checksum, and what each field is called. */
static const struct {
	uint16_t at, n;
	const char *name, *bytes; /* the rest of the field is zero */
} fields[] = {
	{0, NAME_BYTES, "name", ""},
	{100, 8, "mode", "0000644"},
	{108, 8, "owner", "0000000"},
	{116, 8, "group", "0000000"},
	{SIZE_AT, SIZE_BYTES, "size", ""},
	{136, 12, "time", "00000000000"},
	{SUM_AT, 8, "checksum", "        "},
	{156, 1, "type", "0"},
	{157, 100, "link name", ""},
	{257, 6, "magic", "ustar"},
	{263, 2, "version", "00"},
	{265, 32, "owner name", ""},
	{297, 32, "group name", ""},
	{329, 8, "device number", "0000000"},
	{337, 8, "device number", "0000000"},
	{345, 155, "name's prefix", ""},
	{500, 12, "padding", ""},
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

bool tar_name_valid(const char *s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	bool good = strnlen(s, TAR_NAME) <= NAME_BYTES;

	for (bool more = true; good && more;) {
		size_t n = strspn(s, set);
		bool dots = strncmp(s, "..", n) == 0; /* or one, or none */
		good = !dots && (s[n] == '\0' || s[n] == '/');
		more = s[n] == '/';
		s += n + more;
	}
	return good;
}

/* By parts: a folder stands right before what is in it. */
static int name_order(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	for (; *x && *x == *y; x++, y++)
		;
	int cx = *x == '/' ? 1 : (unsigned char)*x, cy = *y == '/' ? 1 : (unsigned char)*y;
	return cx - cy;
}

const char *tar_name_clash(const char **name, size_t n)
{
	qsort(name, n, sizeof(*name), name_order);
	for (size_t i = 1; i < n; i++) {
		size_t k = strlen(name[i - 1]);
		if (strncmp(name[i - 1], name[i], k) == 0 && (name[i][k] == '\0' || name[i][k] == '/'))
			return name[i];
	}
	return NULL;
}

static void octal(uint8_t *to, size_t digits, uint64_t v)
{
	for (size_t i = digits; i-- > 0; v >>= 3)
		to[i] = (uint8_t)('0' + (v & 7));
}

/* The header of a file of n bytes.  The checksum is the sum of all bytes with its own field blank: 6 digits,
 * a zero, a blank. */
static void header_make(uint8_t h[BLOCK], const char *name, uint64_t n)
{
	unsigned sum = 0;

	memset(h, 0, BLOCK);
	for (size_t i = 0; i < N_FIELDS; i++)
		memcpy(h + fields[i].at, fields[i].bytes, strlen(fields[i].bytes));
	memcpy(h, name, strlen(name));
	octal(h + SIZE_AT, SIZE_BYTES - 1, n);
	for (size_t i = 0; i < BLOCK; i++)
		sum += h[i];
	octal(h + SUM_AT, 6, sum);
	h[SUM_AT + 6] = '\0';
}

/* Zeros from n bytes to the next block. */
static size_t padding(size_t n)
{
	return (BLOCK - n % BLOCK) % BLOCK;
}

void tar_put(struct buf *b, const char *name, const void *p, size_t n)
{
	uint8_t h[BLOCK];

	if (!tar_name_valid(name) || n > TAR_BYTES || b->n + n + padding(n) + 3 * BLOCK > TAR_BYTES) {
		b->failed = true;
		return;
	}
	header_make(h, name, n);
	buf_put(b, h, BLOCK);
	buf_put(b, p, n);
	buf_put(b, zeros, padding(n));
}

void tar_end(struct buf *b)
{
	buf_put(b, zeros, 2 * BLOCK);
}

struct reading {
	struct rd r;
	const uint8_t *start;
	struct tar_file *file;
	size_t n;
};

static size_t offset(const struct reading *t)
{
	return (size_t)(t->r.p - t->start);
}

/* The size field; what is no digit makes a number whose header differs. */
static uint64_t size_of(const uint8_t *h)
{
	uint64_t v = 0;

	for (size_t i = 0; i < SIZE_BYTES - 1; i++)
		v = v << 3 | (h[SIZE_AT + i] & 7);
	return v;
}

/* Names the first field of h that is not as in `want`; the checksum, which hangs on the others, last. */
static enum status header_differs(const uint8_t *h, const uint8_t *want, size_t at, struct err *e)
{
	size_t k = 0;

	while (k < N_FIELDS &&
		(fields[k].at == SUM_AT || memcmp(h + fields[k].at, want + fields[k].at, fields[k].n) == 0))
		k++;
	return err_set(e, STATUS_BAD,
		"the tar, header at byte %zu: its %s is not as in a bundle (plain files only, in one form)",
		at, k < N_FIELDS ? fields[k].name : "checksum");
}

static enum status file_read(struct reading *t, struct tar_file *f, struct err *e)
{
	size_t at = offset(t);
	const uint8_t *h = rd_take(&t->r, BLOCK);
	uint8_t want[BLOCK];

	if (!h)
		return err_set(e, STATUS_BAD, "the tar ends at byte %zu, within a header", offset(t));
	memcpy(f->name, h, NAME_BYTES);
	f->name[NAME_BYTES] = '\0';
	if (!tar_name_valid(f->name))
		return err_set(
			e, STATUS_BAD, "the tar, header at byte %zu: a file name that no bundle has", at);
	header_make(want, f->name, size_of(h));
	if (memcmp(h, want, BLOCK) != 0)
		return header_differs(h, want, at, e);
	f->n = (size_t)size_of(h);
	f->p = rd_take(&t->r, f->n);
	const uint8_t *pad = rd_take(&t->r, f->p ? padding(f->n) : 0);
	if (!f->p || !pad)
		return err_set(e, STATUS_BAD, "the tar ends within %s", f->name);
	if (memcmp(pad, zeros, padding(f->n)) != 0)
		return err_set(e, STATUS_BAD, "the padding behind %s is not zero", f->name);
	return STATUS_OK;
}

/* Two zero blocks and nothing more. */
static enum status end_read(struct reading *t, struct err *e)
{
	size_t at = offset(t);
	const uint8_t *p = rd_take(&t->r, 2 * BLOCK);

	if (!p || memcmp(p, zeros, 2 * BLOCK) != 0)
		return err_set(e, STATUS_BAD, "the tar does not end in two zero blocks, at byte %zu", at);
	if (rd_left(&t->r) > 0)
		return err_set(e, STATUS_BAD, "%zu bytes follow the end of the tar", rd_left(&t->r));
	return STATUS_OK;
}

static bool at_end(const struct reading *t)
{
	return rd_left(&t->r) == 0 || *t->r.p == 0;
}

static enum status names_check(const struct tar_file *file, size_t n, struct err *e)
{
	const char **name = calloc(n + 1, sizeof(*name)), *twice;

	if (!name)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		name[i] = file[i].name;
	twice = tar_name_clash(name, n);
	free(name);
	return twice ? err_set(e, STATUS_BAD, "the tar has %s twice, or as file and folder", twice)
		     : STATUS_OK;
}

enum status tar_read(
	struct tar_file **to, size_t *n, const void *p, size_t size, struct arena *a, struct err *e)
{
	struct reading t = {.r = rd_of(p, size), .start = p};
	size_t room = size / BLOCK + 1 < TAR_FILES ? size / BLOCK + 1 : TAR_FILES;
	enum status s = STATUS_OK;

	*to = NULL;
	*n = 0;
	if (size > TAR_BYTES)
		return err_set(e, STATUS_BAD, "a tar of %zu bytes; at most %d are read", size, TAR_BYTES);
	t.file = arena_array(a, room, sizeof(*t.file));
	if (!t.file)
		return err_nomem(e);
	while (s == STATUS_OK && !at_end(&t)) {
		if (t.n == TAR_FILES)
			return err_set(e, STATUS_BAD, "a tar of more than %d files", TAR_FILES);
		s = file_read(&t, &t.file[t.n++], e);
	}
	if (s == STATUS_OK)
		s = end_read(&t, e);
	if (s == STATUS_OK)
		s = names_check(t.file, t.n, e);
	if (s == STATUS_OK) {
		*to = t.file;
		*n = t.n;
	}
	return s;
}
