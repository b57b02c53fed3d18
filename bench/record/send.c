/* Sends UDP frames at a steady rate through PACKET_MMAP rings past the queueing discipline: record_send IFACE
 * RATE SECONDS [THREADS].  Prints how many went out and in what time.  1000 flows, 200 bytes each. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAME = 512, FRAMES = 4096, LENGTH = 200, BURST = 64, THREADS_MAX = 8 };
enum {
	DATA = (sizeof(struct tpacket_hdr) + 15) / 16 * 16
}; /* where the frame begins in its slot: TPACKET_ALIGN() */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill(uint8_t *f, uint64_t n)
{
	memset(f, 0, LENGTH);
	memset(f, 0xff, 6);
	f[12] = 8;
	uint8_t *ip = f + 14;
	ip[0] = 0x45;
	ip[3] = LENGTH - 14;
	ip[4] = (uint8_t)(n >> 8);
	ip[5] = (uint8_t)n;
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, "\xc6\x12\x00\x01", 4);
	memcpy(ip + 16, "\xc6\x13\x00\x01", 4);
	ip[20] = (uint8_t)(10 + n % 1000 / 250);
	ip[21] = (uint8_t)(n % 250);
	ip[23] = 53;
	ip[25] = LENGTH - 34;
}

static int ring(const char *iface, uint8_t **map)
{
	struct tpacket_req r = {.tp_block_size = FRAME * FRAMES / 16,
		.tp_block_nr = 16,
		.tp_frame_size = FRAME,
		.tp_frame_nr = FRAMES};
	/* Protocol 0: what others send is not received here. */
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(iface)};
	int s = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	if (s < 0)
		return -1;
	(void)setsockopt(s, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	if (setsockopt(s, SOL_PACKET, PACKET_TX_RING, &r, sizeof(r)) || bind(s, (void *)&a, sizeof(a)))
		return -1;
	*map = mmap(NULL, (size_t)FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	return *map == MAP_FAILED ? -1 : s;
}

/* One thread: a ring of its own, every THREADS-th frame. */
struct sender {
	pthread_t thread;
	uint8_t *map;
	int socket;
	double rate, begin; /* frames a second, when the first is due */
	uint64_t all, first, step, failed;
};

static struct tpacket_hdr *slot(struct sender *s, uint64_t n)
{
	return (void *)(s->map + n % FRAMES * FRAME);
}

/* Waits until the slot is free; a frame that the kernel refused is counted. */
static struct tpacket_hdr *slot_free(struct sender *s, uint64_t n)
{
	struct tpacket_hdr *h = slot(s, n);
	unsigned long status;

	while ((status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE)) != TP_STATUS_AVAILABLE) {
		if (status & TP_STATUS_WRONG_FORMAT) {
			s->failed++;
			break;
		}
		(void)send(s->socket, NULL, 0, 0);
	}
	return h;
}

static void *run(void *self)
{
	struct sender *s = self;

	for (uint64_t n = 0; n < s->all;) {
		while ((now() - s->begin) * s->rate < (double)n)
			;
		for (int k = 0; k < BURST && n < s->all; k++, n++) {
			struct tpacket_hdr *h = slot_free(s, n);
			fill((uint8_t *)h + DATA, n * s->step + s->first);
			h->tp_len = LENGTH;
			__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
		}
		(void)send(s->socket, NULL, 0, MSG_DONTWAIT);
	}
	for (uint64_t n = 0; n < FRAMES; n++)
		(void)slot_free(s, n);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct sender s[THREADS_MAX];
	uint64_t n = argc > 4 ? strtoull(argv[4], NULL, 10) : 1, sent = 0;

	if (argc < 4 || n < 1 || n > THREADS_MAX)
		return 2;
	double rate = strtod(argv[2], NULL), seconds = strtod(argv[3], NULL), begin = now();
	for (uint64_t i = 0; i < n; i++) {
		uint8_t *map = NULL;
		int fd = ring(argv[1], &map);
		if (fd < 0) {
			perror("record_send");
			return 3;
		}
		s[i] = (struct sender){.socket = fd,
			.map = map,
			.rate = rate / (double)n,
			.begin = begin,
			.all = (uint64_t)(rate * seconds) / n,
			.first = i,
			.step = n};
	}
	for (uint64_t i = 0; i < n; i++)
		if (pthread_create(&s[i].thread, NULL, run, &s[i]) != 0)
			return 3;
	for (uint64_t i = 0; i < n; i++) {
		(void)pthread_join(s[i].thread, NULL);
		sent += s[i].all - s[i].failed;
	}
	printf("%llu %.3f\n", (unsigned long long)sent, now() - begin);
	return 0;
}
