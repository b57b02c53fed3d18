/* Routes by hand: an AS path as BGP writes it, routes into a sheet, the sheet as a view. */
#ifndef WEIR_TESTS_MAP_PATHS_KIT_H
#define WEIR_TESTS_MAP_PATHS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "map/paths.h"

#define KIT_PATH 12
struct kit_route {
	uint32_t peer; /* of the peers given */
	struct prefix prefix;
	uint32_t as[KIT_PATH];
	size_t n_as;
};

/* ORIGIN and AS_PATH of 4-octet numbers; returns the bytes used of to (at least 16 + 4 * n). */
static inline size_t kit_attr(uint8_t *to, const uint32_t *as, size_t n)
{
	size_t k = 0;

	to[k++] = 0x40; /* ORIGIN IGP */
	to[k++] = 1;
	to[k++] = 1;
	to[k++] = 0;
	to[k++] = 0x40; /* AS_PATH, one AS_SEQUENCE */
	to[k++] = 2;
	to[k++] = (uint8_t)(2 + 4 * n);
	to[k++] = 2;
	to[k++] = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			to[k++] = (uint8_t)(as[i] >> shift);
	return k;
}

/* Makes a sheet of the routes (each prefix's together, as in a table) and opens it; path is removed at once.
 */
static inline void kit_paths(struct sheet *s, struct paths *p, const struct mrt_peer *peer, size_t n_peer,
	const struct kit_route *r, size_t n)
{
	char path[] = "/tmp/weir-paths-XXXXXX";
	struct paths_build *b = paths_build_new();
	struct err e = {0};

	assert_non_null(b);
	paths_build_record(b, true, (struct wall){INT64_C(1500000000000000)});
	for (size_t i = 0; i < n; i++) {
		uint8_t bytes[16 + 4 * KIT_PATH];
		struct mrt_route m = {.peer = r[i].peer, .prefix = r[i].prefix, .table_dump_v2 = true};
		m.attr = rd_of(bytes, kit_attr(bytes, r[i].as, r[i].n_as));
		if (paths_build_add(b, &m, 1, peer, n_peer, &e) != STATUS_OK)
			fail_msg("%s", e.text);
	}
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	struct sheet_out *o = sheet_begin(&world_real, path, SHEET_PATHS, &e);
	assert_non_null(o);
	if (paths_build_write(b, o, &e) != STATUS_OK || sheet_finish(o, &e) != STATUS_OK ||
		sheet_open(s, path, &e) != STATUS_OK || paths_view(p, s, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	(void)unlink(path);
	paths_build_free(b);
}

#endif
