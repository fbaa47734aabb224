/* SPDX-License-Identifier: MIT */
/* config.c: guardbee config: what the programs would read, and whether they could start. */
#include <stdio.h>
#include <sysexits.h>

#include "exposed.h"
#include "guardbee.h"

static int
show(struct gb_context *ctx, int argc, char **argv)
{
	(void)argc, (void)argv;
	gb_config_print(ctx->config, stdout);
	return EX_OK;
}

/* Where the environment is that of a web server's program. */
static bool
is_exposed(const struct gb_config *config)
{
	for (const char *const *name = gb_exposed_roots; *name != NULL; name++) {
		const char *root = gb_config_environment(NULL, *name), *path, *setting = root != NULL ? gb_exposed(config, root, &path) : NULL;

		if (setting == NULL)
			continue;
		fprintf(stderr, "guardbee: %s: %s is below %s %s: move it out of the web space\n", setting, path, *name, root);
		return true;
	}
	return false;
}

/* Whatever is unfit has stopped the command before it comes here. */
static int
check(struct gb_context *ctx, int argc, char **argv)
{
	char why[256];
	enum gb_err err;

	(void)argc, (void)argv;
	if (is_exposed(ctx->config))
		return EX_CONFIG;
	if ((err = gb_store_health(ctx->app->store, ctx->call.now, why, sizeof why)) != GB_OK ||
	    (err = gb_keyring_health(ctx->app->keyring, why, sizeof why)) != GB_OK)
		return gb_command_fail(err, why);
	puts("the settings are fit; STATE, store and keys open");
	return EX_OK;
}

static int
table(struct gb_context *ctx, int argc, char **argv)
{
	(void)ctx, (void)argc, (void)argv;
	gb_config_print_table(stdout);
	return EX_OK;
}

static int
man(struct gb_context *ctx, int argc, char **argv)
{
	(void)ctx, (void)argc, (void)argv;
	gb_config_print_man(stdout);
	return EX_OK;
}

static int
example(struct gb_context *ctx, int argc, char **argv)
{
	(void)ctx, (void)argc, (void)argv;
	gb_config_print_example(stdout);
	return EX_OK;
}

const struct gb_command gb_config_commands[] = {
	{ "config", "", "", "every setting, secrets as set or not set", GB_NEED_CONFIG, 0, 0, show },
	{ "config", "check", "", "opens STATE, store and keys as the programs do", GB_NEED_APP, 0, 0, check },
	{ "config", "table", "", "the README's table of settings", GB_NEED_NOTHING, 0, 0, table },
	{ "config", "example", "", "an environment file with every default", GB_NEED_NOTHING, 0, 0, example },
	{ "config", "man", "", "the list of guardbee-settings(5)", GB_NEED_NOTHING, 0, 0, man },
	{ 0 },
};
