/* Prints the view of a name for the script stix-schema; without a name, all names. */
#include <stdio.h>
#include <string.h>

#include "stix_kit.h"

int main(int n, char **arg)
{
	static struct kit all[KIT_VIEWS];
	struct buf b = {0};
	struct err e;
	int r = 1;

	kit_views(all);
	for (size_t i = 0; i < KIT_VIEWS; i++) {
		if (n < 2)
			r = puts(all[i].name) == EOF;
		else if (strcmp(arg[1], all[i].name) == 0 && stix_write(&b, &all[i].view, &e) == STATUS_OK)
			r = fwrite(b.p, 1, b.n, stdout) != b.n;
	}
	buf_free(&b);
	return r;
}
