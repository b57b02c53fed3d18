/* Two lines of bursts, in-leg above out-leg, so that the eye can check a link.
 *
 * Takes the forward direction of both legs, gives 72 columns: the height of a column is the logarithm of the
 * bytes that burst in it.  The stretch shown is the one whose columns change most often. */
#include "cli/app.h"

#include <langinfo.h>
#include <string.h>

#define COLUMNS   72
#define COLUMN_US (SECOND_US / 4)

static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii[] = {" ", ".", ".", ":", ":", "|", "|", "#", "#"};

/* How often, over the stretch that begins at `from`, a column in which a burst starts stands beside one in
 * which none does. */
static unsigned changes_in(const struct burst *b, size_t n, int64_t from)
{
	bool on[COLUMNS] = {false};
	unsigned starts = 0, changes = 0;

	for (size_t i = 0; i < n && b[i].start_us < from + COLUMNS * COLUMN_US; i++)
		if (b[i].start_us >= from)
			on[(b[i].start_us - from) / COLUMN_US] = true;
	for (size_t c = 0; c < COLUMNS; c++) {
		starts += on[c];
		changes += c && on[c] != on[c - 1];
	}
	return starts && starts < COLUMNS ? changes : 0;
}

/* The best beginning among the starts of b, so early that the stretch ends before `until` where one is. */
static int64_t stretch(const struct burst *b, size_t n, int64_t until)
{
	int64_t best = n ? b[0].start_us : 0;
	unsigned most = 0;

	for (size_t i = 0; i < n && b[i].start_us + COLUMNS * COLUMN_US <= until; i++) {
		unsigned k = changes_in(&b[i], n - i, b[i].start_us);
		if (k > most) {
			most = k;
			best = b[i].start_us;
		}
	}
	return best;
}

/* Steps that tell a key (about 36 bytes encrypted) from a line, a line from a screen, a screen from
 * a file. */
static unsigned height(uint64_t bytes)
{
	static const uint64_t least[] = {1, 40, 64, 128, 512, 2048, 8192, 65536};
	unsigned h = 0;

	while (h < sizeof(least) / sizeof(least[0]) && bytes >= least[h])
		h++;
	return h;
}

static void line(FILE *to, const struct burst *b, size_t n, int64_t from, const struct clock_fit *clock,
	const char *const glyph[])
{
	uint64_t sum[COLUMNS] = {0};

	for (size_t i = 0; i < n; i++) {
		int64_t at = clock_in(clock, b[i].start_us) - from;
		if (at >= 0 && at < COLUMNS * COLUMN_US)
			sum[at / COLUMN_US] += b[i].bytes;
	}
	for (size_t c = 0; c < COLUMNS; c++)
		(void)fputs(glyph[height(sum[c])], to);
	(void)fputc('\n', to);
}

void draw_legs(FILE *to, const struct ip *relay, const struct flow *in, const struct flow *out,
	const struct clock_fit *clock, const char *indent)
{
	int a = !flow_side(in, relay), b = flow_side(out, relay);
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	const char *const *glyph = utf8 ? blocks : ascii;
	/* only what both legs lived through */
	size_t skip = 0;
	while (skip < in->n_burst[a] && in->burst[a][skip].start_us < clock_in(clock, out->head.first_us))
		skip++;
	int64_t from = stretch(in->burst[a] + skip, in->n_burst[a] - skip, clock_in(clock, out->last_us));
	char when[WALL_TEXT];

	(void)fprintf(to, "%sin   %s", indent, utf8 ? "│" : "|");
	line(to, in->burst[a], in->n_burst[a], from, &(struct clock_fit){0}, glyph);
	(void)fprintf(to, "%sout  %s", indent, utf8 ? "│" : "|");
	line(to, out->burst[b], out->n_burst[b], from, clock, glyph);
	(void)wall_text(when, (struct wall){from});
	(void)fprintf(to, "%s      %.19s, %d s, height: bytes\n", indent, when,
		(int)(COLUMNS * COLUMN_US / SECOND_US));
}
