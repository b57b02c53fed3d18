#include "plan_kit.h"

static void test_nested(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p;
	struct err e = {0};

	(void)state;
	scene_open(&s, "");
	scene_sealed(&s);
	scene_lab(&s, "nested", id);
	struct plan_param q = scene_param(&s);
	enum status st = scene_plan(&s, &q, id, &p, &e);
	if (st != STATUS_OK) print_message("%s\n", e.text);
	assert_int_equal(st, STATUS_OK);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_nested)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
