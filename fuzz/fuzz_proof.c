/* Offline proofs and checkpoints: what parses is written again byte for byte, but for extra data (a proof's)
 * and extension lines (a checkpoint's), which are passed over. */
#include <stdlib.h>
#include <string.h>

#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define LOG "log.example/a+4345d7e4+AXm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk"

static void proof_same(const struct tlog_proof *proof, const uint8_t *p, size_t n)
{
	static const char extra[] = "c2sp.org/tlog-proof@v1\nextra ";
	struct buf b = {0};

	tlog_proof_write(&b, proof);
	if (n < sizeof(extra) - 1 || memcmp(p, extra, sizeof(extra) - 1) != 0)
		if (b.n != n || memcmp(b.p, p, n) != 0)
			abort();
	buf_free(&b);
}

static void checkpoint_same(const uint8_t *p, size_t n)
{
	struct checkpoint c;
	struct buf b = {0};
	struct err e;

	if (checkpoint_parse(&c, (const char *)p, n, &e) != STATUS_OK)
		return;
	checkpoint_write(&b, &c);
	if (b.n > n || memcmp(b.p, p, b.n) != 0)
		abort();
	buf_free(&b);
}

/* The corpus has a proof of this entry that the log signed. */
static void judged(const struct tlog_proof *proof)
{
	struct policy policy;
	struct checkpoint c;
	struct vkey log;
	struct err e;

	if (vkey_parse(&log, LOG, &e) != STATUS_OK)
		abort();
	policy_of_log(&policy, &log);
	if (tlog_proof_verify(proof, &policy, "entry 6\n", 8, &c, &e) == STATUS_OK &&
		(c.size != 11 || proof->index != 6))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tlog_proof proof;
	struct err e;

	checkpoint_same(p, n);
	if (tlog_proof_parse(&proof, (const char *)p, n, &e) == STATUS_OK) {
		proof_same(&proof, p, n);
		judged(&proof);
	}
	return 0;
}
