/* Buffered motion: trajectories of knots, and the place on them.
 *
 * Trajectories run one after the other, each from rest to rest. The path is only ever followed forwards, at the
 * speed of a ramp (ramp.h); nothing here knows of the protocol or of power.
 */
#ifndef AL_PATH_H
#define AL_PATH_H

#include "curve.h"
#include "ramp.h"

/* Motion that is kept in reserve beyond the way to stop in, and what more is wanted before going on [s]. */
#define AL_LOW_WATER_S 0.020f
#define AL_HIGH_WATER_S 0.060f

typedef struct {
    uint8_t id;
    bool quintic;
    bool complete; /* its last knot is here */
    bool poisoned; /* a knot was rejected */
    bool started;  /* START has come */
    uint8_t mode;
    uint32_t t_start_us;
    uint16_t first; /* number of the oldest knot that is still kept */
    uint16_t next;  /* number of the next knot */
} al_trajectory_t;

typedef struct {
    al_knot_t knots[AL_KNOTS]; /* a ring; the knots of one trajectory follow those of the one before */
    uint8_t head;
    uint8_t count;
    al_trajectory_t trajectories[AL_TRAJECTORIES]; /* a ring */
    uint8_t trajectory_head;
    uint8_t trajectory_count;
    uint8_t last_id;  /* of the newest trajectory ever made in this session */
    bool running;     /* on the oldest trajectory */
    uint64_t at;      /* place on it [2^-16 us] */
    uint32_t begun_us; /* device time of its start */
    bool curve_ready;
    al_curve_t curve; /* between its two oldest knots */
    al_setpoint_t setpoint;
} al_path_t;

/* Forget everything buffered; the setpoint stays. */
void al_path_clear(al_path_t *path);

/* Append knots, all or none. AL_RESULT_... and the joint. */
uint8_t al_path_append_cubic(al_path_t *path, const al_seg_cubic_t *m, const al_limits_t *limits, uint8_t *joint);
uint8_t al_path_append_quintic(al_path_t *path, const al_seg_quintic_t *m, const al_limits_t *limits, uint8_t *joint);

/* Let a trajectory start; see START. */
uint8_t al_path_start(al_path_t *path, const al_start_t *m);

/* Drop the tail; see TRUNCATE. */
uint8_t al_path_truncate(al_path_t *path, const al_truncate_t *m, const al_ramp_t *ramp);

/* The oldest trajectory, or NULL. */
al_trajectory_t *al_path_oldest(al_path_t *path);

/* Begin the oldest trajectory. */
void al_path_begin(al_path_t *path, uint32_t begun_us);

/* Go forward by a time; true when the trajectory has ended, then left_us is what remained of the time. Sets the
 * setpoint; velocity and acceleration are those of the path, not yet scaled. */
bool al_path_advance(al_path_t *path, float by_us, float *left_us);

/* Time on the path to the end of what is known of the running trajectory, or of the oldest [s]. */
float al_path_buffered(const al_path_t *path);

/* Duration of the ramp to rest: as wished, longer where the limits of stops demand it, shorter where the known path
 * would not suffice, but never shorter than the limits allow [s]. */
float al_path_ramp(const al_path_t *path, const al_ramp_t *ramp, float wished_s);

/* More motion must come within a moment, or the arm must stop. */
bool al_path_low(const al_path_t *path, const al_ramp_t *ramp);

/* There is enough to start or go on with. */
bool al_path_ready(const al_path_t *path);

#endif
