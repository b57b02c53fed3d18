/* Recording: the pipeline capture -> decode -> flow table -> store (doc/dataflow.md). */
#ifndef WEIR_RECORD_RECORD_H
#define WEIR_RECORD_RECORD_H

#include "base/err.h"
#include "base/world.h"
#include "record/packet.h"
#include "record/store.h"

struct record_sum;

struct record_param {
	const char *dir;
	const char *point;
	const char *filter;         /* BPF text or NULL */
	const struct prefix *never; /* never_record: packets with an end inside are not recorded */
	size_t n_never;
	bool vlan_key;
	size_t max_flows; /* 0: the table's default */
	uint32_t gap_us;  /* 0: BURST_GAP_RECORDED_US */
	uint32_t clock_error_us;
	struct store_keep keep;
	/* Fills in keep->held and n_held before each trim (they live until the next call), since cases are
	 * opened while a recorder runs; NULL: what stands in keep.  After the rights were given up: it sees
	 * DIR only. */
	enum status (*held)(void *self, struct store_keep *keep, struct err *e);
	const volatile int *stop; /* set by a signal handler: finish cleanly */
	/* Progress, about 10 times a second; NULL for none. */
	void (*progress)(void *self, uint64_t done, uint64_t size, const struct record_sum *sum);
	void *self;
};

/* What was done: the JSON of `weir record`. */
struct record_sum {
	uint64_t packets, bytes; /* counted packets and their frame bytes */
	uint64_t flows, bursts;
	int64_t from_us, to_us;       /* first and last counted packet; from > to where there is none */
	uint64_t skipped[DROP_COUNT]; /* records by reason; DROP_TABLE: flows that the bound pushed out early
					 (their packets were counted, what came later is a flow of its own) */
	uint64_t kernel_drops; /* live: packets that the kernel dropped; pcapng: that the file says it lost */
	uint64_t unplaced;     /* of those, lost at a time that nobody knows: not marked as blind */
	uint64_t clock_steps;
	double seconds; /* wall time spent */
};

/* Before the first of several record_file(): from here on the process opens nothing but these files and what
 * is below dir (which exists), and makes no socket and no program.  Of the capabilities that over file
 * permissions stays, for a file may be another user's. */
enum status record_confine(const char *dir, char *const *path, size_t n, struct err *e);

/* Adds to *sum.  A file that is none: STATUS_BAD; a file with bad parts: OK, counted and each kind named in
 * the log. */
enum status record_file(const struct world *w, const struct record_param *p, const char *path,
	struct record_sum *sum, struct err *e);

/* Runs until *stop.  The interface is opened first, then all rights are dropped. */
enum status record_live(const struct world *w, const struct record_param *p, const char *iface,
	struct record_sum *sum, struct err *e);

#endif
