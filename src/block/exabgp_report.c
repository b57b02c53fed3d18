/* How a rule stands with the routers, and one line about what is not well. */
#include <stdio.h>

#include "block/exabgp.h"

static const struct {
	enum peer_family family;
	const char *name;
} names[] = {{PEER_FLOW4, "IPv4 FlowSpec"}, {PEER_FLOW6, "IPv6 FlowSpec"}, {PEER_UNICAST4, "IPv4 routes"},
	{PEER_UNICAST6, "IPv6 routes"}};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

static const char *family_name(enum peer_family f)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (names[i].family == f)
			return names[i].name;
	return "";
}

/* Does a router have it?  What was announced and not yet read back is with all that have a session up for it.
 */
static bool announced(const struct told *t, uint64_t live)
{
	bool read_back = t->holders != 0;

	return t->there && (t->fresh || read_back) && ((read_back ? t->holders : live) & live) != 0;
}

void talk_have(const struct talk *k, const struct rule *r, struct have *to)
{
	const char *cannot = exabgp_cannot(&k->way, r);
	const struct told *t = cannot ? NULL : table_find(&k->table, r);
	enum peer_family f = exabgp_family(&k->way, r);

	*to = (struct have){.state = INSTALL_NOT};
	if (cannot) {
		to->state = INSTALL_REFUSED;
		(void)snprintf(to->why, sizeof(to->why), "%s", cannot);
	} else if (!t || !t->wanted) {
		(void)snprintf(to->why, sizeof(to->why), "not announced yet");
	} else if (announced(t, peers_live(&k->peers, f))) {
		to->state = INSTALL_ANNOUNCED;
	} else if (t->trouble != TROUBLE_NONE) {
		to->state = INSTALL_REFUSED;
		(void)snprintf(to->why, sizeof(to->why), "%s", trouble_text(t->trouble));
	} else if (t->there && t->fresh) {
		(void)snprintf(to->why, sizeof(to->why), "no BGP session for %s is up", family_name(f));
	} else {
		(void)snprintf(to->why, sizeof(to->why), "ExaBGP has not answered yet");
	}
}

/* ---- one line ---- */

/* What is counted, and an example of it. */
struct found {
	size_t n;
	char first[IP_TEXT + 40];
};

static void found_add(struct found *f, const struct peer *p, const char *what)
{
	char ip[IP_TEXT];

	if (f->n++ == 0)
		(void)snprintf(f->first, sizeof(f->first), "%s%s", ip_text(ip, &p->ip), what);
}

/* "BGP session to 192.0.2.1 is down", "3 times: BGP session to 192.0.2.1 is down". */
static bool say(char to[], size_t room, const struct found *f, const char *before, const char *behind)
{
	char times[32] = "";

	if (f->n > 1)
		(void)snprintf(times, sizeof(times), "%zu times: ", f->n);
	if (f->n > 0)
		(void)snprintf(to, room, "%s%s%s%s", times, before, f->first, behind);
	return f->n > 0;
}

static bool say_down(const struct talk *k, char to[], size_t room)
{
	struct found f = {0};

	for (size_t i = 0; i < k->peers.n; i++)
		if (k->peers.peer[i].ours && !k->peers.peer[i].up)
			found_add(&f, &k->peers.peer[i], "");
	return say(to, room, &f, "BGP session to ", " is down");
}

static unsigned families_wanted(const struct talk *k)
{
	unsigned all = 0;

	for (size_t i = 0; i < k->table.n; i++)
		if (k->table.told[i].wanted)
			all |= exabgp_family(&k->way, &k->table.told[i].rule);
	return all;
}

/* A session that is up, but does not take what is wanted. */
static bool say_family(const struct talk *k, char to[], size_t room)
{
	unsigned wanted = families_wanted(k);
	struct found f = {0};
	char what[40];

	for (size_t i = 0; i < k->peers.n; i++) {
		const struct peer *p = &k->peers.peer[i];
		for (size_t j = 0; p->ours && p->up && j < N_NAMES; j++) {
			(void)snprintf(what, sizeof(what), " takes no %s", names[j].name);
			if ((names[j].family & wanted & ~p->negotiated) != 0)
				found_add(&f, p, what);
		}
	}
	return say(to, room, &f, "", "");
}

static bool say_trouble(const struct talk *k, char to[], size_t room)
{
	enum trouble first = TROUBLE_NONE;
	size_t n = 0;

	for (size_t i = 0; i < k->table.n; i++) {
		const struct told *t = &k->table.told[i];
		bool settled = t->wanted ? t->there && t->fresh : !t->there;
		if (!settled && t->trouble != TROUBLE_NONE && n++ == 0)
			first = t->trouble;
	}
	if (n > 0)
		(void)snprintf(to, room, "%zu rule%s: %s", n, n == 1 ? "" : "s", trouble_text(first));
	return n > 0;
}

/* Lost and back between two rounds. */
static bool say_back(struct talk *k, char to[], size_t room)
{
	struct found f = {0};

	for (size_t i = 0; i < k->peers.n; i++) {
		if (k->peers.peer[i].back)
			found_add(&f, &k->peers.peer[i], "");
		k->peers.peer[i].back = false;
	}
	return say(to, room, &f, "BGP session to ", " was lost and is back");
}

static bool say_nobody(const struct talk *k, char to[], size_t room)
{
	bool ours = false;

	for (size_t i = 0; i < k->peers.n; i++)
		ours = ours || k->peers.peer[i].ours;
	if (!ours && k->table.n > 0)
		(void)snprintf(to, room,
			"no neighbor of ExaBGP takes our rules: none names this process in its api section");
	return !ours && k->table.n > 0;
}

void talk_drift(struct talk *k, struct drift *to)
{
	char back[sizeof(to->why)] = "";

	*to = k->drift;
	k->drift = (struct drift){0};
	to->rebuilt = say_back(k, back, sizeof(back));
	to->why[0] = '\0';
	if (!say_down(k, to->why, sizeof(to->why)) && !say_family(k, to->why, sizeof(to->why)) &&
		!say_trouble(k, to->why, sizeof(to->why)) && !say_nobody(k, to->why, sizeof(to->why)))
		(void)snprintf(to->why, sizeof(to->why), "%s", back);
}
