/* A link's role, from what else the host does.
 *
 * In go the two legs and the host's profile (role_profile.h), out come a name and the counts behind it.  The
 * rules are a table; the first row that fits names the role.  A row asks for three things.  The legs must be
 * of the service: an attacker's session on a host that is a web server as well did not come in at the web's
 * port.  A crowd must use the service.  And it must have been there for days: so that nobody makes a bastion
 * of a fresh relay in an afternoon.  Where one of these is missing the link is plain "relay", and the words
 * say how much is there. */
#include "trace/role.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "trace/role_port.h"
#include "trace/role_profile.h"

#define HOURS_MIN   24 /* of data at the service, at least ... */
#define STEADY      5  /* ... and one in so many of the recorded hours: an office's day */
#define KEPT        2  /* a server behind a proxy has data in one of so many of the service's hours */
#define SWARM_MIN   20 /* peers of a p2p host, each way */
#define SWARM_PORTS 10 /* at so many ports, for each of them has its own */

/* ---- ports ---- */

static const struct {
	uint8_t proto;
	uint16_t port;
	unsigned class;
} ports[] = {
	{PROTO_TCP, 80, PORT_WEB},
	{PROTO_TCP, 443, PORT_WEB | PORT_TLS},
	{PROTO_UDP, 443, PORT_WEB},
	{PROTO_TCP, 8080, PORT_WEB | PORT_PROXY},
	{PROTO_TCP, 8443, PORT_WEB},
	{PROTO_TCP, 25, PORT_MAIL},
	{PROTO_TCP, 465, PORT_MAIL},
	{PROTO_TCP, 587, PORT_MAIL},
	{PROTO_TCP, 22, PORT_LOGIN},
	{PROTO_TCP, 3389, PORT_LOGIN},
	{PROTO_TCP, 1080, PORT_PROXY},
	{PROTO_TCP, 3128, PORT_PROXY},
	{PROTO_TCP, 8888, PORT_PROXY},
	{PROTO_UDP, 500, PORT_VPN},
	{PROTO_UDP, 1194, PORT_VPN},
	{PROTO_UDP, 4500, PORT_VPN},
	{PROTO_UDP, 51820, PORT_VPN},
	{PROTO_TCP, 1194, PORT_VPN},
	{PROTO_TCP, 5222, PORT_CHAT},
	{PROTO_TCP, 5269, PORT_CHAT},
	{PROTO_TCP, 6667, PORT_CHAT},
	{PROTO_TCP, 6697, PORT_CHAT},
};

unsigned role_port(uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].proto == proto && ports[i].port == port)
			return ports[i].class;
	return port >= 1024 ? PORT_HIGH : PORT_OTHER;
}

/* ---- what the recording shows of the two legs ---- */

enum shape { SHAPE_RELAY = 1, SHAPE_REVERSE = 2, SHAPE_RENDEZVOUS = 4, SHAPE_ANY = 7 };

/* A leg at the host. */
struct side {
	bool opened;
	uint8_t proto;
	uint16_t port; /* of the service: the host's own where it answered, else the peer's */
	unsigned class;
	struct role_service *service; /* NULL: none of its flows carried data both ways */
};

struct facts {
	enum shape shape;
	struct side in, out;
	size_t clients, servers; /* peers of IN's service, of OUT's */
	size_t shared;           /* that are both */
	size_t hours;            /* with data at IN's service */
	size_t kept;             /* servers with data in a good part of them */
	bool out_kept;           /* and OUT's is one, ... */
	size_t out_hours;        /* ... with data in so many */
	bool fat;                /* IN has half of what its service carried */
	bool swarm;              /* both legs are of a p2p host's port, or of its peers' */
	struct role_profile *profile;
};

static struct side side_of(const struct role_profile *p, const struct ip *host, const struct flow *f)
{
	int at = flow_side(f, host);
	struct side s = {.opened = at == flow_opener(f), .proto = f->head.proto};

	s.port = f->head.end[s.opened ? !at : at].port;
	s.class = role_port(s.proto, s.port);
	s.service = role_service_at(p, s.opened, s.proto, s.port);
	return s;
}

/* At the port where others reach the host, or at one of those where it reaches others. */
static bool of_swarm(const struct role_profile *p, const struct side *s)
{
	return s->opened ? s->class == PORT_HIGH : s->service == p->swarm;
}

static bool is_fat(const struct flow *in, const struct role_service *s)
{
	uint64_t own = in->count[0].payload_bytes + in->count[1].payload_bytes;

	return s && own >= s->bytes / 2;
}

static struct facts facts_of(
	struct role_profile *p, const struct ip *host, const struct flow *in, const struct flow *out)
{
	struct facts f = {
		.in = side_of(p, host, in), .out = side_of(p, host, out), .profile = p, .shape = SHAPE_RELAY};

	if (f.in.opened)
		f.shape = SHAPE_REVERSE;
	else if (!f.out.opened)
		f.shape = SHAPE_RENDEZVOUS;
	f.clients = f.in.service ? f.in.service->peers : 0;
	f.servers = f.out.service ? f.out.service->peers : 0;
	f.hours = f.in.service ? role_hours(p, f.in.service, NULL) : 0;
	f.fat = is_fat(in, f.in.service);
	f.swarm = p->swarm && of_swarm(p, &f.in) && of_swarm(p, &f.out);
	if (f.in.service && f.out.service) {
		size_t least = f.hours / KEPT + 1;
		f.shared = role_peers_shared(p, f.in.service, f.out.service);
		f.kept = role_peers_kept(p, f.out.service, least);
		f.out_hours = role_hours(p, f.out.service, flow_peer(out, host));
		f.out_kept = f.out_hours >= least;
	}
	return f;
}

/* ---- the rules ---- */

/* 0 in a column of counts: it does not matter. */
struct rule {
	const char *name;
	enum shape shape;
	unsigned in, out, not_out; /* enum port_class: any of these, any of these, none of these */
	size_t clients, clients_most;
	size_t servers;
	size_t reached; /* peers that the host opened flows to, at whatever port */
	size_t kept, kept_most;
	bool few;   /* four clients or more to a server that is kept */
	bool apart; /* at most half of the servers are clients as well: no mesh of equals */
	bool fat, swarm;
};

#define ANY_PORT 0xffffU

static const struct rule rules[] = {
	{.name = "mail-relay",
		.shape = SHAPE_RELAY,
		.in = PORT_MAIL,
		.out = PORT_MAIL,
		.clients = 5,
		.servers = 3},
	{.name = "bastion",
		.shape = SHAPE_RELAY,
		.in = PORT_LOGIN,
		.out = PORT_LOGIN,
		.clients = 5,
		.servers = 5,
		.apart = true},
	{.name = "chat-server", .shape = SHAPE_RENDEZVOUS, .in = PORT_CHAT, .out = PORT_CHAT, .clients = 5},
	{.name = "forward-proxy",
		.shape = SHAPE_RELAY,
		.in = PORT_PROXY,
		.out = ANY_PORT,
		.clients = 5,
		.reached = 20},
	{.name = "vpn-gateway",
		.shape = SHAPE_RELAY,
		.in = PORT_VPN,
		.out = ANY_PORT,
		.clients = 1,
		.reached = 20},
	{.name = "reverse-proxy",
		.shape = SHAPE_RELAY,
		.in = PORT_WEB,
		.out = ANY_PORT,
		.not_out = PORT_LOGIN | PORT_MAIL,
		.clients = 20,
		.kept = 1,
		.kept_most = 1,
		.few = true},
	{.name = "load-balancer",
		.shape = SHAPE_RELAY,
		.in = PORT_WEB,
		.out = ANY_PORT,
		.not_out = PORT_LOGIN | PORT_MAIL,
		.clients = 20,
		.kept = 2,
		.few = true},
	{.name = "vpn-gateway",
		.shape = SHAPE_RELAY,
		.in = PORT_TLS,
		.out = ANY_PORT,
		.clients = 1,
		.clients_most = 4,
		.reached = 20,
		.fat = true},
	{.name = "p2p", .shape = SHAPE_ANY, .in = PORT_HIGH, .out = PORT_HIGH, .swarm = true},
};

enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

/* Are the legs of the kind that the row is about? */
static bool legs_fit(const struct rule *r, const struct facts *f)
{
	return (r->shape & f->shape) && (r->in & f->in.class) && (r->out & f->out.class) &&
	       !(r->not_out & f->out.class) && (!r->swarm || f->swarm) && (!r->fat || f->fat) &&
	       (!r->apart || 2 * f->shared <= f->servers);
}

static bool swarms(const struct role_profile *p)
{
	return p->swarm->peers >= SWARM_MIN && p->reached_high >= SWARM_MIN && p->ports_high >= SWARM_PORTS;
}

static bool crowd_fits(const struct rule *r, const struct facts *f)
{
	if (f->clients < r->clients || (r->clients_most && f->clients > r->clients_most))
		return false;
	if (f->servers < r->servers || f->profile->reached < r->reached)
		return false;
	if (r->kept && (!f->out_kept || f->kept < r->kept || (r->kept_most && f->kept > r->kept_most)))
		return false;
	return (!r->few || f->clients >= 4 * f->kept) && (!r->swarm || swarms(f->profile));
}

/* Hours with data at the service that the rule is about. */
static size_t hours_for(const struct rule *r, const struct facts *f)
{
	return r && r->swarm ? role_hours(f->profile, f->profile->swarm, NULL) : f->hours;
}

static bool is_steady(const struct rule *r, const struct facts *f)
{
	size_t hours = hours_for(r, f);

	return hours >= HOURS_MIN && STEADY * hours >= f->profile->recorded;
}

/* ---- in words ---- */

struct words {
	char *p;
	size_t n, size;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(w->p + w->n, w->size - w->n, format, ap);
	va_end(ap);
	if (n > 0)
		w->n += (size_t)n < w->size - w->n ? (size_t)n : w->size - w->n - 1;
}

/* "412 clients at tcp 443" */
static void add_side(struct words *w, const struct side *s)
{
	char proto[8], count[COUNT_TEXT];

	add(w, "%s at %s %u",
		counted(count, s->service ? s->service->peers : 0, s->opened ? "server" : "client"),
		proto_name(proto, s->proto), s->port);
}

static void add_legs(struct words *w, const struct facts *f)
{
	char count[32];

	add_side(w, &f->in);
	if (!f->in.service || f->in.service != f->out.service) {
		add(w, ", ");
		add_side(w, &f->out);
	}
	if (f->out.opened && f->profile->reached > f->servers)
		add(w, " (%s at any port)", thousands(count, f->profile->reached));
}

static void add_swarm(struct words *w, const struct role_profile *p)
{
	char here[COUNT_TEXT], there[COUNT_TEXT], proto[8];

	add(w, "%s at %s %u, %s reached at other ports", counted(here, p->swarm->peers, "peer"),
		proto_name(proto, p->swarm->proto), p->swarm->port, counted(there, p->reached_high, "peer"));
}

/* r: the rule that fits, NULL for none.  missing: the role whose legs these are, but whose crowd or days are
 * not there; NULL for none. */
static void say(struct role *to, const struct facts *f, const struct rule *r, const char *missing)
{
	struct words w = {to->why, 0, sizeof(to->why)};
	char data[32], all[32];

	if (r && r->swarm)
		add_swarm(&w, f->profile);
	else
		add_legs(&w, f);
	if (f->profile->recorded)
		add(&w, "; data in %s of %s recorded hours", thousands(data, hours_for(r, f)),
			thousands(all, f->profile->recorded));
	if (f->profile->recorded && f->shape == SHAPE_RELAY && f->servers && !(r && r->swarm))
		add(&w, ", with this server in %s", thousands(data, f->out_hours));
	if (missing)
		add(&w, ": too little for \"%s\"", missing);
}

/* ---- a link ---- */

static const char *shape_name(enum shape s)
{
	switch (s) {
	case SHAPE_REVERSE:
		return "reverse";
	case SHAPE_RENDEZVOUS:
		return "rendezvous";
	case SHAPE_RELAY:
	case SHAPE_ANY:
		break;
	}
	return "relay";
}

static void judge(struct role *to, const struct facts *f)
{
	const char *missing = NULL;

	to->name = shape_name(f->shape);
	for (size_t i = 0; i < N_RULES; i++) {
		const struct rule *r = &rules[i];
		if (!legs_fit(r, f))
			continue;
		if (crowd_fits(r, f) && is_steady(r, f)) {
			to->name = r->name;
			say(to, f, r, NULL);
			return;
		}
		missing = missing ? missing : r->name;
	}
	say(to, f, NULL, missing);
}

enum status role_of(const struct tracer *t, struct view *v, const struct flow *in, const struct flow *out,
	struct role *to, struct err *e)
{
	struct role_profile *p;
	enum status s = role_profile_get(v, &p, e);

	*to = (struct role){.name = "relay"};
	if (s != STATUS_OK || flow_side(in, &v->host) < 0 || flow_side(out, &v->host) < 0)
		return s;
	struct facts f = facts_of(p, &v->host, in, out);
	judge(to, &f);
	if (relay_declared(t->cfg, in, &v->host))
		to->name = "declared";
	return STATUS_OK;
}

enum status role_hop(const struct tracer *t, struct view *v, struct hop *h, struct err *e)
{
	struct arena *a = &v->rec->arena;
	struct role r;

	h->role = h->role_why = NULL;
	if (h->best.link.verdict != LINK_PROVEN)
		return STATUS_OK;
	enum status s = role_of(t, v, h->best.flow, h->out, &r, e);
	if (s != STATUS_OK)
		return s;
	h->role = r.name;
	h->role_why = arena_str(a, r.why);
	return h->role_why ? STATUS_OK : err_nomem(e);
}
