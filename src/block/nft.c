/* nftables: a table of our own. */
#include "block/backend.h"

const struct backend backend_nft = {.name = "nft"};
