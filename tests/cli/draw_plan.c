/* Plans out of a seed, drawn or printed: `draw_plan svg|text OPTIONS SEED SCALE [hostile]`.  OPTIONS points
 * on a front, whose collateral grows by up to SCALE from one to the next; hostile: its texts are of somebody
 * who hates terminals and XML.  The first line tells what was drawn, in JSON, behind "# "; then comes what is
 * tested. */
#include <stdlib.h>
#include <string.h>

#include "../lib/rnd.h"
#include "cli/plan_print.h"

static const char *const plain[] = {"isp.example/weir", "203.0.113.0/24",
	("evidence of log10 e 5.0 for a prefix: 2.3 more, or a narrower rule (one host for an hour needs "
	 "3.0)")};
static const char *const nasty[] = {"\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>",
	"\"/><svg onload='x'>&nbsp;]]>", "\xff\xfe\n\r\tx & y < z"};

static struct action action[3];

static void option_make(
	struct option *o, uint32_t k, double stops, uint64_t collateral, const char *const *text)
{
	static const char *needs[64][2];
	size_t n_needs = kit_rnd(4) == 0 ? 1 + kit_rnd(2) : 0;

	needs[k % 64][0] = text[0];
	needs[k % 64][1] = text[1];
	*o = (struct option){.k = k,
		.action = action,
		.n_action = 1 + kit_rnd(3),
		.stops = stops,
		.stops_all = stops / 2,
		.stops_bytes = stops,
		.hit = {.flows = collateral,
			.peers = collateral / 2,
			.bytes = collateral * 1500,
			.own = kit_rnd(2),
			.shared = (enum shared)kit_rnd(3)},
		.collateral = collateral,
		.cost_us = "nothing",
		.cost_partner = text[2],
		.cost_bystanders = "they lose what they do there",
		.needs = needs[k % 64],
		.n_needs = n_needs,
		.for_us = 3600 * SECOND_US,
		.sufficient = kit_rnd(3) != 0,
		.log10_e = 4.5,
		.needed = 5};
	o->missing = o->sufficient ? "" : text[2];
	o->way = needs[k % 64];
	o->n_way = kit_rnd(3);
}

static void plan_make_up(struct plan *p, struct option *o, size_t n, uint64_t scale, const char *const *text)
{
	double stops = 0.2;
	uint64_t collateral = 0;

	*p = (struct plan){.made = {INT64_C(1795383343000000)},
		.ends = text[0],
		.cases = 2,
		.attacks = 7,
		.attacks_all = 12,
		.from = {INT64_C(1795379743000000)},
		.to = {INT64_C(1795383343000000)},
		.exact = n < 20,
		.gap = 0.031,
		.option = o,
		.n_option = n};
	for (size_t i = 0; i < n; i++) {
		option_make(&o[i], (uint32_t)i + 1, i + 1 == n ? 1 : stops, collateral, text);
		o[i].marked = i == n / 2;
		stops += (1 - stops) * (double)kit_rnd(100) / 300.0;
		collateral += kit_rnd(2) * kit_rnd(scale + 1);
	}
}

/* What was drawn, for the test to compare. */
static void say(const struct plan *p)
{
	(void)printf("# [");
	for (size_t i = 0; i < p->n_option; i++)
		(void)printf("%s{\"k\":%u,\"needs\":%zu,\"sufficient\":%s,\"marked\":%s,\"collateral\":%llu}",
			i ? "," : "", p->option[i].k, p->option[i].n_needs,
			p->option[i].sufficient ? "true" : "false", p->option[i].marked ? "true" : "false",
			(unsigned long long)p->option[i].collateral);
	(void)printf("]\n");
}

int main(int argc, char **argv)
{
	static struct option option[PLAN_OPTIONS];
	const struct id id = {{0xab, 1, 2}};
	struct buf drawn = {0};
	struct plan p;

	if (argc < 5 || atoi(argv[2]) < 0 || atoi(argv[2]) > PLAN_OPTIONS)
		return 2;
	kit_state = strtoull(argv[3], NULL, 10) * 2 + 1;
	for (int i = 0; i < 8; i++)
		(void)kit_rnd(2);
	for (size_t i = 0; i < 3; i++)
		(void)rule_parse(&action[i].rule, "drop from 203.0.113.10/32 to any tcp 22");
	for (size_t i = 0; i < 3; i++)
		action[i].place = i ? (argc > 5 ? nasty : plain)[i] : "";
	plan_make_up(
		&p, option, (size_t)atoi(argv[2]), strtoull(argv[4], NULL, 10), argc > 5 ? nasty : plain);
	say(&p);
	if (strcmp(argv[1], "svg") == 0) {
		plan_svg(&drawn, &p, &id);
		(void)fwrite(drawn.p, 1, drawn.n, stdout);
	} else {
		print_plan(stdout, &p, &id, false);
	}
	buf_free(&drawn);
	return drawn.failed;
}
