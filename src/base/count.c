/* Counts for people: see count.h. */
#include "base/count.h"

#include <stdio.h>

char *thousands(char to[32], uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v), k = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			to[k++] = ',';
		to[k++] = digits[i];
	}
	to[k] = '\0';
	return to;
}

char *counted(char to[COUNT_TEXT], uint64_t n, const char *noun)
{
	char number[32];

	(void)snprintf(to, COUNT_TEXT, "%s %.60s%s", thousands(number, n), noun, n == 1 ? "" : "s");
	return to;
}
