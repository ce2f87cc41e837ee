/*
 * Why a rule matches an event, or why not: its condition as clauses, each with its truth.
 *
 *     rule                                      clauses of an event (evt.type = execve, proc.name = sh)
 *       started and proc.name = xmrig             AND                              false
 *                                                   MACRO started                  true
 *                                                     CHECK evt.type = execve      true
 *                                                   CHECK proc.name = xmrig        false
 *
 * Clauses are what a condition was written as: macros and exceptions keep their names. Their checks are those that
 * the rule's program is made of, so they are judged by the engine that judges the rule; but all of them are, where a
 * program goes on only as far as it has to. For tools: a set keeps clauses if it is asked to (keep_clauses), which
 * costs memory.
 */
#ifndef SECCHECKD_ENGINE_EXPLAIN_H
#define SECCHECKD_ENGINE_EXPLAIN_H

#include "seccheckd/engine/eval.h"

enum scd_clause_kind {
	SCD_CLAUSE_AND, /* children: 2.. */
	SCD_CLAUSE_OR,  /* children: 2.. */
	SCD_CLAUSE_NOT, /* children: 1, as have the two below */
	SCD_CLAUSE_MACRO,
	SCD_CLAUSE_EXCEPTION, /* what the rule leaves alone; below a NOT */
	SCD_CLAUSE_CHECK,
};

struct scd__expr;

/* A field or a transformer that a check reads. */
struct scd_clause_side {
	struct scd_str text; /* canonical: `proc.aname[2]`, `toupper(proc.name)` */
	const struct scd__expr *expr;
};

struct scd_clause {
	enum scd_clause_kind kind;
	uint32_t number;     /* in its rule, from 0 */
	struct scd_str text; /* of a MACRO or EXCEPTION its name; of a CHECK its canonical text, lists put in */
	const struct scd_clause **children;
	size_t child_count;

	/* Of a CHECK: what it reads; behind a transformer, the fields that it is made from. */
	const struct scd_clause_side *sides;
	size_t side_count;
	uint32_t predicate;
};

/* Of a CHECK, ABSENT: it is false, since a value that it compares is missing. Everything else is true or false. */
enum scd_truth { SCD_TRUTH_FALSE, SCD_TRUTH_TRUE, SCD_TRUTH_ABSENT };

/* "false", "true", "absent". */
const char *scd_truth_name(enum scd_truth truth);

/*
 * Judges every clause of a rule of the evaluator's set, for an event of any kind. Fills ret_truths, of which the index
 * is the clause's number, rule->clause_count of them. Returns whether the condition holds. The rule has clauses.
 */
bool scd_evaluator_explain(struct scd_evaluator *evaluator, const struct scd_rule *rule, const struct scd_view *view,
                           enum scd_truth *ret_truths);

/*
 * What a side was for the event explained last; false: missing. The view is the same as then; the value lives as long
 * as the event.
 */
bool scd_evaluator_side(struct scd_evaluator *evaluator, const struct scd_clause_side *side,
                        const struct scd_view *view, struct scd_value *ret_value);

#endif
