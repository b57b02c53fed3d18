/* Finding the thread again in a damaged capture file: forward, byte by byte, until a place looks like a
 * record whose followers look like records too.  Neither pcap nor pcapng has sync marks, so the look is all
 * there is; the readers bring a test that chance passes about once in 2^80 places.  Linear in the bytes
 * passed over, bounded in memory. */
#include <stdarg.h>
#include <stdio.h>

#include "record/reader.h"

#define SEARCH_AT_ONCE (size_t)(4 * 1024 * 1024)

void lost_begin(struct lost *l, struct capture *c, bool cut, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(l->what, sizeof(l->what), fmt, ap);
	va_end(ap);
	l->on = true;
	l->cut = cut;
	l->from = stream_offset(c->stream);
	stream_skip(c->stream, 1);
}

/* Looks at every place of the window of n bytes.  *at: the place that fits, or where the search must go
 * on. */
static enum fit search_window(struct capture *c, size_t n, bool last, fit_fn *fits, size_t *at)
{
	const uint8_t *p = c->stream->p;

	for (*at = 0; *at < n; ++*at) {
		enum fit fit = fits(c, p + *at, n - *at, last);
		if (fit != FIT_NO)
			return fit;
	}
	return FIT_NO;
}

static enum capture_got lost_found(
	struct lost *l, struct capture *c, bool found, enum drop *why, struct err *e)
{
	uint64_t here = stream_offset(c->stream);
	unsigned long long passed = here - l->from;

	l->on = false;
	if (found)
		return capture_skipped(c, l->from, why, DROP_RECORD, e,
			"%s; %llu bytes passed over to the next record", l->what, passed);
	if (c->cut_said)
		return CAPTURE_END;
	c->cut_said = true;
	if (l->cut)
		return capture_skipped(c, l->from, why, DROP_TRUNCATED, e,
			"the file ends inside a record; its last %llu bytes were not used", passed);
	return capture_skipped(c, l->from, why, DROP_RECORD, e,
		"%s; no further record in the last %llu bytes, which were not used", l->what, passed);
}

enum capture_got lost_search(struct lost *l, struct capture *c, fit_fn *fits, enum drop *why, struct err *e)
{
	struct stream *s = c->stream;

	for (size_t done = 0; done < SEARCH_AT_ONCE;) {
		size_t n = STREAM_VIEW_MAX, at;
		bool last = false;
		if (!stream_view(s, n)) {
			if (s->state == STREAM_IDLE)
				return CAPTURE_IDLE;
			if (s->state == STREAM_FAILED)
				return capture_ran_out(c, l->from, why, e);
			last = true;
			n = stream_have(s);
		}
		enum fit fit = search_window(c, n, last, fits, &at);
		if (fit == FIT_MORE && at == 0)
			fit = last ? FIT_NO : FIT_YES; /* a whole window of what looks right */
		stream_skip(s, at);
		if (fit == FIT_YES || (last && at == n))
			return lost_found(l, c, fit == FIT_YES, why, e);
		done += at + 1;
	}
	return CAPTURE_IDLE;
}

size_t lost_within(struct capture *c, size_t n, fit_fn *fits)
{
	struct stream *s = c->stream;
	bool whole = stream_ahead(s, STREAM_VIEW_MAX);
	size_t have = whole ? STREAM_VIEW_MAX : stream_have(s);
	bool last = !whole && s->state != STREAM_OPEN && s->state != STREAM_IDLE;

	for (size_t i = 1; i < n && i < have; i++)
		if (fits(c, s->p + i, have - i, last) == FIT_YES)
			return i;
	return 0;
}
