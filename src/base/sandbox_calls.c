/* The system calls that a profile keeps (seccomp(2) through libseccomp); every other one fails with EPERM.  A
 * table of names in groups, so that it can be read aloud. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/sandbox_build.h"

/* Which profiles a group belongs to; TESTED: builds with a sanitizer, in every profile. */
enum {
	RECORD = 1 << SANDBOX_RECORD,
	VERIFY = 1 << SANDBOX_VERIFY,
	HAND = 1 << SANDBOX_HAND,
	BOTH = RECORD | VERIFY,
	ALL = BOTH | HAND,
	TESTED = 1 << 8
};

#define CALL(name) SCMP_SYS(name)

/* Bytes of files that are open. */
static const int bytes[] = {CALL(read), CALL(pread64), CALL(readv), CALL(preadv), CALL(write), CALL(writev),
	CALL(lseek), CALL(close), CALL(dup), CALL(fcntl), CALL(flock), CALL(fadvise64)};

/* Names of files: which ones is for Landlock to say (open and openat: see below). */
static const int names[] = {CALL(fstat), CALL(stat), CALL(lstat), CALL(newfstatat), CALL(statx),
	CALL(fstatfs), CALL(statfs), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(getdents64),
	CALL(getcwd), CALL(readlink), CALL(readlinkat)};

/* What changes files. */
static const int changes[] = {CALL(pwrite64), CALL(pwritev), CALL(fsync), CALL(fdatasync),
	CALL(sync_file_range), CALL(ftruncate), CALL(fallocate), CALL(mkdir), CALL(mkdirat), CALL(rename),
	CALL(renameat), CALL(renameat2), CALL(unlink), CALL(unlinkat), CALL(rmdir), CALL(fchmod), CALL(umask),
	CALL(open), CALL(openat)};

/* Memory that is not a program (mmap and mprotect: see below). */
static const int memory[] = {CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(msync)};

/* Waiting and time. */
static const int waiting[] = {CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(futex),
	CALL(nanosleep), CALL(clock_nanosleep), CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday),
	CALL(time), CALL(times), CALL(getrusage), CALL(restart_syscall)};

/* Signals to itself, threads, the end. */
static const int ending[] = {CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack),
	CALL(gettid), CALL(getpid), CALL(set_robust_list), CALL(rseq), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(exit), CALL(exit_group)};

/* About itself. */
static const int itself[] = {CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(uname),
	CALL(sysinfo), CALL(getrandom), CALL(getrlimit)};

/* The open packet ring: its counters, its errors, its interface. */
static const int ring[] = {CALL(getsockopt), CALL(getsockname), CALL(recvfrom)};

/* Talking over sockets that are netlink's (socket: see below), and over the open one to the parent. */
static const int netlink[] = {CALL(bind), CALL(sendto), CALL(sendmsg), CALL(recvmsg), CALL(setsockopt),
	CALL(fstat), CALL(newfstatat)};

/* What the sanitizers want for themselves. */
static const int sanitizer[] = {CALL(mmap), CALL(mprotect), CALL(clone), CALL(wait4), CALL(ptrace),
	CALL(prctl), CALL(kill), CALL(getppid), CALL(arch_prctl), CALL(setrlimit), CALL(process_vm_readv),
	CALL(personality), CALL(prlimit64), CALL(tgkill), CALL(open), CALL(openat), CALL(dup2), CALL(pipe),
	CALL(pipe2)};

static const struct {
	const int *call;
	size_t n;
	int profiles;
} group[] = {
	{bytes, sizeof(bytes) / sizeof(bytes[0]), ALL},
	{names, sizeof(names) / sizeof(names[0]), BOTH},
	{changes, sizeof(changes) / sizeof(changes[0]), RECORD},
	{memory, sizeof(memory) / sizeof(memory[0]), ALL},
	{waiting, sizeof(waiting) / sizeof(waiting[0]), ALL},
	{ending, sizeof(ending) / sizeof(ending[0]), ALL},
	{itself, sizeof(itself) / sizeof(itself[0]), ALL},
	{ring, sizeof(ring) / sizeof(ring[0]), RECORD | HAND},
	{netlink, sizeof(netlink) / sizeof(netlink[0]), HAND},
	{sanitizer, sizeof(sanitizer) / sizeof(sanitizer[0]), TESTED},
};

static int allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp condition)
{
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &condition);
}

/* Files for reading only, for whoever changes none. */
static int add_reading(scmp_filter_ctx ctx)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;

	return allow_if(ctx, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY)) |
	       allow_if(ctx, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
}

/* Of the calls that name a process: this one, its limits only to be read. */
static int add_self(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0),
		       SCMP_A2(SCMP_CMP_EQ, 0)) |
	       allow_if(ctx, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

/* Calls that only some arguments make harmless. */
static int add_conditional(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	static const struct {
		unsigned long request;
		int profiles;
	} request[] = {
		{TCGETS, ALL},
		{TIOCGWINSZ, BOTH},
		{FIONREAD, BOTH},
		{SIOCGIFFLAGS, RECORD},
		{SIOCGIFINDEX, RECORD},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(request) / sizeof(request[0]); i++)
		if (request[i].profiles & 1 << profile)
			r |= allow_if(ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, request[i].request));
	r |= add_self(ctx);
	if (profile == SANDBOX_VERIFY)
		r |= add_reading(ctx);
	if (profile == SANDBOX_HAND)
		r |= allow_if(ctx, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_NETLINK));
	if (SANITIZED)
		return r;
	r |= allow_if(ctx, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	r |= allow_if(ctx, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	r |= allow_if(ctx, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return r;
}

static int add_all(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	int r = 0, wanted = 1 << profile | (SANITIZED ? TESTED : 0);

	/* clone3 hides its flags from the filter; without it the C library falls back to clone. */
	r |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; i < sizeof(group) / sizeof(group[0]); i++)
		for (size_t k = 0; group[i].profiles & wanted && k < group[i].n; k++)
			if (group[i].call[k] >= 0) /* negative: this machine has no such call */
				r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, group[i].call[k], 0);
	return r | add_conditional(ctx, profile);
}

enum status sandbox_calls(enum sandbox_profile profile, struct sandbox_held *held, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	enum status st = STATUS_OK;

	if (!ctx)
		return err_nomem(e);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (add_all(ctx, profile) != 0) {
		st = err_set(e, STATUS_MACHINE, "cannot build the filter of system calls");
	} else {
		int r = seccomp_load(ctx);
		held->calls = r == 0;
		if (r != 0) {
			size_t n = strlen(held->missing);
			(void)snprintf(held->missing + n, sizeof(held->missing) - n,
				"%sthis kernel has no seccomp filters: system calls are not confined",
				n ? "; " : "");
		}
	}
	seccomp_release(ctx);
	return st;
}
