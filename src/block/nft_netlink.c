/* Reading nf_tables over netlink (linux/netfilter/nf_tables.h, nfnetlink.h).
 *
 * libnftables reads every element of every set for whatever it is asked to list (version 1.0.6: 32 ms for
 * the names alone where 10,000 elements are there, 100 ms with them as JSON), so what is looked at every two
 * seconds is read here: dumps, with bounded readers, in the machine's byte order where netlink has that. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "block/nft_in.h"

#define ASK_BYTES     512
#define ANSWER_BYTES  (1 << 17) /* more than the kernel puts into one message */
#define ANSWER_WAIT_S 5
#define NL_ALIGN(n)   (((n) + 3U) & ~3U)

int nl_open(struct err *e)
{
	struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0) {
		(void)err_errno(e, "this kernel has no nftables");
		return -1;
	}
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0) {
		(void)err_errno(e, "netlink");
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* ---- attributes ---- */

static uint16_t host16(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t host32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

bool nl_next(struct rd *from, struct nl_attr *to)
{
	uint16_t len;

	if (rd_left(from) < sizeof(struct nlattr))
		return false;
	len = host16(from);
	to->type = (uint16_t)(host16(from) & (unsigned)NLA_TYPE_MASK);
	if (len < sizeof(struct nlattr))
		return false;
	to->rd = rd_cut(from, len - sizeof(struct nlattr));
	rd_skip(from, rd_left(from) < NL_ALIGN(len) - len ? rd_left(from) : NL_ALIGN(len) - len);
	return !to->rd.bad;
}

uint32_t nl_u32(const struct nl_attr *a)
{
	struct rd r = a->rd;

	return rd_be32(&r);
}

uint64_t nl_u64(const struct nl_attr *a)
{
	struct rd r = a->rd;
	uint64_t high = rd_be32(&r);

	return high << 32 | rd_be32(&r);
}

bool nl_is(const struct nl_attr *a, const char *s)
{
	return rd_left(&a->rd) == strlen(s) + 1 && memcmp(a->rd.p, s, strlen(s) + 1) == 0;
}

char *nl_text(char *to, size_t n, const struct nl_attr *a)
{
	char raw[NFT_ERR_TEXT];
	size_t k = rd_left(&a->rd) < sizeof(raw) - 1 ? rd_left(&a->rd) : sizeof(raw) - 1;

	memcpy(raw, a->rd.p, k);
	raw[k] = '\0';
	return printable(to, n, raw);
}

/* ---- asking ---- */

static void put_host(struct buf *b, const void *p, size_t n)
{
	static const uint8_t zero[4];

	buf_put(b, p, n);
	buf_put(b, zero, NL_ALIGN(n) - n);
}

static void put_name(struct buf *b, uint16_t type, const char *name)
{
	struct nlattr head = {.nla_type = type};

	if (!type)
		return;
	head.nla_len = (uint16_t)(sizeof(head) + strlen(name) + 1);
	put_host(b, &head, sizeof(head));
	put_host(b, name, strlen(name) + 1);
}

static enum status ask_send(int fd, const struct nl_ask *ask, struct err *e)
{
	struct buf b = {0};
	struct nlmsghdr head = {.nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | ask->type),
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (ask->dump ? NLM_F_DUMP : NLM_F_ACK)),
		.nlmsg_seq = ask->type};
	struct nfgenmsg gen = {.nfgen_family = NFPROTO_INET};
	enum status s = STATUS_OK;

	put_host(&b, &head, sizeof(head));
	put_host(&b, &gen, sizeof(gen));
	put_name(&b, ask->attr_table, NFT_TABLE);
	put_name(&b, ask->attr_set, ask->set);
	if (b.failed)
		s = err_nomem(e);
	else {
		head.nlmsg_len = (uint32_t)b.n;
		memcpy(b.p, &head, sizeof(head));
		if (send(fd, b.p, b.n, 0) != (ssize_t)b.n)
			s = err_errno(e, "nftables: cannot ask the kernel");
	}
	buf_free(&b);
	return s;
}

static enum status refused(int code, struct err *e)
{
	if (code == ENOENT)
		return err_set(e, STATUS_NO, "nftables: not there");
	if (code == EPERM || code == EACCES)
		return err_set(e, STATUS_MACHINE,
			"no permission to look at or change nftables (it takes root or CAP_NET_ADMIN)");
	errno = code;
	return err_errno(e, "nftables");
}

/* One message; *done: it was the last. */
static enum status take_one(
	const struct nl_ask *ask, struct rd *all, nl_message take, void *self, bool *done, struct err *e)
{
	uint32_t len = host32(all);
	uint16_t type = host16(all);
	struct rd body;
	int32_t code;

	(void)host16(all);
	rd_skip(all, 8);
	if (all->bad || len < sizeof(struct nlmsghdr))
		return err_set(e, STATUS_MACHINE, "netlink: a message is cut off");
	body = rd_cut(all, len - sizeof(struct nlmsghdr));
	rd_skip(all, rd_left(all) < NL_ALIGN(len) - len ? rd_left(all) : NL_ALIGN(len) - len);
	if (type == NLMSG_DONE || type == NLMSG_ERROR) {
		*done = true;
		code = (int32_t)host32(&body);
		return code ? refused(-code, e) : STATUS_OK;
	}
	if (body.bad)
		return err_set(e, STATUS_MACHINE, "netlink: a message is cut off");
	if (type != (NFNL_SUBSYS_NFTABLES << 8 | ask->answer))
		return STATUS_OK;
	rd_skip(&body, sizeof(struct nfgenmsg));
	return take(self, body, e);
}

enum status nl_get(int fd, const struct nl_ask *ask, nl_message take, void *self, struct err *e)
{
	uint8_t room[ANSWER_BYTES];
	enum status s, one;
	bool done = false;

	while (recv(fd, room, sizeof(room), MSG_DONTWAIT) > 0) /* what an answer that was given up left */
		;
	s = ask_send(fd, ask, e);

	while (s != STATUS_MACHINE && !done) {
		ssize_t n = recv(fd, room, sizeof(room), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, "nftables: the kernel does not answer");
		for (struct rd all = rd_of(room, (size_t)n); rd_left(&all) && !done;) {
			one = take_one(ask, &all, take, self, &done, e);
			s = s == STATUS_OK ? one : s; /* to the end of the dump, whatever was found */
			if (one == STATUS_MACHINE)
				return one;
		}
	}
	return s;
}

static enum status take_generation(void *self, struct rd body, struct err *e)
{
	struct nl_attr a;

	(void)e;
	while (nl_next(&body, &a))
		if (a.type == NFTA_GEN_ID)
			*(uint32_t *)self = nl_u32(&a);
	return STATUS_OK;
}

enum status nl_generation(int fd, uint32_t *to, struct err *e)
{
	const struct nl_ask ask = {.type = NFT_MSG_GETGEN, .answer = NFT_MSG_NEWGEN};

	*to = 0;
	return nl_get(fd, &ask, take_generation, to, e);
}
