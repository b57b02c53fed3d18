/* In: a flow as far as its owner discloses it.  Out: the observable objects that tell it (STIX 2.1 section 6:
 * ipv4-addr, ipv6-addr, network-traffic) and the observed-data that says who saw them when. */
#include <string.h>

#include "ask/stix_in.h"

/* Section 2.8: an integer is within what a double can tell from its neighbours. */
#define STIX_INTEGER ((UINT64_C(1) << 53) - 1)

#define YEAR_1_US     INT64_C(-62135596800000000)
#define YEAR_10000_US INT64_C(253402300800000000)

bool stix_time_valid(struct wall t)
{
	return t.us >= YEAR_1_US && t.us < YEAR_10000_US;
}

bool stix_disclosed(const struct prefix *p)
{
	return p->ip.v != 0 && p->len != 0;
}

/* Bits behind the length of a network would be told by its text. */
bool stix_address_valid(const struct prefix *p)
{
	char text[PREFIX_TEXT];
	struct prefix same;

	return p->ip.v == 0 || prefix_parse(&same, prefix_text(text, p));
}

enum status stix_flow_check(const struct stix_flow *f, struct err *e)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (!f)
		return STATUS_OK;
	if (!f->proto || !*f->proto || f->proto[strspn(f->proto, may)] != '\0')
		return err_set(e, STATUS_BAD, "a flow's protocol has no name of STIX");
	if (!stix_address_valid(&f->end[0]) || !stix_address_valid(&f->end[1]))
		return err_set(e, STATUS_BAD, "an end of a flow tells more than its network");
	if (!stix_time_valid(f->first) || !stix_time_valid(f->last))
		return err_set(e, STATUS_BAD, "a flow's time is outside the years 1 to 9999");
	if (f->last.us < f->first.us)
		return err_set(e, STATUS_BAD, "a flow ends before it begins");
	return STATUS_OK;
}

bool stix_address_is_host(const struct prefix *p)
{
	return p->len == ip_bits(&p->ip);
}

const char *stix_address_type(const struct prefix *p)
{
	return p->ip.v == 4 ? "ipv4-addr" : "ipv6-addr";
}

char *stix_address_text(char to[PREFIX_TEXT], const struct prefix *p)
{
	return stix_address_is_host(p) ? ip_text(to, &p->ip) : prefix_text(to, p);
}

bool stix_address(struct stix_out *o, char id[STIX_ID], const struct prefix *p)
{
	char text[PREFIX_TEXT];

	*id = '\0';
	if (!stix_disclosed(p))
		return false;
	json_t *value = json_pack("{s:s}", "value", stix_address_text(text, p));
	stix_add(o, stix_observable(o, id, stix_address_type(p), value));
	return true;
}

/* "src_" or "dst_" and what stands behind it. */
static const char *const side[2][4] = {
	{"src_ref", "src_port", "src_packets", "src_byte_count"},
	{"dst_ref", "dst_port", "dst_packets", "dst_byte_count"},
};

/* Start, end, ends, ports, protocols: what identifies network-traffic (section 6.12). */
static json_t *identity_of(struct stix_out *o, const struct stix_flow *f)
{
	char first[WALL_TEXT], last[WALL_TEXT], address[STIX_ID];
	bool v4 = (f->end[0].ip.v ? f->end[0] : f->end[1]).ip.v == 4;
	json_t *p = json_pack("{s:s, s:s, s:[s, s]}", "start", wall_text(first, f->first), "end",
		wall_text(last, f->last), "protocols", v4 ? "ipv4" : "ipv6", f->proto);

	for (size_t i = 0; i < 2; i++) {
		if (stix_address(o, address, &f->end[i]))
			stix_set(o, p, side[i][0], json_string(address));
		if (f->port[i])
			stix_set(o, p, side[i][1], json_integer(f->port[i]));
	}
	return p;
}

static void count_set(struct stix_out *o, json_t *j, const char *key, uint64_t n)
{
	if (n <= STIX_INTEGER)
		stix_set(o, j, key, json_integer((json_int_t)n));
}

static void counts_into(struct stix_out *o, json_t *j, const struct stix_flow *f)
{
	bool packets = f->packets[0] || f->packets[1], bytes = f->bytes[0] || f->bytes[1];

	for (size_t i = 0; i < 2; i++) {
		if (packets)
			count_set(o, j, side[i][2], f->packets[i]);
		if (bytes)
			count_set(o, j, side[i][3], f->bytes[i]);
	}
}

/* The observed-data names the addresses too: a platform that does not follow network-traffic shows them. */
static json_t *observed_refs(const json_t *traffic, const char *id)
{
	json_t *refs = json_pack("[s]", id);

	for (size_t i = 0; i < 2; i++) {
		json_t *address = json_object_get(traffic, side[i][0]);
		if (address && json_array_append(refs, address) != 0) {
			json_decref(refs);
			return NULL;
		}
	}
	return refs;
}

bool stix_flow_add(struct stix_out *o, struct stix_flow_ids *to, const struct stix_flow *f)
{
	*to = (struct stix_flow_ids){0};
	if (!f || (!stix_disclosed(&f->end[0]) && !stix_disclosed(&f->end[1])))
		return false;
	json_t *traffic = stix_observable(o, to->traffic, "network-traffic", identity_of(o, f));
	counts_into(o, traffic, f);
	json_t *seen = stix_object(o, to->observed, "observed-data", to->traffic);
	stix_set(o, seen, "first_observed", json_incref(json_object_get(traffic, "start")));
	stix_set(o, seen, "last_observed", json_incref(json_object_get(traffic, "end")));
	stix_set(o, seen, "number_observed", json_integer(1));
	stix_set(o, seen, "object_refs", observed_refs(traffic, to->traffic));
	stix_add(o, traffic);
	stix_add(o, seen);
	return true;
}
