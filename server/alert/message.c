/*
 * The parts of a SecurityEvent that are copied as they are: host, sandbox, rule, coverage, event.
 */
#include "message.h"

#include "seccheckd/base/limits.h"

static char *make_word(struct scd__maker *maker, struct scd_str text)
{
	return scd__make_text(maker, text, SCD_LIMIT_ALERT_TEXT_BYTES, NULL);
}

static Seccheckd__V1__Sandbox *make_sandbox(struct scd__maker *maker, const struct scd_alert_origin *origin)
{
	Seccheckd__V1__Sandbox *out = scd__make_message(maker, &seccheckd__v1__sandbox__descriptor);

	if (!out)
		return NULL;
	out->id = make_word(maker, origin->sandbox_id);
	out->identity = (Seccheckd__V1__Identity)origin->identity;
	return out;
}

static Seccheckd__V1__Rule *make_rule(struct scd__maker *maker, const struct scd_rule *rule, const char *generation)
{
	Seccheckd__V1__Rule *out = scd__make_message(maker, &seccheckd__v1__rule__descriptor);

	if (!out)
		return NULL;
	out->name = make_word(maker, rule->name);
	out->priority = (Seccheckd__V1__Priority)(rule->priority + SECCHECKD__V1__PRIORITY__PRIORITY_EMERGENCY);
	out->source = make_word(maker, rule->source);
	out->description = make_word(maker, rule->desc);
	out->generation = make_word(maker, scd_str_from(generation));
	out->tags = scd__make(maker, rule->tag_count, sizeof(*out->tags));
	for (size_t i = 0; i < rule->tag_count && !maker->failed; i++)
		out->tags[out->n_tags++] = make_word(maker, rule->tags[i]);
	return out;
}

static Seccheckd__V1__Coverage *make_coverage(struct scd__maker *maker, const struct scd_alert_origin *origin)
{
	Seccheckd__V1__Coverage *out = scd__make_message(maker, &seccheckd__v1__coverage__descriptor);

	if (!out)
		return NULL;
	out->dropped_count = origin->dropped_count;
	out->tainted = origin->taints != 0;
	out->watched = (Seccheckd__V1__Watched)origin->watched;
	out->tainted_since_ns = origin->tainted_since_ns;
	out->taint_reasons = scd__make(maker, SCD_TAINT_END, sizeof(*out->taint_reasons));
	for (unsigned taint = 1; taint < SCD_TAINT_END && !maker->failed; taint++)
		if (origin->taints & SCD_TAINT_BIT(taint))
			out->taint_reasons[out->n_taint_reasons++] = (Seccheckd__V1__TaintReason)taint;
	return out;
}

static Seccheckd__V1__Event *make_event(struct scd__maker *maker, const struct scd_event *event)
{
	Seccheckd__V1__Event *out = scd__make_message(maker, &seccheckd__v1__event__descriptor);

	if (!out)
		return NULL;
	out->type = make_word(maker, scd_kind_name(event->kind));
	if (event->point != SCD_POINT_UNKNOWN)
		out->point = make_word(maker, scd_str_from(scd_point_name(event->point)));
	out->sequence = event->sequence;
	out->thread_id = event->context.thread_id;
	out->truncated = event->truncated;
	return out;
}

void scd__make_event(struct scd__maker *maker, const struct scd_alert_origin *origin, const struct scd_rule *rule,
                     const struct scd_view *view, Seccheckd__V1__SecurityEvent *ret_event)
{
	ret_event->time_ns = view->time_ns;
	ret_event->received_ns = origin->received_ns;
	ret_event->hostname = make_word(maker, view->host->hostname);
	ret_event->boot_id = make_word(maker, view->host->boot_id);
	ret_event->sandbox = make_sandbox(maker, origin);
	ret_event->container_id = make_word(maker, scd_view_container_id(view));
	ret_event->rule = make_rule(maker, rule, origin->rules_generation);
	ret_event->coverage = make_coverage(maker, origin);
	ret_event->event = make_event(maker, view->event);
}
