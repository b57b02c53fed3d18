/* weir enforce, weir reconcile: make the kernel (or the own routers) agree with the orders in force, for as
 * long as it runs, or once. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "cli/blocking.h"

#define TICK_US (2 * SECOND_US) /* between two looks: drift has to be seen within 5 s */

/* ---- reconcile ---- */

static size_t installed_n(const struct hand_reply *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->result[i].taken && r->result[i].installed;
	return n;
}

static json_t *json_reply(const struct hand_reply *r)
{
	const struct drift *d = &r->drift;
	json_t *list = json_array();
	char id[ID_TEXT];

	for (size_t i = 0; i < r->n; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:b, s:b, s:I, s:I, s:s}", "id", id_text(id, &r->result[i].id),
				      "taken", r->result[i].taken, "installed", r->result[i].installed,
				      "packets", (json_int_t)r->result[i].packets, "bytes",
				      (json_int_t)r->result[i].bytes, "why", r->result[i].why));
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:b, s:s}", "orders", list, "missing",
		(json_int_t)d->missing, "foreign", (json_int_t)d->foreign, "added", (json_int_t)d->added,
		"removed", (json_int_t)d->removed, "renewed", (json_int_t)d->renewed, "rebuilt", d->rebuilt,
		"why", d->why);
}

static void print_reply(FILE *o, const struct hand_reply *r, bool look)
{
	const struct drift *d = &r->drift;
	char n[COUNT_TEXT], id[ID_TEXT], why[320];

	(void)fprintf(o, "%s in force, %zu installed\n", counted(n, r->n, "block"), installed_n(r));
	for (size_t i = 0; i < r->n; i++)
		if (*r->result[i].why)
			(void)fprintf(o, "block %.12s: %s\n", id_text(id, &r->result[i].id),
				printable(why, sizeof(why), r->result[i].why));
	if (d->missing || d->foreign || d->rebuilt || *d->why)
		(void)fprintf(o, "%s: %" PRIu64 " missing, %" PRIu64 " foreign%s%s%s\n",
			look ? "does not agree" : "mended", d->missing, d->foreign,
			d->rebuilt ? ", the table was not ours" : "", *d->why ? ": " : "",
			printable(why, sizeof(why), d->why));
	else
		(void)fprintf(o, "agrees\n");
}

/* Intent and kernel agree when every order is installed and nothing else was found. */
static bool agrees(const struct hand_reply *r, bool look)
{
	const struct drift *d = &r->drift;

	return installed_n(r) == r->n &&
	       (!look || (d->missing == 0 && d->foreign == 0 && d->renewed == 0 && !d->rebuilt));
}

static enum status reconcile(struct app *a, bool look, struct err *e)
{
	struct arena arena = {0};
	struct enforced done = {0};
	struct place p = {0};
	enum status s = place_open(a, &p, e);

	if (s == STATUS_OK)
		s = enforce_once(&done, a->w, a->dir, p.db, &a->cfg, &backend_nft, look, &arena, e);
	if (s == STATUS_OK && a->json)
		s = json_out(a, json_reply(&done.reply), e);
	else if (s == STATUS_OK)
		print_reply(a->out, &done.reply, look);
	if (s == STATUS_OK && !agrees(&done.reply, look)) {
		e->text[0] = '\0';
		s = STATUS_NO;
	}
	case_db_close(p.db);
	arena_free(&arena);
	return s;
}

static enum status run_reconcile(struct app *a, int argc, char **argv, struct err *e)
{
	bool look = false;
	struct option_row row[] = {{"dry-run", 'n', OPTION_FLAG, &look}};
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "reconcile: %s: takes options only (--dry-run)", argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	return s == STATUS_OK ? reconcile(a, look, e) : s;
}

const struct command command_reconcile = {"reconcile", "[--dry-run]",
	"make the kernel agree with the blocks in force, once; says what did not", run_reconcile};

/* ---- enforce ---- */

/* Somebody's parent starts us again when we end: no more often than this, for ExaBGP gives up, and withdraws
 * all it announces, when its process ends six times a minute. */
#define AGAIN_S 15

static void wait_before_end(void)
{
	const struct timespec second = {.tv_sec = 1};

	for (int i = 0; i < AGAIN_S && !stop_requested; i++)
		(void)nanosleep(&second, NULL);
}

static enum status enforce(struct app *a, const struct backend *b, int64_t tick_us, struct err *e)
{
	struct enforcer *f = NULL;
	struct place p = {0};
	enum status s = place_open(a, &p, e);

	if (s == STATUS_OK)
		s = block_keys(a, e); /* the enforcing process knows the log's key from its start */
	if (s == STATUS_OK)
		s = enforcer_open(&f, a->w, a->dir, p.db, &a->cfg, b, e);
	if (s == STATUS_OK) {
		catch_signals();
		log_line("enforcing the blocks of %s by %s; ^C ends this, %s", a->dir, b->name,
			b->net_admin ? "what is installed expires by itself"
				     : "what is announced is withdrawn then");
		s = enforcer_run(f, tick_us, &stop_requested, e);
	}
	enforcer_close(f);
	case_db_close(p.db);
	return s;
}

static enum status run_enforce(struct app *a, int argc, char **argv, struct err *e)
{
	bool exabgp = false;
	int64_t tick = TICK_US;
	struct option_row row[] = {{"exabgp", 0, OPTION_FLAG, &exabgp}, {"tick", 0, OPTION_SPAN, &tick}};
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "enforce: %s: takes options only (--exabgp, --tick)", argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s != STATUS_OK || !exabgp)
		return s == STATUS_OK ? enforce(a, &backend_nft, tick, e) : s;
	(void)umask(022); /* ExaBGP's own takes the right to enter from folders that are made */
	s = enforce(a, &backend_exabgp, tick, e);
	if (s != STATUS_OK) {
		log_line("%s", e->text);
		e->text[0] = '\0'; /* said */
		wait_before_end();
	}
	return s;
}

const struct command command_enforce = {"enforce", "[--exabgp] [--tick 2s]",
	"the long-lived enforcer: installs, watches and mends; --exabgp as a process of ExaBGP", run_enforce};
