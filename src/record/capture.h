/* Captures: pcap and pcapng files (plain, gzip, zstd; "-" is standard input) and live interfaces, as a stream
 * of frames; and the decoder that makes packets of frames. */
#ifndef WEIR_RECORD_CAPTURE_H
#define WEIR_RECORD_CAPTURE_H

#include "base/err.h"
#include "record/flow.h"
#include "record/packet.h"

/* A frame as captured; data stays valid until the next read. */
struct frame {
	const uint8_t *data;
	uint32_t captured, wire; /* bytes captured and on the wire */
	int64_t time_us;
	uint32_t linktype; /* LINKTYPE_ value */
	uint64_t offset;   /* of the record in the file, for messages */
	uint64_t lost; /* packets that the capture itself says it lost just before this one (pcapng, live) */
};

struct capture;

enum capture_got { CAPTURE_FRAME, CAPTURE_SKIPPED, CAPTURE_IDLE, CAPTURE_END, CAPTURE_FAILED };

/* Not a capture at all, wrong version: STATUS_BAD with file and offset.  Unreadable: STATUS_MACHINE.
 * No such file: STATUS_BAD. */
enum status capture_open_file(struct capture **to, const char *path, struct err *e);

/* The same for a file that is open already (for instance before the rights to open it were dropped).  name is
 * for messages.  fd belongs to the capture from here on, also where opening fails. */
enum status capture_open_fd(struct capture **to, int fd, const char *name, struct err *e);

/* Needs CAP_NET_RAW.  filter: BPF text or NULL. */
enum status capture_open_live(struct capture **to, const char *iface, const char *filter, struct err *e);

/* CAPTURE_FRAME: *f is filled.  CAPTURE_SKIPPED: a bad record was passed over; *why says which kind, *e has
 * the line (file, offset, what, what was done).  CAPTURE_IDLE: live or a pipe, nothing within 100 ms or a
 * signal came; a file: still looking for the next record behind damage; call again.  CAPTURE_END: end of
 * file, also when called again; a cut-off last record was reported as SKIPPED (DROP_TRUNCATED) before;
 * f->lost holds what the capture says it lost at a place that is not known (a statistics block at its end).
 * CAPTURE_FAILED: the machine failed (read error, the interface went away); *e is set. */
enum capture_got capture_next(struct capture *c, struct frame *f, enum drop *why, struct err *e);

/* Resolution of the timestamps, the coarsest seen so far (1 for microseconds or finer). */
uint32_t capture_resolution_us(const struct capture *c);
/* Packets lost so far: by the kernel (live), or as the file says (pcapng).  The same losses come as
 * frame.lost. */
uint64_t capture_kernel_drops(struct capture *c);
/* Bytes read so far and the file's size (0 where not known), for progress. */
void capture_progress(const struct capture *c, uint64_t *done, uint64_t *size);
void capture_close(struct capture *c);

/* A BPF filter for frames of any link type (pcap-filter(7)), compiled once per link type.  NULL and *e
 * (STATUS_BAD) where text is no filter. */
struct bpf_filter;
struct bpf_filter *bpf_filter_new(const char *text, struct err *e);
/* False also where the filter has no meaning for the frame's link type (said once in the log). */
bool bpf_filter_match(struct bpf_filter *f, const struct frame *frame);
void bpf_filter_free(struct bpf_filter *f);

/* Decoder state: the fragments whose first part has been seen (bounded). */
struct decoder;
struct decoder *decoder_new(void);
void decoder_free(struct decoder *d);

/* Ethernet, VLAN, QinQ, MPLS, PPPoE, GRE/ERSPAN and VXLAN (inner packet), Linux cooked v1/v2, raw IP, BSD
 * loopback; IPv4 with options, IPv6 with extension headers, fragments.  DROP_NONE: *p is filled.  For ICMP
 * echo the ports are the identifier (both), other ICMP has ports 0. */
enum drop decode(struct decoder *d, const struct frame *f, struct packet *p);

#endif
