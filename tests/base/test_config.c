/* The configuration: what loads, what is refused and with which words, what is printed back, and that the
 * example, the man page and the table of keys know the same keys. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/config.h"

static enum status parse(struct config *c, const char *text, struct err *e)
{
	return config_parse(c, "t.conf", text, strlen(text), e);
}

/* The text of a file of the source tree; to be freed. */
static char *source_text(const char *name)
{
	const char *root = getenv("WEIR_SOURCE");
	char path[4096], *text = calloc(1, 1 << 20);
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", root ? root : ".", name);
	f = fopen(path, "re");
	assert_non_null(text);
	if (!f)
		fail_msg("%s is missing", path);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

static char *written(const struct config *c)
{
	char *text = NULL;
	size_t n = 0;
	struct err e;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	assert_int_equal(config_write(c, f, &e), STATUS_OK);
	(void)fclose(f);
	return text;
}

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_prefixes(const struct prefix *a, size_t n, const struct prefix *b, size_t n_b)
{
	assert_int_equal(n, n_b);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(&a[i], &b[i], sizeof(a[i]));
}

/* What planning and blocking take from the configuration. */
static void same_blocking(const struct config *a, const struct config *b)
{
	same_prefixes(a->never_block, a->n_never_block, b->never_block, b->n_never_block);
	same_prefixes(a->partner_networks, a->n_partner_networks, b->partner_networks, b->n_partner_networks);
	assert_memory_equal(&a->alpha_rate, &b->alpha_rate, sizeof(a->alpha_rate));
	assert_memory_equal(&a->alpha_host, &b->alpha_host, sizeof(a->alpha_host));
	assert_memory_equal(&a->alpha_wide, &b->alpha_wide, sizeof(a->alpha_wide));
	assert_int_equal(a->block_for_us, b->block_for_us);
	assert_int_equal(a->max_block_us, b->max_block_us);
	assert_int_equal(a->max_rules, b->max_rules);
	assert_int_equal(a->widest_v4, b->widest_v4);
	assert_int_equal(a->widest_v6, b->widest_v6);
	assert_int_equal(a->rate_limit, b->rate_limit);
	assert_int_equal(a->look_back_us, b->look_back_us);
	assert_int_equal(a->on_alert, b->on_alert);
	assert_int_equal(a->watch_blocks, b->watch_blocks);
	assert_int_equal(a->watch_budget, b->watch_budget);
	assert_int_equal(a->announce, b->announce);
	assert_int_equal(a->n_rtbh_next_hop, b->n_rtbh_next_hop);
	for (size_t i = 0; i < a->n_rtbh_next_hop; i++)
		assert_true(ip_equal(&a->rtbh_next_hop[i], &b->rtbh_next_hop[i]));
}

static void same(const struct config *a, const struct config *b)
{
	same_text(a->point, b->point);
	same_text(a->filter, b->filter);
	assert_int_equal(a->n_own, b->n_own);
	assert_int_equal(a->n_never, b->n_never);
	assert_int_equal(a->n_relays, b->n_relays);
	for (size_t i = 0; i < a->n_own; i++)
		assert_memory_equal(&a->own[i], &b->own[i], sizeof(a->own[i]));
	for (size_t i = 0; i < a->n_never; i++)
		assert_memory_equal(&a->never[i], &b->never[i], sizeof(a->never[i]));
	for (size_t i = 0; i < a->n_relays; i++) {
		assert_memory_equal(&a->relays[i].prefix, &b->relays[i].prefix, sizeof(struct prefix));
		assert_int_equal(a->relays[i].port, b->relays[i].port);
	}
	assert_int_equal(a->keep_bytes, b->keep_bytes);
	assert_int_equal(a->keep_age_us, b->keep_age_us);
	assert_int_equal(a->clock_skew_us, b->clock_skew_us);
	assert_int_equal(a->burst_gap_us, b->burst_gap_us);
	assert_memory_equal(&a->alpha, &b->alpha, sizeof(a->alpha));
	assert_int_equal(a->vlan_overlap, b->vlan_overlap);
	assert_int_equal(a->max_flows, b->max_flows);
	assert_int_equal(a->n_partner_keys, b->n_partner_keys);
	for (size_t i = 0; i < a->n_partner_keys; i++)
		assert_string_equal(a->partner_keys[i], b->partner_keys[i]);
	same_blocking(a, b);
}

/* What is written loads to the same values, and is then written the same. */
static void assert_prints_back(const struct config *c)
{
	struct config again;
	struct err e;
	char *text = written(c), *second;

	if (parse(&again, text, &e) != STATUS_OK)
		fail_msg("%s\n%s", e.text, text);
	same(c, &again);
	again.path = c->path;
	second = written(&again);
	assert_string_equal(text, second);
	config_free(&again);
	free(text);
	free(second);
}

static void defaults(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(parse(&c, "", &e), STATUS_OK);
	assert_string_equal(c.point, "default");
	assert_null(c.filter);
	assert_null(c.path);
	assert_int_equal(c.n_own + c.n_never + c.n_relays + c.n_partner_keys, 0);
	assert_int_equal(c.keep_bytes, UINT64_C(20) << 30);
	assert_int_equal(c.keep_age_us, 0);
	assert_int_equal(c.clock_skew_us, 2 * SECOND_US);
	assert_int_equal(c.burst_gap_us, 100000);
	assert_true(c.alpha > 0.99e-6 && c.alpha < 1.01e-6);
	assert_false(c.vlan_overlap);
	assert_int_equal(c.max_flows, 1000000);
	assert_prints_back(&c);
	config_free(&c);
}

/* The policy of who configures nothing: narrow, short, and nothing by itself. */
static void blocking_defaults(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(parse(&c, "", &e), STATUS_OK);
	assert_int_equal(c.n_never_block + c.n_partner_networks + c.n_rtbh_next_hop, 0);
	assert_true(c.alpha_rate > 0.0099 && c.alpha_rate < 0.0101);
	assert_true(c.alpha_host > 0.99e-3 && c.alpha_host < 1.01e-3);
	assert_true(c.alpha_wide > 0.99e-5 && c.alpha_wide < 1.01e-5);
	assert_int_equal(c.block_for_us, 3600 * SECOND_US);
	assert_int_equal(c.max_block_us, 86400 * SECOND_US);
	assert_int_equal(c.max_rules, 20000);
	assert_int_equal(c.widest_v4, 24);
	assert_int_equal(c.widest_v6, 48);
	assert_int_equal(c.rate_limit, 50);
	assert_int_equal(c.look_back_us, 86400 * SECOND_US);
	assert_int_equal(c.on_alert, ON_ALERT_PROPOSE);
	assert_int_equal(c.watch_blocks, 10);
	assert_int_equal(c.watch_budget, 0);
	assert_int_equal(c.announce, ANNOUNCE_FLOWSPEC);
	config_free(&c);
}

static void blocking_values(void **state)
{
	static const char text[] =
		"never_block = {198.51.100.53, 2001:db8:53::/48} partner_networks = {203.0.113.0/24}\n"
		"alpha_rate = 0.5 alpha_host = 1e-9 alpha_wide = 1e-12\n"
		"block_for = 1s max_block = 30d max_rules = 1 widest_v4 = 8 widest_v6 = 64\n"
		"rate_limit = 1000000 look_back = 365d on_alert = block watch_blocks = 0\n"
		"announce = 'rtbh' rtbh_next_hop = {192.0.2.66, \"2001:db8::66\"}";
	struct config c;
	struct err e = {0};

	(void)state;
	if (parse(&c, text, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_int_equal(c.n_never_block, 2);
	assert_int_equal(c.never_block[0].len, 32);
	assert_int_equal(c.never_block[1].len, 48);
	assert_int_equal(c.n_partner_networks, 1);
	assert_int_equal(c.block_for_us, SECOND_US);
	assert_int_equal(c.max_block_us, 30 * 86400 * SECOND_US);
	assert_int_equal(c.max_rules, 1);
	assert_int_equal(c.widest_v4, 8);
	assert_int_equal(c.widest_v6, 64);
	assert_int_equal(c.on_alert, ON_ALERT_BLOCK);
	assert_int_equal(c.watch_blocks, 0);
	assert_int_equal(c.announce, ANNOUNCE_RTBH);
	assert_int_equal(c.n_rtbh_next_hop, 2);
	assert_int_equal(c.rtbh_next_hop[1].v, 6);
	assert_prints_back(&c);
	config_free(&c);
}

static void values(void **state)
{
	static const char text[] =
		"# \xc3\xa9 in a comment, and '\"${ too\n#\n"
		"point = edge-1 filter = 'tcp \\'x\\' ${y}'\r\n"
		"own_networks = {192.0.2.0/24, # comment in a list, with a } and a \"\n 2001:db8::/32}\n"
		"own_networks += {\"198.51.100.7\"}\nnever_record = 203.0.113.0/24\n"
		"known_relays = {192.0.2.5, \"192.0.2.6:443\", [2001:db8::1]:22,"
		" [2001:db8:1::/48]:80, 192.0.2.8/30:1, 2001:db8::2}\n"
		"keep_size = \"1536M\" keep_age = 0 clock_skew = 0s burst_gap = 1s500ms\n"
		"alpha = 0.001 vlan_overlap = yes max_flows = 64";
	struct config c;
	struct err e = {0};

	(void)state;
	if (parse(&c, text, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_string_equal(c.filter, "tcp 'x' ${y}");
	assert_int_equal(c.n_own, 3);
	assert_int_equal(c.own[0].len, 24);
	assert_int_equal(c.own[2].len, 32);
	assert_int_equal(c.n_never, 1);
	assert_int_equal(c.n_relays, 6);
	assert_int_equal(c.relays[0].port, 0);
	assert_int_equal(c.relays[1].port, 443);
	assert_int_equal(c.relays[2].port, 22);
	assert_int_equal(c.relays[3].prefix.len, 48);
	assert_int_equal(c.relays[4].prefix.len, 30);
	assert_int_equal(c.relays[5].prefix.ip.v, 6);
	assert_int_equal(c.keep_bytes, UINT64_C(1536) << 20);
	assert_int_equal(c.keep_age_us, 0);
	assert_int_equal(c.burst_gap_us, 1500000);
	assert_true(c.vlan_overlap);
	assert_prints_back(&c);
	config_free(&c);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{"\n\nnonsense = 3",
			"t.conf:3: no such option 'nonsense'; the keys are: point filter own_networks"},
		{"own|x = 3", "t.conf:1: "},
		{"point = a\npoint = b", "t.conf:2: point: given twice, first in line 1"},
		{"own_networks = {192.0.2.1}\n\nown_networks = {192.0.2.2}",
			"t.conf:3: own_networks: given twice"},
		{"own_networks = {192.0.2.1}\nown_networks = {}", "own_networks: given twice"},
		{"\npoint = ''", "t.conf:2: point: \"\" is not allowed; allowed: 1 to 63 letters"},
		{"point = 'a b'", "point: \"a b\" is not allowed"},
		{"point = \"a\\x1b[2J\"", "point: \"a?[2J\" is not allowed"},
		{"point = abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", "63 letters"},
		{"own_networks = {\n 192.0.2.0/24,\n 192.0.2.1/24}",
			"t.conf:3: own_networks: \"192.0.2.1/24\""},
		{"own_networks = {192.0.2.0/33}", "prefixes without host bits"},
		{"never_record = {example.org}", "never_record: \"example.org\""},
		{"known_relays = {192.0.2.1:0}", "known_relays"},
		{"known_relays = {192.0.2.1:65536}", "known_relays"},
		{"known_relays = {192.0.2.1:}", "known_relays"},
		{"known_relays = {'[192.0.2.1]:2'}", "known_relays"},
		{"known_relays = {'[2001:db8::1]'}", "known_relays"},
		{"known_relays = {'[2001:db8::1'}", "known_relays"},
		{"known_relays = {'[]:1'}", "known_relays"},
		{"known_relays = {'['}", "known_relays"},
		{"known_relays = {':'}", "known_relays"},
		{"keep_size = 20X", "keep_size: \"20X\" is not allowed; allowed: a number of bytes"},
		{"keep_size = -1", "keep_size"},
		{"keep_size = 9999999P", "keep_size"},
		{"keep_age = 5", "keep_age: \"5\" is not allowed; allowed: a time such as"},
		{"clock_skew = 2h", "clock_skew"},
		{"burst_gap = 19ms", "burst_gap: \"19ms\" is not allowed; allowed: a time from \"20ms\""},
		{"alpha = 0", "alpha: \"0\" is not allowed; allowed: a number above 0 and at most 0.5"},
		{"alpha = 0.51", "alpha"},
		{"alpha = nan", "alpha"},
		{"alpha = 1e-999", "alpha"},
		{"alpha = 0x1p-3", "alpha"},
		{"vlan_overlap = maybe", "vlan_overlap: \"maybe\" is not allowed; allowed: true or false"},
		{"max_flows = 63", "max_flows"},
		{"max_flows = 1000000000", "max_flows"},
		{"never_block = {192.0.2.1/24}", "never_block: \"192.0.2.1/24\""},
		{"partner_networks = {AS64500}", "partner_networks: \"AS64500\""},
		{"alpha_rate = 0", "alpha_rate"},
		{"alpha_host = 0.51", "alpha_host"},
		{"alpha_wide = -1e-5", "alpha_wide"},
		{"block_for = 999ms", "block_for: \"999ms\" is not allowed; allowed: a time from \"1s\""},
		{"max_block = 31d", "max_block"},
		{"max_rules = 20001",
			"max_rules: \"20001\" is not allowed; allowed: a number from 1 to 20000"},
		{"widest_v4 = 7", "widest_v4"},
		{"widest_v4 = 33", "widest_v4"},
		{"widest_v6 = 15", "widest_v6"},
		{"widest_v6 = 65", "widest_v6"},
		{"rate_limit = 0", "rate_limit"},
		{"look_back = 59s", "look_back"},
		{"on_alert = shoot",
			"on_alert: \"shoot\" is not allowed; allowed: \"notify\", \"propose\" or \"block\""},
		{"watch_blocks = -1", "watch_blocks"},
		{"watch_budget = 1000001", "watch_budget"},
		{"announce = bgp", "announce"},
		{"rtbh_next_hop = {192.0.2.0/24}", "rtbh_next_hop: \"192.0.2.0/24\""},
		{"point = \"abc", "t.conf:1: a string is not closed"},
		{"point = \"abc\n\"", "t.conf:1: a string is not closed on its line"},
		{"point = \"abc\\\n\"", "t.conf:1: a string is not closed on its line"},
		{"point = \"${HOME}\"", "t.conf:1: ${NAME} is not replaced"},
		{"point = ${HOME}", "t.conf:1: ${NAME} is not replaced"},
		{"/* c */", "t.conf:1: a comment begins with '#'"},
		{"// c", "t.conf:1: a comment begins with '#'"},
		{"point = \"\xc3\xa9\"", "not ASCII"},
		{"point = \"\\\xc3\xa9\"", "printable ASCII"},
		{"\npoint = \x01", "t.conf:2: a control character"},
		{"own_networks = {192.0.2.1", "t.conf:1: premature end of file"},
		{"point", "premature end of file"},
		{"point = {a}", "unexpected token"},
		{"point += a", "attempt to append"},
		{"= 3", "unexpected token"},
		{"}", "unexpected closing brace"},
		{"include(\"/etc/passwd\")", "no such option 'include'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct config c;
		struct err e = {0};
		if (parse(&c, table[i].text, &e) != STATUS_BAD)
			fail_msg("accepted: %s", table[i].text);
		if (!strstr(e.text, table[i].says))
			fail_msg("%s\nsays: %s\nand not: %s", table[i].text, e.text, table[i].says);
		assert_null(c.arena.head);
	}
}

static void hostile_bytes(void **state)
{
	struct config c;
	struct err e = {0};
	size_t n = (1 << 20) + 1;
	char *big = malloc(n);

	(void)state;
	assert_non_null(big);
	memset(big, '#', n);
	assert_int_equal(config_parse(&c, "t.conf", big, n - 1, &e), STATUS_OK);
	config_free(&c);
	assert_int_equal(config_parse(&c, "t.conf", big, n, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "larger than 1 MiB"));
	assert_int_equal(config_parse(&c, "t.conf", "alpha\0 = 1", 10, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "t.conf:1: a NUL byte"));
	memset(big, 'a', n); /* one name of a MiB */
	assert_int_equal(config_parse(&c, "t.conf", big, n - 1, &e), STATUS_BAD);
	memcpy(big, "point=\"", 7);
	big[n - 2] = '"';
	assert_int_equal(config_parse(&c, "t.conf", big, n - 1, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "point: \"aaaa"));
	free(big);
}

/* WEIR_SEED repeats a run. */
static uint64_t seed_take(void)
{
	const char *given = getenv("WEIR_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("# seed %llu\n", (unsigned long long)seed);
	return seed;
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static struct prefix random_prefix(uint64_t *seed)
{
	struct prefix p = {.ip.v = next_random(seed) % 2 ? 4 : 6};
	unsigned bits = p.ip.v == 4 ? 32 : 128;

	p.len = (uint8_t)(next_random(seed) % (bits + 1));
	for (unsigned i = 0; i < p.len; i++)
		if (next_random(seed) % 2)
			p.ip.b[i / 8] = (uint8_t)(p.ip.b[i / 8] | 0x80U >> (i % 8));
	return p;
}

/* A name of any printable ASCII but blank and plus, eight hex digits, four groups of base64. */
static char *random_vkey(char to[64], uint64_t *seed)
{
	size_t n = 1 + next_random(seed) % 30;

	for (size_t i = 0; i < n; i++)
		to[i] = (char)('!' + next_random(seed) % 94);
	for (size_t i = 0; i < n; i++)
		if (to[i] == '+')
			to[i] = '$';
	(void)snprintf(to + n, 64 - n, "+%08x+%s", next_random(seed),
		next_random(seed) % 2 ? "AekyeRrm56h+/A==" : "AekyeRrm56hApGE=");
	return to;
}

/* Those of the keys that planning and blocking take. */
static void random_blocking(struct config *c, struct prefix never[4], struct prefix partner[4],
	struct ip next_hop[4], uint64_t *seed)
{
	for (size_t i = 0; i < 4; i++) {
		never[i] = random_prefix(seed);
		partner[i] = random_prefix(seed);
		next_hop[i] = random_prefix(seed).ip;
	}
	c->never_block = never;
	c->n_never_block = next_random(seed) % 5;
	c->partner_networks = partner;
	c->n_partner_networks = next_random(seed) % 5;
	c->rtbh_next_hop = next_hop;
	c->n_rtbh_next_hop = next_random(seed) % 5;
	c->alpha_rate = (1.0 + next_random(seed)) / 4294967296.0;
	c->alpha_host = c->alpha_rate / (1 + next_random(seed) % 1000);
	c->alpha_wide = c->alpha_host / (1 + next_random(seed) % 1000);
	c->block_for_us = SECOND_US + next_random(seed) % 3600 * SECOND_US + next_random(seed) % 1000;
	c->max_block_us = c->block_for_us + next_random(seed) % 86400 * SECOND_US;
	c->max_rules = 1 + next_random(seed) % 20000;
	c->widest_v4 = 8 + next_random(seed) % 25;
	c->widest_v6 = 16 + next_random(seed) % 49;
	c->rate_limit = 1 + next_random(seed) % 1000000;
	c->look_back_us = 60 * SECOND_US + next_random(seed);
	c->on_alert = (enum on_alert)(next_random(seed) % 3);
	c->watch_blocks = next_random(seed) % 10001;
	c->watch_budget = next_random(seed) % 1000001;
	c->announce = (enum announce)(next_random(seed) % 2);
}

/* Any values that the types allow are printed so that they load again. */
static void random_values(void **state)
{
	uint64_t seed = seed_take();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct prefix own[4], never[4], never_block[4], partner[4];
		struct ip next_hop[4];
		struct config_host relay[4] = {0};
		char filter[64], point[32], vkey[4][64], *key[4];
		struct config c = {.own = own, .never = never, .relays = relay, .point = point};
		size_t n = next_random(&seed) % (sizeof(filter) - 1), k = 1 + next_random(&seed) % 30;
		for (size_t i = 0; i < n; i++)
			filter[i] = (char)(' ' + next_random(&seed) % 95);
		filter[n] = '\0';
		for (size_t i = 0; i < k; i++)
			point[i] = "abZ09._-"[next_random(&seed) % 8];
		point[k] = '\0';
		c.filter = n ? filter : NULL;
		for (size_t i = 0; i < 4; i++) {
			own[i] = random_prefix(&seed);
			never[i] = random_prefix(&seed);
			relay[i].prefix = random_prefix(&seed);
			relay[i].port = (uint16_t)(next_random(&seed) % 3 ? next_random(&seed) : 0);
		}
		c.n_own = next_random(&seed) % 5;
		c.n_never = next_random(&seed) % 5;
		c.n_relays = next_random(&seed) % 5;
		c.keep_bytes = (uint64_t)next_random(&seed) << (next_random(&seed) % 29);
		c.keep_age_us = (int64_t)next_random(&seed) * (1 + next_random(&seed) % 1000000);
		c.clock_skew_us = next_random(&seed) % (3600 * SECOND_US + 1);
		c.burst_gap_us = 20000 + next_random(&seed) % (60 * SECOND_US - 20000 + 1);
		c.alpha = (1.0 + next_random(&seed)) / 4294967296.0 / (1 + next_random(&seed) % 1000);
		c.vlan_overlap = next_random(&seed) % 2;
		c.max_flows = 64 + next_random(&seed) % 99999936;
		for (size_t i = 0; i < 4; i++)
			key[i] = random_vkey(vkey[i], &seed);
		c.partner_keys = key;
		c.n_partner_keys = next_random(&seed) % 5;
		random_blocking(&c, never_block, partner, next_hop, &seed);
		assert_prints_back(&c);
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0}, {"1", 1}, {"1k", 1024}, {"2K", 2048}, {"20G", UINT64_C(20) << 30},
		{"500M", UINT64_C(500) << 20}, {"1T", UINT64_C(1) << 40}, {"3P", UINT64_C(3) << 50}};
	static const char *const bad[] = {"", "G", "1 ", "1 G", "1GB", "1.5G", "-1", "+1", "0x10",
		"9999999999999999999", "9000P", "1\n", "1\x01"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(size_parse(&v, good[i].text));
		assert_int_equal(v, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (size_parse(&v, bad[i]))
			fail_msg("accepted \"%s\"", bad[i]);
}

static void partner_keys(void **state)
{
	static const char *const bad[] = {"", "+", "++", "a+b+c", "foo+530d903a", "foo+530d903a+",
		"+530d903a+Aeky", "foo+530D903A+Aeky", "foo+530d903+Aeky", "foo+530d903a0+Aeky",
		"foo+530d903a+Aek", "foo+530d903a+A===", "foo+530d903a+====", "foo+530d903a+Aek=x",
		"foo+530d903a+Ae-y", "foo+530d903a+Aeky ", "foo bar+530d903a+Aeky", " foo+530d903a+Aeky"};
	struct config c;
	struct err e;
	char text[400], name[300];

	(void)state;
	assert_int_equal(
		parse(&c, "partner_keys = {\"a+01234567+Aeky\",\n'b.example/x+89abcdef+AQ+/AA=='}", &e),
		STATUS_OK);
	assert_int_equal(c.n_partner_keys, 2);
	assert_string_equal(c.partner_keys[0], "a+01234567+Aeky");
	assert_string_equal(c.partner_keys[1], "b.example/x+89abcdef+AQ+/AA==");
	config_free(&c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "\npartner_keys = {\"%s\"}", bad[i]);
		if (parse(&c, text, &e) != STATUS_BAD || !strstr(e.text, "t.conf:2: partner_keys: \""))
			fail_msg("\"%s\": %s", bad[i], e.text);
	}
	for (size_t n = 286; n <= 287; n++) { /* 300 characters in all, and one more */
		memset(name, 'n', n);
		name[n] = '\0';
		(void)snprintf(text, sizeof(text), "partner_keys = {\"%s+01234567+Aeky\"}", name);
		assert_int_equal(parse(&c, text, &e), n == 286 ? STATUS_OK : STATUS_BAD);
		config_free(&c);
	}
}

static struct ip address(const char *s)
{
	struct ip ip = {0};

	assert_true(ip_parse(&ip, s));
	return ip;
}

static void networks(void **state)
{
	struct config c;
	struct err e;
	struct ip in = address("192.0.2.77"), out = address("192.0.3.77"), six = address("2001:db8::1");

	(void)state;
	assert_int_equal(parse(&c, "", &e), STATUS_OK);
	assert_true(config_owns(&c, &out));
	assert_false(config_known_relay(&c, &in, 22));
	config_free(&c);
	assert_int_equal(
		parse(&c, "own_networks={192.0.2.0/24} known_relays={192.0.2.77:22, 2001:db8::/64}", &e),
		STATUS_OK);
	assert_true(config_owns(&c, &in));
	assert_false(config_owns(&c, &out));
	assert_false(config_owns(&c, &six));
	assert_true(config_known_relay(&c, &in, 22));
	assert_false(config_known_relay(&c, &in, 23));
	assert_true(config_known_relay(&c, &six, 23));
	config_free(&c);
}

static void file_put(const char *dir, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void files(void **state)
{
	char dir[] = "/tmp/weir-config-XXXXXX", path[64];
	struct config c;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/weir.conf", dir);
	if (access("/etc/weir.conf", F_OK) != 0) {
		assert_int_equal(config_load(&c, dir, &e), STATUS_OK);
		assert_null(c.path);
		config_free(&c);
		assert_int_equal(config_load(&c, "/nonexistent/dir", &e), STATUS_OK);
		config_free(&c);
	}
	file_put(dir, "weir.conf", "point = here\n");
	assert_int_equal(config_load(&c, dir, &e), STATUS_OK);
	assert_string_equal(c.point, "here");
	assert_string_equal(c.path, path);
	config_free(&c);
	file_put(dir, "weir.conf", "\nalpha = 2\n");
	assert_int_equal(config_load(&c, dir, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "/weir.conf:2: alpha: \"2\""));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(config_load(&c, dir, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "is a directory"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(config_read(&c, path, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "no such file"));
	assert_int_equal(symlink(path, path), 0); /* a loop: neither there nor absent */
	assert_int_equal(config_load(&c, dir, &e), STATUS_MACHINE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void full_disk(void **state)
{
	struct config c;
	struct err e;
	FILE *f = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(f);
	assert_int_equal(parse(&c, "", &e), STATUS_OK);
	assert_int_equal(config_write(&c, f, &e), STATUS_MACHINE);
	config_free(&c);
	(void)fclose(f);
}

/* Does the text from..to name the default of the i-th key behind the word "default"? */
static void assert_default(size_t i, const char *from, const char *to)
{
	char *text = strndup(from, (size_t)(to - from)), *at;

	assert_non_null(text);
	at = strcasestr(text, "default");
	if (!at || (config_default(i) && !strstr(at + 7, config_default(i))))
		fail_msg("the default of %s is not documented: %s", config_key(i), text);
	free(text);
}

static void example(void **state)
{
	char *text = source_text("doc/weir.conf.example"), line[64];
	struct config c;
	struct err e = {0};

	(void)state;
	if (config_parse(&c, "weir.conf.example", text, strlen(text), &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_prints_back(&c);
	for (size_t i = 0; config_key(i); i++) {
		(void)snprintf(line, sizeof(line), "\n%s = ", config_key(i));
		const char *at = strstr(text, line), *from = at;
		if (!at)
			fail_msg("%s is not in the example", config_key(i));
		while (from > text && strncmp(from - 1, "\n\n", 2) != 0)
			from--;
		assert_default(i, from, at);
	}
	config_free(&c);
	free(text);
}

/* The man page has a paragraph for every key and none for others, and its example loads. */
static void man_page(void **state)
{
	char *text = source_text("doc/weir.conf.5"), line[64];
	size_t keys = 0, paragraphs = 0;
	struct config c;
	struct err e = {0};

	(void)state;
	for (; config_key(keys); keys++) {
		(void)snprintf(line, sizeof(line), "\n.It Ic %s No = ", config_key(keys));
		const char *at = strstr(text, line), *to;
		if (!at)
			fail_msg("%s is not in the man page", config_key(keys));
		to = strstr(at + 1, "\n.It ");
		assert_default(keys, at, to ? to : strstr(at, "\n.El"));
	}
	for (char *p = text; (p = strstr(p, "\n.It Ic ")); p++)
		paragraphs++;
	assert_int_equal(paragraphs, keys);
	char *begin = strstr(text, "\n.Bd -literal"), *end;
	assert_non_null(begin);
	begin = strchr(begin + 1, '\n');
	end = strstr(begin, "\n.Ed");
	assert_non_null(end);
	if (config_parse(&c, "weir.conf.5", begin, (size_t)(end - begin), &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_int_equal(c.n_relays, 3);
	config_free(&c);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(blocking_defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(blocking_values),
		cmocka_unit_test(refused),
		cmocka_unit_test(hostile_bytes),
		cmocka_unit_test(random_values),
		cmocka_unit_test(sizes),
		cmocka_unit_test(partner_keys),
		cmocka_unit_test(networks),
		cmocka_unit_test(files),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(example),
		cmocka_unit_test(man_page),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
