/* Makes a bundle to measure verification with, in a directory with keys and a ledger of its own.
 *
 *   make_bundle DIR KIND CLAIMS BURSTS ERROR
 *
 * DIR/bundle.tar has CLAIMS claims, of each of which a train has BURSTS bursts, both directions together.
 * KIND: `attack` (a train a claim), `link` (typed sessions, relayed with 8 ms of lag: two trains a claim),
 * `dense` (links whose trains are equal, one burst each 121 ms).  ERROR: what a link's clocks are unsure by,
 * in microseconds; 0: one observation point.  The verifier key goes to standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/pack.h"
#include "ledger/keys.h"

#define T0     INT64_C(1795000000000000)
#define LAG_US 8000
#define ALPHA  1e-6

static uint64_t rng = 0x2545f4914f6cdd1dU;

static int64_t draw(int64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (int64_t)(rng >> 11) % n;
}

struct plan {
	const char *dir, *kind;
	size_t claims, bursts;
	int64_t error_us;
};

/* ---- flows ---- */

/* Times of keys. */
static void type_keys(int64_t *key, size_t n, bool dense)
{
	int64_t t = T0 + draw(SECOND_US);

	for (size_t i = 0; i < n; i++) {
		t += dense ? 121000 : 130000 + draw(500000) + (draw(12) == 0 ? draw(5 * SECOND_US) : 0);
		key[i] = t;
	}
}

/* What the server took to answer, the same at both legs. */
static int64_t took(int64_t key)
{
	return 60000 + key % 9973;
}

static struct endpoint end_of(uint8_t a, uint8_t b, size_t host, uint16_t port)
{
	return (struct endpoint){ip_v4((const uint8_t[4]){a, b, (uint8_t)(host >> 8), (uint8_t)host}), port};
}

static bool leg(struct flow *to, struct endpoint from, struct endpoint until, const int64_t *key, size_t n,
	int64_t lag, struct arena *a)
{
	*to = (struct flow){.head = {.point = "bench",
				    .proto = PROTO_TCP,
				    .flags = FLOW_SYN | FLOW_SYNACK,
				    .end = {from, until},
				    .first_us = key[0] + lag,
				    .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}}};
	for (int d = 0; d < 2; d++) {
		to->burst[d] = arena_array(a, n, sizeof(struct burst));
		if (!to->burst[d])
			return false;
		to->n_burst[d] = n;
		for (size_t i = 0; i < n; i++)
			to->burst[d][i] = (struct burst){
				d ? key[i] + took(key[i]) - lag : key[i] + lag, 0, 1, 36 + i % 97};
		to->count[d] = (struct flow_count){n, n * 100, n * 133, 0, 0};
	}
	to->last_us = key[n - 1] + took(key[n - 1]);
	return flow_make_id(&to->head);
}

/* ---- claims ---- */

/* The relay's number makes its flows different. */
static enum status tell(struct told *to, const struct plan *p, size_t number, struct arena *a, struct err *e)
{
	size_t n = p->bursts / 2 + (p->bursts < 2);
	int64_t *key = arena_array(a, n, sizeof(*key));
	bool dense = strcmp(p->kind, "dense") == 0;
	struct endpoint relay = end_of(10, 7, number, 22);
	struct flow in, out;

	if (!key)
		return err_nomem(e);
	type_keys(key, n, dense);
	if (!leg(&in, end_of(10, 8, number, 41000), relay, key, n, 0, a))
		return err_nomem(e);
	relay.port = 50000;
	if (!leg(&out, relay, end_of(10, 9, number, 22), key, n, dense ? 0 : LAG_US, a))
		return err_nomem(e);
	if (strcmp(p->kind, "attack") == 0)
		return tell_attack(to, &out, NULL, 0, "bench 1", e);
	if (p->error_us > 0)
		out.head.point = "other";
	struct hop h = {.relay = relay.ip, .out = &out, .searched = 100, .needed = 8};
	h.best.flow = &in;
	/* said to be proven, so that it is told as a link, whatever the test then says */
	h.best.link.verdict = LINK_PROVEN;
	h.best.pair = (struct relink){.in = &in,
		.out = &out,
		.apart = p->error_us > 0,
		.clock = {.at_us = T0, .error_us = p->error_us, .flows = 1},
		.needed = h.needed};
	return tell_hop(to, &h, ALPHA, 0, "bench 1", e);
}

static enum status store(
	const struct place *at, const struct plan *p, struct claim *to, struct arena *keep, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < p->claims && s == STATUS_OK; i++) {
		struct arena a = {0};
		struct told t = {0};
		s = tell(&t, p, i, &a, e);
		if (s == STATUS_OK)
			s = told_store(at, &t, NULL, "", "", &to[i].id, e);
		if (s == STATUS_OK) {
			to[i].kind = t.kind;
			to[i].body = arena_str(keep, t.body);
		}
		told_free(&t);
		arena_free(&a);
	}
	return s;
}

/* ---- the bundle ---- */

static enum status spill(const char *dir, const struct buf *b, struct err *e)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/bundle.tar", dir);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(b->p, 1, b->n, f) != b->n || fclose(f) != 0)
		return err_errno(e, "%s", path);
	return STATUS_OK;
}

static enum status make(const struct place *at, const struct plan *p, struct arena *a, struct err *e)
{
	struct claim *claim = arena_array(a, p->claims, sizeof(*claim));
	struct pack k = {.claim = claim, .n_claim = p->claims};
	struct manifest *m = &k.m;
	char text[VKEY_TEXT];
	struct buf file = {0};
	struct skey operator;
	enum status s = claim ? store(at, p, claim, a, e) : err_nomem(e);

	if (s == STATUS_OK)
		s = register_flush(at, e);
	if (s == STATUS_OK)
		s = keys_secret(at->dir, KEY_OPERATOR, &operator, e);
	if (s != STATUS_OK)
		return s;
	m->made = at->w->now(at->w->self);
	m->not_after.us = m->made.us + 3600 * SECOND_US;
	memcpy(m->from, operator.pub.name, sizeof(m->from));
	(void)snprintf(m->to, sizeof(m->to), "*");
	(void)snprintf(m->code, sizeof(m->code), "bench 1");
	s = pack_write(at, &k, &operator, & file, e);
	if (s == STATUS_OK)
		s = spill(at->dir, &file, e);
	if (s == STATUS_OK)
		(void)printf("%s\n", vkey_text(text, &operator.pub));
	skey_wipe(&operator);
	buf_free(&file);
	return s;
}

int main(int argc, char **argv)
{
	struct place at = {.w = &world_real};
	struct arena a = {0};
	struct err e = {0};

	if (argc != 6)
		return 2;
	struct plan p = {argv[1], argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
		strtol(argv[5], NULL, 10)};
	at.dir = p.dir;
	enum status s = keys_init(at.w, at.dir, "bench.example", &e);
	if (s == STATUS_OK)
		s = case_db_open(&at.db, at.w, at.dir, &e);
	if (s == STATUS_OK)
		s = make(&at, &p, &a, &e);
	case_db_close(at.db);
	arena_free(&a);
	if (s != STATUS_OK)
		(void)fprintf(stderr, "%s\n", e.text);
	return (int)s;
}
