/* Orders for qsort(3) and bsearch(3). */
#ifndef WEIR_BASE_ORDER_H
#define WEIR_BASE_ORDER_H

#include <stdint.h>

static inline int u32_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

#endif
