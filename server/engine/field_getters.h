/*
 * Getters of the table of fields, and what they have in common. Inside server/engine only.
 *
 * A getter says what one event and its sandbox's state say, or ABSENT; it never guesses, and an empty text or a zero
 * that only means "not told" is ABSENT. It allocates in the view's scratch arena, only to join text, and by way of
 * engine/text.h wherever the message decides how long the text is. What it gives may still be as long as a message:
 * scd_field_get cuts it.
 */
#ifndef SCD_SERVER_ENGINE_FIELD_GETTERS_H
#define SCD_SERVER_ENGINE_FIELD_GETTERS_H

#include "seccheckd/engine/field.h"

/* The head of a getter's definition; parameters that it does not need stay unused. */
#define SCD__GETTER(name)                                              \
	bool name(const struct scd_view *view __attribute__((unused)), \
	          const struct scd_field_arg *arg __attribute__((unused)), struct scd_value *ret_value)

/* Each fills a value and returns true, so that `return scd__give_…` reads well. */

static inline bool scd__give_text(struct scd_str text, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .text = text };
	return true;
}

/* ABSENT when empty: messages leave out what they do not tell. */
static inline bool scd__give_told(struct scd_str text, struct scd_value *ret_value)
{
	return text.len > 0 && scd__give_text(text, ret_value);
}

static inline bool scd__give_bool(bool boolean, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = SCD_TYPE_BOOL, .boolean = boolean };
	return true;
}

static inline bool scd__give_i64(int64_t number, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = SCD_TYPE_INT64, .i64 = number };
	return true;
}

static inline bool scd__give_unsigned(enum scd_type type, uint64_t number, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = type, .u64 = number };
	return true;
}

/* Nanoseconds of a time or a duration: ABSENT when not positive. */
static inline bool scd__give_ns(enum scd_type type, int64_t ns, struct scd_value *ret_value)
{
	return ns > 0 && scd__give_unsigned(type, (uint64_t)ns, ret_value);
}

/* From one time to a later one: ABSENT when one is not known, or when they are the wrong way round. */
static inline bool scd__give_span(enum scd_type type, int64_t from_ns, int64_t to_ns, struct scd_value *ret_value)
{
	if (from_ns <= 0 || to_ns < from_ns)
		return false;
	return scd__give_unsigned(type, (uint64_t)(to_ns - from_ns), ret_value);
}

/* field_evt.c */
extern scd_field_get_fn scd__get_evt_num, scd__get_evt_type, scd__get_evt_type_is, scd__get_syscall_type,
        scd__get_evt_category, scd__get_evt_dir, scd__get_evt_source, scd__get_evt_hostname, scd__get_evt_is_async,
        scd__get_evt_is_truncated, scd__get_evt_count;
extern scd_field_get_fn scd__get_evt_res, scd__get_evt_rawres, scd__get_evt_failed, scd__get_evt_count_error;
extern scd_field_get_fn scd__get_evt_is_io, scd__get_evt_is_io_read, scd__get_evt_is_io_write, scd__get_evt_io_dir,
        scd__get_evt_is_wait, scd__get_evt_buflen, scd__get_evt_buflen_in, scd__get_evt_buflen_out;
extern scd_field_get_fn scd__get_evt_is_open_read, scd__get_evt_is_open_write, scd__get_evt_is_open_exec;

/* field_time.c */
extern scd_field_get_fn scd__get_evt_time, scd__get_evt_time_s, scd__get_evt_time_iso8601, scd__get_evt_datetime,
        scd__get_evt_datetime_s;
extern scd_field_get_fn scd__get_evt_rawtime, scd__get_evt_rawtime_s, scd__get_evt_rawtime_ns, scd__get_evt_reltime,
        scd__get_evt_reltime_s, scd__get_evt_reltime_ns;

/* field_evt_arg.c */
extern scd_field_get_fn scd__get_evt_arg, scd__get_evt_rawarg, scd__get_evt_args;

/* field_proc.c */
extern scd_field_get_fn scd__get_proc_name, scd__get_proc_exe, scd__get_proc_exepath, scd__get_proc_args,
        scd__get_proc_cmdline, scd__get_proc_exeline, scd__get_proc_cmdnargs, scd__get_proc_cmdlenargs,
        scd__get_proc_env, scd__get_proc_cwd, scd__get_proc_tty;
extern scd_field_get_fn scd__get_proc_pid, scd__get_proc_duration, scd__get_proc_pid_ts, scd__get_proc_nthreads,
        scd__get_proc_nchilds, scd__get_thread_tid, scd__get_thread_ismain;
extern scd_field_get_fn scd__get_proc_is_exe_upper_layer, scd__get_proc_is_exe_lower_layer,
        scd__get_proc_is_exe_from_memfd, scd__get_proc_exe_ino, scd__get_proc_exe_ino_ctime,
        scd__get_proc_exe_ino_age_at_start, scd__get_proc_exe_ino_age_in_container, scd__get_proc_pidns_init_start_ts;

/* field_lineage.c */
extern scd_field_get_fn scd__get_proc_ppid, scd__get_proc_pname, scd__get_proc_pexe, scd__get_proc_pexepath,
        scd__get_proc_pcmdline, scd__get_proc_ppid_duration, scd__get_proc_ppid_ts;
extern scd_field_get_fn scd__get_proc_apid, scd__get_proc_aname, scd__get_proc_aexe, scd__get_proc_aexepath,
        scd__get_proc_acmdline, scd__get_proc_aargs, scd__get_proc_aenv, scd__get_proc_loginshellid;

/* field_fd.c */
extern scd_field_get_fn scd__get_fd_num, scd__get_fd_type, scd__get_fd_typechar, scd__get_fd_name, scd__get_fd_nameraw,
        scd__get_fd_directory, scd__get_fd_filename, scd__get_fd_uid, scd__get_fd_containername,
        scd__get_fd_containerdirectory, scd__get_evt_abspath;
extern scd_field_get_fn scd__get_proc_stdin_type, scd__get_proc_stdout_type, scd__get_proc_stderr_type,
        scd__get_proc_stdin_name, scd__get_proc_stdout_name, scd__get_proc_stderr_name;

/* field_socket.c */
extern scd_field_get_fn scd__get_fd_ip, scd__get_fd_cip, scd__get_fd_sip, scd__get_fd_lip, scd__get_fd_rip,
        scd__get_fd_net, scd__get_fd_cnet, scd__get_fd_snet, scd__get_fd_lnet, scd__get_fd_rnet;
extern scd_field_get_fn scd__get_fd_port, scd__get_fd_cport, scd__get_fd_sport, scd__get_fd_lport, scd__get_fd_rport,
        scd__get_fd_cproto, scd__get_fd_sproto, scd__get_fd_lproto, scd__get_fd_rproto;
extern scd_field_get_fn scd__get_fd_l4proto, scd__get_fd_sockfamily, scd__get_fd_is_server, scd__get_fd_connected;

/* field_user.c */
extern scd_field_get_fn scd__get_user_uid, scd__get_user_name, scd__get_user_homedir, scd__get_user_loginuid,
        scd__get_user_unknown, scd__get_group_gid, scd__get_group_name;

/* field_container.c */
extern scd_field_get_fn scd__get_container_id, scd__get_container_full_id, scd__get_container_start_ts,
        scd__get_container_duration;

#endif
