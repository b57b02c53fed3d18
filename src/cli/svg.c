/* Bytes and texts of pictures. */
#include "cli/svg.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

#define LINE_MAX_BYTES 1024

void svg_put(struct buf *to, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		to->failed = true;
	else
		buf_put(to, line, (size_t)n);
}

const char *svg_escaped(char *to, size_t most, const char *s)
{
	char safe[LINE_MAX_BYTES], *at = to;
	size_t n = strlen(printable(safe, sizeof(safe), s));

	if (n > most)
		(void)snprintf(safe + most - 3, 4, "...");
	for (const char *p = safe; *p; p++) {
		const char *as = *p == '&'   ? "&amp;"
				 : *p == '<' ? "&lt;"
				 : *p == '>' ? "&gt;"
				 : *p == '"' ? "&quot;"
					     : NULL;
		if (as)
			at += snprintf(at, 8, "%s", as);
		else
			*at++ = *p;
	}
	*at = '\0';
	return to;
}
