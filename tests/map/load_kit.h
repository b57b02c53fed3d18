/* MRT tables and updates by hand, as files to be loaded, and the map that they become. */
#ifndef WEIR_TESTS_MAP_LOAD_KIT_H
#define WEIR_TESTS_MAP_LOAD_KIT_H

#include "sheet_kit.h"

#include "map/load.h"
#include "mrt_kit.h"

enum { TABLE = 13, TABLE_INDEX = 1, TABLE_RIB4 = 2, BGP4MP = 16, MESSAGE_AS4 = 4, T0 = 1419206400 };

/* ---- files ---- */

static inline void time_set(struct buf *b, size_t at, uint32_t time)
{
	set32(b, at, time);
}

static inline void index_table(struct buf *b, uint32_t time, uint32_t first_peer, unsigned n)
{
	size_t at = record_begin(b, TABLE, TABLE_INDEX);

	time_set(b, at, time);
	put32(b, 0xc0000201);
	put16(b, 0);
	put16(b, n);
	for (unsigned i = 0; i < n; i++) {
		buf_u8(b, 2);
		put32(b, 0xc6336401 + first_peer + i);
		put32(b, 0xc6336401 + first_peer + i); /* its address */
		put32(b, 64500 + first_peer + i);
	}
	record_end(b, at);
}

static inline void attributes(struct buf *b, uint32_t peer, uint32_t origin, bool next_hop)
{
	put16(b, 4 + 3 + 2 + 12 + (next_hop ? 7 : 0));
	buf_put(b, "\x40\x01\x01\x00\x40\x02\x0e\x02\x03", 9);
	put32(b, 64500 + peer);
	put32(b, 65000);
	put32(b, origin);
	if (next_hop)
		buf_put(b, "\x40\x03\x04\xc6\x33\x64\x01", 7);
}

/* 198.18.x.0/24 with a route of each peer. */
static inline void rib(struct buf *b, uint32_t time, unsigned x, unsigned peers, uint32_t origin)
{
	size_t at = record_begin(b, TABLE, TABLE_RIB4);

	time_set(b, at, time);
	put32(b, x);
	buf_put(b, "\x18\xc6\x12", 3);
	buf_u8(b, (uint8_t)x);
	put16(b, peers);
	for (unsigned i = 0; i < peers; i++) {
		put16(b, i);
		put32(b, time - 1000);
		attributes(b, i, origin, false);
	}
	record_end(b, at);
}

/* An UPDATE of a peer about 198.18.x.0/24; origin 0: withdrawn. */
static inline void update(struct buf *b, uint32_t time, uint32_t peer, unsigned x, uint32_t origin)
{
	size_t at = record_begin(b, BGP4MP, MESSAGE_AS4);

	time_set(b, at, time);
	put32(b, 64500 + peer);
	put32(b, 64999);
	put16(b, 0);
	put16(b, 1);
	put32(b, 0xc6336401 + peer);
	put32(b, 0xc6336464);
	size_t message = b->n;
	for (int i = 0; i < 16; i++)
		buf_u8(b, 0xff);
	put16(b, 0);
	buf_u8(b, 2);
	put16(b, origin ? 0 : 4);
	if (!origin) {
		buf_put(b, "\x18\xc6\x12", 3);
		buf_u8(b, (uint8_t)x);
		put16(b, 0);
	} else {
		attributes(b, peer, origin, true);
		buf_put(b, "\x18\xc6\x12", 3);
		buf_u8(b, (uint8_t)x);
	}
	set16(b, message + 16, (unsigned)(b->n - message));
	record_end(b, at);
}

static inline void spill(const char *dir, const char *name, struct buf *b, char path[4200])
{
	kit_file(path, dir, name);
	kit_spill(path, b->p, b->n);
	buf_free(b);
	*b = (struct buf){0};
}

static inline void table_file(
	const char *dir, const char *name, uint32_t time, uint32_t origin, char path[4200])
{
	struct buf b = {0};

	index_table(&b, time, 0, 3);
	for (unsigned x = 0; x < 5; x++)
		rib(&b, time, x, 3, origin);
	spill(dir, name, &b, path);
}

/* ---- asking ---- */

static inline size_t peers_of(const struct paths *p, const char *prefix, uint32_t *origin)
{
	struct prefix q;
	size_t n;

	assert_true(prefix_parse(&q, prefix));
	uint32_t k = paths_prefix(p, &q), as = paths_origin(p, k, &n);
	*origin = as == NO_INDEX32 ? 0 : p->as[as];
	return k == NO_INDEX32 ? 0 : p->route_at[k + 1] - p->route_at[k];
}

static inline void open_map(struct atlas *a, const char *dir)
{
	struct err e = {0};

	if (atlas_open(a, dir, NULL, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

static inline enum status load(const char *dir, struct load_file *f, size_t n, struct err *e)
{
	return map_load(dir, &world_real, f, n, 2, NULL, e);
}

#endif
