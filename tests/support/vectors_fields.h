/*
 * Fields of a vector: a table of names with types and values, behind which conditions are compiled and run as those of
 * rules are. Names that the case does not mention are the catalogue's, with its type and no value.
 */
#ifndef SCD_TESTS_SUPPORT_VECTORS_FIELDS_H
#define SCD_TESTS_SUPPORT_VECTORS_FIELDS_H

#include "engine/condition.h"
#include "tests/support/vectors.h"

struct vectors_fields {
	struct scd_view view; /* first: getters find the rest behind it */
	struct scd_field_table table;
	struct vectors_case *c;
	const json_t *values, *types, *any_of;
	struct scd_event event;
};

/* From the `fields`, `types` and `any_of_values` of a case. They live as long as it. */
void vectors_fields_init(struct vectors_fields *fields, struct vectors_case *c);

/* A type as vectors write it: `CHARBUF`, `CHARBUF[]`, `numeric`. False: there is none of that name. */
bool vectors_type(const char *name, enum scd_type *ret_type, bool *ret_list);

/* A value of a type from JSON; false: none. */
bool vectors_value(struct vectors_case *c, const json_t *json, enum scd_type type, struct scd_value *ret_value);

/*
 * Compiles a condition over the fields. *ret_condition is NULL, with the reason in *ret_error, when it does not parse
 * or compile. False, and the case has failed, for any other reason.
 */
bool vectors_compile(struct vectors_fields *fields, struct scd_str text, struct scd__condition **ret_condition,
                     struct scd__compile_error *ret_error);

#endif
