/* Giving up rights: see sandbox.h.  Capabilities go through the raw system calls (capabilities(7)), so that
 * libcap is not needed; system calls are in sandbox_calls.c. */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox_build.h"

/* landlock(7).  Debian 12's header ends at version 2; what came later stands here by its value. */
#define LANDLOCK_VERSION_FLAG 1U
#define LANDLOCK_PATH_BENEATH 1

#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_REFER       (UINT64_C(1) << 13)
#define FS_TRUNCATE    (UINT64_C(1) << 14)

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_WRITE                                                                                             \
	(FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_REFER |   \
		FS_TRUNCATE)
#define FS_OF_FILES                                                                                          \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE) /* what a rule for one file may have */

#define NOBODY 65534

struct ruleset_attr {
	uint64_t files, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* All that a version can take away: files, TCP ports from 4, signals and abstract sockets to others
 * from 6. */
static struct ruleset_attr everything(int version)
{
	static const unsigned bits[] = {13, 14, 15, 15, 16}; /* file rights of versions 1 to 5 */
	unsigned n = bits[version < 5 ? version - 1 : 4];

	return (struct ruleset_attr){
		.files = (UINT64_C(1) << n) - 1,
		.net = version >= 4 ? 3 : 0,
		.scoped = version >= 6 ? 3 : 0,
	};
}

static enum status allow(int ruleset, const char *path, uint64_t rights, uint64_t known, struct err *e)
{
	char text[200];
	struct stat st;
	struct path_beneath_attr rule = {.allowed = rights & known};
	enum status r = STATUS_OK;

	rule.fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.fd < 0)
		return err_errno(e, "%s: cannot open", printable(text, sizeof(text), path));
	if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_FILES;
	/* EBADFD: a pipe or its like (/dev/fd/63), which Landlock does not confine and lets be opened. */
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH_BENEATH, &rule, 0) != 0 && errno != EBADFD)
		r = err_errno(e, "%s: cannot confine files to it", printable(text, sizeof(text), path));
	(void)close(rule.fd);
	return r;
}

static enum status allow_all(int ruleset, const struct sandbox *s, uint64_t known, struct err *e)
{
	enum status r = STATUS_OK;

	if (s->write_below)
		r = allow(ruleset, s->write_below, FS_WRITE, known, e);
	for (const char *const *p = s->read_below; r == STATUS_OK && p && *p; p++)
		r = allow(ruleset, *p, FS_READ, known, e);
	if (r == STATUS_OK && SANITIZED)
		r = allow(ruleset, "/proc", FS_READ, known, e);
	return r;
}

static void missing(struct sandbox_held *held, const char *what)
{
	size_t n = strnlen(held->missing, sizeof(held->missing));

	(void)snprintf(held->missing + n, sizeof(held->missing) - n, "%s%s", n ? "; " : "", what);
}

enum status sandbox_files(const struct sandbox *s, struct sandbox_held *held, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);

	held->landlock = 0;
	if (version < 1) {
		missing(held, "this kernel has no Landlock: file access is not confined");
		return STATUS_OK;
	}
	struct ruleset_attr all = everything((int)version);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return err_errno(e, "cannot make a Landlock rule set");
	enum status r = allow_all(ruleset, s, all.files, e);
	if (r == STATUS_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		r = err_errno(e, "cannot give up new privileges");
	if (r == STATUS_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		r = err_errno(e, "cannot confine file access");
	(void)close(ruleset);
	if (r == STATUS_OK)
		held->landlock = (int)version;
	return r;
}

enum status sandbox_become_owner(const char *dir, struct err *e)
{
	char text[200];
	struct stat st;

	if (geteuid() != 0)
		return STATUS_OK;
	if (stat(dir, &st) != 0)
		return err_errno(e, "%s: cannot look at", printable(text, sizeof(text), dir));
	if (st.st_uid == 0)
		return STATUS_OK;
	if (setgroups(0, NULL) != 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) != 0 ||
		setresuid(st.st_uid, st.st_uid, st.st_uid) != 0)
		return err_errno(e, "%s: cannot become its owner", printable(text, sizeof(text), dir));
	return STATUS_OK;
}

/* Keeps of what is permitted the capabilities of the mask (those below 32). */
#if SANITIZED
/* LeakSanitizer looks for leaks from a traced clone, which a process without capabilities may no longer make:
 * it is asked at exit whether it should, and after rights were given up it should not.  The unit tests look
 * for leaks. */
static int confined;

int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return confined;
}
#endif

static enum status keep_caps(uint32_t mask, struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(e, "cannot give up new privileges");
	/* The bounding set may be cut only by who may set capabilities; for others it is without effect
	 * by now. */
	for (unsigned long cap = 0; cap < 64 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, caps) != 0)
		return err_errno(e, "cannot look at capabilities");
#if SANITIZED
	confined = 1;
#endif
	mask &= caps[0].permitted;
	memset(caps, 0, sizeof(caps));
	caps[0].permitted = caps[0].effective = mask;
	return syscall(SYS_capset, &head, caps) == 0 ? STATUS_OK
						     : err_errno(e, "cannot give up capabilities");
}

enum status sandbox_drop_caps(struct err *e)
{
	return keep_caps(0, e);
}

enum status sandbox_drop_caps_but_files(struct err *e)
{
	return keep_caps(UINT32_C(1) << CAP_DAC_OVERRIDE, e);
}

/* Capabilities outlive the change of user by PR_SET_KEEPCAPS (prctl(2)).  A user namespace may know no such
 * user; there the process stays who it is, which is root of nothing but that namespace. */
static enum status become_nobody(struct err *e)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return err_errno(e, "cannot keep a capability");
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) != 0)
		return errno == EINVAL || errno == EPERM ? STATUS_OK : err_errno(e, "cannot become nobody");
	return STATUS_OK;
}

enum status sandbox_keep_net_admin(struct err *e)
{
	enum status s = geteuid() == 0 ? become_nobody(e) : STATUS_OK;

	return s == STATUS_OK ? keep_caps(UINT32_C(1) << CAP_NET_ADMIN, e) : s;
}

enum status sandbox_enter(const struct sandbox *s, struct sandbox_held *held, struct err *e)
{
	enum status r = STATUS_OK;

	*held = (struct sandbox_held){0};
	if (s->write_below)
		r = sandbox_become_owner(s->write_below, e);
	if (r == STATUS_OK)
		r = sandbox_drop_caps(e);
	if (r == STATUS_OK)
		r = sandbox_files(s, held, e);
	if (r == STATUS_OK)
		r = sandbox_calls(s->profile, held, e);
	return r == STATUS_OK ? r : err_wrap(e, "sandbox");
}

void sandbox_no_dump(void)
{
	if (!SANITIZED)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
