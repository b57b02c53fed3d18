/* From a block back to its plan, and from a plan to what it rests on. */
#include "cli/why.h"
