/* Messages to standard error: "weir: text".  Text from outside is made printable. */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdint.h>

void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A progress bar on standard error, only where that is a terminal; drawn at most ten times a second by the
 * caller. total 0: not known.  progress_end() wipes it. */
void progress_show(const char *what, uint64_t done, uint64_t total);
void progress_end(void);

#endif
