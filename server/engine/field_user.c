/*
 * Getters of users and groups. gVisor tells numbers; names are in files of the container, which nobody here reads. So
 * 0 is root, every other name is the text `<NA>`, as Falco shows what it cannot find, and a number that is not known
 * has no name at all.
 */
#include "engine/field_getters.h"

static bool credentials_of(const struct scd_view *view, struct scd_credentials *ret_credentials)
{
	if (view->event->context.has & SCD_HAS_CREDENTIALS) {
		*ret_credentials = view->event->context.credentials;
		return true;
	}
	if (!view->process || !view->process->has_credentials)
		return false;
	*ret_credentials = view->process->credentials;
	return true;
}

SCD__GETTER(scd__get_user_uid)
{
	struct scd_credentials credentials;
	return credentials_of(view, &credentials) &&
	       scd__give_unsigned(SCD_TYPE_UINT32, credentials.effective_uid, ret_value);
}

SCD__GETTER(scd__get_group_gid)
{
	struct scd_credentials credentials;
	return credentials_of(view, &credentials) &&
	       scd__give_unsigned(SCD_TYPE_UINT32, credentials.effective_gid, ret_value);
}

static bool give_name(uint32_t number, struct scd_str of_zero, struct scd_value *ret_value)
{
	return scd__give_text(number == 0 ? of_zero : SCD_STR("<NA>"), ret_value);
}

SCD__GETTER(scd__get_user_name)
{
	struct scd_credentials credentials;
	return credentials_of(view, &credentials) && give_name(credentials.effective_uid, SCD_STR("root"), ret_value);
}

SCD__GETTER(scd__get_user_homedir)
{
	struct scd_credentials credentials;
	return credentials_of(view, &credentials) && give_name(credentials.effective_uid, SCD_STR("/root"), ret_value);
}

SCD__GETTER(scd__get_group_name)
{
	struct scd_credentials credentials;
	return credentials_of(view, &credentials) && give_name(credentials.effective_gid, SCD_STR("root"), ret_value);
}

/* No login is audited inside a sandbox: the kernel's "not set", which Falco shows as -1. */
SCD__GETTER(scd__get_user_loginuid)
{
	return scd__give_i64(-1, ret_value);
}

SCD__GETTER(scd__get_user_unknown)
{
	return scd__give_text(SCD_STR("<NA>"), ret_value);
}
