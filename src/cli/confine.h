/* A process that is about to look at a bundle from outside gives up what it will not need. */
#ifndef WEIR_CLI_CONFINE_H
#define WEIR_CLI_CONFINE_H

#include "cli/app.h"

/* No capability but that over file permissions, no socket, no program, no file but what is open, and, with
 * with_dir, DIR's trains and blobs for reading: not the keys, nor the database, nor the ledger. */
enum status confine_reader(const struct app *a, bool with_dir, struct err *e);

#endif
