/* weir record: captures or a live interface into trains.
 *
 * Captures are hostile, so all that is wanted of DIR is opened first; then the process gives up what it does
 * not need (record_confine(), record_live()), and only then looks at the first byte. */
#include "cli/app.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "record/record.h"

static json_t *skipped_json(const struct record_sum *s)
{
	json_t *j = json_object();

	for (size_t d = 1; d < DROP_COUNT; d++)
		if (s->skipped[d])
			(void)json_object_set_new(
				j, drop_name((enum drop)d), json_integer((json_int_t)s->skipped[d]));
	if (s->kernel_drops)
		(void)json_object_set_new(j, "kernel-drops", json_integer((json_int_t)s->kernel_drops));
	return j;
}

static json_t *sum_json(const struct record_sum *s)
{
	bool any = s->packets > 0;

	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:f}", "packets", (json_int_t)s->packets,
		"bytes", (json_int_t)s->bytes, "flows", (json_int_t)s->flows, "bursts", (json_int_t)s->bursts,
		"from", any ? json_time(s->from_us) : json_null(), "to",
		any ? json_time(s->to_us) : json_null(), "skipped", skipped_json(s), "seconds", s->seconds);
}

/* Was anything read? */
static bool anything(const struct record_sum *s)
{
	bool any = s->packets > 0 || s->kernel_drops > 0;

	for (size_t d = 1; d < DROP_COUNT && !any; d++)
		any = s->skipped[d] > 0;
	return any;
}

static void sum_print(FILE *o, const struct record_sum *s)
{
	char n[COUNT_TEXT], b[32], f[COUNT_TEXT], u[COUNT_TEXT], from[WALL_TEXT], to[WALL_TEXT];

	(void)fprintf(o, "%s (%s), %s, %s in %.1f s\n", counted(n, s->packets, "packet"), amount(b, s->bytes),
		counted(f, s->flows, "flow"), counted(u, s->bursts, "burst"), s->seconds);
	if (s->packets)
		(void)fprintf(o, "from %s to %s\n", wall_text(from, (struct wall){s->from_us}),
			wall_text(to, (struct wall){s->to_us}));
	for (size_t d = 1; d < DROP_COUNT; d++)
		if (s->skipped[d])
			(void)fprintf(
				o, "skipped %s: %s\n", drop_name((enum drop)d), thousands(n, s->skipped[d]));
	if (s->kernel_drops)
		(void)fprintf(o, "skipped kernel-drops: %s\n", thousands(n, s->kernel_drops));
}

/* What the recorder's callbacks need. */
struct recording_run {
	struct app *app;
	const char *iface; /* NULL: files */
	bool said;         /* that it listens */
	struct arena held; /* ids of the flows that are held, as of the last trim */
};

static void progress(void *self, uint64_t done, uint64_t size, const struct record_sum *sum)
{
	struct recording_run *r = self;

	if (r->iface && !r->said)
		log_line("listening on %s, ^C ends", r->iface);
	r->said = true;
	if (size)
		progress_show("recording", done, size);
	else
		progress_show("recorded packets", sum->packets, 0);
}

/* Flows of open cases, which the caps spare; none where there is no database yet.  Asked before each trim: a
 * case may be opened while a recorder runs. */
static enum status held(void *self, struct store_keep *keep, struct err *e)
{
	struct recording_run *r = self;
	struct case_db *db = NULL;
	struct id *ids = NULL;
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/weir.db", r->app->dir);

	keep->held = NULL;
	keep->n_held = 0;
	arena_free(&r->held);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, STATUS_BAD, "%s: the name is too long", r->app->dir);
	if (access(path, F_OK) != 0)
		return errno == ENOENT ? STATUS_OK : err_errno(e, "%s", path);
	enum status s = case_db_open(&db, r->app->w, r->app->dir, e);
	if (s == STATUS_OK)
		s = case_held(db, &r->held, &ids, &keep->n_held, e);
	keep->held = ids;
	case_db_close(db);
	return s;
}

/* Every file is tried; the worst status is what remains, with its message. */
static enum status files(struct app *a, const struct record_param *p, int n, char **path,
	struct record_sum *sum, struct err *e)
{
	enum status worst = STATUS_OK;

	for (int i = 0; i < n && !stop_requested; i++) {
		struct err one = {0};
		enum status s = record_file(a->w, p, path[i], sum, &one);
		if (s != STATUS_OK && worst != STATUS_OK)
			log_line("%s", e->text);
		if (s > worst || (s != STATUS_OK && worst == STATUS_OK)) {
			worst = s;
			*e = one;
		} else if (s != STATUS_OK) {
			*e = one;
		}
		if (s == STATUS_MACHINE)
			break;
	}
	return worst;
}

#define KEEP_UNSAID UINT64_MAX /* --keep was not given: 0 means that there is no cap */

static struct record_param param(struct recording_run *r, const char *point, uint64_t keep_bytes)
{
	const struct app *a = r->app;

	return (struct record_param){.dir = a->dir,
		.point = point ? point : a->cfg.point,
		.filter = a->cfg.filter,
		.never = a->cfg.never,
		.n_never = a->cfg.n_never,
		.vlan_key = a->cfg.vlan_overlap,
		.max_flows = a->cfg.max_flows,
		.keep = {.max_bytes = keep_bytes != KEEP_UNSAID ? keep_bytes : a->cfg.keep_bytes,
			.max_age_us = a->cfg.keep_age_us},
		.stop = &stop_requested,
		.held = held,
		.progress = progress,
		.self = r};
}

static enum status run_files(struct app *a, const struct record_param *p, int n, char **path,
	struct record_sum *sum, struct err *e)
{
	enum status s = store_prepare(a->w, a->dir, e);

	if (s == STATUS_OK)
		s = record_confine(a->dir, path, (size_t)n, e);
	return s == STATUS_OK ? files(a, p, n, path, sum, e) : s;
}

static enum status arguments_check(const char *point, const char *iface, int n_files, struct err *e)
{
	if ((iface != NULL) == (n_files > 0))
		return err_set(e, STATUS_BAD,
			iface ? "record: files or -i IFACE, not both" : "record: no file (or -i IFACE)");
	if (point && !config_point_valid(point))
		return err_set(e, STATUS_BAD, "--point %s: a name is %s", point, CONFIG_POINT_ALLOWED);
	return STATUS_OK;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	const char *point = NULL, *iface = NULL;
	uint64_t keep = KEEP_UNSAID;
	struct option_row row[] = {{"point", 0, OPTION_TEXT, &point}, {"keep", 0, OPTION_SIZE, &keep},
		{"interface", 'i', OPTION_TEXT, &iface}};
	struct recording_run r = {.app = a};
	struct record_sum sum = {.from_us = INT64_MAX, .to_us = INT64_MIN};
	int first;
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s == STATUS_OK)
		s = arguments_check(point, iface, argc - first, e);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	struct record_param p = param(&r, point, keep);
	r.iface = iface;
	catch_signals();
	s = iface ? record_live(a->w, &p, iface, &sum, e)
		  : run_files(a, &p, argc - first, argv + first, &sum, e);
	arena_free(&r.held);
	progress_end();
	if (a->json) {
		struct err json_err;
		(void)json_out(a, sum_json(&sum), &json_err);
		a->unwritten = false; /* s is about the recording; main() looks at the output itself */
	} else if (s == STATUS_OK || anything(&sum)) {
		sum_print(a->out, &sum);
	}
	return s;
}

const struct command command_record = {"record", "[--point NAME] [--keep SIZE] FILE... | -i IFACE",
	"read pcap or pcapng files, or a live interface, into trains", run};
