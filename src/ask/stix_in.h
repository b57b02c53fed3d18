/* What the writers of a STIX view share (stix.h): the view as it grows, and the parts of it.
 *
 * Memory that runs out sets `failed`, as in struct buf, and stix_write() looks once: a NULL in between is
 * harmless. */
#ifndef WEIR_ASK_STIX_IN_H
#define WEIR_ASK_STIX_IN_H

#include "ask/stix.h"
#include "ask/stix_id.h"

struct stix_out {
	const struct stix_view *v;
	json_t *objects;      /* in order */
	json_t *refs;         /* the identifiers of those that the grouping holds */
	json_t *known;        /* identifier -> true */
	char made[WALL_TEXT]; /* of v, in milliseconds, as `created` has to be */
	char sender[STIX_ID]; /* the identity */
	bool failed;
};

/* Sets a property; takes value. */
void stix_set(struct stix_out *o, json_t *object, const char *key, json_t *value);
/* "BUNDLE/what", or "BUNDLE" where what is NULL: its identifier goes to id. */
void stix_id_of(
	struct stix_out *o, char id[STIX_ID], const char *type, const struct id *bundle, const char *what);
/* A domain or relationship object of this bundle with the properties that all have. */
json_t *stix_object(struct stix_out *o, char id[STIX_ID], const char *type, const char *what);
/* An observable of the properties that identify it; takes them. */
json_t *stix_observable(struct stix_out *o, char id[STIX_ID], const char *type, json_t *properties);
/* Takes the object; one that is there already is dropped. */
void stix_add(struct stix_out *o, json_t *object);
/* source --type--> target; the caller adds it. */
json_t *stix_relationship(
	struct stix_out *o, const char *type, const char *source, const char *target, const char *what);
/* The external reference: source "weir" for a claim, "weir-view" for a bundle by its view's id. */
void stix_reference(struct stix_out *o, json_t *object, const char *source, const struct id *id);

/* "ipv4-addr" or "ipv6-addr"; its value: a host's address, or CIDR. */
const char *stix_address_type(const struct prefix *p);
bool stix_disclosed(const struct prefix *p);
bool stix_address_valid(const struct prefix *p);
bool stix_address_is_host(const struct prefix *p);
char *stix_address_text(char to[PREFIX_TEXT], const struct prefix *p);
/* Adds the address; false (and id "") where it is not disclosed. */
bool stix_address(struct stix_out *o, char id[STIX_ID], const struct prefix *p);

struct stix_flow_ids {
	char traffic[STIX_ID], observed[STIX_ID];
};

/* Adds the flow's objects; false (and empty identifiers) where f is NULL or neither end is disclosed. */
bool stix_flow_add(struct stix_out *o, struct stix_flow_ids *to, const struct stix_flow *f);
/* STATUS_BAD where it cannot stand in a view; NULL can. */
enum status stix_flow_check(const struct stix_flow *f, struct err *e);
bool stix_time_valid(struct wall t);

/* The claims, each with its flows. */
void stix_claims(struct stix_out *o);
enum status stix_claim_check(const struct stix_claim *c, struct err *e);

/* What a request asks for, what an answer answers. */
void stix_request(struct stix_out *o);
void stix_answer(struct stix_out *o);
/* STATUS_BAD where ask or verdict is none. */
enum status stix_ask_check(const struct stix_view *v, struct err *e);

#endif
