/* A flow as text: the plain, canonical encoding in which a train travels in a bundle and is hashed in a
 * claim (doc/bundle-format.md).
 *
 *     weir-train/v1
 *     flow tcp 203.0.113.10:54928 > 192.0.2.10:22
 *     members 200                       (only of an aggregate, whose initiator has port 0)
 *     point victim
 *     first 1792772541123456            (UTC microseconds of the flow's first packet)
 *     last 1792772641123456
 *     seen packets resolution 1 error 0 sampling 1 gap 20000
 *     flags syn synack closed           (assumed syn synack closed derived0 derived1, "-" for none)
 *     isn 123456 789012                 ("-" where not known)
 *     total 0 packets 12 frame 3456 payload 2000
 *     total 1 packets 12 frame 3456 payload 2000
 *     bursts 0 205
 *     START DURATION BYTES PACKETS      (one line each; START of the first is relative to `first`, of the
 *     ...                                others to the burst before it; microseconds)
 *     bursts 1 180
 *     ...
 *     end
 *
 * seen is `packets` or `flow-records`.  An end that its network does not disclose stands as a prefix without
 * port ("tcp 198.51.100.0/24 > 203.0.113.10:22").  One flow has one text: train_read() accepts nothing that
 * train_write() would not write (decimal without leading zeros, one blank, sorted, bursts apart by at least
 * the gap, sums at most the totals).  All rules: doc/bundle-format.md, "Trains". */
#ifndef WEIR_RECORD_TRAIN_H
#define WEIR_RECORD_TRAIN_H

#include "base/bytes.h"
#include "base/err.h"
#include "record/flow.h"

#define TRAIN_BURSTS  65536     /* of both directions: a longer flow is cut (train_write()) or refused */
#define TRAIN_BYTES   (4 << 20) /* bytes of any train's text */
#define TRAIN_MEMBERS 3         /* the fewest flows that are one train together */

struct train {
	struct flow flow;  /* head.end[k].port 0 and host bits zero where hidden; head.id all zero: the id is
			      the text's hash, which the caller has */
	uint8_t hidden[2]; /* prefix length + 1 of an end that is not disclosed, 0: disclosed */
};

/* As recorded, at the recording's own gap.  A flow of more than TRAIN_BURSTS is cut to its first ones (its
 * `last` and totals then being those of the stretch).  What breaks a rule is made to fit: bytes that a
 * point's name may not have become '_', bursts that are out of order or of no possible time are left out.
 * to->failed: no memory. */
void train_write(struct buf *to, const struct train *t);
/* Everything in the arena.  STATUS_BAD names the line.  What a text does not say is zero; count[d].first_us
 * and last_us are those of the bursts. */
enum status train_read(struct train *to, const char *text, size_t n, struct arena *a, struct err *e);

/* How many flows a text that train_write() made says that it is of together; 0: it is of one. */
uint32_t train_members(const char *text, size_t n);

/* Hides an end: of its address only the prefix stays, and neither its port nor any initial sequence number
 * (the flags then say that none is known), nor an ICMP echo's identifier at the other end. */
void train_hide(struct train *t, int end, uint8_t prefix_len);

/* "tcp 198.51.100.0/24 > 203.0.113.10:22"; to has FLOW_TEXT bytes. */
char *train_text(char to[FLOW_TEXT], const struct train *t);

#endif
