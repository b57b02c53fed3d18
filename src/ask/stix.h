/* The STIX 2.1 view of a bundle (OASIS Standard, 10 June 2021): stix.json, for partners with a threat
 * platform.  It tells what the bundle's claims tell and nothing beyond; the signed bundle is what binds.
 *
 *     identity          the sender, an organization, by its key's name
 *     grouping          all objects of the view, context "suspicious-activity" (`incident` is a stub in 2.1)
 *     observed-data     one a flow, with network-traffic and ipv4-addr or ipv6-addr.  What is not disclosed
 *                       is absent; a network is written as CIDR; a flow with neither end is not shown
 *     relationship      related-to, from the in-leg to the out-leg, where a link is proven.  `confidence` is
 *                       95 ("almost certain", appendix A) where alpha is at most 0.05, absent otherwise: it
 *                       repeats that the sender's threshold was met and is no probability.  The numbers
 * (log10 e, needed, alpha, pairs searched) stand in the description note              each other claim, on
 * the flows or the address that it is about indicator         a request: the traffic of the claims "attack",
 * valid until the bundle expires, based-on their observed-data; no more than source, destination and
 * destination port course-of-action  a request to block: mitigates the indicator.  (`attributed-to` is used
 * nowhere: it takes no infrastructure, and a network is no actor) opinion           an answer, about the
 * request's grouping: accepted "agree", doubted "disagree", refused "neutral" (it says nothing about the
 * claim); the verdict's own name is its label sighting          count 0 of the request's indicator, where the
 * answerer looked and saw nothing
 *
 * Ids: an address and network-traffic have the UUIDv5 of STIX 2.1 section 2.9.  The identity has the UUIDv5
 * of "identity/NAME" in STIX_NAMESPACE and the created time 1970, since it says the same in every bundle;
 * every other object that of "VIEW" or "VIEW/WHAT" there (VIEW: 32 hex digits of the view's id, which is the
 * external reference "weir-view" of the grouping; WHAT: the claim's id, a relationship's other end, "block"),
 * created when the bundle was made: a later bundle never contradicts an object of an earlier one, and an
 * answer can name the request's grouping and indicator.  What is the same across bundles is the claim's id,
 * an external reference of source "weir".
 *
 * Marking: TLP:AMBER on every object but the identity, unless the bundle is for everybody ("*"). */
#ifndef WEIR_ASK_STIX_H
#define WEIR_ASK_STIX_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/ip.h"

#define STIX_NAMESPACE "98e5d7dd-2b96-403d-928f-786174c572b7"

struct stix_flow {
	const char *proto;    /* "tcp": lower-case letters, digits, '-' (proto_name() of record/flow.h) */
	struct prefix end[2]; /* initiator, responder; /32 or /128: a host; /0, or ip.v 0: not disclosed */
	uint16_t port[2];     /* 0: not disclosed, or none */
	struct wall first, last;
	uint64_t packets[2], bytes[2]; /* sent by the initiator, by the responder; both 0: not disclosed */
};

struct stix_claim {
	struct id id;
	const char *kind;                 /* "attack", "seen", "link", "origin", "block" */
	const struct stix_flow *out, *in; /* NULL where none; an attack's flow is out */
	struct prefix relay;              /* the host, or the network, that the claim is about; as an end */
	double log10_e, needed, alpha;    /* of a link */
	uint64_t searched;
	const char *verdict; /* of a link: "proven", ...; NULL: none */
	struct wall made;
};

struct stix_view {
	struct id bundle;      /* the view's id (view.h): the manifest's own hangs on this view's hash */
	const char *from, *to; /* key names; to may be "*" */
	struct wall made, not_after;
	bool answer;
	const char *ask;             /* request: "confirm", "trace", "block" */
	struct id reply_to;          /* answer: the id of the request's view */
	const char *verdict;         /* answer: "accepted", "doubted", "refused" */
	bool looked_and_saw_nothing; /* answer: of the request's attack, which has at least one claim then */
	const char *why;             /* NULL or "": none */
	const struct stix_claim *claim;
	size_t n_claim;
};

/* Appends the view, JSON in ASCII with a newline at its end; the same bytes for the same view.  STATUS_BAD: a
 * text that is no clean line of UTF-8 (base/utf8.h), a name that is none of the above, a time outside the
 * years 1 to 9999, a flow that ends before it begins, a bundle that expires before it is made, a network with
 * bits behind its length.  On failure nothing is appended. */
enum status stix_write(struct buf *to, const struct stix_view *v, struct err *e);

#endif
