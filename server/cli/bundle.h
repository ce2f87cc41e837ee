/*
 * The texts of all rule files, kept in a memfd by the worker that loaded them from disk, for the workers that follow it
 * (keeper/keeper.h, scd_worker_seat).
 */
#ifndef SCD_SERVER_CLI_BUNDLE_H
#define SCD_SERVER_CLI_BUNDLE_H

#include "seccheckd/engine/ruleset.h"

/*
 * Writes every file that was added to the loader into fd, an empty memfd, and seals it: nobody can change it any more.
 * 0; -EFBIG: it would be over SCD_LIMIT_BUNDLE_BYTES; other negative errno. Without 0 it is not sealed.
 */
int scd__bundle_write(const struct scd_loader *loader, int fd);

/*
 * Adds the files of a bundle to the loader, in their order and by their names; the offset of fd is not touched. 0;
 * -EBADMSG: it is not a bundle, or not whole; other negative errno of reading or of adding, with the reasons in the
 * loader's diagnostics.
 */
int scd__bundle_read(int fd, struct scd_loader *loader);

#endif
