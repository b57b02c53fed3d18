/* What the tests of the store share: directories, random flows and the chunks they come in, a world that
 * fails or dies at the Nth operation, and a slow second implementation of a recording: the flows themselves,
 * filtered and merged by hand. */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "record/store.h"

/* ---- directories ---- */

static inline char *kit_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	assert_true(asprintf(&path, "%s/weir-store-XXXXXX", base ? base : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline int kit_remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static inline void kit_dir_free(char *path)
{
	(void)nftw(path, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

/* The only file in DIR/trains that ends with suffix, by number; false where there are fewer. */
static inline bool kit_segment(char to[4096], const char *dir, const char *suffix, size_t number)
{
	char cmd[4300];
	bool ok = false;

	(void)snprintf(cmd, sizeof(cmd), "ls %s/trains/*%s 2>/dev/null", dir, suffix);
	FILE *f = popen(cmd, "r");
	assert_non_null(f);
	for (size_t i = 0; fgets(to, 4096, f); i++) {
		to[strcspn(to, "\n")] = '\0';
		if (i == number) {
			ok = true;
			break;
		}
	}
	(void)pclose(f);
	return ok;
}

static inline uint8_t *kit_slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*n = (size_t)st.st_size;
	uint8_t *p = malloc(*n + 1);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, *n, f), *n);
	(void)fclose(f);
	return p;
}

static inline void kit_spill(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Log lines are wanted where damage is the test: they go away between these two. */
static int kit_stderr = -1;

static inline void kit_quiet(void)
{
	kit_stderr = dup(STDERR_FILENO);
	int null = open("/dev/null", O_WRONLY);
	(void)dup2(null, STDERR_FILENO);
	(void)close(null);
}

static inline void kit_loud(void)
{
	(void)dup2(kit_stderr, STDERR_FILENO);
	(void)close(kit_stderr);
}

/* ---- the second implementation: true flows ---- */

enum { TRUE_BURSTS = 60 };

struct true_flow {
	struct flow_head head;
	struct burst burst[2][TRUE_BURSTS]; /* as recorded: apart by the recorded gap or more */
	size_t n[2];
	uint64_t acks[2]; /* packets without payload */
};

static inline struct ip kit_ip(uint64_t i)
{
	uint8_t v4[4] = {192, 0, 2, (uint8_t)i};
	uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)i};

	return i % 4 == 3 ? ip_v6(v6) : ip_v4(v4);
}

static const char *const kit_point[3] = {"edge", "core", ""};

/* A flow with a key of its own (number is in its port), beginning in the hour after 2014-11-20. */
static inline void kit_flow(struct true_flow *f, uint64_t number)
{
	struct flow_head *h = &f->head;

	memset(f, 0, sizeof(*f));
	h->point = kit_point[kit_rnd(3)];
	h->vlan = (uint16_t)(kit_rnd(4) ? 0 : kit_rnd(4095));
	h->proto = kit_rnd(3) ? 6 : 17;
	h->end[0] = (struct endpoint){kit_ip(kit_rnd(12)), (uint16_t)(20000 + number)};
	h->end[1] = (struct endpoint){kit_ip(12 + kit_rnd(4)), (uint16_t)(kit_rnd(2) ? 22 : 443)};
	h->flags = h->proto == 17 ? FLOW_ASSUMED : (uint8_t)(FLOW_SYN | (kit_rnd(4) ? FLOW_SYNACK : 0));
	for (int d = 0; d < 2; d++) {
		if (h->flags & (d ? FLOW_SYNACK : FLOW_SYN))
			h->isn[d] = (uint32_t)kit_rnd(UINT32_MAX);
		h->ttl[d] = (uint8_t)(1 + kit_rnd(254));
		h->ip_id[d] = (uint16_t)kit_rnd(65536);
	}
	h->source =
		(struct source){.kind = SOURCE_PACKETS, .resolution_us = 1, .sampling = 1, .gap_us = 20000};
	h->first_us = INT64_C(1416441600000000) + (int64_t)kit_rnd(3600) * SECOND_US;
	for (size_t i = 0; i < sizeof(h->id.b); i++)
		h->id.b[i] = (uint8_t)kit_rnd(256);
	for (int d = 0; d < 2; d++) {
		int64_t at = h->first_us;
		f->n[d] = kit_rnd(TRUE_BURSTS);
		f->acks[d] = kit_rnd(5);
		for (size_t i = 0; i < f->n[d]; i++) {
			at += 20000 + (int64_t)kit_rnd(kit_rnd(2) ? 200000 : 5000000);
			f->burst[d][i] = (struct burst){.start_us = at,
				.dur_us = (uint32_t)kit_rnd(90000),
				.packets = (uint32_t)(1 + kit_rnd(9)),
				.bytes = 1 + kit_rnd(20000)};
			at = burst_end(&f->burst[d][i]);
		}
	}
	if (!f->acks[0] && !f->acks[1])
		f->acks[0] = 1; /* first_us is when a packet was seen: one is counted there */
}

/* Part number `part` of `parts` of a flow, as one recorder would hand it out; the bursts point into f. */
static inline void kit_chunk(struct chunk *c, struct true_flow *f, size_t part, size_t parts)
{
	*c = (struct chunk){.head = f->head};
	for (int d = 0; d < 2; d++) {
		size_t from = f->n[d] * part / parts, to = f->n[d] * (part + 1) / parts;
		struct flow_count *n = &c->count[d];
		c->burst[d] = f->burst[d] + from;
		c->n_burst[d] = to - from;
		*n = (struct flow_count){.first_us = 0, .last_us = -1};
		if (part == 0 && f->acks[d])
			*n = (struct flow_count){
				f->acks[d], 66 * f->acks[d], 0, f->head.first_us, f->head.first_us};
		for (size_t i = from; i < to; i++) {
			n->packets += f->burst[d][i].packets;
			n->payload_bytes += f->burst[d][i].bytes;
			n->frame_bytes += f->burst[d][i].bytes + 66;
			if (n->first_us > n->last_us)
				n->first_us = f->burst[d][i].start_us;
			n->last_us = burst_end(&f->burst[d][i]);
		}
	}
}

/* The bursts of a true flow merged at a gap, one after the other; returns their number. */
static inline size_t kit_merged(struct burst *to, const struct true_flow *f, int d, int64_t gap)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n[d]; i++) {
		const struct burst *b = &f->burst[d][i];
		if (n && b->start_us - burst_end(&to[n - 1]) < gap) {
			to[n - 1].dur_us = (uint32_t)(burst_end(b) - to[n - 1].start_us);
			to[n - 1].packets += b->packets;
			to[n - 1].bytes += b->bytes;
		} else {
			to[n++] = *b;
		}
	}
	return n;
}

static inline bool kit_wanted(struct true_flow *f, const struct store_query *q)
{
	int64_t last = f->head.first_us;
	struct chunk all;

	kit_chunk(&all, f, 0, 1);
	bool any = false;
	for (int d = 0; d < 2; d++) {
		any = any || all.count[d].packets;
		last = all.count[d].last_us > last ? all.count[d].last_us : last;
	}
	if (q->host && !ip_equal(q->host, &f->head.end[0].ip) && !ip_equal(q->host, &f->head.end[1].ip))
		return false;
	if (q->port > 0 && f->head.end[0].port != q->port && f->head.end[1].port != q->port)
		return false;
	if (q->id && !id_match(&f->head.id, q->id))
		return false;
	bool always = q->since.us == 0 && q->until.us == 0;
	return always || (f->head.first_us <= q->until.us && last >= q->since.us);
}

static inline const struct flow *kit_find(const struct recording *r, const struct id *id)
{
	for (size_t i = 0; i < r->n_flow; i++)
		if (memcmp(&r->flow[i].head.id, id, sizeof(*id)) == 0)
			return &r->flow[i];
	return NULL;
}

/* Does the recording have the flow, whole? */
static inline bool kit_same(const struct flow *g, struct true_flow *f, const struct store_query *q)
{
	int64_t gap = q->gap_us ? q->gap_us : BURST_GAP_READ_US;
	struct burst merged[TRUE_BURSTS];
	struct chunk all;

	kit_chunk(&all, f, 0, 1);
	if (!g || strcmp(g->head.point, f->head.point) != 0)
		return false;
	struct flow_head h = g->head;
	h.point = f->head.point;
	if (h.vlan != f->head.vlan || h.proto != f->head.proto || h.flags != f->head.flags ||
		!endpoint_equal(&h.end[0], &f->head.end[0]) || !endpoint_equal(&h.end[1], &f->head.end[1]) ||
		memcmp(h.isn, f->head.isn, sizeof(h.isn)) != 0 ||
		memcmp(h.ttl, f->head.ttl, sizeof(h.ttl)) != 0 ||
		memcmp(h.ip_id, f->head.ip_id, sizeof(h.ip_id)) != 0 || h.first_us != f->head.first_us ||
		memcmp(&h.source, &f->head.source, sizeof(h.source)) != 0)
		return false;
	for (int d = 0; d < 2; d++) {
		if (memcmp(&g->count[d], &all.count[d], sizeof(g->count[d])) != 0)
			return false;
		if (q->heads_only)
			continue;
		size_t n = kit_merged(merged, f, d, gap);
		if (n != g->n_burst[d])
			return false;
		for (size_t i = 0; i < n; i++)
			if (memcmp(&merged[i], &g->burst[d][i], sizeof(merged[i])) != 0)
				return false;
	}
	return true;
}

static inline void kit_append(struct store_writer *s, struct true_flow *f, size_t part, size_t parts)
{
	struct chunk c;
	struct err e = {0};

	kit_chunk(&c, f, part, parts);
	if (store_append(s, &c, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

/* The whole recording of dir; fails the test where it cannot be read. */
static inline void kit_read(struct recording *r, const char *dir, const struct store_query *q)
{
	struct err e = {0};

	if (recording_read(r, &world_real, dir, q, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

static inline struct store_writer *kit_writer(const char *dir)
{
	struct store_writer *s;
	struct err e = {0};

	if (store_writer_open(&s, &world_real, dir, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	return s;
}

static inline void kit_close(struct store_writer *s)
{
	struct err e = {0};

	if (store_writer_close(s, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

/* ---- a world that breaks ---- */

enum kit_op { KIT_OPEN, KIT_WRITE, KIT_FSYNC, KIT_FTRUNCATE, KIT_RENAME, KIT_UNLINK, KIT_OPS };

struct kit_world {
	uint64_t count; /* operations so far */
	uint64_t at;    /* which one breaks; 0: none */
	bool die;       /* by _exit() before it is done, instead of an error */
	bool forever;   /* and all after it */
	bool half;      /* a write that breaks writes its first half */
	bool broke;
	/* What a power cut would take: writes since the last fsync of a file, renames since the last one of a
	 * directory. A rename of a file that is not synced may come out as a file without contents. */
	uint64_t unsynced, unlinked, early;
};

static inline bool kit_breaks(struct kit_world *k)
{
	k->count++;
	if (k->at == 0 || (k->forever ? k->count < k->at : k->count != k->at))
		return false;
	if (k->die)
		_exit(42);
	k->broke = true;
	errno = ENOSPC;
	return true;
}

static inline int kit_open(void *self, const char *path, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && kit_breaks(self))
		return -1;
	return world_real.open(NULL, path, flags, mode);
}

static inline ssize_t kit_write(void *self, int fd, const void *p, size_t n)
{
	struct kit_world *k = self;

	if (k->half && k->count + 1 == k->at && n > 1)
		(void)!write(fd, p, n / 2);
	if (kit_breaks(k))
		return -1;
	k->unsynced++;
	return write(fd, p, n);
}

static inline int kit_fsync(void *self, int fd)
{
	struct kit_world *k = self;
	struct stat st;

	if (kit_breaks(k))
		return -1;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		k->unlinked = 0;
	else
		k->unsynced = 0;
	return fsync(fd);
}

static inline int kit_ftruncate(void *self, int fd, off_t n)
{
	return kit_breaks(self) ? -1 : ftruncate(fd, n);
}

static inline int kit_rename(void *self, const char *from, const char *to)
{
	struct kit_world *k = self;

	if (kit_breaks(k))
		return -1;
	k->unlinked++;
	k->early += k->unsynced > 0;
	return rename(from, to);
}

static inline int kit_unlink(void *self, const char *path)
{
	struct kit_world *k = self;

	if (kit_breaks(k))
		return -1;
	k->unlinked++;
	return unlink(path);
}

static inline struct world kit_world_of(struct kit_world *k)
{
	struct world w = world_real;

	w.self = k;
	w.open = kit_open;
	w.write = kit_write;
	w.fsync = kit_fsync;
	w.ftruncate = kit_ftruncate;
	w.rename = kit_rename;
	w.unlink = kit_unlink;
	return w;
}

#endif
