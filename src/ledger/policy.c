#include "ledger/proof.h"
