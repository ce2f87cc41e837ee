/*
 * What a rule can be on gVisor: which events can make it true, and what it asks for that nobody tells.
 *
 * A rule's condition is looked at for one event type after the other. Comparisons of fields that are missing then are
 * false, as when rules run; some have one value always; every other may be true or false. What is left true by that may
 * still be impossible, but what is left false never happens.
 */
#ifndef SECCHECKD_ENGINE_AUDIT_H
#define SECCHECKD_ENGINE_AUDIT_H

#include "seccheckd/engine/details.h"
#include "seccheckd/engine/ruleset.h"

/* From best to worst. X(ENUM, "name", "what it means") */
#define SCD_AUDIT_TABLE(X)                                                                             \
	X(FULL, "full", "works as it does in Falco")                                                   \
	X(ENRICHMENT, "enrichment",                                                                    \
	  "can match; reads fields that the host tells, of which this version leaves some missing")    \
	X(PARTIAL, "partial", "some of its event types, or of its fields, do not come from gVisor")    \
	X(NOT_YET, "not_yet", "cannot match until fields are filled that this version leaves missing") \
	X(NEVER, "never", "cannot match: gVisor does not tell what it asks for")

enum scd_audit_verdict {
#define X(id, name, doc) SCD_AUDIT_##id,
	SCD_AUDIT_TABLE(X) SCD_AUDIT_COUNT
#undef X
};

const char *scd_audit_name(enum scd_audit_verdict verdict);
const char *scd_audit_doc(enum scd_audit_verdict verdict);

struct scd_audit {
	enum scd_audit_verdict verdict;
	struct scd_kind_set kinds;   /* event types that can make it true */
	struct scd_kind_set partly;  /* such of which fields of the descriptor are what is known of it, and no more */
	struct scd_kind_set failing; /* such of which there are only failed calls, whatever is asked: attempts */
	struct scd_kind_set deaf;    /* those that can in Falco, and never do here, though gVisor sends them */
	struct scd_kind_set absent;  /* those that can in Falco, and never come, or only as failed calls */
	struct scd_names fields;     /* all that its condition reads, each as written */
	struct scd_names not_yet;    /* those of them that this version leaves missing, and might fill */
	struct scd_names in_part;    /* those that it fills at times */
	struct scd_names never;      /* those that gVisor cannot tell, and those that are always the same there */
	struct scd_names params;     /* parameters, also of the output, that none of its event types has */
};

/*
 * Looks at a rule of a set with keep_conditions. decoded: event types that have a message of their own, the others
 * being raw system calls with numbers only. Everything lives in the arena, or as long as the set. -ENOMEM.
 */
int scd_audit_rule(const struct scd_rule *rule, const struct scd_kind_set *decoded, struct scd_arena *arena,
                   struct scd_audit *ret_audit);

#endif
