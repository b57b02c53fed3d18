/* One bzip2 block as a file of its own, and threads that decompress such files: see input_block.h.
 *
 * The file: "BZh9", the block's bits, the magic number of the end, and the sum of the one block, which is its
 * CRC.  Level 9 whatever the file's was: it only says how much memory a block may want.
 *
 * The pool is a ring of blocks: the reader fills at `put`, threads take at `taken`, and the reader looks at
 * `oldest`, in that order round; `put` never meets `oldest`, which bounds the memory. */
#include "map/input_block.h"

#include <bzlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEAD_SIZE 4
#define CRC_BITS  32
#define OUT_FIRST ((size_t)1 << 20) /* a block of level 9, but for long runs */
/* of 900,000 bytes, which are runs of 259 bytes, each said with 5 */
#define OUT_MAX     ((size_t)900000 * 259 / 5 + 259)
#define HUGE_PAGE   ((size_t)2 << 20) /* a large page */
#define AHEAD       2                 /* blocks under way for each thread */
#define THREADS_MAX 256

static bool room(uint8_t **p, size_t *cap, size_t n)
{
	if (n <= *cap)
		return true;
	uint8_t *q = realloc(*p, n);
	if (!q)
		return false;
	*p = q;
	*cap = n;
	return true;
}

bool block_take(struct block *b, const uint8_t *p, uint64_t at, uint64_t from, uint64_t to)
{
	uint64_t bits = to - from, base = at * 8, end = (uint64_t)HEAD_SIZE * 8 + bits;
	size_t n = (size_t)((end + MAGIC_BITS + CRC_BITS + 7) / 8);

	b->from = from;
	b->to = to;
	b->state = BLOCK_WAITS;
	b->n_out = 0;
	if (!room(&b->in, &b->cap_in, n + 1))
		return false;
	b->n_in = n;
	b->crc = bits >= BLOCK_BITS_MIN ? (uint32_t)bits_get(p, from + MAGIC_BITS - base, CRC_BITS) : 0;
	memset(b->in, 0, n + 1);
	memcpy(b->in, "BZh9", HEAD_SIZE);
	bits_copy(b->in + HEAD_SIZE, p, from - base, bits);
	bits_put(b->in, end, MAGIC_END, MAGIC_BITS);
	bits_put(b->in, end + MAGIC_BITS, b->crc, CRC_BITS);
	return true;
}

static enum block_state unpack(struct block *b, bz_stream *z)
{
	int r = BZ_OK;

	while (r == BZ_OK) {
		size_t more = b->cap_out ? b->cap_out * 2 : OUT_FIRST;
		if (b->n_out == b->cap_out && !room(&b->out, &b->cap_out, more))
			return BLOCK_NO_MEMORY;
		size_t space = b->cap_out - b->n_out;
		z->next_out = (char *)b->out + b->n_out;
		z->avail_out = (unsigned)space;
		r = BZ2_bzDecompress(z);
		b->n_out += space - z->avail_out;
		if (r == BZ_OK &&
			(z->avail_out > 0 || b->n_out > OUT_MAX)) /* it wants bits that are not there */
			return BLOCK_BAD;
	}
	if (r == BZ_MEM_ERROR)
		return BLOCK_NO_MEMORY;
	return r == BZ_STREAM_END && z->avail_in == 0 ? BLOCK_WHOLE : BLOCK_BAD;
}

/* libbz2 walks through its 3.6 MB table at random: with small pages that is a miss of the processor's address
 * cache each time. */
static void *huge_alloc(void *self, int n, int size)
{
	size_t want = (size_t)n * (size_t)size;
	size_t whole = (want + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;

	(void)self;
	if (want < HUGE_PAGE)
		return malloc(want);
	void *p = aligned_alloc(HUGE_PAGE, whole);
	if (p)
		(void)madvise(p, whole, MADV_HUGEPAGE);
	return p;
}

static void huge_free(void *self, void *p)
{
	(void)self;
	free(p);
}

void block_unpack(struct block *b)
{
	bz_stream z = {.next_in = (char *)b->in,
		.avail_in = (unsigned)b->n_in,
		.bzalloc = huge_alloc,
		.bzfree = huge_free};

	b->n_out = 0;
	b->state = BLOCK_NO_MEMORY;
	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return;
	b->state = unpack(b, &z);
	(void)BZ2_bzDecompressEnd(&z);
}

#define BZIP2_POLYNOMIAL 0x04c11db7U /* CRC-32, highest bit first */

bool block_sum_fits(const struct block *b)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < b->n_out; i++) {
		crc ^= (uint32_t)b->out[i] << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc >> 31 ? BZIP2_POLYNOMIAL : 0);
	}
	return b->n_out > 0 && ~crc == b->crc;
}

void bzip2_block_free(struct block *b)
{
	free(b->in);
	free(b->out);
}

/* ---- the pool ---- */

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	bool stop;
	uint64_t oldest, taken, put; /* counted on; place in ring modulo n */
	struct block *ring;
	size_t n;
	pthread_t thread[THREADS_MAX];
	unsigned n_thread;
};

static struct block *pool_at(struct pool *p, uint64_t i)
{
	return &p->ring[i % p->n];
}

static void *worker(void *arg)
{
	struct pool *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->stop && p->taken == p->put)
			(void)pthread_cond_wait(&p->work, &p->lock);
		if (p->stop)
			break;
		struct block *b = pool_at(p, p->taken++), mine = *b;
		(void)pthread_mutex_unlock(&p->lock);
		block_unpack(&mine);
		(void)pthread_mutex_lock(&p->lock);
		*b = mine;
		(void)pthread_cond_signal(&p->done);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the thread that reads. */
static bool threads_start(struct pool *p, unsigned threads)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->n_thread < threads && p->n_thread < THREADS_MAX &&
		pthread_create(&p->thread[p->n_thread], NULL, worker, p) == 0)
		p->n_thread++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p->n_thread > 0;
}

enum status pool_new(struct pool **to, unsigned threads, struct err *e)
{
	struct pool *p = *to = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	p->n = (size_t)(threads < THREADS_MAX ? threads : THREADS_MAX) * AHEAD + 1;
	p->ring = calloc(p->n, sizeof(*p->ring));
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->work, NULL);
	(void)pthread_cond_init(&p->done, NULL);
	if (!p->ring)
		return err_nomem(e);
	if (!threads_start(p, threads))
		return err_set(e, STATUS_MACHINE, "cannot start a thread");
	return STATUS_OK;
}

void bzip2_pool_free(struct pool *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_thread; i++)
		(void)pthread_join(p->thread[i], NULL);
	for (size_t i = 0; p->ring && i < p->n; i++)
		bzip2_block_free(&p->ring[i]);
	free(p->ring);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->work);
	(void)pthread_cond_destroy(&p->done);
	free(p);
}

/* `put` and `oldest` are the reader's: only `taken` and the blocks' states need the lock. */
struct block *pool_slot(struct pool *p)
{
	return p->put - p->oldest < p->n ? pool_at(p, p->put) : NULL;
}

void pool_put(struct pool *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->put++;
	(void)pthread_cond_signal(&p->work);
	(void)pthread_mutex_unlock(&p->lock);
}

struct block *pool_oldest(struct pool *p)
{
	if (p->oldest == p->put)
		return NULL;
	struct block *b = pool_at(p, p->oldest);
	(void)pthread_mutex_lock(&p->lock);
	while (b->state == BLOCK_WAITS)
		(void)pthread_cond_wait(&p->done, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
	return b;
}

void pool_drop(struct pool *p)
{
	p->oldest++;
}
