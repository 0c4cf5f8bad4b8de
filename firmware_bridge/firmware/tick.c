/* The motion tick: measure, watch, go on along the path, command. */
#include "drive.h"

#define SYNC_US 2000000u
#define STANDSTILL 10000       /* [1e-6 rad/s] */
#define SETTLE_US 100000u      /* after a ramp to rest, until the arm itself must be at rest */
#define STEP_MAX_US 5000u      /* a late tick does not make up for more: no joint jumps */
#define OVERRUN_US 50000u
#define STARVATIONS 3u
#define LATE_US 2000           /* a start that is later than that is counted */
#define NO_JOINT 255u

static void watch(al_drive_t *drive, uint32_t dt_us)
{
    if (drive->synced && ((drive->now_us - drive->synced_us) > SYNC_US)) {
        drive->synced = false;
    }
    if (al_drive_moving(drive) && (dt_us > OVERRUN_US)) {
        al_drive_fault(drive, AL_FAULT_TICK_OVERRUN, NO_JOINT);
    }
    if (al_drive_powered(drive) && (drive->feedback.fault != AL_FAULT_NONE)) {
        al_drive_fault(drive, drive->feedback.fault, drive->feedback.fault_joint);
    }
    for (uint8_t j = 0; (j < drive->limits.joints) && al_drive_powered(drive); j++) {
        const int32_t current = drive->feedback.current[j];
        if (((current < 0) ? -current : current) > (int32_t)drive->config.current_max[j]) {
            al_drive_fault(drive, AL_FAULT_OVERCURRENT, j);
        } else if (al_drive_error(drive, j) > drive->config.follow_max[j]) {
            al_drive_fault(drive, AL_FAULT_FOLLOWING, j);
        } else {
            /* fine */
        }
    }
}

/* Begin the next trajectory when its time has come. Returns the path that has passed since then [us]. */
static float begin(al_drive_t *drive, bool right_after, uint32_t step_us)
{
    const al_trajectory_t *next = al_path_oldest(&drive->path);
    float passed = 0.0f;
    if ((next != NULL) && next->started) {
        const uint32_t free_us = right_after ? drive->idle_us : (drive->now_us - step_us);
        const bool at_time = (next->mode == AL_START_MODE_AT_TIME);
        uint32_t begins_us = right_after ? drive->idle_us : drive->now_us;
        if (at_time && ((int32_t)(next->t_start_us - free_us) > 0)) {
            begins_us = next->t_start_us;
        }
        const int32_t since_us = (int32_t)(drive->now_us - begins_us);
        if (since_us >= 0) {
            const int32_t late_us = at_time ? (int32_t)(begins_us - next->t_start_us) : 0;
            drive->late_starts = (uint16_t)(drive->late_starts + ((late_us > LATE_US) ? 1u : 0u));
            drive->motion = AL_MOTION_RUN;
            drive->starvations = 0u;
            al_path_begin(&drive->path, begins_us);
            al_drive_event(drive, AL_EVENT_CODE_TRAJECTORY_STARTED, next->id, begins_us, late_us);
            passed = (float)since_us * drive->ramp.value;
        }
    }
    return passed;
}

static void end(al_drive_t *drive, uint8_t id, float left_us)
{
    const float speed = (drive->ramp.value > 0.01f) ? drive->ramp.value : 1.0f;
    const uint32_t ended_us = drive->now_us - (uint32_t)((left_us / speed) + 0.5f);
    const uint32_t planned_us = (uint32_t)(drive->path.at >> 16);
    const uint32_t lost_us = (ended_us - drive->path.begun_us) - planned_us;
    al_drive_event(drive, AL_EVENT_CODE_TRAJECTORY_DONE, id, ended_us, (int32_t)lost_us);
    drive->idle_us = ended_us;
    drive->last_traj = id;
    if (drive->motion == AL_MOTION_RUN) {
        drive->motion = AL_MOTION_IDLE;
    }
}

static void held(al_drive_t *drive)
{
    al_ramp_set(&drive->ramp, 0.0f);
    drive->motion = AL_MOTION_HELD;
    al_drive_event(drive, AL_EVENT_CODE_HELD, drive->cause, drive->now_us, drive->hold_id);
}

/* Along the running trajectory, and into the next. */
static void follow(al_drive_t *drive, uint32_t step_us)
{
    float by_us = 0.0f;
    bool go = drive->path.running && ((drive->motion == AL_MOTION_RUN) || (drive->motion == AL_MOTION_HOLDING));
    if (go) {
        by_us = al_ramp_advance(&drive->ramp, (float)step_us);
    } else if (drive->motion == AL_MOTION_IDLE) {
        by_us = begin(drive, false, step_us);
        go = drive->path.running;
    } else {
        /* held */
    }
    while (go) {
        const uint8_t id = al_path_oldest(&drive->path)->id;
        float left_us = 0.0f;
        go = false;
        if (al_path_advance(&drive->path, by_us, &left_us)) {
            end(drive, id, left_us);
            if (drive->motion == AL_MOTION_IDLE) {
                by_us = begin(drive, true, step_us);
                go = drive->path.running;
            }
        }
    }
    if ((drive->motion == AL_MOTION_HOLDING) && !(drive->path.running && al_ramp_active(&drive->ramp))) {
        held(drive);
    }
}

/* The override has changed: a ramp begins once none is running; one to rest begins at once (see ramp.h).
 * Where nothing moves it is reached at once, also what a ramp has left that the end of the motion cut off. */
static void override(al_drive_t *drive)
{
    const float wanted = (float)drive->override_pct * 0.01f;
    al_ramp_t *ramp = &drive->ramp;
    const bool to_rest = (drive->override_pct == 0u);
    const bool due = !al_ramp_active(ramp) || (to_rest && (ramp->to > 0.0f));
    if (drive->motion == AL_MOTION_IDLE) {
        al_ramp_set(ramp, wanted);
    } else if ((ramp->value != wanted) && due) {
        if (drive->motion == AL_MOTION_RUN) {
            al_ramp_start(ramp, wanted, to_rest ? al_path_ramp(&drive->path, ramp, AL_HOLD_RAMP_S) : drive->limits.stop_max_s);
        } else {
            /* held */
        }
    }
}

static void regulate_speed(al_drive_t *drive)
{
    if ((drive->motion == AL_MOTION_RUN) && al_path_low(&drive->path, &drive->ramp)) {
        drive->starved++;
        drive->starvations++;
        if (drive->starvations > STARVATIONS) {
            al_drive_fault(drive, AL_FAULT_STARVED, NO_JOINT);
        } else {
            al_drive_hold(drive, AL_HOLD_CAUSE_STARVED, AL_HOLD_RAMP_S);
        }
    } else if ((drive->motion == AL_MOTION_HELD) && (drive->cause == AL_HOLD_CAUSE_STARVED)) {
        (void)al_drive_resume(drive, drive->hold_id); /* if there is enough again */
    } else {
        override(drive);
    }
}

static bool standstill(const al_drive_t *drive)
{
    bool still = true;
    for (uint8_t j = 0; j < drive->limits.joints; j++) {
        still = still && (drive->feedback.vel[j] < STANDSTILL) && (drive->feedback.vel[j] > -STANDSTILL);
    }
    return still;
}

static void finish_stop(al_drive_t *drive)
{
    const bool stopping = (drive->state == AL_DRIVE_QUICK_STOP_ACTIVE) || (drive->state == AL_DRIVE_FAULT_REACTION_ACTIVE);
    if (stopping && (drive->motion == AL_MOTION_HELD) && standstill(drive)) {
        const bool faulty = (drive->state == AL_DRIVE_FAULT_REACTION_ACTIVE);
        al_drive_event(drive, AL_EVENT_CODE_STOPPED, 0u, drive->now_us, drive->stop_reason);
        al_drive_power_off(drive, faulty ? AL_DRIVE_FAULT : AL_DRIVE_SWITCH_ON_DISABLED);
    } else if (stopping && ((drive->now_us - drive->stop_us) > (((uint32_t)drive->config.stop_max_ms * 1000u) + SETTLE_US))) {
        al_drive_fault(drive, AL_FAULT_STOP_OVERRUN, NO_JOINT);
    } else {
        /* not stopping, or not yet at rest */
    }
}

/* Without power the setpoint is where the arm is. Encoders may see an arm that stands at a limit a hair beyond it. */
static void follow_by_hand(al_drive_t *drive)
{
    for (uint8_t j = 0; j < drive->limits.joints; j++) {
        const int32_t low = drive->limits.pos_min[j];
        const int32_t high = drive->limits.pos_max[j];
        int32_t pos = drive->feedback.pos[j];
        if ((pos < low) && (pos >= (low - AL_START_TOLERANCE))) {
            pos = low;
        } else if ((pos > high) && (pos <= (high + AL_START_TOLERANCE))) {
            pos = high;
        } else {
            /* inside, or far outside */
        }
        drive->path.setpoint.pos[j] = pos;
    }
}

static void command(al_drive_t *drive)
{
    al_setpoint_t setpoint = drive->path.setpoint;
    const float s = drive->path.running ? drive->ramp.value : 0.0f;
    const float rate = drive->ramp.rate * 1e6f; /* [1/s] */
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        setpoint.acc[j] = ((s * s) * setpoint.acc[j]) + ((drive->path.running ? rate : 0.0f) * setpoint.vel[j]);
        setpoint.vel[j] = s * setpoint.vel[j];
    }
    drive->port->write(drive->port->ctx, &setpoint);
}

void al_drive_tick(al_drive_t *drive, uint32_t now_us)
{
    const uint32_t dt_us = drive->ticking ? (now_us - drive->ticked_us) : 0u;
    const uint32_t step_us = (dt_us < STEP_MAX_US) ? dt_us : STEP_MAX_US;
    drive->ticking = true;
    drive->ticked_us = now_us;
    drive->now_us = now_us;
    drive->tick_max_us = (dt_us > drive->tick_max_us) ? dt_us : drive->tick_max_us;
    drive->port->read(drive->port->ctx, &drive->feedback);
    if ((drive->state == AL_DRIVE_NOT_READY) && drive->sound) {
        drive->state = AL_DRIVE_SWITCH_ON_DISABLED;
    }
    watch(drive, dt_us);
    if ((drive->state == AL_DRIVE_OPERATION_ENABLED) || (drive->state == AL_DRIVE_QUICK_STOP_ACTIVE)
        || (drive->state == AL_DRIVE_FAULT_REACTION_ACTIVE)) {
        regulate_speed(drive);
        finish_stop(drive);
        follow(drive, step_us);
    }
    if (al_drive_powered(drive)) {
        command(drive);
    } else {
        follow_by_hand(drive);
    }
}
