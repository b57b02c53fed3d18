/* Bits of a bzip2 file: see input_bits.h.
 *
 * The search: a magic number of 48 bits has at least five whole bytes, whatever its shift; of the four pairs
 * of neighbours that begin at the first four of them one begins at a multiple of 4.  So one look at a table
 * per 4 bytes finds every magic number; one look of thousand finds a pair that is in some magic number by
 * chance, and then 32 places are compared. */
#include "map/input_bits.h"

#include <string.h>

#define STRIDE     4
#define FULL_BYTES 5

static unsigned pair_at(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void pair_add(struct bits_finder *f, uint64_t magic, unsigned shift)
{
	uint8_t bytes[8] = {0};
	unsigned first = (shift + 7) / 8;

	bits_put(bytes, shift, magic, MAGIC_BITS);
	for (unsigned i = first; i < first + STRIDE; i++) {
		unsigned pair = pair_at(bytes + i);
		f->pair[pair / 8] |= (uint8_t)(1U << pair % 8);
	}
}

void bits_finder_make(struct bits_finder *f)
{
	*f = (struct bits_finder){0};
	for (unsigned shift = 0; shift < 8; shift++) {
		pair_add(f, MAGIC_BLOCK, shift);
		pair_add(f, MAGIC_END, shift);
	}
}

uint64_t bits_get(const uint8_t *p, uint64_t from, unsigned count)
{
	unsigned shift = (unsigned)(from % 8), bytes = (shift + count + 7) / 8;
	uint64_t v = 0;

	p += from / 8;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v >> (bytes * 8 - shift - count) & ((UINT64_C(1) << count) - 1);
}

/* Is there a magic number of which byte i is one of the first four whole ones? */
static bool find_around(uint64_t *at, const uint8_t *p, size_t n, uint64_t i, uint64_t from)
{
	uint64_t span = STRIDE * 8 - 1, last = i * 8, b = last > span ? last - span : 0;

	if (b < from)
		b = from;
	for (; b <= last && b + MAGIC_BITS <= (uint64_t)n * 8; b++) {
		uint64_t v = bits_get(p, b, MAGIC_BITS);
		if (v == MAGIC_BLOCK || v == MAGIC_END) {
			*at = b;
			return true;
		}
	}
	return false;
}

bool bits_find(const struct bits_finder *f, uint64_t *at, const uint8_t *p, size_t n, uint64_t from)
{
	uint64_t first = (from + 7) / 8;

	if (n < FULL_BYTES + 1)
		return false;
	for (uint64_t i = (first + STRIDE - 1) / STRIDE * STRIDE; i + 1 < n; i += STRIDE) {
		unsigned pair = pair_at(p + i);
		if ((f->pair[pair / 8] >> pair % 8 & 1) && find_around(at, p, n, i, from))
			return true;
	}
	return false;
}

void bits_put(uint8_t *to, uint64_t at, uint64_t v, unsigned count)
{
	for (unsigned i = 0; i < count; i++, at++)
		to[at / 8] |= (uint8_t)((v >> (count - 1 - i) & 1) << (7 - at % 8));
}

void bits_copy(uint8_t *to, const uint8_t *p, uint64_t from, uint64_t count)
{
	unsigned shift = (unsigned)(from % 8), spare = (unsigned)(count % 8);
	size_t whole = (size_t)(count / 8);

	p += from / 8;
	to[whole] = 0;
	if (shift == 0)
		memcpy(to, p, whole);
	else
		for (size_t i = 0; i < whole; i++)
			to[i] = (uint8_t)(p[i] << shift | p[i + 1] >> (8 - shift));
	if (spare)
		bits_put(to, (uint64_t)whole * 8, bits_get(p + whole, shift, spare), spare);
}
