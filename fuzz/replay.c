/* Runs every file of the directories (or files) given through the fuzz target it is linked with: the corpus
 * as a test, without libFuzzer.  TAP is not spoken: any fault aborts. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int replay_file(const char *path, size_t n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(n + 1);
	int ok = f && data && fread(data, 1, n, f) == n;

	if (ok) {
		/* Moved to the end of its block, so that a checker sees a read beyond the end. */
		uint8_t *exact = malloc(n ? n : 1);
		if (exact) {
			memcpy(exact, data, n);
			(void)LLVMFuzzerTestOneInput(exact, n);
		}
		free(exact);
	} else {
		(void)fprintf(stderr, "%s: cannot read\n", path);
	}
	free(data);
	if (f)
		(void)fclose(f);
	return ok;
}

/* The number of files replayed, or -1. */
static long replay(const char *path)
{
	struct stat st;
	long sum = 0;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, (size_t)st.st_size) ? 1 : -1;
	DIR *d = opendir(path);
	if (!d)
		return -1;
	for (struct dirent *e; sum >= 0 && (e = readdir(d));) {
		char sub[4096];
		if (e->d_name[0] == '.')
			continue;
		int n = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		long k = n > 0 && (size_t)n < sizeof(sub) ? replay(sub) : -1;
		sum = k < 0 ? -1 : sum + k;
	}
	(void)closedir(d);
	return sum;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		long n = replay(argv[i]);
		if (n < 0)
			return 1;
		(void)printf("%s: %ld replayed\n", argv[i], n);
	}
	return argc > 1 ? 0 : 2;
}
