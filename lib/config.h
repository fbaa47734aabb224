/* SPDX-License-Identifier: MIT */
#ifndef GB_CONFIG_H
#define GB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

/*
 * The settings, read through one table (config.c) that also prints the
 * README's table and `guardbee config`. Const after the load.
 */
enum gb_app_env { GB_ENV_PRODUCTION, GB_ENV_DEVELOPMENT, GB_ENV_TESTING };
enum gb_mail_transport { GB_TRANSPORT_SENDMAIL, GB_TRANSPORT_SMTP, GB_TRANSPORT_FILE };
enum gb_registration { GB_REGISTRATION_OPEN, GB_REGISTRATION_VERIFY, GB_REGISTRATION_CLOSED };
enum gb_gate_requires { GB_GATE_VERIFIED, GB_GATE_NONE };

/* Strings are NUL-terminated; NULL where a setting is not given and has no default. */
struct gb_config {
	enum gb_app_env app_env;

	const char *jwt_key;			/* HMAC key, byte for byte as given */
	const char *secret_key;			/* only compared: no two keys may be equal */
	const char *refresh_secret_key;
	const char *algorithm;
	const char *allowed_algorithms;		/* comma list; holds algorithm */
	const char *access_private_key, *access_public_key;	/* PEM, real newlines */
	const char *refresh_private_key, *refresh_public_key;
	const char *jwt_keys_dir;

	int64_t access_ttl_s;			/* EXPIRES_TOKEN_SESSION */
	int64_t refresh_ttl_s;			/* API_JWT_REFRESH_EXPIRY_TIME */
	int64_t session_max_age_s;		/* 0: none */
	int64_t email_ttl_s;			/* EXPIRES_TOKEN_EMAIL */
	int64_t refresh_grace_s;
	const char *issuer, *audience;
	int64_t leeway_s;

	const char *state;			/* directory, absolute */
	const char *database_url;
	const char *frontend_url;		/* no slash at its end */
	const char *frontend_origin;		/* derived: scheme://host[:port], lower case */
	const char *frontend_path;		/* derived: "" or "/below", no slash at its end */

	enum gb_mail_transport mail_transport;
	const char *sendmail;
	const char *smtp_host, *smtp_user, *smtp_password;
	int64_t smtp_port;
	const char *mail_from;
	const char *site_name, *default_language;
	bool notice_mails;

	enum gb_registration registration;
	const char *reserved_usernames;		/* words separated by spaces or commas */
	int64_t password_min_length;		/* code points */
	int64_t password_min_score;		/* 0 to 4 */
	int64_t argon2_memory_cost;		/* KiB */
	int64_t argon2_time_cost;
	int64_t hash_slots;
	bool rate_limits;
	int64_t sessions_per_user;

	const char *api_clients_file;
	const char *trusted_proxies, *cors_origins;	/* comma lists */
	bool cookie_mode;
	enum gb_gate_requires gate_requires;
};

/* Where one setting's value comes from; NULL when it is not there. */
typedef const char *gb_config_lookup(void *source, const char *name);

/*
 * True if the process environment names any setting that request parameters
 * may carry: then parameters are ignored (contract, "Settings").
 */
bool gb_config_in_environment(void);

/* A gb_config_lookup over the process environment; source is not used. */
gb_config_lookup gb_config_environment;

/*
 * Reads every setting. `params` NULL: all from the process environment.
 * Else settings that parameters may carry come from params, the others from
 * the environment. Secrets are also read from NAME_FILE (environment only),
 * and wiped from the environment afterwards.
 * GB_ERR_MISCONFIGURED: one line in `why` names the setting, never a secret's value.
 * The config lives until gb_config_free, which wipes it.
 */
enum gb_err gb_config_load(gb_config_lookup *params, void *source, char *why, size_t why_max,
    struct gb_config **config);
void gb_config_free(struct gb_config *config);

/*
 * STATE alone, before anything else is read: whose it is decides as whom the
 * operator's command goes on. GB_ERR_MISCONFIGURED with a line in `why`.
 */
enum gb_err gb_config_state(char *why, size_t why_max, char *state, size_t state_max);

/* True if `params` still says what it said when `config` was loaded from it. */
bool gb_config_same(const struct gb_config *config, gb_config_lookup *params, void *source);

/* Secrets are shown as "set" or "not set". */
void gb_config_print(const struct gb_config *config, FILE *out);	/* `guardbee config` */
void gb_config_print_table(FILE *out);		/* the README's table, Markdown */
void gb_config_print_man(FILE *out);		/* the list of guardbee-settings(5), mdoc */
void gb_config_print_example(FILE *out);	/* etc/guardbee.env.example */

#endif
