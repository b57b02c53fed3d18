/* Messages and progress: see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"

void log_line(const char *fmt, ...)
{
	char raw[1024], text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	progress_end();
	(void)fprintf(stderr, "weir: %s\n", printable(text, sizeof(text), raw));
}

void progress_show(const char *what, uint64_t done, uint64_t total)
{
	enum { WIDTH = 30 };
	char bar[WIDTH + 1];

	if (!isatty(STDERR_FILENO))
		return;
	uint64_t full = total ? (done < total ? done : total) * WIDTH / total : 0;
	for (uint64_t i = 0; i < WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[WIDTH] = '\0';
	if (total)
		(void)fprintf(
			stderr, "\r\033[K%s [%s] %3.0f %%", what, bar, 100.0 * (double)done / (double)total);
	else
		(void)fprintf(stderr, "\r\033[K%s %llu", what, (unsigned long long)done);
	(void)fflush(stderr);
}

void progress_end(void)
{
	if (isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
}
