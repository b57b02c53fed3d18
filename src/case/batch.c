/* A batch of sightings as bytes, between the process that parses a sensor's lines and the one that acts.
 *
 *     magic, kept, number of alerts (le32 each); other, unsaid, skipped[] (le64 each);
 *     foreign (le16 length, text); then each alert:
 *     key (16 bytes), sure, protocol (1 byte each), two ends (version, 16 bytes, le16 port),
 *     time, count (le64 each), text (le16 length, text)
 *
 * The writer has no rights and may have been taken over by what it parses; so the reader believes nothing. */
#include <string.h>

#include "base/utf8.h"
#include "case/pieces.h"

#define MAGIC    0x31627477          /* "wtb1" */
#define LINE_CAP (UINT64_C(1) << 48) /* more lines than a piece can have, in any count */

static void text_put(struct buf *to, const char *s)
{
	size_t n = strlen(s);

	buf_le16(to, (uint16_t)n);
	buf_put(to, s, n);
}

static void alert_put(struct buf *to, const struct batch_alert *al)
{
	buf_put(to, al->key.b, sizeof(al->key.b));
	buf_u8(to, al->sure);
	buf_u8(to, al->s.proto);
	for (int i = 0; i < 2; i++) {
		buf_u8(to, al->s.end[i].ip.v);
		buf_put(to, al->s.end[i].ip.b, sizeof(al->s.end[i].ip.b));
		buf_le16(to, al->s.end[i].port);
	}
	buf_le64(to, (uint64_t)al->s.at.us);
	buf_le64(to, al->s.count);
	text_put(to, al->s.text);
}

void batch_write(struct buf *to, const struct batch *b)
{
	buf_le32(to, MAGIC);
	buf_le32(to, (uint32_t)b->kept);
	buf_le32(to, (uint32_t)b->n);
	buf_le64(to, b->other);
	buf_le64(to, b->unsaid);
	for (size_t i = 0; i < LINE_COUNT; i++)
		buf_le64(to, b->skipped[i]);
	text_put(to, b->foreign ? b->foreign : "");
	for (size_t i = 0; i < b->n; i++)
		alert_put(to, &b->alert[i]);
}

/* A text shorter than max; NULL and bad where it is none. */
static const char *text_take(struct rd *r, size_t max, struct arena *a, bool *memory)
{
	size_t n = rd_le16(r);
	const uint8_t *p = n < max ? rd_take(r, n) : NULL;
	char *to;

	if (!p || (n && memchr(p, '\0', n))) {
		r->bad = true;
		return NULL;
	}
	to = arena_alloc(a, n + 1);
	*memory = *memory && to;
	if (!to)
		return NULL;
	if (n)
		memcpy(to, p, n);
	r->bad = r->bad || !utf8_valid(to);
	return to;
}

/* An address has its version, and nothing behind its bytes. */
static void end_take(struct rd *r, struct endpoint *to)
{
	static const uint8_t zero[12];
	uint8_t v = rd_u8(r);
	const uint8_t *p = rd_take(r, 16);

	to->port = rd_le16(r);
	if (!p || (v != 4 && v != 6) || (v == 4 && memcmp(p + 4, zero, 12) != 0)) {
		r->bad = true;
		return;
	}
	to->ip.v = v;
	memcpy(to->ip.b, p, 16);
}

static void alert_take(
	struct rd *r, const struct sensor *k, struct arena *a, struct batch_alert *to, bool *memory)
{
	const uint8_t *key = rd_take(r, sizeof(to->key.b));
	uint8_t sure = rd_u8(r);

	if (key)
		memcpy(to->key.b, key, sizeof(to->key.b));
	to->sure = sure != 0;
	to->s.source = k->source;
	to->s.proto = rd_u8(r);
	for (int i = 0; i < 2; i++)
		end_take(r, &to->s.end[i]);
	to->s.at.us = (int64_t)rd_le64(r);
	to->s.count = rd_le64(r);
	to->s.text = text_take(r, SENSOR_TEXT_MAX, a, memory);
	if (sure > 1 || to->s.end[0].ip.v != to->s.end[1].ip.v || to->s.at.us < 0 || to->s.count == 0 ||
		to->s.count > LINE_CAP)
		r->bad = true;
	if (!sensor_has_ports(to->s.proto) && (to->s.end[0].port || to->s.end[1].port))
		r->bad = true;
}

/* Magic, counts and what the file is said to be. */
static size_t head_take(struct rd *r, struct arena *a, struct batch *to, bool *memory)
{
	size_t n;
	bool good = rd_le32(r) == MAGIC;

	to->kept = rd_le32(r);
	n = rd_le32(r);
	to->other = rd_le64(r);
	to->unsaid = rd_le64(r);
	good = good && to->kept <= SENSOR_LINE_MAX && n <= PIECES_BATCH && to->other < LINE_CAP &&
	       to->unsaid < LINE_CAP;
	for (size_t i = 0; i < LINE_COUNT; i++) {
		to->skipped[i] = rd_le64(r);
		good = good && to->skipped[i] < LINE_CAP;
	}
	to->foreign = text_take(r, PIECES_TIP, a, memory);
	r->bad = r->bad || !good;
	return r->bad ? 0 : n;
}

enum status batch_read(
	struct batch *to, const struct sensor *k, const void *p, size_t n, struct arena *a, struct err *e)
{
	struct rd r = rd_of(p, n);
	bool memory = true;

	*to = (struct batch){0};
	to->n = head_take(&r, a, to, &memory);
	to->alert = arena_array(a, to->n, sizeof(*to->alert));
	memory = memory && (to->alert || to->n == 0);
	for (size_t i = 0; i < to->n && memory && !r.bad; i++)
		alert_take(&r, k, a, &to->alert[i], &memory);
	if (!memory)
		return err_nomem(e);
	if (r.bad || rd_left(&r) > 0)
		return err_set(
			e, STATUS_BAD, "the process that reads the lines answered with what is no batch");
	return STATUS_OK;
}
