/* TCP: which payload is new (RFC 9293, sequence numbers modulo 2^32), which SYN begins another connection,
 * and what the ACK numbers of one direction tell about the other where that is not seen.
 *
 * seq_next is the byte after the highest one seen.  Data below it was seen before (a retransmission, a
 * keep-alive probe) unless it lies in a hole, a stretch that was passed over; holes are remembered in a block
 * of 15, the oldest is forgotten first.  A direction that is not seen has its seq_next moved by the other
 * side's ACKs, so that its data, should it show up later, counts only from there. */
#include "record/table_in.h"

#define OLD_US                                                                                               \
	(INT64_C(60) * 1000000)   /* a flow that was silent for so long gives its ports up to a new SYN */
#define YOUNG_US INT64_C(1000000) /* a flow younger than this may learn its SYN late */

static inline int32_t after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* ---- holes ---- */

static void holes_forget(struct table *t, struct slot *s, int d)
{
	if (!s->holes[d])
		return;
	block_free(t, s->holes[d]);
	s->holes[d] = 0;
	t->hole_blocks--;
}

void tcp_holes_free(struct table *t, struct slot *s)
{
	for (int d = 0; d < 2; d++)
		holes_forget(t, s, d);
}

static void hole_add(struct table *t, struct slot *s, int d, uint32_t from, uint32_t to)
{
	if (!s->holes[d] && t->hole_blocks == t->max_holes)
		return;
	if (!s->holes[d]) {
		s->holes[d] = block_new(t);
		t->hole_blocks++;
	}
	struct block *b = &t->block[s->holes[d]];
	if (b->n == BLOCK_HOLES)
		memmove(&b->hole[0], &b->hole[1], --b->n * sizeof(b->hole[0]));
	b->hole[b->n++] = (struct hole){from, to};
}

/* Takes [from, to) out of the holes; returns how many bytes of it lay in one. */
static uint32_t holes_fill(struct table *t, struct slot *s, int d, uint32_t from, uint32_t to)
{
	struct block *b = &t->block[s->holes[d]];
	uint32_t sum = 0, n = b->n, k = 0;
	struct hole old[BLOCK_HOLES];

	memcpy(old, b->hole, sizeof(old));
	b->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct hole h = old[i];
		uint32_t lo = after(from, h.from) > 0 ? from : h.from;
		uint32_t hi = after(to, h.to) < 0 ? to : h.to;
		if (after(hi, lo) <= 0) {
			b->hole[k++] = h;
			continue;
		}
		sum += hi - lo;
		if (lo != h.from)
			b->hole[k++] = (struct hole){h.from, lo};
		/* A cut in the middle makes two of one; with the block full the upper part is given up. */
		if (hi != h.to && k + (n - 1 - i) < BLOCK_HOLES)
			b->hole[k++] = (struct hole){hi, h.to};
	}
	b->n = k;
	if (k == 0)
		holes_forget(t, s, d);
	return sum;
}

/* ---- data ---- */

uint32_t tcp_data(struct table *t, struct slot *s, int d, const struct packet *p)
{
	struct half *h = &s->half[d];
	uint32_t from = p->seq + (p->tcp_flags & TCP_SYN ? 1U : 0U), to = from + p->payload;

	if (p->tcp_flags & TCP_RST)
		return 0;
	if (!(h->bits & HALF_SEQ)) {
		h->bits |= HALF_SEQ;
		h->seq_next = to;
		return p->payload;
	}
	if (p->payload == 0)
		return 0;
	int32_t gap = after(from, h->seq_next), fresh = after(to, h->seq_next);
	if (gap == 0) {
		h->seq_next = to;
		return p->payload;
	}
	if (gap > SEQ_FAR || gap < -SEQ_FAR) {
		holes_forget(t, s, d);
		h->seq_next = to;
		return p->payload;
	}
	if (gap > 0) {
		hole_add(t, s, d, h->seq_next, from);
		h->seq_next = to;
		return p->payload;
	}
	uint32_t filled = s->holes[d] ? holes_fill(t, s, d, from, fresh > 0 ? h->seq_next : to) : 0;
	if (fresh <= 0)
		return filled;
	h->seq_next = to;
	return filled + (uint32_t)fresh;
}

/* An ACK that advances by n says that n bytes were received, except the one that acknowledges a FIN: an
 * advance of one byte in a packet that itself closes, or after one, is taken for that. */
void tcp_derive(struct table *t, struct slot *s, int d, const struct packet *p)
{
	struct half *h = &s->half[d], *o = &s->half[1 - d];

	if ((p->tcp_flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (!(o->bits & HALF_SEQ)) {
		o->bits |= HALF_SEQ;
		o->seq_next = p->ack;
		return;
	}
	int32_t n = after(p->ack, o->seq_next);
	if (n == 0 || (n < 0 && n >= -SEQ_FAR))
		return;
	o->seq_next = p->ack;
	if (n > SEQ_FAR || n < 0)
		return;
	if (n == 1 && ((p->tcp_flags & TCP_FIN) || (h->bits & HALF_FIN)))
		return;
	o->bits |= HALF_DERIVED | HALF_PAYLOAD;
	burst_add(t, s, 1 - d, p->time_us, (uint32_t)n);
}

/* ---- opening and closing ---- */

void tcp_isn(struct slot *s, const struct packet *p)
{
	if (!(p->tcp_flags & TCP_SYN))
		return;
	s->flags &= (uint8_t)~FLOW_ASSUMED;
	s->flags |= FLOW_SYN;
	if (p->tcp_flags & TCP_ACK) {
		s->flags |= FLOW_SYNACK;
		s->isn[0] = p->ack - 1;
		s->isn[1] = p->seq;
	} else {
		s->isn[0] = p->seq;
	}
}

/* The flow's other direction becomes its first. */
static void turn_round(struct slot *s)
{
	struct half h = s->half[0];
	struct key k = {.a = {s->a[1], s->a[0]}, .b = {s->b[1], s->b[0]}, .c = {s->c[1], s->c[0]}};
	uint32_t holes = s->holes[0];
	uint16_t ip_id = s->first_ip_id[0];
	uint8_t ttl = s->ttl[0];

	s->half[0] = s->half[1];
	s->half[1] = h;
	memcpy(s->a, k.a, sizeof(s->a));
	memcpy(s->b, k.b, sizeof(s->b));
	memcpy(s->c, k.c, sizeof(s->c));
	s->holes[0] = s->holes[1];
	s->holes[1] = holes;
	s->first_ip_id[0] = s->first_ip_id[1];
	s->first_ip_id[1] = ip_id;
	s->ttl[0] = s->ttl[1];
	s->ttl[1] = ttl;
}

/* A SYN or SYN-ACK that came after the first packets of its own connection: nothing was handed out, no burst
 * waits, and what is known of its direction follows on its sequence number. */
static bool adopt(struct slot *s, int *d, const struct packet *p)
{
	const struct half *h = &s->half[*d];
	bool synack = (p->tcp_flags & TCP_ACK) != 0;

	if ((s->bits & SLOT_ID) || s->pending || p->time_us - slot_last(s) >= YOUNG_US)
		return false;
	if ((h->bits & HALF_SEQ) && (h->seq_next - (p->seq + 1) > UINT16_MAX))
		return false;
	if (*d != (int)synack) {
		turn_round(s);
		*d = 1 - *d;
	}
	tcp_isn(s, p);
	return true;
}

static bool same_syn(const struct slot *s, int d, const struct packet *p)
{
	if (p->tcp_flags & TCP_ACK)
		return d == 1 && s->isn[0] == p->ack - 1;
	return d == 0 && s->isn[0] == p->seq;
}

enum tcp_start tcp_syn(struct slot *s, int *d, const struct packet *p)
{
	bool synack = (p->tcp_flags & TCP_ACK) != 0;
	bool over = (s->bits & SLOT_CLOSED) || p->time_us - slot_last(s) >= OLD_US;

	if ((s->flags & FLOW_SYN) && same_syn(s, *d, p)) {
		if (synack && !(s->flags & FLOW_SYNACK)) {
			s->flags |= FLOW_SYNACK;
			s->isn[1] = p->seq;
		}
		return TCP_GOES_ON;
	}
	if (over)
		return TCP_STARTS_NEW;
	if (!(s->flags & FLOW_SYN) && adopt(s, d, p))
		return TCP_GOES_ON;
	/* A SYN-ACK alone could be forged to cut a long session in two; it must answer a SYN that was seen.
	 */
	if (synack)
		return (s->bits & SLOT_OTHER_SYN) && s->other_syn == p->ack - 1 ? TCP_STARTS_NEW
										: TCP_GOES_ON;
	if ((s->flags & FLOW_SYN) && !(s->half[1].bits & HALF_SEEN) && !(s->half[0].bits & HALF_PAYLOAD) &&
		*d == 0)
		return TCP_STARTS_NEW;
	s->bits |= SLOT_OTHER_SYN;
	s->other_syn = p->seq;
	return TCP_GOES_ON;
}

/* A RST counts where its sequence number could be the next one (RFC 5961, section 3.2, loosely: a mirror may
 * have lost packets). */
bool tcp_closes(struct slot *s, int d, const struct packet *p)
{
	struct half *h = &s->half[d];

	if (p->tcp_flags & TCP_RST)
		return !(h->bits & HALF_SEQ) || p->seq == 0 || p->seq - (h->seq_next - 1) <= UINT16_MAX;
	h->bits |= HALF_FIN;
	return (s->half[1 - d].bits & HALF_FIN) != 0;
}
