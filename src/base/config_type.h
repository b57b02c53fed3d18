/* Types of configuration values: see config_type.c. */
#ifndef WEIR_BASE_CONFIG_TYPE_H
#define WEIR_BASE_CONFIG_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"

/* A type: how a value is read and printed, and what is allowed.  `to` and `from` point at the field. */
struct config_type {
	const char *allowed;
	bool (*parse)(struct arena *a, void *to, const char *s);
	void (*print)(const void *from, FILE *to);
	size_t size; /* of a list's element */
};

extern const struct config_type config_point_type, config_filter_type, config_size_type, config_age_type,
	config_skew_type, config_gap_type, config_alpha_type, config_bool_type, config_flows_type,
	config_network_type, config_relay_type, config_vkey_type, config_block_type, config_look_type,
	config_rules_type, config_widest_v4_type, config_widest_v6_type, config_rate_type, config_blocks_type,
	config_budget_type, config_on_alert_type, config_announce_type, config_ip_type;

#endif
