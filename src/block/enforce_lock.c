/* One enforcer of a back end at a time: DIR/enforce/NAME.lock, locked as long as the enforcer or its hand
 * lives, with the enforcer's pid inside; and DIR/enforce/NAME.sock, where the long-lived one answers.  A lock
 * falls with its process, so that what a kill leaves is no obstacle; a socket that was left is replaced by
 * who holds the lock. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "block/enforce_in.h"

#define LOCK_END   ".lock"
#define SOCKET_END ".sock"
#define BACKLOG    8
#define PID_TEXT   16
#define AGAIN      500 /* times */
#define AGAIN_NS   10000000

enum status enforce_path(char to[PATH_MAX], const char *dir, const char *name, const char *end, struct err *e)
{
	int n = snprintf(to, PATH_MAX, "%s/" ENFORCE_DIR "%s%s%s", dir, *name ? "/" : "", name, end);

	return n > 0 && n < PATH_MAX ? STATUS_OK : err_set(e, STATUS_BAD, "%s: the name is too long", dir);
}

/* What root makes in another's directory belongs to its owner. */
static void give(const char *dir, int fd)
{
	struct stat st;

	if (geteuid() == 0 && stat(dir, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

/* DIR/enforce, made where it is not there. */
static enum status folder_open(const char *dir, int *fd, struct err *e)
{
	char path[PATH_MAX];
	enum status s = enforce_path(path, dir, "", "", e);
	bool made;

	if (s != STATUS_OK)
		return s;
	made = mkdir(path, 0700) == 0;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(e, "%s", path);
	if (made)
		give(dir, *fd);
	return STATUS_OK;
}

/* ---- the lock ---- */

static long holder(int fd)
{
	char text[PID_TEXT] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? strtol(text, NULL, 10) : 0;
}

/* An enforcer that was killed leaves its hand, which ends as soon as it has done what it was told: that is
 * waited for. */
static bool locked(int fd)
{
	const struct timespec again = {.tv_nsec = AGAIN_NS};

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		long pid = holder(fd);
		if (errno != EWOULDBLOCK || i == AGAIN || pid <= 0 || kill((pid_t)pid, 0) == 0)
			return false;
		(void)nanosleep(&again, NULL);
	}
	return true;
}

/* What is written there must be no other file, under another name. */
static bool is_own(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink <= 1;
}

enum status enforce_lock(const char *dir, const char *name, int *fd, struct err *e)
{
	char path[PATH_MAX], text[PID_TEXT];
	int folder, n;
	enum status s = folder_open(dir, &folder, e);

	if (s != STATUS_OK)
		return s;
	(void)close(folder);
	s = enforce_path(path, dir, name, LOCK_END, e);
	if (s != STATUS_OK)
		return s;
	*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return err_errno(e, "%s", path);
	if (!is_own(*fd)) {
		(void)close(*fd);
		return err_set(e, STATUS_MACHINE, "%s: is no file of its own; remove it", path);
	}
	if (!locked(*fd)) {
		s = err_set(e, STATUS_NO, "another enforcer (%s) runs here: pid %ld", name, holder(*fd));
		(void)close(*fd);
		return s;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(*fd, 0) != 0 || pwrite(*fd, text, (size_t)n, 0) != n) {
		s = err_errno(e, "%s", path);
		(void)close(*fd);
	} else
		give(dir, *fd);
	return s;
}

/* ---- the socket ---- */

/* By the folder's descriptor: a socket's name has 107 bytes at most, and DIR may have more. */
static struct sockaddr_un address(int folder, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%.32s" SOCKET_END, folder, name);
	return a;
}

static enum status wait_at_most(int fd, int seconds, struct err *e)
{
	struct timeval wait = {.tv_sec = seconds};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
			       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0
		       ? STATUS_OK
		       : err_errno(e, "socket");
}

enum status enforce_listen(const char *dir, const char *name, int *fd, struct err *e)
{
	int folder;
	enum status s = folder_open(dir, &folder, e);
	struct sockaddr_un a;
	mode_t mask;

	if (s != STATUS_OK)
		return s;
	a = address(folder, name);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlink(a.sun_path);
	mask = umask(0177);
	if (*fd < 0 || bind(*fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(*fd, BACKLOG) != 0)
		s = err_errno(e, "%s/" ENFORCE_DIR "/%s" SOCKET_END, dir, name);
	(void)umask(mask);
	if (s == STATUS_OK) {
		struct stat st;
		if (geteuid() == 0 && stat(dir, &st) == 0 && st.st_uid != 0)
			(void)!chown(a.sun_path, st.st_uid, st.st_gid);
	} else if (*fd >= 0) {
		(void)close(*fd);
		*fd = -1;
	}
	(void)close(folder);
	return s;
}

void enforce_unlisten(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct err e;

	if (enforce_path(path, dir, name, SOCKET_END, &e) == STATUS_OK)
		(void)unlink(path);
}

enum status enforce_connect(const char *dir, const char *name, int *fd, struct err *e)
{
	int folder;
	enum status s = folder_open(dir, &folder, e);
	struct sockaddr_un a;

	if (s != STATUS_OK)
		return s;
	a = address(folder, name);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		s = err_errno(e, "socket");
	else if (connect(*fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		s = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN
			    ? err_set(e, STATUS_NO, "no enforcer listens")
			    : err_errno(e, "%s/" ENFORCE_DIR "/%s" SOCKET_END, dir, name);
	else
		s = wait_at_most(*fd, ASK_SECONDS, e);
	if (s != STATUS_OK && *fd >= 0)
		(void)close(*fd);
	(void)close(folder);
	return s;
}
