/* In: a type and a name, or the properties that make an observable what it is.  Out: its identifier.  SHA-1
 * is what version 5 asks for; nothing here rests on its strength. */
#include "ask/stix_id.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/stix.h"

/* STIX 2.1 section 2.9. */
#define OASIS_NAMESPACE "00abedb4-aa42-466c-9c01-fed23315a9b7"

enum { UUID = 16, SHA1 = 20 };

/* From the text of a constant above. */
static void uuid_bytes(uint8_t to[UUID], const char *text)
{
	for (size_t i = 0; i < UUID; i++, text += 2) {
		text += *text == '-';
		char hex[3] = {text[0], text[1], '\0'};
		to[i] = (uint8_t)strtoul(hex, NULL, 16);
	}
}

static bool uuid5(uint8_t to[UUID], const char *space, const void *name, size_t n)
{
	uint8_t in[UUID], sum[SHA1];
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	uuid_bytes(in, space);
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha1(), NULL) == 1 &&
		  EVP_DigestUpdate(c, in, sizeof(in)) == 1 && EVP_DigestUpdate(c, name, n) == 1 &&
		  EVP_DigestFinal_ex(c, sum, NULL) == 1;
	EVP_MD_CTX_free(c);
	if (!ok)
		return false;
	memcpy(to, sum, UUID);
	to[6] = (uint8_t)((to[6] & 0x0f) | 0x50);
	to[8] = (uint8_t)((to[8] & 0x3f) | 0x80);
	return true;
}

static bool id_in(char to[STIX_ID], const char *type, const char *space, const void *name, size_t n_name)
{
	uint8_t u[UUID];

	if (!uuid5(u, space, name, n_name))
		return false;
	int n = snprintf(to, STIX_ID, "%s--", type);
	for (size_t i = 0; i < UUID; i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;
		n += snprintf(to + n, STIX_ID - (size_t)n, dash ? "-%02x" : "%02x", u[i]);
	}
	return true;
}

static int dump_put(const char *p, size_t n, void *to)
{
	struct buf *b = to;

	buf_put(b, p, n);
	return b->failed ? -1 : 0;
}

/* Not json_dumps(): jansson 2.14 overlooks that memory ran out while it writes a key, and leaves the key out.
 */
bool stix_dump(struct buf *to, const json_t *j, size_t flags)
{
	return json_dump_callback(j, dump_put, to, flags) == 0 && !to->failed;
}

bool stix_id_named(char to[STIX_ID], const char *type, const char *name)
{
	return id_in(to, type, STIX_NAMESPACE, name, strlen(name));
}

bool stix_id_observable(char to[STIX_ID], const char *type, const json_t *properties)
{
	struct buf canonical = {0};
	bool ok = stix_dump(&canonical, properties, JSON_COMPACT | JSON_SORT_KEYS) &&
		  id_in(to, type, OASIS_NAMESPACE, canonical.p, canonical.n);

	buf_free(&canonical);
	return ok;
}
