/* Private to the input: its state, the window over the file's own bytes, and what a codec is. */
#ifndef WEIR_MAP_INPUT_IN_H
#define WEIR_MAP_INPUT_IN_H

#include "map/input.h"

/* Some of the file's own bytes: all of them where it is mapped, else what was read and is still wanted. */
struct window {
	const uint8_t *p;
	size_t n;
	uint64_t at;    /* where p[0] stands in the file */
	uint64_t total; /* bytes of the file, 0: a pipe */
	bool end;       /* nothing follows p[n - 1] */
	bool mapped;
	uint64_t freed; /* mapped: bytes from the beginning whose memory was given back */
	int fd;
	uint8_t *buf; /* not mapped: what p points into */
	size_t cap;
	char name[128];
};

/* "-": standard input. */
enum status window_open(struct window *w, const char *path, struct err *e);
/* Further bytes, or w->end. */
enum status window_more(struct window *w, struct err *e);
/* Bytes up to `until` in the file are there, or w->end. */
enum status window_until(struct window *w, uint64_t until, struct err *e);
/* Bytes before `from` in the file, which never goes back, are not wanted any more. */
void window_keep(struct window *w, uint64_t from);
void window_close(struct window *w);

/* read: up to cap (> 0) bytes; none: the end, or in->damage is set. */
struct codec {
	const char *name;
	enum status (*open)(struct input *in, struct err *e);
	enum status (*read)(struct input *in, uint8_t *to, size_t cap, size_t *n, struct err *e);
	void (*close)(struct input *in);
};
extern const struct codec codec_plain, codec_gzip, codec_zstd, codec_bzip2;

#define DAMAGE_TEXT 160
struct input {
	struct window w;
	const struct codec *codec;
	void *state; /* the codec's */
	unsigned threads;
	uint64_t taken; /* bytes of the file that the codec is through with */
	bool ended;
	char damage[DAMAGE_TEXT];
	uint64_t passed; /* bytes that were skipped */
	uint8_t *buf;    /* bytes at hand: buf[pos .. have) */
	size_t cap, pos, have;
};

/* The file ends here, for what `what` says ("cut off in the middle of a gzip member") at byte `at`. */
void input_broken(struct input *in, const char *what, uint64_t at);

#endif
