/* Arrays that grow. */
#ifndef WEIR_BASE_GROW_H
#define WEIR_BASE_GROW_H

#include <stdbool.h>
#include <stddef.h>

/* Grows *p, an array of malloc() or NULL, so that n + more elements of `size` fit; false where memory is out,
 * with the array as it was. */
bool grow(void *p, size_t *cap, size_t n, size_t more, size_t size);

#endif
