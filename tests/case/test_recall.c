/* Which open case an alert belongs to: by flow, attacker, relay and end, from the database and from what was
 * added since; and sightings that join a case. */
#include "case_kit.h"

#include "case/order.h"
#include "case/recall.h"

static struct sighting alert(const char *from, const char *to, int64_t seconds)
{
	struct sighting s = {.source = "eve", .proto = 6, .text = "x", .count = 1};

	assert_true(endpoint_parse(&s.end[0], from));
	assert_true(endpoint_parse(&s.end[1], to));
	s.at.us = (1416820353 + seconds) * SECOND_US;
	return s;
}

static struct ip ip(const char *s)
{
	struct ip to;

	assert_true(ip_parse(&to, s));
	return to;
}

static void opened(struct fixture *f, struct sighting s, struct id *id)
{
	ok(f, case_open(f->db, NULL, &s, 1, id, &f->e));
}

static struct recall *recalled(struct fixture *f, const struct config *cfg)
{
	struct recall *r;

	ok(f, recall_open(&r, cfg, &f->e));
	ok(f, recall_read(r, f->db, &f->e));
	return r;
}

static void claimed(struct fixture *f, const struct id *id, const char *relay, const char *in)
{
	char body[256];
	struct claim c = {.kind = "link", .body = body};

	(void)snprintf(body, sizeof(body), "{\"relay\":\"%s\",\"in\":{\"flow\":\"%s\"}}", relay, in);
	ok(f, claim_write(f->db, id, &c, NULL, &f->e));
}

static void joining(void **state)
{
	struct fixture *f = *state;
	struct sighting more[2] = {
		alert("198.51.100.8:1", "192.0.2.10:22", 1), alert("198.51.100.9:1", "192.0.2.10:22", 2)};
	struct attack_case c;
	struct id id, none = {{1}};
	char text[ID_TEXT];

	open_db(f);
	opened(f, alert("198.51.100.7:1", "192.0.2.10:22", 0), &id);
	ok(f, case_join(f->db, &id, more, 2, &f->e));
	more[1].count = 7;
	ok(f, case_join(f->db, &id, &more[1], 1, &f->e));
	ok(f, case_read(f->db, id_text(text, &id), &f->arena, &c, &f->e));
	assert_int_equal(c.n_sighting, 3);
	assert_int_equal(c.sighting[2].count, 7);
	assert_int_equal(case_join(f->db, &none, more, 2, &f->e), STATUS_NO);
	assert_int_equal(case_join(f->db, &id, more, 0, &f->e), STATUS_BAD);
	ok(f, case_close(f->db, text, &id, &f->e));
	assert_int_equal(case_join(f->db, &id, more, 2, &f->e), STATUS_NO);
	assert_non_null(strstr(f->e.text, "closed"));
	ok(f, case_read(f->db, text, &f->arena, &c, &f->e));
	assert_true(c.closed.us > 0);
}

static void flows(void **state)
{
	struct fixture *f = *state;
	struct config cfg = {0};
	struct sighting same = alert("192.0.2.10:22", "198.51.100.7:1", 60);
	struct sighting late = alert("198.51.100.7:1", "192.0.2.10:22", 3600 * 3);
	struct sighting other = alert("198.51.100.7:2", "192.0.2.10:22", 0);
	struct id id;

	open_db(f);
	opened(f, alert("198.51.100.7:1", "192.0.2.10:22", 0), &id);
	struct recall *r = recalled(f, &cfg);
	struct recall_flow *found = recall_flow(r, &same);
	assert_non_null(found);
	assert_int_equal(id_order(&found->case_id, &id), 0);
	assert_null(recall_flow(r, &late));
	assert_null(recall_flow(r, &other));
	/* a session that goes on is one, however long */
	found->seen.us += 3600 * 2 * SECOND_US;
	assert_non_null(recall_flow(r, &late));
	assert_ptr_equal(recall_last(r, &id, &other), found);
	found = recall_add(r, &id, &other);
	assert_ptr_equal(recall_flow(r, &other), found);
	assert_ptr_equal(recall_last(r, &id, &other), found);
	assert_ptr_equal(recall_next(r, recall_next(r, NULL)), found);
	assert_null(recall_next(r, found));
	recall_close(r);
}

static void is_known(
	struct recall *r, const char *host, const struct id *but, enum recall_role role, const struct id *in)
{
	struct ip a = ip(host);
	struct recall_host h;

	assert_true(recall_host(r, &a, but, &h));
	assert_int_equal(h.role, role);
	assert_int_equal(id_order(&h.case_id, in), 0);
}

static void is_not_known(struct recall *r, const char *host, const struct id *but)
{
	struct ip a = ip(host);
	struct recall_host h;

	assert_false(recall_host(r, &a, but, &h));
}

static void hosts(void **state)
{
	struct fixture *f = *state;
	struct config cfg = {0};
	struct id a, b, closed;
	char text[ID_TEXT];

	open_db(f);
	opened(f, alert("198.51.100.7:1", "192.0.2.10:22", 0), &a);
	opened(f, alert("[2001:db8:1:2::7]:1", "[2001:db8:9::1]:22", 0), &b);
	opened(f, alert("198.51.100.99:1", "192.0.2.10:22", 0), &closed);
	claimed(f, &a, "198.51.100.7", "tcp 203.0.113.5:999 > 198.51.100.7:22");
	claimed(f, &b, "2001:db8:1:2::7", "tcp [2001:db8:1:2::7]:5 > [2001:db8:5::5]:22");
	ok(f, case_close(f->db, id_text(text, &closed), &closed, &f->e));
	struct recall *r = recalled(f, &cfg);
	is_known(r, "198.51.100.7", NULL, RECALL_ATTACKER, &a);
	is_not_known(r, "198.51.100.7", &a);
	is_not_known(r, "192.0.2.10", NULL);
	is_known(r, "203.0.113.5", NULL, RECALL_END, &a);
	is_known(r, "2001:db8:1:2:ffff::1", NULL, RECALL_ATTACKER, &b);
	is_known(r, "2001:db8:5:0:1::", NULL, RECALL_END, &b);
	is_not_known(r, "2001:db8:5:1::", NULL);
	is_not_known(r, "198.51.100.99", NULL);
	struct ip relay = ip("203.0.113.77"), far = ip("203.0.113.78");
	assert_true(recall_add_link(r, &b, &relay, &far));
	is_known(r, "203.0.113.77", &a, RECALL_RELAY, &b);
	is_known(r, "203.0.113.78", NULL, RECALL_END, &b);
	recall_close(r);
}

/* With own networks configured the attacker is who is not of them, whoever opened the flow. */
static void attackers(void **state)
{
	struct fixture *f = *state;
	struct prefix own;
	struct config cfg = {.own = &own, .n_own = 1};
	struct id id;

	assert_true(prefix_parse(&own, "192.0.2.0/24"));
	open_db(f);
	opened(f, alert("192.0.2.10:5000", "198.51.100.7:443", 0), &id);
	struct recall *r = recalled(f, &cfg);
	is_known(r, "198.51.100.7", NULL, RECALL_ATTACKER, &id);
	is_not_known(r, "192.0.2.10", NULL);
	recall_close(r);
}

/* Another process opens and closes cases; what an enforcer measures is no reason to read anew. */
static void another_process(void **state)
{
	struct fixture *f = *state;
	struct config cfg = {0};
	struct case_db *second;
	struct sighting s = alert("198.51.100.8:1", "192.0.2.10:22", 1);
	struct id a, b;
	char text[ID_TEXT];
	bool due;

	open_db(f);
	ok(f, case_db_open(&second, &world_real, f->dir, &f->e));
	opened(f, alert("198.51.100.7:1", "192.0.2.10:22", 0), &a);
	struct recall *r = recalled(f, &cfg);
	ok(f, recall_due(r, f->db, &due, &f->e));
	assert_false(due);
	struct id none = {{9}};
	ok(f, order_row_measure(second, &none, (struct wall){1}, true, false, 1, 1, "", &f->e));
	ok(f, recall_due(r, f->db, &due, &f->e));
	assert_false(due);
	ok(f, case_open(second, NULL, &s, 1, &b, &f->e));
	ok(f, recall_due(r, f->db, &due, &f->e));
	assert_true(due);
	ok(f, recall_read(r, f->db, &f->e));
	is_known(r, "198.51.100.8", NULL, RECALL_ATTACKER, &b);
	ok(f, case_close(second, id_text(text, &b), &b, &f->e));
	ok(f, recall_due(r, f->db, &due, &f->e));
	assert_true(due);
	recall_stale(r);
	ok(f, recall_due(r, f->db, &due, &f->e));
	assert_true(due);
	ok(f, recall_read(r, f->db, &f->e));
	is_not_known(r, "198.51.100.8", NULL);
	recall_close(r);
	case_db_close(second);
}

/* Many hosts and flows, against a list that is walked. */
static void many(void **state)
{
	enum { N = 3000 };
	struct fixture *f = *state;
	struct config cfg = {0};
	static struct {
		uint8_t host;
		uint16_t port;
	} known[N];
	struct id of[256];
	uint64_t seed = seed_take();
	struct recall *r;

	memset(of, 0, sizeof(of));
	open_db(f);
	r = recalled(f, &cfg);
	for (int i = 0; i < N; i++) {
		char from[32];
		known[i].host = (uint8_t)next_random(&seed);
		known[i].port = (uint16_t)(1 + next_random(&seed) % 5000);
		(void)snprintf(from, sizeof(from), "198.18.0.%u:%u", known[i].host, known[i].port);
		struct sighting s = alert(from, "192.0.2.10:22", 0);
		bool there = false;
		for (int k = 0; k < i && !there; k++)
			there = known[k].host == known[i].host && known[k].port == known[i].port;
		assert_int_equal(recall_flow(r, &s) != NULL, there);
		of[known[i].host] = (struct id){{known[i].host, 1}};
		if (!there)
			assert_non_null(recall_add(r, &of[known[i].host], &s));
	}
	for (unsigned h = 0; h < 256; h++) {
		char text[32];
		struct id none = {0};
		(void)snprintf(text, sizeof(text), "198.18.0.%u", h);
		if (id_order(&of[h], &none) == 0)
			is_not_known(r, text, NULL);
		else
			is_known(r, text, NULL, RECALL_ATTACKER, &of[h]);
	}
	recall_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joining), TEST(flows), TEST(hosts), TEST(attackers), TEST(another_process), TEST(many)};

	return cmocka_run_group_tests_name("recall", tests, NULL, NULL);
}
