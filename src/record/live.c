/* A live interface: an AF_PACKET ring (packet(7), TPACKET_V3) through libpcap.  Only headers are copied out
 * of the kernel, the filter runs there, and what the kernel had to drop is counted (PACKET_STATISTICS). */
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "record/reader.h"

#define RING_BYTES (64 * 1024 * 1024)
#define WAIT_MS    100
#define SNAP       384  /* link, tunnels, IP and TCP headers */
#define STAT_EVERY 4096 /* frames; also whenever nothing came */

struct live {
	pcap_t *pcap;
	uint32_t linktype;
	uint32_t since;   /* frames since the drops were last asked for */
	uint32_t dropped; /* as the kernel said; wraps */
};

static void live_drops(struct capture *c)
{
	struct live *l = c->state;
	struct pcap_stat st;

	l->since = 0;
	if (pcap_stats(l->pcap, &st) != 0)
		return;
	uint32_t more = st.ps_drop - l->dropped;
	l->dropped = st.ps_drop;
	c->drops += more;
	c->lost += more;
}

/* The next frame as pcap_next_ex() says it, waiting at most WAIT_MS. libpcap itself would wait without an
 * end for a ring of TPACKET_V3 blocks, and neither a signal nor the passing of time would be seen on a
 * quiet interface. */
static int live_wait(struct live *l, struct pcap_pkthdr **head, const uint8_t **data)
{
	struct pollfd fd = {.fd = pcap_get_selectable_fd(l->pcap), .events = POLLIN};
	int r = pcap_next_ex(l->pcap, head, data);

	if (r != 0 || poll(&fd, 1, WAIT_MS) <= 0)
		return r;
	return pcap_next_ex(l->pcap, head, data);
}

static enum capture_got live_next(struct capture *c, struct frame *to, enum drop *why, struct err *e)
{
	struct live *l = c->state;
	struct pcap_pkthdr *head;
	const uint8_t *data;

	(void)why;
	switch (live_wait(l, &head, &data)) {
	case 1:
		break;
	case 0:
		live_drops(c);
		return CAPTURE_IDLE;
	case PCAP_ERROR_BREAK:
		return CAPTURE_END;
	default:
		(void)err_set(e, STATUS_MACHINE, "interface %s: %s", c->name, pcap_geterr(l->pcap));
		return CAPTURE_FAILED;
	}
	if (++l->since >= STAT_EVERY)
		live_drops(c);
	to->data = data;
	to->captured = head->caplen;
	to->wire = head->len > head->caplen ? head->len : head->caplen;
	to->time_us = (int64_t)head->ts.tv_sec * 1000000 + head->ts.tv_usec;
	to->linktype = l->linktype;
	to->offset = 0;
	return CAPTURE_FRAME;
}

static uint64_t live_lost(struct capture *c)
{
	live_drops(c);
	return c->drops;
}

static void live_close(void *state)
{
	struct live *l = state;

	if (l->pcap)
		pcap_close(l->pcap);
	free(l);
}

static const struct reader live_reader = {.next = live_next, .drops = live_lost, .close = live_close};

/* Names come from the command line: only what the kernel could have as one (dev_valid_name()) goes
 * further. */
static bool name_possible(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n >= IFNAMSIZ || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '/' || *s == ':')
			return false;
	return true;
}

static enum status explain(pcap_t *pcap, int code, const char *iface, struct err *e)
{
	switch (code) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(e, STATUS_BAD, "interface %s: there is none of that name", iface);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_set(e, STATUS_MACHINE,
			"interface %s: not permitted: run as root, or give the program the right to capture "
			"with "
			"setcap cap_net_raw+ep (CAP_NET_RAW)",
			iface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(
			e, STATUS_MACHINE, "interface %s: it is down: ip link set %s up", iface, iface);
	default:
		return err_set(e, STATUS_MACHINE, "interface %s: %s: %s", iface, pcap_statustostr(code),
			pcap_geterr(pcap));
	}
}

static enum status set_filter(pcap_t *pcap, const char *text, struct err *e)
{
	struct bpf_program code;

	if (pcap_compile(pcap, &code, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(e, STATUS_BAD, "filter \"%s\": %s", text, pcap_geterr(pcap));
	int r = pcap_setfilter(pcap, &code);
	pcap_freecode(&code);
	return r == 0 ? STATUS_OK : err_set(e, STATUS_MACHINE, "filter \"%s\": %s", text, pcap_geterr(pcap));
}

/* DLT_ values of the machine to LINKTYPE_ values: they differ for raw IP only, of what Linux interfaces
 * have. */
static uint32_t linktype_of(int dlt)
{
	return dlt == DLT_RAW ? 101 : (uint32_t)dlt;
}

static enum status live_start(struct live *l, const char *iface, const char *filter, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	l->pcap = pcap_create(iface, text);
	if (!l->pcap)
		return err_set(e, STATUS_MACHINE, "interface %s: %s", iface, text);
	(void)pcap_set_snaplen(l->pcap, SNAP);
	(void)pcap_set_promisc(l->pcap, 1);
	(void)pcap_set_timeout(l->pcap, WAIT_MS);
	(void)pcap_set_immediate_mode(l->pcap, 0);
	(void)pcap_set_buffer_size(l->pcap, RING_BYTES);
	int r = pcap_activate(l->pcap);
	if (r < 0)
		return explain(l->pcap, r, iface, e);
	if (pcap_setnonblock(l->pcap, 1, text) != 0)
		return err_set(e, STATUS_MACHINE, "interface %s: %s", iface, text);
	l->linktype = linktype_of(pcap_datalink(l->pcap));
	return filter ? set_filter(l->pcap, filter, e) : STATUS_OK;
}

enum status capture_open_live(struct capture **to, const char *iface, const char *filter, struct err *e)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct live *l = calloc(1, sizeof(*l));
	enum status st;

	if (!c || !l) {
		free(c);
		free(l);
		return err_nomem(e);
	}
	c->state = l;
	c->reader = &live_reader;
	c->resolution_us = 1;
	(void)printable(c->name, sizeof(c->name), iface);
	if (!name_possible(iface))
		st = err_set(
			e, STATUS_BAD, "interface %.40s: not a name that an interface can have", c->name);
	else
		st = live_start(l, iface, filter, e);
	if (st != STATUS_OK) {
		capture_close(c);
		return st;
	}
	*to = c;
	return STATUS_OK;
}
