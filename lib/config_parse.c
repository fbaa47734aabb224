/* SPDX-License-Identifier: MIT */
/* config_parse.c: what the values of settings may look like, and how the program sees them. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config_table.h"
#include "form.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const algorithms[] = {
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "EdDSA", NULL
};

static enum gb_err
keep(const char *text, size_t len, struct gb_arena *arena, const char **value)
{
	return (*value = gb_arena_copy(arena, text, len)) != NULL ? GB_OK : GB_ERR_MEMORY;
}

static bool
only(const char *text, size_t len, const char *characters)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(characters, text[i]) == NULL)
			return false;
	return len > 0;
}

/* A whole number without sign, space or leading zero. */
static bool
number_below(const char *text, size_t len, long max)
{
	long number = 0;

	if (len == 0 || len > 5 || (len > 1 && text[0] == '0') || !only(text, len, DIGITS))
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (text[i] - '0');
	return number <= max;
}

enum gb_err
gb_parse_bytes(const char *text, struct gb_arena *arena, const char **value)
{
	return keep(text, strlen(text), arena, value);
}

/* UTF-8 without control characters; those above U+007F are 0xc2 and a byte below 0xa0. */
enum gb_err
gb_parse_text(const char *text, struct gb_arena *arena, const char **value)
{
	if (!gb_form_is_utf8(text))
		return GB_ERR_MISCONFIGURED;
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
			return GB_ERR_MISCONFIGURED;
	return strlen(text) <= 255 ? keep(text, strlen(text), arena, value) : GB_ERR_MISCONFIGURED;
}

/* Environments that hold one line a setting write newlines as \n. */
enum gb_err
gb_parse_pem(const char *text, struct gb_arena *arena, const char **value)
{
	char *pem, *end;

	while (*text == '\n' || *text == ' ')
		text++;
	if (strncmp(text, "-----BEGIN ", 11) != 0)
		return GB_ERR_MISCONFIGURED;
	if ((pem = gb_arena_copy(arena, text, strlen(text))) == NULL)
		return GB_ERR_MEMORY;
	end = pem;
	for (const char *from = text; *from != '\0'; from++)
		if (from[0] == '\\' && from[1] == 'n')
			*end++ = '\n', from++;
		else if (*from != '\r')
			*end++ = *from;
	while (end > pem && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	memcpy(end, "\n", 2);
	*value = pem;
	return GB_OK;
}

/* The web server chooses the working directory: a relative path would mean nothing. */
enum gb_err
gb_parse_path(const char *text, struct gb_arena *arena, const char **value)
{
	size_t len = strlen(text);

	if (text[0] != '/' || len >= 1024)
		return GB_ERR_MISCONFIGURED;
	while (len > 1 && text[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return GB_ERR_MISCONFIGURED;
	return keep(text, len, arena, value);
}

static bool
is_algorithm(const char *text, size_t len)
{
	for (const char *const *a = algorithms; *a != NULL; a++)
		if (strlen(*a) == len && memcmp(*a, text, len) == 0)
			return true;
	return false;
}

enum gb_err
gb_parse_algorithm(const char *text, struct gb_arena *arena, const char **value)
{
	return is_algorithm(text, strlen(text)) ? keep(text, strlen(text), arena, value)
	    : GB_ERR_MISCONFIGURED;
}

/*
 * Reads items between commas and spaces, each judged and written by `item`
 * (no longer than it was; false refuses the list), into a list with one comma
 * between.
 */
#define GB_ITEM_MAX 300

static enum gb_err
parse_list(const char *text, struct gb_arena *arena, const char **value,
    bool (*item)(const char *from, size_t len, char to[static GB_ITEM_MAX + 1]))
{
	char *list = gb_arena_alloc(arena, strlen(text) + 1), *end = list;
	char written[GB_ITEM_MAX + 1];
	size_t len;

	if (list == NULL)
		return GB_ERR_MEMORY;
	for (text += strspn(text, ", "); *text != '\0'; text += strspn(text, ", ")) {
		len = strcspn(text, ", ");
		if (len > GB_ITEM_MAX || !item(text, len, written))
			return GB_ERR_MISCONFIGURED;
		end += sprintf(end, "%s%s", end == list ? "" : ",", written);
		text += len;
	}
	*value = list;
	return end > list ? GB_OK : GB_ERR_MISCONFIGURED;
}

static void
copy_item(const char *from, size_t len, char to[static GB_ITEM_MAX + 1])
{
	memcpy(to, from, len);
	to[len] = '\0';
}

static bool
item_algorithm(const char *from, size_t len, char to[static GB_ITEM_MAX + 1])
{
	copy_item(from, len, to);
	return is_algorithm(from, len);
}

enum gb_err
gb_parse_algorithms(const char *text, struct gb_arena *arena, const char **value)
{
	return parse_list(text, arena, value, item_algorithm);
}

enum gb_err
gb_parse_database(const char *text, struct gb_arena *arena, const char **value)
{
	const char *path;
	enum gb_err err;

	if (strncmp(text, "gdbm:", 5) == 0) {
		if ((err = gb_parse_path(text + 5, arena, &path)) != GB_OK)
			return err;
		return (*value = gb_arena_printf(arena, "gdbm:%s", path)) != NULL ? GB_OK : GB_ERR_MEMORY;
	}
	if (strncmp(text, "mysql://", 8) != 0 || strlen(text) >= 1024)
		return GB_ERR_MISCONFIGURED;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return GB_ERR_MISCONFIGURED;
	return keep(text, strlen(text), arena, value);
}

static bool
is_host(const char *host, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ipv6;

	if (len > 253 || len == 0)
		return false;
	if (host[0] != '[')
		return host[0] != '-' && host[0] != '.' && only(host, len, LETTERS CAPITALS DIGITS ".-");
	if (len < 4 || len - 2 >= sizeof address || host[len - 1] != ']')
		return false;
	memcpy(address, host + 1, len - 2);
	address[len - 2] = '\0';
	return inet_pton(AF_INET6, address, &ipv6) == 1;
}

/*
 * An origin as browsers write it (RFC 6454 s6.2): lower case, without the
 * scheme's own port. Returns the bytes read, 0 for none; `to` has room for
 * GB_ITEM_MAX bytes.
 */
static size_t
read_origin(const char *text, char to[static GB_ITEM_MAX + 1])
{
	const bool https = strncasecmp(text, "https://", 8) == 0;
	const char *host = text + (https ? 8 : 7), *end, *port;
	const char *own_port = https ? ":443" : ":80";
	size_t host_len, port_len;

	if (!https && strncasecmp(text, "http://", 7) != 0)
		return 0;
	end = host + strcspn(host, "/?#@, ");
	host_len = host[0] == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/?#@, ");
	if (host_len > (size_t)(end - host) || !is_host(host, host_len))
		return 0;
	port = host + host_len;
	port_len = (size_t)(end - port);
	if (port_len > 0 && (port[0] != ':' || !number_below(port + 1, port_len - 1, 65535) || port[1] == '0'))
		return 0;
	if (port_len == strlen(own_port) && memcmp(port, own_port, port_len) == 0)
		port_len = 0;
	copy_item(text, (size_t)(port - text) + port_len, to);
	for (char *c = to; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return (size_t)(end - text);
}

/* "" or "/below/this": unreserved characters, no empty and no dot segment, so that it is safe in a cookie's Path. */
static bool
is_base_path(const char *path, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t segment = ++i;

		while (i < len && path[i] != '/')
			i++;
		if (!only(path + segment, i - segment, LETTERS CAPITALS DIGITS "-._~") ||
		    strspn(path + segment, ".") >= i - segment)
			return false;
	}
	return true;
}

enum gb_err
gb_parse_url(const char *text, struct gb_arena *arena, const char **value)
{
	char origin[GB_ITEM_MAX + 1];
	size_t origin_len, path_len;

	if (strlen(text) > GB_ITEM_MAX || (origin_len = read_origin(text, origin)) == 0)
		return GB_ERR_MISCONFIGURED;
	text += origin_len;
	path_len = strlen(text);
	if (path_len > 0 && text[path_len - 1] == '/')
		path_len--;
	if ((*text != '\0' && *text != '/') || !is_base_path(text, path_len))
		return GB_ERR_MISCONFIGURED;
	*value = gb_arena_printf(arena, "%s%.*s", origin, (int)path_len, text);
	return *value != NULL ? GB_OK : GB_ERR_MEMORY;
}

size_t
gb_url_origin_len(const char *url)
{
	size_t scheme = strcspn(url, "/") + 2;

	return scheme + strcspn(url + scheme, "/");
}

bool
gb_url_is_loopback(const char *url)
{
	const char *host = url + strcspn(url, "/") + 2;
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	char address[INET_ADDRSTRLEN];
	struct in_addr ipv4;

	if ((len == 9 && memcmp(host, "localhost", 9) == 0) || (len == 5 && memcmp(host, "[::1]", 5) == 0))
		return true;
	if (len >= sizeof address)
		return false;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET, address, &ipv4) == 1 && ntohl(ipv4.s_addr) >> 24 == 127;
}

static bool
item_origin(const char *from, size_t len, char to[static GB_ITEM_MAX + 1])
{
	return read_origin(from, to) == len;
}

enum gb_err
gb_parse_origins(const char *text, struct gb_arena *arena, const char **value)
{
	return parse_list(text, arena, value, item_origin);
}

/* An address, or a block with its bits behind a slash. */
static bool
item_proxy(const char *from, size_t len, char to[static GB_ITEM_MAX + 1])
{
	unsigned char address[sizeof(struct in6_addr)];
	char *slash;
	bool ipv6, good;

	copy_item(from, len, to);
	if ((slash = strchr(to, '/')) != NULL)
		*slash = '\0';
	ipv6 = strchr(to, ':') != NULL;
	good = inet_pton(ipv6 ? AF_INET6 : AF_INET, to, address) == 1 &&
	    (slash == NULL || number_below(slash + 1, strlen(slash + 1), ipv6 ? 128 : 32));
	if (slash != NULL)
		*slash = '/';
	return good;
}

enum gb_err
gb_parse_proxies(const char *text, struct gb_arena *arena, const char **value)
{
	return parse_list(text, arena, value, item_proxy);
}

static bool
item_name(const char *from, size_t len, char to[static GB_ITEM_MAX + 1])
{
	copy_item(from, len, to);
	return len <= 32 && only(from, len, LETTERS DIGITS "._-");
}

enum gb_err
gb_parse_names(const char *text, struct gb_arena *arena, const char **value)
{
	return parse_list(text, arena, value, item_name);
}

enum gb_err
gb_parse_host(const char *text, struct gb_arena *arena, const char **value)
{
	return is_host(text, strlen(text)) ? keep(text, strlen(text), arena, value) : GB_ERR_MISCONFIGURED;
}

/* A bare address: it becomes an argument of sendmail and a header field. */
enum gb_err
gb_parse_mailbox(const char *text, struct gb_arena *arena, const char **value)
{
	const char *at = strchr(text, '@');

	if (at == NULL || text[0] == '-' || strlen(text) > 254 ||
	    !only(text, (size_t)(at - text), LETTERS CAPITALS DIGITS "!#$%&'*+-/=?^_`{|}~.") ||
	    !is_host(at + 1, strlen(at + 1)) || at[1] == '[')
		return GB_ERR_MISCONFIGURED;
	return keep(text, strlen(text), arena, value);
}

enum gb_err
gb_parse_language(const char *text, struct gb_arena *arena, const char **value)
{
	size_t len = strlen(text);

	if (len < 2 || len > 8 || !only(text, 2, LETTERS) || !only(text, len, LETTERS CAPITALS "-"))
		return GB_ERR_MISCONFIGURED;
	return keep(text, len, arena, value);
}
