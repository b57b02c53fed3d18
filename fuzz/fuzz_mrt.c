/* Any bytes as an MRT file: every record that is whole is read, and each route that comes of it has a peer
 * that is known, a prefix without host bits, and attributes that lie inside the record. */
#include <stdlib.h>

#include "map/mrt.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void path_check(const struct mrt_route *r)
{
	uint64_t as[AS_PATH_MAX];
	struct rd path, as4 = {0};
	size_t n;

	if (!attr_path(&path, r->two_octet ? &as4 : NULL, r->attr))
		return;
	enum path_fault fault = attr_path_list(as, &n, path, as4, r->two_octet);
	if (n > AS_PATH_MAX || ((fault == PATH_OK || fault == PATH_LOOP) && n == 0))
		abort();
	for (size_t i = 0; i < n; i++)
		if ((uint32_t)as[i] == 0 || (i > 0 && as[i] == as[i - 1]))
			abort();
}

static void route_check(const struct mrt_route *r, size_t n_peer, struct rd record)
{
	struct prefix p = prefix_of(&r->prefix.ip, r->prefix.len);

	if (r->peer >= n_peer || r->prefix.len > ip_bits(&r->prefix.ip) || !ip_equal(&p.ip, &r->prefix.ip))
		abort();
	if (rd_left(&r->attr) > 0 && (r->attr.p < record.p || r->attr.end > record.end || r->withdrawn))
		abort();
	path_check(r);
}

static void record_check(struct mrt *m, const uint8_t *p, size_t n)
{
	const struct mrt_route *r;
	struct err e;
	size_t k, n_peer;

	if (mrt_record(m, p, n, &r, &k, &e) != STATUS_OK)
		return;
	(void)mrt_peers(m, &n_peer);
	for (size_t i = 0; i < k; i++)
		route_check(&r[i], n_peer, rd_of(p, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mrt *m = mrt_new();

	(void)mrt_looks(p, n);
	while (m && n > 0) {
		size_t size = mrt_size(p, n);
		if (size == 0 || size > n)
			break;
		record_check(m, p, size);
		p += size;
		n -= size;
	}
	if (m && n > 0) /* what is cut off */
		record_check(m, p, n);
	mrt_free(m);
	return 0;
}
