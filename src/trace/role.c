/* A link's role, from what else the host does. */
#include "trace/role.h"

/* Did host open f? */
static bool opened(const struct flow *f, const struct ip *host)
{
	return flow_side(f, host) == flow_opener(f);
}

enum status role_of(const struct tracer *t, struct view *v, const struct flow *in, const struct flow *out,
	struct role *to, struct err *e)
{
	bool in_own = opened(in, &v->host), out_own = opened(out, &v->host);

	(void)e;
	to->why[0] = '\0';
	if (relay_declared(t->cfg, in, &v->host))
		to->name = "declared";
	else if (!in_own && out_own)
		to->name = "relay";
	else
		to->name = in_own ? "reverse" : "rendezvous";
	return STATUS_OK;
}
