/* Any bytes as four trains, blind intervals and parameters: the link test must end, and its numbers be
 * numbers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/link.h"

#define BURSTS 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	const uint8_t *p;
	size_t left;
};

static uint64_t take(struct reader *r, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n && r->left > 0; i++, r->left--)
		v = v << 8 | *r->p++;
	return v;
}

/* A burst is three bytes of time since the last one and one of duration; 0xff in the first escapes to any
 * time. */
static size_t fill(struct reader *r, struct burst *b, size_t most)
{
	int64_t t = 0;
	size_t n = 0;
	while (n < most && r->left > 4) {
		uint64_t d = take(r, 3);
		t = d >> 16 == 0xff ? (int64_t)take(r, 8) : (int64_t)((uint64_t)t + d);
		b[n++] = (struct burst){.start_us = t,
			.dur_us = (uint32_t)take(r, 1) << 12,
			.packets = 1,
			.bytes = (d & 0xffff) << (d >> 16 & 31)};
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct burst b[4][BURSTS];
	struct span blind[8];
	struct reader r = {data, size};
	struct link_param param = {.in_opened = (int)(size & 1),
		.out_answered = (int)(size >> 1 & 1),
		.every_way = (int)(size >> 2 & 1)};
	struct link_result res;
	size_t n[4], n_blind = take(&r, 1) % 9;
	param.needed = (double)take(&r, 1) / 16;
	param.offset_us = (int64_t)take(&r, take(&r, 1) % 9);
	param.offset_error_us = (int64_t)take(&r, 2);
	int64_t at = 0;
	for (size_t i = 0; i < n_blind; i++) {
		at += (int64_t)take(&r, 3);
		blind[i].from_us = at;
		at += (int64_t)take(&r, 3);
		blind[i].to_us = at;
	}
	size_t share = r.left / 4;
	for (int i = 0; i < 4; i++) {
		struct reader part = {r.p + (size_t)i * share, share};
		n[i] = fill(&part, b[i], BURSTS);
	}
	struct link_leg in = {.fwd = {b[0], n[0]}, .back = {b[1], n[1]}, .resolution_us = 1, .sampling = 1};
	struct link_leg out = {.fwd = {b[2], n[2]}, .back = {b[3], n[3]}, .resolution_us = 1, .sampling = 1};
	size_t need = link_memory(&in, &out);
	void *mem = malloc(need);
	link_test(&in, &out, blind, n_blind, &param, mem, need, &res);
	free(mem);
	if (!(res.log10_e > -1e6 && res.log10_e < 1e6 && res.max_log10_e > -1e6 && res.max_log10_e < 1e6))
		abort();
	if ((res.verdict == LINK_PROVEN) != (res.reason == LINK_REASON_NONE))
		abort();
	return 0;
}
