/* A BPF filter (pcap-filter(7)) for frames from files: libpcap compiles the text once per link type.  Live
 * captures filter in the kernel instead (live.c). */
#include <pcap/pcap.h>
#include <stdlib.h>

#include "base/log.h"
#include "record/capture.h"

struct program {
	struct program *next;
	uint32_t linktype;
	bool usable;
	struct bpf_program code;
};

struct bpf_filter {
	struct program *program; /* the one used last stands first */
	char text[];
};

/* LINKTYPE_ values differ from libpcap's DLT_ values only for raw IP (pcap-common.c), which has been 14
 * too. */
static int dlt_of(uint32_t linktype)
{
	return linktype == 101 || linktype == 14 ? DLT_RAW : (int)linktype;
}

static bool compile(struct bpf_program *to, const char *text, uint32_t linktype, struct err *e)
{
	pcap_t *dead = pcap_open_dead(dlt_of(linktype), 262144);
	bool ok = false;

	if (!dead)
		return err_nomem(e) == STATUS_OK;
	ok = pcap_compile(dead, to, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!ok)
		(void)err_set(e, STATUS_BAD, "filter \"%s\": %s", text, pcap_geterr(dead));
	pcap_close(dead);
	return ok;
}

struct bpf_filter *bpf_filter_new(const char *text, struct err *e)
{
	struct program *p = calloc(1, sizeof(*p));
	struct bpf_filter *f = malloc(sizeof(*f) + strlen(text) + 1);

	if (!p || !f) {
		(void)err_nomem(e);
		goto fail;
	}
	memcpy(f->text, text, strlen(text) + 1);
	p->linktype = 1;
	p->usable = true;
	if (!compile(&p->code, text, p->linktype, e))
		goto fail;
	f->program = p;
	return f;
fail:
	free(p);
	free(f);
	return NULL;
}

static struct program *program_for(struct bpf_filter *f, uint32_t linktype)
{
	struct program **at = &f->program, *p;
	struct err e;

	for (; *at; at = &(*at)->next) {
		if ((*at)->linktype != linktype)
			continue;
		p = *at;
		*at = p->next;
		goto first;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->linktype = linktype;
	p->usable = compile(&p->code, f->text, linktype, &e);
	if (!p->usable)
		log_line("link type %u: %s: none of its packets pass", linktype, e.text);
first:
	p->next = f->program;
	f->program = p;
	return p;
}

bool bpf_filter_match(struct bpf_filter *f, const struct frame *frame)
{
	struct program *p = f->program;

	if (p->linktype != frame->linktype)
		p = program_for(f, frame->linktype);
	if (!p || !p->usable)
		return false;
	struct pcap_pkthdr head = {.caplen = frame->captured, .len = frame->wire};
	return pcap_offline_filter(&p->code, &head, frame->data) != 0;
}

void bpf_filter_free(struct bpf_filter *f)
{
	if (!f)
		return;
	for (struct program *p = f->program, *next; p; p = next) {
		next = p->next;
		if (p->usable)
			pcap_freecode(&p->code);
		free(p);
	}
	free(f);
}
