#include "trace/recognise.h"
