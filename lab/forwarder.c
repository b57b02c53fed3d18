/*
 * A bump in the wire: takes Ethernet frames from one interface and sends them out of the other, both ways,
 * each after a delay of its own, drawn uniformly from [delay - jitter, delay + jitter]. The order is kept: no
 * frame is sent before the one that came in front of it. Kernels without tc netem need this.
 *
 * forwarder IFACE_A IFACE_B DELAY_US JITTER_US SEED
 *
 * The two interfaces carry no addresses and stand in one namespace. Prints "ready" as soon as both sockets
 * listen, and counters on standard error when SIGTERM or SIGINT ends it. There are two queues of QUEUE frames
 * and nothing else grows; a frame that finds its queue full is dropped and counted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>

enum { QUEUE = 4096, FRAME = 2048, BATCH = 64 };

struct frame {
	int64_t due_ns;
	size_t len;
	uint8_t data[FRAME];
};

struct way { /* one direction: read from in, written to out */
	int in, out;
	int64_t last_due_ns;
	size_t head, used;
	uint64_t passed, dropped;
	struct frame *queue;
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* xorshift64*: good enough for delays, the same on every machine for the same seed. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static int64_t draw_delay_ns(int64_t delay_us, int64_t jitter_us, uint64_t *state)
{
	uint64_t span = (uint64_t)jitter_us * 2 + 1;
	int64_t us = delay_us - jitter_us + (int64_t)(random_next(state) % span);

	return us > 0 ? us * 1000 : 0;
}

static int open_port(const char *name)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq promisc = {.mr_type = PACKET_MR_PROMISC};
	int one = 1, bytes = 8 << 20, fd = -1;

	at.sll_ifindex = (int)if_nametoindex(name);
	promisc.mr_ifindex = at.sll_ifindex;
	if (at.sll_ifindex == 0)
		goto fail;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		goto fail;
	/* Without this every frame that we send would come back to us. */
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) != 0)
		goto fail;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		goto fail;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) != 0)
		goto fail;
	return fd;
fail:
	fprintf(stderr, "forwarder: %s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Takes what has arrived, at most BATCH frames, and gives each the time at which it may leave. */
static void way_receive(struct way *w, int64_t delay_us, int64_t jitter_us, uint64_t *state)
{
	for (int i = 0; i < BATCH; i++) {
		struct frame *f = &w->queue[(w->head + w->used) % QUEUE];
		uint8_t spill[1];
		ssize_t n;

		if (w->used == QUEUE) {
			if (recv(w->in, spill, sizeof(spill), MSG_TRUNC) < 0)
				return;
			w->dropped++;
			continue;
		}
		n = recv(w->in, f->data, FRAME, MSG_TRUNC);
		if (n < 0)
			return;
		if (n > FRAME) {
			w->dropped++;
			continue;
		}
		f->len = (size_t)n;
		f->due_ns = now_ns() + draw_delay_ns(delay_us, jitter_us, state);
		if (f->due_ns < w->last_due_ns)
			f->due_ns = w->last_due_ns;
		w->last_due_ns = f->due_ns;
		w->used++;
	}
}

/* Sends every frame whose time has come; returns the time of the next one, or INT64_MAX when none waits. */
static int64_t way_send(struct way *w)
{
	while (w->used > 0 && w->queue[w->head].due_ns <= now_ns()) {
		const struct frame *f = &w->queue[w->head];

		if (send(w->out, f->data, f->len, 0) < 0)
			w->dropped++;
		else
			w->passed++;
		w->head = (w->head + 1) % QUEUE;
		w->used--;
	}
	return w->used > 0 ? w->queue[w->head].due_ns : INT64_MAX;
}

static void forward(
	struct way way[2], int64_t delay_us, int64_t jitter_us, uint64_t state, const sigset_t *unblocked)
{
	while (!stopping) {
		struct pollfd ready[2] = {
			{.fd = way[0].in, .events = POLLIN}, {.fd = way[1].in, .events = POLLIN}};
		int64_t a = way_send(&way[0]), b = way_send(&way[1]);
		int64_t wait = (a < b ? a : b) - now_ns();
		struct timespec t;

		if (wait > 1000000000)
			wait = 1000000000;
		if (wait < 0)
			wait = 0;
		t = (struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
		if (ppoll(ready, 2, &t, unblocked) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (ready[i].revents != 0)
				way_receive(&way[i], delay_us, jitter_us, &state);
	}
}

/* Signals are let in only while we wait, so that none is lost between the test of `stopping` and the wait. */
static void signals_prepare(sigset_t *unblocked)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, unblocked);
	sigdelset(unblocked, SIGTERM);
	sigdelset(unblocked, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
	struct way way[2] = {{.in = -1}, {.in = -1}};
	sigset_t unblocked;
	int64_t delay_us, jitter_us;
	uint64_t seed;
	int status = 3;

	if (argc != 6) {
		fprintf(stderr, "usage: forwarder IFACE_A IFACE_B DELAY_US JITTER_US SEED\n");
		return 2;
	}
	delay_us = atoll(argv[3]);
	jitter_us = atoll(argv[4]);
	seed = strtoull(argv[5], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	if (delay_us < 0 || delay_us > 60000000 || jitter_us < 0 || jitter_us > 60000000) {
		fprintf(stderr, "forwarder: delay and jitter lie between 0 and 60000000 us\n");
		return 2;
	}
	signals_prepare(&unblocked);
	prctl(PR_SET_TIMERSLACK, 1UL);
	way[0].in = way[1].out = open_port(argv[1]);
	way[1].in = way[0].out = open_port(argv[2]);
	way[0].queue = calloc(QUEUE, sizeof(struct frame));
	way[1].queue = calloc(QUEUE, sizeof(struct frame));
	if (way[0].in < 0 || way[1].in < 0 || way[0].queue == NULL || way[1].queue == NULL)
		goto out;
	printf("ready\n");
	fflush(stdout);
	forward(way, delay_us, jitter_us, seed, &unblocked);
	for (int i = 0; i < 2; i++)
		fprintf(stderr, "forwarder: %s > %s: %llu passed, %llu dropped\n", argv[1 + i], argv[2 - i],
			(unsigned long long)way[i].passed, (unsigned long long)way[i].dropped);
	status = 0;
out:
	free(way[0].queue);
	free(way[1].queue);
	if (way[0].in >= 0)
		close(way[0].in);
	if (way[1].in >= 0)
		close(way[1].in);
	return status;
}
