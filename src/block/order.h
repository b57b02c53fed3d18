/* Orders: what the enforcing process takes, and nothing else.
 *
 * An order is a text, "weir-order/v1", of which the ledger has an entry (kind "order") with its SHA-256; so
 * has the plan that it refers to (kind "plan").  It can be checked with nothing but the log's public key. */
#ifndef WEIR_BLOCK_ORDER_H
#define WEIR_BLOCK_ORDER_H

#include "plan/plan.h"

#define ORDER_BYTES (4 << 20)
#define ORDER_WHY   400 /* bytes of a reason */
#define ORDER_BY    64  /* bytes of a name */

struct order {
	struct id case_id;
	char plan[65];   /* SHA-256 of the plan's text, 64 hex digits */
	uint32_t option; /* its number there */
	struct wall made, expires;
	const char *override_why; /* "": the evidence is sufficient; else why it is enforced all the same */
	const char *by[2];        /* who ordered it, and, where two have to, who confirmed ("" for none) */
	const struct rule *rule;  /* those of the option that are placed here; sorted, each match once */
	size_t n_rule;
};

/* May it stand in a text?  STATUS_BAD names the field. */
enum status order_valid(const struct order *o, struct err *e);
/* The canonical text; its id is the first 16 bytes of its SHA-256.  to->failed also where it is not valid. */
void order_write(struct buf *to, const struct order *o);
/* STATUS_BAD names line and field; what order_write() would not write is refused. */
enum status order_read(struct order *to, const void *text, size_t n, struct arena *a, struct err *e);

#endif
