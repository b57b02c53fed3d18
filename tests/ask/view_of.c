/* The STIX view that belongs to a bundle: usage view_of FILE
 *
 * Reads a bundle whose stix.json is another's, and prints the one that its claims and trains give: with it a
 * test makes bundles that lie, and agree with themselves.  Nothing is verified. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/view.h"

static void must(enum status s, const struct err *e)
{
	if (s == STATUS_OK)
		return;
	(void)fprintf(stderr, "%s\n", e->text);
	exit((int)s);
}

static struct buf file_read(const char *path)
{
	struct buf b = {0};
	uint8_t piece[65536];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (!f)
		exit(2);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&b, piece, n);
	(void)fclose(f);
	return b;
}

static void view(struct buf *to, const struct bundle *b, struct arena *a)
{
	struct view_claim *claim = arena_array(a, b->n_claim + 1, sizeof(*claim));
	struct statement *said = arena_array(a, b->n_claim + 1, sizeof(*said));
	const struct tar_file **train = arena_array(a, b->n_file + 1, sizeof(*train));
	struct view v = {&b->m, claim, b->n_claim, train, 0, false};
	struct err e;

	for (size_t i = 0; i < b->n_claim; i++) {
		const struct bundle_claim *c = &b->claim[i];
		must(statement_read(&said[i], c->kind, c->body, c->n_body, a, &e), &e);
		claim[i] = (struct view_claim){c->id, c->kind, &said[i]};
	}
	for (size_t i = 0; i < b->n_file; i++)
		if (strncmp(b->sorted[i]->name, "trains/", strlen("trains/")) == 0)
			train[v.n_train++] = b->sorted[i];
	must(view_write(to, &v, &e), &e);
}

int main(int argc, char **argv)
{
	struct arena a = {0};
	struct bundle b;
	struct err e;

	if (argc != 2)
		return 2;
	struct buf file = file_read(argv[1]), out = {0};
	must(bundle_read(&b, file.p, file.n, &a, &e), &e);
	view(&out, &b, &a);
	(void)fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	buf_free(&file);
	arena_free(&a);
	return 0;
}
