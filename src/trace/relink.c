#include "trace/relink.h"
