/* Text tables line by line, each into its sheet: AS relationships, delegations, prefix-to-origin lists,
 * names. */
#ifndef WEIR_MAP_TEXT_H
#define WEIR_MAP_TEXT_H

#include "map/input.h"
#include "map/sheet.h"

enum text_kind {
	TEXT_NONE,      /* none of them */
	TEXT_AS_REL,    /* CAIDA serial-1 "a|b|rel", serial-2 "a|b|rel|source" */
	TEXT_DELEGATED, /* RIR delegated and delegated-extended */
	TEXT_ORIGINS, /* "192.0.2.0/24<tab>64500" (pyasn), "192.0.2.0<tab>24<tab>64500[_64501][,64502]" (CAIDA
			 pfx2as) */
	TEXT_AS_ORG,  /* CAIDA as2org "# format:aut|changed|..." */
	TEXT_AS_NAMES, /* RIPE asn.txt: "64500 NAME Description, CC" */
	TEXT_KINDS
};
extern const char *const text_kind_text[];

/* What the first bytes look like. */
enum text_kind text_looks(const uint8_t *p, size_t n);

/* line is all that was read; kept + twice + both_ways + bad + nobodys of them said something, the rest are
 * comments, headers and sums. */
struct text_counts {
	uint64_t line, kept, bad, twice; /* lines read, taken, not understood, said before */
	uint64_t both_ways;              /* relationships said in both directions */
	uint64_t nobodys;                /* delegations to nobody: available, reserved */
	uint64_t first_bad;              /* number of the first line not understood; 0: none */
	bool cut; /* the last line was cut off with the file, and is not taken (nor counted) */
};
enum sheet_kind text_sheet(enum text_kind k);
/* Reads the input to its end into the sheet that was begun with text_sheet(k)'s kind.  `progress` is called
 * now and then.  STATUS_NO: it said stop.  STATUS_BAD: nothing in it could be used; STATUS_MACHINE. */
enum status text_load(struct sheet_out *o, enum text_kind k, struct input *in, struct text_counts *c,
	bool (*progress)(void *self), void *self, struct err *e);

#endif
