/* The configuration: any bytes are refused by name, or load; and what loads is printed, loads again, and is
 * printed the same. */
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char *written(const struct config *c, size_t *n)
{
	char *text = NULL;
	struct err e;
	FILE *f = open_memstream(&text, n);

	if (!f || config_write(c, f, &e) != STATUS_OK)
		abort();
	(void)fclose(f);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct config c, again;
	struct err e = {0};
	size_t first, second;

	if (config_parse(&c, "fuzz", (const char *)p, n, &e) != STATUS_OK) {
		if (strncmp(e.text, "fuzz:", 5) != 0)
			abort();
		return 0;
	}
	char *a = written(&c, &first);
	if (config_parse(&again, "fuzz", a, first, &e) != STATUS_OK)
		abort();
	char *b = written(&again, &second);
	if (first != second || memcmp(a, b, first) != 0)
		abort();
	free(a);
	free(b);
	config_free(&c);
	config_free(&again);
	return 0;
}
