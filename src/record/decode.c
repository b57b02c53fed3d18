/* A captured frame to a packet: addresses, ports, payload length, flags, all from the innermost headers.  The
 * layers are in link.c, network.c, transport.c and tunnel.c; each takes its header off (dissect.h) and calls
 * the next. */
#include <stdlib.h>

#include "record/dissect.h"

struct decoder *decoder_new(void)
{
	return calloc(1, sizeof(struct decoder));
}

void decoder_free(struct decoder *d)
{
	free(d);
}

enum drop decode(struct decoder *d, const struct frame *f, struct packet *p)
{
	struct dissect x = {
		.r = rd_of(f->data, f->captured),
		.wire = f->wire > f->captured ? f->wire : f->captured,
		.decoder = d,
		.p = p,
	};

	p->time_us = f->time_us;
	p->frame_len = x.wire;
	p->vlan = 0;
	return decode_link(&x, f->linktype);
}
