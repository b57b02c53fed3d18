/* Any bytes as path attributes; the first says of how many octets AS numbers are.  The short way to the AS
 * path finds what the whole reading finds, and the path's networks are those of its segments. */
#include <stdlib.h>

#include "map/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void list_check(const uint64_t *as, size_t n, enum path_fault fault)
{
	if (n > AS_PATH_MAX || (fault == PATH_EMPTY && n > 0) || (fault == PATH_BAD && n > 0))
		abort();
	for (size_t i = 0; i < n; i++)
		if ((uint32_t)as[i] == 0 || as[i] >> 33 || (i > 0 && as[i] == as[i - 1]))
			abort();
	bool loop = false;
	for (size_t i = 0; i < n && !loop; i++)
		for (size_t k = i + 1; k < n && !loop; k++)
			loop = as[i] == as[k] && !(as[i] & AS_IN_SET);
	if ((fault == PATH_OK && loop) || (fault == PATH_LOOP && !loop))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t as[AS_PATH_MAX];
	struct rd path, whole, as4;
	struct attrs a;
	size_t k;

	if (n == 0)
		return 0;
	bool two = p[0] & 1;
	struct rd bytes = rd_of(p + 1, n - 1);
	bool fits = attrs_read(&a, bytes), has = a.present >> ATTR_AS_PATH & 1;
	if (attr_path(&path, NULL, bytes) != has || (has && path.p != a.at[ATTR_AS_PATH].p))
		abort();
	if (attr_path(&whole, &as4, bytes) != (fits && has))
		abort();
	enum path_fault fault;
	if (has) {
		fault = attr_path_list(as, &k, path, as4, two);
		list_check(as, k, fault);
	}
	fault = attr_path_list(as, &k, bytes, (struct rd){0}, two); /* all as segments */
	list_check(as, k, fault);
	return 0;
}
