/* Speed along the path: 1 as planned, 0 at rest. It changes along cubic ramps, so that accelerations stay
 * bounded: with s(t) the joints have s v, s^2 a + s' v and s^3 j + 3 s s' a + s'' v. */
#ifndef AL_RAMP_H
#define AL_RAMP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    float from;
    float slope; /* at the beginning [1/us] */
    float to;
    float duration_us;
    float t_us;  /* since the beginning */
    float value;
    float rate;  /* s' [1/us] */
} al_ramp_t;

/* Stay at a speed. */
void al_ramp_set(al_ramp_t *ramp, float value);

/* Go to a speed within a time, from the present speed and rate. */
void al_ramp_start(al_ramp_t *ramp, float to, float duration_s);

/* True until the ramp has ended. */
bool al_ramp_active(const al_ramp_t *ramp);

/* Let time pass; returns how far the path is advanced [us]: exactly as far at full speed. */
float al_ramp_advance(al_ramp_t *ramp, float dt_us);

/* Path that a ramp to rest of this duration would take from now [s]. */
float al_ramp_reach(const al_ramp_t *ramp, float duration_s);

/* Duration of the shortest ramp that keeps a joint within its limits of stops [s], wherever it is on a curve that is
 * bounded by the velocity, acceleration and jerk (1e9 when there is none). */
float al_ramp_shortest(float velocity, float acceleration, float jerk, float stop_acc, float stop_jerk);

#endif
