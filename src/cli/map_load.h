/* The verbs of weir map that change or list what is loaded. */
#ifndef WEIR_CLI_MAP_LOAD_H
#define WEIR_CLI_MAP_LOAD_H

#include "cli/app.h"

enum status map_load_run(struct app *a, int argc, char **argv, struct err *e);
enum status map_list_run(struct app *a, int argc, char **argv, struct err *e);
enum status map_forget_run(struct app *a, int argc, char **argv, struct err *e);

#endif
