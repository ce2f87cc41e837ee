/*
 * `seccheckd rules test`: files of tests as they were read, and what became of the tests.
 *
 *   rules_test.c         the command: files one after the other, and what it prints
 *   rules_test_read.c    a file to tests; everything wrong in it has a place
 *   rules_test_fields.c  events that are maps: values of fields, and a table of fields that reads them
 *   rules_test_run.c     events through rules, and what was expected of that
 */
#ifndef SCD_SERVER_CLI_RULES_TEST_H
#define SCD_SERVER_CLI_RULES_TEST_H

#include <jansson.h>

#include "rules_clauses.h"
#include "seccheckd/base/yaml.h"
#include "seccheckd/engine/eval.h"

/* What was wrong in test files: printed as it is found, and collected where errors are wanted as JSON. */
struct scd__test_errors {
	size_t count;
	json_t *json; /* an array; NULL: nobody wants it */
};

/* `proc.aname[2]: sh` */
struct scd__test_field {
	const struct scd_field *field; /* of the catalogue */
	bool has_arg;
	struct scd_str arg;
	bool is_missing; /* null: missing, also where the defaults have a value */
	struct scd_value value;
};

struct scd__test_fields {
	struct scd__test_field *items;
	size_t count;
};

struct scd__test_event {
	struct scd__test_fields own;
	const struct scd__test_fields *defaults; /* for what is not among its own; may be NULL */
	uint16_t kind;
};

/* One of `expect` or of `expect_silence`. */
struct scd__test_expect {
	const struct scd_yaml_node *node; /* where its rule is named */
	struct scd_str rule_name;
	uint32_t rule; /* its index in the set, once that is there */
	bool has_count, has_priority;
	uint64_t count;
	enum scd_priority priority;
	const struct scd_yaml_node *contains; /* a text or a sequence of texts; NULL: none */
	const struct scd_yaml_node *fields;   /* a map of texts; NULL: none */
};

struct scd__test {
	struct scd_str name;
	const struct scd_yaml_node *node;
	struct scd__test_event *events;
	size_t event_count;
	const char *trace; /* NULL: it has events */
	struct scd__test_expect *expects;
	size_t expect_count;
	struct scd__test_expect *silences; /* of these only the rule */
	size_t silence_count;
	bool is_else_silent; /* expect_silence: all; no rule but the expected ones may match */
};

/* A file; what it points to is in its arena or its document. */
struct scd__test_file {
	struct scd_yaml *yaml;
	struct scd_arena arena;
	const char **rule_files;
	size_t rule_file_count;
	struct scd__test_fields defaults;
	struct scd__test *tests;
	size_t test_count;
};

/* An error in a file of tests, and its place. The hint may be empty. */
void scd__test_error(struct scd__test_errors *errors, const struct scd__test_file *file,
                     const struct scd_yaml_node *node, const char *hint, const char *format, ...)
        __attribute__((format(printf, 5, 6)));

/* Reads a file. False: something is wrong, and was told. done also after that. */
bool scd__test_file_read(const char *path, struct scd__test_errors *errors, struct scd__test_file *ret_file);
void scd__test_file_done(struct scd__test_file *file);

/* Reads a map of values. False as above. */
bool scd__test_fields_read(struct scd__test_file *file, const struct scd_yaml_node *map,
                           struct scd__test_errors *errors, struct scd__test_fields *ret_fields);

/* The kind that a map's evt.type says, its own or the default one. False as above. */
bool scd__test_event_kind(struct scd__test_file *file, const struct scd_yaml_node *map, struct scd__test_errors *errors,
                          struct scd__test_event *event);

/*
 * The table of fields over events of tests, for scd_ruleset_options.fields: names, types and arguments are the
 * catalogue's, and every field, also one that nothing tells on gVisor, has the value that the event gives it. Lives as
 * long as the process. NULL on exhaustion.
 */
const struct scd_field_table *scd__test_field_table(void);

/* What rules of that table look at. */
struct scd__test_view {
	struct scd_view view; /* first: getters find the rest behind it */
	struct scd_event event;
	const struct scd__test_event *test_event;
};
void scd__test_view_init(struct scd__test_view *view, const struct scd__test_event *event, struct scd_arena *scratch);

/* A set of rules with what runs it. */
struct scd__test_rules {
	struct scd_ruleset *set;
	struct scd__explainer explainer;
};

/* What did not come as expected. */
struct scd__test_failure {
	const struct scd_yaml_node *node;
	struct scd_str what;
	struct scd_str why; /* empty: no more is known */
};

struct scd__test_result {
	struct scd__test_failure *failures; /* in the arena that run was given */
	size_t count, room;
	struct scd_kind_set kinds; /* event types that there were */
};

/*
 * Runs a test over rules: of the table above for events, of the catalogue for a trace. 0 with the result; -ENOMEM, or
 * another negative errno with err filled: the trace cannot be read.
 */
int scd__test_run(const struct scd__test *test, struct scd__test_rules *rules, struct scd_arena *arena,
                  struct scd__test_result *ret_result, struct scd_error *err);

#endif
