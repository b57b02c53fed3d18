/* Numbers in lists: an order for qsort(3) and bsearch(3), and where one is. */
#ifndef WEIR_BASE_ORDER_H
#define WEIR_BASE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline int u32_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The place of x among n ascending numbers, each once; UINT32_MAX where it is not there. */
static inline uint32_t u32_find(const uint32_t *v, size_t n, uint32_t x)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (v[mid] < x)
			from = mid + 1;
		else
			to = mid;
	}
	return from < n && v[from] == x ? (uint32_t)from : UINT32_MAX;
}

/* Is x among n numbers in no order? */
static inline bool u32_has(const uint32_t *v, size_t n, uint32_t x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

#endif
