/* Private to the nftables back end.
 *
 *     rule -> shape and key                       nft_shape.c
 *     shapes, elements -> commands of nft         nft_text.c
 *     what the kernel holds of our table          nft_netlink.c, nft_table.c, nft_element.c
 *     the difference, as commands                 nft_change.c
 *     reading, changing in one transaction        nft.c
 *
 * A shape is what packets are looked up by: so many bits of the address they come from, so many of that they
 * go to, and nothing, the protocol, or protocol and port.  Each shape that is in use has one hash set and one
 * rule that masks a packet's fields and looks them up; a rule of ours is one element.  So a prefix is no
 * interval: nothing overlaps, and ten thousand elements go in and out in a tenth of a second. */
#ifndef WEIR_BLOCK_NFT_IN_H
#define WEIR_BLOCK_NFT_IN_H

#include <stdio.h>

#include "block/backend.h"

#define NFT_TABLE "weir"
#define NFT_MATCH "match" /* the chain that has the rules; in and out jump to it */
/* Before conntrack (-200) and raw (-300), behind defragmentation (-400). */
#define NFT_PRIORITY (-310)

#define SHAPE_NAME   32
#define SHAPES_MAX   512
#define KEY_BYTES    40 /* two IPv6 addresses, protocol and port in 4 bytes each */
#define RENEW_MS     2000
#define SECOND_MS    1000
#define MS_US        1000
#define BURST_PART   10 /* a rate limit's bucket holds so large a part of a second's packets */
#define NFT_ERR_TEXT 160

enum shape_l4 { L4_ANY, L4_PROTO, L4_PORT };

struct shape {
	uint8_t rate; /* its packets pass up to a rate; else none does */
	uint8_t v;    /* 4, 6 */
	uint8_t from, to;
	uint8_t l4; /* enum shape_l4 */
};

/* An element of a set: a rule as it is in the kernel, or as it should be.  Shape and key stand side by side
 * and have no padding: they are compared as bytes. */
struct element {
	struct shape shape;
	uint8_t key[KEY_BYTES]; /* the fields one after the other, each filled up to 4 bytes; the rest zero */
	bool there;             /* of what is wanted: the kernel has it */
	uint32_t rate, burst;   /* of a rate shape */
	int64_t left_ms;
	uint64_t packets, bytes;
	uint32_t want; /* its index; where it was read from the kernel: not used */
};

/* ---- nft_shape.c ---- */

/* NULL, or why nftables cannot hold it. */
const char *nft_cannot(const struct rule *r);
void element_of(struct element *to, const struct want *w, uint32_t index, struct wall now);
/* "drop4_32_0_port"; back: false where s is none. */
char *shape_name(char to[SHAPE_NAME], const struct shape *s);
bool shape_parse(struct shape *to, const char *s);
/* Bytes of its keys. */
size_t shape_key_bytes(const struct shape *s);
int shape_compare(const struct shape *a, const struct shape *b);
/* By shape, then key; as qsort() wants it. */
int element_compare(const void *a, const void *b);
/* The shapes of sorted elements, each once; at most SHAPES_MAX, the number is returned. */
size_t shapes_of(struct shape *to, const struct element *x, size_t n);

/* ---- nft_text.c ---- */

__attribute__((format(printf, 2, 3))) void nft_put(struct buf *to, const char *fmt, ...);
/* Table and chains; adding what is there changes nothing, the two jumps excepted. */
void text_table(struct buf *to);
/* Set and rule. */
void text_shape(struct buf *to, const struct shape *s);
enum text_how { TEXT_ADD, TEXT_DELETE };
/* The elements (of any shapes, sorted): one command a shape, or, with `each`, one an element. */
void text_elements(struct buf *to, const struct element *x, size_t n, enum text_how how, bool each);

/* ---- nft_netlink.c ---- */

/* One message of a kind's dump; STATUS_BAD ends it. */
typedef enum status (*nl_message)(void *self, struct rd body, struct err *e);

struct nl_ask {
	uint16_t type;                 /* NFT_MSG_GET... */
	bool dump;                     /* all; else the one */
	uint16_t attr_table, attr_set; /* 0: is not said */
	const char *set;               /* its name */
	uint16_t answer;               /* NFT_MSG_NEW... that is taken */
};

int nl_open(struct err *e);
/* STATUS_NO: no such thing. */
enum status nl_get(int fd, const struct nl_ask *ask, nl_message take, void *self, struct err *e);
/* The number of the rule set's generation: each transaction adds one. */
enum status nl_generation(int fd, uint32_t *to, struct err *e);

struct nl_attr {
	uint16_t type;
	struct rd rd;
};
/* False at the end, and where the bytes are none. */
bool nl_next(struct rd *from, struct nl_attr *to);
uint32_t nl_u32(const struct nl_attr *a);
uint64_t nl_u64(const struct nl_attr *a);
/* Is the text of the attribute s? */
bool nl_is(const struct nl_attr *a, const char *s);
/* A copy that fits, printable. */
char *nl_text(char *to, size_t n, const struct nl_attr *a);

/* ---- nft_table.c ---- */

struct skeleton {
	bool there;
	char odd[NFT_ERR_TEXT]; /* what is not as we made it, "" for nothing */
	struct shape shape[SHAPES_MAX];
	uint64_t handle[SHAPES_MAX]; /* of its rule, 0: none */
	size_t n_shape;
};

enum status skeleton_read(int fd, struct skeleton *to, struct err *e);

/* ---- nft_element.c ---- */

/* Appends the set's elements. */
struct elements {
	struct element *x;
	size_t n, cap;
};
enum status elements_read(int fd, const struct shape *s, struct elements *to, struct err *e);

/* ---- nft.c, nft_change.c ---- */

struct nft_ctx;
struct nft {
	struct nft_ctx *ctx;
	int fd;
	struct elements had; /* what was wanted and there after the last sync(), sorted */
	struct skeleton is;
	uint32_t generation;     /* of the kernel's rules, that `had` and `is` are of */
	bool known;              /* they are: nobody came in between */
	int64_t had_us, read_us; /* by the clock that only runs forward */
};

/* One sync(). */
struct nft_round {
	struct nft *self;
	struct elements want, is; /* sorted */
	struct shape shape[SHAPES_MAX];
	size_t n_shape;
	struct buf text;
	struct have *have;
	struct drift *d;
	bool rebuild;
};

/* The commands into r->text, and what differs into r->d; *shapes: more than elements changes. */
enum status nft_change(struct nft_round *r, bool *shapes, struct err *e);

#endif
