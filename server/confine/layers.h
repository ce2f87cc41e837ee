/*
 * The layers of a confinement, in the order in which they have to be put on. Each fills its part of the result; 0, or
 * negative errno with err when something was asked for that could not be done.
 */
#ifndef SCD_SERVER_CONFINE_LAYERS_H
#define SCD_SERVER_CONFINE_LAYERS_H

#include "seccheckd/confine/confine.h"

/*
 * The run-time library of a sanitizer reads /proc, and at the end of the process it starts another one that looks into
 * this one's memory.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCD__CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SCD__CONFINE_SANITIZED 1
#endif
#endif
#ifndef SCD__CONFINE_SANITIZED
#define SCD__CONFINE_SANITIZED 0
#endif

/* User and capabilities; no_new_privs, which Landlock and seccomp ask for. */
int scd__confine_privileges(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err);

void scd__confine_dumps(struct scd_confined *done);

int scd__confine_landlock(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err);

int scd__confine_seccomp(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err);

/* Texts of a layer. */
void scd__confine_did(struct scd_confined *done, enum scd_confine_layer layer, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void scd__confine_lacks(struct scd_confined *done, enum scd_confine_layer layer, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
