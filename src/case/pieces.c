/* A sensor's file in pieces, as it grows.
 *
 * In come pieces of any length that end anywhere, out come batches: sightings, one for each flow of the
 * piece, and how many lines were skipped and why.  A line whose end did not come yet waits for the next
 * piece; memory is one longest line and one batch.  As in sensor.c a line that is too long is passed over,
 * and a byte order mark before the first one is dropped. */
#include "case/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "case/sensor_join.h"

enum status pieces_open(struct pieces *to, const struct sensor *k, struct err *e)
{
	*to = (struct pieces){.kind = k, .line = malloc(SENSOR_LINE_MAX)};
	return to->line ? STATUS_OK : err_nomem(e);
}

void pieces_close(struct pieces *s)
{
	free(s->line);
	s->line = NULL;
}

void pieces_again(struct pieces *s, struct batch *to)
{
	to->skipped[LINE_TAIL] += s->n > 0 && !s->passing;
	s->n = 0;
	s->passing = false;
	s->begun = false;
}

/* What a piece is made into. */
struct making {
	struct joined joined;
	struct arena *arena;
	struct batch *to;
	bool memory; /* false: it ran out */
};

/* A whole line without its line feed. */
static void line_taken(struct pieces *s, struct making *m, const char *p, size_t n)
{
	struct alert al;
	json_t *o;
	const char *what;
	enum line got;

	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (!s->begun && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (n == 0)
		return;
	what = s->begun ? NULL : sensor_foreign(p, n);
	s->begun = true;
	if (what)
		m->to->foreign = what;
	got = sensor_parse(s->kind, p, n, &al, &o, &m->memory);
	m->to->unsaid += got == LINE_TAKEN && !al.word;
	if (got == LINE_TAKEN && al.word)
		got = alert_join(&m->joined, s->kind, &al, m->arena, &m->memory);
	json_decref(o);
	m->to->other += got == LINE_OTHER;
	if (got < LINE_COUNT)
		m->to->skipped[got]++;
}

/* n bytes of a line that begins, goes on or (end) ends here. */
static void part_taken(struct pieces *s, struct making *m, const char *p, size_t n, bool end)
{
	if (!s->passing && s->n + n > SENSOR_LINE_MAX) {
		m->to->skipped[LINE_LONG]++;
		s->passing = s->begun = true;
		s->n = 0;
	}
	if (!s->passing && end && s->n == 0) {
		line_taken(s, m, p, n);
	} else if (!s->passing) {
		memcpy(s->line + s->n, p, n);
		s->n += n;
		if (end)
			line_taken(s, m, s->line, s->n);
	}
	if (end) {
		s->n = 0;
		s->passing = false;
	}
}

static enum status making_end(struct making *m, struct err *e)
{
	struct batch *to = m->to;

	if (m->joined.n > PIECES_BATCH)
		return err_set(e, STATUS_BAD, "a piece of a file gave more alerts than it can hold");
	to->n = m->joined.n;
	to->alert = arena_array(m->arena, to->n, sizeof(*to->alert));
	if (!m->memory || (to->n && !to->alert))
		return err_nomem(e);
	for (size_t i = 0; i < to->n; i++) {
		const struct entry *en = &m->joined.entry[i];
		to->alert[i] = (struct batch_alert){en->key, en->sure, en->s};
	}
	return STATUS_OK;
}

enum status pieces_take(
	struct pieces *s, const void *p, size_t n, struct arena *a, struct batch *to, struct err *e)
{
	struct making m = {.arena = a, .to = to, .memory = true};
	const char *at = p, *end = at + n, *feed;
	enum status st;

	to->foreign = "";
	for (; m.memory && at < end; at = feed ? feed + 1 : end) {
		feed = memchr(at, '\n', (size_t)(end - at));
		part_taken(s, &m, at, (size_t)((feed ? feed : end) - at), feed != NULL);
	}
	to->kept = s->n;
	st = making_end(&m, e);
	joined_free(&m.joined);
	return st;
}
