/* The fuzzer's bytes are, behind the first one, a sheet of a map, or changes of a small sheet of routes
 * (which is too large to be an input: its table of the first two octets alone has 256 KiB), four bytes each:
 * where, and what is there then.  The head's sum is put right, so that the fuzzer gets behind it; each kind
 * is opened as the view it is, and asked whole. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map/links.h"
#include "map/paths.h"
#include "map/registry.h"
#include "map/sheet_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void head_right(uint8_t *p, size_t n)
{
	struct sheet_head h;

	if (n < SHEET_HEAD)
		return;
	memcpy(&h, p, sizeof(h));
	memcpy(h.magic, SHEET_MAGIC, sizeof(h.magic));
	h.bytes = n;
	h.n_section %= SHEET_SECTIONS + 1;
	if (SHEET_HEAD + h.n_section * sizeof(struct sheet_section_at) <= n)
		h.crc = sheet_head_sum(&h, (const void *)(p + SHEET_HEAD));
	memcpy(p, &h, sizeof(h));
}

static uint64_t ask_paths(const struct paths *p)
{
	uint64_t sum = 0;
	size_t n;

	for (uint32_t k = 0; k < p->n_prefix; k++) {
		struct prefix is = map_prefix_ip(&p->prefix[k]);
		sum += paths_longest(p, &is.ip) + paths_prefix(p, &is) + paths_origin(p, k, &n);
		for (uint64_t i = p->route_at[k]; i < p->route_at[k + 1]; i++) {
			const uint32_t *as = paths_path(p, p->route_path[i], &n);
			for (size_t a = 0; a < n; a++)
				sum += p->as[as[a]];
		}
	}
	for (size_t a = 0; a < p->n_as; a++)
		for (uint32_t i = p->origin_at[a]; i < p->origin_at[a + 1]; i++)
			sum += p->prefix[p->origin_prefix[i]].len + paths_as(p, p->as[a]);
	return sum;
}

static uint64_t ask_links(const struct links *l)
{
	uint64_t sum = 0;

	for (int r = 0; r < LINK_ROLES; r++)
		for (size_t a = 0; a < l->n_as; a++)
			for (uint32_t i = l->row[r][a]; i < l->row[r][a + 1]; i++)
				sum += l->to[r][i];
	for (size_t i = 0; i < l->n_clique; i++)
		sum += l->clique[i];
	return sum;
}

static uint64_t ask_registry(const struct registry *r)
{
	uint64_t sum = 0;
	struct ip ip;

	for (int k = 0; k < NUMBER_KINDS; k++)
		for (size_t i = 0; i < r->n[k]; i++)
			sum += strlen(registry_text(r, r->of[k][i].holder));
	for (uint32_t asn = 0; asn < 200000; asn += 997)
		sum += registry_asn(r, asn) != NULL;
	for (const char *const *s = (const char *const[]){"198.18.0.1", "0.0.0.0", "2001:db8::1", "::", NULL};
		*s; s++)
		sum += ip_parse(&ip, *s) && registry_ip(r, &ip) != NULL;
	return sum;
}

static uint64_t ask_holders(const struct holders *h)
{
	uint64_t sum = 0;

	for (uint32_t asn = 0; asn < 200000; asn += 997)
		sum += holders_find(h, asn) != NULL;
	return sum;
}

static uint64_t ask(const struct sheet *s)
{
	struct err e;
	struct paths p;
	struct links l;
	struct registry r;
	struct holders h;

	switch (s->kind) {
	case SHEET_PATHS:
	case SHEET_ORIGINS:
		return paths_view(&p, s, &e) == STATUS_OK ? ask_paths(&p) : 0;
	case SHEET_LINKS:
		return links_view(&l, s, &e) == STATUS_OK ? ask_links(&l) : 0;
	case SHEET_REGISTRY:
		return registry_view(&r, s, &e) == STATUS_OK ? ask_registry(&r) : 0;
	case SHEET_HOLDERS:
		return holders_view(&h, s, &e) == STATUS_OK ? ask_holders(&h) : 0;
	}
	return 0;
}

/* ---- the sheet that is changed ---- */

static void routes_add(struct paths_build *b)
{
	static const uint8_t attr[] = "\x40\x02\x0a\x02\x02\x00\x00\xfb\xf4\x00\x00\xfb\xf5";
	static const char *const prefix[] = {"198.18.0.0/15", "198.18.0.0/24", "198.18.7.0/24",
		"2001:db8::/32", "2001:db8::/48", "2001:db8::1/128", "2001:db8:0:1::/64"};
	struct mrt_peer peer = {.asn = 64500};
	struct mrt_route r = {.table_dump_v2 = true, .attr = rd_of(attr, sizeof(attr) - 1)};
	struct err e;

	(void)ip_parse(&peer.ip, "192.0.2.1");
	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++)
		if (!prefix_parse(&r.prefix, prefix[i]) ||
			paths_build_add(b, &r, 1, &peer, 1, &e) != STATUS_OK)
			abort();
}

static uint8_t *routes_sheet(size_t *n)
{
	char path[] = "/tmp/weir-fuzz-sheet-XXXXXX";
	int fd = mkstemp(path);
	struct paths_build *b = paths_build_new();
	struct err e;
	struct sheet s;

	if (fd < 0 || !b)
		abort();
	routes_add(b);
	struct sheet_out *o = sheet_begin(&world_real, path, SHEET_PATHS, &e);
	if (!o || paths_build_write(b, o, &e) != STATUS_OK || sheet_finish(o, &e) != STATUS_OK ||
		sheet_open(&s, path, &e) != STATUS_OK)
		abort();
	*n = s.n;
	uint8_t *p = aligned_alloc(64, (s.n + 63) & ~(size_t)63);
	if (!p)
		abort();
	memcpy(p, s.map, s.n);
	sheet_close(&s);
	paths_build_free(b);
	(void)close(fd);
	(void)unlink(path);
	return p;
}

static void changes_make(uint8_t *p, size_t n, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i += 4) {
		size_t at = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
		p[at % n] = data[i + 3];
	}
}

static void open_and_ask(uint8_t *p, size_t n)
{
	struct sheet s;
	struct err e;
	volatile uint64_t sum = 0;

	head_right(p, n);
	if (sheet_of(&s, p, n, &e) == STATUS_OK) {
		(void)sheet_check(&s, &e);
		sum += ask(&s);
	}
	(void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *routes; /* made once: the fuzzer's own state, not the program's */
	static size_t n_routes;
	bool change = size && (data[0] & 1);

	if (!routes)
		routes = routes_sheet(&n_routes);
	size_t n = change ? n_routes : size ? size - 1 : 0;
	uint8_t *p = size <= 1 << 20 ? aligned_alloc(64, (n + 64) & ~(size_t)63) : NULL;
	if (!p)
		return 0;
	if (n)
		memcpy(p, change ? routes : data + 1, n);
	if (change)
		changes_make(p, n, data + 1, size - 1);
	open_and_ask(p, n);
	free(p);
	return 0;
}
