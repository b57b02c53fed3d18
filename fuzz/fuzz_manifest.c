/* Any bytes are a manifest or are refused; what is taken is written again to the same bytes.  They are taken
 * both as a whole text and as what follows the id line, with the id that belongs to them. */
#include <stdlib.h>

#include "ask/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void manifest_check(const void *p, size_t n)
{
	struct arena a = {0};
	struct buf b = {0};
	struct manifest m;
	struct err e;

	if (manifest_read(&m, p, n, &a, &e) == STATUS_OK &&
		(manifest_write(&b, &m, &e) != STATUS_OK || b.n != n || memcmp(b.p, p, n) != 0))
		abort();
	buf_free(&b);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char begin[] = MANIFEST_FORMAT "\nid ";
	struct buf text = {0};
	char hex[ID_TEXT];
	struct id id;

	manifest_check(p, n);
	if (!id_of(&id, p, n))
		return 0;
	buf_put(&text, begin, sizeof(begin) - 1);
	buf_put(&text, id_text(hex, &id), ID_TEXT - 1);
	buf_u8(&text, '\n');
	buf_put(&text, p, n);
	if (!text.failed)
		manifest_check(text.p, text.n);
	buf_free(&text);
	return 0;
}
