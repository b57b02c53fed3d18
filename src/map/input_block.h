/* bzip2 blocks, decompressed by a pool of threads and given back in their order.  A block comes as one of a
 * file: bits between two magic numbers; it is made a file of its own, with one block, which libbz2
 * decompresses and whose CRC it compares. */
#ifndef WEIR_MAP_INPUT_BLOCK_H
#define WEIR_MAP_INPUT_BLOCK_H

#include "base/err.h"
#include "map/input_bits.h"

enum block_state { BLOCK_WAITS, BLOCK_WHOLE, BLOCK_BAD, BLOCK_NO_MEMORY };

struct block {
	uint64_t from, to; /* its bits in the file, the magic number first */
	uint32_t crc;
	enum block_state state;
	uint8_t *in; /* the file of one block */
	size_t n_in, cap_in;
	uint8_t *out;
	size_t n_out, cap_out;
};

/* Makes the file of one block, p's first byte is byte `at` of the file; false where memory is out. */
bool block_take(struct block *b, const uint8_t *p, uint64_t at, uint64_t from, uint64_t to);
/* Decompresses it; state and out are set. */
void block_unpack(struct block *b);
/* Of a block whose bits go on behind it, and that is BLOCK_BAD for this: is what it gave what its CRC says?
 */
bool block_sum_fits(const struct block *b);
void bzip2_block_free(struct block *b);

/* The longest a block can be: 900,001 symbols of 20 bits, and its tables. */
#define BLOCK_BITS_MAX ((uint64_t)20 << 20)
/* The shortest: magic number, CRC, origin, a map, tables. */
#define BLOCK_BITS_MIN (MAGIC_BITS + 32)

struct pool;
/* STATUS_MACHINE: no thread, no memory. */
enum status pool_new(struct pool **to, unsigned threads, struct err *e);
void bzip2_pool_free(struct pool *p);
/* Where the next block goes that will be handed to the threads, by block_take() and then pool_put(); NULL:
 * enough are under way. */
struct block *pool_slot(struct pool *p);
void pool_put(struct pool *p);
/* The oldest, when it is done; NULL where none is under way.  It stays the caller's until pool_drop(). */
struct block *pool_oldest(struct pool *p);
void pool_drop(struct pool *p);

#endif
