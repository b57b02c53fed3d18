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

/* Of the text without the line of the view, which the id does not cover. */
static bool text_id(struct id *to, const uint8_t *p, size_t n)
{
	static const char view[] = "  " MANIFEST_VIEW "\n";
	const uint8_t *end = n ? memmem(p, n, view, sizeof(view) - 1) : NULL, *line = end;
	struct buf b = {0};
	bool good;

	while (line && line > p && line[-1] != '\n')
		line--;
	buf_put(&b, p, line ? (size_t)(line - p) : n);
	if (end)
		buf_put(&b, end + sizeof(view) - 1, n - (size_t)(end - p) - (sizeof(view) - 1));
	good = !b.failed && id_of(to, b.n ? b.p : p, b.n);
	buf_free(&b);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char begin[] = MANIFEST_FORMAT "\nid ";
	struct buf text = {0};
	char hex[ID_TEXT];
	struct id id;

	manifest_check(p, n);
	if (!text_id(&id, p, n))
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
