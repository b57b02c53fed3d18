/* SHA-256 (OpenSSL's libcrypto) and the 128-bit ids that are cut from it. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A content hash: the first 16 bytes of a SHA-256.  Written as 32 hex digits; a prefix of at least 6 names it
 * where it is unambiguous. */
struct id {
	uint8_t b[16];
};

#define ID_TEXT 33

/* False where libcrypto fails. */
bool sha256(uint8_t to[32], const void *p, size_t n);
/* Of the byte `first` and then the n bytes at p (RFC 9162 section 2.1.1 hashes so). */
bool sha256_behind(uint8_t to[32], uint8_t first, const void *p, size_t n);
/* In pieces: NULL, or false, where libcrypto fails; hash_end() frees, to may be NULL. */
struct hash_run;
struct hash_run *hash_begin(void);
bool hash_more(struct hash_run *h, const void *p, size_t n);
bool hash_end(struct hash_run *h, uint8_t to[32]);
bool id_of(struct id *to, const void *p, size_t n);

/* Order of two ids, as qsort and bsearch want it (pointers to struct id); 0: the same id. */
int id_order(const void *a, const void *b);

char *id_text(char to[ID_TEXT], const struct id *id);

/* Back from all 32 hex digits, in lower case; false where s is not that. */
bool id_parse(struct id *to, const char *s);

/* Does the hex text s (6 to 32 digits) begin id? */
bool id_match(const struct id *id, const char *s);
/* Is s a text that could name an id: 6 to 32 lower-case hex digits? */
bool id_like(const char *s);

#endif
