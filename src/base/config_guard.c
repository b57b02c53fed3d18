/* Guard in front of libconfuse.
 *
 * In comes the text of a configuration file, out goes the same text with blanks in place of the comments, or
 * what is wrong with it and in which line.  It is needed because libconfuse 3.3 takes a comment inside a list
 * for an error, writes through NULL on an empty comment at the start of a file, takes an unclosed string or
 * comment for the end of the file, eats control characters, and puts the environment in for ${NAME}.  We
 * refuse the odd ones by name, so that a file means what it shows; lines keep their numbers. */
#include "base/config_guard.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What the scanner stands in. */
enum place { PLAIN, COMMENT, SINGLE, DOUBLE };

struct guard {
	char *p, *end;
	enum place place;
	unsigned line, opened; /* opened: line in which the string began */
	const char *wrong;
};

static bool control(char c)
{
	return (uint8_t)c < 0x20 && c != '\n' && c != '\t' && c != '\r';
}

static void plain(struct guard *g)
{
	char c = *g->p, next = g->p + 1 < g->end ? g->p[1] : '\0';

	if (c == '#') {
		*g->p = ' ';
		g->place = COMMENT;
	} else if (c == '"' || c == '\'') {
		g->place = c == '"' ? DOUBLE : SINGLE;
		g->opened = g->line;
	} else if (c == '/' && (next == '/' || next == '*')) {
		g->wrong = "a comment begins with '#'";
	} else if (c == '$' && next == '{') {
		g->wrong = "${NAME} is not replaced here: write the value";
	}
}

static void string(struct guard *g)
{
	char quote = g->place == DOUBLE ? '"' : '\'';
	char c = *g->p, next = g->p + 1 < g->end ? g->p[1] : '\0';

	if (c == quote)
		g->place = PLAIN;
	else if (c == '\\' && next != '\n' && g->p + 1 < g->end)
		g->p++;
	else if (c == '$' && next == '{' && quote == '"')
		g->wrong = "${NAME} is not replaced here: write the value, or use single quotes";
}

static void step(struct guard *g)
{
	char c = *g->p;

	if (c == '\n') {
		if (g->place == SINGLE || g->place == DOUBLE)
			g->wrong = "a string is not closed on its line";
		else
			g->place = PLAIN;
	} else if (g->place == COMMENT) {
		*g->p = ' ';
	} else if (control(c)) {
		g->wrong = c ? "a control character" : "a NUL byte: not a text file";
	} else if ((uint8_t)c >= 0x7f) {
		g->wrong = "a character that is not ASCII, outside a comment";
	} else if (g->place == PLAIN) {
		plain(g);
	} else {
		string(g);
	}
}

/* The second character of an escape is skipped by string(), so it is looked at here. */
static void check_escaped(struct guard *g, const char *before)
{
	if (!g->wrong && g->p > before && (control(*g->p) || (uint8_t)*g->p >= 0x7f))
		g->wrong = "an escape of a character that is not printable ASCII";
}

enum status config_guard(char *text, size_t n, const char *name, struct err *e)
{
	struct guard g = {.p = text, .end = text + n, .place = PLAIN, .line = 1};

	for (; g.p < g.end && !g.wrong; g.p++) {
		const char *before = g.p;
		bool newline = *g.p == '\n';
		step(&g);
		check_escaped(&g, before);
		if (g.wrong)
			break;
		g.line += newline;
	}
	if (!g.wrong && (g.place == SINGLE || g.place == DOUBLE)) {
		g.wrong = "a string is not closed";
		g.line = g.opened;
	}
	if (g.wrong)
		return err_set(e, STATUS_BAD, "%s:%u: %s", name, g.line, g.wrong);
	return STATUS_OK;
}
