#include "record/train.h"
