/* What the process that reads a sensor's lines answers may be anything: any bytes give a batch or a status,
 * and a batch comes back as the bytes that it was read from. */
#include <stdlib.h>
#include <string.h>

#include "case/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct buf again = {0};
	struct batch b;
	struct err e;

	if (batch_read(&b, &sensor_eve, p, n, &a, &e) == STATUS_OK) {
		batch_write(&again, &b);
		if (again.failed || again.n != n || memcmp(again.p, p, n) != 0)
			abort();
		for (size_t i = 0; i < b.n; i++)
			if (b.alert[i].s.count == 0 || b.alert[i].s.at.us < 0 ||
				strlen(b.alert[i].s.text) >= SENSOR_TEXT_MAX)
				abort();
	}
	buf_free(&again);
	arena_free(&a);
	return 0;
}
