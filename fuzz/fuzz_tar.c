/* Any bytes are a canonical tar or are refused; what is taken is written again to the same bytes.  Checksums
 * are put right first, so that a changed header is not refused for its sum alone. */
#include <stdio.h>
#include <stdlib.h>

#include "ask/tar.h"

#define BLOCK 512
#define SUM   148

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Of every block that says that it is a header. */
static void sums_mend(uint8_t *p, size_t n)
{
	char text[8];

	for (; n >= BLOCK; p += BLOCK, n -= BLOCK) {
		unsigned sum = 8 * ' ';
		if (memcmp(p + 257, "ustar", 6) != 0)
			continue;
		for (size_t i = 0; i < BLOCK; i++)
			sum += i >= SUM && i < SUM + 8 ? 0 : p[i];
		(void)snprintf(text, sizeof(text), "%06o", sum);
		memcpy(p + SUM, text, 7);
		p[SUM + 7] = ' ';
	}
}

static void tar_check(const uint8_t *p, size_t n)
{
	struct tar_file *f;
	struct arena a = {0};
	struct buf b = {0};
	struct err e;
	size_t k;

	if (tar_read(&f, &k, p, n, &a, &e) == STATUS_OK) {
		for (size_t i = 0; i < k; i++)
			tar_put(&b, f[i].name, f[i].p, f[i].n);
		tar_end(&b);
		if (b.n != n || memcmp(b.p, p, n) != 0)
			abort();
	}
	buf_free(&b);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t *mended = calloc(1, n + 1);

	if (!mended)
		return 0;
	if (n)
		memcpy(mended, p, n);
	tar_check(mended, n);
	sums_mend(mended, n);
	tar_check(mended, n);
	free(mended);
	return 0;
}
