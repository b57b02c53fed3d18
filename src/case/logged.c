#include "case/logged.h"
