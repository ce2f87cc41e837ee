/*
 * The names that a condition uses: what `describe` of Falco tells of it.
 */
#ifndef SECCHECKD_ENGINE_DETAILS_H
#define SECCHECKD_ENGINE_DETAILS_H

#include "seccheckd/base/arena.h"

struct scd_ast;

struct scd_names {
	struct scd_str *items;
	size_t count, room;
};

/* Each a sorted set; all in one arena. */
struct scd_details {
	struct scd_names fields; /* with their arguments: `proc.aname[2]` */
	struct scd_names macros, operators, lists, transformers;
};

/* Names that mean a macro or a list where they stand. NULL for either: none does. */
typedef bool scd_is_known_fn(void *user, struct scd_str name);

struct scd_known {
	scd_is_known_fn *is_macro, *is_list;
	void *user;
};

/* Adds what a tree uses. Texts are those of the tree, but for fields with arguments. -ENOMEM. */
int scd_details_add(struct scd_details *details, const struct scd_ast *ast, const struct scd_known *known,
                    struct scd_arena *arena);

/* Adds a name to a sorted set, if it is not in it. -ENOMEM. */
int scd_names_add(struct scd_names *names, struct scd_str name, struct scd_arena *arena);

#endif
