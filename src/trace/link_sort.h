/* Sorting for the link test: no library, no allocation. */
#ifndef WEIR_TRACE_LINK_SORT_H
#define WEIR_TRACE_LINK_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Sorts v upwards; w, if there is one (else NULL), goes along.  n log n at worst; equal values in no order.
 */
void link_sort(int64_t *v, int64_t *w, size_t n);

/* Orders v so far that v[k] is what it would be if sorted, nothing before it larger, nothing after it
 * smaller.  k < n.  Linear where the sort is n log n. */
void link_select(int64_t *v, size_t n, size_t k);

/* The interquartile range of v[n], in no order on return; *median where it is asked for.  At least one value.
 */
int64_t link_spread(int64_t *v, size_t n, int64_t *median);

#endif
