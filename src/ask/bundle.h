/* A bundle file as it came: the tar, its signed MANIFEST, and what lies in it (doc/bundle-format.md).
 *
 * bundle_read() looks at structure only: one tar, one manifest with one signature, every other file listed
 * and of the hash that the list says, each in its place.  Whose signature it is, and whether what it says is
 * so, is verify.h's. */
#ifndef WEIR_ASK_BUNDLE_H
#define WEIR_ASK_BUNDLE_H

#include "ask/manifest.h"
#include "ask/tar.h"
#include "base/arena.h"

struct bundle_claim {
	struct id id;
	const char *kind;
	const char *body; /* n_body bytes and a zero; the JSON without its kind */
	size_t n_body;
	const struct tar_file *entry, *proof; /* NULL: not there */
};

struct bundle {
	char sha256[65]; /* of the whole file */
	bool inner;      /* it lies in another bundle, and has none in it itself */
	struct manifest m;
	struct note note;                /* MANIFEST's */
	struct tar_file *file, **sorted; /* in their order; by name */
	size_t n_file;
	struct bundle_claim *claim;
	size_t n_claim;
	struct bundle *answer;   /* other networks' answers, forwarded whole; these have none themselves */
	size_t n_answer, n_told; /* and how many claims they have together */
};

#define BUNDLE_CLAIMS  4096  /* of its own */
#define BUNDLE_TOLD    16384 /* those of its answers together */
#define BUNDLE_ANSWERS 64

/* Points into the bytes, the rest in the arena.  STATUS_BAD: not a bundle, and why. */
enum status bundle_read(struct bundle *to, const void *p, size_t n, struct arena *a, struct err *e);

/* A file by its path, NULL where it is not there. */
const struct tar_file *bundle_find(const struct bundle *b, const char *name);
/* The train of this name, NULL where it is not there. */
const struct tar_file *bundle_train(const struct bundle *b, const char *name);
/* The SHA-256 that MANIFEST lists of a file of b (not MANIFEST itself); bundle_read() has compared it. */
const char *bundle_sha256(const struct bundle *b, const struct tar_file *f);

#endif
