/* Writes a recording for scan: scan_make DIR IN OUT HOSTS ANY SECONDS SPAN RATE LINKS KINDS SEED [RIVALS] */
#include <stdio.h>
#include <stdlib.h>

#include "scan_gen.h"

int main(int argc, char **argv)
{
	struct err e = {0};

	if (argc != 12 && argc != 13) {
		(void)fprintf(stderr, "usage: scan_make DIR IN OUT HOSTS ANY SECONDS SPAN RATE LINKS KINDS "
				      "SEED [RIVALS]\n");
		return 2;
	}
	struct scan_gen g = {.in = strtoul(argv[2], NULL, 10),
		.out = strtoul(argv[3], NULL, 10),
		.hosts = strtoul(argv[4], NULL, 10),
		.any = strtol(argv[5], NULL, 10) != 0,
		.seconds = strtod(argv[6], NULL),
		.span = strtod(argv[7], NULL),
		.rate = strtod(argv[8], NULL),
		.links = strtoul(argv[9], NULL, 10),
		.kinds = (unsigned)strtoul(argv[10], NULL, 10),
		.seed = strtoul(argv[11], NULL, 10),
		.rivals = argc > 12 ? strtoul(argv[12], NULL, 10) : 0};
	if (scan_gen_write(&g, argv[1], &e) == STATUS_OK)
		return 0;
	(void)fprintf(stderr, "%s\n", e.text);
	return 1;
}
