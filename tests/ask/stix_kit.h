/* Views of bundles for the tests of STIX: a table of every kind, and what they are made of. */
#ifndef WEIR_TESTS_ASK_STIX_KIT_H
#define WEIR_TESTS_ASK_STIX_KIT_H

#include <stdlib.h>
#include <string.h>

#include "ask/stix.h"

#define KIT_CLAIMS 6

struct kit {
	const char *name;
	struct stix_view view;
	struct stix_claim claim[KIT_CLAIMS];
	struct stix_flow flow[4];
};

static inline struct wall kit_time(const char *s)
{
	struct wall t;

	if (!wall_parse(&t, s))
		abort();
	return t;
}

/* "" is not disclosed. */
static inline struct prefix kit_net(const char *s)
{
	struct prefix p = {0};

	if (*s && !prefix_parse(&p, s))
		abort();
	return p;
}

static inline struct id kit_id(const char *s)
{
	struct id id;

	if (!id_of(&id, s, strlen(s)))
		abort();
	return id;
}

static inline struct stix_flow kit_flow(
	const char *proto, const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
	return (struct stix_flow){.proto = proto,
		.end = {kit_net(from), kit_net(to)},
		.port = {from_port, to_port},
		.first = kit_time("2014-11-22T15:10:24.123456Z"),
		.last = kit_time("2014-11-22T15:42:00.000001Z"),
		.packets = {1203, 1822},
		.bytes = {201044, 1733201}};
}

/* A claim with the numbers of a proven link. */
static inline struct stix_claim kit_claim(const char *kind, const char *name, const struct stix_flow *in,
	const struct stix_flow *out, const char *relay)
{
	return (struct stix_claim){.id = kit_id(name),
		.kind = kind,
		.in = in,
		.out = out,
		.relay = kit_net(relay),
		.log10_e = 31.25,
		.needed = 8.301,
		.alpha = 1e-6,
		.searched = 200,
		.verdict = "proven",
		.made = kit_time("2014-11-23T09:00:00.5Z")};
}

static inline struct stix_view kit_request(const char *ask, const char *to)
{
	return (struct stix_view){.bundle = kit_id("the request"),
		.from = "victim.example/weir",
		.to = to,
		.made = kit_time("2014-11-23T10:00:00.999999Z"),
		.not_after = kit_time("2014-12-23T10:00:00Z"),
		.ask = ask};
}

static inline struct stix_view kit_answer(const char *verdict, const char *why)
{
	struct stix_view v = kit_request(NULL, "victim.example/weir");

	v.bundle = kit_id(verdict);
	v.from = "relay.example/weir";
	v.answer = true;
	v.reply_to = kit_id("the request");
	v.verdict = verdict;
	v.why = why;
	return v;
}

/* What a hostile partner writes that is text all the same: JSON, SQL, a format, a path, a last code point. */
#define KIT_HOSTILE "\"},{\"type\":\"bundle\\u0000\\ %s%n '; DROP TABLE x -- ../../etc $(id) \xf4\x8f\xbf\xbf"

static inline void kit_requests(struct kit k[4])
{
	struct kit *t = &k[0];

	t->name = "request-trace";
	t->view = kit_request("trace", "relay.example/weir");
	t->flow[0] = kit_flow("tcp", "198.51.100.7", 41234, "192.0.2.10", 22);
	t->flow[1] = kit_flow("tcp", "203.0.113.5", 1080, "198.51.100.7", 443);
	t->claim[0] = kit_claim("attack", "attack", NULL, &t->flow[0], "");
	t->claim[1] = kit_claim("link", "link", &t->flow[1], &t->flow[0], "198.51.100.7");
	t->view.n_claim = 2;

	t = &k[1];
	t->name = "request-block";
	t->view = kit_request("block", "relay.example/weir");
	t->view.why = "three nights in a row; our desk is open at all hours";
	t->flow[0] = kit_flow("tcp", "2001:db8::7", 41234, "2001:db8:1::10", 22);
	t->flow[1] = kit_flow("udp", "2001:db8::7", 5000, "2001:db8:1::10", 53);
	for (size_t i = 0; i < 3; i++)
		t->claim[i] = kit_claim("attack", i ? i > 1 ? "c" : "b" : "a", NULL, &t->flow[i > 1], "");
	t->view.n_claim = 3;

	t = &k[2];
	t->name = "request-everybody";
	t->view = kit_request("confirm", "*");
	t->flow[0] = kit_flow("icmp", "198.51.100.0/24", 0, "192.0.2.10", 0);
	t->claim[0] = kit_claim("attack", "attack", NULL, &t->flow[0], "");
	t->view.n_claim = 1;

	t = &k[3];
	t->name = "request-empty";
	t->view = kit_request("block", "relay.example/weir");
}

static inline void kit_answers(struct kit k[4])
{
	struct kit *t = &k[0];

	t->name = "answer-accepted";
	t->view = kit_answer("accepted", NULL);
	t->flow[0] = kit_flow("tcp", "198.51.100.7", 41234, "192.0.2.10", 22);
	t->flow[1] = kit_flow("tcp", "175.45.176.0/22", 0, "198.51.100.7", 443);
	t->flow[2] = kit_flow("ip-47", "", 0, "2001:db8:7::/48", 0);
	t->flow[3] = kit_flow("tcp", "", 0, "", 0);
	t->claim[0] = kit_claim("link", "link", &t->flow[1], &t->flow[0], "198.51.100.7");
	t->claim[1] = kit_claim("origin", "origin", NULL, &t->flow[1], "175.45.176.0/22");
	t->claim[2] = kit_claim("seen", "seen", NULL, &t->flow[2], "");
	t->claim[3] = kit_claim("block", "block", NULL, NULL, "198.51.100.7");
	t->claim[4] = kit_claim("link", "not disclosed", &t->flow[3], NULL, "");
	t->claim[5] = kit_claim("link", "insufficient", &t->flow[1], &t->flow[0], "198.51.100.7");
	t->claim[5].log10_e = 3;
	t->claim[5].verdict = "insufficient";
	t->view.n_claim = 6;

	t = &k[1];
	t->name = "answer-doubted";
	t->view = kit_answer("doubted", "not in our records of that hour");
	t->view.looked_and_saw_nothing = true;

	t = &k[2];
	t->name = "answer-refused";
	t->view = kit_answer("refused", "no order of a court");

	t = &k[3];
	t->name = "answer-hostile";
	t->view = kit_answer("doubted", KIT_HOSTILE);
	t->claim[0] = kit_claim("link", "link", NULL, NULL, "");
	t->claim[0].verdict = KIT_HOSTILE;
	t->claim[0].searched = UINT64_MAX;
	t->view.n_claim = 1;
}

enum { KIT_VIEWS = 8 };

/* All views; the pointers in them go into k. */
static inline void kit_views(struct kit k[KIT_VIEWS])
{
	memset(k, 0, sizeof(*k) * KIT_VIEWS);
	kit_requests(k);
	kit_answers(k + 4);
	for (size_t i = 0; i < KIT_VIEWS; i++)
		k[i].view.claim = k[i].claim;
}

#endif
