/* Counts for people: "1,234,567" and "1 flow", "2 flows". */
#ifndef WEIR_BASE_COUNT_H
#define WEIR_BASE_COUNT_H

#include <stdint.h>

#define COUNT_TEXT 96

/* "1,234,567"; to needs 32 bytes; returns it. */
char *thousands(char to[32], uint64_t v);
/* The count and its noun, given in the singular, whose plural adds an s: "1 flow", "1,234 flows".  At most 60
 * bytes of noun; returns to. */
char *counted(char to[COUNT_TEXT], uint64_t n, const char *noun);

#endif
