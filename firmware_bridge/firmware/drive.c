#include "drive.h"

#define ENABLE_TOLERANCE 87266   /* 0.5 degrees [1e-7 rad] */
#define NO_JOINT 255u

bool al_drive_init(al_drive_t *drive, const al_port_t *port, const al_config_t *config)
{
    *drive = (al_drive_t){.port = port, .config = *config, .override_pct = 100u, .fault_joint = NO_JOINT};
    drive->sound = al_limits_make(&drive->limits, config);
    drive->path.curve.joints = drive->limits.joints;
    al_ramp_set(&drive->ramp, 1.0f);
    port->power(port->ctx, false);
    return drive->sound; /* ready at the first tick, when it is known where the joints are */
}

bool al_drive_powered(const al_drive_t *drive)
{
    return (drive->state == AL_DRIVE_SWITCHED_ON) || (drive->state == AL_DRIVE_OPERATION_ENABLED)
           || (drive->state == AL_DRIVE_QUICK_STOP_ACTIVE) || (drive->state == AL_DRIVE_FAULT_REACTION_ACTIVE);
}

bool al_drive_moving(const al_drive_t *drive)
{
    return (drive->motion == AL_MOTION_RUN) || (drive->motion == AL_MOTION_HOLDING)
           || (drive->state == AL_DRIVE_QUICK_STOP_ACTIVE) || (drive->state == AL_DRIVE_FAULT_REACTION_ACTIVE);
}

int64_t al_drive_error(const al_drive_t *drive, uint8_t joint)
{
    const int64_t error = (int64_t)drive->path.setpoint.pos[joint] - drive->feedback.pos[joint];
    return (error < 0) ? -error : error;
}

/* -------------------------------------------------------------------------------------------------- events */

void al_drive_event(al_drive_t *drive, uint16_t code, uint8_t source, uint32_t t_us, int32_t data)
{
    drive->event_no++;
    if (drive->event_count == AL_EVENTS) {
        drive->events_lost++;
    } else {
        al_pending_event_t *pending = &drive->events[(drive->event_head + drive->event_count) % AL_EVENTS];
        *pending = (al_pending_event_t){
            .event = {.event_no = drive->event_no, .t_us = t_us, .code = code, .source = source, .data = data}};
        drive->event_count++;
    }
}

void al_drive_event_ack(al_drive_t *drive, uint16_t event_no)
{
    for (uint8_t i = 0; i < drive->event_count; i++) {
        al_pending_event_t *pending = &drive->events[(drive->event_head + i) % AL_EVENTS];
        pending->acknowledged = pending->acknowledged || (pending->event.event_no == event_no);
    }
    while ((drive->event_count > 0u) && drive->events[drive->event_head].acknowledged) {
        drive->event_head = (uint8_t)((drive->event_head + 1u) % AL_EVENTS);
        drive->event_count--;
    }
}

/* ----------------------------------------------------------------------------------------- holds and stops */

/* At rest where it stands, with nothing buffered and no hold. */
static void forget_motion(al_drive_t *drive)
{
    drive->motion = AL_MOTION_IDLE;
    drive->idle_us = drive->now_us;
    drive->cause = AL_HOLD_CAUSE_NONE;
    drive->hold_id = 0u;
    al_path_clear(&drive->path);
    al_ramp_set(&drive->ramp, (float)drive->override_pct * 0.01f);
}

void al_drive_power_off(al_drive_t *drive, uint8_t state)
{
    drive->port->power(drive->port->ctx, false);
    drive->state = state;
    forget_motion(drive);
}

static void slow_down(al_drive_t *drive, float wished_s)
{
    if (drive->path.running && (drive->motion != AL_MOTION_HELD)) {
        const float limit = drive->limits.stop_max_s;
        const float ramp_s = al_path_ramp(&drive->path, &drive->ramp, (wished_s < limit) ? wished_s : limit);
        const float left_s = (drive->ramp.duration_us - drive->ramp.t_us) * 1e-6f;
        if ((drive->motion != AL_MOTION_HOLDING) || (ramp_s < left_s)) {
            al_ramp_start(&drive->ramp, 0.0f, ramp_s);
        }
        drive->motion = AL_MOTION_HOLDING;
    } else {
        al_ramp_set(&drive->ramp, 0.0f);
        drive->motion = AL_MOTION_HELD;
    }
}

void al_drive_hold(al_drive_t *drive, uint8_t cause, float ramp_s)
{
    const bool held = (drive->motion == AL_MOTION_HOLDING) || (drive->motion == AL_MOTION_HELD);
    if (drive->state != AL_DRIVE_OPERATION_ENABLED) {
        /* nothing moves */
    } else if (!held || (drive->cause == AL_HOLD_CAUSE_STARVED)) { /* a starved arm would go on by itself */
        if (!(held && (cause == AL_HOLD_CAUSE_STARVED))) {
            drive->last_hold_id = (uint16_t)((drive->last_hold_id == 0xFFFFu) ? 1u : (drive->last_hold_id + 1u));
            drive->hold_id = drive->last_hold_id;
            drive->cause = cause;
            al_drive_event(drive, AL_EVENT_CODE_HOLD, cause, drive->now_us, drive->hold_id);
            if (!held) {
                slow_down(drive, ramp_s);
            }
        }
    } else {
        /* held already, and not to be released by anybody else */
    }
}

void al_drive_quick_stop(al_drive_t *drive, uint16_t reason)
{
    if (drive->state == AL_DRIVE_OPERATION_ENABLED) {
        slow_down(drive, 0.0f);
        drive->state = AL_DRIVE_QUICK_STOP_ACTIVE;
        drive->cause = AL_HOLD_CAUSE_STOP;
        drive->hold_id = 0u;
        drive->stop_us = drive->now_us;
        drive->stop_reason = reason;
    } else if (drive->state == AL_DRIVE_SWITCHED_ON) {
        al_drive_power_off(drive, AL_DRIVE_SWITCH_ON_DISABLED);
    } else {
        /* stopping or without power */
    }
}

void al_drive_fault(al_drive_t *drive, uint16_t fault, uint8_t joint)
{
    if (drive->fault == AL_FAULT_NONE) {
        drive->fault = fault;
        drive->fault_joint = joint;
        drive->latch_count++;
        al_drive_event(drive, fault, joint, drive->now_us, drive->latch_count);
        if (!al_drive_moving(drive)) {
            al_drive_power_off(drive, AL_DRIVE_FAULT);
        } else {
            if (drive->state == AL_DRIVE_OPERATION_ENABLED) {
                slow_down(drive, 0.0f);
                drive->stop_us = drive->now_us;
            }
            drive->state = AL_DRIVE_FAULT_REACTION_ACTIVE;
            drive->cause = AL_HOLD_CAUSE_STOP;
            drive->hold_id = 0u;
        }
    }
    /* Whatever was latched before: no ramp without control over the motors, or after its time. */
    if ((fault == AL_FAULT_STO) || (fault == AL_FAULT_DRIVE) || (fault == AL_FAULT_STOP_OVERRUN)) {
        al_drive_power_off(drive, AL_DRIVE_FAULT);
    }
}

/* ------------------------------------------------------------------------------------------------- commands */

void al_drive_open(al_drive_t *drive)
{
    drive->confirmed = false;
    drive->synced = false;
    drive->override_pct = 100u;
    drive->event_count = 0u;
    al_drive_power_off(drive, al_drive_powered(drive) || (drive->state == AL_DRIVE_READY_TO_SWITCH_ON)
                                  ? (uint8_t)AL_DRIVE_SWITCH_ON_DISABLED
                                  : drive->state);
    drive->path.last_id = 0u;
}

static uint8_t may_power(const al_drive_t *drive)
{
    uint8_t result = AL_RESULT_OK;
    if (!drive->confirmed) {
        result = AL_RESULT_NOT_CONFIRMED;
    } else if (!drive->synced) {
        result = AL_RESULT_NOT_SYNCED;
    } else if (drive->feedback.fault != AL_FAULT_NONE) {
        result = AL_RESULT_STILL_FAULTY;
    } else {
        /* yes */
    }
    return result;
}

static uint8_t switch_on(al_drive_t *drive)
{
    const uint8_t result = may_power(drive);
    if (result == AL_RESULT_OK) {
        drive->port->power(drive->port->ctx, true);
        drive->state = AL_DRIVE_SWITCHED_ON;
    }
    return result;
}

static uint8_t enable(al_drive_t *drive)
{
    uint8_t result = may_power(drive);
    for (uint8_t j = 0; (result == AL_RESULT_OK) && (j < drive->limits.joints); j++) {
        if (al_drive_error(drive, j) > ENABLE_TOLERANCE) {
            result = AL_RESULT_NOT_FOLLOWING;
        }
    }
    if (result == AL_RESULT_OK) {
        drive->state = AL_DRIVE_OPERATION_ENABLED;
        drive->motion = AL_MOTION_IDLE;
        drive->idle_us = drive->now_us;
    }
    return result;
}

/* From an enabled or switched-on drive back to one with less power; never while the arm moves. */
static uint8_t step_down(al_drive_t *drive, uint8_t state)
{
    uint8_t result = AL_RESULT_OK;
    if (al_drive_moving(drive)) {
        result = AL_RESULT_MOVING;
    } else if (state == AL_DRIVE_SWITCHED_ON) {
        forget_motion(drive);
        drive->state = AL_DRIVE_SWITCHED_ON;
    } else {
        al_drive_power_off(drive, state);
    }
    return result;
}

uint8_t al_drive_control(al_drive_t *drive, uint16_t controlword)
{
    const uint8_t state = drive->state;
    const bool disabled = (state == AL_DRIVE_SWITCH_ON_DISABLED);
    const bool ready = (state == AL_DRIVE_READY_TO_SWITCH_ON);
    const bool on = (state == AL_DRIVE_SWITCHED_ON);
    const bool enabled = (state == AL_DRIVE_OPERATION_ENABLED);
    uint8_t result = AL_RESULT_WRONG_STATE;
    if ((controlword & 0x80u) != 0u) {
        result = AL_RESULT_WRONG_FAULT; /* faults are reset by name: FAULT_RESET */
    } else if ((controlword & 0x02u) == 0u) { /* disable voltage */
        if (enabled && al_drive_moving(drive)) {
            al_drive_quick_stop(drive, 0u);
            result = AL_RESULT_OK;
        } else if (disabled || ready || on || enabled) {
            result = step_down(drive, AL_DRIVE_SWITCH_ON_DISABLED);
        } else {
            /* stopping or faulty */
        }
    } else if ((controlword & 0x04u) == 0u) { /* quick stop */
        if (on || enabled) {
            al_drive_quick_stop(drive, 0u);
            result = AL_RESULT_OK;
        }
    } else if ((controlword & 0x01u) == 0u) { /* shutdown */
        if (disabled || ready || on || enabled) {
            result = step_down(drive, AL_DRIVE_READY_TO_SWITCH_ON);
        }
    } else if ((controlword & 0x08u) == 0u) { /* switch on, disable operation */
        if (ready) {
            result = switch_on(drive);
        } else if (on || enabled) {
            result = enabled ? step_down(drive, AL_DRIVE_SWITCHED_ON) : AL_RESULT_OK;
        } else {
            /* not from here */
        }
    } else if (on) { /* enable operation */
        result = enable(drive);
    } else if (enabled) {
        result = AL_RESULT_OK;
    } else {
        /* not from here */
    }
    return result;
}

uint8_t al_drive_resume(al_drive_t *drive, uint16_t hold_id)
{
    uint8_t result = AL_RESULT_OK;
    if ((drive->state != AL_DRIVE_OPERATION_ENABLED) || (drive->hold_id == 0u)) {
        result = AL_RESULT_WRONG_STATE;
    } else if (hold_id != drive->hold_id) {
        result = AL_RESULT_WRONG_HOLD;
    } else if (drive->motion != AL_MOTION_HELD) {
        result = AL_RESULT_MOVING;
    } else if (drive->path.running && !al_path_ready(&drive->path)) {
        result = AL_RESULT_NOT_READY;
    } else {
        const float speed = (float)drive->override_pct * 0.01f;
        al_drive_event(drive, AL_EVENT_CODE_RESUMED, drive->cause, drive->now_us, drive->hold_id);
        drive->cause = AL_HOLD_CAUSE_NONE;
        drive->hold_id = 0u;
        if (drive->path.running) {
            drive->motion = AL_MOTION_RUN;
            al_ramp_start(&drive->ramp, speed, drive->limits.stop_max_s); /* slow enough for every knot there is */
        } else {
            drive->motion = AL_MOTION_IDLE;
            drive->idle_us = drive->now_us;
            al_ramp_set(&drive->ramp, speed);
        }
    }
    return result;
}

uint8_t al_drive_abandon(al_drive_t *drive, uint16_t hold_id)
{
    uint8_t result = AL_RESULT_OK;
    if ((drive->state != AL_DRIVE_OPERATION_ENABLED) && (drive->state != AL_DRIVE_SWITCHED_ON)) {
        result = AL_RESULT_WRONG_STATE;
    } else if (al_drive_moving(drive)) {
        result = AL_RESULT_MOVING;
    } else if (hold_id != drive->hold_id) {
        result = AL_RESULT_WRONG_HOLD;
    } else {
        forget_motion(drive);
    }
    return result;
}

uint8_t al_drive_override(al_drive_t *drive, uint8_t percent)
{
    drive->override_pct = percent; /* the tick begins the ramp: see override there */
    return AL_RESULT_OK;
}

uint8_t al_drive_fault_reset(al_drive_t *drive, uint16_t fault, uint16_t latch_count)
{
    uint8_t result = AL_RESULT_OK;
    if (drive->state != AL_DRIVE_FAULT) {
        result = AL_RESULT_WRONG_STATE;
    } else if ((fault != drive->fault) || (latch_count != drive->latch_count)) {
        result = AL_RESULT_WRONG_FAULT;
    } else if (drive->feedback.fault != AL_FAULT_NONE) {
        result = AL_RESULT_STILL_FAULTY;
    } else {
        drive->fault = AL_FAULT_NONE;
        drive->fault_joint = NO_JOINT;
        drive->state = AL_DRIVE_SWITCH_ON_DISABLED;
    }
    return result;
}

uint16_t al_drive_statusword(const al_drive_t *drive)
{
    static const uint16_t words[8] = {0x0000u, 0x0040u, 0x0021u, 0x0023u, 0x0027u, 0x0007u, 0x000Fu, 0x0008u};
    uint16_t word = words[drive->state];
    word |= al_drive_powered(drive) ? 0x0010u : 0u;                              /* voltage enabled */
    word |= (drive->fault == AL_FAULT_FOLLOWING) ? 0x2000u : 0u;                 /* following error */
    word |= ((drive->motion == AL_MOTION_IDLE) && al_drive_powered(drive)) ? 0x0400u : 0u; /* target reached */
    return word;
}
