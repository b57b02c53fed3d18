/* Relationships: see fuzz_text.h.  Each link stands in both rows, once. */
#include "fuzz_text.h"

#include "map/links.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool row_has(const struct links *l, int role, uint32_t as, uint32_t other)
{
	for (uint32_t i = l->row[role][as]; i < l->row[role][as + 1]; i++)
		if (l->to[role][i] == other)
			return true;
	return false;
}

static void view(const struct sheet *s, const struct text_counts *c)
{
	static const int back[LINK_ROLES] = {LINK_CUSTOMERS, LINK_PEERS, LINK_PROVIDERS};
	struct links l;
	struct err e;

	if (links_view(&l, s, &e) != STATUS_OK)
		abort();
	if (l.n_to[LINK_PROVIDERS] != l.n_to[LINK_CUSTOMERS] ||
		l.n_to[LINK_PROVIDERS] + l.n_to[LINK_PEERS] / 2 != c->kept)
		abort();
	for (int r = 0; r < LINK_ROLES; r++)
		for (uint32_t as = 0; as < l.n_as; as++)
			for (uint32_t i = l.row[r][as]; i < l.row[r][as + 1]; i++) {
				int found = 0;
				for (int q = 0; q < LINK_ROLES; q++)
					found += row_has(&l, q, as, l.to[r][i]);
				if (found != 1 || !row_has(&l, back[r], l.to[r][i], as))
					abort();
			}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	return fuzz_text(TEXT_AS_REL, view, p, n);
}
