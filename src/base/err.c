/* Messages that gain context: see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status err_set(struct err *e, enum status s, const char *fmt, ...)
{
	va_list ap;

	e->status = s;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return s;
}

enum status err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	e->status = STATUS_MACHINE;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	size_t n = strlen(e->text);
	(void)snprintf(e->text + n, sizeof(e->text) - n, ": %s", strerror(saved));
	return STATUS_MACHINE;
}

enum status err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->text)];
	va_list ap;

	memcpy(inner, e->text, sizeof(inner));
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	size_t n = strlen(e->text);
	(void)snprintf(e->text + n, sizeof(e->text) - n, ": %s", inner);
	return e->status;
}

enum status err_nomem(struct err *e)
{
	return err_set(e, STATUS_MACHINE, "out of memory");
}

char *printable(char *to, size_t n, const char *s)
{
	size_t i = 0;

	for (; i + 1 < n && s[i]; i++)
		to[i] = (s[i] >= 0x20 && s[i] < 0x7f) ? s[i] : '?';
	to[i] = '\0';
	return to;
}
