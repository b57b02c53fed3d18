/* The back end for ExaBGP against a scripted one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "block/exabgp.h"

static void starts(void **state)
{
	(void)state;
	assert_string_equal(backend_exabgp.name, "exabgp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(starts)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("exabgp", tests, NULL, NULL);
}
