/* weir blocks, weir unblock: what is in force, with hits and time left; and the end of it. */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "cli/blocking.h"

/* ---- the state of an order ---- */

const char *order_state(const struct order_row *o, struct wall now)
{
	if (o->undone.us)
		return "undone";
	if (o->expires.us <= now.us)
		return "expired";
	if (o->waits)
		return "waits";
	return o->installed ? "in force" : "not installed";
}

/* What the enforcer sees now, where one may be asked or run; else what was measured last stands. */
static void look_now(struct app *a, const struct place *p, struct arena *arena)
{
	struct enforced done;
	struct err e;

	if (enforce_once(&done, a->w, a->dir, p->db, &a->cfg, &backend_nft, true, arena, &e) != STATUS_OK)
		log_line("not measured now (%s): the figures are those of the last time", e.text);
}

/* "59m58s", "0s" where nothing is left. */
static char *left_text(char to[32], int64_t us)
{
	int64_t s = us > 0 ? us / SECOND_US : 0;

	if (s >= 86400)
		(void)snprintf(to, 32, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		(void)snprintf(to, 32, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
	else if (s >= 60)
		(void)snprintf(to, 32, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else
		(void)snprintf(to, 32, "%" PRId64 "s", s);
	return to;
}

static int64_t left_us(const struct order_row *o, struct wall now)
{
	return o->undone.us || o->expires.us <= now.us ? 0 : o->expires.us - now.us;
}

json_t *json_block(const struct order_row *o, struct wall now)
{
	char id[ID_TEXT], case_id[ID_TEXT], plan[ID_TEXT], undo[64];
	bool live = left_us(o, now) > 0;

	(void)id_text(id, &o->id);
	(void)snprintf(undo, sizeof(undo), "weir unblock %.12s", id);
	json_t *j =
		json_pack("{s:s, s:s, s:s, s:i, s:s, s:o, s:o, s:f, s:b, s:b, s:I, s:I, s:s, s:s, s:s, s:s?}",
			"id", id, "case", id_text(case_id, &o->case_id), "plan", id_text(plan, &o->plan),
			"option", (int)o->option, "state", order_state(o, now), "made", json_time(o->made.us),
			"expires", json_time(o->expires.us), "left_s", (double)left_us(o, now) / SECOND_US,
			"installed", live && o->installed, "announced", live && o->announced, "packets",
			(json_int_t)o->packets, "bytes", (json_int_t)o->bytes, "by", o->by, "override",
			o->why, "note", o->note, "undo", live ? undo : NULL);
	(void)json_object_set_new(j, "undone", o->undone.us ? json_time(o->undone.us) : json_null());
	(void)json_object_set_new(j, "measured", o->measured.us ? json_time(o->measured.us) : json_null());
	return j;
}

void print_block(FILE *to, const struct order_row *o, struct wall now)
{
	char id[ID_TEXT], case_id[ID_TEXT], left[32], bytes[32], n[COUNT_TEXT], words[ORDER_WHY + 1];
	char end[WALL_TEXT];
	bool live = left_us(o, now) > 0;

	(void)fprintf(to, "%.12s  case %.12s  option %-2" PRIu32 "  %-13s  ", id_text(id, &o->id),
		id_text(case_id, &o->case_id), o->option, order_state(o, now));
	if (live)
		(void)fprintf(to, "%6s left", left_text(left, left_us(o, now)));
	else
		(void)fprintf(to, "%.19sZ", wall_text(end, o->undone.us ? o->undone : o->expires));
	(void)fprintf(to, "  %s, %s dropped%s", counted(n, o->packets, "packet"), amount(bytes, o->bytes),
		o->announced ? ", announced" : "");
	if (live)
		(void)fprintf(to, "; undo: weir unblock %.12s", id);
	(void)fputc('\n', to);
	if (*o->why)
		(void)fprintf(to, "  NOT SUFFICIENT, overridden by %s: %s\n", o->by,
			printable(words, sizeof(words), o->why));
	if (*o->note)
		(void)fprintf(to, "  %s\n", printable(words, sizeof(words), o->note));
}

/* ---- blocks ---- */

struct listing {
	struct wall since, until;
	bool all;
};

static enum status list(
	struct app *a, const struct place *p, const struct listing *l, struct arena *arena, struct err *e)
{
	struct wall now = a->w->now(a->w->self);
	struct order_row *o;
	size_t n = 0, shown = 0;
	enum status s = order_row_list(p->db, NULL, false, now, arena, &o, &n, e);

	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		bool live = !o[i].undone.us && o[i].expires.us > now.us;
		if ((!l->all && !live) || o[i].made.us < l->since.us || o[i].made.us >= l->until.us)
			continue;
		shown++;
		if (a->json)
			s = json_out(a, json_block(&o[i], now), e);
		else
			print_block(a->out, &o[i], now);
	}
	if (s == STATUS_OK && shown == 0)
		log_line("no block %s",
			l->all ? "was ever ordered here" : "is in force (--all: also what was)");
	return s;
}

static enum status run_blocks(struct app *a, int argc, char **argv, struct err *e)
{
	struct listing l = {WALL_BEGIN, WALL_END, false};
	struct option_row row[] = {{"since", 0, OPTION_TIME, &l.since}, {"until", 0, OPTION_TIME, &l.until},
		{"all", 0, OPTION_FLAG, &l.all}};
	struct arena arena = {0};
	struct place p = {0};
	struct order_row *live;
	size_t n = 0;
	int first;
	enum status s = options_parse(a, row, 3, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "blocks: %s: takes options only (--all, --since, --until)",
			argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK)
		s = place_open(a, &p, e);
	if (s == STATUS_OK)
		s = order_row_list(p.db, NULL, true, a->w->now(a->w->self), &arena, &live, &n, e);
	if (s == STATUS_OK && n)
		look_now(a, &p, &arena);
	if (s == STATUS_OK)
		s = list(a, &p, &l, &arena, e);
	case_db_close(p.db);
	arena_free(&arena);
	return s;
}

const struct command command_blocks = {"blocks", "[--all] [--since TIME] [--until TIME]",
	"list blocks with what they dropped, time left, and how to undo each", run_blocks};

/* ---- unblock ---- */

/* The orders that an id means: of a block, or of a case all that are in force or wait. */
static enum status meant(struct app *a, const struct place *p, const char *id, struct arena *arena,
	struct order_row **to, size_t *n, struct err *e)
{
	struct wall now = a->w->now(a->w->self);
	struct order_row *row = arena_alloc(arena, sizeof(*row));
	struct attack_case c;
	struct err none;
	size_t had = 0;
	enum status s = row ? order_row_read(p->db, id, arena, row, e) : err_nomem(e);

	*to = row;
	*n = s == STATUS_OK;
	if (s != STATUS_NO)
		return s;
	if (case_read(p->db, id, arena, &c, &none) != STATUS_OK)
		return err_set(e, STATUS_NO, "%s: no such block, and no such case", id);
	s = order_row_list(p->db, &c.id, false, now, arena, &row, &had, e);
	*to = row;
	for (size_t i = 0; i < had && s == STATUS_OK; i++)
		if (!row[i].undone.us && row[i].expires.us > now.us)
			row[(*n)++] = row[i];
	return s;
}

static enum status unblocked(
	struct app *a, const struct order_row *o, size_t n, const char *state, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		char id[ID_TEXT], case_id[ID_TEXT];
		(void)id_text(id, &o[i].id);
		if (a->json)
			s = json_out(a,
				json_pack("{s:s, s:s, s:s}", "id", id, "case",
					id_text(case_id, &o[i].case_id), "state", state),
				e);
		else
			(void)fprintf(a->out, "block %.12s: %s\n", id, state);
	}
	return s;
}

static enum status unblock(struct app *a, const struct place *p, const char *id, const char *by,
	struct arena *arena, struct err *e)
{
	struct wall now = a->w->now(a->w->self);
	struct enforced done;
	struct order_row *o;
	size_t n = 0;
	enum status s = meant(a, p, id, arena, &o, &n, e);

	if (s != STATUS_OK)
		return s;
	if (n == 0)
		return err_set(e, STATUS_NO, "case %s: no block of it is in force", id);
	if (n == 1 && (o->undone.us || o->expires.us <= now.us))
		return unblocked(a, o, 1, o->undone.us ? "was undone before" : "had expired", e);
	s = block_end(a, p, o, n, by, "", arena, &done, e);
	return s == STATUS_OK ? unblocked(a, o, n, "undone", e) : s;
}

static enum status run_unblock(struct app *a, int argc, char **argv, struct err *e)
{
	const char *by = NULL;
	struct option_row row[] = {{"by", 0, OPTION_TEXT, &by}};
	struct arena arena = {0};
	struct place p = {0};
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "unblock: one id (of a block; of a case: all its blocks)");
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK)
		s = place_open(a, &p, e);
	if (s == STATUS_OK)
		s = unblock(a, &p, argv[first], by, &arena, e);
	case_db_close(p.db);
	arena_free(&arena);
	return s;
}

const struct command command_unblock = {
	"unblock", "ID [--by NAME]", "undo a block, or all blocks of a case", run_unblock};
