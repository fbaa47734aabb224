/* SPDX-License-Identifier: MIT */
/* serve.c: the life of an endpoint's process, and of each request in it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sodium.h>

#include "away.h"
#include "backend.h"
#include "exposed.h"
#include "form.h"
#include "log.h"
#include "outcome.h"
#include "reply.h"
#include "request.h"
#include "sandbox.h"
#include "spool.h"

#define EXIT_UNFIT_SETTINGS 78		/* EX_CONFIG of sysexits.h */
#define WHY_MAX 512
#define ROOT_MAX 1024
#define STACK_WIPED (32u << 10)

struct server {
	const struct gb_endpoint *endpoint;
	const struct gb_backend *backend;
	bool from_parameters;		/* the settings come with the first request */
	struct gb_config *config;	/* NULL until they are read */
	struct gb_app app;
	char fit_root[ROOT_MAX];	/* a document root that nothing secret is below, of the last request */
	bool is_open;			/* app is; */
	bool is_away;			/* but not its store */
	bool is_sandboxed;		/* as far as can be */
	bool is_confined;		/* to files it can name now */
	struct gb_arena *arena;
};

static void
harden(void)
{
	umask(077);
	gb_sandbox_start();
}

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
log_to_backend(void *backend, const char *line)
{
	((const struct gb_backend *)backend)->log(line);
}

/* A gb_config_lookup over a request's variables. */
static const char *
parameter(void *req, const char *name)
{
	return gb_request_variable(req, name);
}

/* req NULL: from the environment. */
static enum gb_err
load_settings(struct server *server, struct gb_request *req)
{
	char why[WHY_MAX] = "";
	enum gb_err err = gb_config_load(req != NULL ? parameter : NULL, req, why, sizeof why, &server->config);

	if (err != GB_OK)
		gb_log(server->endpoint->name, "%s", why);
	return err == GB_OK || err == GB_ERR_MEMORY ? err : GB_ERR_MISCONFIGURED;
}

static enum gb_err
settings_ready(struct server *server, struct gb_request *req)
{
	if (!server->from_parameters)
		return server->config != NULL ? GB_OK : GB_ERR_MISCONFIGURED;
	if (server->config == NULL)
		return load_settings(server, req);
	if (gb_config_same(server->config, parameter, req))
		return GB_OK;
	gb_log(server->endpoint->name, "the request's settings differ from those this process was started with");
	return GB_ERR_MISCONFIGURED;
}

/* A web server that serves files from above STATE gives away keys and accounts to whoever asks for them. */
static enum gb_err
root_fits(struct server *server, const struct gb_request *req)
{
	for (const char *const *name = gb_exposed_roots; *name != NULL; name++) {
		const char *root = gb_request_variable(req, *name), *setting, *path;

		if (root == NULL || strcmp(root, server->fit_root) == 0)
			continue;
		if ((setting = gb_exposed(server->config, root, &path)) != NULL) {
			gb_log(server->endpoint->name, "%s: %s is below %s %s: move it out of the web space", setting, path, *name, root);
			return GB_ERR_MISCONFIGURED;
		}
		snprintf(server->fit_root, sizeof server->fit_root, "%s", root);
	}
	return GB_OK;
}

static void
app_close(struct server *server)
{
	if (server->is_open && !server->endpoint->is_health)
		gb_app_close(&server->app);
	server->is_open = server->is_away = false;
}

static unsigned
parts_of(const struct gb_endpoint *endpoint)
{
	return (endpoint->mails || (endpoint->reach & GB_REACH_STORE) != 0 ? GB_PART_STORE : 0u) |
	    (endpoint->mails || (endpoint->reach & GB_REACH_LIMITS) != 0 ? GB_PART_LIMITS : 0u);
}

/* State, store, keys and limits, or as much of them as there is without the store. */
static enum gb_err
app_open(struct server *server, int64_t now)
{
	const struct gb_config *config = server->config;
	enum gb_keyring_access keys = server->endpoint->keys;
	unsigned parts = parts_of(server->endpoint);
	char why[WHY_MAX] = "", more[WHY_MAX] = "";
	enum gb_err err = gb_app_open_parts(config, keys, parts, now, why, sizeof why, &server->app);

	if (why[0] != '\0')
		gb_log(server->endpoint->name, "%s", why);
	if (err != GB_ERR_STORE_UNAVAILABLE || gb_away_open(config, keys, parts, now, more, sizeof more,
	    &server->app) != GB_OK)
		return err;
	server->is_away = true;
	return GB_OK;
}

/*
 * After everything is open, and before a request is looked at. A program of plain CGI would
 * say with every request what its kernel lacks.
 */
static void
sandbox(struct server *server)
{
	const struct gb_endpoint *endpoint = server->endpoint;
	const struct gb_keyring *keyring = server->app.keyring;
	const struct gb_sandbox sandbox = {
		.reach = endpoint->reach,
		.mails = endpoint->mails,
		.one_request = server->backend == &gb_backend_cgi,
		.reads_private = endpoint->keys == GB_KEYS_SIGN || (keyring != NULL && gb_keyring_holds_secret(keyring)),
	};
	char why[WHY_MAX];

	server->is_confined = gb_sandbox_enter(&sandbox, server->config, why, sizeof why);
	server->is_sandboxed = true;
	if (why[0] != '\0' && server->backend != &gb_backend_cgi)
		gb_log(endpoint->name, "%s", why);
}

/* A store that is away is tried again with each request, so that a cause that goes needs no restart. */
static enum gb_err
app_ready(struct server *server, int64_t now)
{
	enum gb_err err;

	if (server->is_away)
		app_close(server);
	if (server->is_open) {
		if (server->app.keyring != NULL)
			gb_keyring_refresh(server->app.keyring, now);
		return GB_OK;
	}
	if (server->is_confined)
		return GB_ERR_STORE_UNAVAILABLE;	/* it is on its way out */
	server->app = (struct gb_app){ .config = server->config };
	err = server->endpoint->is_health ? GB_OK : app_open(server, now);
	server->is_open = err == GB_OK;
	if (server->is_open && !server->is_away && !server->is_sandboxed)
		sandbox(server);
	return err;
}

static enum gb_err
answer(struct server *server, struct gb_request *req)
{
	const struct gb_endpoint *endpoint = server->endpoint;
	enum gb_err err;

	if ((err = settings_ready(server, req)) != GB_OK || (err = root_fits(server, req)) != GB_OK)
		return err;
	req->reply->config = server->config;
	if ((err = gb_request_judge(req, endpoint, server->config, server->backend)) != GB_OK)
		return err;
	if (req->reply->status != 0)
		return GB_OK;	/* OPTIONS */
	if ((err = app_ready(server, req->call.now)) != GB_OK)
		return err;
	if (endpoint->auth == GB_AUTH_SESSION && (err = gb_request_session(&server->app, req)) != GB_OK)
		return err;
	err = endpoint->handle(&server->app, req);
	return err == GB_OK && req->reply->status == 0 ? GB_ERR_INTERNAL : err;
}

static void
send_answer(const struct server *server, const struct gb_request *req)
{
	static const char no_memory[] = "Status: 503 Service Unavailable\r\nContent-Type: application/json\r\n"
	    "Cache-Control: no-store\r\nRetry-After: 1\r\n\r\n"
	    "{\"error\":\"The service is busy, please try again\",\"status\":503,\"code\":\"busy\"}";
	size_t len;
	const char *head = req->reply->status != 0 ? gb_reply_head(req, &len) : NULL;

	if (head == NULL) {
		server->backend->write(no_memory, sizeof no_memory - 1);
		return;
	}
	server->backend->write(head, len);
	if (req->method != GB_METHOD_HEAD && req->reply->body_len > 0)
		server->backend->write(req->reply->body, req->reply->body_len);
}

/* The client learns that the store is unavailable, the operator why. */
static void
log_reason(const struct server *server)
{
	const char *reason = server->is_open && server->app.store != NULL ? gb_store_reason(server->app.store) : "";

	if (reason[0] != '\0')
		gb_log(server->endpoint->name, "%s", reason);
}

static enum gb_err
serve_one(struct server *server, const struct gb_connection *connection)
{
	int64_t begun = milliseconds();
	struct gb_reply reply = { .oauth_words = server->endpoint->form == GB_FORM_PLAIN };
	struct gb_request req;
	enum gb_err err;

	gb_log_to(log_to_backend, (void *)server->backend);
	gb_request_begin(&req, server->arena, connection->variables, (int64_t)time(NULL));
	req.reply = &reply;
	err = answer(server, &req);
	if (err == GB_ERR_STORE_UNAVAILABLE)
		log_reason(server);
	if (gb_outcome_reply(server->endpoint, server->config, &req, err) != GB_OK)
		reply.status = 0;
	send_answer(server, &req);
	gb_log_request(server->endpoint->name, &req, reply.status != 0 ? reply.status : 503,
	    err != GB_OK ? err : reply.error, milliseconds() - begun);
	server->backend->finish();
	gb_log_to(NULL, NULL);
	return err != GB_OK ? err : reply.error;
}

/*
 * A plain CGI process that starts no deliverer ends now, its pages are zeroed by the kernel, and it leaves no
 * core: to touch them again were 3 % of its life. Frames that have returned leave copies behind: vsnprintf, for
 * one, the last 64 bytes of what it only counts.
 */
static void
wipe(const struct server *server)
{
	if (server->backend == &gb_backend_cgi && !server->endpoint->mails)
		return;
	gb_arena_reset(server->arena);
	sodium_stackzero(STACK_WIPED);
}

/*
 * A confined process opens no store that was put in the place of its own. Then it ends in good
 * order, and the web server starts another, which does.
 */
static void
store_again(struct server *server)
{
	char why[WHY_MAX] = "";

	gb_store_close(server->app.store);
	server->app.store = NULL;
	if (gb_store_open(server->config->database_url, (int64_t)time(NULL), why, sizeof why, &server->app.store) == GB_OK)
		return;
	gb_log(server->endpoint->name, "%s; this process ends", why);
	app_close(server);
	raise(SIGTERM);
}

/* A store that failed is opened anew, which recovers it: now, or at the next request. */
static void
after_answer(struct server *server, enum gb_err err)
{
	wipe(server);	/* first: the deliverer begins as a copy of this process */
	if (server->endpoint->mails && server->is_open && !server->is_away)
		gb_spool_kick(&server->app);
	if (err != GB_ERR_STORE_UNAVAILABLE || !server->is_open)
		return;
	if (server->is_confined)
		store_again(server);
	else
		app_close(server);
}

/* GB_ERR_MISCONFIGURED: the process cannot serve. A store that cannot be opened may come back. */
static enum gb_err
prepare(struct server *server)
{
	enum gb_err err;

	if (server->from_parameters)
		return GB_OK;
	if ((err = load_settings(server, NULL)) != GB_OK)
		return err;
	err = app_ready(server, (int64_t)time(NULL));
	return err == GB_ERR_MISCONFIGURED ? err : GB_OK;
}

static int
run(struct server *server)
{
	struct gb_connection connection;
	enum gb_err unfit;

	if (!server->backend->open()) {
		gb_log(server->endpoint->name, "descriptor 0 is no socket to accept requests from: %m");
		return EXIT_FAILURE;
	}
	/* Plain CGI answers before it gives up; a FastCGI server must not be kept busy by starting us again. */
	if ((unfit = prepare(server)) != GB_OK && server->backend != &gb_backend_cgi)
		return EXIT_UNFIT_SETTINGS;
	while (server->backend->accept(&connection)) {
		enum gb_err err = serve_one(server, &connection);

		after_answer(server, err);
	}
	return unfit != GB_OK ? EXIT_UNFIT_SETTINGS : EXIT_SUCCESS;
}

/* What is open is left to the kernel where a process ends with its one request. */
static void
process_end(struct server *server)
{
	if (server->backend == &gb_backend_cgi)
		return;
	app_close(server);
	gb_config_free(server->config);
	gb_arena_free(server->arena);
}

int
gb_serve(const struct gb_endpoint *endpoint)
{
	static struct server server;	/* static: what is left open is no leak */
	int code;

	server.endpoint = endpoint;
	harden();
	if (sodium_init() < 0 || (server.arena = gb_arena_new()) == NULL) {
		gb_log(endpoint->name, "no memory or no randomness to start with");
		return EXIT_FAILURE;
	}
	server.backend = gb_backend_find();
	server.from_parameters = server.backend != &gb_backend_cgi && !gb_config_in_environment();
	code = run(&server);
	process_end(&server);
	return code;
}
