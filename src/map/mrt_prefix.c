/* Prefixes of MRT records and of the UPDATEs in them: length in bits, then as many octets as hold them (RFC
 * 4271, 4.3). Bits behind the length are irrelevant there; they are cleared, and counted, for a router that
 * sets them is worth a look. */
#include "map/mrt_in.h"

#define OCTETS(bits) (((size_t)(bits) + 7) / 8)

uint8_t mrt_family(uint16_t afi, uint8_t safi)
{
	if (safi != SAFI_UNICAST || (afi != AFI_IP4 && afi != AFI_IP6))
		return 0;
	return afi == AFI_IP4 ? 4 : 6;
}

enum mrt_drop mrt_prefix_bits(
	struct mrt *m, const uint8_t *p, size_t n, uint8_t v, uint8_t len, struct prefix *to)
{
	*to = (struct prefix){.ip.v = v, .len = len};
	memcpy(to->ip.b, p, n);
	unsigned spare = len % 8;
	bool host = false;
	if (spare) {
		uint8_t mask = (uint8_t)(0xffU >> spare);
		host = to->ip.b[len / 8] & mask;
		to->ip.b[len / 8] &= (uint8_t)~mask;
	}
	for (size_t i = OCTETS(len); i < n; i++) {
		host = host || to->ip.b[i];
		to->ip.b[i] = 0;
	}
	m->host_bits += host;
	return MRT_DROPS;
}

enum mrt_drop mrt_prefix(struct mrt *m, struct rd *r, uint8_t v, struct prefix *to)
{
	uint8_t len = rd_u8(r);

	if (len > (v == 4 ? 32 : 128))
		return MRT_BAD_PREFIX;
	size_t n = OCTETS(len);
	const uint8_t *p = rd_take(r, n);
	return p && !r->bad ? mrt_prefix_bits(m, p, n, v, len, to) : MRT_BAD_LENGTH;
}
