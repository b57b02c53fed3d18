#include "case/blob.h"
