/* Measures of the map's tables; CPU time of this process.
 *
 *     measure decode FILE      MRT records decoded and interned: GB/s
 *     measure load DIR FILE    the whole load: CPU seconds
 *     measure open DIR         the atlas opened, best of 20: ms
 *     measure longest DIR      1,000,000 longest matches, IPv4 and IPv6: ns each */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "map/load.h"

enum { LOOKUPS = 1000000, OPENS = 20, RUNS = 5 };

static double seconds(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static int failed(const struct err *e)
{
	(void)fprintf(stderr, "measure: %s\n", e->text);
	return 1;
}

static int decode(const char *path)
{
	struct err e = {0};
	struct input *in;
	const uint8_t *p;
	size_t n, at = 0, size, n_route, n_peer;
	const struct mrt_route *route;
	struct mrt *m = mrt_new();
	struct paths_build *b = paths_build_new();
	uint64_t touched = 0;

	if (!m || !b || input_open(&in, path, 1, &e) != STATUS_OK ||
		input_peek(in, 1, &p, &n, &e) != STATUS_OK)
		return failed(&e);
	for (size_t i = 0; i < n; i += 4096)
		touched += p[i]; /* the file's pages are there, as in any second reading */
	double begin = cpu();
	for (; (size = mrt_size(p + at, n - at)) && size <= n - at; at += size) {
		if (mrt_record(m, p + at, size, &route, &n_route, &e) != STATUS_OK)
			return failed(&e);
		const struct mrt_peer *peer = mrt_peers(m, &n_peer);
		if (paths_build_add(b, route, n_route, peer, n_peer, &e) != STATUS_OK)
			return failed(&e);
	}
	double took = cpu() - begin;
	unsigned long long routes = paths_build_counts(b)->route;
	(void)printf("%.3f %.1f %llu %llu\n", (double)at / took / 1e9, took * 1e9 / (double)routes, routes,
		(unsigned long long)touched & 0);
	paths_build_free(b);
	mrt_free(m);
	input_close(in);
	return 0;
}

static int load(const char *dir, const char *path)
{
	struct load_file f = {.path = path};
	struct err e = {0};
	double begin = cpu(), wall = seconds(CLOCK_MONOTONIC);

	if (map_load(dir, &world_real, &f, 1, 2, NULL, &e) != STATUS_OK)
		return failed(&e);
	(void)printf("%.3f %.3f %llu\n", cpu() - begin, seconds(CLOCK_MONOTONIC) - wall,
		(unsigned long long)f.mrt.route);
	return 0;
}

static int open_atlas(const char *dir)
{
	struct atlas a;
	struct err e = {0};
	double best = 1e9;

	for (int i = 0; i < OPENS; i++) {
		double begin = seconds(CLOCK_MONOTONIC);
		if (atlas_open(&a, dir, NULL, &e) != STATUS_OK)
			return failed(&e);
		double took = seconds(CLOCK_MONOTONIC) - begin;
		best = took < best ? took : best;
		atlas_close(&a);
	}
	(void)printf("%.2f\n", best * 1e3);
	return 0;
}

static struct ip *addresses(const struct paths *p, uint8_t v)
{
	struct ip *ip = calloc(LOOKUPS, sizeof(*ip));
	uint64_t x = 88172645463325252;

	for (size_t i = 0; ip && i < LOOKUPS; i++) {
		uint8_t b[16];
		for (int k = 0; k < 16; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			b[k] = (uint8_t)(x >> 32);
		}
		if (v == 4 && i % 2) {
			ip[i] = ip_v4(b);
			continue;
		}
		/* below a random prefix of the table: a random 128-bit number is in no network */
		struct map_prefix q;
		do {
			x = x * 6364136223846793005u + 1442695040888963407u;
			q = p->prefix[(x >> 20) % p->n_prefix];
		} while (q.v != v);
		struct prefix is = map_prefix_ip(&q);
		memcpy(b, is.ip.b, (is.len + 7U) / 8);
		ip[i] = v == 4 ? ip_v4(b) : ip_v6(b);
	}
	return ip;
}

static double lookups(const struct paths *p, uint8_t v, size_t *found)
{
	struct ip *ip = addresses(p, v);
	double best = 1e9;

	for (int r = 0; ip && r < RUNS; r++) {
		double begin = cpu();
		*found = 0;
		for (size_t i = 0; i < LOOKUPS; i++)
			*found += paths_longest(p, &ip[i]) != NO_INDEX32;
		double took = cpu() - begin;
		best = took < best ? took : best;
	}
	free(ip);
	return best * 1e9 / LOOKUPS;
}

static int longest(const char *dir)
{
	struct atlas a;
	struct err e = {0};
	size_t found4 = 0, found6 = 0;

	if (atlas_open(&a, dir, NULL, &e) != STATUS_OK)
		return failed(&e);
	double v4 = lookups(a.paths[0], 4, &found4), v6 = lookups(a.paths[0], 6, &found6);
	(void)printf("%.1f %.1f %zu %zu\n", v4, v6, found4, found6);
	atlas_close(&a);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "decode") == 0)
		return decode(argv[2]);
	if (argc == 4 && strcmp(argv[1], "load") == 0)
		return load(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "open") == 0)
		return open_atlas(argv[2]);
	if (argc == 3 && strcmp(argv[1], "longest") == 0)
		return longest(argv[2]);
	return 2;
}
