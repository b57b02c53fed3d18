/* Flows as text, the writing side: see train.h and doc/bundle-format.md, "Trains".
 *
 * A flow is made to fit first: whatever a recording holds (another program may have written the store), its
 * text keeps every rule.  The reader writes what it understood and compares, so the rules stand here alone.
 */
#include "record/train_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

const struct train_flag train_flags[TRAIN_FLAGS] = {{FLOW_ASSUMED, "assumed"}, {FLOW_SYN, "syn"},
	{FLOW_SYNACK, "synack"}, {FLOW_CLOSED, "closed"}, {FLOW_DERIVED_0, "derived0"},
	{FLOW_DERIVED_1, "derived1"}};

const uint8_t train_isn_flag[2] = {FLOW_SYN, FLOW_SYNACK};

const char *const train_source_name[2] = {
	[SOURCE_PACKETS] = "packets", [SOURCE_FLOW_RECORDS] = "flow-records"};

static const uint8_t derived_flag[2] = {FLOW_DERIVED_0, FLOW_DERIVED_1};

#define NUMBER_TEXT 21 /* digits of 64 bits and what follows them */

/* ---- hiding ---- */

void train_hide(struct train *t, int end, uint8_t prefix_len)
{
	struct flow_head *h = &t->flow.head;
	uint8_t bits = ip_bits(&h->end[end].ip);

	if (prefix_len > bits)
		prefix_len = bits;
	h->end[end].ip = prefix_of(&h->end[end].ip, prefix_len).ip;
	h->end[end].port = 0;
	/* an echo's identifier stands at both ends */
	if (h->proto == PROTO_ICMP || h->proto == PROTO_ICMP6)
		h->end[1 - end].port = 0;
	t->hidden[end] = (uint8_t)(prefix_len + 1);
	/* A responder may have made its number from the other's address (SYN cookies, RFC 4987 section 3.6),
	 * and the pair names the session to whoever saw it elsewhere. */
	h->flags &= (uint8_t) ~(FLOW_SYN | FLOW_SYNACK);
	memset(h->isn, 0, sizeof(h->isn));
	memset(h->ttl, 0, sizeof(h->ttl));
	memset(h->ip_id, 0, sizeof(h->ip_id));
	memset(&h->id, 0, sizeof(h->id));
	t->flow.alias = NULL;
	t->flow.n_alias = 0;
	t->flow.rewrite_of = NULL;
}

/* ---- making it fit ---- */

static int64_t time_fit(int64_t us)
{
	return us < 0 ? 0 : us > TRAIN_TIME_MAX ? TRAIN_TIME_MAX : us;
}

/* The bursts that lie in time and follow each other, as they are after merging; `to` has room for n. */
static size_t bursts_fit(struct burst *to, const struct burst *from, size_t n, int64_t gap_us)
{
	int64_t last = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (from[i].start_us < last || from[i].start_us > TRAIN_TIME_MAX ||
			burst_end(&from[i]) > TRAIN_TIME_MAX)
			continue;
		last = from[i].start_us;
		to[k++] = from[i];
	}
	k = bursts_merge(to, k, gap_us);
	for (size_t i = 0; i < k; i++)
		if (to[i].bytes > TRAIN_BURST_BYTES)
			to[i].bytes = TRAIN_BURST_BYTES;
	return k;
}

/* Leaves the first TRAIN_BURSTS of both directions; false where all stay. */
static bool flow_cut(struct flow *f)
{
	size_t n[2] = {0, 0};

	if (f->n_burst[0] + f->n_burst[1] <= TRAIN_BURSTS)
		return false;
	while (n[0] + n[1] < TRAIN_BURSTS) {
		int d = n[0] == f->n_burst[0] ||
			(n[1] < f->n_burst[1] && f->burst[1][n[1]].start_us < f->burst[0][n[0]].start_us);
		n[d]++;
	}
	f->n_burst[0] = n[0];
	f->n_burst[1] = n[1];
	return true;
}

static uint64_t total_fit(uint64_t told, uint64_t sum)
{
	uint64_t v = told > sum ? told : sum;

	return v > TRAIN_TOTAL_MAX ? TRAIN_TOTAL_MAX : v;
}

/* First and last packet and the totals hold every burst.  A cut flow ends with its last burst, and of its
 * packets only those that carry payload are known. */
static void totals_fit(struct flow *f, bool cut)
{
	f->head.first_us = time_fit(f->head.first_us);
	f->last_us = cut ? 0 : time_fit(f->last_us);
	if (cut)
		f->head.flags &= (uint8_t)~FLOW_CLOSED;
	for (int d = 0; d < 2; d++) {
		uint64_t packets = 0, bytes = 0;
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *b = &f->burst[d][i];
			packets += b->packets;
			bytes += b->bytes;
			f->head.first_us = b->start_us < f->head.first_us ? b->start_us : f->head.first_us;
			f->last_us = burst_end(b) > f->last_us ? burst_end(b) : f->last_us;
		}
		struct flow_count told = f->count[d];
		if (cut)
			told = (struct flow_count){.frame_bytes = bytes};
		/* of a derived direction no packet need have been seen */
		bool derived = f->head.flags & derived_flag[d];
		f->count[d].packets = total_fit(told.packets, derived ? 0 : packets);
		f->count[d].payload_bytes = total_fit(told.payload_bytes, bytes);
		f->count[d].frame_bytes = total_fit(told.frame_bytes, 0);
	}
	if (f->last_us < f->head.first_us)
		f->last_us = f->head.first_us;
}

/* `point` has TRAIN_POINT bytes. */
static void point_fit(char *point, const char *s)
{
	char one[2] = {0};
	size_t n = 0;

	for (; *s && n + 1 < TRAIN_POINT; s++) {
		one[0] = *s;
		point[n++] = config_point_valid(one) ? *s : '_';
	}
	if (n == 0)
		point[n++] = '-';
	point[n] = '\0';
}

static void head_fit(struct train *t, char *point)
{
	struct flow_head *h = &t->flow.head;

	for (int k = 0; k < 2; k++)
		if (t->hidden[k])
			train_hide(t, k, (uint8_t)(t->hidden[k] - 1));
	point_fit(point, h->point);
	h->point = point;
	h->source.resolution_us += h->source.resolution_us == 0;
	h->source.sampling += h->source.sampling == 0;
}

/* Packets of the flow; of a derived direction those that its bursts say. */
static uint64_t packets_of(const struct flow *f)
{
	uint64_t n = 0;

	for (int d = 0; d < 2; d++) {
		uint64_t carried = 0;
		for (size_t i = 0; i < f->n_burst[d]; i++)
			carried += f->burst[d][i].packets;
		n += f->count[d].packets > carried ? f->count[d].packets : carried;
	}
	return n;
}

/* Flows together are of a protocol with ports; their initiator's is left out, the responder's is not, unless
 * it is hidden; each brought a packet. */
static void members_fit(struct train *t)
{
	const struct flow_head *h = &t->flow.head;
	bool ports = h->proto == PROTO_TCP || h->proto == PROTO_UDP || h->proto == PROTO_SCTP;
	uint64_t most = packets_of(&t->flow);

	if (t->flow.members > most)
		t->flow.members = (uint32_t)most;
	if (!ports || h->end[0].port != 0 || (h->end[1].port == 0 && !t->hidden[1]) ||
		t->flow.members < TRAIN_MEMBERS)
		t->flow.members = 0;
	if (t->flow.members) /* a single connection's numbers */
		t->flow.head.flags &= (uint8_t) ~(FLOW_SYN | FLOW_SYNACK);
}

/* ---- writing ---- */

/* v and the character behind it; returns what follows. */
static char *number_put(char *to, uint64_t v, char behind)
{
	char digit[NUMBER_TEXT];
	size_t n = 0;

	do
		digit[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n > 0)
		*to++ = digit[--n];
	*to++ = behind;
	return to;
}

static void put_text(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static void put_number(struct buf *b, const char *before, uint64_t v)
{
	char t[NUMBER_TEXT];

	put_text(b, before);
	buf_put(b, t, (size_t)(number_put(t, v, '\0') - t) - 1);
}

char *train_text(char to[FLOW_TEXT], const struct train *t)
{
	char open[FLOW_TEXT], net[2][PREFIX_TEXT];
	char *end[2];

	end[0] = strchr(flow_text(open, &t->flow.head), ' ');
	end[1] = strstr(end[0], " > ");
	*end[0]++ = '\0';
	*end[1] = '\0';
	end[1] += 3;
	for (int k = 0; k < 2; k++) {
		struct prefix p = {.ip = t->flow.head.end[k].ip, .len = (uint8_t)(t->hidden[k] - 1)};
		if (t->hidden[k])
			end[k] = prefix_text(net[k], &p);
	}
	(void)snprintf(to, FLOW_TEXT, "%.7s %.55s > %.55s", open, end[0], end[1]); /* none is longer */
	return to;
}

static void flags_write(struct buf *b, uint8_t set)
{
	bool any = false;

	put_text(b, "\nflags");
	for (size_t i = 0; i < TRAIN_FLAGS; i++)
		if (set & train_flags[i].bit) {
			put_text(b, " ");
			put_text(b, train_flags[i].name);
			any = true;
		}
	if (!any)
		put_text(b, " -");
}

static void head_write(struct buf *b, const struct train *t)
{
	const struct flow_head *h = &t->flow.head;
	char flow[FLOW_TEXT];

	put_text(b, "weir-train/v1\nflow ");
	put_text(b, train_text(flow, t));
	if (t->flow.members)
		put_number(b, "\nmembers ", t->flow.members);
	put_text(b, "\npoint ");
	put_text(b, h->point);
	put_number(b, "\nfirst ", (uint64_t)h->first_us);
	put_number(b, "\nlast ", (uint64_t)t->flow.last_us);
	put_text(b, "\nseen ");
	put_text(b, train_source_name[h->source.kind]);
	put_number(b, " resolution ", h->source.resolution_us);
	put_number(b, " error ", h->source.clock_error_us);
	put_number(b, " sampling ", h->source.sampling);
	put_number(b, " gap ", h->source.gap_us);
	flags_write(b, h->flags);
	put_text(b, "\nisn");
	for (int k = 0; k < 2; k++) {
		if (h->flags & train_isn_flag[k])
			put_number(b, " ", h->isn[k]);
		else
			put_text(b, " -");
	}
	put_text(b, "\n");
}

static void flow_write(struct buf *b, const struct flow *f)
{
	for (unsigned d = 0; d < 2; d++) {
		put_number(b, "total ", d);
		put_number(b, " packets ", f->count[d].packets);
		put_number(b, " frame ", f->count[d].frame_bytes);
		put_number(b, " payload ", f->count[d].payload_bytes);
		put_text(b, "\n");
	}
	for (unsigned d = 0; d < 2; d++) {
		int64_t before = f->head.first_us;
		put_number(b, "bursts ", d);
		put_number(b, " ", f->n_burst[d]);
		put_text(b, "\n");
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *u = &f->burst[d][i];
			char line[4 * NUMBER_TEXT], *p = line;
			p = number_put(p, (uint64_t)(u->start_us - before), ' ');
			p = number_put(p, u->dur_us, ' ');
			p = number_put(p, u->bytes, ' ');
			p = number_put(p, u->packets, '\n');
			buf_put(b, line, (size_t)(p - line));
			before = u->start_us;
		}
	}
	put_text(b, "end\n");
}

void train_write(struct buf *to, const struct train *t)
{
	size_t n = t->flow.n_burst[0] + t->flow.n_burst[1];
	struct burst *own = malloc((n + 1) * sizeof(*own));
	char point[TRAIN_POINT];
	struct train fit = *t;
	struct flow *f = &fit.flow;

	if (!own) {
		to->failed = true;
		return;
	}
	head_fit(&fit, point);
	for (int d = 0; d < 2; d++) {
		const struct burst *from = f->burst[d];
		f->burst[d] = d ? own + f->n_burst[0] : own;
		f->n_burst[d] = bursts_fit(f->burst[d], from, f->n_burst[d], f->head.source.gap_us);
	}
	totals_fit(f, flow_cut(f));
	members_fit(&fit);
	head_write(to, &fit);
	flow_write(to, f);
	free(own);
}
