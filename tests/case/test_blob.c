/* Blobs: whole or not there, whatever fails, dies or writes beside; what was changed on the disk is not given
 * out; a host that is forgotten stands in none of them. */
#include <ctype.h>

#include "../record/store_kit.h"
#include "base/hash.h"
#include "case/address.h"
#include "case/blob.h"
#include "record/train.h"

struct fixture {
	char *dir;
	struct err e;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->dir = kit_dir();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	kit_dir_free(f->dir);
	free(f);
	return 0;
}

static void ok(const struct fixture *f, enum status s)
{
	if (s != STATUS_OK)
		fail_msg("status %d: %s", s, f->e.text);
}

static struct ip address(const char *s)
{
	struct ip ip = {0};

	assert_true(ip_parse(&ip, s));
	return ip;
}

static const char *blob_file(char to[512], const struct fixture *f, const char *name)
{
	(void)snprintf(to, 512, "%s/blobs/%.2s/%s", f->dir, name, name);
	return to;
}

static enum status there(struct fixture *f, const char *name, const void *p, size_t n)
{
	struct buf b = {0};
	enum status s = blob_read(f->dir, name, &b, &f->e);

	assert_int_equal(b.n, s == STATUS_OK ? n : 0);
	if (n > 0 && s == STATUS_OK)
		assert_memory_equal(b.p, p, n);
	buf_free(&b);
	return s;
}

/* The i-th of many different contents; its length. */
static size_t content_of(unsigned i, char to[64])
{
	return (size_t)snprintf(to, 64, "blob %u of many\n", i);
}

/* ---- writing and reading ---- */

static void write_and_read(void **state)
{
	static const size_t sizes[] = {0, 1, 3, 65535, 65536, 65537, 1 << 20};
	struct fixture *f = *state;
	struct buf b = {0};
	struct stat st;
	char name[BLOB_NAME], path[512];

	kit_seed("write and read");
	assert_int_equal(rmdir(f->dir), 0); /* made by the first write */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = malloc(sizes[i] + 1);
		for (size_t k = 0; k < sizes[i]; k++)
			p[k] = (uint8_t)kit_rnd(256);
		ok(f, blob_write(&world_real, f->dir, p, sizes[i], name, &f->e));
		ok(f, there(f, name, p, sizes[i]));
		free(p);
	}
	ok(f, blob_write(&world_real, f->dir, "abc", 3, name, &f->e));
	assert_string_equal(name, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(stat(blob_file(path, f, name), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	buf_put(&b, "before ", 7); /* what stands in the buffer stays */
	ok(f, blob_read(f->dir, name, &b, &f->e));
	assert_int_equal(b.n, 10);
	assert_memory_equal(b.p, "before abc", 10);
	assert_int_equal(there(f, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "", 0),
		STATUS_NO);
	buf_free(&b);
}

static void nothing_written_twice(void **state)
{
	struct fixture *f = *state;
	struct kit_world k = {0};
	struct world w = kit_world_of(&k);
	char name[BLOB_NAME], path[512];
	struct stat before, after;

	ok(f, blob_write(&w, f->dir, "once", 4, name, &f->e));
	assert_int_equal(k.early, 0); /* synced before it is named, and the name synced */
	assert_int_equal(k.unlinked, 0);
	assert_int_equal(stat(blob_file(path, f, name), &before), 0);
	ok(f, blob_write(&w, f->dir, "once", 4, name, &f->e));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void bad_names(void **state)
{
	static const char *const bad[] = {"", "ab",
		"../../../../../../../../../../../../../../../../../etc/passwd",
		"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add",
		"ba7816bf8f01cfea414140de5dae2223/00361a396177a9cb410ff61f20015ad", "\x1b[2J"};
	struct fixture *f = *state;
	char name[BLOB_NAME], *large = malloc(BLOB_MAX + 1);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(there(f, bad[i], "", 0), STATUS_BAD);
		assert_null(strchr(f->e.text, '\x1b'));
	}
	assert_non_null(large);
	assert_int_equal(blob_write(&world_real, f->dir, large, BLOB_MAX + 1, name, &f->e), STATUS_BAD);
	free(large);
}

/* ---- changed on the disk ---- */

static void flipped(void **state)
{
	static const char text[] = "weir-train/v1\nflow tcp 203.0.113.10:54928 > 192.0.2.10:22\n";
	struct fixture *f = *state;
	char name[BLOB_NAME], path[512];
	uint8_t bytes[sizeof(text) + 1] = {0};

	ok(f, blob_write(&world_real, f->dir, text, sizeof(text) - 1, name, &f->e));
	(void)blob_file(path, f, name);
	for (size_t i = 0; i < 8 * (sizeof(text) - 1); i++) {
		memcpy(bytes, text, sizeof(text));
		bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ 1U << i % 8);
		kit_spill(path, bytes, sizeof(text) - 1);
		assert_int_equal(there(f, name, text, sizeof(text) - 1), STATUS_BAD);
	}
	memcpy(bytes, text, sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n++) {
		kit_spill(path, bytes, n);
		assert_int_equal(there(f, name, text, sizeof(text) - 1),
			n == sizeof(text) - 1 ? STATUS_OK : STATUS_BAD);
	}
	/* whoever has the bytes mends it */
	ok(f, blob_write(&world_real, f->dir, text, sizeof(text) - 1, name, &f->e));
	ok(f, there(f, name, text, sizeof(text) - 1));
}

static void no_files(void **state)
{
	struct fixture *f = *state;
	char name[BLOB_NAME], path[512], elsewhere[512];
	const struct ip host = address("192.0.2.1");
	uint64_t n;

	ok(f, blob_write(&world_real, f->dir, "abc", 3, name, &f->e));
	assert_int_equal(unlink(blob_file(path, f, name)), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(there(f, name, "abc", 3), STATUS_BAD);
	kit_quiet();
	enum status s = blob_forget(&world_real, f->dir, &host, &n, &f->e);
	kit_loud();
	assert_int_equal(s, STATUS_NO); /* nothing is claimed of what was not looked at */
	assert_int_equal(unlink(path), 0);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", f->dir);
	kit_spill(elsewhere, (const uint8_t *)"abc", 3);
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_int_equal(there(f, name, "abc", 3), STATUS_BAD);
	ok(f, blob_write(
		      &world_real, f->dir, "abc", 3, name, &f->e)); /* the link is replaced, not followed */
	ok(f, there(f, name, "abc", 3));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(there(f, name, "abc", 3), STATUS_BAD);
	assert_int_equal(blob_write(&world_real, f->dir, "abc", 3, name, &f->e), STATUS_MACHINE);
	assert_int_equal(rmdir(path), 0);
	ok(f, blob_write(&world_real, f->dir, "abc", 3, name, &f->e));
}

/* ---- what fails and dies ---- */

/* In a child, so that it may die: exit status 0 written, 1 the machine failed, 42 it died. */
static int write_broken(struct fixture *f, struct kit_world *k, const char *text)
{
	struct world w = kit_world_of(k);
	char name[BLOB_NAME];
	int how;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		enum status s = blob_write(&w, f->dir, text, strlen(text), name, &f->e);
		_exit(s == STATUS_OK ? (k->broke ? 2 : 0) : s == STATUS_MACHINE ? 1 : 3);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	return WEXITSTATUS(how);
}

/* The N-th operation fails, or the process dies before it, or a write is cut in half, for each N. */
static void broken_writes(void **state)
{
	struct fixture *f = *state;
	char text[64], name[BLOB_NAME];
	unsigned steps = 0, kept = 0;

	for (unsigned mode = 0; mode < 4; mode++) {
		int how = 1;
		for (uint64_t at = 1; how != 0 && at < 100; at++, steps++) {
			struct kit_world k = {.at = at, .die = mode & 1, .half = mode & 2};
			size_t n = content_of(steps, text);
			assert_true(blob_name(name, text, n));
			how = write_broken(f, &k, text);
			assert_true(how == 0 || how == (k.die ? 42 : 1));
			enum status s = there(f, name, text, n);
			assert_true(s == STATUS_OK || (s == STATUS_NO && how != 0));
			kept += how != 0 && s == STATUS_OK;
			ok(f, blob_write(&world_real, f->dir, text, n, name, &f->e));
			ok(f, there(f, name, text, n));
		}
		assert_int_equal(how, 0);
	}
	print_message("# %u tries, %u of them broken and there\n", steps, kept);
	for (unsigned i = 0; i < steps; i++) {
		size_t n = content_of(i, text);
		assert_true(blob_name(name, text, n));
		ok(f, there(f, name, text, n));
	}
}

/* Three write the same and other blobs while one forgets a host that stands in some. */
static void together(void **state)
{
	enum { WRITERS = 3, BLOBS = 60 };
	struct fixture *f = *state;
	const struct ip host = address("203.0.113.1");
	char text[128], name[BLOB_NAME];
	pid_t pid[WRITERS + 1];
	uint64_t n;

	for (size_t i = 0; i <= WRITERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] > 0)
			continue;
		enum status s = STATUS_OK;
		for (unsigned k = 0; k < BLOBS && s == STATUS_OK; k++) {
			int len = snprintf(text, sizeof(text), "%u of 203.0.113.%u\n", k, 1 + k % 2);
			s = i < WRITERS ? blob_write(&world_real, f->dir, text, (size_t)len, name, &f->e)
			    : k % 20    ? STATUS_OK
					: blob_forget(&world_real, f->dir, &host, &n, &f->e);
		}
		_exit((int)s);
	}
	for (size_t i = 0; i <= WRITERS; i++) {
		int how;
		assert_int_equal(waitpid(pid[i], &how, 0), pid[i]);
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	}
	ok(f, blob_forget(&world_real, f->dir, &host, &n, &f->e));
	for (unsigned k = 0; k < BLOBS; k++) {
		int len = snprintf(text, sizeof(text), "%u of 203.0.113.%u\n", k, 1 + k % 2);
		assert_true(blob_name(name, text, (size_t)len));
		assert_int_equal(there(f, name, text, (size_t)len), k % 2 ? STATUS_OK : STATUS_NO);
	}
}

/* fsync does nothing here: what it is for is tested above, and it is what would take the time. */
static int no_fsync(void *self, int fd)
{
	(void)self;
	(void)fd;
	return 0;
}

static void ten_thousand(void **state)
{
	enum { MANY = 10000 };
	struct fixture *f = *state;
	struct world w = world_real;
	const struct ip host = address("192.0.2.77");
	char text[96], name[BLOB_NAME];
	uint64_t n;

	w.fsync = no_fsync;
	for (unsigned i = 0; i < MANY; i++) {
		int len = snprintf(text, sizeof(text), "%u %s\n", i, i % 10 ? "192.0.2.7" : "192.0.2.77:443");
		ok(f, blob_write(&w, f->dir, text, (size_t)len, name, &f->e));
	}
	ok(f, blob_forget(&w, f->dir, &host, &n, &f->e));
	assert_int_equal(n, MANY / 10);
	for (unsigned i = 0; i < MANY; i++) {
		int len = snprintf(text, sizeof(text), "%u %s\n", i, i % 10 ? "192.0.2.7" : "192.0.2.77:443");
		assert_true(blob_name(name, text, (size_t)len));
		assert_int_equal(there(f, name, text, (size_t)len), i % 10 ? STATUS_OK : STATUS_NO);
	}
}

/* ---- forgetting ---- */

static const char flow_line[] = "weir-train/v1\nflow tcp %s > %s\npoint x\n";

static const struct {
	const char *from, *to;
	bool goes;  /* when 203.0.113.1 is forgotten */
	bool goes6; /* when 2001:db8::1 is */
} ends[] = {
	{"203.0.113.1:54928", "192.0.2.10:22", true, false},
	{"192.0.2.10:22", "203.0.113.1:54928", true, false},
	{"203.0.113.10:54928", "192.0.2.10:22", false, false},
	{"203.0.113.11:1", "203.0.113.100:1", false, false}, {"23.203.0.113:1", "20.3.0.113:1", false, false},
	{"203.0.113.0/24", "192.0.2.10:22", false, false},
	{"203.0.113.1/24", "192.0.2.10:22", false, false}, /* no text of weir's, and a network anyway */
	{"203.0.113.1/32", "192.0.2.10:22", true, false}, {"203.0.113.1/320", "192.0.2.10:22", false, false},
	{"[2001:db8::1]:54928", "[2001:db8::2]:22", false, true},
	{"[2001:db8::10]:54928", "[2001:db8::1:1]:22", false, false},
	{"[2001:db8:1::]:54928", "[2001:db8::2]:22", false, false},
	{"[2001:DB8:0:0::1]:54928", "192.0.2.10:22", false, true},
	{"2001:db8::1", "2001:db8::/32", false, true}, {"2001:db8::1/128", "2001:db8::2", false, true},
	{"2001:db8::1/64", "2001:db8::2", false, false},
	{"[::ffff:203.0.113.1]:1", "[::2]:2", true, false}, /* the IPv4 address, as it stands */
};

static void forget_ends(void **state)
{
	enum { N = sizeof(ends) / sizeof(ends[0]) };
	const struct ip host = address("203.0.113.1"), six = address("2001:db8::1");
	struct fixture *f = *state;
	char text[N][256], name[N][BLOB_NAME];
	uint64_t n, want = 0, want6 = 0;

	ok(f, blob_forget(&world_real, f->dir, &host, &n, &f->e)); /* no blobs: done, and nothing is made */
	assert_int_equal(n, 0);
	assert_int_equal(rmdir(f->dir), 0);
	ok(f, blob_forget(&world_real, f->dir, &host, &n, &f->e));
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(text[i], sizeof(text[i]), flow_line, ends[i].from, ends[i].to);
		ok(f, blob_write(&world_real, f->dir, text[i], strlen(text[i]), name[i], &f->e));
		want += ends[i].goes;
		want6 += ends[i].goes6;
	}
	ok(f, blob_forget(&world_real, f->dir, &host, &n, &f->e));
	for (size_t i = 0; i < N; i++)
		if (there(f, name[i], text[i], strlen(text[i])) != (ends[i].goes ? STATUS_NO : STATUS_OK))
			fail_msg("%s > %s", ends[i].from, ends[i].to);
	assert_int_equal(n, want);
	ok(f, blob_forget(&world_real, f->dir, &six, &n, &f->e));
	assert_int_equal(n, want6);
	for (size_t i = 0; i < N; i++)
		if (!ends[i].goes && there(f, name[i], text[i], strlen(text[i])) !=
					     (ends[i].goes6 ? STATUS_NO : STATUS_OK))
			fail_msg("%s > %s", ends[i].from, ends[i].to);
}

/* Flows as they are recorded, as trains and inside of something larger. */
static void forget_trains(void **state)
{
	enum { TRAINS = 40 };
	struct fixture *f = *state;
	struct true_flow flow[TRAINS];
	char name[TRAINS][2][BLOB_NAME];
	struct buf text[TRAINS][2] = {0};
	uint64_t n;

	kit_seed("forget trains");
	for (size_t i = 0; i < TRAINS; i++) {
		struct train t = {0};
		struct chunk c;
		kit_flow(&flow[i], i);
		kit_chunk(&c, &flow[i], 0, 1);
		t.flow = (struct flow){.head = c.head, .last_us = c.head.first_us};
		for (int d = 0; d < 2; d++) {
			t.flow.count[d] = c.count[d];
			t.flow.burst[d] = c.burst[d];
			t.flow.n_burst[d] = c.n_burst[d];
			if (c.count[d].last_us > t.flow.last_us)
				t.flow.last_us = c.count[d].last_us;
		}
		train_write(&text[i][0], &t);
		buf_put(&text[i][1], "trains/x\0\0\0ustar\0", 17);
		buf_put(&text[i][1], text[i][0].p, text[i][0].n);
		buf_put(&text[i][1], "\0\0\0\xff\xfe", 5);
		for (int k = 0; k < 2; k++)
			ok(f, blob_write(&world_real, f->dir, text[i][k].p, text[i][k].n, name[i][k], &f->e));
	}
	const struct ip host = flow[0].head.end[0].ip;
	ok(f, blob_forget(&world_real, f->dir, &host, &n, &f->e));
	assert_true(n >= 2);
	for (size_t i = 0; i < TRAINS; i++) {
		bool goes =
			ip_equal(&flow[i].head.end[0].ip, &host) || ip_equal(&flow[i].head.end[1].ip, &host);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(there(f, name[i][k], text[i][k].p, text[i][k].n),
				goes ? STATUS_NO : STATUS_OK);
			buf_free(&text[i][k]);
		}
	}
}

/* Each step fails once, or the process dies there; then it is done again, and nothing of the host is left:
 * neither what a writer that died had begun. */
static void forget_broken(void **state)
{
	struct fixture *f = *state;
	const struct ip host = address("203.0.113.1");
	char text[64], path[512], name[BLOB_NAME];
	unsigned tries = 0;

	for (int die = 0; die < 2; die++) {
		int how = 1;
		for (uint64_t at = 1; how != 0 && at < 400; at++, tries++) {
			struct kit_world k = {.at = at, .die = die};
			struct world w = kit_world_of(&k);
			uint64_t n;
			for (unsigned i = 0; i < 8; i++) {
				int len = snprintf(text, sizeof(text), "%u 203.0.113.%u\n", i, 1 + i % 2);
				ok(f, blob_write(&world_real, f->dir, text, (size_t)len, name, &f->e));
			}
			(void)snprintf(path, sizeof(path), "%s/blobs/new", f->dir);
			kit_spill(path, (const uint8_t *)"203.0.113.1", 11);
			pid_t pid = fork();
			assert_true(pid >= 0);
			if (pid == 0)
				_exit((int)blob_forget(&w, f->dir, &host, &n, &f->e));
			assert_int_equal(waitpid(pid, &how, 0), pid);
			assert_true(WIFEXITED(how));
			how = WEXITSTATUS(how);
			assert_true(how == 0 || how == (die ? 42 : STATUS_MACHINE));
			ok(f, blob_forget(&world_real, f->dir, &host, &n, &f->e));
			assert_int_equal(access(path, F_OK), -1);
			for (unsigned i = 0; i < 8; i++) {
				int len = snprintf(text, sizeof(text), "%u 203.0.113.%u\n", i, 1 + i % 2);
				assert_true(blob_name(name, text, (size_t)len));
				assert_int_equal(
					there(f, name, text, (size_t)len), i % 2 ? STATUS_OK : STATUS_NO);
			}
		}
		assert_int_equal(how, 0);
	}
	print_message("# %u tries\n", tries);
}

/* ---- an address in a text ---- */

static bool slow_word(char c, bool six)
{
	return c && strchr(six ? "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:"
			       : "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.",
			    c);
}

/* The second implementation: every piece of the text, one after the other. */
static bool slow_in_text(const char *s, const struct ip *a)
{
	size_t n = strlen(s);
	bool six = a->v == 6;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && slow_word(s[i - 1], six))
			continue;
		for (size_t j = i + 1; j <= n; j++) {
			char piece[64];
			struct ip ip;
			size_t end = j;
			long bits = -1;
			(void)snprintf(piece, sizeof(piece), "%.*s", (int)(j - i), s + i);
			if (j - i >= sizeof(piece) || !ip_parse(&ip, piece) || !ip_equal(&ip, a))
				continue;
			while (s[end] == '.' || (six && s[end] == ':'))
				end++;
			if (slow_word(s[end], six))
				continue;
			if (s[end] == '/' && isdigit((unsigned char)s[end + 1]))
				bits = strtol(s + end + 1, NULL, 10);
			if (bits < 0 || bits == (six ? 128 : 32))
				return true;
		}
	}
	return false;
}

static void random_texts(void **state)
{
	static const char *const bits[] = {"203.0.113.1", "203.0.113.1", "0", "1", ":", ".", "/", "24", "32",
		"128", "[", "]", "2001:db8::1", "2001:db8::1", "2001:db8::", "::", " ", "\"", "a", "-", "\n",
		">", ":22"};
	const struct ip hosts[] = {address("203.0.113.1"), address("2001:db8::1"), address("2001:db8::")};
	unsigned found = 0;

	(void)state;
	kit_seed("texts");
	for (unsigned round = 0; round < 60000; round++) {
		char text[256] = "";
		for (uint64_t i = kit_rnd(7); i > 0; i--)
			(void)strncat(text, bits[kit_rnd(sizeof(bits) / sizeof(bits[0]))],
				sizeof(text) - strlen(text) - 1);
		const struct ip *host = &hosts[kit_rnd(3)];
		bool is = address_in_text(text, strlen(text), host);
		if (is != slow_in_text(text, host))
			fail_msg("\"%s\": %d", text, is);
		found += is;
	}
	assert_false(address_in_text(NULL, 0, &hosts[0]));
	print_message("# found in %u of 60000\n", found);
	assert_true(found > 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(write_and_read), TEST(nothing_written_twice), TEST(bad_names),
		TEST(flipped), TEST(no_files), TEST(broken_writes), TEST(together), TEST(ten_thousand),
		TEST(forget_ends), TEST(forget_trains), TEST(forget_broken), cmocka_unit_test(random_texts)};

	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
