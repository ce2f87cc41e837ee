/*
 * Inside the module: from a match to a protobuf message, and from a message to an alert.
 */
#ifndef SCD_SERVER_ALERT_MESSAGE_H
#define SCD_SERVER_ALERT_MESSAGE_H

#include "seccheckd/alert/alert.h"
#include "seccheckd/v1/security_event.pb-c.h"

/* An alert's arenas grow by this. */
#define SCD__ARENA_CHUNK_BYTES 16384u

/* What the parts of a message are made with. */
struct scd__maker {
	struct scd_arena *arena;
	bool failed; /* the arena is exhausted: what was made so far is of no use */
};

/*
 * The text as a protobuf string, NUL-terminated: at most max_bytes of it, and U+FFFD for each byte that is not UTF-8
 * and for NUL. *truncated is set to true when it was cut, else left alone; it may be NULL. Never NULL: an empty text
 * when the maker failed.
 */
char *scd__make_text(struct scd__maker *maker, struct scd_str text, size_t max_bytes, protobuf_c_boolean *truncated);

/* The text with its secrets masked; empty when the maker failed. */
struct scd_str scd__make_redacted(struct scd__maker *maker, struct scd_str text);

/* Zeroed memory; NULL when the maker failed. */
void *scd__make(struct scd__maker *maker, size_t count, size_t size);

/* An initialised message of a type; NULL when the maker failed. */
void *scd__make_message(struct scd__maker *maker, const ProtobufCMessageDescriptor *type);

/* Fills *ret_event (its own parts; it is initialised). Everything it points to is in the maker's arena. */
void scd__make_event(struct scd__maker *maker, const struct scd_alert_origin *origin, const struct scd_rule *rule,
                     const struct scd_view *view, Seccheckd__V1__SecurityEvent *ret_event);

/* Fills output, output_fields and their flags. */
void scd__make_output(struct scd__maker *maker, const struct scd_rule *rule, const struct scd_view *view,
                      Seccheckd__V1__SecurityEvent *ret_event);

/* The same with this text in place of the rule's output; evt.time is the only field. */
void scd__make_notice(struct scd__maker *maker, const struct scd_rule *rule, const struct scd_view *view,
                      struct scd_str text, Seccheckd__V1__SecurityEvent *ret_event);

/*
 * The packed process and lineage, with their flags, of a SecurityEvent that has nothing else; made if they are not yet.
 * Empty when the event belongs to no process, and on exhaustion.
 */
struct scd_str scd__alert_who(const struct scd_view *view, struct scd_alert_who *who);

/*
 * Packs a message. It has an id of 32 digits and all parts but a process: alerts are unpacked without asking again.
 * NULL on exhaustion.
 */
struct scd_alert *scd__alert_pack(const Seccheckd__V1__SecurityEvent *event);

#endif
