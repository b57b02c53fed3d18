/* Flows as text, the reading side: lines are taken apart with a look at their form only; then what was
 * understood is written again and must give the same text, so that every rule of train.c holds.
 * See train.h and doc/bundle-format.md, "Trains". */
#include <string.h>

#include "record/train_in.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct reading {
	struct rd text;
	struct rd line;   /* the one that is read, without its newline */
	size_t number;    /* which it is, from 1 */
	const char *form; /* how it should read */
	struct train *t;
	struct arena *arena;
	int dir;     /* of the lines that come once for each direction */
	bool memory; /* false: it ran out */
};

static bool line_next(struct reading *r, const char *form)
{
	size_t left = rd_left(&r->text);
	const uint8_t *end = left ? memchr(r->text.p, '\n', left) : NULL;

	r->form = form;
	r->number++;
	if (!end)
		return false;
	r->line = rd_cut(&r->text, (size_t)(end - r->text.p));
	rd_skip(&r->text, 1);
	return true;
}

static bool line_begins(const struct reading *r, const char *s)
{
	size_t n = strlen(s);

	return rd_left(&r->text) >= n && memcmp(r->text.p, s, n) == 0;
}

/* What follows takes words off the line's front; `bad` says afterwards whether one was missing. */

static void literal(struct rd *line, const char *s)
{
	size_t n = strlen(s);
	const uint8_t *p = rd_take(line, n);

	line->bad = line->bad || memcmp(p, s, n) != 0;
}

/* Decimal, at most max; a leading zero is found when the text is compared. */
static uint64_t number(struct rd *line, uint64_t max)
{
	const uint8_t *start = line->p;
	uint64_t v = 0;

	for (; line->p < line->end && *line->p >= '0' && *line->p <= '9'; line->p++) {
		unsigned digit = *line->p - (unsigned)'0';
		line->bad = line->bad || v > (max - digit) / 10;
		v = v * 10 + digit;
	}
	line->bad = line->bad || line->p == start;
	return line->bad ? 0 : v;
}

/* Up to the next blank or the line's end; "" and bad where it is empty or does not fit. */
static char *word(char *to, size_t size, struct rd *line)
{
	const uint8_t *blank = rd_left(line) ? memchr(line->p, ' ', rd_left(line)) : NULL;
	size_t n = blank ? (size_t)(blank - line->p) : rd_left(line);

	to[0] = '\0';
	if (n == 0 || n >= size) {
		line->bad = true;
		return to;
	}
	memcpy(to, rd_take(line, n), n);
	to[n] = '\0';
	return to;
}

static void end_read(struct train *t, int k, struct rd *line)
{
	char text[ENDPOINT_TEXT];
	struct prefix net;

	if (strchr(word(text, sizeof(text), line), '/')) {
		line->bad = line->bad || !prefix_parse(&net, text);
		if (line->bad)
			return;
		t->flow.head.end[k].ip = net.ip;
		t->hidden[k] = (uint8_t)(net.len + 1);
	} else {
		line->bad = line->bad || !endpoint_parse(&t->flow.head.end[k], text);
	}
}

static void read_flow(struct reading *r, struct rd *line)
{
	char proto[8];

	line->bad = !proto_parse(&r->t->flow.head.proto, word(proto, sizeof(proto), line));
	literal(line, " ");
	end_read(r->t, 0, line);
	literal(line, " > ");
	end_read(r->t, 1, line);
}

static void read_members(struct reading *r, struct rd *line)
{
	r->t->flow.members = (uint32_t)number(line, UINT32_MAX);
}

static void read_point(struct reading *r, struct rd *line)
{
	char text[TRAIN_POINT];

	r->t->flow.head.point = arena_str(r->arena, word(text, sizeof(text), line));
	r->memory = r->t->flow.head.point != NULL;
}

static void read_first(struct reading *r, struct rd *line)
{
	r->t->flow.head.first_us = (int64_t)number(line, TRAIN_TIME_MAX);
}

static void read_last(struct reading *r, struct rd *line)
{
	r->t->flow.last_us = (int64_t)number(line, TRAIN_TIME_MAX);
}

static void read_seen(struct reading *r, struct rd *line)
{
	struct source *s = &r->t->flow.head.source;
	char text[16];

	(void)word(text, sizeof(text), line);
	s->kind = strcmp(text, train_source_name[SOURCE_PACKETS]) == 0 ? SOURCE_PACKETS : SOURCE_FLOW_RECORDS;
	literal(line, " resolution ");
	s->resolution_us = (uint32_t)number(line, UINT32_MAX);
	literal(line, " error ");
	s->clock_error_us = (uint32_t)number(line, UINT32_MAX);
	literal(line, " sampling ");
	s->sampling = (uint32_t)number(line, UINT32_MAX);
	literal(line, " gap ");
	s->gap_us = (uint32_t)number(line, UINT32_MAX);
}

/* Unknown words, their order and "-" are found when the text is compared. */
static void read_flags(struct reading *r, struct rd *line)
{
	char text[16];

	while (rd_left(line) > 0 && !line->bad) {
		literal(line, " ");
		(void)word(text, sizeof(text), line);
		for (size_t i = 0; i < TRAIN_FLAGS; i++)
			if (strcmp(text, train_flags[i].name) == 0)
				r->t->flow.head.flags |= train_flags[i].bit;
	}
}

static void read_isn(struct reading *r, struct rd *line)
{
	for (int k = 0; k < 2; k++) {
		literal(line, " ");
		if (r->t->flow.head.flags & train_isn_flag[k])
			r->t->flow.head.isn[k] = (uint32_t)number(line, UINT32_MAX);
		else
			literal(line, "-");
	}
}

static void read_total(struct reading *r, struct rd *line)
{
	struct flow_count *c = &r->t->flow.count[r->dir];

	literal(line, " packets ");
	c->packets = number(line, TRAIN_TOTAL_MAX);
	literal(line, " frame ");
	c->frame_bytes = number(line, TRAIN_TOTAL_MAX);
	literal(line, " payload ");
	c->payload_bytes = number(line, TRAIN_TOTAL_MAX);
}

static bool read_burst(struct reading *r, struct burst *to, int64_t before)
{
	if (!line_next(r, "START DURATION BYTES PACKETS"))
		return false;
	struct rd *line = &r->line;
	to->start_us = before + (int64_t)number(line, TRAIN_TIME_MAX);
	literal(line, " ");
	to->dur_us = (uint32_t)number(line, UINT32_MAX);
	literal(line, " ");
	to->bytes = number(line, TRAIN_BURST_BYTES);
	literal(line, " ");
	to->packets = (uint32_t)number(line, UINT32_MAX);
	return !line->bad && rd_left(line) == 0 && to->start_us <= TRAIN_TIME_MAX;
}

/* The line and the bursts that it announces. */
static void read_bursts(struct reading *r, struct rd *line)
{
	struct flow *f = &r->t->flow;
	int d = r->dir;
	struct flow_count *c = &f->count[d];
	size_t n = number(line, TRAIN_BURSTS);
	int64_t before = f->head.first_us;

	*c = (struct flow_count){c->packets, c->frame_bytes, c->payload_bytes, 0, -1};
	if (line->bad || rd_left(line) > 0 || n == 0)
		return;
	f->burst[d] = arena_array(r->arena, n, sizeof(struct burst));
	r->memory = f->burst[d] != NULL;
	for (; r->memory && f->n_burst[d] < n; f->n_burst[d]++) {
		struct burst *b = &f->burst[d][f->n_burst[d]];
		if (!read_burst(r, b, before)) {
			r->line.bad = true;
			return;
		}
		before = b->start_us;
		c->last_us = burst_end(b) > c->last_us ? burst_end(b) : c->last_us;
	}
	if (r->memory)
		c->first_us = f->burst[d]->start_us;
}

static const struct {
	const char *begin; /* of the line */
	void (*read)(struct reading *r, struct rd *rest);
	int dir;
	const char *form;
	bool may; /* be left out */
} lines[] = {
	{"weir-train/v1", NULL, 0, "weir-train/v1"},
	{"flow ", read_flow, 0, "flow PROTOCOL END > END"},
	{"members ", read_members, 0, "members N", true},
	{"point ", read_point, 0, "point NAME"},
	{"first ", read_first, 0, "first MICROSECONDS"},
	{"last ", read_last, 0, "last MICROSECONDS"},
	{"seen ", read_seen, 0, "seen KIND resolution N error N sampling N gap N"},
	{"flags", read_flags, 0, "flags NAME..."},
	{"isn", read_isn, 0, "isn N|- N|-"},
	{"total 0", read_total, 0, "total 0 packets N frame N payload N"},
	{"total 1", read_total, 1, "total 1 packets N frame N payload N"},
	{"bursts 0 ", read_bursts, 0, "bursts 0 N"},
	{"bursts 1 ", read_bursts, 1, "bursts 1 N"},
	{"end", NULL, 0, "end"},
};

static bool lines_read(struct reading *r)
{
	for (size_t i = 0; i < N_OF(lines); i++) {
		if (lines[i].may && !line_begins(r, lines[i].begin))
			continue;
		if (!line_next(r, lines[i].form))
			return false;
		r->dir = lines[i].dir;
		literal(&r->line, lines[i].begin);
		if (lines[i].read && !r->line.bad)
			lines[i].read(r, &r->line);
		if (!r->memory || r->line.bad || rd_left(&r->line) > 0)
			return false;
	}
	return true;
}

/* Is it the text that train_write() makes of what was read? */
static enum status text_compare(const struct train *t, const char *text, size_t n, struct err *e)
{
	struct buf b = {0};
	size_t line = 1, at = 0;
	enum status s = STATUS_OK;

	train_write(&b, t);
	if (b.failed) {
		s = err_nomem(e);
	} else if (b.n != n || memcmp(b.p, text, n) != 0) {
		for (; at < n && at < b.n && b.p[at] == (uint8_t)text[at]; at++)
			line += text[at] == '\n';
		s = err_set(e, STATUS_BAD, "line %zu of the train is not as it is written", line);
	}
	buf_free(&b);
	return s;
}

uint32_t train_members(const char *text, size_t n)
{
	struct train t = {0};
	struct reading r = {.text = rd_of(text, n), .t = &t};

	if (!line_next(&r, "") || !line_next(&r, "") || !line_begins(&r, "members ") || !line_next(&r, ""))
		return 0;
	literal(&r.line, "members ");
	read_members(&r, &r.line);
	return r.line.bad ? 0 : t.flow.members;
}

enum status train_read(struct train *to, const char *text, size_t n, struct arena *a, struct err *e)
{
	struct reading r = {.text = rd_of(text, n), .t = to, .arena = a, .memory = true};

	memset(to, 0, sizeof(*to));
	if (n > TRAIN_BYTES)
		return err_set(e, STATUS_BAD, "a train of %zu bytes; at most %d are read", n, TRAIN_BYTES);
	bool good = lines_read(&r);
	if (!r.memory)
		return err_nomem(e);
	if (!good)
		return err_set(e, STATUS_BAD, "line %zu of the train is not \"%s\"", r.number, r.form);
	return text_compare(to, text, n, e);
}
