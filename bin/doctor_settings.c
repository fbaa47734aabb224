/* SPDX-License-Identifier: MIT */
/* doctor_settings.c: what settings lead to: store, keys, clock, mail, and whom the gate lets pass. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"

#define CONNECT_MS	5000

#define NOTHING ((struct gb_cure){ NULL, NULL })

static void
check_settings(struct gb_doctor *doctor)
{
	const struct gb_config *config = doctor->config;

	if (config->app_env != GB_ENV_PRODUCTION)
		gb_doctor_say(doctor, "settings", GB_NOTE, (struct gb_cure){ "APP_ENV=production", GB_DOCTOR_SETTINGS }, "APP_ENV is for development or testing");
	else
		gb_doctor_say(doctor, "settings", GB_FINE, NOTHING, "fit");
}

static void
check_opens(struct gb_doctor *doctor)
{
	const struct gb_config *config = doctor->config;
	int64_t now = doctor->ctx->call.now;
	char why[256] = "";
	struct gb_app app;
	struct stat st;
	enum gb_err err;

	if (lstat(doctor->state, &st) != 0)
		return;
	if ((err = gb_app_open(config, GB_KEYS_SIGN, now, why, sizeof why, &app)) != GB_OK) {
		gb_doctor_say(doctor, "store, keys", GB_FAULT, NOTHING, "%s", why);
		return;
	}
	if (why[0] != '\0')
		gb_doctor_say(doctor, "keys", GB_NOTE, NOTHING, "%s", why);
	if ((err = gb_keyring_health(app.keyring, why, sizeof why)) != GB_OK)
		gb_doctor_say(doctor, "keys", GB_FAULT, NOTHING, "%s", why);
	if ((err = gb_store_health(app.store, now, why, sizeof why)) != GB_OK)
		gb_doctor_say(doctor, "store, keys", GB_FAULT, NOTHING, "%s", why);
	else
		gb_doctor_say(doctor, "store, keys", GB_FINE, NOTHING, "open");
	/* the store remembers when its commits were made */
	if (err == GB_OK && why[0] != '\0')
		gb_doctor_say(doctor, "clock", GB_NOTE, (struct gb_cure){ "timedatectl", "if the clock is wrong, as root" }, "%s", why);
	else if (err == GB_OK)
		gb_doctor_say(doctor, "clock", GB_FINE, NOTHING, "goes on from the last commit");
	gb_app_close(&app);
}

/* An answer within five seconds; errno says why not. */
static bool
can_connect(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	bool ok = false;

	errno = EHOSTUNREACH;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return false;
	for (const struct addrinfo *at = found; at != NULL && !ok; at = at->ai_next) {
		struct pollfd ready = { .fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .events = POLLOUT };
		socklen_t len = sizeof(int);
		int error = 0;

		if (ready.fd < 0)
			continue;
		connect(ready.fd, at->ai_addr, at->ai_addrlen);
		ok = poll(&ready, 1, CONNECT_MS) == 1 && getsockopt(ready.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
		errno = error != 0 ? error : ETIMEDOUT;
		close(ready.fd);
	}
	freeaddrinfo(found);
	return ok;
}

static void
check_mail(struct gb_doctor *doctor)
{
	const struct gb_config *config = doctor->config;
	char port[16];

	snprintf(port, sizeof port, "%d", (int)config->smtp_port);
	if (config->mail_transport == GB_TRANSPORT_SENDMAIL && access(config->sendmail, X_OK) != 0)
		gb_doctor_say(doctor, "mail", GB_FAULT, (struct gb_cure){ "SENDMAIL=/where/it/is/sendmail", GB_DOCTOR_SETTINGS },
		    "SENDMAIL %s: %s", config->sendmail, strerror(errno));
	else if (config->mail_transport == GB_TRANSPORT_SMTP && !can_connect(config->smtp_host, port))
		gb_doctor_say(doctor, "mail", GB_FAULT, (struct gb_cure){ "SMTP_HOST=your.mail.server", GB_DOCTOR_SETTINGS },
		    "%s port %s: %s", config->smtp_host, port, strerror(errno));
	else if (config->mail_transport == GB_TRANSPORT_FILE && config->app_env == GB_ENV_PRODUCTION)
		gb_doctor_say(doctor, "mail", GB_FAULT, (struct gb_cure){ "MAIL_TRANSPORT=sendmail", GB_DOCTOR_SETTINGS },
		    "mails are files in STATE/mail: nobody gets one");
	else
		gb_doctor_say(doctor, "mail", GB_FINE, NOTHING, "the transport is there; guardbee mail test ADDRESS sends one");
}

static void
check_gate(struct gb_doctor *doctor)
{
	const struct gb_config *config = doctor->config;
	bool open = config->registration != GB_REGISTRATION_CLOSED;

	if (open && config->gate_requires == GB_GATE_NONE)
		gb_doctor_say(doctor, "gate", GB_FAULT, (struct gb_cure){ "GATE_REQUIRES=verified", GB_DOCTOR_SETTINGS },
		    "anyone may register, with any address, and passes the gate at once");
	else if (open)
		gb_doctor_say(doctor, "gate", GB_NOTE, (struct gb_cure){ "REGISTRATION=closed", "among the settings; or give the gate a GATE_GROUP" },
		    "anyone with an address may register and pass the gate");
	else
		gb_doctor_say(doctor, "gate", GB_FINE, NOTHING, "accounts are the operator's to give");
}

void
gb_doctor_settings(struct gb_doctor *doctor)
{
	static void (*const checks[])(struct gb_doctor *doctor) = { check_settings, check_opens, check_mail, check_gate };

	for (size_t i = 0; doctor->config != NULL && i < sizeof checks / sizeof *checks; i++)
		checks[i](doctor);
}
