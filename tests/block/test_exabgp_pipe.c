/* The back end over two pipes, at whose other end a process is ExaBGP (exabgp_kit.h): that answers, hangs,
 * ends, or lets the pipes fill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block/exabgp.h"
#include "exabgp_kit.h"

#define MANY 10000

/* How ExaBGP behaves. */
struct behaviour {
	size_t hang_after;  /* commands; then it says nothing, and reads nothing, until SIGUSR1; 0: never */
	size_t end_after;   /* commands; then it ends; 0: never */
	size_t noise;       /* bytes of noise before it reads anything: more than a pipe holds */
	size_t left_at_end; /* rules that its table must have when we are done: its exit status says */
	bool rtbh;
};

/* ---- the other process ---- */

static volatile sig_atomic_t woken;

static void on_wake(int number)
{
	(void)number;
	woken = 1;
}

/* Writes as ExaBGP does: until all of it is gone. */
static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno != EINTR)
			_exit(9); /* we closed it: ExaBGP would end, too */
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
}

static void hang(void)
{
	while (!woken)
		(void)poll(NULL, 0, 20);
}

static void command_take(struct model *m, const struct behaviour *how, const char *line, int out)
{
	model_hear(m, line);
	if (how->end_after && m->commands >= how->end_after)
		_exit(7);
	if (how->hang_after && m->commands >= how->hang_after)
		hang();
	write_all(out, m->out, m->n_out);
	m->n_out = 0;
}

static void noise_make(size_t n, int out)
{
	char line[200];

	memset(line, 'n', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (size_t i = 0; i < n; i += sizeof(line))
		write_all(out, line, sizeof(line));
}

/* Exit status 0: all is as it should be at the end. */
static void exabgp_be(const struct behaviour *how, int in, int out)
{
	static char line[MODEL_LINE];
	FILE *f = fdopen(in, "r");
	struct model m;

	(void)signal(SIGUSR1, on_wake);
	(void)signal(SIGPIPE, SIG_IGN);
	model_init(&m);
	noise_make(how->noise, out);
	for (int i = 0; i < MODEL_PEERS; i++)
		model_session(&m, i, true);
	write_all(out, m.out, m.n_out);
	m.n_out = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (!strchr(line, '\n'))
			_exit(8); /* half a command */
		line[strcspn(line, "\n")] = '\0';
		command_take(&m, how, line, out);
	}
	_exit(m.n == how->left_at_end ? 0 : 6);
}

/* ---- us ---- */

struct stage {
	pid_t pid;
	int in, out; /* our ends */
	void *self;
	struct config cfg;
	struct ip hop[2];
};

static void stage_open(struct stage *s, const struct behaviour *how)
{
	int to[2], from[2];
	struct err e;

	*s = (struct stage){0};
	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		(void)close(to[1]);
		(void)close(from[0]);
		exabgp_be(how, to[0], from[1]);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	s->in = from[0];
	s->out = to[1];
	if (how->rtbh) {
		assert_true(ip_parse(&s->hop[0], "192.0.2.66") && ip_parse(&s->hop[1], "100::66"));
		s->cfg = (struct config){
			.announce = ANNOUNCE_RTBH, .rtbh_next_hop = s->hop, .n_rtbh_next_hop = 2};
	}
	struct backend_param p = {.max_rules = MANY, .cfg = &s->cfg, .in_fd = s->in, .out_fd = s->out};
	assert_int_equal(backend_exabgp.open(&s->self, &p, &e), STATUS_OK);
	assert_int_equal(backend_exabgp.fd(s->self), s->in);
}

/* Its exit status. */
static int stage_close(struct stage *s)
{
	int status;

	backend_exabgp.close(s->self);
	(void)close(s->out);
	(void)close(s->in);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct want *many(size_t n)
{
	struct want *w = calloc(n, sizeof(*w));

	assert_non_null(w);
	for (size_t i = 0; i < n; i++) {
		uint8_t b[4] = {198, (uint8_t)(18 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i};
		struct ip ip = ip_v4(b);
		w[i] = (struct want){{.from = prefix_of(&ip, 32)}, WALL_END};
		w[i].rule.to.ip.v = 4;
		assert_true(rule_valid(&w[i].rule));
	}
	return w;
}

static size_t in_state(const struct have *have, size_t n, enum installed state)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += have[i].state == state;
	return k;
}

static const struct wall now; /* BGP does not ask for it */

/* n rules announced; removed but one; that one removed by the end. */
static void there_and_gone(const struct behaviour *how, size_t n)
{
	struct have *have = calloc(n, sizeof(*have));
	struct want *want = many(n);
	struct stage s;
	struct drift d;
	struct err e;

	stage_open(&s, how);
	assert_int_equal(backend_exabgp.sync(s.self, want, n, now, false, have, &d, &e), STATUS_OK);
	assert_int_equal(in_state(have, n, INSTALL_ANNOUNCED), n);
	assert_int_equal(d.added, n);
	assert_string_equal(d.why, "");
	assert_int_equal(backend_exabgp.sync(s.self, want, 1, now, false, have, &d, &e), STATUS_OK);
	assert_int_equal(d.removed, n - 1);
	assert_int_equal(have[0].state, INSTALL_ANNOUNCED);
	assert_int_equal(stage_close(&s), 0);
	free(want);
	free(have);
}

static void ten_thousand(void **state)
{
	(void)state;
	there_and_gone(&(struct behaviour){0}, MANY);
}

static void blackhole_routes(void **state)
{
	(void)state;
	there_and_gone(&(struct behaviour){.rtbh = true}, 100);
}

/* It writes more than a pipe holds before it reads, and writes blocking: who does not read has a deadlock. */
static void full_pipes(void **state)
{
	(void)state;
	there_and_gone(&(struct behaviour){.noise = 1 << 20}, 3000);
}

/* A look changes nothing, and says what is missing. */
static void a_look(void **state)
{
	struct want *want = many(3);
	struct have have[3];
	struct stage s;
	struct drift d;
	struct err e;

	(void)state;
	stage_open(&s, &(struct behaviour){0});
	assert_int_equal(backend_exabgp.sync(s.self, want, 3, now, true, have, &d, &e), STATUS_OK);
	assert_int_equal(in_state(have, 3, INSTALL_NOT), 3);
	assert_int_equal(d.missing, 3);
	assert_int_equal(backend_exabgp.sync(s.self, want, 3, now, false, have, &d, &e), STATUS_OK);
	assert_int_equal(backend_exabgp.sync(s.self, want + 1, 2, now, true, have, &d, &e), STATUS_OK);
	assert_int_equal(in_state(have, 2, INSTALL_ANNOUNCED), 2);
	assert_int_equal(d.foreign, 1);
	assert_int_equal(d.removed + d.added + d.missing, 0);
	assert_int_equal(stage_close(&s), 0);
	free(want);
}

/* Nothing is said for long: a clear line, and all goes on where it stopped once there is an answer. */
static void it_hangs(void **state)
{
	struct behaviour how = {.hang_after = 40};
	struct want *want = many(100);
	struct have have[100];
	struct stage s;
	struct drift d;
	struct err e;

	(void)state;
	stage_open(&s, &how);
	assert_int_equal(backend_exabgp.sync(s.self, want, 100, now, false, have, &d, &e), STATUS_MACHINE);
	assert_non_null(strstr(e.text, "ExaBGP does not answer"));
	assert_int_equal(in_state(have, 100, INSTALL_ANNOUNCED), 0); /* no session was asked for yet */
	assert_string_equal(have[99].why, "ExaBGP has not answered yet");
	assert_int_equal(kill(s.pid, SIGUSR1), 0);
	assert_int_equal(backend_exabgp.sync(s.self, want, 100, now, false, have, &d, &e), STATUS_OK);
	assert_int_equal(in_state(have, 100, INSTALL_ANNOUNCED), 100);
	assert_int_equal(stage_close(&s), 0);
	free(want);
}

static void it_ends(void **state)
{
	struct behaviour how = {.end_after = 40};
	struct want *want = many(100);
	struct have have[100];
	struct stage s;
	struct drift d;
	struct err e;

	(void)state;
	stage_open(&s, &how);
	assert_int_equal(backend_exabgp.sync(s.self, want, 100, now, false, have, &d, &e), STATUS_MACHINE);
	assert_string_equal(e.text, "ExaBGP has ended, or closed its pipe to us");
	assert_int_equal(backend_exabgp.heard(s.self, &e), STATUS_MACHINE);
	assert_int_equal(backend_exabgp.sync(s.self, want, 100, now, true, have, &d, &e), STATUS_MACHINE);
	assert_int_equal(stage_close(&s), 7);
	free(want);
}

/* What a terminal or a file would be. */
static void no_pipe(void **state)
{
	int fd = open("/dev/null", O_RDWR);
	struct config cfg = {0};
	struct backend_param p = {.cfg = &cfg, .in_fd = fd, .out_fd = fd};
	struct err e;
	void *self;

	(void)state;
	assert_true(fd > 0);
	assert_int_equal(backend_exabgp.open(&self, &p, &e), STATUS_MACHINE);
	assert_non_null(strstr(e.text, "standard input is no pipe"));
	backend_exabgp.close(self);
	(void)close(fd);
}

static void dry_run(void **state)
{
	struct want *want = many(2);
	struct config cfg = {0};
	struct backend_param p = {.cfg = &cfg};
	struct buf b = {0};
	struct err e;

	(void)state;
	assert_int_equal(backend_exabgp.lines(&b, &p, want, 2, now, false, &e), STATUS_OK);
	assert_int_equal(backend_exabgp.lines(&b, &p, want, 1, now, true, &e), STATUS_OK);
	buf_u8(&b, 0);
	assert_string_equal((char *)b.p,
		"announce flow route source 198.18.0.0/32 community [no-export] discard\n"
		"announce flow route source 198.18.0.1/32 community [no-export] discard\n"
		"withdraw flow route source 198.18.0.0/32\n");
	cfg.announce = ANNOUNCE_RTBH; /* and no next hop */
	assert_int_equal(backend_exabgp.lines(&b, &p, want, 1, now, false, &e), STATUS_NO);
	assert_string_equal(backend_exabgp.cannot(&p, &want[0].rule),
		"no rtbh_next_hop of its address family is configured");
	buf_free(&b);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look),
		cmocka_unit_test(ten_thousand),
		cmocka_unit_test(blackhole_routes),
		cmocka_unit_test(full_pipes),
		cmocka_unit_test(it_hangs),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(no_pipe),
		cmocka_unit_test(dry_run),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("exabgp pipe", tests, NULL, NULL);
}
