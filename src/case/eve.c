/* Suricata EVE: records with event_type "alert" (Suricata User Guide, "EVE JSON Format").
 *
 * src_ip and dest_ip are those of the packet that alerted, which may be an answer.  From Suricata 7 on the
 * record says who began the flow, in flow.src_ip and its fellows, or says "direction": "to_client", and then
 * the sender of the packet is the responder.  Without either we take the sender for the initiator, and say
 * that it is not sure. */
#include <string.h>

#include "case/sensor.h"

/* The five keys of an end in the record itself, and in its flow object. */
static const char *const packet_keys[2][2] = {{"src_ip", "src_port"}, {"dest_ip", "dest_port"}};
static const char *const flow_keys[2][2] = {
	{"flow.src_ip", "flow.src_port"}, {"flow.dest_ip", "flow.dest_port"}};

static enum line ends(const json_t *o, const char *const keys[2][2], struct alert *to)
{
	for (int i = 0; i < 2; i++) {
		const json_t *port = sensor_get(o, keys[i][1]);
		if (!sensor_ip(&to->end[i].ip, sensor_get(o, keys[i][0])))
			return LINE_ADDRESS;
		to->end[i].port = 0;
		if (!sensor_has_ports(to->proto))
			continue;
		if (!port || !sensor_port(&to->end[i].port, port))
			return LINE_PORT;
	}
	return to->end[0].ip.v == to->end[1].ip.v ? LINE_TAKEN : LINE_ADDRESS;
}

static void swap_ends(struct alert *to)
{
	struct endpoint t = to->end[0];

	to->end[0] = to->end[1];
	to->end[1] = t;
}

static enum line eve_ends(const json_t *o, struct alert *to)
{
	const char *direction = sensor_text(o, "direction");

	if (ends(o, flow_keys, to) == LINE_TAKEN) {
		to->sure = true;
		return LINE_TAKEN;
	}
	enum line got = ends(o, packet_keys, to);
	if (got != LINE_TAKEN || !direction)
		return got;
	to->sure = strcmp(direction, "to_client") == 0 || strcmp(direction, "to_server") == 0;
	if (strcmp(direction, "to_client") == 0)
		swap_ends(to);
	return LINE_TAKEN;
}

static enum line eve_line(const json_t *o, struct alert *to)
{
	const char *type = sensor_text(o, "event_type");
	const json_t *flow_id = sensor_get(o, "flow_id");

	if (!type)
		return LINE_KIND;
	if (strcmp(type, "alert") != 0)
		return LINE_OTHER;
	if (!sensor_time(&to->at, sensor_get(o, "timestamp")))
		return LINE_TIME;
	if (!sensor_proto(&to->proto, sensor_get(o, "proto")))
		return LINE_PROTO;
	to->text = sensor_text(o, "alert.signature");
	if (!to->text)
		to->text = "alert";
	to->word = true;
	if (json_is_integer(flow_id))
		(void)snprintf(to->ident, sizeof(to->ident), "%lld", (long long)json_integer_value(flow_id));
	return eve_ends(o, to);
}

const struct sensor sensor_eve = {"eve", "a Suricata EVE file", "alert of a flow", eve_line};

enum status eve_read(
	const char *path, struct arena *a, struct sighting **to, size_t *n, uint64_t *skipped, struct err *e)
{
	return sensor_open(&sensor_eve, path, a, to, n, skipped, e);
}
