/* Prefix-to-origin lists: see fuzz_text.h.  Each prefix is found, has an origin, and stands in its list. */
#include "fuzz_text.h"

#include "map/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void view(const struct sheet *s, const struct text_counts *c)
{
	struct paths p;
	struct err e;

	if (paths_view(&p, s, &e) != STATUS_OK || p.n_prefix > c->kept)
		abort();
	for (uint32_t i = 0; i < p.n_prefix; i++) {
		struct prefix q = map_prefix_ip(&p.prefix[i]);
		size_t n;
		uint32_t as = paths_origin(&p, i, &n), at = paths_longest(&p, &q.ip);
		if (paths_prefix(&p, &q) != i || as >= p.n_as || n == 0)
			abort();
		if (at == NO_INDEX32 || p.prefix[at].len < q.len)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_text(TEXT_ORIGINS, view, p, n);
}
