/*
 * SecurityEvents: what is told to the world about one match, or by the daemon itself about a sandbox.
 *
 * An alert is made inside the event's lifetime and copies all it needs; afterwards it is immutable, reference-counted
 * and free of pointers into messages or state, so that it can wait in queues and be encoded by several outputs. Its
 * content is proto/seccheckd/v1/security_event.proto; the JSON form is Falco's alert object with one more key,
 * `seccheckd`.
 *
 * The id is XXH3-128 of (connection nonce, message sequence, rule name) in hex: the same event gives the same id on
 * every try and in every replay. Secrets: arguments and text fields pass a redactor (alert/redact.h).
 */
#ifndef SECCHECKD_ALERT_ALERT_H
#define SECCHECKD_ALERT_ALERT_H

#include "seccheckd/base/buf.h"
#include "seccheckd/engine/eval.h"

/* How the sandbox's name was established. Values are those of security_event.proto. */
enum scd_identity {
	SCD_IDENTITY_UNKNOWN = 0,  /* no name at all */
	SCD_IDENTITY_CLAIMED = 1,  /* a payload said so */
	SCD_IDENTITY_VERIFIED = 2, /* established from the host side */
};

/* How well a sandbox is watched. Values are those of security_event.proto. */
enum scd_watched {
	SCD_WATCHED_WAITING = 1, /* connected, and its first message has not come yet */
	SCD_WATCHED_COVERED = 2, /* messages come, and none is known to be missing */
	SCD_WATCHED_MUTE = 3,    /* connected for long, and nothing has come */
	SCD_WATCHED_TAINTED = 4, /* messages come, and what is remembered of it may be incomplete */
};

/* What an alert says about the connection its event came on. */
struct scd_alert_origin {
	uint8_t nonce[16];
	enum scd_identity identity;
	struct scd_str sandbox_id;
	int64_t received_ns;    /* the host's clock when the message was evaluated; 0: a replay */
	uint64_t dropped_count; /* messages lost on this connection so far, as the sink counted */
	enum scd_watched watched;
	unsigned taints;          /* SCD_TAINT_BITs */
	int64_t tainted_since_ns; /* as scd_sandbox_tainted_since_ns has it */
	const char *rules_generation;
};

/*
 * The process of an event and its ancestors as alerts tell them: most of the work for an alert, the same for all rules
 * that match the event. Zeroed before the first of its alerts, done after the last one.
 */
struct scd_alert_who {
	char *packed;
	size_t len;
};

void scd_alert_who_done(struct scd_alert_who *who);

struct scd_alert;

/*
 * NULL on exhaustion. origin, rule and view are borrowed for the call; who is what the alerts of this view's event
 * share, made with the first of them.
 */
struct scd_alert *scd_alert_new(const struct scd_alert_origin *origin, const struct scd_rule *rule,
                                const struct scd_view *view, struct scd_alert_who *who);

/*
 * What the daemon itself has to tell of a sandbox. The rule is made up by the caller, without an output: the text
 * stands in its place. The view's event is of no kind and belongs to no process. NULL on exhaustion.
 */
struct scd_alert *scd_alert_new_notice(const struct scd_alert_origin *origin, const struct scd_rule *rule,
                                       const struct scd_view *view, struct scd_str text);
struct scd_alert *scd_alert_ref(struct scd_alert *alert); /* any thread */
void scd_alert_unref(struct scd_alert **alert);

/* The 32 hex digits of its id, NUL-terminated. */
const char *scd_alert_id(const struct scd_alert *alert);
enum scd_priority scd_alert_priority(const struct scd_alert *alert);
const char *scd_alert_rule(const struct scd_alert *alert);

/* The id of its sandbox as the event tells it; empty when there is none. Lives as long as the alert. */
struct scd_str scd_alert_sandbox(const struct scd_alert *alert);

/* A packed seccheckd.v1.SecurityEvent. Lives as long as the alert. */
struct scd_str scd_alert_protobuf(const struct scd_alert *alert);

/* Appends Falco's alert object in one line, keys sorted, no blanks, no line break. -ENOMEM. */
int scd_alert_json(const struct scd_alert *alert, struct scd_buf *ret_json);

#endif
