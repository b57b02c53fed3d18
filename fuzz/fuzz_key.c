/* Keys as text: a verifier key or a secret key that is read is written the same. */
#include <stdlib.h>
#include <string.h>

#include "ledger/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = calloc(n + 1, 1), vtext[VKEY_TEXT], stext[SKEY_TEXT];
	struct vkey v;
	struct skey k;
	struct err e;

	if (!text)
		return 0;
	if (n)
		memcpy(text, p, n);
	if (vkey_parse(&v, text, &e) == STATUS_OK && strcmp(vkey_text(vtext, &v), text) != 0)
		abort();
	if (skey_parse(&k, text, &e) == STATUS_OK && strcmp(skey_text(stext, &k), text) != 0)
		abort();
	free(text);
	return 0;
}
