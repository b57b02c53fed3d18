/* Identifiers of STIX objects, "TYPE--UUID" with the UUID of version 5 (RFC 4122 section 4.3), and the text
 * of JSON, from which some are made. */
#ifndef WEIR_ASK_STIX_ID_H
#define WEIR_ASK_STIX_ID_H

#include <jansson.h>

#include "base/bytes.h"

#define STIX_ID 64 /* bytes of any identifier that is written here, with the zero */

/* Appends the text of j; flags are jansson's.  False: no memory. */
bool stix_dump(struct buf *to, const json_t *j, size_t flags);

/* Of name in STIX_NAMESPACE.  False where libcrypto fails (no memory). */
bool stix_id_named(char to[STIX_ID], const char *type, const char *name);

/* Of a cyber-observable object from its id contributing properties (STIX 2.1 section 2.9): the canonical JSON
 * (RFC 8785) of them in the namespace of OASIS.  What may stand in `properties`: keys and texts of printable
 * ASCII without quote and backslash, integers, arrays; of these jansson's sorted compact text is canonical.
 */
bool stix_id_observable(char to[STIX_ID], const char *type, const json_t *properties);

#endif
