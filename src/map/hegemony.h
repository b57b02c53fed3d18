/* Shares, as sessions give them, brought together to one number a network: the mean over a peer network's
 * sessions, then over the peer networks with zeros, HEGEMONY_TRIM cut off at both ends (Fontugne, Shah, Aben
 * 2017, section 3). */
#ifndef WEIR_MAP_HEGEMONY_H
#define WEIR_MAP_HEGEMONY_H

#include "map/depend.h"

struct share {              /* of what session's scope lies behind a network; above 0 */
	uint32_t asn, peer; /* AS numbers of the network and of the session's peer */
	uint32_t sheet, distance;
	double share;
};
struct hegemony { /* zeroed to begin with */
	struct share *share;
	size_t n, cap;
	uint32_t *peer; /* AS number a session that sees the scope */
	size_t n_session, cap_session;
};

/* False: no memory. */
bool hegemony_session(struct hegemony *h, uint32_t peer);
bool hegemony_share(struct hegemony *h, struct share s);
/* Rows by share, and how many see the scope.  Memory of the arena. */
enum status hegemony_rows(struct depend *to, struct hegemony *h, struct arena *a, struct err *e);
/* All shares are of one network: its row.  False: no memory. */
bool hegemony_row(struct depend_row *to, struct hegemony *h);
/* By share, the largest first, then AS number. */
void depend_sort(struct depend *d);
void hegemony_reset(struct hegemony *h); /* keeps its memory */
void hegemony_free(struct hegemony *h);

#endif
