/* What the tests of sheets share: a directory of their own, a world that fails or dies at the Nth operation.
 */
#ifndef WEIR_TESTS_MAP_SHEET_KIT_H
#define WEIR_TESTS_MAP_SHEET_KIT_H

#include "../record/store_kit.h"
#include "map/sheet.h"

static inline void kit_file(char to[4200], const char *dir, const char *name)
{
	(void)snprintf(to, 4200, "%s/%s", dir, name);
}

/* Files in dir whose names end so. */
static inline size_t kit_count(const char *dir, const char *suffix)
{
	char cmd[4300];
	unsigned n = 0;

	(void)snprintf(cmd, sizeof(cmd), "ls %s 2>/dev/null | grep -c -e '%s$'", dir, suffix);
	FILE *f = popen(cmd, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	(void)pclose(f);
	return n;
}

#endif
