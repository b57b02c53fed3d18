/* Bits of a bzip2 file: its blocks begin at any bit, with one of two magic numbers of 48 bits; there is no
 * other mark. */
#ifndef WEIR_MAP_INPUT_BITS_H
#define WEIR_MAP_INPUT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAGIC_BITS  48
#define MAGIC_BLOCK UINT64_C(0x314159265359) /* a block: pi */
#define MAGIC_END   UINT64_C(0x177245385090) /* the end of a stream: its square root */

/* Which pairs of bytes stand somewhere inside a magic number, at any of 8 shifts: a bit for each of 65536. */
struct bits_finder {
	uint8_t pair[65536 / 8];
};
void bits_finder_make(struct bits_finder *f);

/* The first of both magic numbers that begins at bit `from` of p or later and ends before n bytes do. */
bool bits_find(const struct bits_finder *f, uint64_t *at, const uint8_t *p, size_t n, uint64_t from);

/* `count` bits (at most 56) at bit `from`; they must be there. */
uint64_t bits_get(const uint8_t *p, uint64_t from, unsigned count);

/* `count` bits from bit `from` of p (which has them) to the first bit of `to`, which has room for
 * count / 8 + 1 bytes; the spare bits of the last are 0. */
void bits_copy(uint8_t *to, const uint8_t *p, uint64_t from, uint64_t count);
/* The lowest `count` bits (at most 56) of v behind the first `at` bits of `to`, where the bits behind are 0.
 */
void bits_put(uint8_t *to, uint64_t at, uint64_t v, unsigned count);

#endif
