/* Readers of what sensors wrote: the forms that Suricata and Zeek are known to write, bad lines among
 * good ones, growing and hostile files, and floods.  The messages go to standard error and are read back
 * from there. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "case/lines.h"
#include "case/sensor.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#if !defined(SANITIZED)
#define SANITIZED 0
#endif

struct result {
	struct arena arena;
	struct sighting *s;
	size_t n;
	uint64_t skipped;
	struct err e;
	enum status status;
	char log[8192]; /* what was said on standard error */
};

static void read_file(struct result *r, const struct sensor *k, FILE *f)
{
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);

	assert_non_null(log);
	memset(r, 0, sizeof(*r));
	(void)fflush(stderr);
	(void)dup2(fileno(log), STDERR_FILENO);
	r->status = sensor_read(k, f, "f.json", &r->arena, &r->s, &r->n, &r->skipped, &r->e);
	(void)fflush(stderr);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	rewind(log);
	r->log[fread(r->log, 1, sizeof(r->log) - 1, log)] = '\0';
	(void)fclose(log);
}

static void read_bytes(struct result *r, const struct sensor *k, const void *p, size_t n)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	rewind(f);
	read_file(r, k, f);
	(void)fclose(f);
}

static void read_text(struct result *r, const struct sensor *k, const char *text)
{
	read_bytes(r, k, text, strlen(text));
}

static void result_free(struct result *r)
{
	arena_free(&r->arena);
}

#define FLOW                                                                                                 \
	"\"src_ip\":\"192.0.2.10\",\"src_port\":22,\"dest_ip\":\"198.51.100.7\",\"dest_port\":41234,"        \
	"\"proto\":\"TCP\""
#define WHEN "\"timestamp\":\"2014-11-24T09:12:33.123456+0000\",\"event_type\":\"alert\","
#define GOOD "{" WHEN FLOW ",\"alert\":{\"signature\":\"S\"}}\n"

static void assert_flow(const struct sighting *s, uint8_t proto, const char *from, const char *to)
{
	char text[ENDPOINT_TEXT];

	assert_int_equal(s->proto, proto);
	assert_string_equal(endpoint_text(text, &s->end[0]), from);
	assert_string_equal(endpoint_text(text, &s->end[1]), to);
}

/* One line of EVE and the flow that it means. */
static void eve_forms(void **state)
{
	static const struct {
		const char *line;
		uint8_t proto;
		const char *from, *to, *text;
	} table[] = {
		{GOOD, 6, "192.0.2.10:22", "198.51.100.7:41234", "S"},
		{"{" WHEN FLOW ",\"direction\":\"to_server\",\"alert\":{\"signature\":\"S\"}}", 6,
			"192.0.2.10:22", "198.51.100.7:41234", "S"},
		{"{" WHEN FLOW ",\"direction\":\"to_client\",\"alert\":{\"signature\":\"S\"}}", 6,
			"198.51.100.7:41234", "192.0.2.10:22", "S"},
		/* Suricata 7: the flow object decides */
		{"{" WHEN FLOW ",\"direction\":\"to_client\",\"flow\":{\"pkts_toserver\":3,"
		 "\"start\":\"2014-11-24T09:12:30.000000+0000\",\"src_ip\":\"198.51.100.7\",\"dest_ip\":"
		 "\"192.0.2.10\","
		 "\"src_port\":41234,\"dest_port\":22}}",
			6, "198.51.100.7:41234", "192.0.2.10:22", "alert"},
		/* a flow object of Suricata 6 has no addresses */
		{"{" WHEN FLOW
		 ",\"flow\":{\"pkts_toserver\":3,\"start\":\"2014-11-24T09:12:30.000000+0000\"}}",
			6, "192.0.2.10:22", "198.51.100.7:41234", "alert"},
		{"{" WHEN
		 "\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\",\"proto\":\"ICMP\",\"icmp_type\":8,"
		 "\"icmp_code\":0}",
			1, "192.0.2.1:0", "192.0.2.2:0", "alert"},
		{"{" WHEN
		 "\"src_ip\":\"2001:db8::1\",\"dest_ip\":\"2001:0db8:0000:0000:0000:0000:0000:0002\","
		 "\"proto\":\"IPv6-ICMP\",\"src_port\":7,\"dest_port\":8}",
			58, "[2001:db8::1]:0", "[2001:db8::2]:0", "alert"},
		{"{" WHEN "\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\",\"proto\":\"047\"}", 47,
			"192.0.2.1:0", "192.0.2.2:0", "alert"},
		{"  {" WHEN
		 "\"src_ip\":\"192.0.2.1\",\"src_port\":0,\"dest_ip\":\"192.0.2.2\",\"dest_port\":65535,"
		 "\"proto\":\"udp\"}  \r\n",
			17, "192.0.2.1:0", "192.0.2.2:65535", "alert"},
		{"\xef\xbb\xbf" GOOD, 6, "192.0.2.10:22", "198.51.100.7:41234", "S"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct result r;
		char at[WALL_TEXT];
		read_text(&r, &sensor_eve, table[i].line);
		if (r.status != STATUS_OK || r.n != 1)
			fail_msg("%s: %s", table[i].line, r.e.text);
		assert_flow(&r.s[0], table[i].proto, table[i].from, table[i].to);
		assert_string_equal(r.s[0].text, table[i].text);
		assert_string_equal(r.s[0].source, "eve");
		assert_int_equal(r.s[0].count, 1);
		assert_null(r.s[0].flow_id);
		assert_string_equal(wall_text(at, r.s[0].at), "2014-11-24T09:12:33.123456Z");
		assert_int_equal(r.skipped, 0);
		assert_string_equal(r.log, "");
		result_free(&r);
	}
}

#define UID "\"uid\":\"CHhAvVGS1DHFjwGM9\","
#define IDS                                                                                                  \
	"\"id.orig_h\":\"198.51.100.7\",\"id.orig_p\":41234,\"id.resp_h\":\"192.0.2.10\",\"id.resp_p\":22,"

static void zeek_forms(void **state)
{
	static const struct {
		const char *line, *at;
		uint8_t proto;
		const char *from, *to, *text;
	} table[] = {
		{"{\"ts\":1416820353.123456," UID IDS
		 "\"proto\":\"tcp\",\"note\":\"SSH::Password_Guessing\",\"msg\":\"m\"}",
			"2014-11-24T09:12:33.123456Z", 6, "198.51.100.7:41234", "192.0.2.10:22",
			"SSH::Password_Guessing: m"},
		{"{\"ts\":\"2014-11-24T09:12:33.123456Z\"," UID IDS
		 "\"proto\":\"tcp\",\"conn_state\":\"SF\",\"service\":\"ssh\"}",
			"2014-11-24T09:12:33.123456Z", 6, "198.51.100.7:41234", "192.0.2.10:22",
			"connection, ssh, SF"},
		{"{\"ts\":1416820353123," UID IDS "\"proto\":\"udp\"}", "2014-11-24T09:12:33.123000Z", 17,
			"198.51.100.7:41234", "192.0.2.10:22", "connection"},
		{"{\"ts\":1416820353," UID
		 "\"id\":{\"orig_h\":\"2001:db8::1\",\"orig_p\":128,\"resp_h\":\"2001:db8::2\","
		 "\"resp_p\":0},\"proto\":\"icmp\"}",
			"2014-11-24T09:12:33.000000Z", 58, "[2001:db8::1]:0", "[2001:db8::2]:0",
			"connection"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct result r;
		char at[WALL_TEXT];
		read_text(&r, &sensor_zeek, table[i].line);
		if (r.status != STATUS_OK || r.n != 1)
			fail_msg("%s: %s", table[i].line, r.e.text);
		assert_flow(&r.s[0], table[i].proto, table[i].from, table[i].to);
		assert_string_equal(r.s[0].text, table[i].text);
		assert_string_equal(wall_text(at, r.s[0].at), table[i].at);
		result_free(&r);
	}
}

/* A bad line between two good ones: skipped, counted, named once with its number, and the good ones
 * are there. */
static void bad_lines(void **state)
{
	static const struct {
		const char *line, *says;
	} table[] = {
		{"not json", "is not JSON"},
		{"{\"event_type\":\"alert\"", "is not JSON"},
		{GOOD "x", "is not JSON"},
		{"[1]", "is not a JSON object"},
		{"3", "is not a JSON object"},
		{"{\"a\":1,\"a\":2}", "gives a key twice"},
		{"{\"a\":\"\xff\"}", "is not UTF-8"},
		{"{\"a\":\"\\u0000\"}", "has a NUL byte"},
		{"{\"a\":99999999999999999999}", "has a number out of range"},
		{"{\"a\":1e999}", "has a number out of range"},
		{"{\"timestamp\":1}", "is not a record of this sensor"},
		{"{\"event_type\":\"alert\"," FLOW "}", "has no valid time"},
		{"{\"event_type\":\"alert\",\"timestamp\":\"yesterday\"," FLOW "}", "has no valid time"},
		{"{\"event_type\":\"alert\",\"timestamp\":-5," FLOW "}", "has no valid time"},
		{"{\"event_type\":\"alert\",\"timestamp\":1e300," FLOW "}", "has no valid time"},
		{"{" WHEN "\"proto\":\"TCP\"}", "has no two addresses"},
		{"{" WHEN "\"proto\":\"TCP\",\"src_ip\":3,\"dest_ip\":4}", "has no two addresses"},
		{"{" WHEN "\"proto\":\"ICMP\",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"2001:db8::1\"}",
			"has no two addresses"},
		{"{" WHEN "\"proto\":\"XYZ\"}", "has no known protocol"},
		{"{" WHEN "\"proto\":\"256\"}", "has no known protocol"},
		{"{" WHEN "\"proto\":-1}", "has no known protocol"},
		{"{" WHEN
		 "\"proto\":\"TCP\",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\",\"src_port\":1}",
			"has no valid ports"},
		{"{" WHEN "\"proto\":\"TCP\",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\",\"src_port\":"
		 "1,\"dest_port\":65536}",
			"has no valid ports"},
		{"{" WHEN "\"proto\":\"TCP\",\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\",\"src_port\":"
		 "1,\"dest_port\":\"2\"}",
			"has no valid ports"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[4096], says[128];
		struct result r;
		bool own = strstr(table[i].line, "\"S\"") != NULL; /* begins with a good line of its own */
		(void)snprintf(text, sizeof(text), GOOD "%s\n%s\n\n" GOOD, table[i].line, table[i].line);
		read_text(&r, &sensor_eve, text);
		if (r.status != STATUS_OK)
			fail_msg("%s: %s", table[i].line, r.e.text);
		assert_int_equal(r.n, 1);
		assert_int_equal(r.s[0].count, own ? 4 : 2);
		if (r.skipped != 2)
			fail_msg("%s: %d skipped", table[i].line, (int)r.skipped);
		(void)snprintf(says, sizeof(says), "weir: f.json:%d: skipped: the line %s", own ? 3 : 2,
			table[i].says);
		if (!strstr(r.log, says))
			fail_msg("%s: %s", table[i].line, r.log);
		assert_null(strstr(strstr(r.log, "skipped: the") + 4, "skipped: the"));
		result_free(&r);
	}
}

static void raw_bytes(void **state)
{
	static const char nul[] = GOOD "{\"a\":\0}\n" GOOD;
	struct result r;

	(void)state;
	read_bytes(&r, &sensor_eve, nul, sizeof(nul) - 1);
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.skipped, 1);
	assert_non_null(strstr(r.log, "f.json:2: skipped: the line has a NUL byte"));
	result_free(&r);
	/* nesting: the stack does not grow with the line */
	char *deep = malloc((1 << 20) + 4096);
	assert_non_null(deep);
	size_t good = strlen(GOOD);
	memcpy(deep, GOOD, good);
	memset(deep + good, '[', 1 << 20);
	deep[good + (1 << 20)] = '\n';
	read_bytes(&r, &sensor_eve, deep, good + (1 << 20) + 1);
	assert_int_equal(r.status, STATUS_OK);
	assert_non_null(strstr(r.log, "f.json:2: skipped: the line is nested too deeply"));
	result_free(&r);
	/* one byte more is too long, and what follows is read */
	memset(deep + good, '[', (1 << 20) + 1);
	memcpy(deep + good + (1 << 20) + 1, "\n" GOOD, good + 1);
	read_bytes(&r, &sensor_eve, deep, 2 * good + (1 << 20) + 2);
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.s[0].count, 2);
	assert_non_null(strstr(r.log, "f.json:2: skipped: the line is longer than 1 MiB"));
	result_free(&r);
	free(deep);
}

/* A file that grows: the last line is cut off at any byte. */
static void growing(void **state)
{
	char text[2048];
	size_t n = strlen(GOOD);

	(void)state;
	memcpy(text, GOOD, n);
	memcpy(text + n, GOOD, n);
	for (size_t cut = 0; cut <= n; cut++) {
		struct result r;
		bool whole = cut + 1 >= n; /* without its line feed it is a line, too */
		read_bytes(&r, &sensor_eve, text, n + cut);
		assert_int_equal(r.status, STATUS_OK);
		assert_int_equal(r.s[0].count, whole ? 2 : 1);
		assert_int_equal(r.skipped, whole || cut == 0 ? 0 : 1);
		assert_string_equal(r.log, "");
		result_free(&r);
	}
}

static void joining(void **state)
{
	static const char text[] =
		/* both directions of one flow, the later one sure of who began it */
		"{" WHEN FLOW ",\"flow_id\":7,\"alert\":{\"signature\":\"first\"}}\n"
		"{" WHEN
		"\"src_ip\":\"198.51.100.7\",\"src_port\":41234,\"dest_ip\":\"192.0.2.10\",\"dest_port\":22,"
		"\"proto\":\"TCP\",\"flow_id\":7,\"direction\":\"to_server\",\"alert\":{\"signature\":"
		"\"second\"}}\n"
		/* the same ends again as another flow */
		"{\"timestamp\":\"2014-11-24T08:00:00.000000+0000\",\"event_type\":\"alert\"," FLOW
		",\"flow_id\":8,\"alert\":{\"signature\":\"other\"}}\n"
		"{\"timestamp\":\"2014-11-24T08:00:00.000000+0000\",\"event_type\":\"flow\"," FLOW "}\n";
	struct result r;

	(void)state;
	read_text(&r, &sensor_eve, text);
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.s[0].text, "other"); /* the earlier one first */
	assert_int_equal(r.s[1].count, 2);
	assert_string_equal(r.s[1].text, "first");
	assert_flow(&r.s[1], 6, "198.51.100.7:41234", "192.0.2.10:22");
	result_free(&r);
	/* a connection and the notice about it */
	read_text(&r, &sensor_zeek,
		"{\"ts\":1416820353," UID IDS "\"proto\":\"tcp\",\"conn_state\":\"SF\"}\n"
		"{\"ts\":1416820360," UID IDS "\"proto\":\"tcp\",\"note\":\"N\"}\n"
		"{\"ts\":1416820361,\"note\":\"Scan::Port_Scan\",\"src\":\"198.51.100.7\"}\n");
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.skipped, 0);
	assert_string_equal(r.s[0].text, "N");
	assert_int_equal(r.s[0].at.us, INT64_C(1416820360000000));
	result_free(&r);
}

static void long_text(void **state)
{
	char text[4096];
	struct result r;
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "{" WHEN FLOW ",\"alert\":{\"signature\":\"x");
	for (int i = 0; i < 600; i++, n += 2)
		memcpy(text + n, "\xc3\xa9", 2);
	(void)snprintf(text + n, sizeof(text) - n, "\"}}\n");
	read_text(&r, &sensor_eve, text);
	assert_int_equal(r.status, STATUS_OK);
	n = strlen(r.s[0].text);
	assert_int_equal(n, SENSOR_TEXT_MAX - 1);
	assert_memory_equal(r.s[0].text + n - 2, "\xc3\xa9", 2);
	json_t *j = json_string(r.s[0].text); /* still UTF-8 */
	assert_non_null(j);
	json_decref(j);
	result_free(&r);
}

static void other_files(void **state)
{
	static const struct {
		const struct sensor *kind;
		const char *text, *says;
	} table[] = {
		{&sensor_eve, "", "f.json: holds no alert of a flow (0 other records, 0 lines skipped)"},
		{&sensor_eve, "{\"event_type\":\"dns\"}\n",
			"holds no alert of a flow (1 other record, 0 lines skipped)"},
		{&sensor_eve, "x\ny\n", "2 lines skipped: line 1 is not JSON)"},
		{&sensor_eve, "{\"ts\":1}\n", "1 line skipped: line 1 is not a record of this sensor"},
		{&sensor_zeek, "#separator \\x09\n#set_separator\t,\n",
			"a Zeek log in TSV; weir reads JSON: run Zeek with"},
		{&sensor_eve, "#fields\tts\tuid\n", "a Zeek log in TSV"},
		{&sensor_eve, "\n\n{\n \"a\": 1\n}\n", "JSON over several lines"},
		{&sensor_eve, "[{\"a\":1}]", "a JSON array"},
		{&sensor_eve, "\x1f\x8b\x08", "compressed: unpack it with gunzip"},
		{&sensor_zeek, "\xd4\xc3\xb2\xa1", "a capture: 'weir record' reads those"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct result r;
		read_text(&r, table[i].kind, table[i].text);
		assert_int_equal(r.status, STATUS_BAD);
		if (!strstr(r.e.text, table[i].says))
			fail_msg("%s: %s", table[i].text, r.e.text);
		assert_int_equal(r.n, 0);
		result_free(&r);
	}
}

static void paths(void **state)
{
	struct arena a = {0};
	struct sighting *s;
	struct err e;
	uint64_t skipped;
	size_t n;

	(void)state;
	assert_int_equal(eve_read("/nonexistent/eve.json", &a, &s, &n, &skipped, &e), STATUS_BAD);
	assert_string_equal(e.text, "/nonexistent/eve.json: no such file");
	assert_int_equal(zeek_read("/tmp", &a, &s, &n, &skipped, &e), STATUS_BAD);
	assert_string_equal(e.text, "/tmp: is a directory, not a Zeek log");
	assert_int_equal(eve_read("/proc/self/mem", &a, &s, &n, &skipped, &e), STATUS_MACHINE);
	assert_non_null(strstr(e.text, "/proc/self/mem: Input/output error"));
	arena_free(&a);
}

static long memory_kib(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void flood_one_flow(void **state)
{
	enum { N = 1000000 };
	FILE *f = tmpfile();
	struct result r;
	long before, after;

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < N; i++)
		(void)fputs(i % 2 ? GOOD : "{" WHEN FLOW "}\n", f);
	rewind(f);
	before = memory_kib();
	read_file(&r, &sensor_eve, f);
	after = memory_kib();
	(void)fclose(f);
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.s[0].count, N);
	print_message("# %ld KiB more\n", after - before);
	if (!SANITIZED) /* which keeps what was freed */
		assert_true(after - before < 16 * 1024);
	result_free(&r);
}

/* More flows than are kept: the first are there, the rest is counted, and alerts of kept ones still join. */
static void flood_of_flows(void **state)
{
	enum { N = SENSOR_FLOWS_MAX + 1000 };
	FILE *f = tmpfile();
	struct result r;

	(void)state;
	assert_non_null(f);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < N; i++)
			(void)fprintf(f,
				"{" WHEN "\"src_ip\":\"192.0.2.1\",\"src_port\":%d,\"dest_ip\":\"192.0.2.2\","
				"\"dest_port\":%d,"
				"\"proto\":\"TCP\"}\n",
				i % 60000, 22 + i / 60000);
	rewind(f);
	read_file(&r, &sensor_eve, f);
	(void)fclose(f);
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.n, SENSOR_FLOWS_MAX);
	assert_int_equal(r.skipped, 2000);
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(r.s[i].count, 2);
	assert_non_null(strstr(r.log, "is of one flow too many"));
	result_free(&r);
}

/* WEIR_SEED repeats a run. */
static uint64_t seed_take(void)
{
	const char *given = getenv("WEIR_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("# seed %llu\n", (unsigned long long)seed);
	return seed;
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

/* Joining against a plain look at all earlier alerts. */
static void joining_random(void **state)
{
	enum { N = 400 };
	uint64_t seed = seed_take();

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct {
			unsigned from, to, id, count;
		} flow[N];
		size_t n = 0;
		FILE *f = tmpfile();
		struct result r;
		assert_non_null(f);
		for (int i = 0; i < N; i++) {
			unsigned from = next_random(&seed) % 6, to = next_random(&seed) % 6,
				 id = next_random(&seed) % 3;
			size_t k = 0;
			(void)fprintf(f,
				"{\"event_type\":\"alert\",\"timestamp\":%d,\"flow_id\":%u,\"proto\":\"TCP\","
				"\"src_ip\":\"192.0.2.%u\",\"src_port\":%u,\"dest_ip\":\"192.0.2.%u\",\"dest_"
				"port\":%u}\n",
				1000 + i, id, from / 2, from, to / 2, to);
			while (k < n &&
				!(flow[k].id == id && ((flow[k].from == from && flow[k].to == to) ||
							      (flow[k].from == to && flow[k].to == from))))
				k++;
			if (k == n) {
				flow[n].from = from;
				flow[n].to = to;
				flow[n].id = id;
				flow[n++].count = 0;
			}
			flow[k].count++;
		}
		rewind(f);
		read_file(&r, &sensor_eve, f);
		(void)fclose(f);
		assert_int_equal(r.n, n);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(r.s[k].count, flow[k].count);
			assert_int_equal(r.s[k].end[0].port, flow[k].from);
			assert_int_equal(r.s[k].end[1].port, flow[k].to);
		}
		result_free(&r);
	}
}

/* The reader of lines against a plain walk over the same bytes, with lines around the longest. */
static void lines_random(void **state)
{
	enum { MAX = 50, SIZE = 300000 };
	uint64_t seed = seed_take();
	char *text = malloc(SIZE);

	(void)state;
	assert_non_null(text);
	for (int round = 0; round < 30; round++) {
		size_t n = next_random(&seed) % SIZE, at = 0;
		unsigned often = 1 + next_random(&seed) % 200;
		struct line_text t;
		struct lines l;
		uint64_t number = 0;
		for (size_t i = 0; i < n; i++)
			text[i] = next_random(&seed) % often == 0 ? '\n' : "ab\r"[next_random(&seed) % 3];
		FILE *f = fmemopen(text, n ? n : 1, "r");
		assert_non_null(f);
		assert_true(lines_open(&l, f, MAX));
		while (n && lines_next(&l, &t)) {
			const char *lf = memchr(text + at, '\n', n - at);
			size_t len = lf ? (size_t)(lf - text) - at : n - at;
			assert_int_equal(l.number, ++number);
			assert_int_equal(t.too_long, len > MAX);
			if (!t.too_long) {
				assert_int_equal(t.cut, lf == NULL);
				size_t shown = len && text[at + len - 1] == '\r' ? len - 1 : len;
				assert_int_equal(t.n, shown);
				assert_memory_equal(t.p, text + at, shown);
			}
			at += len + (lf ? 1 : 0);
		}
		assert_int_equal(at, n);
		lines_close(&l);
		(void)fclose(f);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood_one_flow), /* first: it looks at the most that was ever used */
		cmocka_unit_test(eve_forms),
		cmocka_unit_test(zeek_forms),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(raw_bytes),
		cmocka_unit_test(growing),
		cmocka_unit_test(joining),
		cmocka_unit_test(long_text),
		cmocka_unit_test(other_files),
		cmocka_unit_test(paths),
		cmocka_unit_test(flood_of_flows),
		cmocka_unit_test(joining_random),
		cmocka_unit_test(lines_random),
	};

	return cmocka_run_group_tests_name("sensor", tests, NULL, NULL);
}
