/* Prints what the capture readers and the decoder make of files, a line per frame, for decode-vs-tshark and
 * for looking at things: "N time_us frame_len proto src sport dst dport payload seq ack flags vlan ttl ip_id
 * digest", or "N time_us frame_len - drop", and "# ..." for bad records.  With -n: counts and CPU time only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "record/capture.h"

static void print_packet(uint64_t n, const struct packet *p)
{
	char src[IP_TEXT], dst[IP_TEXT];

	(void)printf("%" PRIu64 " %" PRId64 " %u %u %s %u %s %u %u %u %u %u %u %u %u %08x\n", n, p->time_us,
		p->frame_len, p->proto, ip_text(src, &p->src.ip), p->src.port, ip_text(dst, &p->dst.ip),
		p->dst.port, p->payload, p->seq, p->ack, p->tcp_flags, p->vlan, p->ttl,
		p->ip_id_known ? p->ip_id : 0, p->digest);
}

static int dump(const char *path, struct decoder *d, bool quiet)
{
	uint64_t n = 0, bytes = 0, count[DROP_COUNT] = {0};
	struct capture *c;
	struct err e;
	clock_t start = clock();

	if (capture_open_file(&c, path, &e) != STATUS_OK) {
		(void)fprintf(stderr, "%s\n", e.text);
		return (int)e.status;
	}
	for (;;) {
		struct packet p;
		struct frame f;
		enum drop drop = DROP_NONE;
		enum capture_got got = capture_next(c, &f, &drop, &e);
		if (got == CAPTURE_END || got == CAPTURE_FAILED)
			break;
		if (got == CAPTURE_IDLE)
			continue;
		if (got == CAPTURE_FRAME) {
			n++;
			drop = decode(d, &f, &p);
			bytes += f.wire;
		}
		count[drop]++;
		if (quiet)
			continue;
		if (got == CAPTURE_SKIPPED)
			(void)printf("# %s: %s\n", drop_name(drop), e.text);
		else if (drop == DROP_NONE)
			print_packet(n, &p);
		else
			(void)printf(
				"%" PRIu64 " %" PRId64 " %u - %s\n", n, f.time_us, f.wire, drop_name(drop));
	}
	if (quiet) {
		(void)printf("%s: %" PRIu64 " frames, %" PRIu64 " bytes, %.3f s CPU;", path, n, bytes,
			(double)(clock() - start) / CLOCKS_PER_SEC);
		for (int i = 0; i < DROP_COUNT; i++)
			if (count[i])
				(void)printf(" %s %" PRIu64, drop_name((enum drop)i), count[i]);
		(void)printf("\n");
	}
	capture_close(c);
	return 0;
}

int main(int argc, char **argv)
{
	bool quiet = argc > 1 && strcmp(argv[1], "-n") == 0;
	struct decoder *d = decoder_new();
	int status = 0;

	for (int i = quiet ? 2 : 1; d && i < argc; i++) {
		int s = dump(argv[i], d, quiet);
		status = s > status ? s : status;
	}
	decoder_free(d);
	return status;
}
