/*
 * Alerts: one allocation that holds a packed SecurityEvent and what queues and logs ask for most.
 *
 *     | refs, priority, id | packed SecurityEvent | rule name NUL | sandbox id NUL |
 *
 * The packed bytes are the alert; its JSON is made from them. A message is put together in an arena of its own, not
 * in the scratch arena of the event: a sandbox that fills that one with an enormous execve still gets its alert.
 */
#include "seccheckd/alert/alert.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "message.h"
#include "seccheckd/base/limits.h"

#define ID_DIGITS 32

struct scd_alert {
	atomic_uint refs;
	enum scd_priority priority;
	char id[ID_DIGITS + 1];
	size_t protobuf_len, rule_len, sandbox_len;
	char data[]; /* the packed event, the rule's name and a NUL, the sandbox's id and a NUL */
};

/* security_event.proto leaves 0 to "not told"; the rest is Falco's order. */
_Static_assert(SECCHECKD__V1__PRIORITY__PRIORITY_EMERGENCY == (int)SCD_PRIORITY_EMERGENCY + 1, "first priority");
_Static_assert(SECCHECKD__V1__PRIORITY__PRIORITY_DEBUG == (int)SCD_PRIORITY_DEBUG + 1, "last priority");
_Static_assert(SECCHECKD__V1__IDENTITY__IDENTITY_VERIFIED == (int)SCD_IDENTITY_VERIFIED, "last identity");
_Static_assert(SECCHECKD__V1__WATCHED__WATCHED_WAITING == (int)SCD_WATCHED_WAITING, "first of watched");
_Static_assert(SECCHECKD__V1__WATCHED__WATCHED_TAINTED == (int)SCD_WATCHED_TAINTED, "last of watched");
#define X(name, word, help) \
	_Static_assert(SECCHECKD__V1__TAINT_REASON__TAINT_REASON_##name == (int)SCD_TAINT_##name, word);
SCD_TAINTS(X)
#undef X

/* XXH3-128 of nonce, sequence (little endian) and rule name, as hex digits of its canonical (big endian) form. */
static char *make_id(struct scd__maker *maker, const struct scd_alert_origin *origin, uint64_t sequence,
                     struct scd_str rule)
{
	static const char digits[] = "0123456789abcdef";
	size_t key_len = sizeof(origin->nonce) + sizeof(sequence) + rule.len;
	char *id = scd__make(maker, ID_DIGITS + 1, 1), *key = scd__make(maker, key_len, 1), *end = key;
	XXH128_canonical_t hash;

	if (maker->failed)
		return NULL;
	end = mempcpy(end, origin->nonce, sizeof(origin->nonce));
	for (size_t i = 0; i < sizeof(sequence); i++)
		*end++ = (char)(sequence >> 8 * i & 0xff);
	memcpy(end, rule.data, rule.len);
	XXH128_canonicalFromHash(&hash, XXH3_128bits(key, key_len));
	for (size_t i = 0; i < sizeof(hash.digest); i++) {
		id[2 * i] = digits[hash.digest[i] >> 4];
		id[2 * i + 1] = digits[hash.digest[i] & 15];
	}
	return id;
}

/* The event, and the packed rest of it: protobuf joins what stands one behind the other. */
static struct scd_alert *pack(const Seccheckd__V1__SecurityEvent *event, struct scd_str rest)
{
	const char *sandbox = event->sandbox ? event->sandbox->id : "";
	size_t event_len = seccheckd__v1__security_event__get_packed_size(event), protobuf_len = event_len + rest.len;
	size_t rule_len = strlen(event->rule->name), sandbox_len = strlen(sandbox);
	struct scd_alert *alert = malloc(sizeof(*alert) + protobuf_len + rule_len + 1 + sandbox_len + 1);
	char *end;

	if (!alert)
		return NULL;
	atomic_init(&alert->refs, 1);
	alert->priority = (enum scd_priority)(event->rule->priority - SECCHECKD__V1__PRIORITY__PRIORITY_EMERGENCY);
	memcpy(alert->id, event->id, sizeof(alert->id));
	alert->protobuf_len = protobuf_len;
	alert->rule_len = rule_len;
	alert->sandbox_len = sandbox_len;
	seccheckd__v1__security_event__pack(event, (uint8_t *)alert->data);
	if (rest.len)
		memcpy(alert->data + event_len, rest.data, rest.len);
	end = mempcpy(alert->data + protobuf_len, event->rule->name, rule_len + 1);
	memcpy(end, sandbox, sandbox_len + 1);
	return alert;
}

struct scd_alert *scd__alert_pack(const Seccheckd__V1__SecurityEvent *event)
{
	return pack(event, (struct scd_str){ NULL, 0 });
}

/* An alert with its output text, or with what is told in place of that. */
static struct scd_alert *make_alert(const struct scd_alert_origin *origin, const struct scd_rule *rule,
                                    const struct scd_view *view, const struct scd_str *text, struct scd_str who)
{
	Seccheckd__V1__SecurityEvent event;
	struct scd_arena arena;
	struct scd__maker maker = { &arena, false };
	struct scd_alert *alert = NULL;

	scd_arena_init(&arena, SCD__ARENA_CHUNK_BYTES, SCD_LIMIT_ALERT_ARENA_BYTES);
	seccheckd__v1__security_event__init(&event);
	event.id = make_id(&maker, origin, view->event->sequence, rule->name);
	scd__make_event(&maker, origin, rule, view, &event);
	if (text)
		scd__make_notice(&maker, rule, view, *text, &event);
	else
		scd__make_output(&maker, rule, view, &event);
	event.lineage_truncated = view->process && who.len == 0;
	if (!maker.failed)
		alert = pack(&event, who);
	scd_arena_done(&arena);
	return alert;
}

/* What surrounds a match must not suppress it: rather an alert without a process than none. */
struct scd_alert *scd_alert_new(const struct scd_alert_origin *origin, const struct scd_rule *rule,
                                const struct scd_view *view, struct scd_alert_who *who)
{
	return make_alert(origin, rule, view, NULL, scd__alert_who(view, who));
}

struct scd_alert *scd_alert_new_notice(const struct scd_alert_origin *origin, const struct scd_rule *rule,
                                       const struct scd_view *view, struct scd_str text)
{
	return make_alert(origin, rule, view, &text, (struct scd_str){ NULL, 0 });
}

struct scd_alert *scd_alert_ref(struct scd_alert *alert)
{
	atomic_fetch_add_explicit(&alert->refs, 1, memory_order_relaxed);
	return alert;
}

void scd_alert_unref(struct scd_alert **alert)
{
	struct scd_alert *old = *alert;

	*alert = NULL;
	if (old && atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) == 1)
		free(old);
}

const char *scd_alert_id(const struct scd_alert *alert)
{
	return alert->id;
}

enum scd_priority scd_alert_priority(const struct scd_alert *alert)
{
	return alert->priority;
}

const char *scd_alert_rule(const struct scd_alert *alert)
{
	return alert->data + alert->protobuf_len;
}

struct scd_str scd_alert_sandbox(const struct scd_alert *alert)
{
	return (struct scd_str){ alert->data + alert->protobuf_len + alert->rule_len + 1, alert->sandbox_len };
}

struct scd_str scd_alert_protobuf(const struct scd_alert *alert)
{
	return (struct scd_str){ alert->data, alert->protobuf_len };
}
