/* UTF-8 (RFC 3629), strict: no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include "base/bytes.h"

/* Takes one character; false, and r is of no more use, where none stands there. */
bool utf8_next(struct rd *r, uint32_t *c);

/* Is all of s UTF-8? */
bool utf8_valid(const char *s);

/* Is s one line that shows as what it is: valid, without control characters (U+0000 to U+001F, U+007F to
 * U+009F), line and paragraph separators (U+2028, U+2029), and marks that turn the direction of what follows
 * (U+202A to U+202E, U+2066 to U+2069)? */
bool utf8_line_valid(const char *s);

#endif
