/* The canonical text of an order: see order.h.
 *
 *     weir-order/v1
 *     case, plan, option, made ... rules N
 *     rule RULE
 *     end
 */
#include "block/order.h"

#include <stddef.h>

#include "base/utf8.h"
#include "ledger/text.h"
#include "plan/fields.h"

#define FORMAT  "weir-order/v1"
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define O(m)    offsetof(struct order, m)

static const struct field head[] = {
	{"case", FIELD_ID, O(case_id)},
	{"plan", FIELD_HASH_HEX, O(plan)},
	{"option", FIELD_U32, O(option), .max = PLAN_OPTIONS},
	{"made", FIELD_TIME, O(made)},
	{"expires", FIELD_TIME, O(expires)},
	{"override", FIELD_TEXT, O(override_why), .max = ORDER_WHY},
	{"by", FIELD_TEXT, O(by[0]), .max = ORDER_BY},
	{"confirmed-by", FIELD_TEXT, O(by[1]), .max = ORDER_BY},
	{"rules", FIELD_SIZE, O(n_rule), .max = PLAN_ACTIONS},
};

/* Characters that show nothing, or a blank (Unicode's Default_Ignorable_Code_Point and Space_Separator). */
static const struct {
	uint32_t from, to;
} unseen[] = {{0xa0, 0xa0}, {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x1680, 0x1680},
	{0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
	{0x3000, 0x3000}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
	{0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

static bool is_seen(uint32_t c)
{
	for (size_t i = 0; i < N_OF(unseen); i++)
		if (c >= unseen[i].from && c <= unseen[i].to)
			return false;
	return true;
}

static bool all_seen(const char *s)
{
	struct rd r = rd_of(s, strlen(s));
	uint32_t c;

	while (rd_left(&r) > 0)
		if (!utf8_next(&r, &c) || !is_seen(c))
			return false;
	return true;
}

/* A reason that shows nothing is none; "" is that of an order that needs none. */
static bool reason_good(const char *s)
{
	struct rd r = rd_of(s, s ? strlen(s) : 0);
	uint32_t c;

	while (rd_left(&r) > 0 && utf8_next(&r, &c))
		if (c != ' ' && is_seen(c))
			return true;
	return !s || !*s;
}

/* A name that looks like another one is no second name.  Letters of two scripts that look alike are not told
 * apart. */
static bool name_good(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n == 0 || (s[0] != ' ' && s[n - 1] != ' ' && !strstr(s, "  ") && all_seen(s));
}

enum status order_valid(const struct order *o, struct err *e)
{
	const char *key, *why = fields_bad(head, N_OF(head), o, &key);

	if (why)
		return err_set(e, STATUS_BAD, "the order: %s: %s", key, why);
	if (!name_good(o->by[0]) || !name_good(o->by[1]))
		return err_set(e, STATUS_BAD, "the order: by: blanks or characters that do not show");
	if (!reason_good(o->override_why))
		return err_set(e, STATUS_BAD, "the order: override: says nothing");
	if (o->n_rule == 0)
		return err_set(e, STATUS_BAD, "the order has no rule");
	for (size_t i = 0; i < o->n_rule; i++) {
		if (!rule_valid(&o->rule[i]))
			return err_set(e, STATUS_BAD, "the order: rule %zu is none", i + 1);
		if (i > 0 && (rule_compare(&o->rule[i - 1], &o->rule[i]) >= 0 ||
				     rule_same_match(&o->rule[i - 1], &o->rule[i])))
			return err_set(e, STATUS_BAD, "the order: rule %zu is out of order, or twice", i + 1);
	}
	return STATUS_OK;
}

static void text_write(struct buf *to, const struct order *o)
{
	char rule[RULE_TEXT];

	text_put(to, FORMAT "\n");
	fields_write(to, head, N_OF(head), o);
	for (size_t i = 0; i < o->n_rule; i++) {
		text_put(to, "rule ");
		text_put(to, rule_text(rule, &o->rule[i]));
		text_put(to, "\n");
	}
	text_put(to, "end\n");
}

void order_write(struct buf *to, const struct order *o)
{
	struct err ignored;

	if (order_valid(o, &ignored) == STATUS_OK)
		text_write(to, o);
	else
		to->failed = true;
}

static enum status rules_read(struct field_reader *r, struct order *o)
{
	struct rule *rule = arena_array(r->arena, o->n_rule, sizeof(*rule));
	enum status s = STATUS_OK;
	char text[RULE_TEXT];

	if (!rule)
		return err_nomem(r->e);
	o->rule = rule;
	for (size_t i = 0; i < o->n_rule && s == STATUS_OK; i++) {
		s = field_word(r, "rule", text, sizeof(text));
		if (s == STATUS_OK && !rule_parse(&rule[i], text))
			s = field_bad(r, "rule RULE");
	}
	return s;
}

static enum status text_read(struct field_reader *r, struct order *o)
{
	enum status s = field_line(r, FORMAT);

	if (s == STATUS_OK)
		s = fields_read(r, head, N_OF(head), o);
	if (s == STATUS_OK)
		s = rules_read(r, o);
	return s == STATUS_OK ? field_line(r, "end") : s;
}

enum status order_read(struct order *to, const void *text, size_t n, struct arena *a, struct err *e)
{
	struct field_reader r;
	struct buf again = {0};
	enum status s = fields_open(&r, "order", text, n, ORDER_BYTES, a, e);

	memset(to, 0, sizeof(*to));
	if (s == STATUS_OK)
		s = text_read(&r, to);
	if (s == STATUS_OK)
		s = order_valid(to, e);
	if (s == STATUS_OK) {
		text_write(&again, to);
		s = again.failed ? err_nomem(e) : fields_same(&r, text, n, &again, e);
	}
	buf_free(&again);
	return s;
}
