/* The commands of nft(8) that make table, shapes and elements.  Nothing in them but names, numbers and
 * addresses of ours; no comment, so that nothing is left of an element when it is gone. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>

#include "block/nft_in.h"

#define LINE_MAX_BYTES 512

void nft_put(struct buf *to, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(line))
		to->failed = true;
	else
		buf_put(to, line, (size_t)n);
}

void text_table(struct buf *to)
{
	static const char *const hook[][2] = {{"in", "prerouting"}, {"out", "output"}};

	nft_put(to, "add table inet " NFT_TABLE "\nadd chain inet " NFT_TABLE " " NFT_MATCH "\n");
	for (size_t i = 0; i < sizeof(hook) / sizeof(hook[0]); i++) {
		nft_put(to,
			"add chain inet " NFT_TABLE
			" %s { type filter hook %s priority %d; policy accept; }\n",
			hook[i][0], hook[i][1], NFT_PRIORITY);
		nft_put(to, "add rule inet " NFT_TABLE " %s jump " NFT_MATCH "\n", hook[i][0]);
	}
}

/* "ip saddr", "ip6 daddr & ffff:ffff::" */
static void put_field(struct buf *to, const struct shape *s, const char *field, uint8_t len)
{
	struct ip ones = {.v = s->v};
	char mask[IP_TEXT];

	memset(ones.b, 0xff, s->v == 4 ? 4 : sizeof(ones.b));
	ones = prefix_of(&ones, len).ip;
	nft_put(to, "%s %s", s->v == 4 ? "ip" : "ip6", field);
	if (len < ip_bits(&ones))
		nft_put(to, " & %s", ip_text(mask, &ones));
}

static void put_dot(struct buf *to, bool *more)
{
	if (*more)
		nft_put(to, " . ");
	*more = true;
}

static void put_lookup(struct buf *to, const struct shape *s)
{
	bool more = false;

	if (s->from) {
		put_dot(to, &more);
		put_field(to, s, "saddr", s->from);
	}
	if (s->to) {
		put_dot(to, &more);
		put_field(to, s, "daddr", s->to);
	}
	if (s->l4 >= L4_PROTO)
		nft_put(to, " . meta l4proto");
	if (s->l4 == L4_PORT)
		nft_put(to, " . th dport");
}

static void put_type(struct buf *to, const struct shape *s)
{
	const char *address = s->v == 4 ? "ipv4_addr" : "ipv6_addr";

	nft_put(to, "type %s%s%s", address, s->from && s->to ? " . " : "", s->from && s->to ? address : "");
	if (s->l4 >= L4_PROTO)
		nft_put(to, " . inet_proto");
	if (s->l4 == L4_PORT)
		nft_put(to, " . inet_service");
}

void text_shape(struct buf *to, const struct shape *s)
{
	char name[SHAPE_NAME];

	(void)shape_name(name, s);
	nft_put(to, "add set inet " NFT_TABLE " %s { ", name);
	put_type(to, s);
	nft_put(to, "; flags timeout;%s counter; }\n",
		s->rate ? " limit rate over 1/second burst 1 packets;" : "");
	nft_put(to, "add rule inet " NFT_TABLE " " NFT_MATCH " ");
	put_lookup(to, s);
	nft_put(to, " @%s drop\n", name);
}

static void put_key(struct buf *to, const struct element *x)
{
	const struct shape *s = &x->shape;
	const uint8_t *k = x->key;
	char text[IP_TEXT];
	bool more = false;

	for (int i = 0; i < 2; i++) {
		if (!(i == 0 ? s->from : s->to))
			continue;
		put_dot(to, &more);
		nft_put(to, "%s", inet_ntop(s->v == 4 ? AF_INET : AF_INET6, k, text, sizeof(text)));
		k += s->v == 4 ? 4 : 16;
	}
	if (s->l4 >= L4_PROTO)
		nft_put(to, " . %u", k[0]);
	if (s->l4 == L4_PORT)
		nft_put(to, " . %u", (unsigned)k[4] << 8 | k[5]);
}

static void put_element(struct buf *to, const struct element *x, enum text_how how)
{
	put_key(to, x);
	if (how == TEXT_DELETE)
		return;
	/* the limit before the counter: what passes is not counted */
	if (x->shape.rate)
		nft_put(to, " limit rate over %" PRIu32 "/second burst %" PRIu32 " packets", x->rate,
			x->burst);
	nft_put(to, " counter");
	if (x->packets || x->bytes)
		nft_put(to, " packets %" PRIu64 " bytes %" PRIu64, x->packets, x->bytes);
	nft_put(to, " timeout %" PRId64 "ms", x->left_ms);
}

void text_elements(struct buf *to, const struct element *x, size_t n, enum text_how how, bool each)
{
	char name[SHAPE_NAME];

	for (size_t i = 0; i < n; i++) {
		bool first = each || i == 0 || shape_compare(&x[i - 1].shape, &x[i].shape) != 0;
		bool last = each || i + 1 == n || shape_compare(&x[i].shape, &x[i + 1].shape) != 0;
		if (first)
			nft_put(to, "%s element inet " NFT_TABLE " %s { ", how == TEXT_ADD ? "add" : "delete",
				shape_name(name, &x[i].shape));
		put_element(to, &x[i], how);
		nft_put(to, last ? " }\n" : ",\n");
	}
}
