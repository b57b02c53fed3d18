/* Delegations and names, read where they lie: ranges that do not overlap, sorted, found by halving. */
#include "map/registry.h"

#include <stdio.h>

#include "map/registry_in.h"

const char *const rir_text[RIRS] = {"afrinic", "apnic", "arin", "lacnic", "ripencc"};

struct number_range delegation_range(const struct delegation *d)
{
	if (d->kind != NUMBER_IPV6)
		return (struct number_range){d->first, (uint64_t)d->first + d->n - 1};
	uint64_t host = d->n == 0 ? UINT64_MAX : d->n >= 64 ? 0 : UINT64_MAX >> d->n;
	return (struct number_range){d->hi, d->hi | host};
}

/* ---- finding ---- */

/* The last one that begins at or below the number, if it reaches it. */
static const struct delegation *find(const struct registry *r, enum number_kind k, uint64_t number)
{
	const struct delegation *of = r->of[k];
	size_t lo = 0, hi = r->n[k];

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (delegation_range(&of[mid]).first <= number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && delegation_range(&of[lo - 1]).last >= number ? &of[lo - 1] : NULL;
}

const struct delegation *registry_asn(const struct registry *r, uint32_t asn)
{
	return find(r, NUMBER_ASN, asn);
}

const struct delegation *registry_ip(const struct registry *r, const struct ip *ip)
{
	struct rd b = rd_of(ip->b, sizeof(ip->b));
	uint64_t top = rd_be32(&b);

	if (ip->v == 4)
		return find(r, NUMBER_IPV4, top);
	return ip->v == 6 ? find(r, NUMBER_IPV6, top << 32 | rd_be32(&b)) : NULL;
}

const char *registry_text(const struct registry *r, uint32_t at)
{
	return at < r->n_text ? r->text + at : "";
}

const struct holder *holders_find(const struct holders *h, uint32_t asn)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (h->of[mid].asn < asn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < h->n && h->of[lo].asn == asn ? &h->of[lo] : NULL;
}

const char *holders_text(const struct holders *h, uint32_t at)
{
	return at < h->n_text ? h->text + at : "";
}

/* ---- whose they are ---- */

uint32_t registries_rirs(const struct registry *const *r, size_t n)
{
	uint32_t rirs = 0;

	for (size_t i = 0; i < n; i++)
		rirs |= r[i]->rirs;
	return rirs;
}

/* The names of a set, behind what stands there. */
static void names_add(char to[RIRS_TEXT], const char *lead, uint32_t rirs)
{
	size_t n = strlen(to);

	for (int i = 0; i < RIRS; i++)
		if (rirs & UINT32_C(1) << i) {
			n += (size_t)snprintf(to + n, RIRS_TEXT - n, "%s%s", lead, rir_text[i]);
			lead = ", ";
		}
}

char *rirs_words(char to[RIRS_TEXT], uint32_t rirs)
{
	const uint32_t all = (UINT32_C(1) << RIRS) - 1;

	to[0] = '\0';
	names_add(to, "", rirs & all);
	names_add(to, to[0] ? "; not loaded: " : "not loaded: ", ~rirs & all);
	return to;
}

/* ---- views ---- */

static bool strings_sound(const char *text, size_t n)
{
	return text && n > 0 && text[0] == '\0' && text[n - 1] == '\0';
}

static bool shape_sound(const struct delegation *d, enum number_kind k)
{
	struct number_range r = delegation_range(d);

	if (d->kind != k || d->status > DELEGATION_ALLOCATED)
		return false;
	if (k == NUMBER_IPV6)
		return d->n <= 64 && (d->hi & (r.last ^ r.first)) == 0;
	return d->n > 0 && r.last <= UINT32_MAX;
}

static bool ranges_sound(const struct delegation *d, size_t n, enum number_kind k)
{
	for (size_t i = 0; i < n; i++)
		if (!shape_sound(&d[i], k) ||
			(i > 0 && delegation_range(&d[i - 1]).last >= delegation_range(&d[i]).first))
			return false;
	return true;
}

enum status registry_view(struct registry *r, const struct sheet *s, struct err *e)
{
	bool sound = true;
	size_t n_rirs;

	*r = (struct registry){0};
	const uint32_t *rirs = sheet_section(s, TAG_RIRS, sizeof(*rirs), &n_rirs);
	if (n_rirs == 1)
		r->rirs = *rirs;
	r->text = sheet_section(s, TAG_STRINGS, 1, &r->n_text);
	for (int k = 0; k < NUMBER_KINDS; k++) {
		r->of[k] = sheet_section(s, tag_numbers[k], sizeof(*r->of[k]), &r->n[k]);
		sound = sound && ranges_sound(r->of[k], r->n[k], (enum number_kind)k);
	}
	return sound && strings_sound(r->text, r->n_text) ? STATUS_OK
							  : err_set(e, STATUS_BAD, "delegations: damaged");
}

enum status holders_view(struct holders *h, const struct sheet *s, struct err *e)
{
	bool sound = true;

	*h = (struct holders){0};
	h->text = sheet_section(s, TAG_STRINGS, 1, &h->n_text);
	h->of = sheet_section(s, TAG_HOLDERS, sizeof(*h->of), &h->n);
	for (size_t i = 1; i < h->n; i++)
		sound = sound && h->of[i - 1].asn < h->of[i].asn;
	return sound && strings_sound(h->text, h->n_text)
		       ? STATUS_OK
		       : err_set(e, STATUS_BAD, "names of networks: damaged");
}
