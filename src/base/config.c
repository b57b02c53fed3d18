/* The configuration file.
 *
 * In comes weir.conf in the syntax of libconfuse (key = value, lists in braces, '#' comments), out comes
 * struct config; and back: config_write() prints what config_read() loads to the same values.  Every key is
 * one row of the table below: its name, default, type and help, which doc/weir.conf.5 and
 * doc/weir.conf.example repeat (a test compares). libconfuse sees all values as text and hands them over with
 * their line; the types are ours, so that a message can name file, line, key and what is allowed. */
#include "base/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/config_guard.h"
#include "base/config_type.h"

/* ---- the table ---- */

#define KEY(field)  offsetof(struct config, field), 0
#define LIST(field) offsetof(struct config, field), offsetof(struct config, n_##field)

static const struct key {
	const char *name;
	const char *standard; /* the default as text; NULL: an empty list */
	const struct config_type *type;
	size_t at, at_n; /* offset of the field, and of a list's length (0: no list) */
	const char *help;
} keys[] = {
	{"point", "default", &config_point_type, KEY(point), "Name of this observation point."},
	{"filter", "", &config_filter_type, KEY(filter),
		"Record only what this BPF expression matches; empty: everything."},
	{"own_networks", NULL, &config_network_type, LIST(own),
		"Networks that you answer for; hosts outside are not followed. Empty: follow every recorded "
		"host."},
	{"never_record", NULL, &config_network_type, LIST(never), "Networks of which nothing is recorded."},
	{"known_relays", NULL, &config_relay_type, LIST(relays),
		"Relays that are meant to be there (jump hosts, proxies, balancers): named as such in "
		"what is found."},
	{"keep_size", "20G", &config_size_type, KEY(keep_bytes),
		"Recordings above this size lose the oldest part; 0: no cap."},
	{"keep_age", "0", &config_age_type, KEY(keep_age_us),
		"Recordings older than this are removed; 0: no cap."},
	{"clock_skew", "2s", &config_skew_type, KEY(clock_skew_us),
		"How far the clocks of two observation points may be apart."},
	{"burst_gap", "100ms", &config_gap_type, KEY(burst_gap_us),
		"Readers merge bursts with a pause below this."},
	{"alpha", "1e-6", &config_alpha_type, KEY(alpha),
		"How often a link may be claimed where there is none."},
	{"vlan_overlap", "false", &config_bool_type, KEY(vlan_overlap),
		"Different hosts have the same address in different VLANs: the VLAN is part of a flow's "
		"key."},
	{"max_flows", "1000000", &config_flows_type, KEY(max_flows),
		"Flows that the recorder keeps in memory at most."},
	{"partner_keys", NULL, &config_vkey_type, LIST(partner_keys),
		"Verifier keys of partners: what they sign is checked with these."},
	{"never_block", NULL, &config_network_type, LIST(never_block),
		"Networks that no block touches, whatever the evidence."},
	{"partner_networks", NULL, &config_network_type, LIST(partner_networks),
		"Networks of partners: asked for help, never blocked."},
	{"alpha_rate", "0.01", &config_alpha_type, KEY(alpha_rate),
		"Evidence that a rate limit for one host needs."},
	{"alpha_host", "0.001", &config_alpha_type, KEY(alpha_host),
		"Evidence that blocking one host for an hour needs."},
	{"alpha_wide", "1e-5", &config_alpha_type, KEY(alpha_wide),
		"Evidence that blocking longer, or a prefix, needs."},
	{"block_for", "1h", &config_block_type, KEY(block_for_us),
		"How long a block lasts, unless it says otherwise."},
	{"max_block", "1d", &config_block_type, KEY(max_block_us), "How long a block lasts at most."},
	{"max_rules", "20000", &config_rules_type, KEY(max_rules),
		"Rules that are in force at once at most."},
	{"widest_v4", "24", &config_widest_v4_type, KEY(widest_v4),
		"Shortest IPv4 prefix that may be blocked."},
	{"widest_v6", "48", &config_widest_v6_type, KEY(widest_v6),
		"Shortest IPv6 prefix that may be blocked."},
	{"rate_limit", "50", &config_rate_type, KEY(rate_limit),
		"Packets per second that a rate limit lets pass."},
	{"look_back", "1d", &config_look_type, KEY(look_back_us),
		"How far back in the recording the bystanders of a block are counted."},
	{"on_alert", "propose", &config_on_alert_type, KEY(on_alert),
		"What weir watch does by itself: tell, make a plan, or enforce the marked option."},
	{"watch_blocks", "10", &config_blocks_type, KEY(watch_blocks),
		"Blocks an hour that weir watch may give by itself."},
	{"watch_budget", "0", &config_budget_type, KEY(watch_budget),
		"Recorded flows of bystanders that a block which weir watch gives by itself may hit."},
	{"announce", "flowspec", &config_announce_type, KEY(announce),
		"What the own routers are told over ExaBGP."},
	{"rtbh_next_hop", NULL, &config_ip_type, LIST(rtbh_next_hop),
		"Next hop of a blackhole route, one for each address family."},
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

const char *config_key(size_t i)
{
	return i < N_KEYS ? keys[i].name : NULL;
}

const char *config_default(size_t i)
{
	return i < N_KEYS ? keys[i].standard : NULL;
}

static void *field(struct config *c, size_t at)
{
	return (char *)c + at;
}

static const void *field_of(const struct config *c, size_t at)
{
	return (const char *)c + at;
}

/* ---- reading ---- */

/* One value as libconfuse gives it, with the line where it stands. */
struct value {
	int line;
	char text[];
};

/* Called by libconfuse for each value.  def.number, which values of this kind do not use, is the line of the
 * first value: a later '=' finds it set and the list of values empty. */
static int value_take(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *result)
{
	size_t n = strlen(text) + 1;
	struct value *v;

	if (opt->def.number && (opt->nvalues <= 1 || !(opt->flags & CFGF_LIST))) {
		cfg_error(cfg, "%s: given twice, first in line %ld", opt->name, opt->def.number);
		return -1;
	}
	v = malloc(sizeof(*v) + n);
	if (!v) {
		cfg_error(cfg, "out of memory");
		return -1;
	}
	v->line = cfg->line;
	memcpy(v->text, text, n);
	if (!opt->def.number)
		opt->def.number = cfg->line;
	*(void **)result = v;
	return 0;
}

/* libconfuse hands its error function nothing of ours but the cfg_t; so the message travels in the title,
 * which a root section does not use and cfg_free() frees. */
__attribute__((format(printf, 2, 0))) static void error_keep(cfg_t *cfg, const char *fmt, va_list ap)
{
	char *text;

	if (cfg->title || vasprintf(&text, fmt, ap) < 0)
		return;
	cfg->title = text;
}

/* libconfuse's words, with the keys that there are where one is unknown. */
static enum status syntax_error(const cfg_t *cfg, const char *name, struct err *e)
{
	const char *text = cfg->title ? cfg->title : "syntax error";
	char safe[160], all[512] = "";
	bool unknown = strncmp(text, "no such", 7) == 0 || strncmp(text, "no sub-section", 14) == 0;

	for (size_t i = 0; i < N_KEYS && unknown; i++) {
		size_t n = strlen(all);
		(void)snprintf(all + n, sizeof(all) - n, "%s%s", i ? " " : "; the keys are: ", keys[i].name);
	}
	return err_set(
		e, STATUS_BAD, "%s:%d: %s%s", name, cfg->line, printable(safe, sizeof(safe), text), all);
}

static enum status value_error(const struct key *k, const char *name, const struct value *v, struct err *e)
{
	char safe[64];

	return err_set(e, STATUS_BAD, "%s:%d: %s: \"%s\" is not allowed; allowed: %s", name, v->line, k->name,
		printable(safe, sizeof(safe), v->text), k->type->allowed);
}

static enum status list_apply(
	struct config *c, const struct key *k, cfg_opt_t *opt, const char *name, struct err *e)
{
	size_t n = cfg_opt_size(opt);
	char *list = arena_array(&c->arena, n, k->type->size);

	if (!list)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const struct value *v = cfg_opt_getnptr(opt, (unsigned)i);
		if (!k->type->parse(&c->arena, list + i * k->type->size, v->text))
			return value_error(k, name, v, e);
	}
	*(void **)field(c, k->at) = n ? list : NULL;
	*(size_t *)field(c, k->at_n) = n;
	return STATUS_OK;
}

static enum status key_apply(
	struct config *c, const struct key *k, cfg_t *cfg, const char *name, struct err *e)
{
	cfg_opt_t *opt = cfg_getopt(cfg, k->name);

	if (opt->def.number && cfg_opt_size(opt) == 0)
		return err_set(e, STATUS_BAD, "%s:%ld: %s: given twice, once as an empty list", name,
			opt->def.number, k->name);
	if (k->at_n)
		return list_apply(c, k, opt, name, e);
	if (cfg_opt_size(opt) == 0)
		return STATUS_OK;
	const struct value *v = cfg_opt_getnptr(opt, 0);
	if (!k->type->parse(&c->arena, field(c, k->at), v->text))
		return value_error(k, name, v, e);
	return STATUS_OK;
}

static enum status defaults(struct config *c, struct err *e)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < N_KEYS; i++)
		if (!keys[i].at_n && !keys[i].type->parse(&c->arena, field(c, keys[i].at), keys[i].standard))
			return err_set(e, STATUS_MACHINE, "default of %s", keys[i].name);
	return c->point ? STATUS_OK : err_nomem(e);
}

static cfg_t *library_open(void)
{
	cfg_opt_t opts[N_KEYS + 1] = {0};
	cfg_t *cfg;

	for (size_t i = 0; i < N_KEYS; i++)
		opts[i] = (cfg_opt_t){.name = keys[i].name,
			.type = CFGT_PTR,
			.flags = CFGF_NODEFAULT | (keys[i].at_n ? CFGF_LIST : CFGF_NONE),
			.parsecb = value_take,
			.freecb = free};
	cfg = cfg_init(opts, CFGF_NONE);
	if (cfg)
		(void)cfg_set_error_function(cfg, error_keep);
	return cfg;
}

/* text is a string: the guard has refused NUL bytes. */
static enum status text_apply(struct config *c, const char *name, const char *text, struct err *e)
{
	cfg_t *cfg = library_open();
	enum status s = STATUS_OK;

	if (!cfg)
		return err_nomem(e);
	if (cfg_parse_buf(cfg, text) != CFG_SUCCESS)
		s = syntax_error(cfg, name, e);
	for (size_t i = 0; i < N_KEYS && s == STATUS_OK; i++)
		s = key_apply(c, &keys[i], cfg, name, e);
	(void)cfg_free(cfg);
	return s;
}

enum status config_parse(struct config *c, const char *name, const char *text, size_t n, struct err *e)
{
	enum status s = defaults(c, e);
	char *copy = NULL;

	if (s == STATUS_OK && n > CONFIG_FILE_MAX)
		s = err_set(e, STATUS_BAD, "%s: larger than 1 MiB: not a configuration file", name);
	if (s == STATUS_OK) {
		copy = malloc(n + 1);
		s = copy ? STATUS_OK : err_nomem(e);
	}
	if (s == STATUS_OK) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		s = config_guard(copy, n, name, e);
	}
	if (s == STATUS_OK)
		s = text_apply(c, name, copy, e);
	free(copy);
	if (s != STATUS_OK)
		config_free(c);
	return s;
}

/* The bytes of a file, at most one more than CONFIG_FILE_MAX; to be freed. */
static enum status file_read(const char *path, FILE *f, char **text, size_t *n, struct err *e)
{
	struct stat st;

	if (fstat(fileno(f), &st) != 0)
		return err_errno(e, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, STATUS_BAD, "%s: is a directory", path);
	*text = malloc(CONFIG_FILE_MAX + 1);
	if (!*text)
		return err_nomem(e);
	*n = fread(*text, 1, CONFIG_FILE_MAX + 1, f);
	return ferror(f) ? err_errno(e, "%s", path) : STATUS_OK;
}

enum status config_read(struct config *c, const char *path, struct err *e)
{
	enum status s;
	char *text = NULL;
	size_t n = 0;
	FILE *f = fopen(path, "re");

	memset(c, 0, sizeof(*c));
	if (!f)
		return errno == ENOENT || errno == ENOTDIR ? err_set(e, STATUS_BAD, "%s: no such file", path)
							   : err_errno(e, "%s", path);
	s = file_read(path, f, &text, &n, e);
	if (s == STATUS_OK)
		s = config_parse(c, path, text, n, e);
	if (s == STATUS_OK) {
		c->path = arena_str(&c->arena, path);
		s = c->path ? STATUS_OK : err_nomem(e);
	}
	free(text);
	(void)fclose(f);
	if (s != STATUS_OK)
		config_free(c);
	return s;
}

enum status config_load(struct config *c, const char *dir, struct err *e)
{
	char in_dir[4096];
	const char *const paths[] = {in_dir, "/etc/weir.conf"};
	int n = snprintf(in_dir, sizeof(in_dir), "%s/weir.conf", dir);
	struct stat st;
	enum status s;

	memset(c, 0, sizeof(*c));
	if (n < 0 || (size_t)n >= sizeof(in_dir))
		return err_set(e, STATUS_BAD, "name of the data directory is too long");
	for (size_t i = 0; i < 2; i++) {
		if (stat(paths[i], &st) == 0)
			return S_ISFIFO(st.st_mode) ? err_set(e, STATUS_BAD, "%s: is a FIFO", paths[i])
						    : config_read(c, paths[i], e);
		if (errno != ENOENT && errno != ENOTDIR)
			return err_errno(e, "%s", paths[i]);
	}
	s = defaults(c, e);
	if (s != STATUS_OK)
		config_free(c);
	return s;
}

void config_free(struct config *c)
{
	arena_free(&c->arena);
	memset(c, 0, sizeof(*c));
}

/* ---- writing ---- */

static void list_write(const struct config *c, const struct key *k, FILE *to)
{
	const char *list = *(char *const *)field_of(c, k->at);
	size_t n = *(const size_t *)field_of(c, k->at_n);

	(void)fputc('{', to);
	for (size_t i = 0; i < n; i++) {
		(void)fputs(i ? ",\n\t" : "\n\t", to);
		k->type->print(list + i * k->type->size, to);
	}
	(void)fputs(n ? "\n}" : "}", to);
}

enum status config_write(const struct config *c, FILE *to, struct err *e)
{
	char safe[256];

	(void)fprintf(to, "# The effective configuration of weir, from %s.\n",
		c->path ? printable(safe, sizeof(safe), c->path) : "its defaults (there is no file)");
	for (size_t i = 0; i < N_KEYS; i++) {
		(void)fprintf(to, "\n# %s\n# Allowed: %s.\n%s = ", keys[i].help, keys[i].type->allowed,
			keys[i].name);
		if (keys[i].at_n)
			list_write(c, &keys[i], to);
		else
			keys[i].type->print(field_of(c, keys[i].at), to);
		(void)fputc('\n', to);
	}
	if (fflush(to) != 0 || ferror(to))
		return err_errno(e, "writing the configuration");
	return STATUS_OK;
}

/* ---- use ---- */

bool config_owns(const struct config *c, const struct ip *ip)
{
	for (size_t i = 0; i < c->n_own; i++)
		if (prefix_has(&c->own[i], ip))
			return true;
	return c->n_own == 0;
}

bool config_known_relay(const struct config *c, const struct ip *ip, uint16_t port)
{
	for (size_t i = 0; i < c->n_relays; i++) {
		const struct config_host *h = &c->relays[i];
		if (prefix_has(&h->prefix, ip) && (h->port == 0 || h->port == port))
			return true;
	}
	return false;
}
