/* Large arrays: see big.h.  Which of the two kinds of memory an array is in follows from its capacity. */
#include "map/big.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE ((size_t)2 << 20)

/* n bytes, a multiple of a huge page and aligned to one. */
static void *huge_pages(size_t n)
{
	uint8_t *p = n < SIZE_MAX / 2 ? mmap(NULL, n + HUGE, PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
				      : MAP_FAILED;

	if (p == MAP_FAILED)
		return NULL;
	size_t before = (HUGE - (uintptr_t)p % HUGE) % HUGE;
	if (before)
		(void)munmap(p, before);
	(void)munmap(p + before + n, HUGE - before);
	(void)madvise(p + before, n, MADV_HUGEPAGE); /* without, it is slower, not wrong */
	return p + before;
}

static size_t round_up(size_t n)
{
	return (n + HUGE - 1) & ~(HUGE - 1);
}

void *big_zero(size_t n, size_t size)
{
	if (n >= SIZE_MAX / 4 / size)
		return NULL;
	return n * size < HUGE ? calloc(n, size) : huge_pages(round_up(n * size));
}

void big_free(void *p, size_t cap, size_t size)
{
	if (p && cap * size >= HUGE)
		(void)munmap(p, round_up(cap * size));
	else
		free(p);
}

/* From a size in huge pages to a larger one: the pages are moved, not copied. */
static void *huge_move(void *old, size_t had, size_t want)
{
	void *to = huge_pages(want);
	void *p = to ? mremap(old, had, want, MREMAP_MAYMOVE | MREMAP_FIXED, to) : MAP_FAILED;

	if (p == MAP_FAILED) {
		if (to)
			(void)munmap(to, want);
		return NULL;
	}
	(void)madvise(p, want, MADV_HUGEPAGE);
	return p;
}

static void *moved(void *old, size_t had, size_t used, size_t want)
{
	if (want < HUGE)
		return realloc(old, want);
	if (had >= HUGE)
		return huge_move(old, round_up(had), round_up(want));
	void *p = huge_pages(round_up(want));
	if (p && used)
		memcpy(p, old, used);
	if (p)
		free(old);
	return p;
}

bool big_grow(void *p, size_t *cap, size_t n, size_t more, size_t size)
{
	void **at = p;

	if (n + more <= *cap)
		return true;
	size_t want = (n + more) * 2 > 64 ? (n + more) * 2 : 64;
	if (want >= SIZE_MAX / 4 / size)
		return false;
	if (want * size >= HUGE)
		want = round_up(want * size) / size;
	void *q = moved(*at, *cap * size, n * size, want * size);
	if (!q)
		return false;
	*at = q;
	*cap = want;
	return true;
}
