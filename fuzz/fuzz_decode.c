/* Any bytes as frames: [link type index, wire length beyond the captured (2 bytes), captured length (2
 * bytes), bytes], again and again with one decoder, so that fragments meet.  The frame is copied to a block
 * of its exact size. */
#include <stdlib.h>

#include "base/bytes.h"
#include "record/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint32_t linktype[] = {1, 113, 276, 101, 12, 14, 228, 229, 0, 108, 9, 50, 51, 104, 147};
	struct decoder *d = decoder_new();
	struct rd r = rd_of(data, n);
	int64_t now = 0;

	while (d && rd_left(&r) > 5) {
		struct frame f = {.linktype = linktype[rd_u8(&r) % (sizeof(linktype) / sizeof(linktype[0]))]};
		struct packet p;
		uint32_t beyond = rd_be16(&r);
		struct rd body = rd_cut(&r, rd_be16(&r));
		uint8_t *copy = malloc(rd_left(&body) + 1);
		if (!copy)
			break;
		f.captured = (uint32_t)rd_left(&body);
		f.wire = f.captured + beyond;
		if (f.captured)
			memcpy(copy + 1, body.p, f.captured); /* one byte off: unaligned */
		f.data = copy + 1;
		f.time_us = now += 1000000;
		if (decode(d, &f, &p) == DROP_NONE && (p.src.ip.v != 4 && p.src.ip.v != 6))
			abort();
		free(copy);
	}
	decoder_free(d);
	return 0;
}
