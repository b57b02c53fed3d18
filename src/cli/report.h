/* What verification found, as JSON and for people. */
#ifndef WEIR_CLI_REPORT_H
#define WEIR_CLI_REPORT_H

#include "ask/here.h"
#include "cli/app.h"

struct report {
	const struct bundle *b;
	const struct verified *v;
	const struct here_list *here; /* NULL: no recording was looked into */
};

/* Does everything hold that was looked at?  Also what the own recording says. */
bool report_good(const struct report *r);
/* The first thing that does not, "" where all does. */
const char *report_why(const struct report *r);

json_t *json_report(const struct app *a, const struct report *r);
void print_report(struct app *a, const struct report *r);

/* What a claim says, in one line: "203.0.113.10 relayed OUT from IN".  to has n bytes. */
char *statement_text(char *to, size_t n, const struct statement *s);

#endif
