/* weir config: the effective configuration, in a form that loads again. */
#include "cli/app.h"

#include <stdlib.h>

#include "record/capture.h"

/* The same text in a JSON document. */
static enum status text_out(struct app *a, struct err *e)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	enum status s = f ? config_write(&a->cfg, f, e) : err_nomem(e);

	if (f && fclose(f) != 0 && s == STATUS_OK)
		s = err_nomem(e);
	if (s == STATUS_OK)
		s = json_out(a, json_pack("{s:s?, s:s}", "file", a->cfg.path, "text", text), e);
	free(text);
	return s;
}

/* What loading does not look at: the filter is libpcap's to read. */
static enum status filter_check(const struct app *a, struct err *e)
{
	if (!a->cfg.filter || !*a->cfg.filter)
		return STATUS_OK;
	struct bpf_filter *f = bpf_filter_new(a->cfg.filter, e);
	if (!f)
		return a->cfg.path ? err_wrap(e, "%s", a->cfg.path) : e->status;
	bpf_filter_free(f);
	return STATUS_OK;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	bool check = false;
	struct option_row row[] = {{"check", 0, OPTION_FLAG, &check}};
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "config: %s: takes --check only", argv[first]);
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK && check)
		s = filter_check(a, e);
	if (s != STATUS_OK)
		return s;
	if (check && a->json)
		return json_out(a, json_pack("{s:b, s:s?}", "ok", 1, "file", a->cfg.path), e);
	if (!check)
		return a->json ? text_out(a, e) : config_write(&a->cfg, a->out, e);
	(void)fprintf(a->out, "%s: no fault\n", a->cfg.path ? a->cfg.path : "defaults, no file");
	return STATUS_OK;
}

const struct command command_config = {
	"config", "[--check]", "print the effective configuration, in a form that loads again", run};
