/* Any bytes are an audit or are refused; what is taken is written again to the same bytes, and what follows
 * from its counts stays in its bounds.  Once as it came, once with the sum put right, so that the fuzzer gets
 * in. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void judged(const struct audit *a)
{
	bool flawed = a->verdict == AUDIT_FLAWED;

	if (!(a->decay >= 0 && a->decay <= 1) || !(a->alpha_most >= 0 && a->alpha_most <= 1) ||
		(!flawed && a->alpha_most < 1) || (flawed && a->alpha_most > a->alpha))
		abort();
	for (int m = 0; m < AUDIT_PARTS; m++) {
		for (int k = 1; k <= AUDIT_TENS; k++) {
			const struct audit_row *r = &a->part[m].row[k];
			if (!(r->lower >= 0 && r->lower <= r->share && r->share <= r->upper &&
				    r->upper <= 1) &&
				a->part[m].able)
				abort();
		}
	}
}

static void take(const uint8_t *p, size_t n)
{
	struct audit a;
	struct buf b = {0};
	struct err e;
	bool newer;

	if (audit_text_read(&a, p, n, &newer, &e) == STATUS_OK) {
		audit_text_write(&b, &a);
		if (newer || b.failed || b.n != n || memcmp(b.p, p, n) != 0)
			abort();
		judged(&a);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf b = {0};
	char sum[32];

	take(p, n);
	while (n && p[n - 1] != '\n') /* without its last line, which is the sum */
		n--;
	if (n > 16 && memcmp(p + n - 16, "crc32c ", 7) == 0)
		n -= 16;
	buf_put(&b, p, n);
	(void)snprintf(sum, sizeof(sum), "crc32c %08" PRIx32 "\n", crc32c(p, n));
	buf_put(&b, sum, 16);
	if (!b.failed)
		take(b.p, b.n);
	buf_free(&b);
	return 0;
}
