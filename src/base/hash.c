/* Hashes and ids: see hash.h.
 *
 * The entries and nodes of the ledger's tree are short, and there EVP costs more than the hash: 65 bytes take
 * 0.8 us by EVP_Digest(EVP_sha256()), 0.3 us with a fetched EVP_MD, 0.1 us by SHA256_Update().  So the older
 * interface is asked for; it is the same code behind (SHA-NI where there is such), allocates nothing and
 * shares nothing between threads. */
#define OPENSSL_API_COMPAT 10100
#include "base/hash.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

bool sha256(uint8_t to[32], const void *p, size_t n)
{
	SHA256_CTX c;

	return SHA256_Init(&c) == 1 && SHA256_Update(&c, p, n) == 1 && SHA256_Final(to, &c) == 1;
}

bool sha256_behind(uint8_t to[32], uint8_t first, const void *p, size_t n)
{
	SHA256_CTX c;

	return SHA256_Init(&c) == 1 && SHA256_Update(&c, &first, 1) == 1 && SHA256_Update(&c, p, n) == 1 &&
	       SHA256_Final(to, &c) == 1;
}

struct hash_run {
	SHA256_CTX c;
	bool failed;
};

struct hash_run *hash_begin(void)
{
	struct hash_run *h = calloc(1, sizeof(*h));

	if (h)
		h->failed = SHA256_Init(&h->c) != 1;
	return h;
}

bool hash_more(struct hash_run *h, const void *p, size_t n)
{
	h->failed = h->failed || SHA256_Update(&h->c, p, n) != 1;
	return !h->failed;
}

bool hash_end(struct hash_run *h, uint8_t to[32])
{
	uint8_t none[32];
	bool good = h && !h->failed && SHA256_Final(to ? to : none, &h->c) == 1;

	free(h);
	return good;
}

bool id_of(struct id *to, const void *p, size_t n)
{
	uint8_t h[32];

	if (!sha256(h, p, n))
		return false;
	memcpy(to->b, h, sizeof(to->b));
	return true;
}

static const char hex[] = "0123456789abcdef";

int id_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

char *id_text(char to[ID_TEXT], const struct id *id)
{
	for (size_t i = 0; i < sizeof(id->b); i++) {
		to[2 * i] = hex[id->b[i] >> 4];
		to[2 * i + 1] = hex[id->b[i] & 15];
	}
	to[32] = '\0';
	return to;
}

bool id_like(const char *s)
{
	size_t n = strspn(s, hex);

	return n >= 6 && n <= 32 && s[n] == '\0';
}

bool id_match(const struct id *id, const char *s)
{
	char text[ID_TEXT];

	return id_like(s) && strncmp(id_text(text, id), s, strlen(s)) == 0;
}

bool id_parse(struct id *to, const char *s)
{
	if (strlen(s) != 2 * sizeof(to->b) || !id_like(s))
		return false;
	for (size_t i = 0; i < sizeof(to->b); i++)
		to->b[i] = (uint8_t)((strchr(hex, s[2 * i]) - hex) << 4 | (strchr(hex, s[2 * i + 1]) - hex));
	return true;
}
