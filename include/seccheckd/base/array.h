/*
 * Arrays of the language.
 */
#ifndef SECCHECKD_BASE_ARRAY_H
#define SECCHECKD_BASE_ARRAY_H

/* How many elements an array has: of the array itself, not of a pointer to it, for which compilers warn. */
#define SCD_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
