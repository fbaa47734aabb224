/* SPDX-License-Identifier: MIT */
/*
 * doctor_url.c: asks the web server, and compares what it was asked with what arrived at the programs
 * (lib/probe.h). The request claims an address of its own, so that who believes it shows itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "doctor.h"
#include "exposed.h"
#include "probe.h"

#define SECONDS_MAX	"20"
#define CLAIMED		"192.0.2.1"	/* RFC 5737: nobody's */
#define CLOCK_OFF_S	30
#define BODY_MAX	8192		/* bytes that a body may have (contract of the endpoints) */

#define NOTHING ((struct gb_cure){ NULL, NULL })

/* The lines that mend a server, by how it calls itself in SERVER_SOFTWARE; the first row where it does not say. */
enum server { OTHER, APACHE, LIGHTTPD, NGINX, SERVER__COUNT };

static const struct {
	const char *name;
	struct gb_cure authorization, https, exact;
} servers[SERVER__COUNT] = {
	[OTHER] = { "",
		{ "SetEnvIf Authorization \"(.+)\" HTTP_AUTHORIZATION=$1", "in .htaccess, if it is Apache or LiteSpeed" },
		{ "SetEnvIf X-Forwarded-Proto \"^https$\" HTTPS=on", "in .htaccess, if it is Apache or LiteSpeed" },
		{ "a block for each URL, exactly: see etc/ for your server", "in the server's configuration" } },
	[APACHE] = { "Apache",
		{ "SetEnvIf Authorization \"(.+)\" HTTP_AUTHORIZATION=$1", "in .htaccess (or CGIPassAuth On in its <Directory>)" },
		{ "SetEnvIf X-Forwarded-Proto \"^https$\" HTTPS=on", "in .htaccess, where your proxy always sets that field" },
		{ "AcceptPathInfo Off\nOptions -MultiViews", "in .htaccess of the folder auth" } },
	[LIGHTTPD] = { "lighttpd",
		{ "proxy_set_header Authorization $http_authorization;", "in the proxy before it (nginx's line): lighttpd itself passes it on" },
		{ "server.modules += ( \"mod_extforward\" )\nextforward.forwarder = ( \"127.0.0.1\" => \"trust\" )",
		    "in lighttpd.conf, with your proxy's address" },
		{ "$HTTP[\"url\"] == \"/auth/login\" { fastcgi.server = ( \"\" => (( ... )) ) }", "in lighttpd.conf, for each URL" } },
	[NGINX] = { "nginx",
		{ "fastcgi_param HTTP_AUTHORIZATION $http_authorization;", "in the location" },
		{ "fastcgi_param HTTPS $https if_not_empty;", "in the location" },
		{ "location = /auth/login { ... }", "in the server's block, for each URL" } },
};

/* What arrived, and where it came from. */
struct visit {
	struct gb_doctor *doctor;
	const char *url;		/* no slash at its end */
	const char *seen;		/* of the probe; NULL: nothing */
	enum server server;
};

static bool
ask(const struct visit *visit, const char *path, const char *options, struct gb_curl_answer *answer)
{
	struct gb_arena *arena = visit->doctor->arena;
	const char *all = gb_arena_printf(arena, "url = \"%s%s\"\nsilent\nshow-error\ninclude\nmax-time = " SECONDS_MAX "\n%s", visit->url,
	    path, options);

	return all != NULL && gb_curl(all, arena, answer);
}

/* A line of the probe; "" where it is not there. */
static const char *
seen(const struct visit *visit, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = visit->seen; line != NULL && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, name, len) == 0 && line[len] == '=') {
			const char *value = line + len + 1;
			char *copy = gb_arena_copy(visit->doctor->arena, value, strcspn(value, "\n"));

			return copy != NULL ? copy : "";
		}
	return "";
}

static bool
has_code(const struct gb_curl_answer *answer, const char *code)
{
	char member[64];

	snprintf(member, sizeof member, "\"code\":\"%s\"", code);
	return strstr(answer->body, member) != NULL;
}

/* --- is it us? ------------------------------------------------------------------------------------------------- */

static enum server
server_of(const char *software)
{
	for (enum server server = SERVER__COUNT - 1; server > OTHER; server--)
		if (strncasecmp(software, servers[server].name, strlen(servers[server].name)) == 0)
			return server;
	return OTHER;
}

static bool
is_health(const struct gb_curl_answer *answer)
{
	return (answer->status == 200 || answer->status == 503) && strstr(answer->body, "\"checks\":{") != NULL;
}

static void
say_reached(struct visit *visit, const struct gb_curl_answer *answer)
{
	struct gb_doctor *doctor = visit->doctor;

	if (answer->status == 0)
		gb_doctor_say(doctor, "url", GB_FAULT, NOTHING, "%s: %.*s", visit->url, (int)strcspn(answer->body, "\n"), answer->body);
	else if (has_code(answer, "internal"))
		gb_doctor_say(doctor, "url", GB_FAULT, NOTHING, "%s: the programs are not configured; their log says why", visit->url);
	else if (!is_health(answer))
		gb_doctor_say(doctor, "url", GB_FAULT, servers[visit->server].exact, "%s/auth/health: status %d, not guardbee's", visit->url, answer->status);
	else if (answer->status == 503)
		gb_doctor_say(doctor, "url", GB_FAULT, NOTHING, "health: %.*s; the programs' log says why", (int)strcspn(answer->body, "\n"), answer->body);
	else
		gb_doctor_say(doctor, "url", GB_FINE, NOTHING, "%s/auth/health is ok", visit->url);
}

/* The first request, which says most. False: there is nothing to go on with. */
static bool
visit_health(struct visit *visit)
{
	struct gb_doctor *doctor = visit->doctor;
	char secret[GB_PROBE_SECRET_LEN + 1], why[256] = "STATE is not known";
	struct gb_state *state = NULL;
	struct gb_curl_answer answer;
	const char *options;
	bool curl;

	if (*doctor->state == '\0' || gb_state_open(doctor->state, why, sizeof why, &state) != GB_OK ||
	    gb_probe_begin(state, secret) != GB_OK) {
		gb_doctor_say(doctor, "url", GB_FAULT, NOTHING, "cannot ask: %s", why);
		gb_state_close(state);
		return false;
	}
	options = gb_arena_printf(doctor->arena, "header = \"%s: %s\"\nheader = \"Authorization: Bearer %s\"\nheader = \"X-Forwarded-For: %s\"\n",
	    GB_PROBE_HEADER, secret, secret, CLAIMED);
	curl = options != NULL && ask(visit, "/auth/health", options, &answer);
	visit->seen = gb_probe_end(state, doctor->arena);
	gb_state_close(state);
	if (!curl) {
		gb_doctor_say(doctor, "url", GB_FAULT, (struct gb_cure){ "apt-get install curl", "as root" }, "the program curl is needed to ask, and is not there");
		return false;
	}
	visit->server = server_of(seen(visit, "SERVER_SOFTWARE"));
	say_reached(visit, &answer);
	if (!is_health(&answer))
		return false;
	if (visit->seen == NULL)
		gb_doctor_say(doctor, "seen", GB_FAULT, gb_doctor_cure(doctor, "in the environment of the programs", "STATE=%s", doctor->state),
		    "the programs at %s have another STATE, or run an older guardbee", visit->url);
	return visit->seen != NULL;
}

/* --- what arrived ------------------------------------------------------------------------------------------------ */

static void
check_authorization(struct visit *visit)
{
	const char *how = seen(visit, "authorization");

	if (strcmp(how, "passed") == 0)
		gb_doctor_say(visit->doctor, "authorization", GB_FINE, NOTHING, "the header arrives");
	else
		gb_doctor_say(visit->doctor, "authorization", GB_FAULT, servers[visit->server].authorization, "the header %s: nobody is signed in by a token",
		    strcmp(how, "absent") == 0 ? "does not arrive" : "arrives changed");
}

static bool
is_loopback(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
}

static void
check_https(struct visit *visit)
{
	bool https = strncmp(visit->url, "https:", 6) == 0, told = strcasecmp(seen(visit, "HTTPS"), "on") == 0 ||
	    strcasecmp(seen(visit, "REQUEST_SCHEME"), "https") == 0;

	if (https && !told)
		gb_doctor_say(visit->doctor, "https", GB_FAULT, servers[visit->server].https, "programs are not told of it; those behind the gate may build http links");
	else if (!https && !is_loopback(visit->url))
		gb_doctor_say(visit->doctor, "https", GB_FAULT, (struct gb_cure){ "a certificate, and a redirect from http", "in the server's configuration" },
		    "%s is not encrypted: passwords pass in clear", visit->url);
	else
		gb_doctor_say(visit->doctor, "https", https ? GB_FINE : GB_NOTE, NOTHING, https ? "seen by the programs" : "none, on this machine itself");
}

/* An address in a list that commas part. */
static bool
is_in(const char *list, const char *address)
{
	const char *at = strstr(list, address);
	size_t len = strlen(address);

	return len > 0 && at != NULL && (at == list || at[-1] == ' ' || at[-1] == ',') && (at[len] == '\0' || at[len] == ',');
}

/*
 * What a proxy before the server adds to the address that we claimed. Where the server itself has taken an
 * address out of the list (mod_remoteip, mod_extforward), that one counts.
 */
static void
check_address(struct visit *visit)
{
	const char *remote = seen(visit, "REMOTE_ADDR"), *forwarded = seen(visit, "HTTP_X_FORWARDED_FOR"), *client = seen(visit, "client");
	bool proxied = *forwarded != '\0' && strcmp(forwarded, CLAIMED) != 0;

	if (strcmp(remote, CLAIMED) == 0 || (strcmp(client, CLAIMED) == 0 && !proxied))
		gb_doctor_say(visit->doctor, "address", GB_FAULT,
		    (struct gb_cure){ "TRUSTED_PROXIES=", "among the settings: only addresses of proxies that you run; or mend mod_remoteip, mod_extforward, real_ip" },
		    "whoever sends X-Forwarded-For chooses the address that is counted: limits do not hold");
	else if (proxied && strcmp(client, remote) == 0 && is_in(forwarded, remote) && strncmp(remote, "127.", 4) == 0)
		gb_doctor_say(visit->doctor, "address", GB_NOTE, NOTHING, "client and proxy are both this machine: ask from another one");
	else if (proxied && strcmp(client, remote) == 0 && !is_in(forwarded, remote))
		gb_doctor_say(visit->doctor, "address", GB_FAULT, gb_doctor_cure(visit->doctor, GB_DOCTOR_SETTINGS, "TRUSTED_PROXIES=%s", remote),
		    "all clients count as the proxy %s: one who fails locks out everyone", remote);
	else
		gb_doctor_say(visit->doctor, "address", GB_FINE, NOTHING, "a client counts by its own address (this one: %s)", client);
}

static void
check_mode(struct visit *visit)
{
	bool cgi = strcmp(seen(visit, "mode"), "cgi") == 0;

	if (cgi)
		gb_doctor_say(visit->doctor, "mode", GB_NOTE, NOTHING, "plain CGI: a process for each request; Apache's gate needs FastCGI");
	else
		gb_doctor_say(visit->doctor, "mode", GB_FINE, NOTHING, "FastCGI");
	if (strcmp(seen(visit, "settings"), "parameters") == 0)
		gb_doctor_say(visit->doctor, "source", GB_NOTE, NOTHING, "settings come with the requests (SetEnv): who reads .htaccess reads the key");
}

static void
check_root(struct visit *visit)
{
	const struct gb_config named = { .state = visit->doctor->state };
	const struct gb_config *config = visit->doctor->config != NULL ? visit->doctor->config : &named;

	for (const char *const *name = gb_exposed_roots; *name != NULL; name++) {
		const char *root = seen(visit, *name), *path, *setting = *root != '\0' ? gb_exposed(config, root, &path) : NULL;

		if (setting != NULL) {
			gb_doctor_say(visit->doctor, "web space", GB_FAULT, gb_doctor_cure(visit->doctor, GB_DOCTOR_SETTINGS, "%s=%s/a/place/outside",
			    setting, strcmp(setting, "DATABASE_URL") == 0 ? "gdbm:" : ""), "%s is below %s, which the server shows to everyone", setting, root);
			return;
		}
	}
	gb_doctor_say(visit->doctor, "web space", GB_FINE, NOTHING, "STATE is outside %s", *seen(visit, gb_exposed_roots[0]) ? seen(visit, gb_exposed_roots[0]) : "it");
}

static void
check_frontend(struct visit *visit)
{
	const char *frontend = visit->doctor->config != NULL ? visit->doctor->config->frontend_url : NULL;

	if (frontend == NULL)
		return;
	if (strcmp(frontend, visit->url) == 0)
		gb_doctor_say(visit->doctor, "frontend", GB_FINE, NOTHING, "mailed links lead here");
	else
		gb_doctor_say(visit->doctor, "frontend", GB_FAULT, gb_doctor_cure(visit->doctor, GB_DOCTOR_SETTINGS, "FRONTEND_URL=%s", visit->url),
		    "mailed links lead to %s", frontend);
}

/* --- further requests ---------------------------------------------------------------------------------------------- */

static void
check_body(struct visit *visit)
{
	char *body = gb_arena_alloc(visit->doctor->arena, BODY_MAX + 2);
	struct gb_curl_answer fits, more;
	const char *options;

	if (body == NULL)
		return;
	memset(body, 'x', BODY_MAX + 1);
	body[BODY_MAX + 1] = '\0';
	options = gb_arena_printf(visit->doctor->arena, "header = \"Content-Type: application/json\"\nheader = \"Expect:\"\ndata = \"%s\"\n", body);
	if (options == NULL || !ask(visit, "/auth/login", options, &more))
		return;
	body[BODY_MAX] = '\0';
	options = gb_arena_printf(visit->doctor->arena, "header = \"Content-Type: application/json\"\nheader = \"Expect:\"\ndata = \"%s\"\n", body);
	if (options == NULL || !ask(visit, "/auth/login", options, &fits))
		return;
	if (!has_code(&fits, "invalid_json"))
		gb_doctor_say(visit->doctor, "body", GB_FAULT, (struct gb_cure){ "LimitRequestBody 131072", "Apache; client_max_body_size 128k; (nginx); server.max-request-size = 128 (lighttpd)" },
		    "8 KiB do not arrive: status %d", fits.status);
	else if (!has_code(&more, "payload_too_large"))
		gb_doctor_say(visit->doctor, "body", GB_NOTE, NOTHING, "8 KiB arrive; what is longer is refused by the server, with status %d", more.status);
	else
		gb_doctor_say(visit->doctor, "body", GB_FINE, NOTHING, "8 KiB arrive, one byte more is refused by us");
}

static void
check_exact(struct visit *visit)
{
	static const char *const paths[] = { "/auth/healthX", "/auth/health/", "/auth/health/extra", "/auth/Health" };
	struct gb_curl_answer answer;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (ask(visit, paths[i], "", &answer) && answer.status != 404) {
			gb_doctor_say(visit->doctor, "urls", GB_FAULT, servers[visit->server].exact, "%s is not 404 but %d", paths[i], answer.status);
			return;
		}
	gb_doctor_say(visit->doctor, "urls", GB_FINE, NOTHING, "exact: what only resembles one is 404");
}

static void
check_clock(struct visit *visit)
{
	struct gb_curl_answer answer;
	const char *date;
	struct tm tm = { 0 };
	long off;

	if (!ask(visit, "/auth/health", "", &answer) || (date = strcasestr(answer.head, "\r\nDate: ")) == NULL ||
	    strptime(date + 8, "%a, %d %b %Y %H:%M:%S", &tm) == NULL)
		return;
	off = (long)(timegm(&tm) - time(NULL));
	if (labs(off) > CLOCK_OFF_S)
		gb_doctor_say(visit->doctor, "server clock", GB_FAULT, (struct gb_cure){ "timedatectl set-ntp true", "as root, where the clock is wrong" },
		    "the server's clock is %ld s off ours: tokens begin or end too early", off);
	else
		gb_doctor_say(visit->doctor, "server clock", GB_FINE, NOTHING, "the server's agrees with ours");
}

/* Of letters that need no quoting for curl, and no user, query or fragment. */
static bool
is_url(const char *url)
{
	size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;

	return scheme > 0 && url[scheme] != '\0' && strlen(url) < 512 &&
	    url[strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._~[]-")] == '\0';
}

void
gb_doctor_url(struct gb_doctor *doctor, const char *url)
{
	static void (*const checks[])(struct visit *visit) = {
		check_authorization, check_https, check_address, check_mode, check_root, check_frontend, check_body, check_exact, check_clock,
	};
	size_t len = strlen(url);
	struct visit visit = { .doctor = doctor };

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (!is_url(url) || (visit.url = gb_arena_copy(doctor->arena, url, len)) == NULL) {
		gb_doctor_say(doctor, "url", GB_FAULT, NOTHING, "%s is no address that begins with https://", url);
		return;
	}
	if (!visit_health(&visit))
		return;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		checks[i](&visit);
}
