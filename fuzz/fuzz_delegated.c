/* Delegations: see fuzz_text.h.  Each range is found by both its ends. */
#include "fuzz_text.h"

#include "map/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct ip ip_of(int kind, uint64_t number)
{
	uint8_t b[16] = {0};
	unsigned bytes = kind == NUMBER_IPV4 ? 4 : 8;

	for (unsigned i = 0; i < bytes; i++)
		b[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
	return kind == NUMBER_IPV4 ? ip_v4(b) : ip_v6(b);
}

static const struct delegation *at(const struct registry *r, int kind, uint64_t number)
{
	struct ip ip = ip_of(kind, number);

	return kind == NUMBER_ASN ? registry_asn(r, (uint32_t)number) : registry_ip(r, &ip);
}

static void view(const struct sheet *s, const struct text_counts *c)
{
	struct registry r;
	struct err e;

	(void)c;
	if (registry_view(&r, s, &e) != STATUS_OK)
		abort();
	for (int k = 0; k < NUMBER_KINDS; k++)
		for (size_t i = 0; i < r.n[k]; i++) {
			const struct delegation *d = &r.of[k][i];
			struct number_range range = delegation_range(d);
			if (at(&r, k, range.first) != d || at(&r, k, range.last) != d ||
				strlen(registry_text(&r, d->holder)) > 256)
				abort();
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_text(TEXT_DELEGATED, view, p, n);
}
