/* What a test of this folder asks of a call: that it did its work, or that it refused by name. */
#ifndef WEIR_TESTS_LEDGER_VERDICT_H
#define WEIR_TESTS_LEDGER_VERDICT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static inline void ok(const struct err *e, enum status s)
{
	if (s != STATUS_OK)
		fail_msg("status %d: %s", s, e->text);
}

static inline void refused(const struct err *e, enum status got, enum status want, const char *says)
{
	assert_int_equal(got, want);
	if (!strstr(e->text, says))
		fail_msg("says: %s; not: %s", e->text, says);
}

#endif
