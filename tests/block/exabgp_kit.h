/* A model of ExaBGP 4.2: it takes commands and answers as the real one does (tests/block/exabgp_peers has
 * that), with its faults.  It works on strings and knows nothing of src/block. */
#ifndef WEIR_TESTS_BLOCK_EXABGP_KIT_H
#define WEIR_TESTS_BLOCK_EXABGP_KIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_PEERS  3
#define MODEL_ROUTES 25000
#define MODEL_LINE   600

struct model_route {
	uint64_t hash;
	char key[220];   /* as ExaBGP shows the match */
	char shown[160]; /* and the attributes behind it */
	unsigned held;   /* by peers, as bits */
};

struct model_peer {
	char ip[48];
	bool up;
	bool flow6_agreed;
	bool configured; /* for FlowSpec and unicast at all */
	bool gone;       /* from ExaBGP's configuration */
};

struct model {
	struct model_route *route;
	size_t n;
	struct model_peer peer[MODEL_PEERS];
	char *out; /* answers */
	size_t n_out, cap;
	bool (*refuses)(void *self, const char *command);  /* answers error */
	bool (*swallows)(void *self, const char *command); /* gives no answer, and does nothing */
	void *self;
	bool sticky; /* withdraws nothing, and says done */
	uint64_t commands, announces, withdraws;
};

static inline void model_init(struct model *m)
{
	*m = (struct model){.route = calloc(MODEL_ROUTES, sizeof(struct model_route))};
	for (int i = 0; i < MODEL_PEERS; i++) {
		m->peer[i] = (struct model_peer){.up = true, .flow6_agreed = true, .configured = true};
		(void)snprintf(m->peer[i].ip, sizeof(m->peer[i].ip), "198.18.%d.2", i + 1);
	}
}

static inline void model_free(struct model *m)
{
	free(m->route);
	free(m->out);
}

static inline void model_say(struct model *m, const char *text)
{
	size_t n = strlen(text);

	if (m->n_out + n > m->cap) {
		m->cap = 2 * (m->n_out + n) + 4096;
		m->out = realloc(m->out, m->cap);
		if (!m->out)
			abort();
	}
	memcpy(m->out + m->n_out, text, n);
	m->n_out += n;
}

static inline uint64_t model_hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

static inline struct model_route *model_find(struct model *m, const char *key)
{
	uint64_t h = model_hash(key);

	for (size_t i = 0; i < m->n; i++)
		if (m->route[i].hash == h && strcmp(m->route[i].key, key) == 0)
			return &m->route[i];
	return NULL;
}

static inline unsigned model_holders(const struct model *m)
{
	unsigned set = 0;

	for (unsigned i = 0; i < MODEL_PEERS; i++)
		set |= m->peer[i].configured ? 1U << i : 0;
	return set;
}

static inline void model_put(struct model *m, const char *key, const char *shown)
{
	struct model_route *r = model_find(m, key);

	if (!r) {
		if (m->n == MODEL_ROUTES)
			abort();
		r = &m->route[m->n++];
		(void)snprintf(r->key, sizeof(r->key), "%s", key);
		r->hash = model_hash(key);
	}
	(void)snprintf(r->shown, sizeof(r->shown), "%s", shown);
	r->held = model_holders(m);
}

static inline void model_drop(struct model *m, const char *key)
{
	struct model_route *r = model_find(m, key);

	if (r)
		*r = m->route[--m->n];
}

static inline const char *model_proto(const char *number, char *room, size_t n)
{
	static const char *const names[][2] = {{"1", "icmp"}, {"2", "igmp"}, {"6", "tcp"}, {"8", "egp"},
		{"17", "udp"}, {"46", "rsvp"}, {"47", "gre"}, {"50", "esp"}, {"51", "ah"}, {"89", "ospf"},
		{"94", "ipip"}, {"103", "pim"}, {"132", "sctp"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], number) == 0)
			return names[i][1];
	(void)snprintf(room, n, "unknown protocol type %s", number);
	return room;
}

/* What stands behind `word` in the command, up to the next blank; "" where it does not. */
static inline const char *model_after(const char *command, const char *word, char *room, size_t n)
{
	const char *p = strstr(command, word);

	room[0] = '\0';
	if (p)
		(void)snprintf(room, n, "%.*s", (int)strcspn(p + strlen(word), " "), p + strlen(word));
	return room;
}

/* A flow command's match as it is shown.  False: there is no source, and ExaBGP would fail. */
static inline bool model_flow_key(char *to, size_t n, const char *command)
{
	char src[64], dst[64], proto[16], port[16], name[40], part[96];
	(void)model_after(command, " source ", src, sizeof(src));
	(void)model_after(command, " destination ", dst, sizeof(dst));
	bool v6 = strchr(src, ':') != NULL;
	(void)model_after(command, v6 ? " next-header =" : " protocol =", proto, sizeof(proto));
	(void)model_after(command, " destination-port =", port, sizeof(port));
	const char *tail = v6 ? "/0" : "";
	int v = v6 ? 6 : 4;

	(void)snprintf(to, n, "ipv%d flow flow", v);
	if (dst[0]) {
		(void)snprintf(part, sizeof(part), " destination-ipv%d %s%s", v, dst, tail);
		(void)strncat(to, part, n - strlen(to) - 1);
	}
	(void)snprintf(part, sizeof(part), " source-ipv%d %s%s", v, src, tail);
	(void)strncat(to, part, n - strlen(to) - 1);
	if (proto[0]) {
		(void)snprintf(part, sizeof(part), " %s =%s", v6 ? "next-header" : "protocol",
			model_proto(proto, name, sizeof(name)));
		(void)strncat(to, part, n - strlen(to) - 1);
	}
	if (port[0]) {
		(void)snprintf(part, sizeof(part), " destination-port =%s", port);
		(void)strncat(to, part, n - strlen(to) - 1);
	}
	return src[0] != '\0';
}

static inline void model_change(struct model *m, const char *command)
{
	char key[220], shown[160], word[64];
	bool announce = strncmp(command, "announce ", 9) == 0, good = true;

	m->announces += announce;
	m->withdraws += !announce;
	if (strncmp(strchr(command, ' '), " flow route ", 12) == 0) {
		good = model_flow_key(key, sizeof(key), command);
		(void)model_after(command, " rate-limit ", word, sizeof(word));
		(void)snprintf(shown, sizeof(shown), " community no-export extended-community rate-limit:%s",
			word[0] ? word : "0");
		good = good && (!announce || (strstr(command, " community [no-export]") &&
						     (word[0] || strstr(command, " discard"))));
	} else {
		(void)model_after(command, " route ", word, sizeof(word));
		(void)snprintf(key, sizeof(key), "ipv%d unicast %s", strchr(word, ':') ? 6 : 4, word);
		(void)model_after(command, " next-hop ", word, sizeof(word));
		(void)snprintf(shown, sizeof(shown), " next-hop %s community [ blackhole no-export ]", word);
		good = !announce || strstr(command, " community [65535:666 no-export]");
	}
	if (!good) {
		model_say(m, "error\n");
		return;
	}
	if (announce)
		model_put(m, key, shown);
	else if (!m->sticky)
		model_drop(m, key);
	model_say(m, "done\n");
}

static inline void model_show_routes(struct model *m)
{
	char line[MODEL_LINE];

	for (unsigned p = 0; p < MODEL_PEERS; p++)
		for (size_t i = 0; i < m->n; i++) {
			if (!(m->route[i].held >> p & 1))
				continue;
			(void)snprintf(line, sizeof(line),
				"neighbor %s local-ip 198.18.0.1 local-as 65000 peer-as 65000 router-id "
				"198.18.0.1 "
				"family-allowed in-open %s%s\n",
				m->peer[p].ip, m->route[i].key, m->route[i].shown);
			model_say(m, line);
		}
	model_say(m, "done\n");
}

static inline void model_show_peers(struct model *m)
{
	char line[MODEL_LINE];

	for (int p = 0; p < MODEL_PEERS; p++) {
		const char *got = m->peer[p].up ? "enabled" : "n/a";
		if (m->peer[p].gone)
			continue;
		(void)snprintf(line, sizeof(line),
			"Neighbor %s\n\n  Session                         Local\n   local 198.18.0.1\n"
			"   state %s\n   up for 0:00:12\n\n  Setup  Local  Remote\n   AS 65000 65000\n\n"
			"  Families                        Local          Remote        Add-Path\n",
			m->peer[p].ip, m->peer[p].up ? "ESTABLISHED" : "ACTIVE");
		model_say(m, line);
		if (m->peer[p].configured) {
			(void)snprintf(line, sizeof(line),
				"   ipv4 unicast: enabled %s disabled\n   ipv4 flow: enabled %s disabled\n"
				"   ipv6 unicast: enabled %s disabled\n   ipv6 flow: enabled %s disabled\n\n",
				got, got, got, m->peer[p].flow6_agreed ? got : "disabled");
			model_say(m, line);
		}
	}
	model_say(m, "done\n");
}

/* One command, without its newline. */
static inline void model_hear(struct model *m, const char *command)
{
	m->commands++;
	if (m->swallows && m->swallows(m->self, command))
		return;
	if (m->refuses && m->refuses(m->self, command))
		model_say(m, "error\n");
	else if (strcmp(command, "show adj-rib out extensive") == 0)
		model_show_routes(m);
	else if (strcmp(command, "show neighbor extensive") == 0)
		model_show_peers(m);
	else if (strncmp(command, "announce ", 9) == 0 || strncmp(command, "withdraw ", 9) == 0)
		model_change(m, command);
	else
		model_say(m, "error\n");
}

static inline void model_session(struct model *m, int peer, bool up)
{
	char line[MODEL_LINE];

	m->peer[peer].up = up;
	(void)snprintf(line, sizeof(line), "neighbor %s %s\n\n", m->peer[peer].ip,
		up ? "up" : "down - peer reset, message [closing connection] error[Broken TCP connection]");
	model_say(m, line);
}

#endif
