/* The verb `import` of weir case, which is a file of its own. */
#ifndef WEIR_CLI_CMD_IMPORT_H
#define WEIR_CLI_CMD_IMPORT_H

#include "cli/app.h"

enum status case_import(struct app *a, int argc, char **argv, struct err *e);

#endif
