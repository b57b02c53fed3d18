/* Does an address stand in a text?
 *
 * A word is a longest run of letters, digits and points, for an IPv6 address of colons too.  It names the
 * address where it reads as it, in any of the notations that base/ip.h takes.  Brackets, a colon and a port
 * end a word or stand behind it; points and colons at its end may be the sentence's.  A prefix length behind
 * the word ("/24") makes it a network, unless it is that of a single host.
 *
 * So 203.0.113.1 is found in "flow tcp 203.0.113.1:99 > 192.0.2.1:22" and in "\"relay\":\"203.0.113.1\"",
 * and not in "203.0.113.10:99", "1203.0.113.1" or "203.0.113.1/24"; 2001:db8::1 in "[2001:db8::1]:22".  What
 * is written with escapes ("203.0.113\u002e1"), in another encoding or compressed is not found. */
#include "case/address.h"

#include <string.h>

#include "base/bytes.h"

#define WORD_MAX (IP_TEXT + 4) /* with what may stand at its end */

/* isalnum() would depend on the locale. */
static bool in_word(uint8_t c, uint8_t version)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
	       (c == ':' && version == 6);
}

/* The length behind a '/' at p, -1 where none is written there. */
static int length_behind(const uint8_t *p, const uint8_t *end)
{
	int v = 0;

	if (end - p < 2 || p[0] != '/' || p[1] < '0' || p[1] > '9')
		return -1;
	for (p++; p < end && *p >= '0' && *p <= '9' && v < 1000; p++)
		v = 10 * v + (*p - '0');
	return v;
}

static bool word_is(const uint8_t *p, size_t n, const struct ip *address)
{
	char word[WORD_MAX];
	struct ip ip = {0};

	if (n >= sizeof(word))
		return false;
	memcpy(word, p, n);
	word[n] = '\0';
	return ip_parse(&ip, word) && ip_equal(&ip, address);
}

/* "2001:db8::" is an address and "192.0.2.1." is one at the end of a sentence: each length is tried. */
static bool word_names(const uint8_t *p, size_t n, const struct ip *address)
{
	for (; n >= 2; n--) {
		if (word_is(p, n, address))
			return true;
		if (p[n - 1] != '.' && p[n - 1] != ':')
			break;
	}
	return false;
}

bool address_in_text(const void *p, size_t n, const struct ip *address)
{
	const uint8_t *at = p, *end = rd_of(p, n).end;
	char mark = address->v == 4 ? '.' : ':';
	int host = ip_bits(address);

	while (at < end) {
		const uint8_t *word = at;
		bool marked = false;
		for (; at < end && in_word(*at, address->v); at++)
			marked = marked || *at == mark;
		if (marked && word_names(word, (size_t)(at - word), address)) {
			int length = length_behind(at, end);
			if (length < 0 || length == host)
				return true;
		}
		at += at < end;
	}
	return false;
}
