/* A block of trains as bytes: the buffered chunks come in, header, summary (names, hosts, coverage) and the
 * packed columns of the body go out.  Written to doc/record-format.md, section "Block". */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "record/segment.h"

/* Measured (see doc/record-format.md): levels above 3 cost twice the time and save less than 3 %. */
#define PACK_LEVEL 3

/* The tables that the columns refer to. */
struct tables {
	struct ip *host;
	size_t n_host;
	struct source source[256];
	size_t n_source;
	struct buf col[COL_COUNT];
	struct buf summary, body;
};

static int ip_order(const void *a, const void *b)
{
	return ip_compare(a, b);
}

/* All hosts of the chunks, sorted, each once. */
static bool hosts_collect(struct tables *t, const struct stash *s)
{
	t->host = calloc(s->n_chunk * 2 + 1, sizeof(*t->host));
	if (!t->host)
		return false;
	for (size_t i = 0; i < s->n_chunk; i++)
		for (int d = 0; d < 2; d++)
			t->host[2 * i + (size_t)d] = s->chunk[i].head.end[d].ip;
	qsort(t->host, s->n_chunk * 2, sizeof(*t->host), ip_order);
	for (size_t i = 0; i < s->n_chunk * 2; i++)
		if (t->n_host == 0 || !ip_equal(&t->host[t->n_host - 1], &t->host[i]))
			t->host[t->n_host++] = t->host[i];
	return true;
}

static size_t host_index(const struct tables *t, const struct ip *ip)
{
	const struct ip *at = bsearch(ip, t->host, t->n_host, sizeof(*t->host), ip_order);

	return at ? (size_t)(at - t->host) : 0;
}

static bool source_equal(const struct source *a, const struct source *b)
{
	return a->kind == b->kind && a->resolution_us == b->resolution_us &&
	       a->clock_error_us == b->clock_error_us && a->sampling == b->sampling && a->gap_us == b->gap_us;
}

/* Index of a source; more than 256 different ones in a block do not happen with one recorder: SIZE_MAX. */
static size_t source_index(struct tables *t, const struct source *s)
{
	for (size_t i = 0; i < t->n_source; i++)
		if (source_equal(&t->source[i], s))
			return i;
	if (t->n_source == sizeof(t->source) / sizeof(t->source[0]))
		return SIZE_MAX;
	t->source[t->n_source] = *s;
	return t->n_source++;
}

static size_t point_index(const struct stash *s, const char *name)
{
	size_t i = 0;

	while (i + 1 < s->n_point && s->point[i] != name)
		i++;
	return i;
}

static void column_source_table(struct tables *t)
{
	struct buf *b = &t->col[COL_SOURCE_TABLE];

	buf_varint(b, t->n_source);
	for (size_t i = 0; i < t->n_source; i++) {
		buf_varint(b, (uint64_t)t->source[i].kind);
		buf_varint(b, t->source[i].resolution_us);
		buf_varint(b, t->source[i].clock_error_us);
		buf_varint(b, t->source[i].sampling);
		buf_varint(b, t->source[i].gap_us);
	}
}

static void column_head(struct tables *t, const struct flow_head *h, int64_t base_us)
{
	buf_put(&t->col[COL_ID], h->id.b, sizeof(h->id.b));
	buf_varint(&t->col[COL_VLAN], h->vlan);
	buf_u8(&t->col[COL_PROTO], h->proto);
	buf_u8(&t->col[COL_FLAGS], h->flags);
	buf_varint(&t->col[COL_HOST_0], host_index(t, &h->end[0].ip));
	buf_varint(&t->col[COL_HOST_1], host_index(t, &h->end[1].ip));
	buf_le16(&t->col[COL_PORT_0], h->end[0].port);
	buf_le16(&t->col[COL_PORT_1], h->end[1].port);
	if (h->flags & FLOW_SYN)
		buf_le32(&t->col[COL_ISN], h->isn[0]);
	if (h->flags & FLOW_SYNACK)
		buf_le32(&t->col[COL_ISN], h->isn[1]);
	for (int d = 0; d < 2; d++) {
		buf_u8(&t->col[COL_TTL], h->ttl[d]);
		buf_le16(&t->col[COL_IP_ID], h->ip_id[d]);
	}
	buf_svarint(&t->col[COL_FIRST], h->first_us - base_us);
}

static void column_count(struct tables *t, const struct flow_count *c, int64_t base_us)
{
	buf_varint(&t->col[COL_PACKETS], c->packets);
	buf_varint(&t->col[COL_FRAME_BYTES], c->frame_bytes);
	buf_varint(&t->col[COL_PAYLOAD_BYTES], c->payload_bytes);
	if (c->last_us < c->first_us) {
		buf_varint(&t->col[COL_EXTENT], 0);
	} else {
		buf_varint(&t->col[COL_EXTENT], (uint64_t)(c->last_us - c->first_us) + 1);
		buf_varint(&t->col[COL_EXTENT], (uint64_t)(c->first_us - base_us));
	}
}

static void column_bursts(struct tables *t, const struct burst *b, size_t n, int64_t base_us)
{
	int64_t before = base_us;

	buf_varint(&t->col[COL_N_BURST], n);
	for (size_t i = 0; i < n; i++) {
		buf_varint(&t->col[COL_BURST_START], (uint64_t)(b[i].start_us - before));
		buf_varint(&t->col[COL_BURST_DUR], b[i].dur_us);
		buf_varint(&t->col[COL_BURST_PACKETS], b[i].packets);
		buf_varint(&t->col[COL_BURST_BYTES], b[i].bytes);
		before = b[i].start_us;
	}
}

static bool columns_fill(struct tables *t, const struct stash *s, int64_t base_us)
{
	const struct burst *b = s->burst;

	for (size_t i = 0; i < s->n_chunk; i++) {
		const struct chunk *c = &s->chunk[i];
		size_t source = source_index(t, &c->head.source);
		if (source == SIZE_MAX)
			return false;
		buf_varint(&t->col[COL_SOURCE], source);
		buf_varint(&t->col[COL_POINT], point_index(s, c->head.point));
		column_head(t, &c->head, base_us);
		for (int d = 0; d < 2; d++) {
			column_count(t, &c->count[d], base_us);
			column_bursts(t, b, c->n_burst[d], base_us);
			b += c->n_burst[d];
		}
	}
	column_source_table(t);
	return true;
}

static void hosts_put(struct buf *b, const struct tables *t)
{
	size_t n4 = 0;
	uint32_t before = 0;
	const uint8_t *last = NULL;

	while (n4 < t->n_host && t->host[n4].v == 4)
		n4++;
	buf_varint(b, n4);
	for (size_t i = 0; i < n4; i++) {
		struct rd r = rd_of(t->host[i].b, 4);
		uint32_t v = rd_be32(&r);
		buf_varint(b, v - before);
		before = v;
	}
	buf_varint(b, t->n_host - n4);
	for (size_t i = n4; i < t->n_host; i++) {
		size_t same = 0;
		while (last && same < 15 && last[same] == t->host[i].b[same])
			same++;
		buf_u8(b, (uint8_t)same);
		buf_put(b, t->host[i].b + same, 16 - same);
		last = t->host[i].b;
	}
}

static void summary_fill(struct tables *t, const struct stash *s, int64_t base_us)
{
	struct buf *b = &t->summary;

	buf_varint(b, s->n_point);
	for (size_t i = 0; i < s->n_point; i++) {
		buf_varint(b, strlen(s->point[i]));
		buf_put(b, s->point[i], strlen(s->point[i]));
	}
	hosts_put(b, t);
	buf_varint(b, s->n_cover);
	for (size_t i = 0; i < s->n_cover; i++) {
		const struct coverage *c = &s->cover[i];
		buf_varint(b, point_index(s, c->point));
		buf_u8(b, c->blind ? 1 : 0);
		buf_varint(b, (uint64_t)(c->span.from_us - base_us));
		buf_varint(b, (uint64_t)(c->span.to_us - c->span.from_us));
		buf_varint(b, c->lost);
	}
}

static void widen(struct block_head *h, int64_t from, int64_t to)
{
	h->first_us = from < h->first_us ? from : h->first_us;
	h->last_us = to > h->last_us ? to : h->last_us;
}

/* First and last time of everything in s. */
static void times_find(struct block_head *h, const struct stash *s)
{
	h->first_us = INT64_MAX;
	h->last_us = INT64_MIN;
	for (size_t i = 0; i < s->n_chunk; i++) {
		for (int d = 0; d < 2; d++)
			if (s->chunk[i].count[d].first_us <= s->chunk[i].count[d].last_us)
				widen(h, s->chunk[i].count[d].first_us, s->chunk[i].count[d].last_us);
	}
	for (size_t i = 0; i < s->n_burst; i++)
		widen(h, s->burst[i].start_us, burst_end(&s->burst[i]));
	for (size_t i = 0; i < s->n_cover; i++)
		widen(h, s->cover[i].span.from_us, s->cover[i].span.to_us);
	if (h->first_us > h->last_us) /* chunks without packets and bursts: where their flows began */
		for (size_t i = 0; i < s->n_chunk; i++)
			widen(h, s->chunk[i].head.first_us, s->chunk[i].head.first_us);
}

/* The columns behind their lengths. */
static bool body_fill(struct tables *t)
{
	bool ok = true;

	buf_varint(&t->body, COL_COUNT);
	for (size_t i = 0; i < COL_COUNT; i++) {
		ok = ok && !t->col[i].failed;
		buf_varint(&t->body, t->col[i].n);
	}
	for (size_t i = 0; i < COL_COUNT; i++)
		buf_put(&t->body, t->col[i].p, t->col[i].n);
	return ok && !t->body.failed && !t->summary.failed;
}

enum status block_write(struct buf *to, const struct stash *s, struct err *e)
{
	struct block_head h = {
		.kind = BLOCK_TRAINS, .chunks = (uint32_t)s->n_chunk, .bursts = (uint32_t)s->n_burst};
	struct tables *t = calloc(1, sizeof(*t));
	enum status st;

	if (!t || !hosts_collect(t, s)) {
		free(t);
		return err_nomem(e);
	}
	times_find(&h, s);
	if (!columns_fill(t, s, h.first_us)) {
		st = err_set(e, STATUS_BAD, "more than 256 kinds of source in one block");
	} else {
		summary_fill(t, s, h.first_us);
		st = body_fill(t) ? block_wrap(to, &h, &t->summary, &t->body, e) : err_nomem(e);
	}
	for (size_t i = 0; i < COL_COUNT; i++)
		buf_free(&t->col[i]);
	buf_free(&t->summary);
	buf_free(&t->body);
	free(t->host);
	free(t);
	return st;
}

static void head_put(struct buf *to, const struct block_head *h, const struct buf *summary)
{
	size_t at = to->n;

	buf_put(to, block_marker, BLOCK_MARKER);
	buf_u8(to, (uint8_t)h->kind);
	buf_u8(to, (uint8_t)h->codec);
	buf_le16(to, 0);
	buf_le32(to, h->summary_len);
	buf_le32(to, h->body_len);
	buf_le32(to, h->raw_len);
	buf_le32(to, h->chunks);
	buf_le32(to, h->bursts);
	buf_le64(to, (uint64_t)h->first_us);
	buf_le64(to, (uint64_t)h->last_us);
	buf_le32(to, h->body_crc);
	buf_le32(to, crc32c(summary->p, summary->n));
	if (!to->failed)
		buf_le32(to, crc32c(to->p + at, to->n - at));
	buf_put(to, summary->p, summary->n);
}

/* Packs the body, or stores it as it is where packing gains nothing. */
enum status block_wrap(struct buf *to, const struct block_head *given, const struct buf *summary,
	const struct buf *body, struct err *e)
{
	struct block_head h = *given;
	struct buf packed = {0};
	size_t n;

	if (body->n > BLOCK_PART_MAX || summary->n > BLOCK_PART_MAX)
		return err_set(e, STATUS_BAD, "a block of more than %zu bytes", BLOCK_PART_MAX);
	packed.cap = ZSTD_compressBound(body->n);
	packed.p = malloc(packed.cap);
	if (!packed.p)
		return err_nomem(e);
	n = ZSTD_compress(packed.p, packed.cap, body->p, body->n, PACK_LEVEL);
	h.codec = ZSTD_isError(n) || n >= body->n ? CODEC_STORED : CODEC_ZSTD;
	packed.n = n;
	const struct buf *out = h.codec == CODEC_ZSTD ? &packed : body;
	h.summary_len = (uint32_t)summary->n;
	h.body_len = (uint32_t)out->n;
	h.raw_len = (uint32_t)body->n;
	h.body_crc = crc32c(out->p, out->n);
	head_put(to, &h, summary);
	buf_put(to, out->p, out->n);
	buf_free(&packed);
	return to->failed ? err_nomem(e) : STATUS_OK;
}
