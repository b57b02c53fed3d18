/* Any bytes as a capture file, plain or packed: through the stream, the pcap and pcapng readers and the
 * decoder.  Invariants beyond "no crash": frames lie where they say, and the run comes to its end in
 * bounded steps. */
#include <stdlib.h>

#include "record/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct decoder *d = decoder_new();
	struct stream *s;
	struct capture *c;
	struct frame f;
	struct packet p;
	enum drop why;
	struct err e;
	enum capture_got got = CAPTURE_IDLE;
	uint64_t steps = 0, sum = 0;

	if (!d || stream_open_memory(&s, data, n, &e) != STATUS_OK ||
		capture_open_stream(&c, s, "fuzz", &e) != STATUS_OK)
		goto out;
	while (got != CAPTURE_END) {
		got = capture_next(c, &f, &why, &e);
		check(got != CAPTURE_FAILED &&
			(got != CAPTURE_SKIPPED || (why > DROP_NONE && why < DROP_COUNT)));
		/* Every step takes at least a byte of input, or of what a decompressor makes of it. */
		check(++steps < 64 * 1024 + 2000 * (uint64_t)n);
		if (got != CAPTURE_FRAME)
			continue;
		check(f.captured <= CAPTURED_MAX && f.wire >= f.captured);
		for (uint32_t i = 0; i < f.captured; i += 64)
			sum += f.data[i];
		(void)decode(d, &f, &p);
	}
	check(capture_next(c, &f, &why, &e) == CAPTURE_END);
	capture_close(c);
out:
	decoder_free(d);
	return sum == UINT64_MAX;
}
