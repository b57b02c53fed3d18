/* Zeek logs as lines of JSON: notice.log and conn.log (Zeek documentation, "Log Files";
 * LogAscii::use_json=T).
 *
 * A notice is somebody's word that a flow is an attack; a line of conn.log is a connection that an operator
 * has picked. Both name the connection by uid and by id.orig_h and its fellows, of which the originator is
 * the initiator.  A notice that is about a host alone (a scan) names no flow and is passed over. */
#include <string.h>

#include "case/sensor.h"

static const char *const keys[2][2] = {{"id.orig_h", "id.orig_p"}, {"id.resp_h", "id.resp_p"}};

static enum line zeek_ends(const json_t *o, struct alert *to)
{
	for (int i = 0; i < 2; i++) {
		const json_t *port = sensor_get(o, keys[i][1]);
		if (!sensor_ip(&to->end[i].ip, sensor_get(o, keys[i][0])))
			return LINE_ADDRESS;
		if (!port || !sensor_port(&to->end[i].port, port))
			return LINE_PORT;
		if (!sensor_has_ports(to->proto)) /* of ICMP the ports are type and code */
			to->end[i].port = 0;
	}
	return to->end[0].ip.v == to->end[1].ip.v ? LINE_TAKEN : LINE_ADDRESS;
}

/* "SSH::Password_Guessing: 192.0.2.1 appears to be guessing", or what a connection says of itself. */
static void zeek_text(const json_t *o, struct alert *to)
{
	const char *note = sensor_text(o, "note"), *msg = sensor_text(o, "msg");
	const char *service = sensor_text(o, "service"), *state = sensor_text(o, "conn_state");

	to->word = note != NULL;
	if (note)
		(void)snprintf(
			to->text_own, sizeof(to->text_own), "%s%s%s", note, msg ? ": " : "", msg ? msg : "");
	else
		(void)snprintf(to->text_own, sizeof(to->text_own), "connection%s%s%s%s", service ? ", " : "",
			service ? service : "", state ? ", " : "", state ? state : "");
	to->text = to->text_own;
}

static enum line zeek_line(const json_t *o, struct alert *to)
{
	const char *uid = sensor_text(o, "uid");
	bool notice = sensor_text(o, "note") != NULL;

	if (!sensor_get(o, "ts"))
		return LINE_KIND;
	if (!sensor_get(o, "id.orig_h"))
		return notice ? LINE_OTHER : LINE_KIND;
	if (!sensor_time(&to->at, sensor_get(o, "ts")))
		return LINE_TIME;
	if (!sensor_proto(&to->proto, sensor_get(o, "proto")))
		return LINE_PROTO;
	/* Zeek calls ICMP for both versions of IP "icmp". */
	enum line got = zeek_ends(o, to);
	if (got != LINE_TAKEN)
		return got;
	if (to->proto == PROTO_ICMP && to->end[0].ip.v == 6)
		to->proto = PROTO_ICMP6;
	if (uid)
		(void)snprintf(to->ident, sizeof(to->ident), "%s", uid);
	to->sure = true;
	zeek_text(o, to);
	return LINE_TAKEN;
}

const struct sensor sensor_zeek = {"zeek", "a Zeek log", "notice or connection", zeek_line};

enum status zeek_read(
	const char *path, struct arena *a, struct sighting **to, size_t *n, uint64_t *skipped, struct err *e)
{
	return sensor_open(&sensor_zeek, path, a, to, n, skipped, e);
}
