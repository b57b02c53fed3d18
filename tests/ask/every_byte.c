/* A bundle with one byte changed never holds: usage every_byte FILE SEED VKEY...
 *
 * Tries every position with three changes (the lowest bit, the highest, one drawn at random) through
 * bundle_read() and verify_bundle(), as `weir verify --key VKEY... FILE` would.  Prints how many were tried;
 * exit status 1 with the position where one held, or where the bundle itself did not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/verify.h"
#include "base/world.h"

static bool holds(const struct trust *t, const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct bundle b;
	struct verified v = {.good = false};
	struct err e;
	bool good = bundle_read(&b, p, n, &a, &e) == STATUS_OK &&
		    verify_bundle(&v, &b, t, &a, &e) == STATUS_OK && v.good;

	arena_free(&a);
	return good;
}

static size_t file_read(uint8_t *to, size_t most, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(to, 1, most, f) : 0;

	if (f)
		(void)fclose(f);
	return n;
}

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int try_all(const struct trust *t, uint8_t *p, size_t n, uint64_t seed)
{
	size_t tried = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t change[] = {0x01, 0x80, (uint8_t)(1 + draw(&seed) % 255)};
		for (size_t k = 0; k < sizeof(change); k++, tried++) {
			p[i] ^= change[k];
			bool good = holds(t, p, n);
			p[i] ^= change[k];
			if (good)
				return printf("byte %zu changed by %02x, and it holds\n", i, change[k]), 1;
		}
	}
	return printf("%zu changes of %zu bytes\n", tried, n), 0;
}

int main(int argc, char **argv)
{
	static uint8_t file[1 << 20];
	struct vkey key[16];
	struct trust t = {.key = key, .now = world_real.now(world_real.self), .alpha = 1e-6};
	struct err e;

	if (argc < 4 || argc > 3 + (int)(sizeof(key) / sizeof(key[0])))
		return 2;
	size_t n = file_read(file, sizeof(file), argv[1]);
	for (int i = 3; i < argc; i++)
		if (vkey_parse(&key[t.n_key++], argv[i], &e) != STATUS_OK)
			return 2;
	if (!holds(&t, file, n))
		return printf("the bundle does not hold as it is\n"), 1;
	return try_all(&t, file, n, strtoull(argv[2], NULL, 10));
}
