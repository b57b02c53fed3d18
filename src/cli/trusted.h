/* What a reader of bundles brings: the keys that he trusts, his policy, his own name, and the ids that came
 * before.  All of it is read before the process gives up its rights and looks at the first hostile byte. */
#ifndef WEIR_CLI_TRUSTED_H
#define WEIR_CLI_TRUSTED_H

#include "ask/verify.h"
#include "case/logged.h"
#include "cli/app.h"

struct trusted {
	struct trust trust; /* for verify_bundle(); points into this */
	struct arena arena;
	struct vkey *key;
	struct policy *policy;
	struct exchange *sent; /* requests that were sent from here */
	size_t n_sent;
};

/* key: of --key; policy: a file, NULL for none; with_dir: also DIR's partner keys, own key, and ids seen (DIR
 * is not made where it is not there). alpha 0: the configuration's. */
enum status trusted_load(struct trusted *to, struct app *a, const struct texts *key, const char *policy,
	bool with_dir, double alpha, struct err *e);
/* Whoever was asked by key is trusted with the answer to that request, and with nothing else. */
void trusted_pin(struct trusted *t, const struct manifest *m);
void trusted_free(struct trusted *t);

/* A whole file of at most TAR_BYTES, "-" for standard input.  STATUS_BAD: it is longer, or no file. */
enum status bundle_file(struct buf *to, const char *path, struct err *e);

#endif
