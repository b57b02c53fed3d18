/* Process rights that only shrink.  A parser of hostile bytes opens what it needs and then says, in this
 * order, what it will still want: no capability, files only below some directory, only the system calls of
 * its profile.
 *
 *     capture_open_live(&c, "eth0", NULL, e);
 *     sandbox_enter(&(struct sandbox){ .profile = SANDBOX_RECORD, .write_below = dir }, &held, e);
 *
 * Nothing here can be undone in the process.  Capabilities: capabilities(7).  Files: landlock(7), Linux 5.13
 * and later. System calls: seccomp(2) through libseccomp. */
#ifndef WEIR_BASE_SANDBOX_H
#define WEIR_BASE_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

enum sandbox_profile {
	SANDBOX_RECORD, /* reads and writes files, reads an open packet ring; no new socket, no new program */
	SANDBOX_VERIFY, /* reads files, writes what is open; no socket at all, no new program */
	SANDBOX_HAND,   /* reads and writes what is open, and asks the kernel by netlink; no file, no new
			   program */
};

struct sandbox {
	enum sandbox_profile profile;
	const char *write_below; /* directory below which files may be made, changed and read; NULL: none */
	const char *const
		*read_below; /* files and directories that may be read, NULL at the end; NULL: none */
};

/* What holds now.  What the kernel could not give is named, for a log line, and is no error. */
struct sandbox_held {
	int landlock;      /* the kernel's Landlock version, 0: files are not confined */
	bool calls;        /* system calls are confined */
	char missing[160]; /* "" where all holds */
};

/* All of the following in their order.  STATUS_MACHINE where a right could not be given up although the
 * kernel knows how to: the caller must not go on. */
enum status sandbox_enter(const struct sandbox *s, struct sandbox_held *held, struct err *e);

/* Where the process is root and dir belongs to somebody else: becomes that user, since root without
 * capabilities could not write there.  Else does nothing. */
enum status sandbox_become_owner(const char *dir, struct err *e);

/* No capability, now or after an exec. */
enum status sandbox_drop_caps(struct err *e);

/* The same, but for the one that passes over file permissions (CAP_DAC_OVERRIDE), where the process has it:
 * root that reads and writes other users' files by name later on.  Only together with sandbox_files(), which
 * says which. */
enum status sandbox_drop_caps_but_files(struct err *e);

/* The same, but for the one that changes the network (CAP_NET_ADMIN), where the process has it.  Where it is
 * root it becomes nobody first, if there is a nobody here. */
enum status sandbox_keep_net_admin(struct err *e);

/* Before a secret comes into the process: no core dump, and no other process of the user looks in
 * (PR_SET_DUMPABLE, prctl(2)).  Builds with a sanitizer go without. */
void sandbox_no_dump(void);

enum status sandbox_files(const struct sandbox *s, struct sandbox_held *held, struct err *e);
enum status sandbox_calls(enum sandbox_profile profile, struct sandbox_held *held, struct err *e);

#endif
