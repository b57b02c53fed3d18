/* Names of networks, as2org or asn.txt: see fuzz_text.h.  What is printed is printable. */
#include "fuzz_text.h"

#include "map/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void text_sound(const struct holders *h, uint32_t at)
{
	for (const char *s = holders_text(h, at); *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			abort();
}

static void view(const struct sheet *s, const struct text_counts *c)
{
	struct holders h;
	struct err e;

	if (holders_view(&h, s, &e) != STATUS_OK || h.n > c->kept)
		abort();
	for (size_t i = 0; i < h.n; i++) {
		if (holders_find(&h, h.of[i].asn) != &h.of[i])
			abort();
		text_sound(&h, h.of[i].name);
		text_sound(&h, h.of[i].org);
		text_sound(&h, h.of[i].org_name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_text(n && p[0] == '#' ? TEXT_AS_ORG : TEXT_AS_NAMES, view, p, n);
}
