/* Two kinds of failure.  Hostile input is data: it is counted and skipped, or named in a BAD status.  A
 * broken machine is STATUS_MACHINE.  The status is also the program's exit status (doc/weir.1).  A
 * message gains context on its way up: the innermost function sets it, each caller wraps it with what it
 * was doing. */
#ifndef WEIR_BASE_ERR_H
#define WEIR_BASE_ERR_H

#include <stddef.h>

enum status {
	STATUS_OK = 0,      /* done, or the answer is yes */
	STATUS_NO = 1,      /* the answer is no: not proven, not found, refused */
	STATUS_BAD = 2,     /* usage or bad input */
	STATUS_MACHINE = 3, /* disk, memory, permission */
};

struct err {
	enum status status;
	char text[512];
};

/* Sets status and message; returns status, so that `return err_set(...)` reads well. */
enum status err_set(struct err *e, enum status s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Like err_set(STATUS_MACHINE) with ": strerror(errno)" at its end. */
enum status err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "fmt: " before the message that is there; returns its status. */
enum status err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Out of memory: STATUS_MACHINE. */
enum status err_nomem(struct err *e);

/* Copies s into to (size n > 0), with every byte outside printable ASCII replaced by '?':
 * text from outside is never handed to a terminal as it came.  Returns to. */
char *printable(char *to, size_t n, const char *s);

#endif
