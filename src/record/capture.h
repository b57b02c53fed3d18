/* Captures: pcap and pcapng files (plain, gzip, zstd; "-" is standard input) and live interfaces, as a stream of
 * frames; and the decoder that makes packets of frames. */
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
	uint64_t lost;     /* packets that the capture itself says it lost just before this one (pcapng, live) */
};

struct capture;

enum capture_got { CAPTURE_FRAME, CAPTURE_SKIPPED, CAPTURE_IDLE, CAPTURE_END };

/* Not a capture at all, wrong version: STATUS_BAD with file and offset.  Unreadable: STATUS_MACHINE. */
enum status capture_open_file(struct capture **to, const char *path, struct err *e);

/* Needs CAP_NET_RAW.  filter: BPF text or NULL. */
enum status capture_open_live(struct capture **to, const char *iface, const char *filter, struct err *e);

/* CAPTURE_FRAME: *f is filled.  CAPTURE_SKIPPED: a bad record was passed over; *why says which kind, *e has the line
 * (file, offset, what).  CAPTURE_IDLE: live, nothing within 100 ms.  CAPTURE_END: end of file; a cut-off last record
 * was reported as SKIPPED before. */
enum capture_got capture_next(struct capture *c, struct frame *f, enum drop *why, struct err *e);

/* Resolution of the timestamps (1 for microseconds or finer), snap length, kernel drops so far (live). */
uint32_t capture_resolution_us(const struct capture *c);
uint64_t capture_kernel_drops(struct capture *c);
/* Bytes read so far and the file's size (0 where not known), for progress. */
void capture_progress(const struct capture *c, uint64_t *done, uint64_t *size);
void capture_close(struct capture *c);

/* Decoder state: the fragments whose first part has been seen (bounded). */
struct decoder;
struct decoder *decoder_new(void);
void decoder_free(struct decoder *d);

/* Ethernet, VLAN, QinQ, MPLS, PPPoE, GRE/ERSPAN and VXLAN (inner packet), Linux cooked v1/v2, raw IP, BSD loopback;
 * IPv4 with options, IPv6 with extension headers, fragments.  DROP_NONE: *p is filled.  For ICMP echo the ports are
 * the identifier (both), other ICMP has ports 0. */
enum drop decode(struct decoder *d, const struct frame *f, struct packet *p);

#endif
