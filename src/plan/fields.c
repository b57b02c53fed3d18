/* Fields of a text and back: see fields.h. */
#include "plan/fields.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "ledger/text.h"

#define VALUE_MAX   128 /* bytes of any value but a free text, with the zero */
#define REAL_DIGITS 17  /* give back any double (C17 5.2.4.2.2: DBL_DECIMAL_DIG) */

static const char *const yes_no[] = {"no", "yes"};

static_assert(sizeof(enum field_kind) == sizeof(unsigned), "a FIELD_NAME is copied as an unsigned number");

/* ---- what may stand ---- */

static const void *at(const struct field *f, const void *value)
{
	return (const char *)value + f->at;
}

/* A NULL text is the empty one. */
static const char *text_of(const struct field *f, const void *value)
{
	const char *s;

	memcpy(&s, at(f, value), sizeof(s));
	return s ? s : "";
}

static uint64_t number_of(const struct field *f, const void *value)
{
	uint32_t u32;
	uint64_t u64;
	size_t size;
	unsigned name;

	switch ((int)f->kind) {
	case FIELD_U32:
		memcpy(&u32, at(f, value), sizeof(u32));
		return u32;
	case FIELD_SIZE:
		memcpy(&size, at(f, value), sizeof(size));
		return size;
	case FIELD_NAME:
		memcpy(&name, at(f, value), sizeof(name));
		return name;
	default: /* FIELD_U64, FIELD_TIME, FIELD_SPAN: what is below 0 is above every bound */
		memcpy(&u64, at(f, value), sizeof(u64));
		return u64;
	}
}

static double real_of(const struct field *f, const void *value)
{
	double v;

	memcpy(&v, at(f, value), sizeof(v));
	return v;
}

static bool hash_valid(const char *s)
{
	return strnlen(s, FIELD_HASH + 1) == FIELD_HASH && strspn(s, "0123456789abcdef") == FIELD_HASH;
}

static const char *value_bad(const struct field *f, const void *value)
{
	switch (f->kind) {
	case FIELD_ID:
	case FIELD_BOOL:
		return NULL;
	case FIELD_HASH_HEX:
		return hash_valid(at(f, value)) ? NULL : "not a SHA-256 of 64 hex digits";
	case FIELD_TIME:
		return number_of(f, value) <= FIELD_TIME_MAX ? NULL : "before 1970 or after 2199";
	case FIELD_SPAN:
		return number_of(f, value) <= FIELD_TIME_MAX ? NULL : "below 0, or above 230 years";
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_SIZE:
		return number_of(f, value) <= f->max ? NULL : "above its bound";
	case FIELD_NAME:
		return number_of(f, value) < f->max ? NULL : "none of its words";
	case FIELD_REAL:
		return real_of(f, value) >= f->least && real_of(f, value) <= f->most ? NULL : "out of bounds";
	case FIELD_TEXT:
		if (strnlen(text_of(f, value), f->max + 1) > f->max)
			return "too long";
		return utf8_line_valid(text_of(f, value)) ? NULL : "not one line of plain UTF-8";
	}
	return "of no kind";
}

const char *fields_bad(const struct field *f, size_t n, const void *value, const char **key)
{
	for (size_t i = 0; i < n; i++) {
		const char *why = value_bad(&f[i], value);
		*key = f[i].key;
		if (why)
			return why;
	}
	*key = NULL;
	return NULL;
}

/* ---- writing ---- */

static void real_put(struct buf *to, double v)
{
	char text[VALUE_MAX];
	int digits = 1;

	v = v == 0 ? 0 : v; /* -0 is 0 */
	do
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
	while (strtod(text, NULL) != v && digits++ < REAL_DIGITS);
	text_put(to, text);
}

static void value_put(struct buf *to, const struct field *f, const void *value)
{
	char text[VALUE_MAX];
	bool yes;

	switch (f->kind) {
	case FIELD_ID:
		text_put(to, id_text(text, at(f, value)));
		break;
	case FIELD_HASH_HEX:
		buf_put(to, at(f, value), FIELD_HASH);
		break;
	case FIELD_TIME:
		text_put(to, wall_text(text, (struct wall){(int64_t)number_of(f, value)}));
		break;
	case FIELD_SPAN:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_SIZE:
		decimal_put(to, number_of(f, value));
		break;
	case FIELD_REAL:
		real_put(to, real_of(f, value));
		break;
	case FIELD_BOOL:
		memcpy(&yes, at(f, value), sizeof(yes));
		text_put(to, yes_no[yes]);
		break;
	case FIELD_NAME:
		text_put(to, f->name[number_of(f, value)]);
		break;
	case FIELD_TEXT:
		text_put(to, text_of(f, value));
		break;
	}
}

void fields_write(struct buf *to, const struct field *f, size_t n, const void *value)
{
	for (size_t i = 0; i < n; i++) {
		text_put(to, f[i].key);
		if (f[i].kind != FIELD_TEXT || *text_of(&f[i], value))
			text_put(to, " ");
		value_put(to, &f[i], value);
		text_put(to, "\n");
	}
}

/* ---- reading ---- */

/* The place of s among n names; n where it is none of them. */
static unsigned name_find(const char *const *name, unsigned n, const char *s)
{
	unsigned i = 0;

	while (i < n && strcmp(name[i], s) != 0)
		i++;
	return i;
}

static bool number_get(void *to, const struct field *f, const struct rd *line)
{
	uint64_t v;
	bool good = line_decimal(line, &v);
	uint32_t u32 = (uint32_t)v;
	size_t size = (size_t)v;

	if (!good || ((f->kind != FIELD_SPAN) && v > f->max))
		return false;
	if (f->kind == FIELD_U32)
		memcpy(to, &u32, sizeof(u32));
	else if (f->kind == FIELD_SIZE)
		memcpy(to, &size, sizeof(size));
	else
		memcpy(to, &v, sizeof(v));
	return true;
}

static bool real_get(double *to, const char *s)
{
	char *end;

	*to = strtod(s, &end);
	return end != s && *end == '\0';
}

static bool name_get(void *to, const char *const *name, unsigned n, const char *s)
{
	unsigned v = name_find(name, n, s);

	memcpy(to, &v, sizeof(v));
	return v < n;
}

static bool value_get(void *to, const struct field *f, const struct rd *line)
{
	char text[VALUE_MAX];
	size_t n = rd_left(line);
	unsigned yes;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, line->p, n);
	text[n] = '\0';
	switch (f->kind) {
	case FIELD_ID:
		return id_parse(to, text);
	case FIELD_HASH_HEX:
		return hash_valid(text) && memcpy(to, text, FIELD_HASH + 1);
	case FIELD_TIME:
		return wall_parse(to, text);
	case FIELD_SPAN:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_SIZE:
		return number_get(to, f, line);
	case FIELD_REAL:
		return real_get(to, text);
	case FIELD_BOOL:
		yes = name_find(yes_no, 2, text);
		*(bool *)to = yes == 1;
		return yes < 2;
	case FIELD_NAME:
		return name_get(to, f->name, (unsigned)f->max, text);
	case FIELD_TEXT:
		break;
	}
	return false;
}

/* The line as a string in the arena; NULL where memory is out. */
static char *string(struct field_reader *r, const struct rd *line)
{
	size_t n = rd_left(line);
	char *s = arena_alloc(r->arena, n + 1);

	if (s && n)
		memcpy(s, line->p, n);
	return s;
}

enum status field_bad(struct field_reader *r, const char *form)
{
	return err_set(r->e, STATUS_BAD, "line %zu of the %s is not \"%s\"", r->number, r->what, form);
}

/* The next line, its key and the blank behind it taken off; a text may have no more than the key. */
static bool line_of(struct field_reader *r, const char *key, bool text, struct rd *line)
{
	r->number++;
	if (!line_take(&r->text, line) || !line_skip(line, key))
		return false;
	return (text && rd_left(line) == 0) || (line_skip(line, " ") && rd_left(line) > 0);
}

static enum status field_read(struct field_reader *r, const struct field *f, void *value)
{
	void *to = (char *)value + f->at;
	struct rd line;
	const char *s;

	if (!line_of(r, f->key, f->kind == FIELD_TEXT, &line))
		return field_bad(r, f->key);
	if (f->kind != FIELD_TEXT && !value_get(to, f, &line))
		return err_set(r->e, STATUS_BAD, "line %zu of the %s: %s: not a value that it can have",
			r->number, r->what, f->key);
	if (f->kind != FIELD_TEXT)
		return STATUS_OK;
	s = string(r, &line);
	memcpy(to, &s, sizeof(s));
	return s ? STATUS_OK : err_nomem(r->e);
}

enum status fields_open(struct field_reader *r, const char *what, const void *text, size_t n, size_t max,
	struct arena *a, struct err *e)
{
	*r = (struct field_reader){.text = rd_of(text, n), .what = what, .arena = a, .e = e};
	if (n > max)
		return err_set(e, STATUS_BAD, "a %s of %zu bytes; at most %zu are read", what, n, max);
	return STATUS_OK;
}

enum status fields_read(struct field_reader *r, const struct field *f, size_t n, void *value)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = field_read(r, &f[i], value);
	return s;
}

enum status field_line(struct field_reader *r, const char *s)
{
	struct rd line;

	r->number++;
	return line_take(&r->text, &line) && line_is(&line, s) ? STATUS_OK : field_bad(r, s);
}

enum status field_rest(struct field_reader *r, const char *key, char **to)
{
	struct rd line;

	if (!line_of(r, key, false, &line))
		return field_bad(r, key);
	*to = string(r, &line);
	return *to ? STATUS_OK : err_nomem(r->e);
}

enum status field_word(struct field_reader *r, const char *key, char *to, size_t size)
{
	struct rd line;

	if (!line_of(r, key, false, &line) || rd_left(&line) >= size)
		return field_bad(r, key);
	memcpy(to, line.p, rd_left(&line));
	to[rd_left(&line)] = '\0';
	return STATUS_OK;
}

/* Also finds what stands behind the last line. */
enum status fields_same(
	struct field_reader *r, const void *text, size_t n, const struct buf *again, struct err *e)
{
	const uint8_t *p = text;
	size_t line = 1, i = 0;

	if (again->n == n && memcmp(again->p, text, n) == 0)
		return STATUS_OK;
	for (; i < n && i < again->n && again->p[i] == p[i]; i++)
		line += p[i] == '\n';
	return err_set(e, STATUS_BAD, "line %zu of the %s is not as it is written", line, r->what);
}
