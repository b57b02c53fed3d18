/* Flows as text: one flow has one text and one text is one flow; whatever a store may hold has a text; no
 * byte of a text is without meaning.  The text is compared with a slow second writer, and every flow of the
 * laboratory's recordings goes to text and back. */
#include "store_kit.h"

#include <glob.h>

#include "record/record.h"
#include "record/train.h"

#define T0 INT64_C(1792772541123456)

/* The example of doc/bundle-format.md. */
static const char example[] = "weir-train/v1\n"
			      "flow tcp 203.0.113.10:54928 > 192.0.2.10:22\n"
			      "point victim\n"
			      "first 1792772541123456\n"
			      "last 1792772543000000\n"
			      "seen packets resolution 1 error 0 sampling 1 gap 20000\n"
			      "flags syn synack closed\n"
			      "isn 123456 789012\n"
			      "total 0 packets 9 frame 714 payload 120\n"
			      "total 1 packets 7 frame 1090 payload 628\n"
			      "bursts 0 3\n"
			      "1200 0 21 1\n"
			      "350000 150 63 2\n"
			      "1000000 0 36 1\n"
			      "bursts 1 2\n"
			      "2400 0 21 1\n"
			      "351000 40000 607 3\n"
			      "end\n";

/* ---- the slow second implementation ---- */

static void slow_end(FILE *f, const struct train *t, int k)
{
	const struct flow_head *h = &t->flow.head;
	char text[PREFIX_TEXT + 8];
	bool ports = h->proto == PROTO_TCP || h->proto == PROTO_UDP || h->proto == PROTO_SCTP ||
		     h->proto == PROTO_DCCP || h->proto == PROTO_UDPLITE || h->end[0].port || h->end[1].port;

	if (t->hidden[k])
		(void)fprintf(f, "%s/%d", ip_text(text, &h->end[k].ip), t->hidden[k] - 1);
	else if (ports)
		(void)fprintf(f, h->end[k].ip.v == 6 ? "[%s]:%u" : "%s:%u", ip_text(text, &h->end[k].ip),
			h->end[k].port);
	else
		(void)fprintf(f, h->end[k].ip.v == 6 ? "[%s]" : "%s", ip_text(text, &h->end[k].ip));
}

static void slow_head(FILE *f, const struct train *t)
{
	static const char *const names[] = {
		" assumed", " syn", " synack", " closed", " derived0", " derived1"};
	const struct flow_head *h = &t->flow.head;
	char proto[8];

	(void)fprintf(f, "weir-train/v1\nflow %s ", proto_name(proto, h->proto));
	slow_end(f, t, 0);
	(void)fprintf(f, " > ");
	slow_end(f, t, 1);
	(void)fprintf(f, "\npoint %s\nfirst %lld\nlast %lld\n", h->point, (long long)h->first_us,
		(long long)t->flow.last_us);
	(void)fprintf(f, "seen %s resolution %u error %u sampling %u gap %u\nflags",
		h->source.kind == SOURCE_PACKETS ? "packets" : "flow-records", h->source.resolution_us,
		h->source.clock_error_us, h->source.sampling, h->source.gap_us);
	for (unsigned i = 0; i < 6; i++)
		(void)fprintf(f, "%s", h->flags >> i & 1 ? names[i] : "");
	(void)fprintf(f, "%s\nisn", h->flags ? "" : " -");
	for (unsigned k = 0; k < 2; k++)
		(void)fprintf(f, h->flags & (k ? FLOW_SYNACK : FLOW_SYN) ? " %u" : " -", h->isn[k]);
}

/* The text of a train that keeps every rule; freed by the caller. */
static char *slow_text(const struct train *t, size_t *n)
{
	char *text;
	FILE *f = open_memstream(&text, n);

	assert_non_null(f);
	slow_head(f, t);
	for (int d = 0; d < 2; d++) {
		const struct flow_count *c = &t->flow.count[d];
		(void)fprintf(f, "\ntotal %d packets %llu frame %llu payload %llu", d,
			(unsigned long long)c->packets, (unsigned long long)c->frame_bytes,
			(unsigned long long)c->payload_bytes);
	}
	for (int d = 0; d < 2; d++) {
		(void)fprintf(f, "\nbursts %d %zu", d, t->flow.n_burst[d]);
		for (size_t i = 0; i < t->flow.n_burst[d]; i++) {
			const struct burst *b = &t->flow.burst[d][i];
			(void)fprintf(f, "\n%lld %u %llu %u",
				(long long)(b->start_us - (i ? b[-1].start_us : t->flow.head.first_us)),
				b->dur_us, (unsigned long long)b->bytes, b->packets);
		}
	}
	(void)fprintf(f, "\nend\n");
	assert_int_equal(fclose(f), 0);
	return text;
}

/* ---- helpers ---- */

static enum status try_read(const char *text, size_t n, struct err *e)
{
	struct arena a = {0};
	struct train t;
	/* Moved to the end of a block of its own, so that a checker sees a read beyond the end. */
	char *exact = malloc(n ? n : 1);
	assert_non_null(exact);
	memcpy(exact, text, n);
	enum status s = train_read(&t, exact, n, &a, e);

	if (s == STATUS_OK) {
		struct buf b = {0};
		train_write(&b, &t);
		assert_false(b.failed);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, text, n);
		buf_free(&b);
	} else {
		assert_int_equal(s, STATUS_BAD);
		assert_int_equal(e->status, STATUS_BAD);
		assert_null(strchr(e->text, '\n'));
	}
	free(exact);
	arena_free(&a);
	return s;
}

static void same_bursts(const struct burst *a, const struct burst *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].start_us != b[i].start_us || a[i].dur_us != b[i].dur_us ||
			a[i].packets != b[i].packets || a[i].bytes != b[i].bytes)
			fail_msg("burst %zu differs", i);
}

/* t to text, compared with the slow one, and back: everything that the text has must be the same. */
static void round_trip(const struct train *t)
{
	struct arena a = {0};
	struct buf b = {0};
	struct train back;
	struct err e = {0};
	size_t n;
	char *slow = slow_text(t, &n);

	train_write(&b, t);
	assert_false(b.failed);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.p, slow, n);
	if (train_read(&back, (const char *)b.p, b.n, &a, &e) != STATUS_OK)
		fail_msg("%s in\n%s", e.text, slow);
	const struct flow *f = &t->flow, *g = &back.flow;
	for (int d = 0; d < 2; d++) {
		assert_int_equal(back.hidden[d], t->hidden[d]);
		assert_true(endpoint_equal(&f->head.end[d], &g->head.end[d]));
		assert_int_equal(f->head.isn[d], g->head.isn[d]);
		assert_int_equal(f->count[d].packets, g->count[d].packets);
		assert_int_equal(f->count[d].frame_bytes, g->count[d].frame_bytes);
		assert_int_equal(f->count[d].payload_bytes, g->count[d].payload_bytes);
		assert_int_equal(f->n_burst[d], g->n_burst[d]);
		same_bursts(f->burst[d], g->burst[d], f->n_burst[d]);
	}
	assert_string_equal(f->head.point, g->head.point);
	assert_int_equal(f->head.proto, g->head.proto);
	assert_int_equal(f->head.flags, g->head.flags);
	assert_int_equal(f->head.first_us, g->head.first_us);
	assert_int_equal(f->last_us, g->last_us);
	assert_memory_equal(&f->head.source, &g->head.source, sizeof(f->head.source));
	buf_free(&b);
	free(slow);
	arena_free(&a);
}

static struct ip random_ip(bool v6)
{
	struct ip ip = {.v = v6 ? 6 : 4};

	for (size_t i = 0; i < (v6 ? 16U : 4U); i++)
		ip.b[i] = (uint8_t)(kit_rnd(3) ? kit_rnd(256) : 0);
	return ip;
}

enum { BURSTS = 40 };

/* A train that keeps every rule; its bursts stand in room. */
static void random_train(struct train *t, struct burst room[2][BURSTS])
{
	static const uint8_t protos[] = {1, 6, 6, 6, 17, 47, 58, 132, 255};
	struct flow_head *h = &t->flow.head;

	memset(t, 0, sizeof(*t));
	h->point = kit_point[kit_rnd(2)];
	h->proto = protos[kit_rnd(sizeof(protos))];
	h->flags = (uint8_t)kit_rnd(64);
	h->source = (struct source){kit_rnd(2) ? SOURCE_PACKETS : SOURCE_FLOW_RECORDS,
		(uint32_t)(1 + kit_rnd(1000)), (uint32_t)kit_rnd(5000), (uint32_t)(1 + kit_rnd(3)),
		kit_rnd(2) ? 20000 : (uint32_t)kit_rnd(100000)};
	h->first_us = kit_rnd(20) ? T0 + (int64_t)kit_rnd(1000000000) : (int64_t)kit_rnd(2);
	t->flow.last_us = h->first_us;
	for (int d = 0; d < 2; d++) {
		struct flow_count *c = &t->flow.count[d];
		int64_t at = h->first_us + (int64_t)kit_rnd(100000);
		h->end[d].ip = random_ip(kit_rnd(3) == 0);
		h->end[d].port = (uint16_t)(kit_rnd(5) ? kit_rnd(65536) : 0);
		if (h->flags & (d ? FLOW_SYNACK : FLOW_SYN))
			h->isn[d] = (uint32_t)kit_rnd(UINT64_C(1) << 32);
		c->frame_bytes = kit_rnd(100000);
		t->flow.burst[d] = room[d];
		t->flow.n_burst[d] = kit_rnd(BURSTS);
		for (size_t i = 0; i < t->flow.n_burst[d]; i++) {
			struct burst *b = &room[d][i];
			*b = (struct burst){at, (uint32_t)kit_rnd(300000), (uint32_t)(1 + kit_rnd(1000)),
				kit_rnd(1000000)};
			at = burst_end(b) + h->source.gap_us + (int64_t)kit_rnd(kit_rnd(4) ? 500000 : 1);
			c->packets += b->packets;
			c->payload_bytes += b->bytes;
			t->flow.last_us = burst_end(b) > t->flow.last_us ? burst_end(b) : t->flow.last_us;
		}
		c->packets += kit_rnd(5);
		c->payload_bytes += kit_rnd(5);
	}
	t->flow.last_us += (int64_t)kit_rnd(100000);
	for (int k = 0; k < 2; k++)
		if (kit_rnd(4) == 0)
			train_hide(t, k, (uint8_t)kit_rnd(h->end[k].ip.v == 4 ? 33 : 129));
}

/* ---- tests ---- */

static void the_example(void **state)
{
	struct arena a = {0};
	struct train t;
	struct err e = {0};
	char text[FLOW_TEXT];

	(void)state;
	assert_int_equal(try_read(example, sizeof(example) - 1, &e), STATUS_OK);
	assert_int_equal(train_read(&t, example, sizeof(example) - 1, &a, &e), STATUS_OK);
	assert_string_equal(train_text(text, &t), "tcp 203.0.113.10:54928 > 192.0.2.10:22");
	assert_string_equal(t.flow.head.point, "victim");
	assert_int_equal(t.flow.head.first_us, T0);
	assert_int_equal(t.flow.head.isn[1], 789012);
	assert_int_equal(t.flow.head.flags, FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED);
	assert_int_equal(t.flow.n_burst[0], 3);
	assert_int_equal(t.flow.burst[0][1].start_us, T0 + 351200);
	assert_int_equal(t.flow.burst[0][1].dur_us, 150);
	assert_int_equal(t.flow.burst[0][1].bytes, 63);
	assert_int_equal(t.flow.burst[0][1].packets, 2);
	assert_int_equal(t.flow.burst[1][0].start_us, T0 + 2400);
	assert_int_equal(t.flow.count[1].first_us, T0 + 2400);
	assert_int_equal(t.flow.count[1].last_us, T0 + 393400);
	arena_free(&a);
}

static void random_there_and_back(void **state)
{
	struct burst room[2][BURSTS];
	struct train t;

	(void)state;
	kit_seed("trains there and back");
	for (int i = 0; i < 3000; i++) {
		random_train(&t, room);
		round_trip(&t);
	}
}

/* Each byte changed to several others, taken out, and doubled. */
static void every_byte_counts(void **state)
{
	static const char often[] = "0129 -\n\r.:/>azA\t\x80";
	size_t n = sizeof(example) - 1, good = 0;
	char text[sizeof(example) + 1];
	struct err e;

	(void)state;
	for (size_t at = 0; at < n; at++) {
		for (size_t k = 0; k < sizeof(often) + 8; k++) { /* its zero too, and each bit turned */
			memcpy(text, example, n);
			text[at] =
				k < sizeof(often) ? often[k] : (char)(text[at] ^ (1 << (k - sizeof(often))));
			good += text[at] != example[at] && try_read(text, n, &e) == STATUS_OK;
		}
		memmove(text + at, example + at + 1, n - at);
		(void)try_read(text, n - 1, &e);
		memcpy(text, example, at + 1);
		memcpy(text + at + 1, example + at, n - at);
		(void)try_read(text, n + 1, &e);
	}
	assert_true(good > 100); /* another port, another time: another flow */
	for (size_t k = 0; k < n; k++)
		assert_int_equal(try_read(example, k, &e), STATUS_BAD);
	for (size_t k = 0; k < sizeof(often); k++) {
		memcpy(text, example, n);
		text[n] = often[k];
		assert_int_equal(try_read(text, n + 1, &e), STATUS_BAD);
	}
}

/* The example with one stretch replaced is refused, and the message names the line. */
static void refused(void **state)
{
	static const struct {
		const char *from, *to;
		int line;
	} bad[] = {
		{"weir-train/v1", "weir-train/v2", 1},
		{"weir-train/v1\n", "weir-train/v1\r\n", 1},
		{"tcp", "TCP", 2},
		{"tcp", "ip-6", 2},
		{"tcp", "ip-256", 2},
		{"203.0.113.10", "203.0.113.010", 2},
		{"203.0.113.10:54928", "203.0.113.10:65536", 2},
		{"203.0.113.10:54928", "203.0.113.10", 2},
		{"203.0.113.10:54928", "[2001:DB8::1]:54928", 2},
		{"203.0.113.10:54928", "[2001:db8:0::1]:54928", 2},
		{"203.0.113.10:54928", "203.0.113.10/24", 2},
		{"203.0.113.10:54928", "203.0.113.0/33", 2},
		{"203.0.113.10:54928", "203.0.113.0/024", 2},
		{"203.0.113.10:54928", "203.0.113.0/24:54928", 2},
		{"203.0.113.10:54928", "203.0.113.0/24", 7}, /* hidden: and yet its numbers are told */
		{" > ", " >  ", 2},
		{" > ", " < ", 2},
		{"192.0.2.10:22", "192.0.2.10:22 ", 2},
		{"point victim", "point vic tim", 3},
		{"point victim", "point vic\xc3\xa9tim", 3},
		{"point victim", "point ", 3},
		{"first 1792772541123456", "first 01792772541123456", 4},
		{"first 1792772541123456", "first -1", 4},
		{"first 1792772541123456", "first 7258118400000001", 4},
		{"first 1792772541123456", "first 18446744073709551616", 4},
		{"first 1792772541123456", "first 1792772543000001", 5}, /* after the last */
		{"last 1792772543000000", "last 1792772541123455", 5},
		{"last 1792772543000000", "last 1792772542474655", 5}, /* a burst goes on behind it */
		{"packets resolution", "records resolution", 6},
		{"resolution 1", "resolution 0", 6},
		{"sampling 1", "sampling 0", 6},
		{"sampling 1", "sampling 4294967297", 6},
		{"gap 20000", "gap 20000 ", 6},
		{"flags syn synack", "flags synack syn", 7},
		{"flags syn synack", "flags syn syn synack", 7},
		{"flags syn synack closed", "flags syn synack lost", 7},
		{"flags syn synack closed\nisn 123456 789012", "flags\nisn - -", 7},
		{"flags syn", "flags - syn", 7},
		{"isn 123456", "isn -", 8},
		{"isn 123456", "isn 4294967296", 8},
		{"flags syn synack", "flags synack", 8},
		{"total 0", "total 1", 9},
		{"packets 9", "packets 3", 9}, /* fewer than its bursts have */
		{"payload 120", "payload 119", 9},
		{"payload 628", "payload 627", 10},
		{"payload 628", "payload 4611686018427387905", 10},
		{"bursts 0 3", "bursts 0 4", 15},
		{"bursts 0 3", "bursts 0 2", 14},
		{"bursts 0 3", "bursts 0 65537", 11},
		{"1200 0 21 1", "1200 0 21", 12},
		{"1200 0 21 1", "1200 0 21 1 ", 12},
		{"1200 0 21 1", "+1200 0 21 1", 12},
		{"350000 150", "19999 150", 13}, /* nearer than the gap */
		{"350000 150", "-1 150", 13},
		{"351000 40000", "351000 4294967296", 17},
		{"351000", "7258118400000000", 17},
		{"63 2", "70368744177665 2", 13},
		{"end\n", "end", 18},
		{"end\n", "\nend\n", 18},
		{"end\n", "end\nend\n", 19},
	};
	char want[32];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *at = strstr(example, bad[i].from);
		char *text = NULL;
		assert_non_null(at);
		int n = asprintf(
			&text, "%.*s%s%s", (int)(at - example), example, bad[i].to, at + strlen(bad[i].from));
		assert_true(n > 0);
		if (try_read(text, (size_t)n, &e) != STATUS_BAD)
			fail_msg("\"%s\" for \"%s\" was taken", bad[i].to, bad[i].from);
		(void)snprintf(want, sizeof(want), "line %d of", bad[i].line);
		if (!strstr(e.text, want))
			fail_msg("\"%s\" for \"%s\": %s", bad[i].to, bad[i].from, e.text);
		free(text);
	}
}

static void hidden_ends(void **state)
{
	static const struct {
		const char *flow, *told;
		int end, len;
	} cases[] = {
		{"tcp 198.51.100.7:41234 > 192.0.2.10:22", "tcp 198.51.100.0/24 > 192.0.2.10:22", 0, 24},
		{"tcp 198.51.100.7:41234 > 192.0.2.10:22", "tcp 198.51.100.7:41234 > 0.0.0.0/0", 1, 0},
		{"tcp 198.51.100.7:41234 > 192.0.2.10:22", "tcp 198.51.100.7/32 > 192.0.2.10:22", 0, 200},
		{"udp [2001:db8:1:2:3::4]:5 > [2001:db8::9]:53", "udp 2001:db8:1::/48 > [2001:db8::9]:53", 0,
			48},
		{"icmp 198.51.100.7:77 > 192.0.2.10:77", "icmp 198.51.100.0/23 > 192.0.2.10", 0, 23},
	};
	char text[FLOW_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct train t = {.flow.head = {.point = "here",
					  .flags = FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED,
					  .isn = {1, 2},
					  .ttl = {3, 4},
					  .ip_id = {5, 6},
					  .first_us = T0,
					  .source = {SOURCE_PACKETS, 1, 0, 1, 20000}}};
		struct flow_head *h = &t.flow.head;
		static const struct id none;
		memset(&h->id, 7, sizeof(h->id));
		assert_true(flow_parse(&h->proto, h->end, cases[i].flow));
		t.flow.last_us = T0;
		train_hide(&t, cases[i].end, (uint8_t)cases[i].len);
		assert_string_equal(train_text(text, &t), cases[i].told);
		assert_memory_equal(&h->id, &none, sizeof(none));
		assert_int_equal(h->flags, FLOW_CLOSED);
		assert_int_equal(h->isn[0] | h->isn[1], 0);
		assert_int_equal(h->ip_id[0] | h->ip_id[1] | h->ttl[0] | h->ttl[1], 0);
		round_trip(&t);
	}
}

/* What no recorder of ours writes, but a store may hold: there is a text, and it is taken. */
static void misfits(void **state)
{
	static const char *const points[] = {"", "a b", "\xff\n", "ok",
		"a-very-long-name-of-a-point-that-goes-on-and-on-and-on-and-on-and-on-and-on"};
	struct burst room[2][BURSTS];
	struct err e;

	(void)state;
	kit_seed("misfits");
	for (int i = 0; i < 3000; i++) {
		struct train t;
		struct buf b = {0};
		random_train(&t, room);
		struct flow_head *h = &t.flow.head;
		uint64_t what = kit_rnd(64);
		h->point = points[kit_rnd(5)];
		h->flags = (uint8_t)kit_rnd(256);
		h->source.gap_us = what & 1 ? 0 : UINT32_MAX;
		h->source.sampling = h->source.resolution_us = 0;
		h->first_us = what & 2 ? (int64_t)kit_rnd(UINT64_MAX) - (INT64_C(1) << 52) : h->first_us;
		t.flow.last_us = what & 4 ? INT64_MIN / 4 : t.flow.last_us;
		for (int d = 0; d < 2; d++) {
			t.flow.count[d].packets = what & 8 ? 0 : UINT64_MAX;
			t.flow.count[d].payload_bytes = what & 8 ? UINT64_MAX : 0;
			for (size_t k = 0; k < t.flow.n_burst[d]; k++) {
				struct burst *x = &room[d][k];
				x->start_us += what & 16 ? (int64_t)kit_rnd(10000000) - 5000000 : 0;
				if (what & 32)
					*x = (struct burst){INT64_C(1) << kit_rnd(61), UINT32_MAX, UINT32_MAX,
						UINT64_MAX};
			}
		}
		train_write(&b, &t);
		assert_false(b.failed);
		if (try_read((char *)b.p, b.n, &e) != STATUS_OK)
			fail_msg("%s\n%.*s", e.text, (int)b.n, (char *)b.p);
		buf_free(&b);
	}
}

/* A flow that is longer than a train may be: the first bursts of both directions together. */
static void cut(void **state)
{
	enum { EACH = 50000 };
	struct train t = {.flow.head = {.point = "here",
				  .proto = PROTO_UDP,
				  .flags = FLOW_CLOSED,
				  .first_us = T0,
				  .source = {SOURCE_PACKETS, 1, 0, 1, 20000}}};
	struct arena a = {0};
	struct buf b = {0};
	struct train back;
	struct err e = {0};

	(void)state;
	t.flow.head.end[0].ip = t.flow.head.end[1].ip = kit_ip(1);
	for (int d = 0; d < 2; d++) {
		t.flow.burst[d] = arena_array(&a, EACH, sizeof(struct burst));
		assert_non_null(t.flow.burst[d]);
		t.flow.n_burst[d] = EACH;
		/* direction 1 at half the rate */
		for (int i = 0; i < EACH; i++)
			t.flow.burst[d][i] = (struct burst){
				T0 + INT64_C(30000) * (d + 1) * i + d, 7, (uint32_t)(d + 1), 100};
		t.flow.count[d] = (struct flow_count){.packets = 1000000, .frame_bytes = 1 << 30};
	}
	t.flow.last_us = T0 + INT64_C(100000) * EACH;
	train_write(&b, &t);
	if (train_read(&back, (char *)b.p, b.n, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	/* all 50,000 of direction 0 would need 25,000 of direction 1 beside them */
	size_t n0 = 2 * TRAIN_BURSTS / 3 + 1, n1 = TRAIN_BURSTS - n0;
	assert_int_equal(back.flow.n_burst[0], n0);
	assert_int_equal(back.flow.n_burst[1], n1);
	for (int d = 0; d < 2; d++)
		same_bursts(back.flow.burst[d], t.flow.burst[d], back.flow.n_burst[d]);
	assert_int_equal(back.flow.head.flags, 0);
	assert_int_equal(back.flow.count[0].packets, n0);
	assert_int_equal(back.flow.count[1].packets, 2 * n1);
	assert_int_equal(back.flow.count[1].frame_bytes, 100 * n1);
	assert_int_equal(back.flow.count[1].payload_bytes, 100 * n1);
	assert_int_equal(back.flow.last_us, burst_end(&t.flow.burst[0][n0 - 1]));
	buf_free(&b);
	arena_free(&a);
}

/* ---- the laboratory's recordings ---- */

struct sum {
	size_t flows, bursts, bytes;
	double seconds;
};

static double now(void)
{
	struct mono t = world_real.mono(NULL);

	return (double)t.us / 1e6;
}

static void flow_there_and_back(const struct flow *f, struct sum *sum)
{
	struct train t = {.flow = *f}, back;
	struct arena a = {0};
	struct buf b = {0};
	struct err e = {0};

	train_write(&b, &t);
	assert_false(b.failed);
	double begin = now();
	if (train_read(&back, (char *)b.p, b.n, &a, &e) != STATUS_OK)
		fail_msg("%s\n%.*s", e.text, (int)b.n, (char *)b.p);
	sum->seconds += now() - begin;
	/* All that a text says of a recorded flow is as recorded: nothing had to be made to fit. */
	for (int d = 0; d < 2; d++) {
		assert_int_equal(back.flow.n_burst[d], f->n_burst[d]);
		same_bursts(back.flow.burst[d], f->burst[d], f->n_burst[d]);
		assert_int_equal(back.flow.count[d].packets, f->count[d].packets);
		assert_int_equal(back.flow.count[d].frame_bytes, f->count[d].frame_bytes);
		assert_int_equal(back.flow.count[d].payload_bytes, f->count[d].payload_bytes);
		assert_true(endpoint_equal(&back.flow.head.end[d], &f->head.end[d]));
		assert_int_equal(back.flow.head.isn[d], f->head.isn[d]);
		sum->bursts += f->n_burst[d];
	}
	assert_int_equal(back.flow.head.first_us, f->head.first_us);
	assert_int_equal(back.flow.last_us, f->last_us);
	assert_int_equal(back.flow.head.flags, f->head.flags);
	assert_string_equal(back.flow.head.point, f->head.point);
	sum->flows++;
	sum->bytes += b.n;
	buf_free(&b);
	arena_free(&a);
}

static void capture_there_and_back(const char *path, struct sum *sum)
{
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .gap_us = BURST_GAP_RECORDED_US};
	struct record_sum recorded = {0};
	struct recording r;
	char *dir = kit_dir();
	struct record_param p = {.dir = dir, .point = "lab"};
	struct err e = {0};

	if (record_file(&world_real, &p, path, &recorded, &e) != STATUS_OK)
		fail_msg("%s: %s", path, e.text);
	kit_read(&r, dir, &q);
	for (size_t i = 0; i < r.n_flow; i++)
		flow_there_and_back(&r.flow[i], sum);
	recording_free(&r);
	kit_dir_free(dir);
}

static void laboratory(void **state)
{
	const char *source = getenv("WEIR_SOURCE");
	struct sum sum = {0};
	char *pattern = NULL;
	glob_t found;

	(void)state;
	assert_true(asprintf(&pattern, "%s/lab/set/*/*.pcap.zst", source ? source : ".") > 0);
	if (glob(pattern, 0, NULL, &found) != 0)
		skip();
	for (size_t i = 0; i < found.gl_pathc; i++)
		capture_there_and_back(found.gl_pathv[i], &sum);
	print_message("# %zu captures, %zu flows, %zu bursts, %zu bytes of text, read at %.0f MB/s\n",
		found.gl_pathc, sum.flows, sum.bursts, sum.bytes,
		(double)sum.bytes / 1e6 / (sum.seconds > 0 ? sum.seconds : 1));
	assert_true(sum.flows > 100);
	globfree(&found);
	free(pattern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example),
		cmocka_unit_test(random_there_and_back),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(refused),
		cmocka_unit_test(hidden_ends),
		cmocka_unit_test(misfits),
		cmocka_unit_test(cut),
		cmocka_unit_test(laboratory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
