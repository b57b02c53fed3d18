#include "ledger/note.h"
