/* SPDX-License-Identifier: MIT */
/*
 * mail_smtp.c: MAIL_TRANSPORT=smtp, by a libcurl that is loaded when the first message goes out: only
 * the deliverer and `guardbee mail` pay for it.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

#include "mail_transport.h"

#define LIBCURL "libcurl.so.4"
#define PORT_TLS 465			/* RFC 8314 s3.3: TLS from the first byte */
#define SAID_MAX 256
#define CONNECT_S 5

static struct {
	void *library;
	CURLcode (*global_init)(long, curl_malloc_callback, curl_free_callback, curl_realloc_callback, curl_strdup_callback, curl_calloc_callback);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_perform)(CURL *);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	void (*easy_cleanup)(CURL *);
	const char *(*easy_strerror)(CURLcode);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
} curl;

struct transfer {
	const char *left;		/* of the message */
	size_t left_len;
	int total_s;
	time_t end_s;			/* of all of it, the good-bye included */
	char said[SAID_MAX];		/* the server's last line */
	char url[300], from[260], to[260], ca[4096];
};

static const struct {
	const char *name;
	void *function;			/* where its address goes */
} symbols[] = {
	{ "curl_global_init_mem", &curl.global_init },
	{ "curl_easy_init", &curl.easy_init },
	{ "curl_easy_setopt", &curl.easy_setopt },
	{ "curl_easy_perform", &curl.easy_perform },
	{ "curl_easy_getinfo", &curl.easy_getinfo },
	{ "curl_easy_cleanup", &curl.easy_cleanup },
	{ "curl_easy_strerror", &curl.easy_strerror },
	{ "curl_slist_append", &curl.slist_append },
	{ "curl_slist_free_all", &curl.slist_free_all },
};

/* What libcurl frees is overwritten too (heap.c): the deliverer goes on while links of messages sent are good. */
static void
forget(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static void *
grow(void *memory, size_t size)
{
	size_t had = memory != NULL ? malloc_usable_size(memory) : 0;
	void *more = malloc(size);

	if (more == NULL)
		return NULL;
	if (had > 0)
		memcpy(more, memory, had < size ? had : size);
	forget(memory);
	return more;
}

static enum gb_err
load(struct gb_mail_verdict *verdict)
{
	if (curl.library != NULL)
		return GB_OK;
	if ((curl.library = dlopen(LIBCURL, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return gb_mail_refused(verdict, false, "MAIL_TRANSPORT=smtp needs libcurl (package libcurl4): %s", dlerror());
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
		void *function = dlsym(curl.library, symbols[i].name);

		memcpy(symbols[i].function, &function, sizeof function);
		if (function == NULL) {
			dlclose(curl.library);
			curl.library = NULL;
			return gb_mail_refused(verdict, false, "%s has no %s", LIBCURL, symbols[i].name);
		}
	}
	curl.global_init(CURL_GLOBAL_DEFAULT, malloc, forget, grow, strdup, calloc);
	return GB_OK;
}

static size_t
give(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count < transfer->left_len ? size * count : transfer->left_len;

	memcpy(bytes, transfer->left, len);
	transfer->left += len;
	transfer->left_len -= len;
	return len;
}

/* Every line of the server's passes here; the last one is what it said, but for its good-bye. */
static size_t
hear(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count, kept = len < SAID_MAX - 1 ? len : SAID_MAX - 1;

	if (len >= 3 && memcmp(bytes, "221", 3) == 0)
		return len;
	memcpy(transfer->said, bytes, kept);
	transfer->said[kept] = '\0';
	transfer->said[strcspn(transfer->said, "\r\n")] = '\0';
	return len;
}

static time_t
monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/*
 * CURLOPT_TIMEOUT leaves out the good-bye: a server that answers the message with line after line would be waited for
 * two minutes more.
 */
static int
is_over(void *context, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	const struct transfer *transfer = context;

	(void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
	return monotonic_s() > transfer->end_s;
}

static void
fill(struct transfer *transfer, const struct gb_config *config, const struct gb_envelope *envelope)
{
	snprintf(transfer->url, sizeof transfer->url, "%s://%s:%d",
	    config->smtp_port == PORT_TLS ? "smtps" : "smtp", config->smtp_host, (int)config->smtp_port);
	snprintf(transfer->from, sizeof transfer->from, "<%s>", envelope->from);
	snprintf(transfer->to, sizeof transfer->to, "<%s>", envelope->to);
	snprintf(transfer->ca, sizeof transfer->ca, "%s/smtp-ca.pem", config->state);
	transfer->left = envelope->bytes;
	transfer->left_len = envelope->len;
	transfer->total_s = envelope->total_s;
	transfer->end_s = monotonic_s() + envelope->total_s + 1;
}

static void
prepare(CURL *handle, struct transfer *transfer, const struct gb_config *config, struct curl_slist *to)
{
	curl.easy_setopt(handle, CURLOPT_URL, transfer->url);
	curl.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl.easy_setopt(handle, CURLOPT_PROXY, "");
	/* TRY would send in clear where a man in the middle strikes STARTTLS from the list */
	curl.easy_setopt(handle, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	curl.easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl.easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
	curl.easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
	if (access(transfer->ca, R_OK) == 0)
		curl.easy_setopt(handle, CURLOPT_CAINFO, transfer->ca);
	if (config->smtp_user != NULL && config->smtp_password != NULL) {
		curl.easy_setopt(handle, CURLOPT_USERNAME, config->smtp_user);
		curl.easy_setopt(handle, CURLOPT_PASSWORD, config->smtp_password);
	}
	curl.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl.easy_setopt(handle, CURLOPT_TIMEOUT, (long)transfer->total_s);
	/* so that the good-bye is said within the transfer, where is_over is asked, and not when the handle is cleaned up */
	curl.easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
	curl.easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
	curl.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, is_over);
	curl.easy_setopt(handle, CURLOPT_XFERINFODATA, transfer);
	curl.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(handle, CURLOPT_MAIL_FROM, transfer->from);
	curl.easy_setopt(handle, CURLOPT_MAIL_RCPT, to);
	curl.easy_setopt(handle, CURLOPT_UPLOAD, 1L);
	curl.easy_setopt(handle, CURLOPT_READFUNCTION, give);
	curl.easy_setopt(handle, CURLOPT_READDATA, transfer);
	curl.easy_setopt(handle, CURLOPT_HEADERFUNCTION, hear);
	curl.easy_setopt(handle, CURLOPT_HEADERDATA, transfer);
	curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, hear);
	curl.easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
}

/*
 * A 5xx about this message is for good. One about us (a wrong password, a certificate, no STARTTLS)
 * is for the administrator to mend: those come with a code of libcurl's own.
 */
static bool
is_permanent(CURLcode code, long response)
{
	return response >= 500 && response < 600 && code != CURLE_LOGIN_DENIED && code != CURLE_USE_SSL_FAILED &&
	    code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_REMOTE_ACCESS_DENIED;
}

static enum gb_err
transfer_run(CURL *handle, struct transfer *transfer, struct gb_mail_verdict *verdict)
{
	char error[CURL_ERROR_SIZE] = "";
	long response = 0;
	CURLcode code;

	curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
	if ((code = curl.easy_perform(handle)) == CURLE_OK)
		return GB_OK;
	curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &response);
	return gb_mail_refused(verdict, is_permanent(code, response), "%s: %s%s%s", transfer->url,
	    error[0] != '\0' ? error : curl.easy_strerror(code), transfer->said[0] != '\0' ? "; the server said: " : "",
	    transfer->said);
}

enum gb_err
gb_mail_by_smtp(const struct gb_config *config, const struct gb_state *state,
    const struct gb_envelope *envelope, int64_t now, struct gb_mail_verdict *verdict)
{
	struct transfer transfer = { .said = "" };
	struct curl_slist *to = NULL;
	CURL *handle = NULL;
	enum gb_err err;

	(void)state;
	(void)now;
	if (config->smtp_host == NULL)
		return gb_mail_refused(verdict, false, "SMTP_HOST is not set");
	if ((err = load(verdict)) != GB_OK)
		return err;
	fill(&transfer, config, envelope);
	if ((handle = curl.easy_init()) == NULL || (to = curl.slist_append(NULL, transfer.to)) == NULL) {
		err = gb_mail_refused(verdict, false, "no memory");
	} else {
		prepare(handle, &transfer, config, to);
		err = transfer_run(handle, &transfer, verdict);
	}
	curl.slist_free_all(to);
	if (handle != NULL)
		curl.easy_cleanup(handle);
	return err;
}
