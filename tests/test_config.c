/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_table.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER_KEY "fedcba9876543210fedcba9876543210"
#define PEM "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----"
#define OTHER_PEM "-----BEGIN PRIVATE KEY-----\\nBBBB\\n-----END PRIVATE KEY-----"
#define DEVELOPMENT "APP_ENV=development"
#define PRODUCTION "FRONTEND_URL=https://example.org", "MAIL_FROM=noreply@example.org"

static char why[256];
static struct gb_config *config;

/* "NAME=value" strings up to NULL become the whole environment. */
static void
fill_environment(const char *const *assignments)
{
	clearenv();
	for (; *assignments != NULL; assignments++) {
		char name[64];
		size_t len = strcspn(*assignments, "=");

		memcpy(name, *assignments, len);
		name[len] = '\0';
		setenv(name, *assignments + len + 1, 1);
	}
}

static enum gb_err
load_list(const char *const *assignments)
{
	gb_config_free(config);
	fill_environment(assignments);
	memset(why, 'x', sizeof why);
	return gb_config_load(NULL, NULL, why, sizeof why, &config);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define accept(...) cr_assert_eq(load_list(LIST(__VA_ARGS__)), GB_OK, "%s", why)
#define refuse(expected, ...) do { \
	cr_assert_eq(load_list(LIST(__VA_ARGS__)), GB_ERR_MISCONFIGURED); \
	cr_assert_null(config); \
	cr_assert_str_eq(why, expected); \
} while (0)

/* Parameters of a request, as a list of assignments. */
static const char *
from_list(void *source, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *a = source; *a != NULL; a++)
		if (strncmp(*a, name, len) == 0 && (*a)[len] == '=')
			return *a + len + 1;
	return NULL;
}

static void
free_config(void)
{
	gb_config_free(config);
}

TestSuite(config, .timeout = 20, .fini = free_config);

Test(config, has_a_full_row_for_every_setting)
{
	for (size_t i = 0; i < gb_settings_len; i++) {
		const struct gb_setting *row = &gb_settings[i];

		cr_assert_not_null(row->name);
		cr_assert(row->help != NULL && *row->help != '\0', "%s has no help", row->name);
		cr_assert_lt(row->offset, sizeof(struct gb_config));
		cr_assert(row->derive == NULL || (row->fallback == NULL && row->shown != NULL), "%s", row->name);
		cr_assert_eq(row->kind == GB_SETTING_TEXT, row->parse != NULL, "%s", row->name);
		cr_assert_eq(row->kind == GB_SETTING_NUMBER, row->scale != 0, "%s", row->name);
		cr_assert_eq(row->kind == GB_SETTING_WORD || row->kind == GB_SETTING_SWITCH, row->words != NULL, "%s", row->name);
		cr_assert(row->kind != GB_SETTING_TEXT || row->parse == gb_parse_bytes || row->demand != NULL,
		    "%s does not say what it demands", row->name);
	}
}

Test(config, gives_each_setting_its_own_place)
{
	for (size_t a = 0; a < gb_settings_len; a++)
		for (size_t b = a + 1; b < gb_settings_len; b++) {
			cr_assert_str_neq(gb_settings[a].name, gb_settings[b].name);
			cr_assert_neq(gb_settings[a].offset, gb_settings[b].offset, "%s and %s",
			    gb_settings[a].name, gb_settings[b].name);
		}
}

Test(config, takes_its_defaults)
{
	accept(DEVELOPMENT);
	cr_assert_eq(config->app_env, GB_ENV_DEVELOPMENT);
	cr_assert_null(config->jwt_key);
	cr_assert_str_eq(config->algorithm, "HS256");
	cr_assert_str_eq(config->allowed_algorithms, "HS256");
	cr_assert_eq(config->access_ttl_s, 1440 * 60);
	cr_assert_eq(config->refresh_ttl_s, 2880 * 60);
	cr_assert_eq(config->session_max_age_s, 0);
	cr_assert_eq(config->email_ttl_s, 30 * 60);
	cr_assert_eq(config->refresh_grace_s, 10);
	cr_assert_eq(config->leeway_s, 0);
	cr_assert_null(config->issuer);
	cr_assert_str_eq(config->state, "/var/lib/guardbee");
	cr_assert_str_eq(config->database_url, "gdbm:/var/lib/guardbee/store");
	cr_assert_str_eq(config->frontend_url, "http://127.0.0.1:8080");
	cr_assert_eq(config->mail_transport, GB_TRANSPORT_FILE);
	cr_assert_str_eq(config->sendmail, "/usr/sbin/sendmail");
	cr_assert_eq(config->smtp_port, 587);
	cr_assert_str_eq(config->site_name, "guardbee");
	cr_assert_str_eq(config->default_language, "en");
	cr_assert(config->notice_mails);
	cr_assert_eq(config->registration, GB_REGISTRATION_OPEN);
	cr_assert_not_null(strstr(config->reserved_usernames, "www-data"));
	cr_assert_eq(config->password_min_length, 8);
	cr_assert_eq(config->password_min_score, 2);
	cr_assert_eq(config->argon2_memory_cost, 65536);
	cr_assert_eq(config->argon2_time_cost, 2);
	cr_assert(config->hash_slots >= 1 && config->hash_slots <= 64);
	cr_assert(config->rate_limits);
	cr_assert_eq(config->sessions_per_user, 32);
	cr_assert_not(config->cookie_mode);
	cr_assert_eq(config->gate_requires, GB_GATE_VERIFIED);
}

Test(config, demands_a_key_an_url_and_a_sender_in_production)
{
	accept(PRODUCTION, "JWT_KEY=" KEY);
	cr_assert_eq(config->app_env, GB_ENV_PRODUCTION);
	cr_assert_eq(config->mail_transport, GB_TRANSPORT_SENDMAIL);
	refuse("JWT_KEY is required in production", PRODUCTION);
	refuse("JWT_KEY is required in production", PRODUCTION, "JWT_KEY=");
	refuse("FRONTEND_URL is required in production", "MAIL_FROM=noreply@example.org", "JWT_KEY=" KEY);
	refuse("MAIL_FROM is required unless MAIL_TRANSPORT=file", "FRONTEND_URL=https://example.org", "JWT_KEY=" KEY);
	accept("FRONTEND_URL=https://example.org", "JWT_KEY=" KEY, "MAIL_TRANSPORT=file");
	refuse("SMTP_HOST is required by MAIL_TRANSPORT=smtp", PRODUCTION, "JWT_KEY=" KEY, "MAIL_TRANSPORT=smtp");
	accept(PRODUCTION, "JWT_KEY=" KEY, "MAIL_TRANSPORT=smtp", "SMTP_HOST=mail.example.org");
}

Test(config, asks_for_the_key_that_its_algorithm_needs)
{
	accept(PRODUCTION, "JWT_KEYS_DIR=/etc/keys");
	accept(PRODUCTION, "ALGORITHM=ES256", "ACCESS_PRIVATE_KEY=" PEM);
	accept(PRODUCTION, "ALGORITHM=ES256", "ACCESS_PUBLIC_KEY=" PEM);
	refuse("ACCESS_PRIVATE_KEY is required in production", PRODUCTION, "ALGORITHM=ES256", "JWT_KEY=" KEY);
	accept(DEVELOPMENT, "REFRESH_SECRET_KEY=" KEY);
	refuse("REFRESH_SECRET_KEY does not fit ALGORITHM", DEVELOPMENT, "ALGORITHM=ES256", "REFRESH_SECRET_KEY=" KEY);
	accept(DEVELOPMENT, "ALGORITHM=ES256", "REFRESH_PRIVATE_KEY=" PEM);
	refuse("REFRESH_PRIVATE_KEY does not fit ALGORITHM", DEVELOPMENT, "REFRESH_PRIVATE_KEY=" PEM);
}

Test(config, refuses_two_equal_keys)
{
	const char *const names[] = { "JWT_KEY", "SECRET_KEY", "REFRESH_SECRET_KEY" };
	const char *const pairs[] = { "ACCESS_PRIVATE_KEY", "REFRESH_PRIVATE_KEY" };
	char a[256], b[256], expected[256];

	for (size_t i = 0; i < 3; i++)
		for (size_t j = i + 1; j < 3; j++) {
			snprintf(a, sizeof a, "%s=%s", names[i], KEY);
			snprintf(b, sizeof b, "%s=%s", names[j], KEY);
			snprintf(expected, sizeof expected, "%s and %s must not be equal", names[i], names[j]);
			refuse(expected, DEVELOPMENT, a, b);
			snprintf(b, sizeof b, "%s=%s", names[j], OTHER_KEY);
			accept(DEVELOPMENT, a, b);
		}
	snprintf(a, sizeof a, "%s=%s", pairs[0], PEM);
	snprintf(b, sizeof b, "%s=%s\\n", pairs[1], PEM);
	refuse("ACCESS_PRIVATE_KEY and REFRESH_PRIVATE_KEY must not be equal", DEVELOPMENT, "ALGORITHM=RS256", a, b);
	snprintf(b, sizeof b, "%s=%s", pairs[1], OTHER_PEM);
	accept(DEVELOPMENT, "ALGORITHM=RS256", a, b);
}

/* Each number: both ends pass, the next beyond does not, nor does anything that is not a plain number. */
Test(config, bounds_every_number)
{
	const char *const malformed[] = { "-1", "+9", " 9", "9 ", "9m", "0x9", "09", "9.0", "9999999999", "99999999999999999999" };
	char text[128], expected[64];

	for (size_t i = 0; i < gb_settings_len; i++) {
		const struct gb_setting *row = &gb_settings[i];
		const int64_t good[] = { row->min, row->max };

		if (row->kind != GB_SETTING_NUMBER)
			continue;
		for (size_t g = 0; g < 2; g++) {
			snprintf(text, sizeof text, "%s=%lld", row->name, (long long)good[g]);
			accept(DEVELOPMENT, text);
			cr_assert_eq(*(const int64_t *)((const char *)config + row->offset), good[g] * row->scale);
		}
		snprintf(expected, sizeof expected, "%s must be a whole number from ", row->name);
		for (size_t m = 0; m < sizeof malformed / sizeof malformed[0] + 2; m++) {
			if (m < 2)
				snprintf(text, sizeof text, "%s=%lld", row->name, (long long)(m == 0 ? row->min - 1 : row->max + 1));
			else
				snprintf(text, sizeof text, "%s=%s", row->name, malformed[m - 2]);
			cr_assert_eq(load_list(LIST(DEVELOPMENT, text)), GB_ERR_MISCONFIGURED, "%s", text);
			cr_assert_eq(strncmp(why, expected, strlen(expected)), 0, "%s", why);
		}
	}
}

Test(config, knows_the_words_of_every_choice)
{
	char text[128], expected[64];

	for (size_t i = 0; i < gb_settings_len; i++) {
		const struct gb_setting *row = &gb_settings[i];

		if (row->words == NULL)
			continue;
		for (const struct gb_word *word = row->words; word->word != NULL; word++) {
			snprintf(text, sizeof text, "%s=%s", row->name, word->word);
			accept(strcmp(row->name, "APP_ENV") == 0 ? "X=1" : DEVELOPMENT, text, PRODUCTION, "JWT_KEY=" KEY,
			    "SMTP_HOST=mail.example.org");
		}
		snprintf(text, sizeof text, "%s=%c%s", row->name, row->words[0].word[0] ^ 0x20, row->words[0].word + 1);
		snprintf(expected, sizeof expected, "%s must be one of %s", row->name, row->words[0].word);
		cr_assert_eq(load_list(LIST(DEVELOPMENT, text)), GB_ERR_MISCONFIGURED, "%s", text);
		cr_assert_eq(strncmp(why, expected, strlen(expected)), 0, "%s", why);
	}
}

/* A text setting, what it takes (and as what), what it refuses. NULL ends each list. */
static const struct {
	const char *name;
	const char *good[8], *as[8], *bad[20];
} texts[] = {
	{ "ALGORITHM", { "HS512", "RS384", "EdDSA" }, { NULL }, { "none", "hs256", "HS256 ", "ES384", "HS25" } },
	{ "API_JWT_ALLOWED_ALGORITHMS", { "HS256,RS256", "ES256, HS256" }, { NULL, "ES256,HS256" },
	  { "HS256,none", "HS256;RS256", ",", "[HS256]" } },
	{ "STATE", { "/tmp/x", "/tmp/x//", "/" }, { NULL, "/tmp/x" }, { "var", "./var", "~/var", "/tmp/\nx" } },
	{ "JWT_KEYS_DIR", { "/etc/guardbee/keys" }, { NULL }, { "keys" } },
	{ "SENDMAIL", { "/usr/bin/msmtp" }, { NULL }, { "sendmail" } },
	{ "API_CLIENTS_FILE", { "/etc/guardbee/clients" }, { NULL }, { "clients" } },
	{ "DATABASE_URL", { "gdbm:/tmp/x", "gdbm:/a b/", "mysql://u:p@h/n" }, { NULL, "gdbm:/a b" },
	  { "gdbm:x", "sqlite:/x", "/tmp/x", "gdbm:/a\nb", "mysql://u:p@h/a b", "mysql:/h/n" } },
	{ "FRONTEND_URL",
	  { "https://example.org", "https://Example.ORG:443/", "http://h:80/a", "https://h:8443/below/it", "http://[::1]:8080", "HTTPS://h/A~b" },
	  { NULL, "https://example.org", "http://h/a", NULL, NULL, "https://h/A~b" },
	  { "example.org", "ftp://example.org", "https://", "https://h:0", "https://h:65536", "https://h:", "https://h/a?b", "https://h/#a",
	    "https://u@h", "https://h//a", "https://h/../a", "https://h/a b", "https://h/a;b", "https://[::1", "https://[zz::1]", "https://.h" } },
	{ "CORS_ORIGINS", { "https://a.org, http://B.org:8080", "https://a.org:443" }, { "https://a.org,http://b.org:8080", "https://a.org" },
	  { "*", "null", "https://[::1]x80", "https://a.org/", "https://a.org/x", "a.org" } },
	{ "TRUSTED_PROXIES", { "127.0.0.1", "10.0.0.0/8, ::1,fd00::/8" }, { NULL, "10.0.0.0/8,::1,fd00::/8" },
	  { "localhost", "10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/", "10.0.0.0/08" } },
	{ "RESERVED_USERNAMES", { "admin root", "admin,root" }, { "admin,root", NULL },
	  { "Admin", "a/b", "abcdefghijklmnopqrstuvwxyz0123456" } },
	{ "SMTP_HOST", { "mail.example.org", "[::1]", "10.0.0.1" }, { NULL }, { "-oX", "a b", "mail.example.org:25", "a/b" } },
	{ "MAIL_FROM", { "no.reply+x@example.org" }, { NULL },
	  { "example.org", "@example.org", "a@", "A <a@example.org>", "-f@example.org", "a@b@c", "a@b\nBcc: c@d", "a b@c", "a@[::1]" } },
	{ "DEFAULT_LANGUAGE", { "en", "de", "pt-BR" }, { NULL }, { "e", "english-us", "../x", "EN" } },
	{ "SITE_NAME", { "Bee & Co", "Bien\xc3\xaa \xf0\x9f\x90\x9d", "Bee\xc2\xa0" "Co" }, { NULL }, { "Bee\nBcc: x", "Bee\x7f", "Bee\xff", "Bien\xea", "Bee\xc0\xaf", "Bee\xc2\x85" } },
	{ "API_JWT_ISSUER", { "https://example.org" }, { NULL }, { "a\tb" } },
	{ "API_JWT_AUDIENCE", { "shop" }, { NULL }, { "a\tb" } },
	{ "SMTP_USER", { "bee" }, { NULL }, { "bee\r\nQUIT" } },
	{ "SMTP_PASSWORD", { "p w" }, { NULL }, { "p\r\nQUIT" } },
	{ "ACCESS_PRIVATE_KEY", { PEM }, { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }, { "AAAA", "/etc/key.pem" } },
	{ "ACCESS_PUBLIC_KEY", { " -----BEGIN X-----\r\nAAAA\r\n\n " }, { "-----BEGIN X-----\nAAAA\n" }, { "AAAA" } },
	{ "REFRESH_PUBLIC_KEY", { PEM }, { NULL }, { "AAAA" } },
};

static const struct gb_setting *
row_of(const char *name)
{
	size_t i = 0;

	while (i < gb_settings_len && strcmp(gb_settings[i].name, name) != 0)
		i++;
	cr_assert_lt(i, gb_settings_len, "no setting %s", name);
	return &gb_settings[i];
}

Test(config, takes_texts_that_are_fit)
{
	char assignment[512];

	for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
		for (const char *const *good = texts[t].good; *good != NULL; good++) {
			const char *as = texts[t].as[good - texts[t].good];

			snprintf(assignment, sizeof assignment, "%s=%s", texts[t].name, *good);
			accept(DEVELOPMENT, assignment);
			if (as == NULL && strcmp(texts[t].good[0], PEM) == 0)
				continue;
			cr_assert_str_eq(*(const char *const *)((const char *)config + row_of(texts[t].name)->offset),
			    as != NULL ? as : *good);
		}
}

Test(config, refuses_texts_that_are_malformed_by_name)
{
	char assignment[512], expected[64];

	for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
		for (const char *const *bad = texts[t].bad; *bad != NULL; bad++) {
			snprintf(assignment, sizeof assignment, "%s=%s", texts[t].name, *bad);
			snprintf(expected, sizeof expected, "%s must be ", texts[t].name);
			cr_assert_eq(load_list(LIST(DEVELOPMENT, assignment)), GB_ERR_MISCONFIGURED, "%s", assignment);
			cr_assert_eq(strncmp(why, expected, strlen(expected)), 0, "%s: %s", assignment, why);
		}
}

Test(config, has_a_test_for_every_text_it_judges)
{
	for (size_t i = 0; i < gb_settings_len; i++) {
		bool found = gb_settings[i].kind != GB_SETTING_TEXT || gb_settings[i].parse == gb_parse_bytes;

		for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
			found |= strcmp(texts[t].name, gb_settings[i].name) == 0;
		cr_assert(found || strcmp(gb_settings[i].name, "REFRESH_PRIVATE_KEY") == 0, "%s", gb_settings[i].name);
	}
}

Test(config, demands_that_the_allowed_algorithms_hold_the_one_that_signs)
{
	accept(DEVELOPMENT, "ALGORITHM=HS384", "API_JWT_ALLOWED_ALGORITHMS=HS256,HS384");
	refuse("API_JWT_ALLOWED_ALGORITHMS must hold ALGORITHM", DEVELOPMENT, "ALGORITHM=HS384", "API_JWT_ALLOWED_ALGORITHMS=HS256,HS512");
}

Test(config, refuses_values_past_the_maximum)
{
	static char assignment[sizeof "JWT_KEY=" + GB_SETTING_MAX + 1] = "JWT_KEY=";

	memset(assignment + 8, 'k', GB_SETTING_MAX);
	accept(DEVELOPMENT, assignment);
	assignment[8 + GB_SETTING_MAX] = 'k';
	refuse("JWT_KEY must be at most 16384 bytes", DEVELOPMENT, assignment);
}

Test(config, takes_aliases)
{
	char assignment[128];

	accept("FLASK_ENV=local");
	cr_assert_eq(config->app_env, GB_ENV_DEVELOPMENT);
	accept(DEVELOPMENT, "ACCESS_SECRET_KEY=" KEY, "API_JWT_ALGORITHM=HS512", "API_JWT_EXPIRY_TIME=360");
	cr_assert_str_eq(config->jwt_key, KEY);
	cr_assert_str_eq(config->algorithm, "HS512");
	cr_assert_eq(config->access_ttl_s, 360 * 60);
	for (size_t i = 0; i < gb_settings_len; i++)
		if (gb_settings[i].alias != NULL) {
			snprintf(assignment, sizeof assignment, "%s=", gb_settings[i].alias);
			accept(DEVELOPMENT, assignment);
		}
}

Test(config, refuses_an_alias_with_another_value)
{
	accept(DEVELOPMENT, "EXPIRES_TOKEN_SESSION=60", "API_JWT_EXPIRY_TIME=60");
	refuse("EXPIRES_TOKEN_SESSION and API_JWT_EXPIRY_TIME have different values", DEVELOPMENT, "EXPIRES_TOKEN_SESSION=60",
	    "API_JWT_EXPIRY_TIME=61");
	accept(DEVELOPMENT, "JWT_KEY=" KEY, "ACCESS_SECRET_KEY=" KEY);
	refuse("JWT_KEY and ACCESS_SECRET_KEY have different values", DEVELOPMENT, "JWT_KEY=" KEY, "ACCESS_SECRET_KEY=" OTHER_KEY);
	accept(DEVELOPMENT, "FLASK_ENV=local");
	refuse("APP_ENV and FLASK_ENV have different values", DEVELOPMENT, "FLASK_ENV=testing");
}

Test(config, derives_origin_and_path)
{
	accept(DEVELOPMENT, "FRONTEND_URL=https://Example.org:8443/below/It/");
	cr_assert_str_eq(config->frontend_origin, "https://example.org:8443");
	cr_assert_str_eq(config->frontend_path, "/below/It");
	accept(DEVELOPMENT, "FRONTEND_URL=http://example.org/");
	cr_assert_str_eq(config->frontend_origin, "http://example.org");
	cr_assert_str_eq(config->frontend_path, "");
}

Test(config, lets_cookies_only_where_they_are_safe)
{
	static const char *const safe[] = { "https://example.org", "http://127.0.0.1:8080", "http://127.9.9.9/x", "http://localhost", "http://[::1]" };
	static const char *const unsafe[] = { "http://example.org", "http://127.example.org", "http://localhost.example.org",
		"http://128.0.0.1", "http://[::2]", "http://127.0.0.1.example.org" };
	char assignment[128];

	for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++) {
		snprintf(assignment, sizeof assignment, "FRONTEND_URL=%s", safe[i]);
		accept(DEVELOPMENT, "COOKIE_MODE=on", assignment);
	}
	for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
		snprintf(assignment, sizeof assignment, "FRONTEND_URL=%s", unsafe[i]);
		refuse("COOKIE_MODE=on needs a FRONTEND_URL that is https or loopback", DEVELOPMENT, "COOKIE_MODE=on", assignment);
		accept(DEVELOPMENT, "COOKIE_MODE=off", assignment);
	}
}

Test(config, keeps_rate_limits_on_in_production)
{
	accept(DEVELOPMENT, "RATE_LIMITS=off");
	cr_assert_not(config->rate_limits);
	refuse("RATE_LIMITS=off is for development and testing only", PRODUCTION, "JWT_KEY=" KEY, "RATE_LIMITS=off");
	accept(PRODUCTION, "JWT_KEY=" KEY, "RATE_LIMITS=on");
}

Test(config, never_repeats_what_was_written)
{
	cr_assert_eq(load_list(LIST(DEVELOPMENT, "ACCESS_PRIVATE_KEY=s3cret", "ALGORITHM=RS256")), GB_ERR_MISCONFIGURED);
	cr_assert_null(strstr(why, "s3cret"));
	cr_assert_eq(load_list(LIST(DEVELOPMENT, "ALGORITHM=s3cret")), GB_ERR_MISCONFIGURED);
	cr_assert_null(strstr(why, "s3cret"));
}

Test(config, wipes_secrets_from_the_environment)
{
	const char *in_place, *kept;

	fill_environment(LIST(DEVELOPMENT, "ACCESS_SECRET_KEY=" KEY, "SMTP_PASSWORD=p", "SITE_NAME=x", "DATABASE_URL=gdbm:/x"));
	in_place = getenv("ACCESS_SECRET_KEY");
	kept = getenv("SITE_NAME");
	cr_assert_eq(gb_config_load(NULL, NULL, why, sizeof why, &config), GB_OK);
	for (size_t i = 0; i < sizeof KEY; i++)
		cr_assert_eq(in_place[i], '\0');
	cr_assert_str_empty(getenv("SMTP_PASSWORD"));
	cr_assert_str_empty(getenv("DATABASE_URL"));
	cr_assert_str_eq(kept, "x");
	cr_assert_str_eq(config->jwt_key, KEY);
}

Test(config, wipes_secrets_also_when_it_refuses)
{
	cr_assert_eq(load_list(LIST(DEVELOPMENT, "JWT_KEY=" KEY, "ALGORITHM=none")), GB_ERR_MISCONFIGURED);
	cr_assert_str_empty(getenv("JWT_KEY"));
}

Test(config, tells_whether_the_environment_is_the_source)
{
	char assignment[128];

	fill_environment(LIST("PATH=/bin", "HTTP_JWT_KEY=x", "REDIRECT_JWT_KEY=x", "GATE_GROUP=x", "JWT_KEY="));
	cr_assert_not(gb_config_in_environment());
	for (size_t i = 0; i < gb_settings_len; i++) {
		const bool env_only = gb_settings[i].flags & GB_SETTING_ENV_ONLY;

		snprintf(assignment, sizeof assignment, "%s=x", gb_settings[i].name);
		fill_environment(LIST(assignment));
		cr_assert_eq(gb_config_in_environment(), !env_only, "%s", assignment);
		snprintf(assignment, sizeof assignment, "%s_FILE=x", gb_settings[i].name);
		fill_environment(LIST(assignment));
		cr_assert_eq(gb_config_in_environment(), !env_only && (gb_settings[i].flags & GB_SETTING_SECRET), "%s", assignment);
	}
	fill_environment(LIST("API_JWT_EXPIRY_TIME=60"));
	cr_assert(gb_config_in_environment());
}

Test(config, reads_parameters_where_they_are_the_source)
{
	const char *const params[] = { "JWT_KEY=" KEY, "FRONTEND_URL=https://example.org", "STATE=/params", "MAIL_FROM=a@b.org",
		"SENDMAIL=/params/x", "APP_ENV=development", "TRUSTED_PROXIES=0.0.0.0/0", "DATABASE_URL=gdbm:/params", "REFRESH_SECRET_KEY_FILE=/none",
		"RATE_LIMITS=off", NULL };

	fill_environment(LIST("STATE=/env", "COOKIE_MODE=on", "JWT_KEY_FILE=/nonexistent"));
	cr_assert_eq(gb_config_load(from_list, (void *)params, why, sizeof why, &config), GB_OK, "%s", why);
	cr_assert_str_eq(config->jwt_key, KEY);
	cr_assert_str_eq(config->state, "/env");
	cr_assert_str_eq(config->sendmail, "/usr/sbin/sendmail");
	cr_assert_str_eq(config->database_url, "gdbm:/env/store");
	cr_assert_eq(config->app_env, GB_ENV_PRODUCTION);
	cr_assert_null(config->trusted_proxies);
	cr_assert_null(config->refresh_secret_key);
	cr_assert(config->rate_limits);
	cr_assert_not(config->cookie_mode, "one source: the environment's value is ignored");
}

Test(config, notices_parameters_that_changed)
{
	const char *params[] = { "JWT_KEY=" KEY, "FRONTEND_URL=https://example.org", "MAIL_FROM=a@b.org", "HTTP_X=1", NULL };
	const char *const changed[] = { "JWT_KEY=" OTHER_KEY, "JWT_KEY=", "ACCESS_SECRET_KEY=" KEY, "HTTP_Y=2" };

	clearenv();
	cr_assert_eq(gb_config_load(from_list, params, why, sizeof why, &config), GB_OK, "%s", why);
	cr_assert(gb_config_same(config, from_list, params));
	params[3] = "HTTP_X=2";
	cr_assert(gb_config_same(config, from_list, params));
	params[3] = "SITE_NAME=other";
	cr_assert_not(gb_config_same(config, from_list, params));
	params[3] = "HTTP_X=1";
	for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
		params[0] = changed[i];
		cr_assert_not(gb_config_same(config, from_list, params), "%s", changed[i]);
	}
	params[0] = "JWT_KEY=" KEY;
	cr_assert(gb_config_same(config, from_list, params));
}

/* Files */
static char directory[] = "/tmp/guardbee-config-XXXXXX";
static char secret_path[PATH_MAX], link_path[PATH_MAX];

static void
make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(secret_path, sizeof secret_path, "%s/secret", directory);
	snprintf(link_path, sizeof link_path, "%s/link", directory);
}

static void
remove_directory(void)
{
	unlink(secret_path);
	unlink(link_path);
	rmdir(directory);
	gb_config_free(config);
}

static void
write_secret(const void *bytes, size_t len, mode_t mode)
{
	int fd = open(secret_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static enum gb_err
load_file(const char *path)
{
	char assignment[PATH_MAX + 32];

	snprintf(assignment, sizeof assignment, "JWT_KEY_FILE=%s", path);
	return load_list(LIST(DEVELOPMENT, assignment));
}

TestSuite(config_file, .timeout = 20, .init = make_directory, .fini = remove_directory);

Test(config_file, reads_a_secret_and_drops_one_newline)
{
	write_secret(KEY "\n", sizeof KEY, 0600);
	cr_assert_eq(load_file(secret_path), GB_OK, "%s", why);
	cr_assert_str_eq(config->jwt_key, KEY);
	write_secret(KEY "\n\n", sizeof KEY + 1, 0400);
	cr_assert_eq(load_file(secret_path), GB_OK, "%s", why);
	cr_assert_str_eq(config->jwt_key, KEY "\n");
}

Test(config_file, works_by_the_alias_too_and_joins_other_spellings)
{
	char assignment[PATH_MAX + 32];

	write_secret(KEY, sizeof KEY - 1, 0600);
	snprintf(assignment, sizeof assignment, "ACCESS_SECRET_KEY_FILE=%s", secret_path);
	accept(DEVELOPMENT, assignment, "JWT_KEY=" KEY);
	cr_assert_str_eq(config->jwt_key, KEY);
	refuse("JWT_KEY and ACCESS_SECRET_KEY_FILE have different values", DEVELOPMENT, assignment, "JWT_KEY=" OTHER_KEY);
}

Test(config_file, is_for_secrets_only)
{
	char assignment[PATH_MAX + 32];

	snprintf(assignment, sizeof assignment, "SITE_NAME_FILE=%s", "/nonexistent");
	accept(DEVELOPMENT, assignment);
	cr_assert_str_eq(config->site_name, "guardbee");
}

Test(config_file, refuses_what_is_not_a_secret_of_ours)
{
	static const struct { const char *bytes; size_t len; const char *reason; } unfit[] = {
		{ "", 0, "is empty" }, { "\n", 1, "is empty" }, { "ab\0cd", 5, "holds a NUL byte" },
	};
	static char long_text[GB_SETTING_MAX + 1];
	char expected[128];

	for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
		write_secret(unfit[i].bytes, unfit[i].len, 0600);
		snprintf(expected, sizeof expected, "JWT_KEY_FILE: the file %s", unfit[i].reason);
		cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED);
		cr_assert_str_eq(why, expected);
	}
	memset(long_text, 'k', sizeof long_text);
	write_secret(long_text, GB_SETTING_MAX, 0600);
	cr_assert_eq(load_file(secret_path), GB_OK, "%s", why);
	write_secret(long_text, sizeof long_text, 0600);
	cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file is too long");
	cr_assert_eq(load_file(directory), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file is not a regular file");
	cr_assert_eq(load_file("/nonexistent/x"), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file No such file or directory");
}

Test(config_file, does_not_wait_for_a_pipe)
{
	cr_assert_eq(mkfifo(secret_path, 0600), 0);
	cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file is not a regular file");
}

/* Owners can only be told apart where the test may give files away. */
static void
need_root(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
}

Test(config_file, wants_our_own_file_private_and_no_symlink)
{
	static const mode_t fit[] = { 0600, 0400 }, unfit[] = { 0640, 0604, 0700, 0666, 0620 };

	need_root();
	cr_assert_eq(symlink(secret_path, link_path), 0);
	write_secret(KEY, sizeof KEY - 1, 0600);
	cr_assert_eq(chown(secret_path, 65534, 65534), 0);
	cr_assert_eq(lchown(link_path, 65534, 65534), 0);
	cr_assert_eq(chmod(directory, 0711), 0);
	cr_assert_eq(seteuid(65534), 0);
	for (size_t i = 0; i < sizeof fit / sizeof fit[0]; i++) {
		cr_assert_eq(chmod(secret_path, fit[i]), 0);
		cr_assert_eq(load_file(secret_path), GB_OK, "%o: %s", fit[i], why);
	}
	cr_assert_eq(load_file(link_path), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file is a symlink that is not root's");
	for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
		cr_assert_eq(chmod(secret_path, unfit[i]), 0);
		cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED, "%o", unfit[i]);
		cr_assert_str_eq(why, "JWT_KEY_FILE: the file must be of mode 0600 or less");
	}
	cr_assert_eq(seteuid(0), 0);
}

Test(config_file, takes_roots_file_as_containers_mount_it)
{
	need_root();
	cr_assert_eq(symlink(secret_path, link_path), 0);
	write_secret(KEY, sizeof KEY - 1, 0444);
	cr_assert_eq(chmod(directory, 0711), 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert_eq(load_file(secret_path), GB_OK, "%s", why);
	cr_assert_eq(load_file(link_path), GB_OK, "%s", why);
	cr_assert_eq(seteuid(0), 0);
	cr_assert_eq(chmod(secret_path, 0464), 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED, "its group may write");
	cr_assert_eq(load_file(link_path), GB_ERR_MISCONFIGURED);
	cr_assert_eq(seteuid(0), 0);
	write_secret(KEY, sizeof KEY - 1, 0444);
	cr_assert_eq(chown(secret_path, 65533, 65533), 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file belongs to another user");
	cr_assert_eq(seteuid(0), 0);
}

/* A link of root's to a file that is ours could be turned by whoever may turn the file. */
Test(config_file, takes_no_file_of_ours_through_a_symlink)
{
	need_root();
	cr_assert_eq(symlink(secret_path, link_path), 0);
	write_secret(KEY, sizeof KEY - 1, 0600);
	cr_assert_eq(chown(secret_path, 65534, 65534), 0);
	cr_assert_eq(chmod(directory, 0711), 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert_eq(load_file(secret_path), GB_OK, "%s", why);
	cr_assert_eq(load_file(link_path), GB_ERR_MISCONFIGURED);
	cr_assert_eq(seteuid(0), 0);
}

Test(config_file, trusts_no_other_user_when_root_reads_it)
{
	need_root();
	write_secret(KEY, sizeof KEY - 1, 0600);
	cr_assert_eq(load_file(secret_path), GB_OK, "%s", why);
	cr_assert_eq(chown(secret_path, 65533, 65533), 0);
	cr_assert_eq(load_file(secret_path), GB_ERR_MISCONFIGURED);
	cr_assert_str_eq(why, "JWT_KEY_FILE: the file belongs to another user");
}

/* Printing */
static char *
printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (print != NULL)
		print(out);
	else
		gb_config_print(config, out);
	fclose(out);
	return text;
}

Test(config, prints_every_setting_and_no_secret)
{
	char *text;

	accept(DEVELOPMENT, "JWT_KEY=" KEY, "SMTP_PASSWORD=p4ss", "DATABASE_URL=mysql://u:p4ss@h/n", "EXPIRES_TOKEN_SESSION=61",
	    "ACCESS_PUBLIC_KEY=" PEM);
	text = printed(NULL);
	for (size_t i = 0; i < gb_settings_len; i++)
		cr_assert_not_null(strstr(text, gb_settings[i].name), "%s", gb_settings[i].name);
	cr_assert_null(strstr(text, KEY));
	cr_assert_null(strstr(text, "p4ss"));
	cr_assert_not_null(strstr(text, "\nJWT_KEY                      set\n"));
	cr_assert_not_null(strstr(text, "\nSECRET_KEY                   not set  (default)\n"));
	cr_assert_not_null(strstr(text, "\nDATABASE_URL                 set\n"));
	cr_assert_not_null(strstr(text, "\nEXPIRES_TOKEN_SESSION        61\n"));
	cr_assert_not_null(strstr(text, "\nAPI_JWT_REFRESH_EXPIRY_TIME  2880  (default)\n"));
	cr_assert_not_null(strstr(text, "APP_ENV                      development\n"));
	free(text);
	accept(DEVELOPMENT);
	text = printed(NULL);
	cr_assert_not_null(strstr(text, "\nDATABASE_URL                 gdbm:/var/lib/guardbee/store  (default)\n"));
	free(text);
}

Test(config, prints_a_row_and_an_example_for_every_setting)
{
	char *table = printed(gb_config_print_table), *example = printed(gb_config_print_example);
	char line[80];

	for (size_t i = 0; i < gb_settings_len; i++) {
		snprintf(line, sizeof line, "\n| %s", gb_settings[i].name);
		cr_assert_not_null(strstr(table, line), "%s", line);
		snprintf(line, sizeof line, "\n#%s=%s\n", gb_settings[i].name, gb_settings[i].fallback != NULL ? gb_settings[i].fallback : "");
		cr_assert_not_null(strstr(example, line), "%s", line);
	}
	cr_assert_not_null(strstr(table, "\n| EXPIRES_TOKEN_SESSION (API_JWT_EXPIRY_TIME) | minutes, 1440, 1..525600 | "));
	cr_assert_not_null(strstr(table, "\n| REGISTRATION | open; open, verify, closed | "));
	free(table);
	free(example);
}
