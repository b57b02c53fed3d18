/* Policies: a refusal names the line; what parses is bounded, and its groups stand behind their members. */
#include <stdlib.h>
#include <string.h>

#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A checkpoint that log.example/a and witness.example/w signed (corpus/note/cosigned is the same). */
static const char note[] =
	"log.example/a\n"
	"11\n"
	"Y/HkTXQth8YK3kDoFe+ugbzy2nVSStXge0pA9KYm00c=\n"
	"\n"
	"\xe2\x80\x94 log.example/a "
	"Q0XX5HHnrA5GxYiHI3jNQ/GpAqj4iT995O7EIbwiG9l16tgrRvdjf83xwuKCZbfeL/FOhZFzujj9ksEPB6JbT97b5Qc=\n"
	"\xe2\x80\x94 witness.example/w "
	"1GfiIgAAAABkGFDLkm8DJFiGqd7xl7AnEohyHBEciCrhFYM8gn9KlEDOANfUcvJzYeufG5MFvFtWwLtcRboZo8rO7jY05Cjlle60"
	"CA==\n";

static void member_check(const struct policy *p, size_t k)
{
	const struct policy_member *m = &p->member[k];

	if (m->name[0] == '\0' || strcmp(m->name, "none") == 0)
		abort();
	if (!m->group)
		return;
	if (m->member >> k != 0 || m->need == 0 || m->need > (unsigned)__builtin_popcountll(m->member))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct policy policy;
	struct checkpoint c;
	struct err e;

	if (policy_parse(&policy, (const char *)p, n, &e) != STATUS_OK) {
		if (e.status != STATUS_BAD ||
			(strncmp(e.text, "policy line ", 12) != 0 && strncmp(e.text, "no policy: ", 11) != 0))
			abort();
		return 0;
	}
	if (policy.n_log > POLICY_MEMBERS || policy.n_member > POLICY_MEMBERS ||
		policy.quorum >= (int)policy.n_member)
		abort();
	for (size_t k = 0; k < POLICY_MEMBERS && k < policy.n_member; k++)
		member_check(&policy, k);
	if (policy_verify(&policy, note, sizeof(note) - 1, &c, &e) == STATUS_OK && policy.n_log == 0)
		abort();
	return 0;
}
