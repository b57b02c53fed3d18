/* The elements of a set as the kernel has them: key, time left, counter, limit. */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "block/nft_in.h"

struct reading {
	const struct shape *shape;
	struct elements *to;
};

static struct element *room(struct elements *to)
{
	size_t cap = to->cap ? to->cap * 2 : 256;
	struct element *x = to->x;

	if (to->n == to->cap) {
		x = reallocarray(to->x, cap, sizeof(*x));
		if (!x)
			return NULL;
		to->x = x;
		to->cap = cap;
	}
	return &to->x[to->n++];
}

static void take_key(struct element *to, struct rd body)
{
	struct nl_attr a;

	while (nl_next(&body, &a))
		if (a.type == NFTA_DATA_VALUE && rd_left(&a.rd) <= KEY_BYTES)
			memcpy(to->key, a.rd.p, rd_left(&a.rd));
}

static void take_counter(struct element *to, struct rd data)
{
	struct nl_attr a;

	while (nl_next(&data, &a)) {
		if (a.type == NFTA_COUNTER_PACKETS)
			to->packets = nl_u64(&a);
		if (a.type == NFTA_COUNTER_BYTES)
			to->bytes = nl_u64(&a);
	}
}

/* A limit that is not of our kind (packets a second, above the rate) is of rate 0: never what is wanted. */
static void take_limit(struct element *to, struct rd data)
{
	struct nl_attr a;
	uint64_t rate = 0, unit = 0;
	bool ours = false, packets = false;

	while (nl_next(&data, &a)) {
		if (a.type == NFTA_LIMIT_RATE)
			rate = nl_u64(&a);
		if (a.type == NFTA_LIMIT_UNIT)
			unit = nl_u64(&a);
		if (a.type == NFTA_LIMIT_BURST)
			to->burst = nl_u32(&a);
		if (a.type == NFTA_LIMIT_TYPE)
			packets = nl_u32(&a) == NFT_LIMIT_PKTS;
		if (a.type == NFTA_LIMIT_FLAGS)
			ours = nl_u32(&a) == NFT_LIMIT_F_INV;
	}
	to->rate = ours && packets && unit == 1 && rate <= UINT32_MAX ? (uint32_t)rate : 0;
}

static void take_expression(struct element *to, struct rd body)
{
	struct nl_attr a;
	bool counter = false, limit = false;

	while (nl_next(&body, &a)) {
		if (a.type == NFTA_EXPR_NAME) {
			counter = nl_is(&a, "counter");
			limit = nl_is(&a, "limit");
		}
		if (a.type == NFTA_EXPR_DATA && counter)
			take_counter(to, a.rd);
		if (a.type == NFTA_EXPR_DATA && limit)
			take_limit(to, a.rd);
	}
}

static enum status take_element(const struct reading *r, struct rd body, struct err *e)
{
	struct element *to = room(r->to);
	struct nl_attr a, one;
	bool ends = false;

	if (!to)
		return err_nomem(e);
	*to = (struct element){.shape = *r->shape, .left_ms = INT64_MAX};
	while (nl_next(&body, &a)) {
		if (a.type == NFTA_SET_ELEM_KEY)
			take_key(to, a.rd);
		if (a.type == NFTA_SET_ELEM_EXPIRATION) {
			to->left_ms = (int64_t)(nl_u64(&a) & INT64_MAX);
			ends = true;
		}
		if (a.type == NFTA_SET_ELEM_EXPR)
			take_expression(to, a.rd);
		while (a.type == NFTA_SET_ELEM_EXPRESSIONS && nl_next(&a.rd, &one))
			take_expression(to, one.rd);
	}
	if (!ends)
		to->left_ms = INT64_MAX; /* somebody's, without an end */
	return STATUS_OK;
}

static enum status take_list(void *self, struct rd body, struct err *e)
{
	struct nl_attr a, one;
	enum status s = STATUS_OK;

	while (nl_next(&body, &a))
		while (a.type == NFTA_SET_ELEM_LIST_ELEMENTS && s == STATUS_OK && nl_next(&a.rd, &one))
			s = take_element(self, one.rd, e);
	return s;
}

enum status elements_read(int fd, const struct shape *s, struct elements *to, struct err *e)
{
	char name[SHAPE_NAME];
	const struct nl_ask ask = {.type = NFT_MSG_GETSETELEM,
		.dump = true,
		.attr_table = NFTA_SET_ELEM_LIST_TABLE,
		.attr_set = NFTA_SET_ELEM_LIST_SET,
		.set = shape_name(name, s),
		.answer = NFT_MSG_NEWSETELEM};
	struct reading r = {.shape = s, .to = to};

	return nl_get(fd, &ask, take_list, &r, e);
}
