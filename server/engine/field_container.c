/*
 * Getters of containers: the id and the start. Everything else about a container is known to those who started it.
 */
#include "engine/container_view.h"
#include "engine/field_getters.h"

#define SHORT_ID_LEN 12u

struct scd_str scd_view_container_id(const struct scd_view *view)
{
	const struct scd_event *event = view->event;
	const struct scd_container *only;
	if (event->point == SCD_POINT_CONTAINER_START && event->u.start.id.len > 0)
		return event->u.start.id;
	if (event->context.container_id.len > 0)
		return event->context.container_id;
	if (view->process && view->process->container_id.len > 0)
		return view->process->container_id;
	only = scd_sandbox_container(view->sandbox, (struct scd_str){ NULL, 0 });
	return only ? only->id : (struct scd_str){ NULL, 0 };
}

const struct scd_container *scd__container_of(const struct scd_view *view)
{
	return scd_sandbox_container(view->sandbox, scd_view_container_id(view));
}

int64_t scd__container_init_start_ns(const struct scd_view *view, const struct scd_container *container)
{
	struct scd_process_ref ref = scd_sandbox_find(view->sandbox, container->init_tgid);
	const struct scd_process *init = scd_sandbox_process(view->sandbox, ref);
	return init ? init->start_time_ns : 0;
}

SCD__GETTER(scd__get_container_full_id)
{
	return scd__give_told(scd_view_container_id(view), ret_value);
}

SCD__GETTER(scd__get_container_id)
{
	if (!scd__get_container_full_id(view, arg, ret_value))
		return false;
	if (ret_value->text.len > SHORT_ID_LEN)
		ret_value->text.len = SHORT_ID_LEN;
	return true;
}

/* When container/start was not seen, its first process tells, as in Falco. */
static int64_t start_ns(const struct scd_view *view)
{
	const struct scd_container *container = scd__container_of(view);
	if (!container)
		return 0;
	return container->start_ns ? container->start_ns : scd__container_init_start_ns(view, container);
}

SCD__GETTER(scd__get_container_start_ts)
{
	return scd__give_ns(SCD_TYPE_UINT64, start_ns(view), ret_value);
}

SCD__GETTER(scd__get_container_duration)
{
	return scd__give_span(SCD_TYPE_RELTIME, start_ns(view), view->time_ns, ret_value);
}
