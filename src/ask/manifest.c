#include "ask/manifest.h"
