/* What stands between a file and libconfuse: see config_guard.c. */
#ifndef WEIR_BASE_CONFIG_GUARD_H
#define WEIR_BASE_CONFIG_GUARD_H

#include "base/err.h"

#define CONFIG_FILE_MAX ((size_t)1 << 20) /* bytes of a configuration file */

/* Checks n bytes of text in place and puts blanks where comments stand.  STATUS_BAD, with "name:line: "
 * before what is wrong, where libconfuse shall not see it. */
enum status config_guard(char *text, size_t n, const char *name, struct err *e);

#endif
