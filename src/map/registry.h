/* Who holds a number: delegations by the RIRs (delegated-extended: country, opaque id of the holder) and
 * names of networks and organisations (CAIDA as2org, RIPE asn.txt).  Registration is not ownership, and not
 * where a machine stands. */
#ifndef WEIR_MAP_REGISTRY_H
#define WEIR_MAP_REGISTRY_H

#include "base/ip.h"
#include "map/sheet.h"

struct delegation {
	uint32_t first, n; /* AS numbers, or IPv4 addresses (host order) */
	uint64_t hi;       /* IPv6: the top 64 bits of the prefix, n its length (at most 64) */
	char cc[2];        /* "ZZ" where the file has none */
	uint8_t kind;      /* enum number_kind */
	uint8_t status;    /* enum delegation_status */
	uint32_t holder;   /* offset in the strings: "apnic/A918EB29"; 0: none */
	uint32_t date;     /* yyyymmdd, 0 unknown */
	uint32_t pad;
};
enum number_kind { NUMBER_ASN, NUMBER_IPV4, NUMBER_IPV6, NUMBER_KINDS };
/* What is available or reserved is delegated to nobody, and is not in a sheet. */
enum delegation_status {
	DELEGATION_ASSIGNED,
	DELEGATION_ALLOCATED,
	DELEGATION_AVAILABLE,
	DELEGATION_RESERVED
};

/* The five that delegate numbers, as their files name them. */
enum rir { RIR_AFRINIC, RIR_APNIC, RIR_ARIN, RIR_LACNIC, RIR_RIPENCC, RIRS };
extern const char *const rir_text[RIRS];

/* Sorted by kind, first (hi); no two overlap. */
struct registry {
	const struct delegation *of[NUMBER_KINDS];
	size_t n[NUMBER_KINDS];
	const char *text;
	size_t n_text; /* zero-ended strings */
	uint32_t rirs; /* bits by enum rir: whose lines the file had */
};
/* Of n sheets together; and in words: "apnic; not loaded: afrinic, arin, lacnic, ripencc". */
uint32_t registries_rirs(const struct registry *const *r, size_t n);
#define RIRS_TEXT 96
char *rirs_words(char to[RIRS_TEXT], uint32_t rirs);
/* Checks all of it.  STATUS_BAD: damaged. */
enum status registry_view(struct registry *r, const struct sheet *s, struct err *e);
/* NULL: delegated to nobody that this sheet knows. */
const struct delegation *registry_asn(const struct registry *r, uint32_t asn);
const struct delegation *registry_ip(const struct registry *r, const struct ip *ip);
const char *registry_text(const struct registry *r, uint32_t at); /* "" where damaged or none */

/* The range of a delegation, both ends in it: AS numbers, IPv4 addresses, the top 64 bits of IPv6 addresses.
 */
struct number_range {
	uint64_t first, last;
};
struct number_range delegation_range(const struct delegation *d);

/* Where delegations overlap, the narrower one counts for what is in both: whoever was given a part was given
 * it by the holder of the whole, or after him.  Of two that are as wide, the one with the later date; else
 * the later one in the file, as registries append.  The wider one is cut into what is left of it (IPv6: into
 * prefixes). *twice: delegations of which nothing is left (said again, or wholly delegated further).
 * d is in the order of the file. */
enum status registry_write(struct sheet_out *o, const struct delegation *d, size_t n, const char *text,
	size_t n_text, uint64_t *twice, struct err *e);
enum status registry_write_rirs(struct sheet_out *o, uint32_t rirs, struct err *e);

struct holder {
	uint32_t asn;
	uint32_t name; /* of the network: "STAR-KP" */
	uint32_t org;  /* id of the organisation; siblings have the same; 0: none */
	uint32_t org_name;
	char cc[2]; /* of the organisation; 0 0: none */
	uint16_t pad;
};
struct holders {
	const struct holder *of;
	size_t n; /* by asn */
	const char *text;
	size_t n_text;
};
enum status holders_view(struct holders *h, const struct sheet *s, struct err *e);
const struct holder *holders_find(const struct holders *h, uint32_t asn);
const char *holders_text(const struct holders *h, uint32_t at); /* "" where damaged or none */
/* of: in any order; of two of a network the first counts, *twice tells how many did not. */
enum status holders_write(struct sheet_out *o, const struct holder *of, size_t n, const char *text,
	size_t n_text, uint64_t *twice, struct err *e);

#endif
