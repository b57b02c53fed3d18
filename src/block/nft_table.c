/* What the kernel holds of our table but for its elements, held against what we make: each chain, set and
 * rule as a line of what matters of it, compared with the line that it must be.  Registers and handles are
 * left out of the lines. */
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>

#include "block/nft_in.h"

#define LINE      1024
#define NAME_SHOW 64
#define CHAINS    3
#define FLAGS_OUR (NFT_SET_TIMEOUT | NFT_SET_EVAL | NFT_SET_CONCAT | NFT_SET_EXPR)

static const struct {
	const char *name;
	uint32_t hook;
} hooks[] = {{"in", NF_INET_PRE_ROUTING}, {"out", NF_INET_LOCAL_OUT}};

struct line {
	char s[LINE];
	size_t n;
};

struct reading {
	struct skeleton *to;
	unsigned chain[CHAINS]; /* how often: in, out, match */
	unsigned jump[CHAINS];
	bool has_set[SHAPES_MAX];
};

__attribute__((format(printf, 2, 3))) static void odd(struct skeleton *to, const char *fmt, ...)
{
	va_list ap;

	if (*to->odd)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(to->odd, sizeof(to->odd), fmt, ap);
	va_end(ap);
}

/* ---- lines ---- */

static void line_put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line_put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->s + l->n, sizeof(l->s) - l->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n = l->n + (size_t)n < sizeof(l->s) ? l->n + (size_t)n : sizeof(l->s) - 1;
}

static void line_hex(struct line *l, const void *p, size_t n)
{
	line_put(l, " ");
	for (size_t i = 0; i < n; i++)
		line_put(l, "%02x", ((const uint8_t *)p)[i]);
}

static void line_u32(struct line *l, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	line_hex(l, b, sizeof(b));
}

/* ---- what a rule must be ---- */

/* Where the addresses stand in an IP header. */
struct at {
	uint32_t from, to, bytes;
	uint8_t family;
};

static const struct at at4 = {12, 16, 4, NFPROTO_IPV4}, at6 = {8, 24, 16, NFPROTO_IPV6};

static void want_payload(struct line *l, uint32_t base, uint32_t offset, uint32_t len)
{
	line_put(l, " payload");
	line_u32(l, base);
	line_u32(l, offset);
	line_u32(l, len);
}

static void want_address(struct line *l, const struct at *at, uint32_t offset, uint8_t len)
{
	struct ip ones = {.v = at->bytes == 4 ? 4 : 6}, none = ones;

	if (!len)
		return;
	want_payload(l, NFT_PAYLOAD_NETWORK_HEADER, offset, at->bytes);
	if (len == at->bytes * 8)
		return;
	memset(ones.b, 0xff, at->bytes);
	ones = prefix_of(&ones, len).ip;
	line_put(l, " bitwise");
	line_hex(l, ones.b, at->bytes);
	line_hex(l, none.b, at->bytes);
}

static void want_rule(struct line *l, const struct shape *s)
{
	const struct at *at = s->v == 4 ? &at4 : &at6;
	char name[SHAPE_NAME];

	line_put(l, " meta");
	line_u32(l, NFT_META_NFPROTO);
	line_put(l, " cmp");
	line_u32(l, NFT_CMP_EQ);
	line_hex(l, &at->family, 1);
	want_address(l, at, at->from, s->from);
	want_address(l, at, at->to, s->to);
	if (s->l4 >= L4_PROTO) {
		line_put(l, " meta");
		line_u32(l, NFT_META_L4PROTO);
	}
	if (s->l4 == L4_PORT)
		want_payload(l, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	line_put(l, " lookup");
	(void)shape_name(name, s);
	line_hex(l, name, strlen(name) + 1);
	line_u32(l, 0);
	line_put(l, " immediate");
	line_u32(l, NF_DROP);
}

static void want_jump(struct line *l)
{
	line_put(l, " immediate");
	line_u32(l, (uint32_t)NFT_JUMP);
	line_hex(l, NFT_MATCH, sizeof(NFT_MATCH));
}

/* ---- what a rule is ---- */

/* The attributes of an expression that matter. */
static const struct {
	const char *name;
	uint16_t attr[3];
	bool data; /* they are values or verdicts, one level down */
} kinds[] = {
	{"meta", {NFTA_META_KEY}, false},
	{"cmp", {NFTA_CMP_OP, NFTA_CMP_DATA}, true},
	{"payload", {NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN}, false},
	{"bitwise", {NFTA_BITWISE_MASK, NFTA_BITWISE_XOR}, true},
	{"lookup", {NFTA_LOOKUP_SET, NFTA_LOOKUP_FLAGS}, false},
	{"immediate", {NFTA_IMMEDIATE_DATA}, true},
};

static void put_data(struct line *l, struct rd data)
{
	struct nl_attr a, v;

	while (nl_next(&data, &a)) {
		if (a.type != NFTA_DATA_VERDICT)
			line_hex(l, a.rd.p, rd_left(&a.rd));
		while (a.type == NFTA_DATA_VERDICT && nl_next(&a.rd, &v))
			line_hex(l, v.rd.p, rd_left(&v.rd));
	}
}

static void put_attr(struct line *l, size_t kind, const struct nl_attr *a)
{
	/* of a comparison the operator is no value, though the other one is */
	bool data = kinds[kind].data && !(strcmp(kinds[kind].name, "cmp") == 0 && a->type == NFTA_CMP_OP);

	for (size_t i = 0; i < 3 && kinds[kind].attr[i]; i++)
		if (kinds[kind].attr[i] == a->type && data)
			put_data(l, a->rd);
		else if (kinds[kind].attr[i] == a->type)
			line_hex(l, a->rd.p, rd_left(&a->rd));
}

static void put_expression(struct line *l, struct rd body)
{
	struct rd again = body;
	struct nl_attr a, part;
	size_t kind = 0, n = sizeof(kinds) / sizeof(kinds[0]);

	while (nl_next(&again, &a))
		if (a.type == NFTA_EXPR_NAME)
			for (kind = 0; kind < n && !nl_is(&a, kinds[kind].name);)
				kind++;
	line_put(l, " %s", kind < n ? kinds[kind].name : "?");
	while (kind < n && nl_next(&body, &a))
		while (a.type == NFTA_EXPR_DATA && nl_next(&a.rd, &part))
			put_attr(l, kind, &part);
}

static void put_expressions(struct line *l, struct rd list)
{
	struct nl_attr a;

	while (nl_next(&list, &a))
		if (a.type == NFTA_LIST_ELEM)
			put_expression(l, a.rd);
}

/* ---- taking what is there ---- */

static enum status take_table(void *self, struct rd body, struct err *e)
{
	struct reading *r = self;
	struct nl_attr a;

	(void)e;
	r->to->there = true;
	while (nl_next(&body, &a))
		if (a.type == NFTA_TABLE_FLAGS && nl_u32(&a) != 0)
			odd(r->to, "the table is switched off");
	return STATUS_OK;
}

/* in, out, match, or CHAINS */
static size_t chain_index(const struct nl_attr *a)
{
	size_t i = 0;

	while (i < CHAINS && !nl_is(a, i < 2 ? hooks[i].name : NFT_MATCH))
		i++;
	return i;
}

static void check_hook(struct reading *r, size_t chain, struct rd body)
{
	struct nl_attr a, h;
	bool policy = false, hook = false, priority = false;

	while (nl_next(&body, &a)) {
		if (a.type == NFTA_CHAIN_POLICY)
			policy = nl_u32(&a) == NF_ACCEPT;
		while (a.type == NFTA_CHAIN_HOOK && nl_next(&a.rd, &h)) {
			if (h.type == NFTA_HOOK_HOOKNUM)
				hook = chain < 2 && nl_u32(&h) == hooks[chain].hook;
			if (h.type == NFTA_HOOK_PRIORITY)
				priority = (int32_t)nl_u32(&h) == NFT_PRIORITY;
		}
	}
	if (chain < 2 && !(policy && hook && priority))
		odd(r->to, "chain %s hangs elsewhere", hooks[chain].name);
}

static enum status take_chain(void *self, struct rd body, struct err *e)
{
	struct reading *r = self;
	struct rd again = body;
	struct nl_attr a;
	size_t chain = CHAINS;
	char name[NAME_SHOW] = "";
	bool ours = false;

	(void)e;
	while (nl_next(&body, &a)) {
		if (a.type == NFTA_CHAIN_TABLE)
			ours = nl_is(&a, NFT_TABLE);
		if (a.type == NFTA_CHAIN_NAME) {
			chain = chain_index(&a);
			(void)nl_text(name, sizeof(name), &a);
		}
	}
	if (!ours)
		return STATUS_OK;
	if (chain == CHAINS) {
		odd(r->to, "chain %s is not ours", name);
		return STATUS_OK;
	}
	r->chain[chain]++;
	check_hook(r, chain, again);
	return STATUS_OK;
}

/* "limit counter": the expressions that a set's elements have. */
static void set_expressions(struct line *l, const struct nl_attr *a)
{
	struct rd list = a->rd, one;
	struct nl_attr x, name;

	if (a->type == NFTA_SET_EXPR) {
		while (nl_next(&list, &x))
			if (x.type == NFTA_EXPR_NAME)
				line_put(l, " %s", nl_text((char[NAME_SHOW]){0}, NAME_SHOW, &x));
		return;
	}
	while (nl_next(&list, &x))
		for (one = x.rd; nl_next(&one, &name);)
			if (name.type == NFTA_EXPR_NAME)
				line_put(l, " %s", nl_text((char[NAME_SHOW]){0}, NAME_SHOW, &name));
}

static bool set_as_made(const struct shape *s, struct rd body)
{
	struct line l = {.s = ""};
	struct nl_attr a, d;
	uint32_t flags = 0, bytes = 0, size = 0;
	uint64_t timeout = 0;

	while (nl_next(&body, &a)) {
		if (a.type == NFTA_SET_FLAGS)
			flags = nl_u32(&a);
		if (a.type == NFTA_SET_KEY_LEN)
			bytes = nl_u32(&a);
		if (a.type == NFTA_SET_TIMEOUT)
			timeout = nl_u64(&a);
		if (a.type == NFTA_SET_EXPR || a.type == NFTA_SET_EXPRESSIONS)
			set_expressions(&l, &a);
		while (a.type == NFTA_SET_DESC && nl_next(&a.rd, &d))
			if (d.type == NFTA_SET_DESC_SIZE)
				size = nl_u32(&d);
	}
	return (flags & NFT_SET_TIMEOUT) && !(flags & ~(uint32_t)FLAGS_OUR) && timeout == 0 && size == 0 &&
	       bytes == shape_key_bytes(s) && strcmp(l.s, s->rate ? " limit counter" : " counter") == 0;
}

static enum status take_set(void *self, struct rd body, struct err *e)
{
	struct reading *r = self;
	struct skeleton *to = r->to;
	struct rd again = body;
	struct nl_attr a;
	char name[NAME_SHOW] = "";
	bool ours = false;

	(void)e;
	while (nl_next(&body, &a)) {
		if (a.type == NFTA_SET_TABLE)
			ours = nl_is(&a, NFT_TABLE);
		if (a.type == NFTA_SET_NAME)
			(void)nl_text(name, sizeof(name), &a);
	}
	if (!ours)
		return STATUS_OK;
	if (to->n_shape == SHAPES_MAX || !shape_parse(&to->shape[to->n_shape], name))
		odd(to, "set %s is not ours", name);
	else if (!set_as_made(&to->shape[to->n_shape], again))
		odd(to, "set %s is not as it was made", name);
	else
		to->n_shape++;
	return STATUS_OK;
}

/* A rule of the chain `match`: of which shape? */
static void match_rule(struct reading *r, const struct line *is, uint64_t handle)
{
	struct skeleton *to = r->to;

	for (size_t i = 0; i < to->n_shape; i++) {
		struct line want = {.s = ""};
		want_rule(&want, &to->shape[i]);
		if (strcmp(want.s, is->s) != 0)
			continue;
		if (to->handle[i])
			odd(to, "a rule is there twice");
		to->handle[i] = handle;
		return;
	}
	odd(to, "a rule is not as it was made");
}

static enum status take_rule(void *self, struct rd body, struct err *e)
{
	struct reading *r = self;
	struct line is = {.s = ""}, jump = {.s = ""};
	struct nl_attr a;
	size_t chain = CHAINS;
	uint64_t handle = 0;
	bool ours = false;

	(void)e;
	while (nl_next(&body, &a)) {
		if (a.type == NFTA_RULE_TABLE)
			ours = nl_is(&a, NFT_TABLE);
		if (a.type == NFTA_RULE_CHAIN)
			chain = chain_index(&a);
		if (a.type == NFTA_RULE_HANDLE)
			handle = nl_u64(&a);
		if (a.type == NFTA_RULE_EXPRESSIONS)
			put_expressions(&is, a.rd);
	}
	if (!ours || chain == CHAINS)
		return STATUS_OK;
	want_jump(&jump);
	if (chain == CHAINS - 1)
		match_rule(r, &is, handle);
	else if (strcmp(is.s, jump.s) != 0)
		odd(r->to, "a rule of chain %s is not as it was made", hooks[chain].name);
	else
		r->jump[chain]++;
	return STATUS_OK;
}

static void check_whole(struct reading *r)
{
	struct skeleton *to = r->to;

	for (size_t i = 0; i < CHAINS; i++)
		if (r->chain[i] != 1)
			odd(to, "chain %s is missing", i < 2 ? hooks[i].name : NFT_MATCH);
	for (size_t i = 0; i < 2; i++)
		if (r->jump[i] != 1)
			odd(to, "chain %s does not look at the rules", hooks[i].name);
	for (size_t i = 0; i < to->n_shape; i++)
		if (!to->handle[i])
			odd(to, "a rule is missing");
}

enum status skeleton_read(int fd, struct skeleton *to, struct err *e)
{
	static const struct {
		struct nl_ask ask;
		nl_message take;
	} part[] = {
		{{NFT_MSG_GETTABLE, false, NFTA_TABLE_NAME, 0, NULL, NFT_MSG_NEWTABLE}, take_table},
		{{NFT_MSG_GETCHAIN, true, NFTA_CHAIN_TABLE, 0, NULL, NFT_MSG_NEWCHAIN}, take_chain},
		{{NFT_MSG_GETSET, true, NFTA_SET_TABLE, 0, NULL, NFT_MSG_NEWSET}, take_set},
		{{NFT_MSG_GETRULE, true, NFTA_RULE_TABLE, 0, NULL, NFT_MSG_NEWRULE}, take_rule},
	};
	struct reading r = {.to = to};
	enum status s = STATUS_OK;

	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]) && s == STATUS_OK; i++)
		s = nl_get(fd, &part[i].ask, part[i].take, &r, e);
	if (s == STATUS_NO && !to->there)
		return STATUS_OK;
	if (s == STATUS_OK)
		check_whole(&r);
	return s;
}
