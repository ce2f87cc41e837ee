/*
 * Compiled rules: slots, predicates and jump programs.
 *
 * Inside server/engine only.
 *
 *   expression  a field with its argument, or a transformer (engine/expr.h); its value is got at most once per event
 *   predicate   one comparison of an expression with constants, or with another one; its result is computed at most
 *               once per event
 *   program     a condition as jumps between predicates. Missing values make a comparison false and `not` of it true,
 *               so a condition is a two-valued function of its predicates, and and/or/not are only a matter of where
 *               to go next:
 *
 *                 a and (b or not c)        0: a ? 1 : NO     1: b ? MATCH : 2     2: c ? NO : MATCH
 *
 * Expressions and predicates are shared by all rules of a set: what reads the same is the same predicate.
 */
#ifndef SCD_SERVER_ENGINE_PROGRAM_H
#define SCD_SERVER_ENGINE_PROGRAM_H

#include <stdatomic.h>

#include "engine/expr.h"
#include "engine/items.h"
#include "seccheckd/event/kind.h"
#include "seccheckd/index/automaton.h"
#include "seccheckd/index/glob.h"
#include "seccheckd/index/pathset.h"
#include "seccheckd/index/rangeset.h"
#include "seccheckd/index/regex.h"
#include "seccheckd/index/strset.h"

struct scd_evaluator;

/* What a predicate does; the operators of the language are listed in predicate.c. */
enum scd__op {
	SCD__OP_EXISTS,
	SCD__OP_EQ,
	SCD__OP_NE,
	SCD__OP_LT,
	SCD__OP_LE,
	SCD__OP_GT,
	SCD__OP_GE,
	SCD__OP_IN,
	SCD__OP_INTERSECTS,
	SCD__OP_CONTAINS,
	SCD__OP_ICONTAINS,
	SCD__OP_STARTSWITH,
	SCD__OP_ENDSWITH,
	SCD__OP_GLOB,
	SCD__OP_IGLOB,
	SCD__OP_REGEX,
	SCD__OP_PMATCH,
	SCD__OP_KIND, /* any equality of evt.type with constants */
};

/* How many of the constants of a check have to satisfy it; IN, INTERSECTS and PMATCH need one, too. */
enum scd__quantity {
	SCD__ANY_OF,
	SCD__ONE_OF, /* exactly */
	SCD__ALL_OF, /* of none: not satisfied */
};

/* An address or a network; prefix_bits 32 or 128 for a single address. */
struct scd__cidr {
	struct scd_ip ip;
	unsigned prefix_bits;
};

/* A constant, parsed for the type of what it is compared with. */
union scd__constant {
	bool boolean;
	int64_t i64;
	uint64_t u64;
	double real;
	struct {
		struct scd_str text;
		const struct scd_glob *glob; /* of GLOB and IGLOB: what text is */
	};
	struct scd__cidr cidr;
	const struct scd_regex *regex;
};

struct scd__predicate {
	enum scd__op op;
	enum scd__quantity quantity;
	bool never; /* the left or right side has no source here: always false */
	const struct scd__expr *left;
	const struct scd__expr *right;        /* NULL: constants */
	const union scd__constant *constants; /* one, or those of a list */
	size_t constant_count;
	const struct scd_strset *strings;       /* of IN and INTERSECTS over text */
	const struct scd_rangeset *ranges;      /* the same over numbers and IPv4 */
	const struct scd_rangeset *ipv6_ranges; /* the same; there whenever ranges of addresses are */
	const struct scd_pathset *paths;        /* of PMATCH */
	struct scd_kind_set kinds;              /* of KIND */
	const uint32_t
	        *needle_ids; /* of CONTAINS and ICONTAINS: of each constant, in the automaton; NULL: there is none */
	uint32_t automaton;  /* which of the set */
};

/* Jump targets below 0. */
#define SCD__MATCH (-1)
#define SCD__NO    (-2)

struct scd__node {
	uint32_t predicate;
	int32_t on_true, on_false;
};

/* What a rule needs to match: one of these predicates holds (gate.h). Open: nobody knows of anything. */
struct scd__gate {
	const uint32_t *atoms;
	size_t count;
	bool open;
};

struct scd__plan; /* plan.h */

struct scd_ruleset {
	atomic_uint refs;
	struct scd_arena arena; /* everything below */
	struct scd_rule *rules;
	int32_t *entries;        /* per rule: first node, or SCD__MATCH / SCD__NO */
	struct scd__gate *gates; /* per rule */
	size_t rule_count;
	size_t slot_count; /* of expressions */
	struct scd__predicate *predicates;
	size_t predicate_count, predicate_room;
	struct scd__node *nodes;
	size_t node_count, node_room;
	const struct scd__plan *plans[SCD_KIND_COUNT]; /* NULL: no rule reads events of this kind */
	size_t largest_plan;                           /* rules of one */
	struct scd_kind_set kinds;
	const struct scd_automaton **automatons; /* needles.h */
	size_t automaton_count, automaton_room;
	struct scd_regex **regexes; /* all, to be freed */
	size_t regex_count, regex_room;
	bool match_first, reads_env;
	char generation[17];
};

/* State of one build: the set under construction and what is needed only while building. */
struct scd__build {
	struct scd__collection *collection;
	struct scd_ruleset *set;
	struct scd__exprs exprs;
	struct scd_strmap predicate_by_key; /* values are index + 1 */
	struct scd_arena scratch;
};

/* A predicate for a check (SCD_AST_UNARY or _BINARY). 0 with its index, -EINVAL with the reason, -ENOMEM. */
int scd__predicate_new(struct scd__build *build, const struct scd_ast *check, uint32_t *ret_index,
                       struct scd__compile_error *ret_error);

/*
 * A condition's nodes; *ret_entry is where it starts, *ret_gate what has to hold for it to be true. Macros are put in
 * on the way. -EINVAL with the reason, -ENOMEM, -E2BIG (too many nodes), -ECANCELED (a macro that was already reported
 * as broken).
 */
int scd__program_new(struct scd__build *build, const struct scd_ast *condition, int32_t *ret_entry,
                     struct scd__gate *ret_gate, struct scd__compile_error *ret_error);

/*
 * Event kinds for which a condition can be true at all (SPEC 2.8), from its checks of evt.type and evt.num alone.
 * Conditions compile, so macros exist. -EINVAL with the reason: evt.type within a transformer, or compared with a
 * field.
 */
int scd__static_kinds(const struct scd__build *build, const struct scd_ast *condition, struct scd_kind_set *ret_kinds,
                      struct scd__compile_error *ret_error);

/* Whether a check is an equality of evt.type or syscall.type with constants: its result depends on the kind alone. */
bool scd__is_kind_check(const struct scd_ast *check);

/* The kinds that such a check allows. Unknown names are left out. */
void scd__check_kinds(const struct scd_ast *check, struct scd_kind_set *ret_kinds);

/* The constants on the right of a check, as texts. False: something else stands there. */
bool scd__check_constants(const struct scd_ast *check, const struct scd_str **ret_texts, size_t *ret_count);

/*
 * A constant for an operator on values of a type (constant.c). -EINVAL with the reason, -ENOMEM. A regex belongs to the
 * set from then on.
 */
int scd__constant_parse(struct scd_ruleset *set, const struct scd__expr *left, enum scd__op op, bool is_hex,
                        const struct scd_ast *node, struct scd_str text, union scd__constant *ret_constant,
                        struct scd__compile_error *ret_error);

/*
 * Gives each regex of a finished set its share of SCD_LIMIT_REGEXES_BYTES (constant.c). -EINVAL when a pattern needs
 * more, which was reported; -ENOMEM.
 */
int scd__regexes_share(struct scd_ruleset *set, struct scd_diags *diags);

/* Leaves comments out of a condition (comments.c); *text then points into the build's scratch arena. -ENOMEM. */
int scd__strip_comments(struct scd__build *build, const struct scd__text *parts, const char *kind, struct scd_str name,
                        struct scd_str *text);

/* What a rule prints: its own output and the extra ones that it gets (SPEC 1.10). Lives in the set. output.c */
int scd__output_text(struct scd__build *build, const struct scd__rule_item *item,
                     const struct scd_ruleset_options *options, struct scd_str *ret_text);

/* Reports an error of an output, of which the column is the byte of its text. output.c */
void scd__report_output(struct scd__build *build, const struct scd__rule_item *item, enum scd_diag_code code,
                        struct scd_str text, const struct scd_error *err);

/* Warns of deprecated fields in what a rule prints. output.c */
void scd__warn_output(struct scd__build *build, const struct scd__rule_item *item, const struct scd_format *format);

/* The condition of a rule that compiles, macros resolved, into the set. output.c */
int scd__keep_condition(struct scd__build *build, const struct scd__rule_item *item, struct scd_rule *rule);

/*
 * The condition of a rule that compiles as clauses, into the set (explain.c). One that is too large for that has none.
 * -ENOMEM.
 */
int scd__clauses_new(struct scd__build *build, const struct scd__rule_item *item, struct scd_rule *rule);

/* Whether a rule is evaluated after all switches. select.c */
bool scd__rule_is_enabled(const struct scd_rule *rule, const struct scd_ruleset_options *options);

/* The macro an identifier means, or NULL. */
struct scd__macro_item *scd__macro_get(const struct scd__build *build, struct scd_str name);

/* Whether a field gives an environment. field.c */
bool scd__field_reads_env(const struct scd_field_use *use);

/* Of an output: whether it shows an environment, and the field that one of its fields is made from. format.c */
bool scd__format_reads_env(const struct scd_format *format);
const struct scd_field *scd__format_source(const struct scd_format *format, size_t index);

/* Whether one rule of the set matches an event, whatever its buckets. eval.c */
bool scd__evaluator_matches(struct scd_evaluator *evaluator, uint32_t rule, const struct scd_view *view);

/*
 * One predicate after the other, of an event that begin begins: whether it holds; whether a value that it compares is
 * missing; the value of an expression, or NULL. eval.c
 */
void scd__evaluator_begin(struct scd_evaluator *evaluator);
bool scd__evaluator_holds(struct scd_evaluator *evaluator, uint32_t predicate, const struct scd_view *view);
bool scd__evaluator_misses(struct scd_evaluator *evaluator, uint32_t predicate, const struct scd_view *view);
const struct scd_value *scd__evaluator_value(struct scd_evaluator *evaluator, const struct scd__expr *expr,
                                             const struct scd_view *view);

/* What an automaton of the set finds in the value of the expression that it is for. eval.c */
const struct scd_hits *scd__evaluator_hits(struct scd_evaluator *evaluator, uint32_t automaton,
                                           const struct scd_value *value);

/* One comparison. The values are present; right is NULL where the predicate has constants. Not for KIND. */
bool scd__predicate_holds(const struct scd__predicate *predicate, const struct scd_value *left,
                          const struct scd_value *right, struct scd_arena *scratch);

#endif
