/* Two network namespaces of our own, joined by a cable: here the one that is defended, there who sends.
 *
 *     here: 192.0.2.1/24   2001:db8::1/64  --- v0 ====== v1 ---  anybody who is asked for
 *
 * What arrives is counted by an ordinary socket, not by the rules.  The sender ends each volley with a packet
 * of a bystander (198.51.100.99, 2001:db8:99::1): packets of one cable keep their order, so that when it is
 * here all that could come has come, without waiting for time to pass; and when it never comes the bystander
 * was hit. */
#ifndef WEIR_TESTS_BLOCK_NET_KIT_H
#define WEIR_TESTS_BLOCK_NET_KIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NET_HERE4      "192.0.2.1"
#define NET_HERE6      "2001:db8::1"
#define NET_BYSTANDER4 "198.51.100.99"
#define NET_BYSTANDER6 "2001:db8:99::1"
#define NET_MARK       'm'
#define NET_BIG        5000 /* bytes: several fragments */
#define NET_WAIT_MS    10000

struct net_volley {
	char from[INET6_ADDRSTRLEN];
	uint16_t port;
	int n, pause_us, bytes;
};

struct net {
	pid_t there;
	int ask;  /* to the sender */
	int port; /* 9000 and 9001 are heard */
	int heard[4];
};

static struct net net;

static inline int net_socket(const char *address, uint16_t port, struct sockaddr_storage *to, socklen_t *len)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)to;
	int fd, one = 1;

	memset(to, 0, sizeof(*to));
	if (strchr(address, ':')) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, address, &a6->sin6_addr), 1);
		*len = sizeof(*a6);
	} else {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, address, &a4->sin_addr), 1);
		*len = sizeof(*a4);
	}
	fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (to->ss_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof(one));
	} else {
		(void)setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one));
	}
	return fd;
}

static inline void net_run(const char *command)
{
	if (system(command) != 0) /* NOLINT: names of ours */
		fail_msg("%s", command);
}

static inline void net_shoot(const char *from, uint16_t port, char what, int n, int pause_us, int bytes)
{
	static char payload[NET_BIG];
	struct sockaddr_storage a;
	socklen_t len;
	int fd = net_socket(from, 0, &a, &len);

	payload[0] = what;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	(void)close(net_socket(strchr(from, ':') ? NET_HERE6 : NET_HERE4, port, &a, &len));
	for (int i = 0; i < n; i++) {
		while (sendto(fd, payload, (size_t)bytes, 0, (struct sockaddr *)&a, len) != bytes)
			assert_true(errno == ENOBUFS || errno == EAGAIN || errno == ECONNREFUSED);
		if (pause_us)
			(void)usleep((useconds_t)pause_us);
	}
	(void)close(fd);
}

/* The sender's life. */
static inline void net_there(int asked)
{
	struct net_volley v;

	while (read(asked, &v, sizeof(v)) == (ssize_t)sizeof(v)) {
		if (v.port) {
			net_shoot(v.from, v.port, 'x', v.n, v.pause_us, v.bytes ? v.bytes : 1);
			net_shoot(strchr(v.from, ':') ? NET_BYSTANDER6 : NET_BYSTANDER4, v.port, NET_MARK, 1,
				0, 1);
		} else { /* the cable is there */
			net_run("ip link set lo up && ip link set v1 up && ip addr add 192.0.2.2/24 dev v1 "
				"&& "
				"ip -6 addr add 2001:db8::2/64 dev v1 nodad && "
				"ip route add default via 192.0.2.1 && ip -6 route add default via "
				"2001:db8::1");
		}
		if (write(asked, "d", 1) != 1)
			break;
	}
	_exit(0);
}

static inline void net_await(void)
{
	char done;

	assert_int_equal(read(net.ask, &done, 1), 1);
}

static inline void net_ask(const struct net_volley *v)
{
	assert_int_equal(write(net.ask, v, sizeof(*v)), sizeof(*v));
	net_await();
}

static inline void net_hear(void)
{
	static const char *const any[] = {NET_HERE4, NET_HERE6};
	struct sockaddr_storage a;
	socklen_t len;
	int room = 1 << 22;

	for (int i = 0; i < 4; i++) {
		net.heard[i] = net_socket(any[i / 2], (uint16_t)(9000 + i % 2), &a, &len);
		(void)setsockopt(net.heard[i], SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
		assert_int_equal(bind(net.heard[i], (struct sockaddr *)&a, len), 0);
	}
}

/* False: namespaces cannot be made here. */
static inline bool net_open(void)
{
	char command[400];
	int pair[2];

	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	net.there = fork();
	if (net.there == 0) {
		(void)close(pair[0]);
		if (unshare(CLONE_NEWNET) != 0 || write(pair[1], "r", 1) != 1)
			_exit(1);
		net_there(pair[1]);
	}
	(void)close(pair[1]);
	net.ask = pair[0];
	assert_int_equal(read(net.ask, command, 1), 1);
	(void)snprintf(command, sizeof(command),
		"ip link set lo up && ip link add v0 type veth peer name v1 netns %d && ip link set v0 up && "
		"ip addr add 192.0.2.1/24 dev v0 && ip -6 addr add 2001:db8::1/64 dev v0 nodad && "
		"ip route add default via 192.0.2.2 && ip -6 route add default via 2001:db8::2",
		net.there);
	net_run(command);
	net_ask(&(struct net_volley){.port = 0});
	net_hear();
	return true;
}

/* A program that cannot: meson takes what cmocka's skip() prints for a failure. */
static inline int net_skip(void)
{
	(void)printf("1..0 # SKIP needs root, for network namespaces\n");
	return 0;
}

static inline void net_close(void)
{
	(void)close(net.ask);
	(void)waitpid(net.there, NULL, 0);
	for (int i = 0; i < 4; i++)
		(void)close(net.heard[i]);
}

/* How many come before the bystander's. */
static inline int net_until_mark(int fd)
{
	int got = 0;
	char what = 0;

	while (what != NET_MARK) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, NET_WAIT_MS) != 1)
			fail_msg("the bystander's packet did not come");
		assert_int_equal(recv(fd, &what, 1, 0), 1);
		got += what != NET_MARK;
	}
	return got;
}

/* How many of a volley arrive; a bystander's packet has to. */
static inline int net_arrive_of(const struct net_volley *v)
{
	net_ask(v);
	return net_until_mark(net.heard[(strchr(v->from, ':') ? 2 : 0) + v->port - 9000]);
}

static inline int net_arrive_slowly(const char *from, uint16_t port, int n, int pause_us)
{
	struct net_volley v = {.port = port, .n = n, .pause_us = pause_us};

	(void)snprintf(v.from, sizeof(v.from), "%s", from);
	return net_arrive_of(&v);
}

/* Of n packets of `from` to a port (9000, 9001). */
static inline int net_arrive(const char *from, uint16_t port, int n)
{
	return net_arrive_slowly(from, port, n, 0);
}

#endif
