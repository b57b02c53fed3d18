/* Sizes of packets and answers: what a flow's own law of sizes is, and what a carrier makes of a size. */
#ifndef WEIR_TESTS_ZOO_SIZE_H
#define WEIR_TESTS_ZOO_SIZE_H

#include "zoo_gen.h"

#define SEGMENT   1448 /* payload of a full TCP segment */
#define CYCLE_MAX 6

enum size_kind {
	SIZE_CONSTANT,
	SIZE_TWO,       /* v[0] or v[1], drawn with share p */
	SIZE_CYCLE,     /* v[0] .. v[n - 1], over and over */
	SIZE_LOGNORMAL, /* median v[0], sigma p */
	SIZE_SENT,      /* per burst of real SSH sessions, one after the other; lognormal ones without them */
	SIZE_RECEIVED
};

struct size_law {
	enum size_kind kind;
	double v[CYCLE_MAX], p;
	size_t n, at; /* of real ones: n is their part */
};

struct size_law size_constant(double bytes);
struct size_law size_lognormal(double median, double sigma);
struct size_law size_real(struct rng *r, enum size_kind kind);
/* A law drawn at random, as any unrelated flow may have one. */
struct size_law size_any(struct rng *r);
uint32_t size_draw(struct rng *r, struct size_law *law);
/* Of the i-th burst of that part of the real sessions, which is the one after the i-th gap. */
uint32_t size_at(struct rng *r, enum size_kind kind, unsigned part, size_t i);

size_t size_load(const char *data_dir);
void size_unload(void);

/* What a carrier adds to the payload that it passes on. */
enum carrier {
	CARRIER_EXACT,  /* socat, SOCKS, CONNECT */
	CARRIER_TUNNEL, /* a channel of another ssh: headers and padding on each packet */
	CARRIER_TLS,    /* a record's frame around each packet */
	CARRIER_PADDED, /* the same plain text, encrypted anew: padded to a multiple of 16 */
	CARRIERS
};

struct wrap {
	enum carrier kind;
	uint32_t each; /* bytes on each packet or record */
};

struct wrap wrap_draw(struct rng *r, enum carrier kind);
uint32_t wrap_size(const struct wrap *w, uint32_t bytes);

/* A burst of that many bytes from t on, in packets of up to a segment. */
void events_add_output(struct rng *r, struct events *e, double t, uint32_t bytes);

#endif
