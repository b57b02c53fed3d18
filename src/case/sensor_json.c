/* Values in the JSON of sensors: what their writers are known to produce for protocols, times, addresses and
 * ports, and nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "case/sensor.h"

const json_t *sensor_get(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *dot = strchr(key, '.');
	char head[32];

	if (v || !dot || (size_t)(dot - key) >= sizeof(head))
		return v;
	memcpy(head, key, (size_t)(dot - key));
	head[dot - key] = '\0';
	return json_object_get(json_object_get(o, head), dot + 1);
}

const char *sensor_text(const json_t *o, const char *key)
{
	return json_string_value(sensor_get(o, key));
}

/* Names as Suricata and Zeek write them; a number (Suricata writes "047" where it knows no name) is one. */
bool sensor_proto(uint8_t *to, const json_t *v)
{
	static const struct {
		const char *name;
		uint8_t number; /* IANA, Assigned Internet Protocol Numbers */
	} table[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"ipv6-icmp", 58}, {"icmpv6", 58}, {"icmp6", 58},
		{"sctp", 132}, {"gre", 47}, {"esp", 50}, {"ah", 51}, {"igmp", 2}, {"ipip", 4}, {"ipv6", 41},
		{"udplite", 136}, {"dccp", 33}};
	const char *s = json_string_value(v);

	if (json_is_integer(v)) {
		json_int_t n = json_integer_value(v);
		*to = (uint8_t)n;
		return n >= 0 && n <= 255;
	}
	if (!s || !*s)
		return false;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcasecmp(s, table[i].name) == 0) {
			*to = table[i].number;
			return true;
		}
	if (strlen(s) > 3 || strspn(s, "0123456789") != strlen(s) || strtol(s, NULL, 10) > 255)
		return false;
	*to = (uint8_t)strtol(s, NULL, 10);
	return true;
}

/* RFC 3339 text, seconds since 1970 with a fraction (Zeek's default), or milliseconds (its JSON_TS_MILLIS),
 * which are told apart by their size: 10^11 seconds would be the year 5138. */
bool sensor_time(struct wall *to, const json_t *v)
{
	const char *s = json_string_value(v);
	double x = json_number_value(v);

	if (s)
		return wall_parse(to, s) && to->us >= 0;
	if (!json_is_number(v) || !(x >= 0) || x > 1e14)
		return false;
	to->us = x > 1e11 ? llround(x * 1e3) : llround(x * 1e6);
	return true;
}

bool sensor_ip(struct ip *to, const json_t *v)
{
	const char *s = json_string_value(v);

	return s && ip_parse(to, s);
}

bool sensor_port(uint16_t *to, const json_t *v)
{
	json_int_t n = json_integer_value(v);

	*to = (uint16_t)n;
	return !v || (json_is_integer(v) && n >= 0 && n <= 65535);
}

bool sensor_has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP || proto == PROTO_UDPLITE ||
	       proto == PROTO_DCCP;
}
