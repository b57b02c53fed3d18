/* The entries of an MRT file as `bgpdump -m` prints them, by src/map/input.c, mrt.c and attr.c: for the
 * script mrt-vs-bgpdump, which compares both line by line.  All attributes that bgpdump prints are formatted
 * here from attrs_read(), the AS path from its segments (attr_path_list() is a reduced form and is tested
 * elsewhere). Last, on standard error, what was left out and how the file ended. */
#include <stdio.h>
#include <stdlib.h>

#include "map/input.h"
#include "map/mrt.h"

#define HEAD_SIZE 12

struct dump {
	struct mrt *m;
	const struct mrt_peer *peer;
	uint16_t type, subtype;
};

static const char *const segment_open[] = {"", "{", "", "(", "["}, *const segment_close[] = {
									   "", "}", "", ")", "]"};
static const char *const segment_between[] = {"", ",", " ", " ", ","};

static size_t path_length(struct rd r, size_t octets)
{
	size_t n = 0;

	while (rd_left(&r) > 0) {
		uint8_t type = rd_u8(&r), count = rd_u8(&r);
		rd_skip(&r, count * octets);
		n += type == 2 ? count : type == 1;
	}
	return n;
}

/* At most `most` of the path's length, which RFC 6793, 4.2.3 takes from its beginning. */
static void path_print(struct rd r, size_t octets, size_t most, bool first)
{
	while (rd_left(&r) > 0 && most > 0) {
		uint8_t type = rd_u8(&r), count = rd_u8(&r);
		printf("%s%s", first ? "" : " ", segment_open[type]);
		first = false;
		for (uint8_t i = 0; i < count; i++) {
			uint32_t as = octets == 4 ? rd_be32(&r) : rd_be16(&r);
			if (type == 2 && most-- == 0)
				return;
			printf("%s%u", i ? segment_between[type] : "", as);
		}
		most -= type == 1;
		printf("%s", segment_close[type]);
	}
}

static void path_text(const struct attrs *a, bool two_octet)
{
	struct rd path, as4 = a->at[ATTR_AS4_PATH], aggregator = a->at[ATTR_AGGREGATOR];

	path = a->at[ATTR_AS_PATH];
	if (!two_octet) {
		path_print(path, 4, SIZE_MAX, true);
		return;
	}
	if (rd_left(&aggregator) == 6 && rd_be16(&aggregator) != AS_TRANS)
		as4 = (struct rd){0};
	size_t n = path_length(path, 2), n4 = path_length(as4, 4);
	if (n4 > n || n4 == 0) {
		path_print(path, 2, SIZE_MAX, true);
		return;
	}
	path_print(path, 2, n - n4, true);
	path_print(as4, 4, n4, n == n4);
}

static uint32_t number(const struct attrs *a, enum attr_type t)
{
	struct rd r = a->at[t];

	return rd_be32(&r);
}

static void origin_text(const struct attrs *a)
{
	static const char *const name[] = {"IGP", "EGP", "INCOMPLETE"};
	struct rd r = a->at[ATTR_ORIGIN];
	uint8_t v = r.p ? rd_u8(&r) : 2; /* without one bgpdump says INCOMPLETE */

	printf("|%s|", v < 3 ? name[v] : "");
}

/* Of a table the next hop alone (RFC 6396, 4.3.4), unless a router wrote the whole attribute, which begins
 * with a zero octet; of an update the whole. */
static void next_hop_text(const struct attrs *a, const struct mrt_route *r)
{
	char text[IP_TEXT];
	struct rd mp = a->at[ATTR_MP_REACH], nh = a->at[ATTR_NEXT_HOP];
	struct ip ip = {0};

	if (r->prefix.ip.v == 6 && mp.p) {
		if (!r->table_dump_v2 || (rd_left(&mp) > 0 && mp.p[0] == 0))
			rd_skip(&mp, 3);
		uint8_t n = rd_u8(&mp);
		const uint8_t *p = rd_take(&mp, n >= 16 ? 16 : 4);
		if (p)
			ip = n >= 16 ? ip_v6(p) : ip_v4(p);
	} else if (rd_left(&nh) >= 4) {
		ip = ip_v4(nh.p);
	}
	printf("%s", ip.v ? ip_text(text, &ip) : "255.255.255.255");
}

static void communities_text(const struct attrs *a)
{
	struct rd r = a->at[ATTR_COMMUNITIES];

	for (bool first = true; rd_left(&r) >= 4; first = false) {
		uint32_t c = rd_be32(&r);
		printf("%s", first ? "" : " ");
		if (c == 0xffffff01)
			printf("no-export");
		else if (c == 0xffffff02)
			printf("no-advertise");
		else if (c == 0xffffff03)
			printf("local-AS");
		else
			printf("%u:%u", c >> 16, c & 0xffff);
	}
}

static void aggregator_text(const struct attrs *a)
{
	char text[IP_TEXT];
	struct rd r = a->at[ATTR_AGGREGATOR], r4 = a->at[ATTR_AS4_AGGREGATOR];
	bool eight = rd_left(&r) == 8;

	if (!r.p)
		return;
	uint32_t as = eight ? rd_be32(&r) : rd_be16(&r);
	if (as == AS_TRANS && r4.p) {
		as = rd_be32(&r4);
		r = r4;
	}
	const uint8_t *p = rd_take(&r, 4);
	if (p) {
		struct ip ip = ip_v4(p);
		printf("%u %s", as, ip_text(text, &ip));
	}
}

static void line_head(const struct dump *d, const struct mrt_route *r)
{
	char ip[IP_TEXT], prefix[PREFIX_TEXT];
	const struct mrt_peer *p = &d->peer[r->peer];
	int64_t us = mrt_time(d->m).us;
	bool add_path = d->subtype >= 8;
	bool table = d->type == 12 || d->type == 13;

	if (table)
		printf("%s%s|%lld|B|", d->type == 12 ? "TABLE_DUMP" : "TABLE_DUMP2", add_path ? "_AP" : "",
			(long long)(us / SECOND_US));
	else if (d->type == 17)
		printf("BGP4MP_ET|%lld.%06lld|%c|", (long long)(us / SECOND_US), (long long)(us % SECOND_US),
			r->withdrawn ? 'W' : 'A');
	else
		printf("BGP4MP|%lld|%c|", (long long)(us / SECOND_US), r->withdrawn ? 'W' : 'A');
	printf("%s|%u|%s", ip_text(ip, &p->ip), p->asn, prefix_text(prefix, &r->prefix));
	if (add_path)
		printf("|%u", r->path_id);
}

static void line(const struct dump *d, const struct mrt_route *r)
{
	struct attrs a;

	line_head(d, r);
	if (r->withdrawn) {
		printf("\n");
		return;
	}
	(void)attrs_read(&a, r->attr);
	printf("|");
	path_text(&a, r->two_octet);
	origin_text(&a);
	next_hop_text(&a, r);
	printf("|%u|%u|", number(&a, ATTR_LOCAL_PREF), number(&a, ATTR_MED));
	communities_text(&a);
	printf("|%s|", a.present >> ATTR_ATOMIC_AGGREGATE & 1 ? "AG" : "NAG");
	aggregator_text(&a);
	printf("|\n");
}

/* One record; false at the end. */
static bool record(struct dump *d, struct input *in, struct err *e)
{
	const struct mrt_route *r;
	const uint8_t *p;
	size_t have, n;

	if (input_peek(in, HEAD_SIZE, &p, &have, e) != STATUS_OK)
		return false;
	size_t size = mrt_size(p, have);
	if (size == 0 || size == SIZE_MAX || input_peek(in, size, &p, &have, e) != STATUS_OK || have < size)
		return false;
	d->type = (uint16_t)(p[4] << 8 | p[5]);
	d->subtype = (uint16_t)(p[6] << 8 | p[7]);
	if (mrt_record(d->m, p, size, &r, &n, e) != STATUS_OK)
		return false;
	size_t n_peer;
	d->peer = mrt_peers(d->m, &n_peer);
	for (size_t i = 0; i < n; i++)
		line(d, &r[i]);
	input_skip(in, size);
	return true;
}

int main(int argc, char **argv)
{
	struct dump d = {.m = mrt_new()};
	struct input *in;
	struct err e;

	if (argc != 2 || !d.m || input_open(&in, argv[1], 2, &e) != STATUS_OK)
		return 2;
	while (record(&d, in, &e)) {}
	for (int i = 0; i < MRT_DROPS; i++)
		if (mrt_dropped(d.m)[i])
			(void)fprintf(stderr, "dropped %llu: %s\n", (unsigned long long)mrt_dropped(d.m)[i],
				mrt_drop_text[i]);
	if (input_damage(in))
		(void)fprintf(stderr, "%s\n", input_damage(in));
	input_close(in);
	mrt_free(d.m);
	return 0;
}
