/* Makes a recording for timing `weir scan`, the same for the same arguments:
 *
 *   trace_make_net DIR net LEGS RELAYS [SEED]           LEGS in-legs and LEGS out-legs of ten minutes
 *   trace_make_net DIR push LEGS RELAYS [SEED]          the same, of servers that push three times a second
 * and more trace_make_net DIR hosts FLOWS HOSTS RELAYS [SEED]  FLOWS flows of one hour at HOSTS hosts
 *
 * Own hosts are in 198.18.0.0/15.  net: each leg lives all the time, at an own host of its own; MIX says in
 * which proportions they are typed sessions, web, beacons and keep-alives; each relay has its legs at two
 * hosts.  hosts: most flows are short, since what scan takes of memory follows the
 * bursts; each relay is at one host.  Standard output is the truth, a relay a
 * line: kind, in-leg, out-leg, separated by tabs.  Standard error says what was made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store.h"

#define T0     INT64_C(1795000000000000)
#define MS     INT64_C(1000)
#define MOST   20000 /* bursts a direction */
#define GAP_US BURST_GAP_RECORDED_US

enum session { TYPED, WEB, BEACON, KEEPALIVE, SLOW, SHORT, PUSH, SESSIONS };

static const char *const NAME[SESSIONS] = {
	"typed sessions", "web", "beacons", "keep-alives", "slow beacons", "short web flows", "server push"};
static const int MIX_NET[SESSIONS] = {40, 30, 15, 15, 0, 0, 0}; /* of 100 legs */
static const int MIX_PUSH[SESSIONS] = {0, 0, 0, 0, 0, 0, 100};
static const int MIX_HOSTS[SESSIONS] = {4, 3, 0, 3, 3, 87, 0};

static const struct relay {
	const char *name;
	int64_t delay_us, jitter_us;
	int chaff; /* of 100 */
} RELAYS[] = {{"clean", 800, 400, 0}, {"jitter 20 ms", 1000, 20000, 0}, {"chaff 100 %", 1000, 20000, 100}};

#define N_RELAYS (sizeof(RELAYS) / sizeof(RELAYS[0]))

struct train {
	struct burst b[MOST];
	size_t n;
};

static struct train in_fwd, in_back, out_fwd, out_back;
static uint64_t state;
static uint64_t made[SESSIONS], bursts_made;

static uint64_t draw(uint64_t n) /* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static int64_t exponential(int64_t mean)
{
	return (int64_t)(-(double)mean * log(((double)draw(1U << 30) + 0.5) / (1U << 30)));
}

/* Sorted by start, joined below the gap of a recording. */
static void put(struct train *t, int64_t at, int64_t dur, uint64_t bytes)
{
	if (t->n > 0 && at - burst_end(&t->b[t->n - 1]) < GAP_US) {
		struct burst *last = &t->b[t->n - 1];
		int64_t end = at + dur > burst_end(last) ? at + dur : burst_end(last);
		*last = (struct burst){last->start_us, (uint32_t)(end - last->start_us), last->packets + 1,
			last->bytes + bytes};
	} else if (t->n < MOST) {
		t->b[t->n++] = (struct burst){at, (uint32_t)dur, 1 + (uint32_t)(bytes / 1448), bytes};
	}
}

/* Keys 110 to 480 ms apart, a thought now and then, a command's output after a dozen. */
static void typed(struct train *f, struct train *b, int64_t from, int64_t to)
{
	int64_t server = 5 * MS + (int64_t)draw(60000);
	for (int64_t t = from; t < to;) {
		for (uint64_t k = 4 + draw(12); k > 0 && t < to; k--) {
			put(f, t, 0, 36);
			put(b, t + server + (int64_t)draw(8000), 0, 36);
			t += 110 * MS + (int64_t)draw(370000);
		}
		put(f, t, 0, 36);
		put(b, t + server + (int64_t)draw(8000) + exponential(60 * MS), (int64_t)draw(30000),
			100 + (uint64_t)exponential(2000));
		t += 700 * MS + exponential(2500 * MS);
	}
}

static void web(struct train *f, struct train *b, int64_t from, int64_t to, int64_t pause)
{
	for (int64_t t = from; t < to; t += exponential(pause)) {
		for (uint64_t k = 2 + draw(8); k > 0 && t < to; k--) {
			int64_t took = 20 * MS + exponential(70 * MS);
			put(f, t, 0, 300 + draw(900));
			put(b, t + took, (int64_t)draw(80000), 500 + (uint64_t)exponential(30000));
			t += took + 90 * MS + exponential(200 * MS);
		}
	}
}

static void beat(struct train *f, struct train *b, int64_t from, int64_t to, int64_t period, int64_t jitter)
{
	for (int64_t t = from + (int64_t)draw((uint64_t)period); t < to; t += period) {
		int64_t at = t + (int64_t)draw((uint64_t)jitter);
		put(f, at, 0, 60 + draw(20));
		put(b, at + 8 * MS + (int64_t)draw(20000), 0, 60 + draw(60));
	}
}

/* What happens elsewhere is told as it happens, 3 to 8 times a second; the client says as much, of its own
 * accord or to what it is told. */
static void push(struct train *f, struct train *b, int64_t from, int64_t to)
{
	int64_t pause = 20 * MS + (int64_t)draw(200000), away = 5 * MS + (int64_t)draw(60000);
	uint64_t replies = draw(2);

	for (int64_t t = from; t < to; t += 105 * MS + exponential(pause)) {
		put(b, t, 0, 60 + (uint64_t)exponential(300));
		if (replies)
			put(f, t + away + (int64_t)draw(8000), 0, 30 + draw(60));
	}
	for (int64_t t = from; t < to && !replies; t += 105 * MS + exponential(pause))
		put(f, t, 0, 30 + draw(60));
}

static void make(enum session s, struct train *f, struct train *b, int64_t from, int64_t to)
{
	static const int64_t period[] = {1, 2, 5, 10, 30}, slow[] = {30, 60, 120, 300, 600};

	f->n = b->n = 0;
	if (s == TYPED)
		typed(f, b, from, to);
	else if (s == WEB)
		web(f, b, from, to, 6 * SECOND_US);
	else if (s == BEACON)
		beat(f, b, from, to, period[draw(5)] * SECOND_US, 20 * MS);
	else if (s == SLOW)
		beat(f, b, from, to, slow[draw(5)] * SECOND_US, 2 * SECOND_US);
	else if (s == KEEPALIVE)
		beat(f, b, from, to, draw(2) ? 15 * SECOND_US : 30 * SECOND_US, MS);
	else if (s == PUSH)
		push(f, b, from, to);
	else
		web(f, b, from, from + exponential(3 * SECOND_US) + MS, SECOND_US);
	if (f->n == 0)
		put(f, from, 0, 100);
	made[s]++;
}

static enum session pick(const int mix[SESSIONS])
{
	int at = (int)draw(100), s = 0;

	while (at >= mix[s])
		at -= mix[s++];
	return (enum session)s;
}

/* to carries from, in order. */
static void carry(const struct train *from, struct train *to, const struct relay *r)
{
	int64_t last = 0;

	to->n = 0;
	for (size_t i = 0; i < from->n; i++) {
		int64_t at = from->b[i].start_us + r->delay_us + (int64_t)draw((uint64_t)r->jitter_us);
		at = at > last ? at : last + 1;
		last = at;
		put(to, at, from->b[i].dur_us, from->b[i].bytes + 16);
	}
}

static int by_start(const void *x, const void *y)
{
	const struct burst *a = x, *b = y;

	return (a->start_us > b->start_us) - (a->start_us < b->start_us);
}

static void chaff(struct train *t, int percent)
{
	static struct train all;
	size_t more = t->n * (size_t)percent / 100;

	if (t->n == 0 || t->n + more > MOST)
		return;
	int64_t from = t->b[0].start_us, life = t->b[t->n - 1].start_us - from + 1;
	all = *t;
	for (size_t i = 0; i < more; i++)
		all.b[all.n++] = (struct burst){from + (int64_t)draw((uint64_t)life), 0, 1, 36};
	qsort(all.b, all.n, sizeof(all.b[0]), by_start);
	t->n = 0;
	for (size_t i = 0; i < all.n; i++)
		put(t, all.b[i].start_us, all.b[i].dur_us, all.b[i].bytes);
}

static struct endpoint end_of(uint32_t ip, uint64_t port)
{
	const uint8_t b[4] = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip};

	return (struct endpoint){ip_v4(b), (uint16_t)port};
}

static struct endpoint own(uint64_t host, uint64_t port)
{
	return end_of(0xc6120000U + (uint32_t)host + 1, port);
}

/* Not in 198.18.0.0/15. */
static struct endpoint far_end(uint64_t port)
{
	return end_of(0x0b000000U + (uint32_t)draw(1U << 24), port);
}

static enum status flow_write(struct store_writer *w, struct train *f, struct train *b, struct endpoint from,
	struct endpoint to, char text[FLOW_TEXT], struct err *e)
{
	static uint32_t isn;
	struct train *way[2] = {f, b};
	isn++;
	struct chunk c = {.head = {.point = "bench",
				  .proto = 6,
				  .flags = FLOW_SYN | FLOW_SYNACK,
				  .end = {from, to},
				  .isn = {isn, ~isn},
				  .first_us = f->b[0].start_us,
				  .source = {SOURCE_PACKETS, 1, 0, 1, GAP_US}}};

	for (int d = 0; d < 2; d++) {
		struct flow_count *n = &c.count[d];
		c.burst[d] = way[d]->b;
		c.n_burst[d] = way[d]->n;
		bursts_made += way[d]->n;
		n->last_us = -1;
		for (size_t i = 0; i < way[d]->n; i++) {
			n->packets += way[d]->b[i].packets;
			n->payload_bytes += way[d]->b[i].bytes;
		}
		n->frame_bytes = n->payload_bytes + 66 * n->packets;
		if (way[d]->n > 0) {
			n->first_us = way[d]->b[0].start_us;
			n->last_us = burst_end(&way[d]->b[way[d]->n - 1]);
		}
	}
	if (text)
		(void)flow_text(text, &c.head);
	return flow_make_id(&c.head) ? store_append(w, &c, e) : err_nomem(e);
}

static enum status relay_write(struct store_writer *w, uint64_t i, struct endpoint in, struct endpoint out,
	int64_t from, int64_t to, struct err *e)
{
	const struct relay *r = &RELAYS[i % N_RELAYS];
	char in_text[FLOW_TEXT], out_text[FLOW_TEXT];

	make(TYPED, &in_fwd, &out_back, from, to);
	carry(&in_fwd, &out_fwd, r);
	struct train *said = &in_back; /* what V says comes as late as what it is asked */
	*said = out_back;
	for (size_t k = 0; k < said->n; k++)
		said->b[k].start_us += r->delay_us + r->jitter_us;
	out_back = *said;
	carry(&out_back, &in_back, r);
	chaff(&out_fwd, r->chaff);
	enum status s = flow_write(w, &in_fwd, &in_back, far_end(1024 + draw(60000)), in, in_text, e);
	if (s == STATUS_OK)
		s = flow_write(w, &out_fwd, &out_back, out, far_end(22), out_text, e);
	if (s == STATUS_OK)
		printf("%s\t%s\t%s\n", r->name, in_text, out_text);
	return s;
}

static enum status make_net(struct store_writer *w, const int mix[SESSIONS], char **arg, struct err *e)
{
	uint64_t legs = strtoull(arg[0], NULL, 10), relays = strtoull(arg[1], NULL, 10);
	int64_t to = T0 + 600 * SECOND_US;
	enum status s =
		store_cover(w, &(struct coverage){.point = "bench", .span = {T0, to + 60 * SECOND_US}}, e);

	for (uint64_t i = 0; i < legs && s == STATUS_OK; i++) {
		int64_t from = T0 + (int64_t)draw(5000000);
		struct endpoint in = own(2 * i, 22), out = own(2 * i + 1, 1024 + draw(60000));
		if (i < relays) {
			s = relay_write(w, i, in, out, from, to, e);
			continue;
		}
		make(pick(mix), &in_fwd, &in_back, from, to);
		s = flow_write(w, &in_fwd, &in_back, far_end(1024 + draw(60000)), in, NULL, e);
		make(pick(mix), &out_fwd, &out_back, T0 + (int64_t)draw(5000000), to);
		if (s == STATUS_OK)
			s = flow_write(w, &out_fwd, &out_back, out, far_end(22), NULL, e);
	}
	return s;
}

static enum status make_hosts(struct store_writer *w, char **arg, struct err *e)
{
	uint64_t flows = strtoull(arg[0], NULL, 10), hosts = strtoull(arg[1], NULL, 10),
		 relays = strtoull(arg[2], NULL, 10);
	int64_t hour = 3600 * SECOND_US;
	enum status s = store_cover(w, &(struct coverage){.point = "bench", .span = {T0, T0 + hour}}, e);

	for (uint64_t i = 0; i < flows && s == STATUS_OK; i++) {
		enum session kind = pick(MIX_HOSTS);
		int64_t from = T0 + (int64_t)draw((uint64_t)hour - 700 * 1000000U);
		int64_t life = kind == TYPED || kind == WEB ? exponential(300 * SECOND_US) : hour;
		int64_t to = from + life < T0 + hour ? from + life : T0 + hour;
		struct endpoint near = own(draw(hosts), 0), far = far_end(443);
		if (i < 2 * relays) {
			near.port = 22;
			struct endpoint out = near;
			out.port = (uint16_t)(1024 + draw(60000));
			s = i % 2 ? STATUS_OK
				  : relay_write(w, i / 2, near, out, from, from + 600 * SECOND_US, e);
			continue;
		}
		make(kind, &in_fwd, &in_back, from, to);
		near.port = i % 2 ? 443 : (uint16_t)(1024 + draw(60000));
		far.port = i % 2 ? (uint16_t)(1024 + draw(60000)) : 443;
		s = i % 2 ? flow_write(w, &in_fwd, &in_back, far, near, NULL, e)
			  : flow_write(w, &in_fwd, &in_back, near, far, NULL, e);
	}
	return s;
}

int main(int argc, char **argv)
{
	struct store_writer *w = NULL;
	struct err e = {0}, later = {0};
	bool push = argc > 2 && strcmp(argv[2], "push") == 0;
	bool net = push || (argc > 2 && strcmp(argv[2], "net") == 0);

	if (argc < (net ? 5 : 6))
		return 2;
	int seed = net ? 5 : 6;
	state = argc > seed ? strtoull(argv[seed], NULL, 10) : 1;
	enum status s = store_prepare(&world_real, argv[1], &e);
	if (s == STATUS_OK)
		s = store_writer_open(&w, &world_real, argv[1], &e);
	if (s == STATUS_OK)
		s = net ? make_net(w, push ? MIX_PUSH : MIX_NET, argv + 3, &e) : make_hosts(w, argv + 3, &e);
	enum status closed = store_writer_close(w, &later);
	if (s != STATUS_OK || closed != STATUS_OK)
		(void)fprintf(stderr, "%s%s\n", e.text, later.text);
	uint64_t all = 0;
	for (int i = 0; i < SESSIONS; i++)
		all += made[i];
	for (int i = 0; i < SESSIONS && all > 0; i++)
		if (made[i] > 0)
			(void)fprintf(stderr, "%.0f %% %s, ", 100 * (double)made[i] / (double)all, NAME[i]);
	(void)fprintf(stderr, "%.1f bursts a side\n", (double)bursts_made / 2 / (double)(all > 0 ? all : 1));
	return s != STATUS_OK ? (int)s : (int)closed;
}
