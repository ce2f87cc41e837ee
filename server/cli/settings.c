/*
 * Settings of one run: defaults, then the configuration file, then the flags.
 */
#include "settings.h"

#include <errno.h>

#include "rule_options.h"
#include "seccheckd/emit/emitter.h"

/* A list of the file is forgotten when its first flag comes. */
static void clear_list(struct scd_config *config, const struct scd__args *args, size_t i)
{
	const struct scd_config_option *option = scd_config_option(args->items[i].flag->key);

	for (size_t earlier = 0; earlier < i; earlier++) {
		if (args->items[earlier].flag == args->items[i].flag)
			return;
	}
	if (option->type == SCD_CONFIG_LIST)
		scd_config_clear((void *)((char *)config + option->offset));
}

static int set_flag(struct scd_config *config, const struct scd__args *args, size_t i)
{
	const struct scd__arg *arg = &args->items[i];
	struct scd_error err = { 0 };
	int r;

	clear_list(config, args, i);
	r = scd_config_set(config, arg->flag->key, arg->value, &err);
	if (r == 0 && scd_config_option(arg->flag->key)->type == SCD_CONFIG_URL)
		r = scd_emitter_check_url(arg->value, &err);
	if (r == -EINVAL)
		return scd__args_usage_error(args->command, "--%s '%s': %s; %s", arg->flag->name, arg->value, err.what,
		                             err.hint);
	if (r < 0)
		scd_error_print(&err, stderr);
	return r < 0 ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

int scd__settings_read(const struct scd__args *args, struct scd_config *config)
{
	const char *path = scd__args_value(args, "config");
	struct scd_error err = { 0 };
	int status = SCD__EXIT_SUCCESS;

	if (path && scd_config_read_file(config, path, &err) < 0) {
		scd_error_print(&err, stderr);
		return SCD__EXIT_FAILURE;
	}
	for (size_t i = 0; i < args->count && status == SCD__EXIT_SUCCESS; i++) {
		if (args->items[i].flag->key)
			status = set_flag(config, args, i);
	}
	return status == SCD__EXIT_SUCCESS ? scd__rule_options_flags(args, config) : status;
}
