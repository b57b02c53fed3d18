#include "ask/tar.h"
