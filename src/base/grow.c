/* Arrays that grow: twice what is asked for, so that a list costs a few copies whatever its length. */
#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>

bool grow(void *p, size_t *cap, size_t n, size_t more, size_t size)
{
	void **at = p;

	if (n + more <= *cap)
		return true;
	size_t want = (n + more) * 2 > 64 ? (n + more) * 2 : 64;
	void *q = want < SIZE_MAX / 2 / size ? realloc(*at, want * size) : NULL;
	if (!q)
		return false;
	*at = q;
	*cap = want;
	return true;
}
