/* The configuration: DIR/weir.conf, else /etc/weir.conf, else the defaults; nothing must be configured to
 * start. Syntax by libconfuse; every key is one row of the table in config.c (doc/weir.conf.5). */
#ifndef WEIR_BASE_CONFIG_H
#define WEIR_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"

/* An address or prefix, with a port or 0 for any: a declared relay. */
struct config_host {
	struct prefix prefix;
	uint16_t port;
};

enum on_alert { ON_ALERT_NOTIFY, ON_ALERT_PROPOSE, ON_ALERT_BLOCK };
enum announce { ANNOUNCE_FLOWSPEC, ANNOUNCE_RTBH };

struct config {
	struct arena arena; /* owns everything below */
	const char *path;   /* the file that was read, NULL for defaults only */
	const char *point;  /* point = "default": name of this observation point */
	const char *filter; /* filter = "": BPF text for record, NULL for none */
	struct prefix *own; /* own_networks = {...}: empty means that every recorded host may be followed */
	size_t n_own;
	struct prefix *never; /* never_record = {...} */
	size_t n_never;
	struct config_host *relays; /* known_relays = {"192.0.2.5", "192.0.2.6:443", "[2001:db8::1]:22"} */
	size_t n_relays;
	uint64_t keep_bytes;   /* keep_size = "20G"; 0: no cap */
	int64_t keep_age_us;   /* keep_age = "0"; 0: no cap */
	int64_t clock_skew_us; /* clock_skew = "2s": how far clocks of two observation points may be apart */
	int64_t burst_gap_us;  /* burst_gap = "100ms": readers merge bursts up to this; at least 20ms */
	double alpha;          /* alpha = 1e-6; in (0, 0.5] */
	bool vlan_overlap;   /* vlan_overlap = false: addresses overlap between VLANs, the VLAN is part of the
				key */
	uint64_t max_flows;  /* max_flows = 1000000 */
	char **partner_keys; /* partner_keys = {"NAME+HASH+KEY"}: verifier keys (ledger/note.h) that are
				trusted */
	size_t n_partner_keys;

	/* plan and block */
	struct prefix *never_block; /* never_block = {...}: no rule touches these */
	size_t n_never_block;
	struct prefix *partner_networks; /* partner_networks = {...}: nor these */
	size_t n_partner_networks;
	double alpha_rate, alpha_host, alpha_wide; /* what a rate limit for one host, one host for an hour,
						      and all that is wider need */
	int64_t block_for_us; /* block_for = "1h": how long a block lasts unless said otherwise */
	int64_t max_block_us; /* max_block = "24h": how long at most */
	uint64_t max_rules;   /* max_rules = 20000: in force at once */
	uint64_t widest_v4,
		widest_v6;      /* widest_v4 = 24, widest_v6 = 48: shortest prefix that may be blocked */
	uint64_t rate_limit;    /* rate_limit = 50: packets per second that a rate limit lets pass */
	int64_t look_back_us;   /* look_back = "24h": of the recording, in which bystanders are counted */
	enum on_alert on_alert; /* on_alert = "propose": what `weir watch` does by itself */
	uint64_t watch_blocks;  /* watch_blocks = 10: blocks an hour that it may give by itself */
	uint64_t watch_budget;  /* watch_budget = 0: recorded flows of bystanders that such a block may hit */
	enum announce announce; /* announce = "flowspec": what `weir enforce --exabgp` announces */
	struct ip *rtbh_next_hop; /* rtbh_next_hop = {...}: one an address family */
	size_t n_rtbh_next_hop;
};

/* Reads the configuration of data directory dir (which need not exist).  STATUS_BAD names file, line and key;
 * an unknown key is an error. */
enum status config_load(struct config *c, const char *dir, struct err *e);
/* The same from one file. */
enum status config_read(struct config *c, const char *path, struct err *e);
/* The same from n bytes of memory; name stands in messages. */
enum status config_parse(struct config *c, const char *name, const char *text, size_t n, struct err *e);
void config_free(struct config *c);

/* Name of the i-th key of the table, NULL behind the last; and its default as text, NULL for an
 * empty list. */
const char *config_key(size_t i);
const char *config_default(size_t i);

/* Writes the effective configuration in a form that config_read() loads to the same values. */
enum status config_write(const struct config *c, FILE *to, struct err *e);

/* Is s a name that an observation point may have? */
bool config_point_valid(const char *s);
#define CONFIG_POINT_ALLOWED "1 to 63 letters, digits, '.', '_', '-'"

/* A number above 0 and at most 0.5: also the --alpha option.  False where s is none. */
bool alpha_parse(double *to, const char *s);

/* "20G", "500M", "1T", "0", bytes; K, M, G, T, P are powers of 1024: also the --keep option.  False where s
 * is none. */
bool size_parse(uint64_t *bytes, const char *s);

/* May hosts in this network be followed: own networks has it, or none are configured. */
bool config_owns(const struct config *c, const struct ip *ip);
bool config_known_relay(const struct config *c, const struct ip *ip, uint16_t port);

#endif
