/* AS relationships in rows: written from lines, read where they lie. */
#include "map/links.h"

const char *const link_role_text[LINK_ROLES] = {"provider", "peer", "customer"};
