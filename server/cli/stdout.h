/*
 * Standard output of the commands that print results: its errors are seen, and said once.
 */
#ifndef SCD_SERVER_CLI_STDOUT_H
#define SCD_SERVER_CLI_STDOUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A large buffer instead of stdio's own (but for a terminal), and a closed pipe as an error instead of a signal; a
 * limit on the size of files, too, for every file of the process. Before the first write.
 */
void scd__stdout_init(void);

/* Buffers or writes. False: this or an earlier write failed. The first failure is told on standard error. */
bool scd__stdout_write(const void *data, size_t len);

/* Writes out what is buffered, also by printf. False as above. */
bool scd__stdout_flush(void);

#endif
