/* Large arrays that grow, as grow() does it for all others: from 2 MiB on they lie in huge pages where the
 * kernel has such.  A table's paths are looked up all over its memory: with small pages half of the time goes
 * into page faults and misses of the TLB. */
#ifndef WEIR_MAP_BIG_H
#define WEIR_MAP_BIG_H

#include <stdbool.h>
#include <stddef.h>

/* As grow(); *cap is what big_free() needs.  What is new is not zero below 2 MiB. */
bool big_grow(void *p, size_t *cap, size_t n, size_t more, size_t size);
/* n zeroed elements, cap == n. */
void *big_zero(size_t n, size_t size);
void big_free(void *p, size_t cap, size_t size);

#endif
