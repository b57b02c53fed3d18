/* The bare libpcap read loop that `weir record` is measured against: record_loop FILE.  Every packet is read
 * and its length added, nothing else. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned long long n = 0, bytes = 0;
	pcap_t *p = argc > 1 ? pcap_open_offline(argv[1], error) : NULL;

	if (!p)
		return 2;
	while (pcap_next_ex(p, &h, &data) == 1) {
		n++;
		bytes += h->len + data[0];
	}
	pcap_close(p);
	printf("%llu packets %llu bytes\n", n, bytes);
	return 0;
}
