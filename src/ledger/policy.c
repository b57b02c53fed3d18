/* Policies: see proof.h (c2sp.org/tlog-policy, "Policy file syntax and structure").  The file's bytes come
 * in, and a checkpoint's note; out comes whether a log of the policy signed it and enough witnesses cosigned.
 */
#include "ledger/proof.h"
#include "ledger/text.h"

#define POLICY_BYTES (1 << 20) /* of any policy file that is looked at */
#define NO_QUORUM    (-1)

/* A line that is being read, and what was seen on the lines before. */
struct policy_reader {
	struct policy *to;
	struct rd line;
	uint64_t grouped; /* members that a group has */
	bool quorum;      /* its line was there */
};

/* ---- words ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* "The allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF." */
static bool octets_valid(const struct rd *line)
{
	for (const uint8_t *p = line->p; p < line->end; p++)
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

/* The next word of the line; false where there is none. */
static bool word_take(struct rd *line, struct rd *word)
{
	size_t n = 0;

	while (rd_left(line) > 0 && is_blank(line->p[0]))
		rd_skip(line, 1);
	while (n < rd_left(line) && !is_blank(line->p[n]))
		n++;
	*word = rd_cut(line, n);
	return n > 0;
}

static const char *name_take(struct rd *line, char to[KEY_NAME_MAX + 1])
{
	struct rd word;

	if (!word_take(line, &word))
		return "a name is missing";
	if (rd_left(&word) > KEY_NAME_MAX)
		return "a name is too long";
	memcpy(to, word.p, rd_left(&word));
	to[rd_left(&word)] = '\0';
	return NULL;
}

static int member_find(const struct policy *p, const char *name)
{
	for (size_t k = 0; k < p->n_member; k++)
		if (strcmp(p->member[k].name, name) == 0)
			return (int)k;
	return -1;
}

/* ---- lines: each returns what is wrong, or NULL ---- */

static const char *vkey_take(struct rd *line, struct vkey *to, enum key_type type)
{
	char text[VKEY_TEXT];
	struct err why;
	struct rd word;

	if (!word_take(line, &word))
		return "a verifier key is missing";
	if (rd_left(&word) >= sizeof(text))
		return "the verifier key is too long";
	memcpy(text, word.p, rd_left(&word));
	text[rd_left(&word)] = '\0';
	if (vkey_parse(to, text, &why) != STATUS_OK)
		return "the verifier key is not valid";
	return to->type == type ? NULL : "the verifier key is of another type";
}

/* "Two vkeys are considered duplicate if they wrap the same underlying public key, even if they differ by key
 * name and key id." */
static bool key_same(const struct vkey *a, const struct vkey *b)
{
	return memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

static const char *line_end(struct rd *line)
{
	struct rd word;

	return word_take(line, &word) ? "there is something behind it" : NULL;
}

/* log <vkey> [<url>] */
static const char *log_line(struct policy_reader *r)
{
	struct policy *p = r->to;
	struct rd url;
	struct vkey v;
	const char *bad = vkey_take(&r->line, &v, KEY_ED25519);

	if (bad)
		return bad;
	if (p->n_log == POLICY_MEMBERS)
		return "there are too many logs";
	for (size_t k = 0; k < p->n_log; k++)
		if (key_same(&p->log[k], &v))
			return "the log's key was there before";
	(void)word_take(&r->line, &url);
	p->log[p->n_log++] = v;
	return line_end(&r->line);
}

/* Room for one more witness or group, by the name that comes next: they "share a single namespace". */
static const char *member_take(struct policy_reader *r, struct policy_member *to)
{
	const char *bad = name_take(&r->line, to->name);

	if (bad)
		return bad;
	if (strcmp(to->name, "none") == 0)
		return "the name none means that no witness is needed";
	if (member_find(r->to, to->name) >= 0)
		return "the name was there before";
	return r->to->n_member == POLICY_MEMBERS ? "there are too many witnesses and groups" : NULL;
}

/* witness <name> <vkey> [<url>] */
static const char *witness_line(struct policy_reader *r)
{
	struct policy *p = r->to;
	struct policy_member m = {0};
	struct rd url;
	const char *bad = member_take(r, &m);

	if (!bad)
		bad = vkey_take(&r->line, &m.key, KEY_COSIGN);
	if (bad)
		return bad;
	for (size_t k = 0; k < p->n_member; k++)
		if (!p->member[k].group && key_same(&p->member[k].key, &m.key))
			return "the witness's key was there before";
	(void)word_take(&r->line, &url);
	p->member[p->n_member++] = m;
	return line_end(&r->line);
}

/* One member of a group.  "Each defined name can be listed as a group member at most once": in all groups
 * together, so that a witness counts in one way only. */
static const char *group_member(struct policy_reader *r, struct policy_member *group)
{
	char name[KEY_NAME_MAX + 1];
	const char *bad = name_take(&r->line, name);
	int k = bad ? -1 : member_find(r->to, name);

	if (bad)
		return bad;
	if (k < 0)
		return "a member was not defined on a line before";
	if (r->grouped >> k & 1)
		return "a member is in a group already";
	r->grouped |= UINT64_C(1) << k;
	group->member |= UINT64_C(1) << k;
	return NULL;
}

static bool more_words(struct rd line)
{
	struct rd word;

	return word_take(&line, &word);
}

static unsigned members(uint64_t set)
{
	return (unsigned)__builtin_popcountll(set);
}

/* all, any, or a number from 1 to the number of members. */
static bool need_read(unsigned *need, const struct rd *word, unsigned n)
{
	uint64_t k;

	if (line_is(word, "all"))
		k = n;
	else if (line_is(word, "any"))
		k = 1;
	else if (!line_decimal(word, &k))
		return false;
	*need = (unsigned)k;
	return k >= 1 && k <= n;
}

/* group <name> all|any|<k> <name>... */
static const char *group_line(struct policy_reader *r)
{
	struct policy_member m = {.group = true};
	struct rd threshold;
	const char *bad = member_take(r, &m);

	if (bad)
		return bad;
	if (!word_take(&r->line, &threshold))
		return "how many members it needs is missing";
	while (!bad && more_words(r->line))
		bad = group_member(r, &m);
	if (bad)
		return bad;
	if (!need_read(&m.need, &threshold, members(m.member)))
		return "how many members it needs is not all, any, or a number from 1 to that of its members";
	r->to->member[r->to->n_member++] = m;
	return NULL;
}

/* quorum <name> */
static const char *quorum_line(struct policy_reader *r)
{
	char name[KEY_NAME_MAX + 1];
	const char *bad = name_take(&r->line, name);

	if (bad)
		return bad;
	if (r->quorum)
		return "there is more than one quorum";
	r->quorum = true;
	r->to->quorum = strcmp(name, "none") == 0 ? NO_QUORUM : member_find(r->to, name);
	if (r->to->quorum < 0 && strcmp(name, "none") != 0)
		return "the name was not defined on a line before";
	return line_end(&r->line);
}

static const struct {
	const char *word;
	const char *(*read)(struct policy_reader *r);
} kinds[] = {
	{"log", log_line},
	{"witness", witness_line},
	{"group", group_line},
	{"quorum", quorum_line},
};

static const char *policy_line(struct policy_reader *r)
{
	struct rd word;

	if (!octets_valid(&r->line))
		return "there is a control character";
	if (!word_take(&r->line, &word) || word.p[0] == '#')
		return NULL;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (line_is(&word, kinds[k].word))
			return kinds[k].read(r);
	return "it begins with none of log, witness, group, quorum";
}

enum status policy_parse(struct policy *to, const char *text, size_t n, struct err *e)
{
	struct policy_reader r = {.to = to};
	struct rd all = rd_of(text, n);

	*to = (struct policy){.quorum = NO_QUORUM};
	if (n > POLICY_BYTES)
		return err_set(e, STATUS_BAD, "no policy: longer than %d bytes", POLICY_BYTES);
	for (unsigned line = 1; rd_left(&all) > 0; line++) {
		if (!line_take(&all, &r.line))
			return err_set(e, STATUS_BAD, "policy line %u: it does not end", line);
		const char *bad = policy_line(&r);
		if (bad)
			return err_set(e, STATUS_BAD, "policy line %u: %s", line, bad);
	}
	return r.quorum ? STATUS_OK : err_set(e, STATUS_BAD, "no policy: there is no quorum line");
}

void policy_of_log(struct policy *to, const struct vkey *log)
{
	*to = (struct policy){.log = {*log}, .n_log = 1, .quorum = NO_QUORUM};
}

/* ---- judging ---- */

/* Bit k: member k witnessed, itself or by enough of its own.  Groups come behind their members. */
static uint64_t witnessed(const struct policy *p, const bool *by)
{
	uint64_t got = 0;

	for (size_t k = 0; k < p->n_member; k++) {
		const struct policy_member *m = &p->member[k];
		bool ok = m->group ? members(m->member & got) >= m->need : by[k];
		got |= (uint64_t)ok << k;
	}
	return got;
}

static enum status quorum_check(const struct policy *p, const bool *by, struct err *e)
{
	uint64_t got = witnessed(p, by);
	char name[KEY_NAME_MAX + 1];

	if (p->quorum == NO_QUORUM || got >> p->quorum & 1)
		return STATUS_OK;
	const struct policy_member *q = &p->member[p->quorum];
	(void)printable(name, sizeof(name), q->name);
	if (!q->group)
		return err_set(e, STATUS_NO, "the witness %s did not cosign", name);
	return err_set(e, STATUS_NO, "%u of the members of %s cosigned, %u are needed",
		members(q->member & got), name, q->need);
}

/* "This name MUST correspond to the log's origin line." */
static enum status log_check(
	const struct policy *p, const bool *by, const struct checkpoint *c, struct err *e)
{
	char name[KEY_NAME_MAX + 1];

	for (size_t k = 0; k < p->n_log; k++)
		if (by[k] && strcmp(p->log[k].name, c->origin) == 0)
			return STATUS_OK;
	return err_set(e, STATUS_NO, "no log of the policy signed for the origin %s",
		printable(name, sizeof(name), c->origin));
}

/* The keys of all logs, and then of all members (a group's is empty: no signature can be of it). */
static void keys_of(const struct policy *p, struct vkey *to)
{
	memcpy(to, p->log, p->n_log * sizeof(*to));
	for (size_t k = 0; k < p->n_member; k++)
		to[p->n_log + k] = p->member[k].key;
}

enum status policy_verify(
	const struct policy *p, const char *note, size_t n, struct checkpoint *c, struct err *e)
{
	struct vkey known[2 * POLICY_MEMBERS];
	bool by[2 * POLICY_MEMBERS];
	struct arena a = {0};
	struct note parsed;
	enum status s;

	*c = (struct checkpoint){0};
	keys_of(p, known);
	s = note_parse(&parsed, note, n, &a, e);
	if (s == STATUS_OK)
		s = checkpoint_parse(c, parsed.text, parsed.n_text, e);
	if (s == STATUS_OK)
		s = note_verify(&parsed, known, p->n_log + p->n_member, by, NULL, e);
	if (s == STATUS_OK)
		s = log_check(p, by, c, e);
	if (s == STATUS_OK)
		s = quorum_check(p, by + p->n_log, e);
	arena_free(&a);
	return s;
}
