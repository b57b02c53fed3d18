/* How fast a block is, in namespaces of its own: measure [ORDERS].  Takes root.  Prints for people and for
 * bench/block/run:
 *
 *     first-drop     from giving the order (text, database, ledger, all on disk) to the first packet that no
 *                    longer arrives: by the send times of packets that a stream sends every 100 us or so
 *     many-in ...    rounds of the running enforcer with 10,000 addresses, beside `nft -f` of the same
 * elements
 */
#include "../../tests/block/enforce_kit.h"

enum { MANY = 10000, ORDERS = 200, GAP_US = 50 };

static int64_t mono_us(void)
{
	return world_real.mono(NULL).us;
}

static double round_ms(void)
{
	int64_t begun;
	struct enforced done;

	arena_free(&arena);
	arena = (struct arena){0};
	begun = mono_us();
	done = once(false);
	for (size_t i = 0; i < done.reply.n; i++)
		if (!done.reply.result[i].installed)
			fail_msg("not installed: %s", done.reply.result[i].why);
	return (double)(mono_us() - begun) / 1000;
}

/* ---- from order to first dropped packet ---- */

/* Sends its clock, from the attacker to port 9000, until it is killed. */
static pid_t stream(const char *from)
{
	pid_t pid = fork();

	if (pid == 0) {
		char path[64];
		struct sockaddr_storage a;
		socklen_t len;
		int fd;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)net.there);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
			_exit(1);
		fd = net_socket(from, 0, &a, &len);
		if (bind(fd, (struct sockaddr *)&a, len) != 0)
			_exit(1);
		(void)close(net_socket(NET_HERE4, 9000, &a, &len));
		for (;;) {
			int64_t t = mono_us();
			(void)sendto(fd, &t, sizeof(t), 0, (struct sockaddr *)&a, len);
			(void)usleep(GAP_US);
		}
	}
	return pid;
}

/* The send time of the last packet that arrived; so many that nothing is lost for want of room. */
static int64_t last_arrived(bool wait)
{
	struct pollfd p = {.fd = net.heard[0], .events = POLLIN};
	int64_t t = 0, last = 0;

	while (poll(&p, 1, wait && !last ? NET_WAIT_MS : 0) == 1)
		if (recv(net.heard[0], &t, sizeof(t), 0) == sizeof(t))
			last = t;
	return last;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void first_drops(int orders)
{
	double *ms = calloc((size_t)orders, sizeof(*ms)), *of_round = calloc((size_t)orders, sizeof(*ms));
	struct rule r = kit_rule("drop from 203.0.113.10/32 to any any any");
	struct plan_row row = desk_plan(&desk, &r, 1);
	pid_t pid = stream("203.0.113.10");

	ok(register_flush(&desk.p, &err));
	for (int i = 0; i < orders; i++) {
		int64_t given, logged, last;
		struct id id;
		(void)last_arrived(true); /* it streams */
		given = mono_us();
		id = desk_order_of(&desk, &row, &r, 1, KIT_HOUR_US, false);
		ok(register_flush(&desk.p, &err));
		logged = mono_us();
		(void)round_ms();
		last = last_arrived(false);
		ms[i] = last > given ? (double)(last - given) / 1000 : 0;
		of_round[i] = last > logged ? (double)(last - logged) / 1000 : 0;
		desk_undo(&desk, &id);
		(void)once(false);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	qsort(ms, (size_t)orders, sizeof(*ms), by_size);
	qsort(of_round, (size_t)orders, sizeof(*ms), by_size);
	(void)printf("orders %d first-drop p50 %.1f p99 %.1f max %.1f since-logged p50 %.1f p99 %.1f\n",
		orders, ms[orders / 2], ms[orders * 99 / 100], ms[orders - 1], of_round[orders / 2],
		of_round[orders * 99 / 100]);
	free(ms);
	free(of_round);
}

/* ---- many ---- */

/* `nft -f` of the same elements into a table of the same shape. */
static void peer(void)
{
	char path[] = "/tmp/weir-bench-XXXXXX", command[128];
	FILE *f = fdopen(mkstemp(path), "w");
	int64_t begun;
	double in;

	assert_non_null(f);
	(void)fprintf(f,
		"table inet peer {\n set a { type ipv4_addr; flags timeout; counter; }\n chain c { "
		"type filter hook prerouting priority -310; ip saddr @a drop; }\n}\nadd element inet "
		"peer a { ");
	for (unsigned i = 0; i < MANY; i++)
		(void)fprintf(f, "%s100.64.%u.%u timeout 1h", i ? ", " : "", i >> 8, i & 255);
	(void)fprintf(f, " }\n");
	(void)fclose(f);
	(void)snprintf(command, sizeof(command), "nft -f %s", path);
	begun = mono_us();
	net_run(command);
	in = (double)(mono_us() - begun) / 1000;
	begun = mono_us();
	net_run("nft delete element inet peer a { 100.64.0.7 }");
	(void)printf("nft-in %.1f nft-one-out %.1f", in, (double)(mono_us() - begun) / 1000);
	begun = mono_us();
	net_run("nft delete table inet peer");
	(void)printf(" nft-out %.1f\n", (double)(mono_us() - begun) / 1000);
	(void)unlink(path);
}

static void many(void)
{
	struct rule *r = calloc(MANY, sizeof(*r));
	struct id most, one;
	double idle, in, one_out, one_in, out;

	assert_non_null(r);
	for (uint32_t i = 0; i < MANY; i++)
		r[i] = kit_host(i);
	most = desk_order(&desk, r, MANY - 1, KIT_HOUR_US);
	in = round_ms();
	idle = round_ms();
	one = desk_order(&desk, &r[MANY - 1], 1, KIT_HOUR_US);
	one_in = round_ms();
	desk_undo(&desk, &one);
	one_out = round_ms();
	desk_undo(&desk, &most);
	out = round_ms();
	(void)printf("many-in %.1f idle %.1f one-in %.1f one-out %.1f many-out %.1f\n", in, idle, one_in,
		one_out, out);
	free(r);
}

static void thousand(void)
{
	enum { N = 1000 };
	struct rule *r = calloc(N, sizeof(*r));
	struct plan_row row;
	double in;

	assert_non_null(r);
	for (uint32_t i = 0; i < N; i++)
		r[i] = kit_host(i);
	row = desk_plan(&desk, r, N);
	for (uint32_t i = 0; i < N; i++)
		(void)desk_order_of(&desk, &row, &r[i], 1, KIT_HOUR_US, false);
	ok(register_flush(&desk.p, &err));
	in = round_ms();
	(void)printf("thousand-orders-in %.1f", in);
	(void)printf(" idle %.1f\n", round_ms());
	free(r);
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (!net_open())
		return 77;
	desk_open(&desk, "");
	pid = enforcing(2 * SECOND_US);
	(void)by_the_other(false);
	first_drops(argc > 1 ? atoi(argv[1]) : ORDERS);
	many();
	peer();
	thousand();
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	desk_close(&desk);
	net_close();
	return 0;
}
