/* SPDX-License-Identifier: MIT */
/* config_table.c: every setting, one row each. */
#include <sched.h>
#include <stddef.h>
#include <stdio.h>

#include "config_table.h"

/* Where a host gives its programs no environment, `make STATE_DEFAULT=/home/...` builds the place in. */
#ifndef GB_STATE_DEFAULT
#define GB_STATE_DEFAULT "/var/lib/guardbee"
#endif

#define SLOTS_MAX 64

static const struct gb_word app_envs[] = {
	{ "production", GB_ENV_PRODUCTION }, { "development", GB_ENV_DEVELOPMENT },
	{ "local", GB_ENV_DEVELOPMENT }, { "testing", GB_ENV_TESTING }, { NULL, 0 }
};
static const struct gb_word transports[] = {
	{ "sendmail", GB_TRANSPORT_SENDMAIL }, { "smtp", GB_TRANSPORT_SMTP },
	{ "file", GB_TRANSPORT_FILE }, { NULL, 0 }
};
static const struct gb_word registrations[] = {
	{ "open", GB_REGISTRATION_OPEN }, { "verify", GB_REGISTRATION_VERIFY },
	{ "closed", GB_REGISTRATION_CLOSED }, { NULL, 0 }
};
static const struct gb_word gate_demands[] = {
	{ "verified", GB_GATE_VERIFIED }, { "none", GB_GATE_NONE }, { NULL, 0 }
};
static const struct gb_word switches[] = { { "on", true }, { "off", false }, { NULL, 0 } };

static const char *
derive_algorithms(const struct gb_config *config, struct gb_arena *arena)
{
	(void)arena;
	return config->algorithm;
}

static const char *
derive_database(const struct gb_config *config, struct gb_arena *arena)
{
	return gb_arena_printf(arena, "gdbm:%s/store", config->state);
}

static const char *
derive_frontend(const struct gb_config *config, struct gb_arena *arena)
{
	(void)arena;
	return config->app_env == GB_ENV_PRODUCTION ? NULL : "http://127.0.0.1:8080";
}

static const char *
derive_transport(const struct gb_config *config, struct gb_arena *arena)
{
	(void)arena;
	return config->app_env == GB_ENV_PRODUCTION ? "sendmail" : "file";
}

/* Those we may run on, as nproc counts; sysconf would read a file of /sys. It fails where there are over 1024. */
static const char *
derive_slots(const struct gb_config *config, struct gb_arena *arena)
{
	cpu_set_t set;
	int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : SLOTS_MAX;

	(void)config;
	return gb_arena_printf(arena, "%d", processors > SLOTS_MAX ? SLOTS_MAX : processors);
}

#define AT(member) .offset = offsetof(struct gb_config, member)
#define TEXT(parser) .kind = GB_SETTING_TEXT, .parse = gb_parse_##parser
#define NUMBER(lowest, highest) .kind = GB_SETTING_NUMBER, .min = lowest, .max = highest, .scale = 1
#define MINUTES(lowest, highest) .kind = GB_SETTING_NUMBER, .min = lowest, .max = highest, .scale = 60, .unit = "minutes"
#define WORD(list) .kind = GB_SETTING_WORD, .words = list
#define SWITCH .kind = GB_SETTING_SWITCH, .words = switches
#define SECRET .flags = GB_SETTING_SECRET

const struct gb_setting gb_settings[] = {
	{ "APP_ENV", "FLASK_ENV", AT(app_env), WORD(app_envs), .flags = GB_SETTING_ENV_ONLY, .fallback = "production",
	  .help = "local = development. development and testing: a missing key is made and kept in STATE, mail goes to `STATE/mail/*.eml`, a short JWT_KEY only warns" },

	{ "JWT_KEY", "ACCESS_SECRET_KEY", AT(jwt_key), TEXT(bytes), SECRET,
	  .help = "HMAC key, byte for byte as given; required in production where ALGORITHM is `HS*` and JWT_KEYS_DIR is not set; at least as long as the hash (HS256: 32 bytes); never equal to another key" },
	{ "SECRET_KEY", NULL, AT(secret_key), TEXT(bytes), SECRET,
	  .help = "your application's own key, if it stands in the same environment: only compared, no two keys may be equal" },
	{ "REFRESH_SECRET_KEY", NULL, AT(refresh_secret_key), TEXT(bytes), SECRET, .shown = "derived from the access key",
	  .help = "HMAC key of refresh tokens, where ALGORITHM is `HS*`" },
	{ "ALGORITHM", "API_JWT_ALGORITHM", AT(algorithm), TEXT(algorithm), .fallback = "HS256",
	  .demand = "one of HS256, HS384, HS512, RS256, RS384, RS512, ES256, EdDSA",
	  .help = "HS256, HS384, HS512, RS256, RS384, RS512, ES256 or EdDSA" },
	{ "API_JWT_ALLOWED_ALGORITHMS", NULL, AT(allowed_algorithms), TEXT(algorithms), .derive = derive_algorithms,
	  .shown = "ALGORITHM", .demand = "a comma list of algorithms", .help = "comma list for access tokens; must hold ALGORITHM" },
	{ "ACCESS_PRIVATE_KEY", NULL, AT(access_private_key), TEXT(pem), SECRET, .demand = "a PEM",
	  .help = "PEM of the key that signs, where ALGORITHM is `RS*`, ES256 or EdDSA; newlines may be written as `\\n`" },
	{ "ACCESS_PUBLIC_KEY", NULL, AT(access_public_key), TEXT(pem), .demand = "a PEM",
	  .help = "PEM of the key that verifies, where a program must not hold the private one" },
	{ "REFRESH_PRIVATE_KEY", NULL, AT(refresh_private_key), TEXT(pem), SECRET, .demand = "a PEM",
	  .shown = "derived from the access key", .help = "PEM of the key that signs refresh tokens, where ALGORITHM is a pair's" },
	{ "REFRESH_PUBLIC_KEY", NULL, AT(refresh_public_key), TEXT(pem), .demand = "a PEM", .help = "its public half" },
	{ "JWT_KEYS_DIR", NULL, AT(jwt_keys_dir), TEXT(path), .demand = "an absolute path",
	  .help = "key ring, one JWK per file, never below the document root; its active key signs, the key above then only verifies tokens without kid" },

	{ "EXPIRES_TOKEN_SESSION", "API_JWT_EXPIRY_TIME", AT(access_ttl_s), MINUTES(1, 525600), .fallback = "1440",
	  .help = "life of an access token" },
	{ "API_JWT_REFRESH_EXPIRY_TIME", NULL, AT(refresh_ttl_s), MINUTES(1, 525600), .fallback = "2880",
	  .help = "life of a refresh token" },
	{ "SESSION_MAX_AGE", NULL, AT(session_max_age_s), MINUTES(0, 525600), .fallback = "0",
	  .help = "no token of a session outlives it; 0: no limit" },
	{ "EXPIRES_TOKEN_EMAIL", NULL, AT(email_ttl_s), MINUTES(1, 1440), .fallback = "30",
	  .help = "life of mailed links and typed codes" },
	{ "REFRESH_GRACE", NULL, AT(refresh_grace_s), NUMBER(0, 60), .unit = "seconds", .fallback = "10",
	  .help = "how long a refresh token may come a second time from the same browser, for a second tab or a lost answer" },
	{ "API_JWT_ISSUER", NULL, AT(issuer), TEXT(text), .demand = "printable, at most 255 bytes", .help = "iss, written and demanded" },
	{ "API_JWT_AUDIENCE", NULL, AT(audience), TEXT(text), .demand = "printable, at most 255 bytes",
	  .help = "aud, written and demanded" },
	{ "API_JWT_LEEWAY", NULL, AT(leeway_s), NUMBER(0, 120), .unit = "seconds", .fallback = "0",
	  .help = "tolerance for other clocks, access and refresh tokens only" },

	{ "STATE", NULL, AT(state), TEXT(path), .flags = GB_SETTING_ENV_ONLY, .fallback = GB_STATE_DEFAULT,
	  .demand = "an absolute path",
	  .help = "directory of store, keys, spool, limits and audit trail; 0700, never below the document root" },
	{ "DATABASE_URL", NULL, AT(database_url), TEXT(database), .flags = GB_SETTING_SECRET | GB_SETTING_ENV_ONLY,
	  .derive = derive_database, .shown = "gdbm:STATE/store", .demand = "gdbm:/dir or mysql://user:password@host/name",
	  .help = "`gdbm:/dir`; `mysql://user:password@host[,host...]/name` is kept for a back end that is not built yet: the store does not open" },
	{ "FRONTEND_URL", NULL, AT(frontend_url), TEXT(url), .derive = derive_frontend,
	  .shown = "required in production, else http://127.0.0.1:8080", .demand = "http(s)://host[:port][/path]",
	  .help = "origin and base path of the pages; mailed links begin with it" },

	{ "MAIL_TRANSPORT", NULL, AT(mail_transport), WORD(transports), .derive = derive_transport,
	  .shown = "sendmail (development, testing: file)", .help = "file: `STATE/mail/*.eml`" },
	{ "SENDMAIL", NULL, AT(sendmail), TEXT(path), .flags = GB_SETTING_ENV_ONLY, .fallback = "/usr/sbin/sendmail",
	  .demand = "an absolute path", .help = "the program that takes mail" },
	{ "SMTP_HOST", NULL, AT(smtp_host), TEXT(host), .demand = "a host name or address", .help = "required by MAIL_TRANSPORT=smtp" },
	{ "SMTP_PORT", NULL, AT(smtp_port), NUMBER(1, 65535), .fallback = "587", .help = "STARTTLS demanded on 587, TLS on 465" },
	{ "SMTP_USER", NULL, AT(smtp_user), TEXT(text), .demand = "printable, at most 255 bytes", .help = "name at the mail server" },
	{ "SMTP_PASSWORD", NULL, AT(smtp_password), TEXT(text), SECRET, .demand = "printable, at most 255 bytes",
	  .help = "password at the mail server" },
	{ "MAIL_FROM", NULL, AT(mail_from), TEXT(mailbox), .demand = "a mail address without a name",
	  .help = "sender of mails; required unless MAIL_TRANSPORT=file" },
	{ "SITE_NAME", NULL, AT(site_name), TEXT(text), .fallback = "guardbee", .demand = "printable, at most 255 bytes",
	  .help = "the name in mails and pages" },
	{ "DEFAULT_LANGUAGE", NULL, AT(default_language), TEXT(language), .fallback = "en",
	  .demand = "a language tag of 2 to 8 characters", .help = "of mails and pages where a browser asks for none we have" },
	{ "NOTICE_MAILS", NULL, AT(notice_mails), SWITCH, .fallback = "on",
	  .help = "mails about a changed password, a new device, a reused refresh token" },

	{ "REGISTRATION", NULL, AT(registration), WORD(registrations), .fallback = "open",
	  .help = "verify: an account begins when its mailed link and the password chosen are given together" },
	{ "RESERVED_USERNAMES", NULL, AT(reserved_usernames), TEXT(names),
	  .fallback = "admin,administrator,root,operator,system,support,guardbee,www-data,nobody",
	  .demand = "a list of user names", .help = "names nobody may register; separated by commas or spaces" },
	{ "PASSWORD_MIN_LENGTH", NULL, AT(password_min_length), NUMBER(8, 64), .unit = "code points", .fallback = "8",
	  .help = "of a new password" },
	{ "PASSWORD_MIN_SCORE", NULL, AT(password_min_score), NUMBER(0, 4), .fallback = "2",
	  .help = "how many of 10^3, 10^6, 10^8, 10^10 guesses zxcvbn's estimate must reach, knowing the account's own words" },
	{ "ARGON2_MEMORY_COST", NULL, AT(argon2_memory_cost), NUMBER(7168, 1048576), .unit = "KiB", .fallback = "65536",
	  .help = "of a password hash (Argon2id); older hashes are renewed at login" },
	{ "ARGON2_TIME_COST", NULL, AT(argon2_time_cost), NUMBER(1, 10), .fallback = "2", .help = "passes of a password hash" },
	{ "HASH_SLOTS", NULL, AT(hash_slots), NUMBER(1, SLOTS_MAX), .derive = derive_slots, .shown = "processors",
	  .help = "password hashes that may run at once, over all processes" },
	{ "RATE_LIMITS", NULL, AT(rate_limits), SWITCH, .flags = GB_SETTING_ENV_ONLY, .fallback = "on",
	  .help = "off outside production only; the numbers are below" },
	{ "SESSIONS_PER_USER", NULL, AT(sessions_per_user), NUMBER(1, 32), .fallback = "32",
	  .help = "beyond it the least recently used session ends" },
	{ "API_CLIENTS_FILE", NULL, AT(api_clients_file), TEXT(path), .demand = "an absolute path",
	  .help = "callers of introspect, lines `id:sha256-hex`; none: introspect always answers 401" },
	{ "TRUSTED_PROXIES", NULL, AT(trusted_proxies), TEXT(proxies), .flags = GB_SETTING_ENV_ONLY,
	  .demand = "a comma list of addresses or address/bits", .help = "X-Forwarded-For is read from these only, the right-most untrusted address counts" },
	{ "CORS_ORIGINS", NULL, AT(cors_origins), TEXT(origins), .demand = "a comma list of origins, each http(s)://host[:port]",
	  .help = "other sites whose scripts may call the endpoints with a Bearer token" },
	{ "COOKIE_MODE", NULL, AT(cookie_mode), SWITCH, .fallback = "off",
	  .help = "sessions in cookies for pages; FRONTEND_URL must be https or loopback" },
	{ "GATE_REQUIRES", NULL, AT(gate_requires), WORD(gate_demands), .fallback = "verified",
	  .help = "whom the gate lets pass" },
};

const size_t gb_settings_len = sizeof gb_settings / sizeof gb_settings[0];

_Static_assert(sizeof gb_settings / sizeof gb_settings[0] <= sizeof(((struct gb_loaded *)NULL)->given),
    "gb_loaded.given has a place for every row");
