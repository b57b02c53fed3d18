/* What must never be blocked on this machine: see guard_here.h.
 *
 * Addresses and routes come from the kernel over rtnetlink (rtnetlink(7)), in dumps: messages of attributes,
 * read within their bounds.  A dump that changed while it was read is read again. */
#include "block/guard_here.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES ((size_t)64 << 10) /* of one datagram; the kernel makes at most 32 KiB of them */
#define WAIT_SECONDS  5
#define ATTEMPTS      5
#define HALF4         1 /* the longest prefix of a route that stands for the default one */
#define EIGHTH6       3

static const char *const resolv_conf[] = {"/etc/resolv.conf",
	"/run/systemd/resolve/resolv.conf"}; /* the true ones, where the first names a stub of this machine */

/* ---- the list ---- */

struct list {
	struct buf protected; /* struct protected */
	bool objects;         /* a default route names its gateway by a nexthop object */
};

static void list_add(struct list *l, const struct prefix *p, enum protection why)
{
	struct protected one = {*p, why};

	buf_put(&l->protected, &one, sizeof(one));
}

static void list_host(struct list *l, const struct ip *ip, enum protection why)
{
	struct prefix p = prefix_of(ip, ip_bits(ip));

	if (ip->v != 0)
		list_add(l, &p, why);
}

/* ---- attributes ---- */

/* The next attribute's kind and content; false at the end. */
static bool attribute(struct rd *r, unsigned *kind, struct rd *content)
{
	struct rtattr head;
	const uint8_t *p = rd_left(r) >= sizeof(head) ? rd_take(r, sizeof(head)) : NULL;

	if (!p)
		return false;
	memcpy(&head, p, sizeof(head));
	if (head.rta_len < sizeof(head))
		return false;
	*kind = head.rta_type & (unsigned)NLA_TYPE_MASK;
	*content = rd_cut(r, head.rta_len - sizeof(head));
	rd_skip(r, RTA_ALIGN((size_t)head.rta_len) - head.rta_len);
	return !content->bad;
}

/* An address by its length; version 0 where it is none. */
static struct ip address(const struct rd *content)
{
	if (rd_left(content) == 4)
		return ip_v4(content->p);
	return rd_left(content) == 16 ? ip_v6(content->p) : (struct ip){0};
}

/* ---- messages ---- */

/* An interface's address: of two the local one, the other is the far end. */
static void address_take(struct list *l, struct rd *r)
{
	struct ip own = {0};
	struct rd content;
	unsigned kind;
	bool local = false;

	rd_skip(r, NLMSG_ALIGN(sizeof(struct ifaddrmsg)));
	while (attribute(r, &kind, &content)) {
		if (kind != IFA_LOCAL && (kind != IFA_ADDRESS || local))
			continue;
		own = address(&content);
		local = kind == IFA_LOCAL;
	}
	list_host(l, &own, PROTECT_OWN);
}

/* One attribute of a route or of one of its next hops.  Is it a gateway? */
static bool gateway_take(struct list *l, unsigned kind, struct rd content)
{
	struct ip ip;

	if (kind != RTA_GATEWAY && kind != RTA_VIA)
		return false;
	if (kind == RTA_VIA)
		rd_skip(&content, sizeof(((struct rtvia *)0)->rtvia_family));
	ip = address(&content);
	list_host(l, &ip, PROTECT_GATEWAY);
	return ip.v != 0;
}

static bool hops_take(struct list *l, struct rd hops)
{
	struct rd in, content;
	struct rtnexthop hop;
	unsigned kind;
	bool any = false;

	while (rd_left(&hops) >= sizeof(hop)) {
		memcpy(&hop, hops.p, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop))
			break;
		in = rd_cut(&hops, RTA_ALIGN((size_t)hop.rtnh_len));
		rd_skip(&in, sizeof(hop));
		while (attribute(&in, &kind, &content))
			any = gateway_take(l, kind, content) || any;
	}
	return any;
}

/* Is it a default route?  Also a half of one: VPNs put 0.0.0.0/1 and 128.0.0.0/1 before the other, and of
 * IPv6 only an eighth, 2000::/3, is given out. */
static bool is_default(const struct rtmsg *head)
{
	return (head->rtm_family == AF_INET && head->rtm_dst_len <= HALF4) ||
	       (head->rtm_family == AF_INET6 && head->rtm_dst_len <= EIGHTH6);
}

/* A route, of which default ones matter, in whatever table. */
static void route_take(struct list *l, struct rd *r)
{
	bool gateway = false, object = false;
	struct rtmsg head;
	struct rd content;
	unsigned kind;

	if (rd_left(r) < sizeof(head))
		return;
	memcpy(&head, rd_take(r, sizeof(head)), sizeof(head));
	if (!is_default(&head))
		return;
	while (attribute(r, &kind, &content)) {
		gateway = gateway_take(l, kind, content) || gateway;
		if (kind == RTA_MULTIPATH)
			gateway = hops_take(l, content) || gateway;
		object = object || kind == RTA_NH_ID;
	}
	l->objects = l->objects || (object && !gateway);
}

static void object_take(struct list *l, struct rd *r)
{
	struct rd content;
	struct ip ip;
	unsigned kind;

	rd_skip(r, NLMSG_ALIGN(sizeof(struct nhmsg)));
	while (attribute(r, &kind, &content))
		if (kind == NHA_GATEWAY) {
			ip = address(&content);
			list_host(l, &ip, PROTECT_GATEWAY);
		}
}

/* ---- a dump ---- */

struct dump {
	uint16_t ask, answer;
	size_t head; /* bytes of the request behind the header; the family is the first of them */
	uint8_t family;
	void (*take)(struct list *l, struct rd *r);
};

static const struct dump dumps[] = {
	{RTM_GETADDR, RTM_NEWADDR, sizeof(struct ifaddrmsg), AF_INET, address_take},
	{RTM_GETADDR, RTM_NEWADDR, sizeof(struct ifaddrmsg), AF_INET6, address_take},
	{RTM_GETROUTE, RTM_NEWROUTE, sizeof(struct rtmsg), AF_INET, route_take},
	{RTM_GETROUTE, RTM_NEWROUTE, sizeof(struct rtmsg), AF_INET6, route_take},
};
static const struct dump objects = {
	RTM_GETNEXTHOP, RTM_NEWNEXTHOP, sizeof(struct nhmsg), AF_UNSPEC, object_take};

enum progress { MORE, DONE, CHANGED, REFUSED };

/* One datagram of the answer.  REFUSED: errno says why. */
static enum progress datagram_take(struct list *l, const struct dump *d, struct rd r, bool *changed)
{
	struct nlmsghdr head;
	int code;

	while (rd_left(&r) >= sizeof(head)) {
		memcpy(&head, r.p, sizeof(head));
		struct rd message = rd_cut(&r, head.nlmsg_len);
		if (head.nlmsg_len < sizeof(head) || message.bad)
			break;
		rd_skip(&message, sizeof(head));
		size_t pad = NLMSG_ALIGN((size_t)head.nlmsg_len) - head.nlmsg_len;
		rd_skip(&r, pad < rd_left(&r) ? pad : rd_left(&r));
		*changed = *changed || (head.nlmsg_flags & NLM_F_DUMP_INTR);
		if (head.nlmsg_type == NLMSG_DONE)
			return DONE;
		if (head.nlmsg_type == NLMSG_ERROR && rd_left(&message) >= sizeof(code)) {
			memcpy(&code, message.p, sizeof(code));
			errno = -code;
			return REFUSED;
		}
		if (head.nlmsg_type == d->answer)
			d->take(l, &message);
	}
	return MORE;
}

static bool dump_ask(int fd, const struct dump *d)
{
	_Alignas(struct nlmsghdr) uint8_t request[NLMSG_SPACE(sizeof(struct rtmsg))] = {0};
	struct nlmsghdr head = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(d->head),
		.nlmsg_type = d->ask,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};

	memcpy(request, &head, sizeof(head));
	request[NLMSG_HDRLEN] = d->family;
	return send(fd, request, head.nlmsg_len, 0) == (ssize_t)head.nlmsg_len;
}

/* The next datagram of the kernel's, its bytes in room; -1: errno says why. */
static ssize_t hear(int fd, uint8_t *room)
{
	struct sockaddr_nl from = {0};
	struct iovec v = {room, RECEIVE_BYTES};
	struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1};
	ssize_t n;

	do
		n = recvmsg(fd, &m, 0);
	while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n >= 0 && (m.msg_flags & MSG_TRUNC)) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

/* To the end of the answer. */
static enum progress dump_hear(int fd, struct list *l, const struct dump *d, uint8_t *room)
{
	enum progress state = MORE;
	bool changed = false;

	while (state == MORE) {
		ssize_t n = hear(fd, room);
		state = n > 0 ? datagram_take(l, d, rd_of(room, (size_t)n), &changed) : REFUSED;
	}
	return state == DONE && changed ? CHANGED : state;
}

static int netlink_open(void)
{
	struct timeval wait = {.tv_sec = WAIT_SECONDS};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Asks until it did not change meanwhile; a socket for each time. */
static enum status dump_take(struct list *l, const struct dump *d, uint8_t *room, struct err *e)
{
	enum progress state = CHANGED;
	size_t before = l->protected.n;

	for (int i = 0; i < ATTEMPTS && state == CHANGED; i++) {
		int fd = netlink_open();
		l->protected.n = before;
		state = fd >= 0 && dump_ask(fd, d) ? dump_hear(fd, l, d, room) : REFUSED;
		if (state == REFUSED)
			(void)err_errno(e, "the kernel does not say what addresses and routes it has");
		if (fd >= 0)
			(void)close(fd);
	}
	if (state == CHANGED)
		return err_set(e, STATUS_MACHINE, "addresses and routes change faster than they can be read");
	return state == DONE ? STATUS_OK : STATUS_MACHINE;
}

static enum status kernel_take(struct list *l, struct err *e)
{
	uint8_t *room = malloc(RECEIVE_BYTES);
	enum status s = room ? STATUS_OK : err_nomem(e);

	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]) && s == STATUS_OK; i++)
		s = dump_take(l, &dumps[i], room, e);
	if (s == STATUS_OK && l->objects)
		s = dump_take(l, &objects, room, e);
	free(room);
	return s;
}

/* ---- resolvers ---- */

static bool resolver_parse(struct ip *to, char *line)
{
	char *rest = NULL, *word = strtok_r(line, " \t\r\n", &rest);
	char *value = word && strcmp(word, "nameserver") == 0 ? strtok_r(NULL, " \t\r\n", &rest) : NULL;

	if (value)
		value[strcspn(value, "%")] = '\0'; /* the interface of a link-local one */
	return value && ip_parse(to, value);
}

enum status guard_resolv_conf(struct ip to[GUARD_RESOLVERS], size_t *n, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	enum status s = STATUS_OK;
	char line[512];

	if (!f)
		return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : err_errno(e, "%s", path);
	while (*n < GUARD_RESOLVERS && fgets(line, sizeof(line), f))
		*n += resolver_parse(&to[*n], line);
	if (ferror(f))
		s = err_errno(e, "%s", path);
	(void)fclose(f);
	return s;
}

enum status guard_resolvers(struct ip **to, size_t *n, struct arena *a, struct err *e)
{
	enum status s = STATUS_OK;

	*n = 0;
	*to = arena_array(a, GUARD_RESOLVERS, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	for (size_t i = 0; i < sizeof(resolv_conf) / sizeof(resolv_conf[0]) && s == STATUS_OK; i++)
		s = guard_resolv_conf(*to, n, resolv_conf[i], e);
	return s;
}

/* ---- all of it ---- */

static uint8_t length_of(uint64_t v, uint8_t bits)
{
	return v < bits ? (uint8_t)v : bits;
}

static enum status list_keep(struct guard *to, const struct list *l, struct arena *a, struct err *e)
{
	void *kept = l->protected.failed ? NULL : arena_alloc(a, l->protected.n);

	if (!kept)
		return err_nomem(e);
	if (l->protected.n)
		memcpy(kept, l->protected.p, l->protected.n);
	to->protected = kept;
	to->n_protected = l->protected.n / sizeof(struct protected);
	return STATUS_OK;
}

enum status guard_kernel(struct guard *to, const struct config *cfg, const struct ip *resolver,
	size_t n_resolver, struct arena *a, struct err *e)
{
	struct list l = {0};
	enum status s;

	*to = (struct guard){.own = cfg->own,
		.n_own = cfg->n_own,
		.widest = {length_of(cfg->widest_v4, 32), length_of(cfg->widest_v6, 128)},
		.confirm = {GUARD_CONFIRM4, GUARD_CONFIRM6},
		.max_rules = cfg->max_rules,
		.max_for_us = cfg->max_block_us,
		.skew_us = GUARD_SKEW_US};
	for (size_t i = 0; i < cfg->n_never_block; i++)
		list_add(&l, &cfg->never_block[i], PROTECT_NEVER);
	for (size_t i = 0; i < cfg->n_partner_networks; i++)
		list_add(&l, &cfg->partner_networks[i], PROTECT_PARTNER);
	for (size_t i = 0; i < n_resolver; i++)
		list_host(&l, &resolver[i], PROTECT_RESOLVER);
	s = kernel_take(&l, e);
	if (s == STATUS_OK)
		s = list_keep(to, &l, a, e);
	buf_free(&l.protected);
	return s;
}

enum status guard_here(struct guard *to, const struct config *cfg, struct arena *a, struct err *e)
{
	struct ip *resolver;
	size_t n;
	enum status s = guard_resolvers(&resolver, &n, a, e);

	return s == STATUS_OK ? guard_kernel(to, cfg, resolver, n, a, e) : s;
}
