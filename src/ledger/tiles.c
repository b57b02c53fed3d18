/* Tiles as files (c2sp.org/tlog-tiles): their names, and their bytes read and checked for length.  A partial
 * tile is found in its own file or, once that was removed, at the beginning of the full one. */
#include "ledger/ledger_in.h"

#include <stdio.h>

struct tile tile_of(int level, uint64_t n, uint64_t size)
{
	unsigned shift = level == LEVEL_ENTRIES ? 0 : 8U * (unsigned)level;
	uint64_t at_level = shift < 64 ? size >> shift : 0;
	struct tile t = {.level = level, .n = n};

	if (n < at_level / TILE_WIDTH)
		t.width = TILE_WIDTH;
	else if (n == at_level / TILE_WIDTH)
		t.width = (unsigned)(at_level % TILE_WIDTH);
	return t;
}

void tile_name(char to[TILE_NAME], uint64_t n)
{
	to[3] = '\0';
	for (size_t i = 3; i-- > 0; n /= 10)
		to[i] = (char)('0' + n % 10);
}

/* n in groups of three digits, all but the last behind an x: 1234067 is x001/x234/067. */
static void number_text(char to[40], uint64_t n)
{
	uint64_t group[7];
	size_t k = 0;

	do
		group[k++] = n;
	while ((n /= TILE_SHELF) > 0);
	while (--k > 0) {
		*to++ = 'x';
		tile_name(to, group[k]);
		to += 3;
		*to++ = '/';
	}
	tile_name(to, group[0]);
}

enum status tile_path(char to[PATH_MAX], const char *root, struct tile t, struct err *e)
{
	char number[40], level[16] = "entries", part[16] = "";

	number_text(number, t.n);
	if (t.level != LEVEL_ENTRIES)
		(void)snprintf(level, sizeof(level), "%d", t.level);
	if (t.width < TILE_WIDTH)
		(void)snprintf(part, sizeof(part), ".p/%u", t.width);
	return path_of(to, e, "%s/tile/%s/%s%s", root, level, number, part);
}

/* The file of t or, where it is partial and gone, of the full tile; *full says which. */
static enum status tile_bytes(
	struct buf *to, const char *root, struct tile t, size_t max, bool *full, struct err *e)
{
	char path[PATH_MAX];
	struct tile whole = {.level = t.level, .n = t.n, .width = TILE_WIDTH};
	enum status s = tile_path(path, root, t, e);

	*full = t.width == TILE_WIDTH;
	if (s == STATUS_OK)
		s = file_read(to, path, max, e);
	if (s == STATUS_NO && !*full && tile_path(path, root, whole, e) == STATUS_OK) {
		*full = true;
		s = file_read(to, path, max, e);
	}
	if (s == STATUS_NO)
		s = err_set(e, STATUS_BAD, "%s: missing", path);
	return s;
}

static enum status misfit(const char *root, struct tile t, const char *what, struct err *e)
{
	char path[PATH_MAX];
	enum status s = tile_path(path, root, t, e);

	return s == STATUS_OK ? err_set(e, STATUS_BAD, "%s: %s", path, what) : s;
}

enum status tile_hashes(struct hash *to, const char *root, struct tile t, struct err *e)
{
	struct buf b = {0};
	bool full = false;
	enum status s = tile_bytes(&b, root, t, TILE_WIDTH * sizeof(*to), &full, e);

	if (s == STATUS_OK && b.n != (full ? TILE_WIDTH : t.width) * sizeof(*to))
		s = misfit(root, t, "not as long as its hashes", e);
	if (s == STATUS_OK)
		memcpy(to, b.p, t.width * sizeof(*to));
	buf_free(&b);
	return s;
}

enum status hashes_root(struct hash *to, const struct hash *h, unsigned n, struct err *e)
{
	struct hash row[TILE_WIDTH];

	memcpy(row, h, n * sizeof(*h));
	for (; n > 1; n /= 2)
		for (unsigned i = 0; i < n / 2; i++)
			if (!merkle_node(&row[i], &row[2 * i], &row[2 * i + 1]))
				return err_nomem(e);
	*to = row[0];
	return STATUS_OK;
}

bool entry_tile_parse(struct entry_tile *b, unsigned n)
{
	struct rd r = rd_of(b->bytes.p, b->bytes.n);

	b->n = 0;
	for (unsigned i = 0; i < n; i++) {
		b->at[i] = (uint32_t)(b->bytes.n - rd_left(&r));
		size_t k = rd_be16(&r);
		rd_skip(&r, k);
		if (r.bad || k == 0)
			return false;
	}
	b->at[n] = (uint32_t)(b->bytes.n - rd_left(&r));
	b->n = n;
	return true;
}

enum status entry_tile_read(struct entry_tile *to, const char *root, struct tile t, struct err *e)
{
	bool full = false;

	to->bytes.n = 0;
	enum status s = tile_bytes(&to->bytes, root, t, ENTRY_TILE_MAX, &full, e);
	if (s == STATUS_OK && !entry_tile_parse(to, full ? TILE_WIDTH : t.width))
		s = misfit(root, t, "not whole entries", e);
	if (s == STATUS_OK && to->at[to->n] != to->bytes.n)
		s = misfit(root, t, "longer than its entries", e);
	if (s == STATUS_OK)
		to->n = t.width;
	return s;
}

enum status entry_tile_leaf(struct hash *to, const struct entry_tile *b, unsigned i, struct err *e)
{
	const uint8_t *p = b->bytes.p + b->at[i] + 2;

	return merkle_leaf(to, p, b->at[i + 1] - b->at[i] - 2) ? STATUS_OK : err_nomem(e);
}
