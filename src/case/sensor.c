/* Files of sensors: lines of JSON, one object a line (Suricata EVE, Zeek with JSON logs).
 *
 * In comes a file that may be hostile, cut off or still growing; out come sightings, one for each flow, with
 * the number of alerts that were joined to it.  Memory is bounded by the longest line and by the number of
 * flows, not by the number of alerts.  A bad line is skipped and counted, and the first of each kind is
 * named with its line number; a last line without its end, as a growing file has, is counted but not named.
 * JSON is RFC 8259, strictly: a key that is given twice is refused, since two readers could disagree on what
 * it says. */
#include "case/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/count.h"
#include "base/log.h"
#include "case/lines.h"
#include "case/sensor_join.h"

static const char *const reasons[LINE_COUNT] = {
	[LINE_LONG] = "is longer than 1 MiB",
	[LINE_NUL] = "has a NUL byte",
	[LINE_UTF8] = "is not UTF-8",
	[LINE_NUMBER] = "has a number out of range",
	[LINE_DEEP] = "is nested too deeply",
	[LINE_TWICE] = "gives a key twice",
	[LINE_JSON] = "is not JSON",
	[LINE_OBJECT] = "is not a JSON object",
	[LINE_KIND] = "is not a record of this sensor",
	[LINE_TIME] = "has no valid time",
	[LINE_ADDRESS] = "has no two addresses of one family",
	[LINE_PROTO] = "has no known protocol",
	[LINE_PORT] = "has no valid ports",
	[LINE_FLOWS] = "is of one flow too many (65536 are kept)",
	[LINE_TAIL] = "is not complete",
};

/* ---- lines ---- */

struct reading {
	const struct sensor *kind;
	const char *name;
	struct arena *arena;
	struct joined joined;
	struct lines lines;
	uint64_t reason[LINE_COUNT], first[LINE_COUNT]; /* lines skipped, and the first one's number */
	uint64_t other;
	bool memory; /* false: it ran out */
};

static enum line json_reason(const json_error_t *je)
{
	switch (json_error_code(je)) { /* NOLINT: the rest is "not JSON" */
	case json_error_stack_overflow:
		return LINE_DEEP;
	case json_error_invalid_utf8:
		return LINE_UTF8;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return LINE_NUL;
	case json_error_duplicate_key:
		return LINE_TWICE;
	case json_error_numeric_overflow:
		return LINE_NUMBER;
	case json_error_unknown:
	case json_error_out_of_memory:
	case json_error_cannot_open_file:
	case json_error_invalid_argument:
	case json_error_premature_end_of_input:
	case json_error_end_of_input_expected:
	case json_error_invalid_syntax:
	case json_error_invalid_format:
	case json_error_wrong_type:
	case json_error_null_value:
	case json_error_item_not_found:
	case json_error_index_out_of_range:
		break;
	}
	return LINE_JSON;
}

enum line sensor_parse(
	const struct sensor *k, const char *p, size_t n, struct alert *to, json_t **hold, bool *memory)
{
	json_error_t je;

	*memory = true;
	*hold = NULL;
	*to = (struct alert){0};
	if (memchr(p, '\0', n))
		return LINE_NUL;
	*hold = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (!*hold) {
		*memory = json_error_code(&je) != json_error_out_of_memory;
		return json_reason(&je);
	}
	return json_is_object(*hold) ? k->line(*hold, to) : LINE_OBJECT;
}

const char *sensor_reason(enum line why)
{
	return reasons[why];
}

static enum line line_take(struct reading *r, const char *p, size_t n)
{
	struct alert al;
	json_t *o;
	enum line got = sensor_parse(r->kind, p, n, &al, &o, &r->memory);

	if (got == LINE_TAKEN)
		got = alert_join(&r->joined, r->kind, &al, r->arena, &r->memory);
	json_decref(o);
	return got;
}

static void line_skip(struct reading *r, enum line why)
{
	if (r->reason[why]++ == 0)
		r->first[why] = r->lines.number;
}

const char *sensor_foreign(const char *p, size_t n)
{
	static const struct {
		const char *begin;
		size_t n;
		const char *what;
	} table[] = {
		{"#separator", 10,
			"a Zeek log in TSV; weir reads JSON: run Zeek with LogAscii::use_json=T (\"@load "
			"policy/tuning/json-logs\")"},
		{"#fields", 7, "a Zeek log in TSV; weir reads JSON: run Zeek with LogAscii::use_json=T"},
		{"\x1f\x8b", 2, "compressed: unpack it with gunzip first"},
		{"\x28\xb5\x2f\xfd", 4, "compressed: unpack it with unzstd first"},
		{"BZh", 3, "compressed: unpack it with bunzip2 first"},
		{"\xd4\xc3\xb2\xa1", 4, "a capture: 'weir record' reads those"},
		{"\x0a\x0d\x0d\x0a", 4, "a capture: 'weir record' reads those"},
		{"[{", 2, "a JSON array; one object a line is read: jq -c '.[]' makes that"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (n >= table[i].n && memcmp(p, table[i].begin, table[i].n) == 0)
			return table[i].what;
	if (n == 1 && (*p == '{' || *p == '['))
		return "JSON over several lines; one object a line is read: jq -c . or jq -c '.[]' makes "
		       "that";
	return NULL;
}

static enum status lines_take(struct reading *r, struct err *e)
{
	struct line_text t;
	bool first = true;

	while (r->memory && lines_next(&r->lines, &t)) {
		const char *what = first && !t.too_long ? sensor_foreign(t.p, t.n) : NULL;
		enum line got;
		if (what)
			return err_set(e, STATUS_BAD, "%s: is %s", r->name, what);
		if (t.n == 0 && !t.too_long)
			continue;
		first = false;
		got = t.too_long ? LINE_LONG : line_take(r, t.p, t.n);
		if (t.cut && got < LINE_COUNT)
			got = LINE_TAIL;
		if (got < LINE_COUNT)
			line_skip(r, got);
		r->other += got == LINE_OTHER;
	}
	if (r->lines.failed)
		return err_errno(e, "%s", r->name);
	return r->memory ? STATUS_OK : err_nomem(e);
}

static int by_time(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;
	int order = (x->at.us > y->at.us) - (x->at.us < y->at.us);

	for (int i = 0; i < 2 && order == 0; i++) {
		order = ip_compare(&x->end[i].ip, &y->end[i].ip);
		if (order == 0)
			order = (int)x->end[i].port - (int)y->end[i].port;
	}
	return order;
}

/* Nothing was of use: one message says all of it. */
static enum status nothing_taken(const struct reading *r, uint64_t skipped, struct err *e)
{
	char other[COUNT_TEXT], lines[COUNT_TEXT], why[128] = "";
	size_t at = LINE_COUNT;

	for (size_t i = 0; i < LINE_COUNT; i++)
		if (r->reason[i] && (at == LINE_COUNT || r->first[i] < r->first[at]))
			at = i;
	if (at < LINE_COUNT)
		(void)snprintf(
			why, sizeof(why), ": line %llu %s", (unsigned long long)r->first[at], reasons[at]);
	return err_set(e, STATUS_BAD, "%s: holds no %s (%s, %s skipped%s)", r->name, r->kind->alerts,
		counted(other, r->other, "other record"), counted(lines, skipped, "line"), why);
}

static void name_skipped(const struct reading *r)
{
	char n[COUNT_TEXT];

	for (size_t i = 0; i < LINE_COUNT; i++)
		if (r->reason[i] && i != LINE_TAIL)
			log_line("%s:%llu: skipped: the line %s%s%s%s", r->name,
				(unsigned long long)r->first[i], reasons[i], r->reason[i] > 1 ? " (" : "",
				r->reason[i] > 1 ? counted(n, r->reason[i], "such line") : "",
				r->reason[i] > 1 ? ")" : "");
}

static enum status reading_end(
	struct reading *r, struct sighting **to, size_t *n, uint64_t *skipped, struct err *e)
{
	for (size_t i = 0; i < LINE_COUNT; i++)
		*skipped += r->reason[i];
	if (r->joined.n == 0)
		return nothing_taken(r, *skipped, e);
	name_skipped(r);
	*n = r->joined.n;
	*to = arena_array(r->arena, *n, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	for (size_t i = 0; i < *n; i++)
		(*to)[i] = r->joined.entry[i].s;
	qsort(*to, *n, sizeof(**to), by_time);
	return STATUS_OK;
}

enum status sensor_read(const struct sensor *k, FILE *f, const char *name, struct arena *a,
	struct sighting **to, size_t *n, uint64_t *skipped, struct err *e)
{
	struct reading r = {.kind = k, .name = name, .arena = a, .memory = true};
	enum status s;

	*to = NULL;
	*n = 0;
	*skipped = 0;
	if (!lines_open(&r.lines, f, SENSOR_LINE_MAX))
		return err_nomem(e);
	s = lines_take(&r, e);
	if (s == STATUS_OK)
		s = reading_end(&r, to, n, skipped, e);
	joined_free(&r.joined);
	lines_close(&r.lines);
	return s;
}

enum status sensor_open(const struct sensor *k, const char *path, struct arena *a, struct sighting **to,
	size_t *n, uint64_t *skipped, struct err *e)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	enum status s;

	*to = NULL;
	*n = 0;
	*skipped = 0;
	if (!f)
		return errno == ENOENT || errno == ENOTDIR ? err_set(e, STATUS_BAD, "%s: no such file", path)
							   : err_errno(e, "%s", path);
	if (fstat(fileno(f), &st) != 0)
		s = err_errno(e, "%s", path);
	else if (S_ISDIR(st.st_mode))
		s = err_set(e, STATUS_BAD, "%s: is a directory, not %s", path, k->what);
	else
		s = sensor_read(k, f, path, a, to, n, skipped, e);
	(void)fclose(f);
	return s;
}
