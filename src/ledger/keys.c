#include "ledger/keys.h"
