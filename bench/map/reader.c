/* Measures of the reader alone.
 *
 *     reader walk FILE            every record, entry and attribute up to the AS path: GB/s of CPU time, the
 * best of some runs, and how many entries reader unpack FILE THREADS  the file's bytes, decompressed and
 * dropped: wall and CPU seconds, the least of some runs, and how many bytes reader scan FILE            the
 * search for bzip2's magic numbers: GB/s of CPU time */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "map/input.h"
#include "map/input_bits.h"
#include "map/mrt.h"

enum { RUNS = 5, HEAD = 12 };

static double seconds(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct figures {
	double wall, cpu;
	uint64_t bytes, entries, path_bytes;
};

/* False at the end. */
static bool walk_record(struct input *in, struct mrt *m, struct figures *f, struct err *e)
{
	const struct mrt_route *r;
	const uint8_t *p;
	size_t have, n;

	if (input_peek(in, HEAD, &p, &have, e) != STATUS_OK)
		return false;
	size_t size = mrt_size(p, have);
	if (size == 0 || size == SIZE_MAX)
		return false;
	if (have < size && (input_peek(in, size, &p, &have, e) != STATUS_OK || have < size))
		return false;
	if (mrt_record(m, p, size, &r, &n, e) != STATUS_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct rd path, as4;
		if (attr_path(&path, r[i].two_octet ? &as4 : NULL, r[i].attr))
			f->path_bytes += rd_left(&path);
	}
	f->entries += n;
	f->bytes += size;
	input_skip(in, size);
	return true;
}

static enum status walk(struct input *in, struct figures *f, struct err *e)
{
	struct mrt *m = mrt_new();

	if (!m)
		return err_nomem(e);
	while (walk_record(in, m, f, e)) {}
	mrt_free(m);
	return STATUS_OK;
}

static enum status unpack(struct input *in, struct figures *f, struct err *e)
{
	const uint8_t *p;
	size_t n;
	enum status st;

	while ((st = input_peek(in, 1, &p, &n, e)) == STATUS_OK && n > 0) {
		f->bytes += n;
		input_skip(in, n);
	}
	return st;
}

static enum status scan(struct input *in, struct figures *f, struct err *e)
{
	struct bits_finder *finder = malloc(sizeof(*finder));
	const uint8_t *p;
	size_t n;
	uint64_t at;
	enum status st = input_peek(in, 1, &p, &n, e);

	if (st == STATUS_OK && finder) {
		bits_finder_make(finder);
		for (uint64_t from = 0; bits_find(finder, &at, p, n, from); from = at + 1)
			f->entries++;
		f->bytes = n;
	}
	free(finder);
	return st;
}

static const struct {
	const char *name;
	enum status (*run)(struct input *in, struct figures *f, struct err *e);
} works[] = {{"walk", walk}, {"unpack", unpack}, {"scan", scan}};

static enum status once(size_t work, const char *path, unsigned threads, struct figures *f, struct err *e)
{
	struct input *in;
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	enum status st = input_open(&in, path, threads, e);

	*f = (struct figures){0};
	if (st != STATUS_OK)
		return st;
	st = works[work].run(in, f, e);
	input_close(in);
	f->wall = seconds(CLOCK_MONOTONIC) - wall;
	f->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	return st;
}

int main(int argc, char **argv)
{
	struct figures best = {0}, f;
	struct err e;
	size_t work = 0;

	while (argc >= 3 && work < 3 && strcmp(works[work].name, argv[1]) != 0)
		work++;
	if (argc < 3 || work == 3)
		return 2;
	unsigned threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
	for (int i = 0; i < RUNS; i++) {
		if (once(work, argv[2], threads, &f, &e) != STATUS_OK) {
			(void)fprintf(stderr, "reader: %s\n", e.text);
			return 1;
		}
		if (i == 0)
			best = f;
		best.wall = f.wall < best.wall ? f.wall : best.wall;
		best.cpu = f.cpu < best.cpu ? f.cpu : best.cpu;
	}
	printf("%.4f s wall, %.4f s CPU, %llu bytes, %.3f GB/s, %llu entries, %llu path bytes\n", best.wall,
		best.cpu, (unsigned long long)best.bytes, (double)best.bytes / 1e9 / best.cpu,
		(unsigned long long)best.entries, (unsigned long long)best.path_bytes);
	return 0;
}
