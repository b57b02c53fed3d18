/* What a NET means, what an address is called, and how much space networks originate: equal to a slow second
 * implementation (every address asked) on random tables; the seed case by the real files. */
#include "text_kit.h"

#include "map/atlas.h"

#define NO_RIR "not loaded: afrinic, apnic, arin, lacnic, ripencc" /* the example has no file of theirs */

#define SHEETS 3

/* An atlas of sheets made from text. */
struct world_of {
	struct kit_sheet origins[SHEETS], registry[SHEETS], holders[SHEETS], links[SHEETS];
	struct paths p[SHEETS];
	struct registry r[SHEETS];
	struct holders h[SHEETS];
	struct links l[SHEETS];
	const struct paths *pp[SHEETS];
	const struct registry *rr[SHEETS];
	const struct holders *hh[SHEETS];
	const struct links *ll[SHEETS];
	struct atlas a;
	struct arena arena;
	struct err err;
};

static struct world_of *world_new(void)
{
	struct world_of *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->a = (struct atlas){.origins = w->pp, .registry = w->rr, .holders = w->hh, .links = w->ll};
	return w;
}

static void sheet_in(struct world_of *w, const struct kit_sheet *k)
{
	struct atlas *a = &w->a;
	struct err e;

	assert_int_equal(k->status, STATUS_OK);
	if (k->sheet.kind == SHEET_ORIGINS) {
		assert_int_equal(paths_view(&w->p[a->n_origins], &k->sheet, &e), STATUS_OK);
		w->pp[a->n_origins] = &w->p[a->n_origins];
		w->origins[a->n_origins++] = *k;
	} else if (k->sheet.kind == SHEET_REGISTRY) {
		assert_int_equal(registry_view(&w->r[a->n_registry], &k->sheet, &e), STATUS_OK);
		w->rr[a->n_registry] = &w->r[a->n_registry];
		w->registry[a->n_registry++] = *k;
	} else if (k->sheet.kind == SHEET_HOLDERS) {
		assert_int_equal(holders_view(&w->h[a->n_holders], &k->sheet, &e), STATUS_OK);
		w->hh[a->n_holders] = &w->h[a->n_holders];
		w->holders[a->n_holders++] = *k;
	} else {
		assert_int_equal(links_view(&w->l[a->n_links], &k->sheet, &e), STATUS_OK);
		w->ll[a->n_links] = &w->l[a->n_links];
		w->links[a->n_links++] = *k;
	}
}

static void text_in(struct world_of *w, enum text_kind kind, const char *text)
{
	struct kit_sheet k;

	kit_sheet_text(&k, kind, text);
	sheet_in(w, &k);
}

static bool file_in(struct world_of *w, const char *name)
{
	struct kit_sheet k;

	if (!kit_sheet_file(&k, name))
		return false;
	sheet_in(w, &k);
	return true;
}

static void world_free(struct world_of *w)
{
	for (int i = 0; i < SHEETS; i++) {
		kit_sheet_free(&w->origins[i]);
		kit_sheet_free(&w->registry[i]);
		kit_sheet_free(&w->holders[i]);
		kit_sheet_free(&w->links[i]);
	}
	arena_free(&w->arena);
	free(w);
}

/* "64500 64501; 192.0.2.0/24 ..." */
static const char *net_is(struct world_of *w, const char *text)
{
	static char to[4096];
	struct net n;
	char p[PREFIX_TEXT];
	size_t at = 0;

	if (atlas_net(&n, &w->a, text, &w->arena, &w->err) != STATUS_OK)
		return w->err.text;
	at += (size_t)sprintf(to, "%s:", n.text);
	for (size_t i = 0; i < n.n_asn; i++) {
		bool foreign = false;
		for (size_t j = 0; j < n.n_foreign; j++)
			foreign = foreign || n.foreign[j] == n.asn[i];
		at += (size_t)sprintf(to + at, " %u%s", n.asn[i], foreign ? "!" : "");
	}
	at += (size_t)sprintf(to + at, ";");
	for (size_t i = 0; i < n.n_prefix; i++)
		at += (size_t)sprintf(to + at, " %s", prefix_text(p, &n.prefix[i]));
	return to;
}

static const char *name_is(struct world_of *w, const char *text)
{
	static char to[NETWORK_TEXT];
	struct ip ip;
	struct network n;

	assert_true(ip_parse(&ip, text));
	return atlas_network(&w->a, &ip, &n) ? network_text(to, &n) : "unknown";
}

/* IPv4, then IPv6 (/48s): +by routes ~by delegation ?networks unknown; countries. */
static const char *space_is(struct world_of *w, const uint32_t *asn, size_t n)
{
	static char to[256];
	struct space s;

	assert_int_equal(atlas_space(&s, &w->a, asn, n, &w->arena, &w->err), STATUS_OK);
	size_t at = 0;
	for (int f = 0; f < SPACE_FAMILIES; f++)
		for (int k = 0; k < SPACE_WAYS; k++) {
			const struct space_count *c = &s.of[f][k];
			if (k != SPACE_UNKNOWN && c->n_network)
				at += (size_t)sprintf(
					to + at, "%c%llu ", "+~"[k], (unsigned long long)c -> size);
			else if (c->n_network)
				at += (size_t)sprintf(to + at, "?%u ", c->n_network);
		}
	for (uint32_t i = 0; i < s.n_country; i++)
		at += (size_t)sprintf(to + at, "%s ", s.cc[i]);
	to[at ? at - 1 : 0] = '\0';
	return to;
}
#define SPACE_IS(w, ...)                                                                                     \
	space_is(w, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* KP: 64500, 192.0.2.0/24 and 2001:db8::/32 in two halves; 64510 of CN originates a part of it. */
static const char delegations[] = "rir|KP|asn|64500|1|20100101|allocated|star\n"
				  "rir|CN|asn|64510|2|20100101|allocated|unicom\n"
				  "rir|KP|ipv4|192.0.2.0|128|20100101|allocated|star\n"
				  "rir|KP|ipv4|192.0.2.128|128|20100101|allocated|star2\n"
				  "rir|CN|ipv4|198.51.100.0|256|20100101|allocated|unicom\n"
				  "rir|RU|ipv4|203.0.113.0|256|20100101|allocated|tt\n"
				  "rir|KP|ipv6|2001:db8::|33|20100101|allocated|star\n"
				  "rir|KP|ipv6|2001:db8:8000::|33|20100101|allocated|star\n"
				  "rir|SY|asn|64520|1|20100101|allocated|ste\n"
				  "rir|VA|ipv4|198.18.0.0|256|20100101|allocated|va\n";
static const char origins[] = "192.0.2.0/24\t64500\n192.0.2.64/26\t64510\n198.51.100.0/24\t64510\n"
			      "198.51.100.128/25\t64500\n203.0.113.0/24\t64520\n2001:db8::/32\t64500\n"
			      "2001:db8:1::/48\t64511\n192.0.0.0/16\t64530\n0.0.0.0/0\t64510\n";

static struct world_of *example(void)
{
	struct world_of *w = world_new();

	text_in(w, TEXT_DELEGATED, delegations);
	text_in(w, TEXT_ORIGINS, origins);
	text_in(w, TEXT_AS_ORG,
		"# format:aut|changed|aut_name|org_id|source\n64500|1|STAR-KP|ORG-STAR|x\n64501||||x\n"
		"# format:org_id|changed|org_name|country|source\nORG-STAR|1|Star JV|KP|x\n");
	text_in(w, TEXT_AS_REL, "64510|64500|-1\n64510|64599|-1\n");
	return w;
}

static void nets(void **state)
{
	static const char *const row[][2] = {
		{"AS64500", "AS64500: 64500; 192.0.2.0/24 198.51.100.128/25 2001:db8::/32"},
		{"as64500", "AS64500: 64500; 192.0.2.0/24 198.51.100.128/25 2001:db8::/32"},
		{"AS64599", "AS64599: 64599;"},
		{"AS64501", "AS64501: 64501;"},
		{"AS64888", "AS64888: no table in use has it (weir map list)"},
		{"AS4294967295", "AS4294967295: no table in use has it (weir map list)"},
		{"192.0.2.0/24", "192.0.2.0/24: 64500 64510; 192.0.2.0/24 192.0.2.64/26"},
		{"192.0.2.0/25", "192.0.2.0/25: 64510; 192.0.2.64/26"},
		{"192.0.2.1", "192.0.2.1/32: 64500; 192.0.2.0/24"},
		{"192.0.2.70", "192.0.2.70/32: 64510; 192.0.2.64/26"},
		{"2001:db8::/31", "2001:db8::/31: 64500 64511; 2001:db8::/32 2001:db8:1::/48"},
		{"2001:db8:1:2::/64", "2001:db8:1:2::/64: 64511; 2001:db8:1::/48"},
		{"2001:db9::/32", "2001:db9::/32: no table in use has it (weir map list)"},
		{"kp", "KP: 64500 64510! 64511!; 192.0.2.0/24 192.0.2.64/26 2001:db8::/32 2001:db8:1::/48"},
		{"CN", "CN: 64500! 64510 64511; 198.51.100.0/24 198.51.100.128/25"},
		{"RU", "RU: 64520!; 203.0.113.0/24"},
		{"SY", "SY: 64520;"},
		{"VA", "VA: no network is delegated to it, and none originates its space (registries: " NO_RIR
		       ")"},
		{"XX", "XX: nothing is delegated to it by the registries that are loaded (" NO_RIR ")"},
		{"ZZ", "ZZ: nothing is delegated to it by the registries that are loaded (" NO_RIR ")"},
	};
	struct world_of *w = example();

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(net_is(w, row[i][0]), row[i][1]);
	world_free(w);
}

static void no_nets(void **state)
{
	static const char *const row[] = {"", "64500", "AS-1", "AS64500x", "AS4294967296",
		"AS99999999999999999999", "K", "KPX", "K1", "192.0.2.1/24", "192.0.2.0/33", "192.0.2",
		"\x1b[31m", "AS 64500"};
	struct world_of *w = example();
	struct net n;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (atlas_net(&n, &w->a, row[i], &w->arena, &w->err) != STATUS_BAD)
			fail_msg("%s", row[i]);
		assert_null(strchr(w->err.text, '\x1b'));
	}
	world_free(w);
	w = world_new();
	assert_string_equal(net_is(w, "KP"), "KP: no delegations are loaded");
	assert_string_equal(net_is(w, "AS64500"), "AS64500: no table in use has it (weir map list)");
	world_free(w);
}

/* An older sheet does not take back what the first one says. */
static void two_registries(void **state)
{
	struct world_of *w = world_new();

	(void)state;
	text_in(w, TEXT_DELEGATED,
		"rir|CN|asn|64500|1|20200101|allocated|a\nrir|CN|ipv4|192.0.2.0|256|20200101|allocated|a\n");
	text_in(w, TEXT_DELEGATED,
		"rir|KP|asn|64500|2|20100101|allocated|b\nrir|KP|ipv4|192.0.2.0|512|20100101|allocated|b\n");
	text_in(w, TEXT_ORIGINS, "192.0.2.0/24\t64500\n192.0.3.0/24\t64510\n");
	assert_string_equal(net_is(w, "KP"), "KP: 64501 64510!; 192.0.3.0/24");
	assert_string_equal(net_is(w, "CN"), "CN: 64500; 192.0.2.0/24");
	assert_string_equal(name_is(w, "192.0.2.1"), "AS64500 rir/a, CN");
	world_free(w);
}

static void names(void **state)
{
	static const char *const row[][2] = {
		{"192.0.2.1", "AS64500 STAR-KP, KP"},
		{"192.0.2.65", "AS64510 rir/unicom, KP"}, /* the address is KP's, the network CN's */
		{"198.51.100.200", "AS64500 STAR-KP, CN"},
		{"203.0.113.1", "AS64520 rir/ste, RU"},
		{"2001:db8:1::1", "AS64511 rir/unicom, KP"},
		{"192.0.3.1", "AS64530"},
		{"2001:db9::1", "unknown"},
	};
	struct world_of *w = example();
	struct network n;
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(name_is(w, row[i][0]), row[i][1]);
	assert_true(atlas_asn(&w->a, 64500, &n));
	assert_string_equal(n.holder, "ORG-STAR");
	assert_true(atlas_asn(&w->a, 64510, &n));
	assert_string_equal(n.holder, "rir/unicom");
	assert_true(atlas_asn(&w->a, 64599, &n)); /* in the relationships only */
	assert_string_equal(n.name, "");
	assert_false(atlas_asn(&w->a, 64888, &n));
	/* a longer match of a second sheet; delegated and announced by nobody; two origins */
	text_in(w, TEXT_ORIGINS, "192.0.2.0/30\t64540\n198.51.100.0\t24\t64510_64541\n");
	assert_string_equal(name_is(w, "192.0.2.1"), "AS64540, KP");
	assert_string_equal(name_is(w, "192.0.2.4"), "AS64500 STAR-KP, KP");
	assert_true(ip_parse(&ip, "192.0.2.1"));
	assert_true(atlas_network(&w->a, &ip, &n));
	assert_int_equal(n.prefix.len, 30);
	world_free(w);
	w = world_new();
	text_in(w, TEXT_DELEGATED, delegations);
	assert_string_equal(name_is(w, "192.0.2.1"), "origin not known, rir/star, KP");
	text_in(w, TEXT_ORIGINS, "192.0.2.0\t24\t64510_64541\n");
	assert_non_null(strstr(name_is(w, "192.0.2.1"), " (one of 2 origins)"));
	world_free(w);
}

/* What comes from a sheet reaches nobody's terminal as it is. */
static void hostile_name(void **state)
{
	struct network n = {.asn = 1, .cc = "\x1b[", .name = "a\x1b[31mb\nc", .holder = ""};
	char to[NETWORK_TEXT];

	(void)state;
	assert_string_equal(network_text(to, &n), "AS1 a?[31mb?c, ?[");
}

static void spaces(void **state)
{
	struct world_of *w = example();

	(void)state;
	/* 192.0.2.0/24 without the /26, and the /25 */
	assert_string_equal(SPACE_IS(w, 64500), "+320 +65535 CN KP");
	assert_string_equal(SPACE_IS(w, 64510), "+192 ?1 CN KP"); /* the default route is no space */
	assert_string_equal(
		SPACE_IS(w, 64511), "~0 +1 CN KP"); /* its holder's IPv4 is in routes, all of it */
	assert_string_equal(SPACE_IS(w, 64500, 64510, 64500, 64511), "+512 ~0 +65536 ?1 CN KP");
	assert_string_equal(SPACE_IS(w, 64530), "+65280 ?1");
	assert_string_equal(SPACE_IS(w, 64888), "?1 ?1");
	world_free(w);
	w = world_new();
	text_in(w, TEXT_DELEGATED, delegations);
	assert_string_equal(SPACE_IS(w, 64500), "~128 ~65536 KP");
	assert_string_equal(SPACE_IS(w, 64500, 64510), "~384 ~65536 ?1 CN KP");
	/* A table with little of it does not make the rest nothing; what it shows of a holder's is taken off.
	 */
	text_in(w, TEXT_ORIGINS, "203.0.113.0/24\t64520\n198.51.100.0/26\t64777\n");
	assert_string_equal(SPACE_IS(w, 64500, 64510), "~320 ~65536 ?1 CN KP");
	assert_string_equal(SPACE_IS(w, 64510, 64511, 64520), "+256 ~192 ?3 CN RU");
	world_free(w);
}

/* ---- routes that say nothing of an address ---- */

static const char odd_routes[] =
	"0.0.0.0/0\t64666\n128.0.0.0/7\t64666\n10.0.0.0/8\t64666\n100.64.0.0/10\t64666\n172.0.0.0/8\t64501\n"
	"172.16.0.0/16\t64666\n192.0.0.0/8\t64502\n203.0.112.0/23\t64503\n198.51.100.0/25\t64504\n"
	"8.0.0.0/8\t64505\n224.1.0.0/16\t64666\n::/0\t64666\n2000::/3\t64666\nfe80::/16\t64666\n"
	"2001:db8::/48\t64506\n2001::/16\t64507\n2a00::/16\t64508\n";

static void routes_that_name_nobody(void **state)
{
	static const char *const row[][2] = {
		{"1.2.3.4", "unknown"},
		{"129.0.0.1", "unknown"},
		{"8.8.8.8", "AS64505"},
		{"0.0.0.0", "unknown"},
		{"10.0.0.1", "unknown"},
		{"127.0.0.1", "unknown"},
		{"100.64.0.1", "unknown"},
		{"169.254.1.1", "unknown"},
		{"172.16.0.1", "unknown"},
		{"172.32.0.1", "AS64501"},
		{"192.168.1.1", "unknown"},
		{"192.0.0.8", "unknown"},
		{"192.0.1.1", "AS64502"},
		{"224.1.0.1", "unknown"},
		{"255.255.255.255", "unknown"},
		/* examples: by a route of their own only */
		{"192.0.2.1", "unknown"},
		{"203.0.113.1", "unknown"},
		{"203.0.112.1", "AS64503"},
		{"198.51.100.1", "AS64504"},
		{"198.51.100.129", "unknown"},
		{"2001:db8::1", "AS64506"},
		{"2001:db8:1::1", "unknown"},
		{"::", "unknown"},
		{"::1", "unknown"},
		{"fe80::1", "unknown"},
		{"fc00::1", "unknown"},
		{"ff02::1", "unknown"},
		{"2a00::1", "AS64508"},
		{"2a01::1", "unknown"},
		{"2001:1000::1", "AS64507"},
		{"2001::1", "AS64507"}, /* Teredo is globally reachable */
		{"2001:10::1", "unknown"},
	};
	static const char *const no_net[] = {"0.0.0.0/0", "128.0.0.0/7", "10.0.0.1", "10.0.0.0/8",
		"172.16.0.0/16", "1.2.3.4", "::/0", "2000::/3", "::1", "fe80::1", "192.0.2.0/24"};
	struct world_of *w = world_new();
	struct net n;

	(void)state;
	text_in(w, TEXT_ORIGINS, odd_routes);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(name_is(w, row[i][0]), row[i][1]) != 0)
			fail_msg("%s: %s, not %s", row[i][0], name_is(w, row[i][0]), row[i][1]);
	for (size_t i = 0; i < sizeof(no_net) / sizeof(no_net[0]); i++)
		if (atlas_net(&n, &w->a, no_net[i], &w->arena, &w->err) != STATUS_NO)
			fail_msg("%s is a NET", no_net[i]);
	assert_string_equal(net_is(w, "AS64666"), "AS64666: 64666;");
	assert_string_equal(net_is(w, "172.0.0.0/8"), "172.0.0.0/8: 64501; 172.0.0.0/8");
	assert_string_equal(net_is(w, "129.0.0.0/8"), "129.0.0.0/8: no table in use has it (weir map list)");
	assert_string_equal(SPACE_IS(w, 64666), "?1 ?1");
	world_free(w);
}

static void numbers_that_were_meant(void **state)
{
	char to[NET_MEANT];

	(void)state;
	assert_string_equal(net_meant(to, "64500"), "; did you mean AS64500?");
	assert_string_equal(net_meant(to, "4294967295"), "; did you mean AS4294967295?");
	assert_string_equal(net_meant(to, "4294967296"), "");
	assert_string_equal(net_meant(to, "9999999999"), "");
	assert_string_equal(net_meant(to, "0"), "");
}

/* ---- against every address ---- */

#define BLOCK 1024 /* addresses: 198.18.0.0/22 */
#define ASNS  5
#define ROWS  50

static char *table_text(char *to, unsigned rows)
{
	size_t at = 0;

	for (unsigned i = 0; i < rows; i++) {
		unsigned len = 22 + (unsigned)kit_rnd(9);
		unsigned first = (unsigned)kit_rnd(BLOCK) & ~((1U << (32 - len)) - 1);
		at += (size_t)sprintf(to + at, "198.18.%u.%u/%u\t%u\n", first / 256, first % 256, len,
			64500 + (unsigned)kit_rnd(ASNS));
	}
	return to;
}

/* Some ranges of the block, each of one of two holders; of the first, whom no table shows: held. */
static char *delegated_text(char *to, bool held[BLOCK])
{
	size_t at = (size_t)sprintf(to, "rir|KP|asn|64600|1|20100101|allocated|h\n");

	for (unsigned i = (unsigned)kit_rnd(100), row = 1; i < BLOCK && row < ROWS;
		i += (unsigned)kit_rnd(100), row++) {
		unsigned n = 1 + (unsigned)kit_rnd(BLOCK - i < 200 ? BLOCK - i : 200);
		bool own = kit_rnd(2);
		at += (size_t)sprintf(to + at, "rir|KP|ipv4|198.18.%u.%u|%u|20100101|allocated|%c\n", i / 256,
			i % 256, n, own ? 'h' : 'g');
		for (unsigned last = i + n; i < last; i++)
			held[i] = own;
	}
	return to;
}

/* The network that each address counts for: of the longest match the origin that the first sheet with that
 * prefix names. */
static uint32_t owner(const struct world_of *w, const struct ip *ip)
{
	uint32_t asn = 0;
	int best = -1;

	for (size_t i = 0; i < w->a.n_origins; i++) {
		const struct paths *p = &w->p[i];
		for (uint32_t j = 0; j < p->n_prefix; j++) {
			struct prefix q = map_prefix_ip(&p->prefix[j]);
			size_t n;
			if (prefix_has(&q, ip) && q.len > best) {
				best = q.len;
				asn = p->as[paths_origin(p, j, &n)];
			}
		}
	}
	return asn;
}

static void random_tables(void **state)
{
	static char text[64 * ROWS];

	(void)state;
	kit_seed("random tables");
	for (int round = 0; round < 60; round++) {
		struct world_of *w = world_new();
		uint64_t count[ASNS + 1] = {0}, want_held = 0;
		bool held[BLOCK] = {false};
		struct space s;
		unsigned sheets = 1 + (unsigned)kit_rnd(SHEETS);
		for (unsigned i = 0; i < sheets; i++)
			text_in(w, TEXT_ORIGINS, table_text(text, 1 + (unsigned)kit_rnd(20)));
		(void)delegated_text(text, held);
		for (unsigned i = 0; i < BLOCK; i++) {
			struct ip ip =
				ip_v4((const uint8_t[]){198, 18, (uint8_t)(i / 256), (uint8_t)(i % 256)});
			struct network n;
			uint32_t asn = owner(w, &ip);
			assert_int_equal(atlas_network(&w->a, &ip, &n), asn != 0);
			assert_int_equal(n.asn, asn);
			count[asn ? asn - 64500 : ASNS]++;
			want_held += held[i] && !asn;
		}
		text_in(w, TEXT_DELEGATED, text);
		assert_int_equal(
			atlas_space(&s, &w->a, (const uint32_t[]){64600}, 1, &w->arena, &w->err), STATUS_OK);
		assert_int_equal(s.of[SPACE_V4][SPACE_DELEGATED].size, want_held);
		for (unsigned set = 1; set < 1U << ASNS; set++) {
			uint32_t asn[ASNS];
			uint64_t want = 0;
			size_t n = 0;
			for (unsigned i = 0; i < ASNS; i++)
				if (set & 1U << i) {
					asn[n++] = 64500 + i;
					want += count[i];
				}
			assert_int_equal(atlas_space(&s, &w->a, asn, n, &w->arena, &w->err), STATUS_OK);
			assert_int_equal(s.of[SPACE_V4][SPACE_ROUTED].size, want);
		}
		world_free(w);
	}
}

/* ---- the seed case ---- */

static void the_seed_case(void **state)
{
	struct world_of *w = world_new();

	(void)state;
	if (!file_in(w, "delegated-apnic-extended-2016.bz2") || !file_in(w, "pyasn.ipasn_20140513.dat.gz") ||
		!file_in(w, "20150101.as-rel.txt.bz2")) {
		world_free(w);
		skip();
	}
	assert_string_equal(net_is(w, "KP"),
		"KP: 131279; 175.45.176.0/24 175.45.177.0/24 175.45.178.0/24 175.45.179.0/24");
	assert_string_equal(net_is(w, "175.45.176.0/22"),
		"175.45.176.0/22: 131279; 175.45.176.0/24 175.45.177.0/24 "
		"175.45.178.0/24 175.45.179.0/24");
	assert_string_equal(name_is(w, "175.45.178.10"), "AS131279 apnic/A9183010, KP");
	assert_string_equal(SPACE_IS(w, 131279), "+1024 ?1 KP");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nets),
		cmocka_unit_test(no_nets),
		cmocka_unit_test(two_registries),
		cmocka_unit_test(names),
		cmocka_unit_test(hostile_name),
		cmocka_unit_test(spaces),
		cmocka_unit_test(routes_that_name_nobody),
		cmocka_unit_test(numbers_that_were_meant),
		cmocka_unit_test(random_tables),
		cmocka_unit_test(the_seed_case),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
