/* Captures of any kind behind one face: see capture.h.  A file's first bytes tell which reader takes it:
 * pcap.c or pcapng.c, over a stream that may be packed; live.c reads an interface. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "record/reader.h"

/* Formats that people mix up with ours, to say more than "not a capture". */
static const struct {
	const char *magic;
	size_t n;
	const char *name;
} foreign[] = {
	{"snoop\0\0\0", 8, "a snoop capture (RFC 1761)"},
	{"\xa1\xe2\xcb\x12", 4, "a pcap of Navtel's variant"},
	{"\x12\xcb\xe2\xa1", 4, "a pcap of Navtel's variant"},
	{"\x1c\0\x01\xac", 4, "a pcap of IXIA's variant"},
	{"\xac\x01\0\x1c", 4, "a pcap of IXIA's variant"},
	{"RTSS", 4, "a Network Monitor capture"},
	{"GMBU", 4, "a Network Monitor capture"},
	{"TRSNIFF data    \x1a", 17, "a Sniffer capture"},
	{"\x1f\x8b", 2, "packed twice"},
	{"BZh", 3, "packed with bzip2: unpack it first"},
	{"\xfd\x37zXZ", 5, "packed with xz: unpack it first"},
	{"PK\x03\x04", 4, "a zip archive: unpack it first"},
};

static enum status not_a_capture(struct stream *s, struct err *e)
{
	size_t have = stream_have(s);

	if (have == 0 && s->state == STREAM_END)
		return err_set(e, STATUS_BAD, "empty, not a capture");
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (have >= foreign[i].n && memcmp(s->p, foreign[i].magic, foreign[i].n) == 0)
			return err_set(e, STATUS_BAD, "offset 0: %s, not pcap or pcapng", foreign[i].name);
	if (have < 4)
		return err_set(e, STATUS_BAD, "offset 0: not a capture: only %zu bytes", have);
	return err_set(e, STATUS_BAD,
		"offset 0: not a capture: neither pcap nor pcapng begins with %02x %02x %02x %02x", s->p[0],
		s->p[1], s->p[2], s->p[3]);
}

static enum status begin(struct capture *c, struct err *e)
{
	enum status st = STATUS_NO;

	if (!stream_wait(c->stream, 4) && c->stream->state != STREAM_END)
		return stream_error(c->stream, e);
	if (stream_have(c->stream) >= 4)
		st = pcap_begin(c, e);
	if (st == STATUS_NO)
		st = pcapng_begin(c, e);
	return st == STATUS_NO ? not_a_capture(c->stream, e) : st;
}

enum status capture_open_stream(struct capture **to, struct stream *s, const char *name, struct err *e)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c) {
		stream_close(s);
		return err_nomem(e);
	}
	c->stream = s;
	c->resolution_us = 1;
	(void)printable(c->name, sizeof(c->name), name);
	enum status st = begin(c, e);
	if (st != STATUS_OK) {
		(void)err_wrap(e, "%s", c->name);
		capture_close(c);
		return st;
	}
	*to = c;
	return STATUS_OK;
}

enum status capture_open_file(struct capture **to, const char *path, struct err *e)
{
	struct stream *s;
	enum status st = stream_open(&s, path, e);

	if (st != STATUS_OK)
		return st;
	return capture_open_stream(to, s, strcmp(path, "-") == 0 ? "standard input" : path, e);
}

enum status capture_open_fd(struct capture **to, int fd, const char *name, struct err *e)
{
	struct stream *s;
	enum status st = stream_open_fd(&s, fd, name, e);

	return st == STATUS_OK ? capture_open_stream(to, s, name, e) : st;
}

enum capture_got capture_next(struct capture *c, struct frame *f, enum drop *why, struct err *e)
{
	enum capture_got got = c->reader->next(c, f, why, e);

	if (got == CAPTURE_FRAME || got == CAPTURE_END) {
		f->lost = c->lost;
		c->lost = 0;
	}
	return got;
}

enum capture_got capture_skipped(const struct capture *c, uint64_t offset, enum drop *why, enum drop drop,
	struct err *e, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*why = drop;
	(void)err_set(e, STATUS_BAD, "%s: offset %llu: %s", c->name, (unsigned long long)offset, text);
	return CAPTURE_SKIPPED;
}

enum capture_got capture_ran_out(struct capture *c, uint64_t offset, enum drop *why, struct err *e)
{
	struct stream *s = c->stream;
	size_t rest = stream_have(s);

	switch (s->state) {
	case STREAM_OPEN:
	case STREAM_IDLE:
		return CAPTURE_IDLE;
	case STREAM_FAILED:
		(void)err_set(e, STATUS_MACHINE, "%s: offset %llu: cannot read: %s", c->name,
			(unsigned long long)offset, s->text);
		return CAPTURE_FAILED;
	case STREAM_DAMAGED:
		stream_skip(s, rest);
		if (c->cut_said)
			return CAPTURE_END;
		c->cut_said = true;
		return capture_skipped(
			c, offset, why, DROP_TRUNCATED, e, "%s; nothing behind it was read", s->text);
	case STREAM_END:
		break;
	}
	bool cut = rest > 0 || s->pending > 0;
	stream_skip(s, rest);
	s->pending = 0;
	if (!cut || c->cut_said)
		return CAPTURE_END;
	c->cut_said = true;
	return capture_skipped(c, offset, why, DROP_TRUNCATED, e,
		"the file ends inside a record; its last %zu bytes were not used", rest);
}

uint32_t capture_resolution_us(const struct capture *c)
{
	return c->resolution_us;
}

uint64_t capture_kernel_drops(struct capture *c)
{
	return c->reader->drops ? c->reader->drops(c) : c->drops;
}

void capture_progress(const struct capture *c, uint64_t *done, uint64_t *size)
{
	*done = c->stream ? c->stream->raw : 0;
	*size = c->stream ? c->stream->size : 0;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	if (c->reader && c->reader->close)
		c->reader->close(c->state);
	stream_close(c->stream);
	free(c);
}
