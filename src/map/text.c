/* A text table comes in, its sheet goes out.
 *
 * Here are the lines: cut from the bytes without copying them, LF or CR LF, a byte order mark passed over,
 * bounded in length.  What a line means is the format's business (text_rel.c, text_delegated.c,
 * text_origins.c, text_names.c), each of which is a row of the table below.  A line that is not understood is
 * counted, and the number of the first one kept. */
#include "map/text_in.h"

#include <stdlib.h>

#define PIECE      ((size_t)1 << 20)
#define LOOK_LINES 16 /* that say something, until it is known what a file is */

const char *const text_kind_text[TEXT_KINDS] = {"none", "AS relationships", "delegations",
	"origins of prefixes", "networks and organisations", "names of networks"};

/* In the order in which they are asked what a line is: the strictest first. */
static const struct text_format *const formats[TEXT_KINDS] = {
	NULL, &text_as_rel, &text_delegated, &text_origins, &text_as_org, &text_as_names};

struct text_reader {
	const struct text_format *format;
	void *state;
	struct text_counts counts;
	bool passing; /* over the rest of a line that is too long */
};

enum sheet_kind text_sheet(enum text_kind k)
{
	return formats[k]->sheet;
}

struct text_reader *text_new(enum text_kind k)
{
	struct text_reader *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->format = formats[k];
	t->state = calloc(1, t->format->size);
	if (!t->state) {
		free(t);
		return NULL;
	}
	return t;
}

void text_free(struct text_reader *t)
{
	if (!t)
		return;
	t->format->free(t->state);
	free(t->state);
	free(t);
}

const struct text_counts *text_counted(const struct text_reader *t)
{
	return &t->counts;
}

void *text_state(struct text_reader *t)
{
	return t->state;
}

/* ---- lines ---- */

static void bad_line(struct text_counts *c)
{
	c->bad++;
	if (c->first_bad == 0)
		c->first_bad = c->line;
}

/* Without its carriage return; without the byte order mark of the file's first line. */
static struct rd line_bare(struct rd line, bool first)
{
	if (line.p < line.end && line.end[-1] == '\r')
		line.end--;
	if (first && field_begins(line, "\xef\xbb\xbf"))
		rd_skip(&line, 3);
	return line;
}

static bool line_take(struct text_reader *t, struct rd line)
{
	struct text_counts *c = &t->counts;

	c->line++;
	line = line_bare(line, c->line == 1);
	if (rd_left(&line) == 0)
		return true;
	if (rd_left(&line) > TEXT_LINE_MAX) {
		bad_line(c);
		return true;
	}
	switch (t->format->line(t->state, line)) {
	case LINE_KEPT:
		c->kept++;
		break;
	case LINE_BAD:
		bad_line(c);
		break;
	case LINE_NOBODYS:
		c->nobodys++;
		break;
	case LINE_NO_MEMORY:
		return false;
	case LINE_OTHER:
		break;
	}
	return true;
}

/* What stands behind the last line feed: a line of its own, or the beginning of one that is too long. */
static bool rest_take(struct text_reader *t, struct rd *r, bool last)
{
	struct rd line = *r;

	if (t->passing || rd_left(r) == 0) {
		r->p = r->end;
		return true;
	}
	if (!last && rd_left(r) <= TEXT_LINE_MAX)
		return true; /* more of it may come */
	r->p = r->end;
	t->passing = !last;
	return line_take(t, line);
}

bool text_feed(struct text_reader *t, const uint8_t *p, size_t n, bool last, size_t *taken)
{
	struct rd r = rd_of(p, n);
	const uint8_t *lf;

	*taken = 0;
	while (rd_left(&r) && (lf = memchr(r.p, '\n', rd_left(&r))) != NULL) {
		struct rd line = rd_cut(&r, (size_t)(lf - r.p));
		rd_skip(&r, 1);
		if (!t->passing && !line_take(t, line))
			return false;
		t->passing = false;
	}
	if (!rest_take(t, &r, last))
		return false;
	*taken = n - rd_left(&r);
	return true;
}

/* ---- what is it? ---- */

static enum text_kind line_looks(struct rd line)
{
	for (int k = TEXT_NONE + 1; k < TEXT_KINDS; k++)
		if (formats[k]->looks(line))
			return (enum text_kind)k;
	return TEXT_NONE;
}

static bool is_text(struct rd line)
{
	for (; line.p < line.end; line.p++)
		if (*line.p < ' ' && *line.p != '\t')
			return false;
	return true;
}

enum text_kind text_looks(const uint8_t *p, size_t n)
{
	struct rd r = rd_of(p, n);
	bool first = true;

	for (int said = 0; said < LOOK_LINES && rd_left(&r); first = false) {
		const uint8_t *lf = memchr(r.p, '\n', rd_left(&r));
		struct rd line = line_bare(rd_cut(&r, lf ? (size_t)(lf - r.p) : rd_left(&r)), first);
		rd_skip(&r, lf != NULL);
		if (!is_text(line))
			return TEXT_NONE;
		enum text_kind k = line_looks(line);
		if (k != TEXT_NONE)
			return k;
		said += rd_left(&line) > 0 && *line.p != '#' && *line.p != ';';
	}
	return TEXT_NONE;
}

/* ---- a file ---- */

enum status text_finish(struct text_reader *t, struct sheet_out *o, struct text_counts *c, struct err *e)
{
	struct wall from = {0}, to = {0};
	enum status st;

	*c = t->counts;
	if (c->kept == 0 && c->first_bad)
		return err_set(e, STATUS_BAD, "no %s in %llu lines; line %llu is the first not understood",
			t->format->name, (unsigned long long)c->line, (unsigned long long)c->first_bad);
	if (c->kept == 0)
		return err_set(
			e, STATUS_BAD, "no %s in %llu lines", t->format->name, (unsigned long long)c->line);
	st = t->format->finish(t->state, o, c, &from, &to, e);
	if (st == STATUS_OK)
		sheet_time(o, from, to);
	return st;
}

static enum status read_all(
	struct text_reader *t, struct input *in, bool (*progress)(void *self), void *self, struct err *e)
{
	for (;;) {
		const uint8_t *p;
		size_t n, taken;
		enum status st = input_peek(in, PIECE, &p, &n, e);
		if (st != STATUS_OK)
			return st;
		bool end = n < PIECE, whole = end && !input_damage(in);
		/* a piece may be the whole mapped file: progress is wanted in between */
		if (n > PIECE)
			n = PIECE;
		if (!text_feed(t, p, n, whole, &taken))
			return err_nomem(e);
		if (t->counts.kept > TEXT_KEPT_MAX)
			return err_set(e, STATUS_BAD,
				"more than %llu lines of %s: no such table is that long",
				(unsigned long long)TEXT_KEPT_MAX, t->format->name);
		input_skip(in, end ? n : taken);
		t->counts.cut = end && !whole && taken < n;
		if (end)
			return STATUS_OK;
		if (progress && !progress(self))
			return err_set(e, STATUS_NO, "stopped");
	}
}

enum status text_load(struct sheet_out *o, enum text_kind k, struct input *in, struct text_counts *c,
	bool (*progress)(void *self), void *self, struct err *e)
{
	struct text_reader *t = text_new(k);

	*c = (struct text_counts){0};
	if (!t)
		return err_nomem(e);
	enum status st = read_all(t, in, progress, self, e);
	if (st == STATUS_OK)
		st = text_finish(t, o, c, e);
	else
		*c = t->counts;
	text_free(t);
	return st;
}
