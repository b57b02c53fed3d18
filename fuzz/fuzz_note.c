/* Signed notes: what parses has one form, so it is written again byte for byte; who signed is asked of two
 * keys whose notes are in the corpus. */
#include <stdlib.h>
#include <string.h>

#include "ledger/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const known[] = {
	"log.example/a+4345d7e4+AXm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk",
	"witness.example/w+d467e222+BHm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk",
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void sig_write(struct buf *b, const struct note_sig *s)
{
	struct buf payload = {0};

	buf_put(&payload, s->id, sizeof(s->id));
	buf_put(&payload, s->sig, s->n);
	buf_put(b, "\xe2\x80\x94 ", 4);
	buf_put(b, s->name, strlen(s->name));
	buf_u8(b, ' ');
	base64_put(b, payload.p, payload.n);
	buf_u8(b, '\n');
	buf_free(&payload);
}

static void same_again(const struct note *note, const uint8_t *p, size_t n)
{
	struct buf b = {0};

	buf_put(&b, note->text, note->n_text);
	buf_u8(&b, '\n');
	for (size_t i = 0; i < note->n_sig; i++)
		sig_write(&b, &note->sig[i]);
	if (b.n != n || memcmp(b.p, p, n) != 0)
		abort();
	buf_free(&b);
}

static void who_signed(const struct note *note)
{
	struct vkey key[KNOWN];
	struct wall when[KNOWN];
	bool by[KNOWN];
	struct err e;

	for (size_t k = 0; k < KNOWN; k++)
		if (vkey_parse(&key[k], known[k], &e) != STATUS_OK)
			abort();
	switch (note_verify(note, key, KNOWN, by, when, &e)) {
	case STATUS_OK:
		if (!by[0] && !by[1])
			abort();
		break;
	case STATUS_NO:
		break;
	case STATUS_BAD:
	case STATUS_MACHINE:
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct note note;
	struct err e;

	if (note_parse(&note, (const char *)p, n, &a, &e) == STATUS_OK) {
		same_again(&note, p, n);
		who_signed(&note);
	}
	arena_free(&a);
	return 0;
}
