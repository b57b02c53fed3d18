/* Bytes of a block come in, its header, tables and the wanted chunks go out.  Every byte is hostile: counts
 * are bounded by the bytes that are there, indices by their tables, times by TIME_LIMIT_US.  See
 * doc/record-format.md, "Block". */
#include <stdlib.h>
#include <string.h>

#include "record/pair.h"
#include "record/segment.h"

const uint8_t block_marker[BLOCK_MARKER] = {0xb1, 'w', 'e', 'i', 'r', 0x0d, 0x0a, 0xc7};

static bool time_ok(int64_t t)
{
	return t > -TIME_LIMIT_US && t < TIME_LIMIT_US;
}

bool block_head_read(struct block_head *h, struct rd *r)
{
	const uint8_t *start = r->p;
	const uint8_t *m = rd_take(r, BLOCK_MARKER);

	*h = (struct block_head){0};
	if (!m || memcmp(m, block_marker, BLOCK_MARKER) != 0)
		return false;
	h->kind = (enum block_kind)rd_u8(r);
	h->codec = (enum block_codec)rd_u8(r);
	uint16_t flags = rd_le16(r);
	h->summary_len = rd_le32(r);
	h->body_len = rd_le32(r);
	h->raw_len = rd_le32(r);
	h->chunks = rd_le32(r);
	h->bursts = rd_le32(r);
	h->first_us = (int64_t)rd_le64(r);
	h->last_us = (int64_t)rd_le64(r);
	h->body_crc = rd_le32(r);
	h->summary_crc = rd_le32(r);
	uint32_t crc = rd_le32(r);
	if (r->bad)
		return false;
	if (crc32c(start, BLOCK_HEADER - 4) != crc)
		return false;
	return flags == 0 && h->summary_len <= BLOCK_PART_MAX && h->body_len <= BLOCK_PART_MAX &&
	       h->raw_len <= BLOCK_PART_MAX && time_ok(h->first_us) && time_ok(h->last_us) &&
	       h->first_us <= h->last_us;
}

bool block_summary_read(struct block_head *h, struct rd *r)
{
	h->summary = rd_cut(r, h->summary_len);
	if (!r->bad && crc32c(h->summary.p, h->summary_len) != h->summary_crc)
		return false;
	return !r->bad;
}

/* A name of a point, kept once for all parts. */
static const char *point_intern(struct parts *p, struct rd name)
{
	size_t n = rd_left(&name);

	if (name.bad || n > POINT_NAME_MAX || memchr(name.p, 0, n))
		return NULL;
	for (size_t i = 0; i < p->n_point; i++)
		if (strlen(p->point[i]) == n && memcmp(p->point[i], name.p, n) == 0)
			return p->point[i];
	if (!grow(&p->point, &p->cap_point, p->n_point, 1, sizeof(*p->point)))
		return NULL;
	char *copy = strndup((const char *)name.p, n);
	if (copy)
		p->point[p->n_point++] = copy;
	return copy;
}

/* Room for n items of at least `bytes` bytes each in what is left of r; NULL where r cannot hold so many. */
static void *table_room(struct arena *a, struct rd *r, uint64_t n, size_t bytes, size_t size)
{
	if (r->bad || n > rd_left(r) / bytes)
		return NULL;
	return arena_array(a, (size_t)n + 1, size);
}

static bool points_read(struct block_tables *t, struct parts *p, struct arena *a, struct rd *r)
{
	uint64_t n = rd_varint(r);

	t->point = table_room(a, r, n, 1, sizeof(*t->point));
	if (!t->point)
		return false;
	for (; t->n_point < n; t->n_point++) {
		uint64_t len = rd_varint(r);
		t->point[t->n_point] = len <= POINT_NAME_MAX ? point_intern(p, rd_cut(r, (size_t)len)) : NULL;
		if (!t->point[t->n_point])
			return false;
	}
	return true;
}

/* Takes the next host of the table, which must be above the one before: block_has_host() searches by halves,
 * and a host that it does not find is one that `forget` leaves behind. */
static bool host_add(struct block_tables *t, struct ip ip)
{
	if (t->n_host > 0 && ip_compare(&t->host[t->n_host - 1], &ip) >= 0)
		return false;
	t->host[t->n_host++] = ip;
	return true;
}

static bool hosts_read(struct block_tables *t, struct arena *a, struct rd *r)
{
	uint64_t n4 = rd_varint(r);
	uint64_t v = 0;

	t->host = table_room(a, r, n4, 1, sizeof(*t->host));
	for (uint64_t i = 0; t->host && i < n4; i++) {
		uint64_t step = rd_varint(r);
		if (step > UINT32_MAX || v + step > UINT32_MAX)
			return false;
		v += step;
		uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
		if (!host_add(t, ip_v4(b)))
			return false;
	}
	uint64_t n6 = rd_varint(r);
	struct ip *host = t->host && !r->bad ? table_room(a, r, n6, 1, sizeof(*host)) : NULL;
	if (!host || n6 > rd_left(r))
		return false;
	if (n6 == 0)
		return true;
	host = arena_array(a, (size_t)(n4 + n6), sizeof(*host));
	if (!host)
		return false;
	memcpy(host, t->host, (size_t)n4 * sizeof(*host));
	t->host = host;
	uint8_t b[16] = {0};
	for (uint64_t i = 0; i < n6; i++) {
		size_t same = rd_u8(r) & 15U;
		const uint8_t *rest = rd_take(r, 16 - same);
		if (!rest)
			return false;
		memcpy(b + same, rest, 16 - same);
		if (!host_add(t, ip_v6(b)))
			return false;
	}
	return true;
}

static bool cover_read(struct block_tables *t, struct arena *a, struct rd *r, const struct block_head *h)
{
	uint64_t n = rd_varint(r);

	t->cover = table_room(a, r, n, 5, sizeof(*t->cover));
	if (!t->cover)
		return false;
	for (; t->n_cover < n; t->n_cover++) {
		struct coverage *c = &t->cover[t->n_cover];
		uint64_t point = rd_varint(r);
		c->blind = rd_u8(r) & 1;
		uint64_t from = rd_varint(r), len = rd_varint(r);
		c->lost = rd_varint(r);
		if (r->bad || point >= t->n_point || from >= (uint64_t)TIME_LIMIT_US ||
			len >= (uint64_t)TIME_LIMIT_US)
			return false;
		c->point = t->point[point];
		c->span.from_us = h->first_us + (int64_t)from;
		c->span.to_us = c->span.from_us + (int64_t)len;
		if (!time_ok(c->span.from_us) || !time_ok(c->span.to_us))
			return false;
	}
	return true;
}

bool block_tables_read(
	struct block_tables *t, struct parts *p, struct arena *scratch, const struct block_head *h)
{
	struct rd r = h->summary;

	*t = (struct block_tables){0};
	return points_read(t, p, scratch, &r) && hosts_read(t, scratch, &r) &&
	       cover_read(t, scratch, &r, h) && !r.bad;
}

static int ip_order(const void *a, const void *b)
{
	return ip_compare(a, b);
}

bool block_has_host(const struct block_tables *t, const struct ip *ip)
{
	return bsearch(ip, t->host, t->n_host, sizeof(*t->host), ip_order) != NULL;
}

/* A body that is being read: its columns and what the filter became in this block. */
struct body {
	struct rd col[COL_COUNT];
	struct source *source;
	size_t n_source;
	const struct block_tables *tables;
	const struct block_head *head;
	const struct part_filter *filter;
};

/* LEB128 as rd_varint(), for the long columns: where ten bytes are left none needs to be checked for. */
static inline uint64_t varint(struct rd *r)
{
	const uint8_t *p = r->p;

	if (rd_left(r) < 10 || (p[0] & p[1] & p[2] & 0x80))
		return rd_varint(r);
	if (!(p[0] & 0x80)) {
		r->p += 1;
		return p[0];
	}
	if (!(p[1] & 0x80)) {
		r->p += 2;
		return (p[0] & 0x7fU) | (uint64_t)p[1] << 7;
	}
	r->p += 3;
	return (p[0] & 0x7fU) | (uint64_t)(p[1] & 0x7fU) << 7 | (uint64_t)p[2] << 14;
}

static bool columns_cut(struct body *b, struct rd r)
{
	uint64_t len[COL_COUNT];
	uint64_t n = rd_varint(&r);

	if (n < COL_COUNT || n > 255)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t v = rd_varint(&r);
		if (i < COL_COUNT)
			len[i] = v;
	}
	for (size_t i = 0; i < COL_COUNT && !r.bad; i++) {
		if (len[i] > rd_left(&r))
			return false;
		b->col[i] = rd_cut(&r, (size_t)len[i]);
	}
	return !r.bad;
}

static bool sources_read(struct body *b, struct arena *a)
{
	struct rd *r = &b->col[COL_SOURCE_TABLE];
	uint64_t n = rd_varint(r);

	b->source = table_room(a, r, n, 5, sizeof(*b->source));
	if (!b->source)
		return false;
	for (; b->n_source < n; b->n_source++) {
		uint64_t kind = rd_varint(r);
		b->source[b->n_source] = (struct source){.kind = (enum source_kind)kind,
			.resolution_us = (uint32_t)rd_varint(r),
			.clock_error_us = (uint32_t)rd_varint(r),
			.sampling = (uint32_t)rd_varint(r),
			.gap_us = (uint32_t)rd_varint(r)};
		if (kind > SOURCE_FLOW_RECORDS)
			return false;
	}
	return !r->bad;
}

static bool head_read(struct flow_head *h, struct body *b)
{
	struct rd *c = b->col;
	const uint8_t *id = rd_take(&c[COL_ID], sizeof(h->id.b));
	uint64_t source = varint(&c[COL_SOURCE]), point = varint(&c[COL_POINT]);
	uint64_t host[2] = {varint(&c[COL_HOST_0]), varint(&c[COL_HOST_1])};

	if (!id || source >= b->n_source || point >= b->tables->n_point || host[0] >= b->tables->n_host ||
		host[1] >= b->tables->n_host)
		return false;
	memcpy(h->id.b, id, sizeof(h->id.b));
	h->point = b->tables->point[point];
	h->source = b->source[source];
	h->vlan = (uint16_t)varint(&c[COL_VLAN]);
	h->proto = rd_u8(&c[COL_PROTO]);
	h->flags = rd_u8(&c[COL_FLAGS]);
	h->isn[0] = h->flags & FLOW_SYN ? rd_le32(&c[COL_ISN]) : 0;
	h->isn[1] = h->flags & FLOW_SYNACK ? rd_le32(&c[COL_ISN]) : 0;
	for (int d = 0; d < 2; d++) {
		h->end[d].ip = b->tables->host[host[d]];
		h->end[d].port = rd_le16(&c[d ? COL_PORT_1 : COL_PORT_0]);
		h->ttl[d] = rd_u8(&c[COL_TTL]);
		h->ip_id[d] = rd_le16(&c[COL_IP_ID]);
	}
	h->first_us = (int64_t)((uint64_t)b->head->first_us + (uint64_t)rd_svarint(&c[COL_FIRST]));
	return time_ok(h->first_us);
}

static bool count_read(struct flow_count *to, struct body *b)
{
	struct rd *c = b->col;

	to->packets = varint(&c[COL_PACKETS]);
	to->frame_bytes = varint(&c[COL_FRAME_BYTES]);
	to->payload_bytes = varint(&c[COL_PAYLOAD_BYTES]);
	uint64_t len = varint(&c[COL_EXTENT]);
	if (len == 0) {
		to->first_us = 0;
		to->last_us = -1;
		return true;
	}
	uint64_t from = varint(&c[COL_EXTENT]);
	if (from >= (uint64_t)TIME_LIMIT_US || len > (uint64_t)TIME_LIMIT_US)
		return false;
	to->first_us = b->head->first_us + (int64_t)from;
	to->last_us = to->first_us + (int64_t)(len - 1);
	return time_ok(to->first_us) && time_ok(to->last_us);
}

/* Passes over n varints without their values. */
static void varints_skip(struct rd *r, uint64_t n)
{
	const uint8_t *p = r->p;

	while (n > 0 && p < r->end)
		n -= !(*p++ & 0x80);
	r->p = p;
	r->bad = r->bad || n > 0;
}

static void bursts_skip(struct body *b, uint64_t n)
{
	for (size_t i = COL_BURST_START; i <= COL_BURST_BYTES; i++)
		varints_skip(&b->col[i], n);
}

static bool bursts_read(struct part *to, int d, uint64_t n, struct body *b, struct arena *a)
{
	struct rd *c = b->col;
	uint64_t at = (uint64_t)b->head->first_us;

	to->n_burst[d] = (uint32_t)n;
	if (n == 0)
		return true;
	struct burst *u = arena_array(a, (size_t)n, sizeof(*u));
	if (!u)
		return false;
	to->burst[d] = u;
	for (uint64_t i = 0; i < n; i++, u++) {
		at += varint(&c[COL_BURST_START]);
		u->start_us = (int64_t)at;
		uint64_t dur = varint(&c[COL_BURST_DUR]), packets = varint(&c[COL_BURST_PACKETS]);
		u->bytes = varint(&c[COL_BURST_BYTES]);
		if (!time_ok(u->start_us) || dur > UINT32_MAX || packets > UINT32_MAX ||
			(i > 0 && u->start_us < u[-1].start_us))
			return false;
		u->dur_us = (uint32_t)dur;
		u->packets = (uint32_t)packets;
	}
	return true;
}

/* Does the filter want this chunk?  A chunk without packets counts as present during its whole block. */
static bool part_wanted(const struct part *p, const struct body *b)
{
	const struct part_filter *f = b->filter;
	int64_t from = INT64_MAX, to = INT64_MIN;

	if (f->host && !ip_equal(f->host, &p->head.end[0].ip) && !ip_equal(f->host, &p->head.end[1].ip))
		return false;
	if (f->port > 0 && p->head.end[0].port != f->port && p->head.end[1].port != f->port)
		return false;
	if (f->id && !id_match(&p->head.id, f->id))
		return false;
	if (f->pair && !pair_has(f->pair, &p->head))
		return false;
	for (int d = 0; d < 2; d++) {
		if (p->count[d].last_us < p->count[d].first_us)
			continue;
		from = p->count[d].first_us < from ? p->count[d].first_us : from;
		to = p->count[d].last_us > to ? p->count[d].last_us : to;
	}
	if (from > to) {
		from = b->head->first_us;
		to = b->head->last_us;
	}
	return from <= f->until_us && to >= f->since_us;
}

/* One chunk of the columns.  *wanted: it was filled and is to be kept. */
static bool part_read(struct part *p, struct body *b, struct arena *a, bool *wanted)
{
	uint64_t n[2];

	if (!head_read(&p->head, b))
		return false;
	for (int d = 0; d < 2; d++) {
		if (!count_read(&p->count[d], b))
			return false;
		n[d] = varint(&b->col[COL_N_BURST]);
		if (n[d] > rd_left(&b->col[COL_BURST_DUR]) && n[d] > b->head->bursts)
			return false;
		p->burst[d] = NULL;
	}
	*wanted = part_wanted(p, b);
	for (int d = 0; d < 2; d++) {
		if (b->filter->heads_only)
			p->n_burst[d] = (uint32_t)n[d];
		else if (!*wanted)
			bursts_skip(b, n[d]);
		else if (n[d] > rd_left(&b->col[COL_BURST_DUR]) || !bursts_read(p, d, n[d], b, a))
			return false;
	}
	return true;
}

static bool columns_bad(const struct body *b)
{
	bool bad = false;

	for (size_t i = 0; i < COL_COUNT; i++)
		bad = bad || b->col[i].bad;
	return bad;
}

bool block_read(struct parts *to, struct arena *scratch, const struct block_head *h,
	const struct block_tables *t, struct rd raw, const struct part_filter *f, uint64_t writer)
{
	struct body b = {.tables = t, .head = h, .filter = f};
	size_t before = to->n;
	bool ok = columns_cut(&b, raw) && sources_read(&b, scratch) &&
		  h->chunks <= rd_left(&b.col[COL_ID]) / 16;

	for (uint32_t i = 0; ok && i < h->chunks; i++) {
		bool wanted = false;
		ok = grow(&to->part, &to->cap, to->n, 1, sizeof(*to->part));
		ok = ok && part_read(&to->part[to->n], &b, &to->arena, &wanted);
		if (ok && wanted)
			to->part[to->n++].writer = writer;
	}
	ok = ok && !columns_bad(&b);
	if (!ok)
		to->n = before;
	return ok;
}

void parts_free(struct parts *p)
{
	for (size_t i = 0; i < p->n_point; i++)
		free(p->point[i]);
	free(p->point);
	free(p->part);
	free(p->cover);
	arena_free(&p->arena);
	*p = (struct parts){0};
}
