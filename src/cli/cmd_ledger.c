/* weir ledger: head, entries and proofs of what this operator stated; what witnesses signed; and whether
 * every stored byte is what it was. */
#include "cli/app.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger.h"

#define LINE_MAX_SHOWN 4096 /* bytes of an entry that a person is shown */

/* ---- what the verbs share ---- */

static enum status opened(struct app *a, struct ledger **l, enum ledger_mode mode, struct err *e)
{
	return ledger_open(l, a->w, a->dir, mode, e);
}

static enum status closed(struct ledger *l, enum status s, struct err *e)
{
	struct err later;
	enum status c = ledger_close(l, s == STATUS_OK ? e : &later);

	return s == STATUS_OK ? c : s;
}

/* The words behind a verb, min to max of them; *first is the first. */
static enum status words(
	struct app *a, int argc, char **argv, int min, int max, int *first, const char *want, struct err *e)
{
	enum status s = options_parse(a, NULL, 0, argc, argv, first, e);

	if (s == STATUS_OK && (argc - *first < min || argc - *first > max))
		s = err_set(e, STATUS_BAD, "ledger%s", want);
	return s;
}

static bool number_parse(uint64_t *to, const char *s)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*to = strtoull(s, &end, 10);
	return errno == 0 && *end == '\0' && *to <= INT64_MAX;
}

static json_t *json_base64(const struct hash *h)
{
	struct buf b = {0};

	base64_put(&b, h->b, sizeof(h->b));
	json_t *j = b.failed ? NULL : json_stringn((const char *)b.p, b.n);
	buf_free(&b);
	return j;
}

static json_t *json_bytes(const struct buf *b)
{
	return json_stringn(b->p ? (const char *)b->p : "", b->n);
}

static json_t *json_hashes(const struct hash *h, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_base64(&h[i]));
	return list;
}

/* An entry as the JSON that it is; a text where it is none. */
static json_t *json_entry(const struct buf *entry)
{
	json_t *j = json_loadb((const char *)entry->p, entry->n, JSON_REJECT_DUPLICATES, NULL);

	return json_is_object(j) ? j : (json_decref(j), json_bytes(entry));
}

static void print_entry(FILE *o, uint64_t index, const struct buf *entry)
{
	char text[LINE_MAX_SHOWN], raw[LINE_MAX_SHOWN];

	(void)snprintf(raw, sizeof(raw), "%.*s", (int)entry->n, (const char *)entry->p);
	(void)fprintf(o, "%8" PRIu64 "  %s\n", index, printable(text, sizeof(text), raw));
}

/* ---- head ---- */

static enum status print_head(
	struct app *a, const struct checkpoint *c, const struct buf *note, struct err *e)
{
	struct buf root = {0};
	char count[32];

	if (a->json)
		return json_out(a,
			json_pack("{s:s, s:I, s:o, s:o}", "origin", c->origin, "size", (json_int_t)c->size,
				"root", json_base64(&c->root), "checkpoint", json_bytes(note)),
			e);
	base64_put(&root, c->root.b, sizeof(c->root.b));
	(void)fprintf(a->out, "origin   %s\nentries  %s\nroot     %.*s\n\n", c->origin,
		thousands(count, c->size), (int)root.n, (const char *)root.p);
	(void)fwrite(note->p, 1, note->n, a->out);
	buf_free(&root);
	return STATUS_OK;
}

/* As it was published, with the cosignatures kept for it. */
static enum status show_head(struct app *a, struct err *e)
{
	struct ledger *l;
	struct buf note = {0};
	enum status s = opened(a, &l, LEDGER_READ, e);

	if (s != STATUS_OK)
		return s;
	s = ledger_checkpoint(l, &note, e);
	if (s == STATUS_OK)
		s = print_head(a, ledger_head(l), &note, e);
	buf_free(&note);
	return closed(l, s, e);
}

static enum status run_head(struct app *a, int argc, char **argv, struct err *e)
{
	int first;
	enum status s = words(a, argc, argv, 0, 0, &first,
		": entry N, list, proof N, consistency OLD [NEW], cosign FILE or check", e);

	return s == STATUS_OK ? show_head(a, e) : s;
}

/* ---- entries ---- */

static enum status show_entry(struct app *a, uint64_t index, const struct buf *entry, struct err *e)
{
	if (a->json)
		return json_out(a,
			json_pack("{s:I, s:o}", "index", (json_int_t)index, "entry", json_entry(entry)), e);
	print_entry(a->out, index, entry);
	return STATUS_OK;
}

static enum status run_entry(struct app *a, int argc, char **argv, struct err *e)
{
	struct ledger *l;
	struct buf entry = {0};
	uint64_t index = 0;
	int first;
	enum status s = words(a, argc, argv, 1, 1, &first, " entry: the number of an entry", e);

	if (s == STATUS_OK && !number_parse(&index, argv[first]))
		s = err_set(e, STATUS_BAD, "ledger entry: %s: not a number", argv[first]);
	if (s == STATUS_OK)
		s = opened(a, &l, LEDGER_READ, e);
	if (s != STATUS_OK)
		return s;
	s = ledger_entry(l, index, &entry, e);
	if (s == STATUS_OK)
		s = show_entry(a, index, &entry, e);
	buf_free(&entry);
	return closed(l, s, e);
}

/* Entries that tell no time are in every span. */
static bool within(const struct buf *entry, struct wall since, struct wall until)
{
	json_t *j = json_loadb((const char *)entry->p, entry->n, 0, NULL);
	const char *at = json_string_value(json_object_get(j, "at"));
	struct wall t;
	bool in = !at || !wall_parse(&t, at) || (t.us >= since.us && t.us < until.us);

	json_decref(j);
	return in;
}

static enum status run_list(struct app *a, int argc, char **argv, struct err *e)
{
	struct wall since = WALL_BEGIN, until = WALL_END;
	struct option_row row[] = {{"since", 0, OPTION_TIME, &since}, {"until", 0, OPTION_TIME, &until}};
	struct ledger *l;
	struct buf entry = {0};
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "ledger list: takes options only (--since, --until)");
	if (s == STATUS_OK)
		s = opened(a, &l, LEDGER_READ, e);
	if (s != STATUS_OK)
		return s;
	for (uint64_t i = 0; i < ledger_head(l)->size && s == STATUS_OK; i++) {
		entry.n = 0;
		s = ledger_entry(l, i, &entry, e);
		if (s == STATUS_OK && within(&entry, since, until))
			s = show_entry(a, i, &entry, e);
	}
	buf_free(&entry);
	return closed(l, s, e);
}

/* ---- proofs ---- */

/* The last entry about an object: its "id" is the one that the prefix names. */
static enum status object_index(struct ledger *l, const char *id, uint64_t *index, struct err *e)
{
	struct buf entry = {0};
	bool found = false;
	enum status s = STATUS_OK;

	for (uint64_t i = ledger_head(l)->size; i-- > 0 && s == STATUS_OK && !found;) {
		entry.n = 0;
		s = ledger_entry(l, i, &entry, e);
		if (s != STATUS_OK || !memmem(entry.p, entry.n, id, strlen(id)))
			continue;
		json_t *j = json_loadb((const char *)entry.p, entry.n, 0, NULL);
		const char *of = json_string_value(json_object_get(j, "id"));
		found = of && strncmp(of, id, strlen(id)) == 0;
		json_decref(j);
		*index = i;
	}
	buf_free(&entry);
	if (s == STATUS_OK && !found)
		s = err_set(e, STATUS_NO, "%s: no entry is about it", id);
	return s;
}

static enum status print_proof(struct app *a, const struct buf *text, struct err *e)
{
	struct tlog_proof p;
	enum status s = STATUS_OK;

	if (!a->json) {
		(void)fwrite(text->p, 1, text->n, a->out);
		return STATUS_OK;
	}
	s = tlog_proof_parse(&p, (const char *)text->p, text->n, e);
	return s == STATUS_OK ? json_out(a,
					json_pack("{s:I, s:o, s:o, s:o}", "index", (json_int_t)p.index,
						"hashes", json_hashes(p.hash, p.n_hash), "checkpoint",
						json_stringn(p.note, p.n_note), "proof", json_bytes(text)),
					e)
			      : s;
}

/* A file that the user named: no part of the ledger, written as a shell's redirection would. */
static enum status write_out(const struct app *a, const char *path, const struct buf *b, struct err *e)
{
	int fd = a->w->open(a->w->self, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	enum status s = STATUS_OK;

	if (fd < 0)
		return err_errno(e, "%s", path);
	if (world_write_all(a->w, fd, b->p, b->n) != 0)
		s = err_errno(e, "%s", path);
	if (a->w->close(a->w->self, fd) != 0 && s == STATUS_OK)
		s = err_errno(e, "%s", path);
	return s;
}

static enum status run_proof(struct app *a, int argc, char **argv, struct err *e)
{
	const char *out = NULL;
	struct option_row row[] = {{"output", 'o', OPTION_TEXT, &out}};
	struct ledger *l;
	struct buf text = {0};
	uint64_t index = 0;
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK &&
		(argc - first != 1 || (!number_parse(&index, argv[first]) && !id_like(argv[first]))))
		s = err_set(
			e, STATUS_BAD, "ledger proof: the number of an entry, or the id of what was logged");
	if (s == STATUS_OK)
		s = opened(a, &l, LEDGER_READ, e);
	if (s != STATUS_OK)
		return s;
	/* Digits alone are a number unless no ledger has so many entries. */
	if (!number_parse(&index, argv[first]) || (index >= ledger_head(l)->size && id_like(argv[first])))
		s = object_index(l, argv[first], &index, e);
	if (s == STATUS_OK)
		s = ledger_proof(l, index, &text, e);
	if (s == STATUS_OK && out)
		s = write_out(a, out, &text, e);
	if (s == STATUS_OK && (!out || a->json))
		s = print_proof(a, &text, e);
	buf_free(&text);
	return closed(l, s, e);
}

static enum status print_consistency(
	struct app *a, uint64_t old, uint64_t size, const struct hash *h, size_t n, struct err *e)
{
	struct buf b = {0};

	if (a->json)
		return json_out(a,
			json_pack("{s:I, s:I, s:o}", "old", (json_int_t)old, "size", (json_int_t)size,
				"hashes", json_hashes(h, n)),
			e);
	for (size_t i = 0; i < n; i++) {
		base64_put(&b, h[i].b, sizeof(h[i].b));
		buf_u8(&b, '\n');
	}
	(void)fwrite(b.p, 1, b.n, a->out);
	buf_free(&b);
	return STATUS_OK;
}

static enum status run_consistency(struct app *a, int argc, char **argv, struct err *e)
{
	struct hash proof[MERKLE_PROOF_MAX];
	struct ledger *l;
	uint64_t old = 0, size = UINT64_MAX, all;
	size_t n = 0;
	int first;
	enum status s = words(a, argc, argv, 1, 2, &first, " consistency: one or two numbers of entries", e);

	if (s == STATUS_OK && (!number_parse(&old, argv[first]) ||
				      (argc - first == 2 && !number_parse(&size, argv[first + 1]))))
		s = err_set(e, STATUS_BAD, "ledger consistency: one or two numbers of entries");
	if (s == STATUS_OK)
		s = opened(a, &l, LEDGER_READ, e);
	if (s != STATUS_OK)
		return s;
	all = ledger_head(l)->size;
	if (size == UINT64_MAX)
		size = all;
	if (size > all || old > size)
		s = err_set(e, STATUS_NO, "the ledger has %" PRIu64 " entries, and OLD is at most NEW", all);
	if (s == STATUS_OK)
		s = ledger_prove_consistent(l, old, size, proof, &n, e);
	if (s == STATUS_OK)
		s = print_consistency(a, old, size, proof, n, e);
	return closed(l, s, e);
}

/* ---- witnesses ---- */

static enum status file_slurp(struct buf *to, const char *path, struct err *e)
{
	uint8_t part[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? err_set(e, STATUS_BAD, "%s: no such file", path)
				       : err_errno(e, "%s", path);
	while ((n = read(fd, part, sizeof(part))) > 0 && to->n <= NOTE_MAX)
		buf_put(to, part, (size_t)n);
	enum status s = n < 0 ? err_errno(e, "%s", path) : STATUS_OK;
	(void)close(fd);
	return s == STATUS_OK && to->failed ? err_nomem(e) : s;
}

static enum status run_cosign(struct app *a, int argc, char **argv, struct err *e)
{
	struct ledger *l = NULL;
	struct buf note = {0};
	int first;
	enum status s = words(
		a, argc, argv, 1, 1, &first, " cosign: a file with a checkpoint that a witness signed", e);

	if (s == STATUS_OK)
		s = file_slurp(&note, argv[first], e);
	if (s == STATUS_OK)
		s = opened(a, &l, LEDGER_SIGN, e);
	if (s == STATUS_OK) {
		s = ledger_keep_cosignatures(l, (const char *)note.p, note.n, e);
		if (s != STATUS_OK)
			(void)err_wrap(e, "%s", argv[first]);
	}
	buf_free(&note);
	s = closed(l, s, e);
	return s == STATUS_OK ? show_head(a, e) : s;
}

/* ---- check ---- */

static enum status print_report(struct app *a, const struct ledger_report *r, struct err *e)
{
	char entries[32], tiles[COUNT_TEXT], bytes[32];

	if (a->json)
		return json_out(a,
			json_pack("{s:b, s:I, s:I, s:I, s:I, s:s}", "whole", r->bad == 0, "entries",
				(json_int_t)r->entries, "tiles", (json_int_t)r->tiles, "bytes",
				(json_int_t)r->bytes, "bad", (json_int_t)r->bad, "first_bad", r->first_bad),
			e);
	(void)fprintf(a->out, "%s: entries %s, %s, %s read%s\n", r->bad ? "DAMAGED" : "whole",
		thousands(entries, r->entries), counted(tiles, r->tiles, "tile"), amount(bytes, r->bytes),
		r->bad ? "" : "; the root is the one that was signed");
	return STATUS_OK;
}

static enum status run_check(struct app *a, int argc, char **argv, struct err *e)
{
	struct ledger_report r = {0};
	struct err out;
	bool sums = false;
	struct option_row row[] = {{"sums", 0, OPTION_FLAG, &sums}};
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(e, STATUS_BAD, "ledger check: takes options only (--sums)");
	if (s != STATUS_OK)
		return s;
	s = ledger_check(&r, a->w, a->dir, sums, e);
	if (s == STATUS_OK || (s == STATUS_BAD && r.bad > 0)) {
		enum status p = print_report(a, &r, &out);
		if (s == STATUS_OK && p != STATUS_OK) {
			*e = out;
			s = p;
		}
	}
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	static const struct {
		const char *name;
		enum status (*run)(struct app *a, int argc, char **argv, struct err *e);
	} verbs[] = {{"entry", run_entry}, {"list", run_list}, {"proof", run_proof},
		{"consistency", run_consistency}, {"cosign", run_cosign}, {"check", run_check}};

	for (size_t v = 0; argc > 1 && v < sizeof(verbs) / sizeof(verbs[0]); v++)
		if (strcmp(argv[1], verbs[v].name) == 0)
			return verbs[v].run(a, argc - 1, argv + 1, e);
	return run_head(a, argc, argv, e);
}

const struct command command_ledger = {"ledger",
	"[entry N | list [--since T] [--until T] | proof N|ID [-o FILE] | consistency OLD [NEW] | cosign "
	"FILE | check [--sums]]",
	"what was stated here, in a log that cannot be changed afterwards, and its proofs", run};
