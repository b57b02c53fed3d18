/* Roles: what a proven link's relay looks like in the recording.
 *
 * A reverse proxy, a bastion or a VPN gateway relays, truly, so its links are proven; who reads them must
 * know that a crowd passes there.  A role is a description from the host's other flows, never evidence, and
 * it hides nothing. */
#ifndef WEIR_TRACE_ROLE_H
#define WEIR_TRACE_ROLE_H

#include "trace/tracer.h"

#define ROLE_WHY 160

struct role {
	const char *name;   /* static: "relay", "reverse", "rendezvous", "declared", "reverse-proxy", ... */
	char why[ROLE_WHY]; /* "412 clients at port 443, 3 servers behind, over 9 days"; "" where nothing is
			       to be said */
};

/* The role of v's host for the link IN -> OUT, both flows of v. */
enum status role_of(const struct tracer *t, struct view *v, const struct flow *in, const struct flow *out,
	struct role *to, struct err *e);

#endif
