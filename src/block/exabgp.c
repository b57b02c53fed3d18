/* ExaBGP: FlowSpec and blackhole routes for the own routers. */
#include "block/backend.h"

const struct backend backend_exabgp = {.name = "exabgp"};
