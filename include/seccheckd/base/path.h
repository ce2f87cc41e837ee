/*
 * Paths made absolute and plain without looking at any file system.
 */
#ifndef SECCHECKD_BASE_PATH_H
#define SECCHECKD_BASE_PATH_H

#include "seccheckd/base/arena.h"

/*
 * The absolute path of `path` seen from the folder `base`, without empty parts, `.` and `..` (symbolic links are not
 * followed: `a/..` is nothing) and without a slash at its end. base counts for relative paths only. The path itself
 * when it is so already. False when it cannot be told: empty, or relative to a base that is not absolute; or when the
 * arena is exhausted.
 */
bool scd_path_join(struct scd_str base, struct scd_str path, struct scd_arena *arena, struct scd_str *ret_path);

/* The same with a buffer of the caller's. False too when that may be too small: under base.len + path.len + 2 bytes. */
bool scd_path_join_into(struct scd_str base, struct scd_str path, char *buffer, size_t room, struct scd_str *ret_path);

/* The path with each run of slashes as one. False when the arena is exhausted. */
bool scd_path_squeeze(struct scd_str path, struct scd_arena *arena, struct scd_str *ret_path);

#endif
