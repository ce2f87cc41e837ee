/*
 * In the worker: says, in its last moment, which thread crashes. Inside server/keeper only.
 */
#ifndef SCD_SERVER_KEEPER_FAULTS_H
#define SCD_SERVER_KEEPER_FAULTS_H

#include <stddef.h>

#include "seccheckd/wire/pulse.h"

/*
 * Handles the signals of a crash, unless somebody does already (a sanitizer): the pulse of the thread that crashes gets
 * SCD_PULSE_FAULT_HERE, or, when it has none, the first one SCD_PULSE_FAULT_ELSEWHERE; then the signal
 * does what it would have done. For the whole process; the pulses stay where they are.
 */
void scd__faults_watch(struct scd_pulse *pulses, size_t count);

#endif
