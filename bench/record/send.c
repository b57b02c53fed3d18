/* Sends UDP frames at a steady rate through a PACKET_MMAP ring: send IFACE RATE SECONDS.  Prints how many went out and
 * in what time.  1000 flows, 200 bytes each. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAME = 512, FRAMES = 4096, LENGTH = 200, BURST = 64 };

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
	struct tpacket_req r = { .tp_block_size = FRAME * FRAMES / 16, .tp_block_nr = 16, .tp_frame_size = FRAME,
		.tp_frame_nr = FRAMES };
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)if_nametoindex(iface) };
	int s = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	(void)setsockopt(s, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	if (s < 0 || setsockopt(s, SOL_PACKET, PACKET_TX_RING, &r, sizeof(r)) || bind(s, (void *)&a, sizeof(a)))
		return -1;
	*map = mmap(NULL, (size_t)FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	return *map == MAP_FAILED ? -1 : s;
}

int main(int argc, char **argv)
{
	uint8_t *map = NULL;
	int s = argc == 4 ? ring(argv[1], &map) : -1;

	if (s < 0) {
		perror("send");
		return 3;
	}
	double rate = atof(argv[2]), seconds = atof(argv[3]), begin = now();
	uint64_t n = 0, all = (uint64_t)(rate * seconds);
	while (n < all) {
		while ((now() - begin) * rate < (double)n)
			;
		for (int k = 0; k < BURST && n < all; k++) {
			struct tpacket_hdr *h = (void *)(map + n % FRAMES * FRAME);
			while (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
				(void)send(s, NULL, 0, 0);
			fill((uint8_t *)h + TPACKET_HDRLEN - sizeof(struct sockaddr_ll), n);
			h->tp_len = LENGTH;
			__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
			n++;
		}
		(void)send(s, NULL, 0, MSG_DONTWAIT);
	}
	(void)send(s, NULL, 0, 0);
	printf("%llu %.3f\n", (unsigned long long)n, now() - begin);
	return 0;
}
