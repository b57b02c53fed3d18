/* The types of the configuration's values: how each is read from text, printed back, and described to who
 * wrote something else.  Bounds are here, the keys that use a type are in config.c. */
#include "base/config_type.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"

#define TEXT_MAX_POINT  63
#define TEXT_MAX_FILTER 4095
#define TEXT_MAX_VKEY   300
#define FLOWS_MIN       64
#define FLOWS_MAX       100000000

bool size_parse(uint64_t *bytes, const char *s)
{
	static const char units[] = "KMGTP";
	size_t n = strspn(s, "0123456789");
	uint64_t v;

	if (n == 0 || n > 18)
		return false;
	v = strtoull(s, NULL, 10);
	if (s[n]) {
		const char *unit = strchr(units, toupper((unsigned char)s[n]));
		if (!unit || s[n + 1])
			return false;
		unsigned shift = 10 * (unsigned)(unit - units + 1);
		if (v > (uint64_t)INT64_MAX >> shift)
			return false;
		v <<= shift;
	}
	*bytes = v;
	return true;
}

bool config_point_valid(const char *s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(s);

	return n > 0 && n <= TEXT_MAX_POINT && strspn(s, set) == n;
}

static bool point_parse(struct arena *a, void *to, const char *s)
{
	if (!config_point_valid(s))
		return false;
	*(char **)to = arena_str(a, s);
	return true;
}

static bool filter_parse(struct arena *a, void *to, const char *s)
{
	if (strlen(s) > TEXT_MAX_FILTER)
		return false;
	for (const char *p = s; *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			return false;
	*(char **)to = *s ? arena_str(a, s) : NULL;
	return true;
}

/* In double quotes.  '$' is written as an escape, since "${" has a meaning to libconfuse. */
static void text_print(const void *from, FILE *to)
{
	const char *s = *(char *const *)from;

	(void)fputc('"', to);
	for (; s && *s; s++) {
		if (*s == '$')
			(void)fputs("\\x24", to);
		else
			(void)fprintf(to, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	}
	(void)fputc('"', to);
}

static bool size_type_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return size_parse(to, s);
}

static void size_print(const void *from, FILE *to)
{
	uint64_t v = *(const uint64_t *)from;
	const char *unit = "\0KMGTP";

	for (; v && v % 1024 == 0 && unit[1]; unit++)
		v /= 1024;
	(void)fprintf(to, "\"%llu%.1s\"", (unsigned long long)v, unit);
}

static bool span_in(void *to, const char *s, int64_t min, int64_t max)
{
	int64_t us;

	if (!span_parse(&us, s) || us < min || us > max)
		return false;
	*(int64_t *)to = us;
	return true;
}

static bool age_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	if (strcmp(s, "0") == 0)
		s = "0s";
	return span_in(to, s, 0, INT64_C(36500) * 86400 * SECOND_US);
}

static bool skew_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return span_in(to, s, 0, 3600 * SECOND_US);
}

static bool gap_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return span_in(to, s, 20000, 60 * SECOND_US);
}

static void span_print(const void *from, FILE *to)
{
	static const struct {
		int64_t us;
		const char *unit;
	} units[] = {{86400 * SECOND_US, "d"}, {3600 * SECOND_US, "h"}, {60 * SECOND_US, "m"},
		{SECOND_US, "s"}, {1000, "ms"}, {1, "us"}};
	int64_t v = *(const int64_t *)from;

	(void)fputs(v == 0 ? "\"0s" : "\"", to);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (v >= units[i].us)
			(void)fprintf(to, "%lld%s", (long long)(v / units[i].us), units[i].unit);
		v %= units[i].us;
	}
	(void)fputc('"', to);
}

bool alpha_parse(double *to, const char *s)
{
	char *end;
	double v;

	if (!*s || strspn(s, "0123456789.eE+-") != strlen(s))
		return false;
	v = strtod(s, &end);
	if (*end || !isfinite(v) || !(v > 0) || v > 0.5)
		return false;
	*to = v;
	return true;
}

static bool alpha_type_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return alpha_parse(to, s);
}

/* The shortest text that reads back to the same number. */
static void alpha_print(const void *from, FILE *to)
{
	double v = *(const double *)from;
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v) /* exactly: the aim is to read it back */
			break;
	}
	(void)fputs(text, to);
}

static bool bool_parse(struct arena *a, void *to, const char *s)
{
	static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};

	(void)a;
	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < 3; i++)
			if (strcmp(s, words[v][i]) == 0) {
				*(bool *)to = v == 1;
				return true;
			}
	return false;
}

static void bool_print(const void *from, FILE *to)
{
	(void)fputs(*(const bool *)from ? "true" : "false", to);
}

static bool count_in(void *to, const char *s, uint64_t min, uint64_t max)
{
	size_t n = strlen(s);
	uint64_t v;

	if (n == 0 || n > 9 || strspn(s, "0123456789") != n)
		return false;
	v = strtoull(s, NULL, 10);
	if (v < min || v > max)
		return false;
	*(uint64_t *)to = v;
	return true;
}

/* Numbers in a range: NAME_parse(). */
#define COUNT_TYPE(name, min, max)                                                                           \
	static bool name##_parse(struct arena *a, void *to, const char *s)                                   \
	{                                                                                                    \
		(void)a;                                                                                     \
		return count_in(to, s, min, max);                                                            \
	}

COUNT_TYPE(flows, FLOWS_MIN, FLOWS_MAX)
COUNT_TYPE(rules, 1, 20000)
COUNT_TYPE(widest_v4, 8, 32)
COUNT_TYPE(widest_v6, 16, 64)
COUNT_TYPE(rate, 1, 1000000)
COUNT_TYPE(blocks, 0, 10000)
COUNT_TYPE(budget, 0, 1000000)

static bool block_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return span_in(to, s, SECOND_US, INT64_C(30) * 86400 * SECOND_US);
}

static bool look_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return span_in(to, s, 60 * SECOND_US, INT64_C(365) * 86400 * SECOND_US);
}

/* One of a few words, as an enum whose values are their places. */
static bool word_parse(const char *const *words, int *to, const char *s)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], s) == 0) {
			*to = i;
			return true;
		}
	return false;
}

static const char *const on_alert_words[] = {"notify", "propose", "block", NULL};
static const char *const announce_words[] = {"flowspec", "rtbh", NULL};

static bool on_alert_parse(struct arena *a, void *to, const char *s)
{
	int v;

	(void)a;
	if (!word_parse(on_alert_words, &v, s))
		return false;
	*(enum on_alert *)to = (enum on_alert)v;
	return true;
}

static void on_alert_print(const void *from, FILE *to)
{
	(void)fprintf(to, "\"%s\"", on_alert_words[*(const enum on_alert *)from]);
}

static bool announce_parse(struct arena *a, void *to, const char *s)
{
	int v;

	(void)a;
	if (!word_parse(announce_words, &v, s))
		return false;
	*(enum announce *)to = (enum announce)v;
	return true;
}

static void announce_print(const void *from, FILE *to)
{
	(void)fprintf(to, "\"%s\"", announce_words[*(const enum announce *)from]);
}

static bool address_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return ip_parse(to, s);
}

static void address_print(const void *from, FILE *to)
{
	char text[IP_TEXT];

	(void)fprintf(to, "\"%s\"", ip_text(text, from));
}

static void count_print(const void *from, FILE *to)
{
	(void)fprintf(to, "%llu", (unsigned long long)*(const uint64_t *)from);
}

static bool network_parse(struct arena *a, void *to, const char *s)
{
	(void)a;
	return prefix_parse(to, s);
}

/* A host prefix is written as its address. */
static const char *short_text(char to[PREFIX_TEXT], const struct prefix *p)
{
	(void)prefix_text(to, p);
	if (p->len == ip_bits(&p->ip))
		*strchr(to, '/') = '\0';
	return to;
}

static void network_print(const void *from, FILE *to)
{
	char text[PREFIX_TEXT];

	(void)fprintf(to, "\"%s\"", short_text(text, from));
}

/* ADDR, PREFIX, ADDR:PORT, PREFIX:PORT, [V6]:PORT, [V6PREFIX]:PORT.  A colon in a text without brackets is
 * the port's only where it is the one colon. */
static bool relay_parse(struct arena *a, void *to, const char *s)
{
	struct config_host *h = to;
	struct endpoint port = {.port = 0};
	char host[PREFIX_TEXT], probe[PREFIX_TEXT + 8];
	const char *colon = strrchr(s, ':');
	bool bracket = *s == '[';
	size_t n;

	(void)a;
	if (!bracket && (!colon || strchr(s, ':') != colon))
		return prefix_parse(&h->prefix, s);
	if (!colon || (bracket && colon[-1] != ']'))
		return false;
	n = (size_t)(colon - s) - (bracket ? 2 : 0);
	if (n >= sizeof(host))
		return false;
	memcpy(host, s + (bracket ? 1 : 0), n);
	host[n] = '\0';
	(void)snprintf(probe, sizeof(probe), "0.0.0.0%s", strlen(colon) > 6 ? ":x" : colon);
	if (!prefix_parse(&h->prefix, host) || (h->prefix.ip.v == 6) != bracket ||
		!endpoint_parse(&port, probe))
		return false;
	h->port = port.port;
	return h->port != 0;
}

static void relay_print(const void *from, FILE *to)
{
	const struct config_host *h = from;
	char text[PREFIX_TEXT];

	(void)short_text(text, &h->prefix);
	if (h->port == 0)
		(void)fprintf(to, "\"%s\"", text);
	else
		(void)fprintf(to, h->prefix.ip.v == 6 ? "\"[%s]:%u\"" : "\"%s:%u\"", text, h->port);
}

/* NAME+HASH+KEY (C2SP signed-note): the shape only.  Whether the hash belongs to name and key is looked at
 * where the key is used (ledger/note.h). */
static bool vkey_parse_shape(struct arena *a, void *to, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t name = strcspn(s, "+"), key, pad;

	if (strlen(s) > TEXT_MAX_VKEY || name == 0 || s[name] != '+' || strspn(s + name + 1, hex) != 8 ||
		s[name + 9] != '+')
		return false;
	for (size_t i = 0; i < name; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return false;
	s += name + 10;
	key = strspn(s, base64);
	pad = strspn(s + key, "=");
	if (key == 0 || pad > 2 || (key + pad) % 4 != 0 || s[key + pad])
		return false;
	*(char **)to = arena_str(a, s - name - 10);
	return *(char **)to != NULL;
}

const struct config_type config_point_type = {CONFIG_POINT_ALLOWED, point_parse, text_print, 0};
const struct config_type config_filter_type = {
	"a BPF expression of at most 4095 printable characters", filter_parse, text_print, 0};
const struct config_type config_size_type = {
	"a number of bytes, with K, M, G, T or P for powers of 1024; 0 for no cap", size_type_parse,
	size_print, 0};
const struct config_type config_age_type = {
	"a time such as \"30d\" or \"12h\"; \"0\" for no cap", age_parse, span_print, 0};
const struct config_type config_skew_type = {"a time from \"0s\" to \"1h\"", skew_parse, span_print, 0};
const struct config_type config_gap_type = {"a time from \"20ms\" to \"1m\"", gap_parse, span_print, 0};
const struct config_type config_alpha_type = {
	"a number above 0 and at most 0.5", alpha_type_parse, alpha_print, 0};
const struct config_type config_bool_type = {"true or false", bool_parse, bool_print, 0};
const struct config_type config_flows_type = {"a number from 64 to 100000000", flows_parse, count_print, 0};
const struct config_type config_network_type = {
	"addresses and prefixes without host bits, such as \"192.0.2.0/24\"", network_parse, network_print,
	sizeof(struct prefix)};
const struct config_type config_relay_type = {
	"addresses and prefixes, with or without a port, such as \"192.0.2.6:443\"", relay_parse, relay_print,
	sizeof(struct config_host)};
const struct config_type config_vkey_type = {
	"verifier keys of at most 300 characters, NAME+HASH+KEY, as \"weir key\" shows them",
	vkey_parse_shape, text_print, sizeof(char *)};
const struct config_type config_block_type = {"a time from \"1s\" to \"30d\"", block_parse, span_print, 0};
const struct config_type config_look_type = {"a time from \"1m\" to \"365d\"", look_parse, span_print, 0};
const struct config_type config_rules_type = {"a number from 1 to 20000", rules_parse, count_print, 0};
const struct config_type config_widest_v4_type = {"a number from 8 to 32", widest_v4_parse, count_print, 0};
const struct config_type config_widest_v6_type = {"a number from 16 to 64", widest_v6_parse, count_print, 0};
const struct config_type config_rate_type = {"a number from 1 to 1000000", rate_parse, count_print, 0};
const struct config_type config_blocks_type = {"a number from 0 to 10000", blocks_parse, count_print, 0};
const struct config_type config_budget_type = {"a number from 0 to 1000000", budget_parse, count_print, 0};
const struct config_type config_on_alert_type = {
	"\"notify\", \"propose\" or \"block\"", on_alert_parse, on_alert_print, 0};
const struct config_type config_announce_type = {
	"\"flowspec\" or \"rtbh\"", announce_parse, announce_print, 0};
const struct config_type config_ip_type = {
	"addresses, such as \"192.0.2.66\"", address_parse, address_print, sizeof(struct ip)};
