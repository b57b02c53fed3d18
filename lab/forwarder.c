/*
 * A bump in the wire: takes Ethernet frames from one interface and sends them out of the other, both ways,
 * each after a delay of its own, drawn uniformly from [delay - jitter, delay + jitter]. Within a flow the
 * order is kept: no frame is sent before the one that came in front of it. Kernels without tc netem need
 * this.
 *
 * forwarder IFACE_A IFACE_B DELAY_US JITTER_US SEED [OPTION...]
 *
 *   back              only what comes from IFACE_B is held back; what comes from IFACE_A passes at once
 *   rare=PERCENT:US   so many of a hundred frames wait U(0, US) longer
 *   batch=US          frames leave at multiples of US only
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
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>

enum { QUEUE = 4096, FRAME = 2048, BATCH = 64, FLOWS = 4096 };

struct frame {
	int64_t due_ns;
	uint64_t number; /* as it came, which decides where two are due at once */
	size_t len;
	uint8_t data[FRAME];
};

struct manner { /* how frames are held back */
	int64_t delay_us, jitter_us, rare_us, batch_us;
	uint64_t rare_percent;
	bool back_only;
};

struct way { /* one direction: read from in, written to out */
	int in, out;
	bool at_once;
	int64_t last_due_ns[FLOWS]; /* by a hash of the flow; flows that share it wait for each other */
	uint64_t passed, dropped, came;
	size_t used;          /* the first `used` of queue are a heap, the one that is due first on top */
	struct frame **queue; /* all QUEUE frames, the free ones behind the used ones */
	struct frame *frames;
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

static int64_t draw_delay_ns(const struct manner *m, uint64_t *state)
{
	uint64_t span = (uint64_t)m->jitter_us * 2 + 1;
	int64_t us = m->delay_us - m->jitter_us + (int64_t)(random_next(state) % span);

	if (random_next(state) % 100 < m->rare_percent)
		us += (int64_t)(random_next(state) % (uint64_t)(m->rare_us + 1));
	return us > 0 ? us * 1000 : 0;
}

/* FNV-1a over addresses, protocol and ports; all that is no TCP or UDP between two hosts is one flow. */
static size_t flow_slot(const struct frame *f)
{
	bool v6 = f->len >= 58 && f->data[12] == 0x86 && f->data[13] == 0xdd;
	size_t at = v6 ? 22 : 26, n = v6 ? 32 : 8, ports = v6 ? 54 : 34;
	uint8_t proto = f->len < 38 ? 0 : f->data[v6 ? 20 : 23];
	uint32_t h = 2166136261U ^ proto;

	for (size_t i = at; i < at + n && i < f->len; i++)
		h = (h ^ f->data[i]) * 16777619U;
	for (size_t i = ports; (proto == IPPROTO_TCP || proto == IPPROTO_UDP) && i < ports + 4; i++)
		h = (h ^ f->data[i]) * 16777619U;
	return h % FLOWS;
}

static bool sooner(const struct frame *a, const struct frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void swap(struct way *w, size_t i, size_t j)
{
	struct frame *f = w->queue[i];

	w->queue[i] = w->queue[j];
	w->queue[j] = f;
}

/* The frame behind the heap joins it. */
static void heap_push(struct way *w)
{
	for (size_t i = w->used++; i > 0 && sooner(w->queue[i], w->queue[(i - 1) / 2]); i = (i - 1) / 2)
		swap(w, i, (i - 1) / 2);
}

/* The first frame leaves the heap and is free again. */
static void heap_pop(struct way *w)
{
	swap(w, 0, --w->used);
	for (size_t i = 0, c = 1; c < w->used; i = c, c = 2 * i + 1) {
		if (c + 1 < w->used && sooner(w->queue[c + 1], w->queue[c]))
			c++;
		if (!sooner(w->queue[c], w->queue[i]))
			return;
		swap(w, i, c);
	}
}

static bool way_prepare(struct way *w)
{
	w->frames = calloc(QUEUE, sizeof(struct frame));
	w->queue = calloc(QUEUE, sizeof(struct frame *));
	for (size_t i = 0; w->frames != NULL && w->queue != NULL && i < QUEUE; i++)
		w->queue[i] = &w->frames[i];
	return w->frames != NULL && w->queue != NULL;
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

/* When the frame may leave: after its delay, not before the one in front of it, at a beat where there is one.
 */
static int64_t frame_due(struct way *w, const struct frame *f, const struct manner *m, uint64_t *state)
{
	int64_t *last = &w->last_due_ns[flow_slot(f)], beat = m->batch_us * 1000;
	int64_t due = now_ns() + (w->at_once ? 0 : draw_delay_ns(m, state));

	if (beat > 0 && !w->at_once)
		due = (due + beat - 1) / beat * beat;
	if (due < *last)
		due = *last;
	*last = due;
	return due;
}

/* Takes what has arrived, at most BATCH frames, and gives each the time at which it may leave. */
static void way_receive(struct way *w, const struct manner *m, uint64_t *state)
{
	for (int i = 0; i < BATCH; i++) {
		uint8_t spill[1];
		ssize_t n;

		if (w->used == QUEUE) {
			if (recv(w->in, spill, sizeof(spill), MSG_TRUNC) < 0)
				return;
			w->dropped++;
			continue;
		}
		struct frame *f = w->queue[w->used];
		n = recv(w->in, f->data, FRAME, MSG_TRUNC);
		if (n < 0)
			return;
		if (n > FRAME) {
			w->dropped++;
			continue;
		}
		f->len = (size_t)n;
		f->number = w->came++;
		f->due_ns = frame_due(w, f, m, state);
		heap_push(w);
	}
}

/* Sends every frame whose time has come; returns the time of the next one, or INT64_MAX when none waits. */
static int64_t way_send(struct way *w)
{
	while (w->used > 0 && w->queue[0]->due_ns <= now_ns()) {
		const struct frame *f = w->queue[0];

		if (send(w->out, f->data, f->len, 0) < 0)
			w->dropped++;
		else
			w->passed++;
		heap_pop(w);
	}
	return w->used > 0 ? w->queue[0]->due_ns : INT64_MAX;
}

static void forward(struct way way[2], const struct manner *m, uint64_t state, const sigset_t *unblocked)
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
				way_receive(&way[i], m, &state);
	}
}

static bool in_range(int64_t us)
{
	return us >= 0 && us <= 60000000;
}

/* Reads what stands behind the seed. */
static bool options_read(struct manner *m, int n, char **option)
{
	for (int i = 0; i < n; i++) {
		const char *colon = strchr(option[i], ':');

		if (strcmp(option[i], "back") == 0) {
			m->back_only = true;
		} else if (strncmp(option[i], "batch=", 6) == 0) {
			m->batch_us = atoll(option[i] + 6);
		} else if (strncmp(option[i], "rare=", 5) == 0 && colon != NULL) {
			m->rare_percent = strtoull(option[i] + 5, NULL, 10);
			m->rare_us = atoll(colon + 1);
		} else {
			fprintf(stderr, "forwarder: %s: not back, rare=PERCENT:US or batch=US\n", option[i]);
			return false;
		}
	}
	if (in_range(m->delay_us) && in_range(m->jitter_us) && in_range(m->rare_us) &&
		in_range(m->batch_us) && m->rare_percent <= 100)
		return true;
	fprintf(stderr, "forwarder: times lie between 0 and 60000000 us, shares between 0 and 100\n");
	return false;
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
	static struct way way[2];
	struct manner manner = {0};
	sigset_t unblocked;
	uint64_t seed;
	int status = 3;

	if (argc < 6) {
		fprintf(stderr, "usage: forwarder IFACE_A IFACE_B DELAY_US JITTER_US SEED [OPTION...]\n");
		return 2;
	}
	manner.delay_us = atoll(argv[3]);
	manner.jitter_us = atoll(argv[4]);
	seed = strtoull(argv[5], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	if (!options_read(&manner, argc - 6, argv + 6))
		return 2;
	signals_prepare(&unblocked);
	prctl(PR_SET_TIMERSLACK, 1UL);
	way[0].in = way[1].out = open_port(argv[1]);
	way[1].in = way[0].out = open_port(argv[2]);
	way[0].at_once = manner.back_only;
	if (way[0].in < 0 || way[1].in < 0 || !way_prepare(&way[0]) || !way_prepare(&way[1]))
		goto out;
	printf("ready\n");
	fflush(stdout);
	forward(way, &manner, seed, &unblocked);
	for (int i = 0; i < 2; i++)
		fprintf(stderr, "forwarder: %s > %s: %llu passed, %llu dropped\n", argv[1 + i], argv[2 - i],
			(unsigned long long)way[i].passed, (unsigned long long)way[i].dropped);
	status = 0;
out:
	for (int i = 0; i < 2; i++) {
		free(way[i].frames);
		free(way[i].queue);
		if (way[i].in >= 0)
			close(way[i].in);
	}
	return status;
}
