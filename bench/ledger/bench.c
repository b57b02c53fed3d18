/* How fast the ledger is, beside the disk it stands on, in one run: usage bench DIR ENTRIES
 *
 * Appends at batch 1 and 8192 against a bare pwrite and fdatasync of the same bytes to a file of their own,
 * in turn, so that both meet the same disk.  Then a ledger of ENTRIES entries of about 150 bytes: how long it
 * takes to open for signing and for reading, to check from its bytes, to prove.  The files are warm: they
 * were just written or read.  Prints what, the figure, what it is held against and whether it is met. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger/ledger.h"

#define ENTRY      150
#define OPEN_LIMIT 0.100
#define OPENINGS   15

static struct err e;

static void must(enum status s)
{
	if (s == STATUS_OK)
		return;
	(void)fprintf(stderr, "ledger bench: %s\n", e.text);
	exit(1);
}

static double now(void)
{
	return (double)world_real.mono(NULL).us / 1e6;
}

static size_t entry(char to[ENTRY + 64], uint64_t i)
{
	int n = snprintf(to, ENTRY + 64,
		"{\"v\":1,\"kind\":\"claim\",\"id\":\"%032llx\",\"n\":%llu,\"fill\":\"",
		(unsigned long long)(i * 0x9e3779b97f4a7c15U), (unsigned long long)i);

	for (; n < ENTRY - 2; n++)
		to[n] = (char)('a' + n % 26);
	to[n++] = '"';
	to[n++] = '}';
	return (size_t)n;
}

static void append(struct ledger *l, uint64_t *i, unsigned batch)
{
	char text[ENTRY + 64];
	uint64_t index;

	for (unsigned k = 0; k < batch; k++, (*i)++)
		must(ledger_append(l, text, entry(text, *i), &index, &e));
}

/* Seconds of one bare write of n bytes at the end of fd. */
static double raw(int fd, const char *bytes, size_t n, off_t *at)
{
	double t = now();

	if (pwrite(fd, bytes, n, *at) != (ssize_t)n || fdatasync(fd) != 0)
		exit(1);
	*at += (off_t)n;
	return now() - t;
}

static void appends(const char *dir, unsigned batch, unsigned rounds)
{
	struct ledger *l;
	char path[4096], *bytes = malloc((size_t)batch * (ENTRY + 2));
	double disk = 0, commit = 0, whole = now();
	uint64_t i = 0;
	off_t at = 0;

	(void)snprintf(path, sizeof(path), "%s/raw", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || !bytes)
		exit(1);
	memset(bytes, 'x', (size_t)batch * (ENTRY + 2));
	must(ledger_open(&l, &world_real, dir, LEDGER_SIGN, &e));
	for (unsigned r = 0; r < rounds; r++) {
		disk += raw(fd, bytes, (size_t)batch * (ENTRY + 2), &at);
		double t = now();
		append(l, &i, batch);
		must(ledger_commit(l, &e));
		commit += now() - t;
	}
	must(ledger_close(l, &e));
	whole = now() - whole - disk;
	(void)close(fd);
	(void)unlink(path);
	free(bytes);
	double n = (double)batch * rounds;
	(void)printf(
		"batch %4u: %9.0f appends/s acknowledged, %9.0f/s with all tiles and the signed head; bare "
		"pwrite and fdatasync of the same bytes %9.0f/s: %.2f and %.2f of it\n",
		batch, n / commit, n / whole, n / disk, disk / commit, disk / whole);
}

/* CPU seconds of this process, all threads. */
static double cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void openings(const char *dir, enum ledger_mode mode, const char *what)
{
	double t[OPENINGS], used = cpu();
	struct ledger *l;

	for (int i = 0; i < OPENINGS; i++) {
		t[i] = now();
		must(ledger_open(&l, &world_real, dir, mode, &e));
		t[i] = now() - t[i];
		must(ledger_close(l, &e));
	}
	used = (cpu() - used) / OPENINGS;
	qsort(t, OPENINGS, sizeof(t[0]), order);
	(void)printf(
		"open %s: %.1f ms (median of %d, least %.1f, most %.1f; CPU %.1f ms); limit %.0f ms: %s\n",
		what, t[OPENINGS / 2] * 1e3, OPENINGS, t[0] * 1e3, t[OPENINGS - 1] * 1e3, used * 1e3,
		OPEN_LIMIT * 1e3, t[OPENINGS / 2] < OPEN_LIMIT ? "met" : "NOT MET");
}

static void proofs(const char *dir, uint64_t size)
{
	struct ledger *l;
	struct buf b = {0};
	const unsigned n = 2000;
	uint64_t at = 1;

	must(ledger_open(&l, &world_real, dir, LEDGER_READ, &e));
	double t = now();
	for (unsigned i = 0; i < n; i++) {
		at = at * 6364136223846793005U + 1442695040888963407U;
		b.n = 0;
		must(ledger_proof(l, (at >> 33) % size, &b, &e));
	}
	(void)printf("proof of an entry anywhere: %.0f us\n", (now() - t) / n * 1e6);
	buf_free(&b);
	must(ledger_close(l, &e));
}

static void large(const char *dir, uint64_t entries)
{
	struct ledger *l;
	struct ledger_report r;
	uint64_t i = 0;

	must(ledger_open(&l, &world_real, dir, LEDGER_SIGN, &e));
	double t = now();
	for (i = ledger_head(l)->size; i < entries;) {
		append(l, &i, entries - i < 8192 ? (unsigned)(entries - i) : 8192);
		must(ledger_commit(l, &e));
	}
	must(ledger_close(l, &e));
	(void)printf("a ledger of %llu entries of %d bytes: made in %.1f s\n", (unsigned long long)entries,
		ENTRY, now() - t);
	openings(dir, LEDGER_SIGN, "for signing, every stored byte checked");
	openings(dir, LEDGER_READ, "for reading");
	t = now();
	must(ledger_check(&r, &world_real, dir, false, &e));
	(void)printf("check, every hash made again: %.2f s for %.0f MB\n", now() - t, (double)r.bytes / 1e6);
	proofs(dir, entries);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	must(keys_init(&world_real, argv[1], "example.com/bench", &e));
	appends(argv[1], 1, 500);
	appends(argv[1], 8192, 24);
	large(argv[1], strtoull(argv[2], NULL, 10));
	return 0;
}
