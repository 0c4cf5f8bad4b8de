/* Power, motion and faults: the state machine of CiA 402 around the path.
 *
 * Every stop that software makes keeps to the path. Faults are latched and end when they are reset by name.
 */
#ifndef AL_DRIVE_H
#define AL_DRIVE_H

#include "path.h"

#define AL_EVENTS 16u
#define AL_HOLD_RAMP_S 0.15f

typedef struct {
    al_event_t event;
    bool acknowledged;
    bool sent;
    uint32_t sent_us;
} al_pending_event_t;

typedef struct {
    const al_port_t *port;
    al_config_t config;
    al_limits_t limits;
    al_path_t path;
    al_ramp_t ramp;
    al_feedback_t feedback;
    uint32_t now_us;
    uint32_t ticked_us;  /* time of the last tick */
    bool ticking;        /* there has been one */
    bool sound;          /* the configuration does not contradict itself */
    uint8_t state;       /* AL_DRIVE_... */
    uint8_t motion;      /* AL_MOTION_... */
    uint8_t override_pct;
    uint8_t cause;       /* of the hold */
    uint16_t hold_id;    /* 0: none */
    uint8_t last_traj;   /* trajectory that ran last */
    uint16_t last_hold_id;
    uint8_t starvations; /* of the running trajectory */
    uint32_t stop_us;    /* when a stop began */
    uint16_t stop_reason;
    uint32_t idle_us;    /* since when nothing runs */
    uint16_t fault;
    uint8_t fault_joint;
    uint16_t latch_count;
    bool confirmed;      /* identity and configuration, in this session */
    bool synced;         /* a SYNC within the last 2 s */
    uint32_t synced_us;
    al_pending_event_t events[AL_EVENTS]; /* a ring */
    uint8_t event_head;
    uint8_t event_count;
    uint16_t event_no;
    uint16_t events_lost;
    uint16_t late_starts;
    uint16_t starved;
    uint32_t tick_max_us;
} al_drive_t;

/* False when the configuration contradicts itself. */
bool al_drive_init(al_drive_t *drive, const al_port_t *port, const al_config_t *config);

/* A new session: nothing buffered, nothing confirmed, no power. Only at standstill. */
void al_drive_open(al_drive_t *drive);

/* The motion tick. */
void al_drive_tick(al_drive_t *drive, uint32_t now_us);

/* Distance of a joint from its setpoint [1e-7 rad]. */
int64_t al_drive_error(const al_drive_t *drive, uint8_t joint);

bool al_drive_moving(const al_drive_t *drive);
bool al_drive_powered(const al_drive_t *drive);

/* Reliable messages: AL_RESULT_... */
uint8_t al_drive_control(al_drive_t *drive, uint16_t controlword);
uint8_t al_drive_resume(al_drive_t *drive, uint16_t hold_id);
uint8_t al_drive_abandon(al_drive_t *drive, uint16_t hold_id);
uint8_t al_drive_override(al_drive_t *drive, uint8_t percent);
uint8_t al_drive_fault_reset(al_drive_t *drive, uint16_t fault, uint16_t latch_count);

/* Brakes on, power off, nothing buffered. */
void al_drive_power_off(al_drive_t *drive, uint8_t state);

void al_drive_hold(al_drive_t *drive, uint8_t cause, float ramp_s);
void al_drive_quick_stop(al_drive_t *drive, uint16_t reason);
void al_drive_fault(al_drive_t *drive, uint16_t fault, uint8_t joint);

void al_drive_event(al_drive_t *drive, uint16_t code, uint8_t source, uint32_t t_us, int32_t data);
void al_drive_event_ack(al_drive_t *drive, uint16_t event_no);

uint16_t al_drive_statusword(const al_drive_t *drive);

#endif
