/* MANIFEST as text and back: see manifest.h and doc/bundle-format.md, "MANIFEST".
 *
 * The writer refuses a value that may not stand; the reader takes the lines apart, writes what it understood,
 * and compares, so that the writer's rules are the reader's too. */
#include "ask/manifest.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ask/tar.h"
#include "base/utf8.h"
#include "ledger/text.h"

#define MANIFEST_NAME  "MANIFEST"
#define MANIFEST_BYTES (NOTE_MAX - 1024)         /* the signature line stands behind it */
#define TIME_MAX       INT64_C(7258118400000000) /* 2200-01-01: years of four digits */
#define VALUE_MAX      512                       /* bytes of any line's value, with the zero */
#define SHA256_HEX     64
#define FILE_LINE      (SHA256_HEX + 3) /* bytes that the line of a file has at least */

static const char *const type_names[] = {[BUNDLE_REQUEST] = "request", [BUNDLE_ANSWER] = "answer"};
static const char *const ask_names[] = {
	[ASK_CONFIRM] = "confirm", [ASK_TRACE] = "trace", [ASK_BLOCK] = "block"};
static const char *const verdict_names[] = {
	[ANSWER_ACCEPTED] = "accepted", [ANSWER_DOUBTED] = "doubted", [ANSWER_REFUSED] = "refused"};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

const char *bundle_ask_name(enum bundle_ask a)
{
	return ask_names[a];
}

const char *bundle_verdict_name(enum bundle_verdict v)
{
	return verdict_names[v];
}

/* The place of s among n names; n where it is none of them. */
static unsigned name_find(const char *const *name, unsigned n, const char *s)
{
	unsigned i = 0;

	while (i < n && strcmp(name[i], s) != 0)
		i++;
	return i;
}

bool bundle_ask_parse(enum bundle_ask *to, const char *s)
{
	unsigned i = name_find(ask_names, N_OF(ask_names), s);

	*to = i < N_OF(ask_names) ? (enum bundle_ask)i : ASK_CONFIRM;
	return i < N_OF(ask_names);
}

/* ---- the lines with a key ---- */

enum presence { ALWAYS, IN_REQUEST, IN_ANSWER, IF_WHY };
enum kind { TEXT, TIME, ID, KEY, NAME };

struct line {
	const char *key; /* with the blank behind it */
	enum presence when;
	enum kind kind;
	size_t at, size;         /* of the value in struct manifest */
	const char *const *name; /* NAME: n_name of them, by the enum's value */
	unsigned n_name;
};

#define PLACE(member) offsetof(struct manifest, member), sizeof(((struct manifest *)0)->member)

static const struct line lines[] = {
	{"type ", ALWAYS, NAME, PLACE(type), type_names, N_OF(type_names)},
	{"from ", ALWAYS, TEXT, PLACE(from), NULL, 0},
	{"to ", ALWAYS, TEXT, PLACE(to), NULL, 0},
	{"made ", ALWAYS, TIME, PLACE(made), NULL, 0},
	{"not-after ", ALWAYS, TIME, PLACE(not_after), NULL, 0},
	{"log ", ALWAYS, KEY, PLACE(log), NULL, 0},
	{"ask ", IN_REQUEST, NAME, PLACE(ask), ask_names, N_OF(ask_names)},
	{"reply-to ", IN_ANSWER, ID, PLACE(reply_to), NULL, 0},
	{"reply-sha256 ", IN_ANSWER, TEXT, PLACE(reply_sha256), NULL, 0},
	{"verdict ", IN_ANSWER, NAME, PLACE(verdict), verdict_names, N_OF(verdict_names)},
	{"why ", IF_WHY, TEXT, PLACE(why), NULL, 0},
	{"code ", ALWAYS, TEXT, PLACE(code), NULL, 0},
};

static_assert(sizeof(enum bundle_type) == sizeof(unsigned) && sizeof(enum bundle_ask) == sizeof(unsigned) &&
		      sizeof(enum bundle_verdict) == sizeof(unsigned),
	"a NAME is copied as an unsigned number");

static void value_put(struct buf *b, const struct line *l, const struct manifest *m)
{
	const void *from = (const char *)m + l->at;
	char text[VKEY_TEXT];
	struct wall time;
	unsigned v;

	switch (l->kind) {
	case TEXT:
		text_put(b, from);
		break;
	case TIME:
		memcpy(&time, from, sizeof(time));
		text_put(b, wall_text(text, time));
		break;
	case ID:
		text_put(b, id_text(text, from));
		break;
	case KEY:
		text_put(b, vkey_text(text, from));
		break;
	case NAME:
		memcpy(&v, from, sizeof(v));
		text_put(b, l->name[v]);
		break;
	}
}

static bool name_get(void *to, const struct line *l, const char *s)
{
	unsigned v = name_find(l->name, l->n_name, s);

	if (v == l->n_name)
		return false;
	memcpy(to, &v, sizeof(v));
	return true;
}

static bool text_get(char *to, size_t size, const char *s)
{
	size_t n = strlen(s) + 1;

	if (n > size)
		return false;
	memcpy(to, s, n);
	return true;
}

static bool value_get(struct manifest *m, const struct line *l, const char *s)
{
	void *to = (char *)m + l->at;
	struct err ignored;

	switch (l->kind) {
	case TEXT:
		return text_get(to, l->size, s);
	case TIME:
		return wall_parse(to, s);
	case ID:
		return id_parse(to, s);
	case KEY:
		return vkey_parse(to, s, &ignored) == STATUS_OK;
	case NAME:
		return name_get(to, l, s);
	}
	return false;
}

/* Does a line stand in m's text?  why: whether there is one. */
static bool stands(enum presence when, const struct manifest *m, bool why)
{
	return when == ALWAYS || (when == IF_WHY && why) ||
	       when == (m->type == BUNDLE_REQUEST ? IN_REQUEST : IN_ANSWER);
}

/* ---- what may stand ---- */

static bool sha256_hex_valid(const char *s)
{
	return strnlen(s, SHA256_HEX + 1) == SHA256_HEX && strspn(s, "0123456789abcdef") == SHA256_HEX;
}

static bool time_valid(struct wall t)
{
	return t.us >= 0 && t.us <= TIME_MAX;
}

static bool log_valid(const struct vkey *log)
{
	char text[VKEY_TEXT];
	struct vkey same;
	struct err ignored;

	return log->type == KEY_ED25519 && vkey_parse(&same, vkey_text(text, log), &ignored) == STATUS_OK;
}

/* Printable ASCII. */
static bool code_valid(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static bool reply_valid(const struct manifest *m)
{
	return m->type == BUNDLE_REQUEST ||
	       ((unsigned)m->verdict < N_OF(verdict_names) && sha256_hex_valid(m->reply_sha256));
}

static enum status values_check(const struct manifest *m, struct err *e)
{
	const struct {
		bool good;
		const char *what;
	} rule[] = {
		{(unsigned)m->type < N_OF(type_names), "has no type"},
		{key_name_valid(m->from) && strcmp(m->from, "*") != 0, "does not name its sender"},
		{key_name_valid(m->to), "does not name its recipient"},
		{time_valid(m->made) && time_valid(m->not_after), "has a time before 1970 or after 2199"},
		{m->made.us <= m->not_after.us, "expires before it was made"},
		{log_valid(&m->log), "does not name the sender's log by an Ed25519 key"},
		{m->type == BUNDLE_ANSWER || (unsigned)m->ask < N_OF(ask_names), "asks for nothing"},
		{reply_valid(m), "does not say what it answers, and how"},
		{utf8_line_valid(m->why), "gives a reason that is not one line of plain UTF-8"},
		{code_valid(m->code), "does not name the program that made it"},
		{m->n_file > 0, "lists no file"},
	};

	for (size_t i = 0; i < N_OF(rule); i++)
		if (!rule[i].good)
			return err_set(e, STATUS_BAD, "the manifest %s", rule[i].what);
	return STATUS_OK;
}

static enum status files_check(const struct manifest *m, struct err *e)
{
	const char **name = calloc(m->n_file + 1, sizeof(*name)), *twice;
	enum status s = STATUS_OK;

	if (!name)
		return err_nomem(e);
	name[m->n_file] = MANIFEST_NAME;
	for (size_t i = 0; i < m->n_file && s == STATUS_OK; i++) {
		name[i] = m->file[i].path;
		if (!tar_name_valid(name[i]) || !sha256_hex_valid(m->file[i].sha256))
			s = err_set(
				e, STATUS_BAD, "file %zu of the manifest has no valid name or hash", i + 1);
	}
	twice = s == STATUS_OK ? tar_name_clash(name, m->n_file + 1) : NULL;
	if (twice)
		s = err_set(e, STATUS_BAD, "the manifest has %s twice, or as file and folder", twice);
	free(name);
	return s;
}

/* ---- writing ---- */

static void file_put(struct buf *b, const struct manifest_file *f)
{
	text_put(b, f->sha256);
	text_put(b, "  ");
	text_put(b, f->path);
	text_put(b, "\n");
}

/* What stands behind the id line; view: with the view's own line. */
static void body_put(struct buf *b, const struct manifest *m, bool view)
{
	for (size_t i = 0; i < N_OF(lines); i++) {
		if (!stands(lines[i].when, m, *m->why != '\0'))
			continue;
		text_put(b, lines[i].key);
		value_put(b, &lines[i], m);
		text_put(b, "\n");
	}
	for (size_t i = 0; i < m->n_file; i++)
		if (view || strcmp(m->file[i].path, MANIFEST_VIEW) != 0)
			file_put(b, &m->file[i]);
}

enum status manifest_id(struct manifest *m, struct err *e)
{
	struct buf body = {0};
	bool good;

	body_put(&body, m, false);
	good = !body.failed && id_of(&m->id, body.p, body.n);
	buf_free(&body);
	return good ? STATUS_OK : err_nomem(e);
}

enum status manifest_write(struct buf *to, struct manifest *m, struct err *e)
{
	size_t before = to->n;
	char text[ID_TEXT];
	enum status s = values_check(m, e);

	if (s == STATUS_OK)
		s = files_check(m, e);
	if (s == STATUS_OK)
		s = manifest_id(m, e);
	if (s != STATUS_OK)
		return s;
	text_put(to, MANIFEST_FORMAT "\nid ");
	text_put(to, id_text(text, &m->id));
	text_put(to, "\n");
	body_put(to, m, true);
	if (to->failed)
		return err_nomem(e);
	if (to->n - before > MANIFEST_BYTES) {
		s = err_set(e, STATUS_BAD, "a manifest of %zu bytes is too long", to->n - before);
		to->n = before;
	}
	return s;
}

/* ---- reading ---- */

/* What is left of a line as a string (up to a zero byte: the comparison finds that); false where it does not
 * fit. */
static bool value_take(char *to, size_t size, const struct rd *line)
{
	size_t n = rd_left(line);

	if (n >= size)
		return false;
	if (n)
		memcpy(to, line->p, n);
	to[n] = '\0';
	return true;
}

/* The lines with a key; *number counts lines. */
static bool keys_read(struct manifest *m, struct rd *r, size_t *number)
{
	char value[VALUE_MAX];
	struct id unchecked; /* the comparison checks it */
	struct rd line;

	if (!line_take(r, &line) || !line_is(&line, MANIFEST_FORMAT))
		return false;
	++*number;
	if (!line_take(r, &line) || !line_skip(&line, "id ") || !value_take(value, sizeof(value), &line) ||
		!id_parse(&unchecked, value))
		return false;
	for (size_t i = 0; i < N_OF(lines); i++) {
		struct rd ahead = *r;
		if (!stands(lines[i].when, m, true))
			continue;
		bool good = line_take(&ahead, &line) && line_skip(&line, lines[i].key);
		if (!good && lines[i].when == IF_WHY)
			continue;
		++*number;
		if (!good || !value_take(value, sizeof(value), &line) || !value_get(m, &lines[i], value))
			return false;
		*r = ahead;
	}
	return true;
}

static bool file_read(struct manifest_file *f, struct rd *r)
{
	struct rd line, hash;

	if (!line_take(r, &line))
		return false;
	hash = rd_cut(&line, SHA256_HEX);
	return value_take(f->sha256, sizeof(f->sha256), &hash) && line_skip(&line, "  ") &&
	       value_take(f->path, sizeof(f->path), &line);
}

/* Is it the text that manifest_write() makes of what was read? */
static enum status text_compare(struct manifest *m, const char *text, size_t n, struct err *e)
{
	struct buf b = {0};
	size_t line = 1, at = 0;
	enum status s = manifest_write(&b, m, e);

	if (s == STATUS_OK && (b.n != n || memcmp(b.p, text, n) != 0)) {
		for (; at < n && at < b.n && b.p[at] == (uint8_t)text[at]; at++)
			line += text[at] == '\n';
		s = err_set(e, STATUS_BAD, "line %zu of the manifest is not %s", line,
			line == 2 ? "the id of what follows" : "as it is written");
	}
	buf_free(&b);
	return s;
}

enum status manifest_read(struct manifest *to, const char *text, size_t n, struct arena *a, struct err *e)
{
	struct rd r = rd_of(text, n);
	size_t number = 1;

	memset(to, 0, sizeof(*to));
	if (n > NOTE_MAX)
		return err_set(e, STATUS_BAD, "a manifest of %zu bytes is too long", n);
	if (!keys_read(to, &r, &number))
		return err_set(e, STATUS_BAD, "line %zu of the manifest is not what belongs there", number);
	to->file = arena_array(a, rd_left(&r) / FILE_LINE + 1, sizeof(*to->file));
	if (!to->file)
		return err_nomem(e);
	for (; rd_left(&r) > 0; to->n_file++) {
		number++;
		if (!file_read(&to->file[to->n_file], &r))
			return err_set(e, STATUS_BAD,
				"line %zu of the manifest is not a hash, two blanks and a file name", number);
	}
	return text_compare(to, text, n, e);
}
