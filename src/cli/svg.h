/* What pictures share (SVG 1.1): formatted bytes, and texts that are printable and escaped, since XML allows
 * neither control characters nor a bare '<'. */
#ifndef WEIR_CLI_SVG_H
#define WEIR_CLI_SVG_H

#include "base/bytes.h"

#define SVG_INK    "#1d2733"
#define SVG_FAINT  "#d9dee5"
#define SVG_MIDDLE "#6b7785"
#define SVG_GOOD   "#1b5e9b"
#define SVG_PALE   "#cfe1f2"
#define SVG_LACK   "#b4501a"

/* At most 1023 bytes at a time; to->failed where they are more. */
__attribute__((format(printf, 2, 3))) void svg_put(struct buf *to, const char *fmt, ...);
/* At most most bytes of s; to has 6 * most + 16 bytes.  Returns to. */
const char *svg_escaped(char *to, size_t most, const char *s);

#endif
