/* Roles: what a proven link's relay looks like in the recording.
 *
 * A reverse proxy, a bastion or a VPN gateway relays, truly, so its links are proven; who reads them must
 * know that a crowd passes there.  A role is a description from the host's other flows, never evidence, and
 * it hides nothing: verdict and number are what they are, and the words give the counts, so that a reader can
 * doubt the name. */
#ifndef WEIR_TRACE_ROLE_H
#define WEIR_TRACE_ROLE_H

#include "trace/tracer.h"

#define ROLE_WHY 224

struct role {
	const char *name;   /* static: "relay", "reverse" (both legs opened by the host), "rendezvous" (both
			       by others), "declared", or a row of role.c: "reverse-proxy", ... */
	char why[ROLE_WHY]; /* "412 clients at tcp 443, 3 servers at tcp 8080, ..."; "" where the host has no
			       such flows */
};

/* The role of v's host for the link IN -> OUT, both flows of v or aggregates of such. */
enum status role_of(const struct tracer *t, struct view *v, const struct flow *in, const struct flow *out,
	struct role *to, struct err *e);

/* Fills role and role_why of a proven hop, whose relay is v's host; they live as long as the view. */
enum status role_hop(const struct tracer *t, struct view *v, struct hop *h, struct err *e);

#endif
