/* The sandbox, from inside: each test forks, gives up rights, tries, and tells by its exit status which
 * attempt went otherwise than it must. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sandbox.h"
#include "base/sandbox_build.h"

#define UNTOLD 99 /* the child could not even begin */

static char dir[64], other[64];

struct attempt {
	const char *name;
	bool (*works)(void);
	bool wanted;
};

static bool make_file(const char *in, const char *name)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", in, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && ftruncate(fd, 0) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static bool write_inside(void)
{
	char from[128], to[128];

	(void)snprintf(from, sizeof(from), "%s/a", dir);
	(void)snprintf(to, sizeof(to), "%s/b", dir);
	return make_file(dir, "a") && rename(from, to) == 0 && unlink(to) == 0;
}

static bool write_outside(void)
{
	return make_file(other, "a");
}

static bool read_outside(void)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool read_declared(void)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/input", other);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool make_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool run_program(void)
{
	char name[] = "true", *argv[] = {name, NULL};

	/* Succeeding would end this process with 0: told apart, since a child that came to its end says 1. */
	return execv("/bin/true", argv) == 0;
}

static bool make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return pid > 0;
}

static void *nothing(void *p)
{
	return p;
}

static bool make_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0;
}

static bool make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		(void)munmap(p, 4096);
	return p != MAP_FAILED;
}

static bool use_memory(void)
{
	void *p = malloc((size_t)64 << 20);

	if (p)
		memset(p, 1, (size_t)64 << 20);
	free(p);
	return p != NULL;
}

static bool own_limits(void)
{
	struct rlimit now;

	return prlimit(0, RLIMIT_NOFILE, NULL, &now) == 0;
}

static bool other_limits(void)
{
	struct rlimit now;

	/* reading is refused like setting: the tests' own process is to live */
	return prlimit(getppid(), RLIMIT_NOFILE, NULL, &now) == 0;
}

static bool has_caps(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	/* The call itself is refused under the filter: then nothing can be raised either. */
	return syscall(SYS_capget, &head, data) == 0 &&
	       (data[0].effective | data[1].effective | data[0].permitted | data[1].permitted) != 0;
}

static bool become_root(void)
{
	return setuid(0) == 0 && setgid(0) == 0 && chown(dir, 1, 1) == 0;
}

static int child(const struct sandbox *s, const struct attempt *a, size_t n)
{
	struct sandbox_held held;
	struct err e;

	if (sandbox_enter(s, &held, &e) != STATUS_OK) {
		(void)fprintf(stderr, "# %s\n", e.text);
		return UNTOLD;
	}
	for (size_t i = 0; i < n; i++) {
		bool confined = (held.calls || a[i].wanted) && (held.landlock || a[i].wanted);
		if (a[i].works() != a[i].wanted && confined)
			return (int)i + 1;
	}
	return 98;
}

static void try_all(const struct sandbox *s, const struct attempt *a, size_t n)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child(s, a, n));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	int code = WEXITSTATUS(status);
	if (code > 0 && code <= (int)n)
		fail_msg("%s: %s", a[code - 1].name, a[code - 1].wanted ? "refused" : "allowed");
	assert_int_equal(code, 98); /* 0: a program was run */
}

static const struct attempt record[] = {
	{"memory", use_memory, true},
	{"a thread", make_thread, true},
	{"files below DIR", write_inside, true},
	{"the declared input", read_declared, true},
	{"a file elsewhere", write_outside, false},
	{"reading elsewhere", read_outside, false},
	{"a socket", make_socket, false},
	{"capabilities", has_caps, false},
	{"root again", become_root, false},
	{"another program", run_program, false},
#if !SANITIZED
	{"a process", make_process, false},
	{"code in memory", make_code, false},
#endif
};

static void test_record(void **state)
{
	char input[128];
	(void)snprintf(input, sizeof(input), "%s/input", other);
	const char *const read[] = {input, NULL};
	struct sandbox s = {.profile = SANDBOX_RECORD, .write_below = dir, .read_below = read};

	(void)state;
	try_all(&s, record, sizeof(record) / sizeof(record[0]));
}

static void test_verify(void **state)
{
	static const struct attempt verify[] = {
		{"memory", use_memory, true},
		{"files below DIR", write_inside, false}, /* the calls say no, whatever Landlock knows */
		{"reading what was declared", read_declared, true},
		{"reading elsewhere", read_outside, false},
		{"its own limits", own_limits, true},
		{"another process's limits", other_limits, SANITIZED}, /* a sanitizer asks for them */
		{"a socket", make_socket, false},
		{"another program", run_program, false},
	};
	const char *const declared[] = {other, NULL};
	struct sandbox s = {.profile = SANDBOX_VERIFY, .write_below = dir, .read_below = declared};

	(void)state;
	try_all(&s, verify, sizeof(verify) / sizeof(verify[0]));
}

static void test_nothing_to_write(void **state)
{
	static const struct attempt none[] = {
		{"memory", use_memory, true},
		{"files below DIR", write_inside, false},
		{"reading elsewhere", read_outside, false},
	};
	struct sandbox s = {.profile = SANDBOX_VERIFY};

	(void)state;
	try_all(&s, none, sizeof(none) / sizeof(none[0]));
}

/* The attempts themselves must be able to succeed, else the tests above say nothing. */
static void test_attempts_work_outside(void **state)
{
	(void)state;
	assert_true(use_memory());
	assert_true(make_thread());
	assert_true(write_inside());
	assert_true(write_outside());
	assert_true(read_outside());
	assert_true(read_declared());
	assert_true(make_socket());
	assert_true(make_process());
	assert_true(make_code());
	if (geteuid() == 0)
		assert_true(has_caps());
}

static void test_absent_dir(void **state)
{
	struct sandbox s = {.profile = SANDBOX_RECORD, .write_below = "/nonexistent/weir"};
	struct sandbox_held held;
	struct err e;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		enum status st = sandbox_enter(&s, &held, &e);
		_exit(st == STATUS_MACHINE && strstr(e.text, "/nonexistent/weir") ? 0
			: held.landlock                                           ? 1
										  : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (geteuid() == 0)
		assert_int_equal(WEXITSTATUS(status), 0);
}

/* Meson takes what cmocka's skip() prints for a failure. */
static bool am_root(void)
{
	if (geteuid() != 0)
		print_message("# not root: nothing to try\n");
	return geteuid() == 0;
}

/* Root that must still write to another user's directory by name keeps that right, and no other. */
static void test_but_files(void **state)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	struct err e;
	int status = 0;

	(void)state;
	if (!am_root())
		return;
	assert_int_equal(chown(dir, 65534, 65534), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool ok =
			sandbox_drop_caps_but_files(&e) == STATUS_OK && syscall(SYS_capget, &head, caps) == 0;
		ok = ok && caps[0].permitted == 1U << CAP_DAC_OVERRIDE &&
		     caps[0].effective == caps[0].permitted;
		_exit(ok && caps[1].permitted == 0 && write_inside() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chown(dir, 0, 0), 0);
}

/* Root writes to another user's directory as that user. */
static void test_owner(void **state)
{
	static const struct attempt owner[] = {{"files below DIR", write_inside, true}};
	struct sandbox s = {.profile = SANDBOX_RECORD, .write_below = dir};

	(void)state;
	if (!am_root())
		return;
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	try_all(&s, owner, 1);
	assert_int_equal(chown(dir, 0, 0), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/weir-sandbox-XXXXXX");
	(void)strcpy(other, "/tmp/weir-outside-XXXXXX");
	return mkdtemp(dir) && mkdtemp(other) && make_file(other, "input") ? 0 : -1;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/input", other);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/a", other);
	(void)unlink(path);
	return rmdir(dir) | rmdir(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts_work_outside),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_nothing_to_write),
		cmocka_unit_test(test_absent_dir),
		cmocka_unit_test(test_but_files),
		cmocka_unit_test(test_owner),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
