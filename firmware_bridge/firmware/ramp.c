#include "ramp.h"

/* Bounds of |s'| T and |s''| T^2 of every ramp, also of one to rest that begins on another (tests/firmware_bridge
 * measures them): 1.5 and 6 from full speed, more when it begins while speed rises. */
#define RATE_BOUND 1.65f
#define CURVATURE_BOUND 10.0f

void al_ramp_set(al_ramp_t *ramp, float value)
{
    ramp->from = value;
    ramp->to = value;
    ramp->value = value;
    ramp->slope = 0.0f;
    ramp->rate = 0.0f;
    ramp->duration_us = 0.0f;
    ramp->t_us = 0.0f;
}

void al_ramp_start(al_ramp_t *ramp, float to, float duration_s)
{
    ramp->from = ramp->value;
    ramp->slope = ramp->rate;
    ramp->to = to;
    ramp->duration_us = duration_s * 1e6f;
    /* A speed that falls already would fall below its end and come back: let it arrive as soon as it can. */
    const float fall = 3.0f * (to - ramp->value);
    if ((fall <= 0.0f) && ((ramp->rate * ramp->duration_us) < fall)) {
        ramp->duration_us = fall / ramp->rate;
    }
    ramp->t_us = 0.0f;
}

bool al_ramp_active(const al_ramp_t *ramp)
{
    return ramp->t_us < ramp->duration_us;
}

/* Cubic from (from, slope) to (to, 0). */
static float value_at(const al_ramp_t *ramp, float t_us)
{
    const float u = t_us / ramp->duration_us;
    const float d = ramp->to - ramp->from;
    const float m = ramp->slope * ramp->duration_us;
    return ramp->from + (u * (m + (u * (((3.0f * d) - (2.0f * m)) + (u * (m - (2.0f * d)))))));
}

float al_ramp_advance(al_ramp_t *ramp, float dt_us)
{
    float path = 0.0f;
    float rest = dt_us;
    if (al_ramp_active(ramp)) {
        const float left = ramp->duration_us - ramp->t_us;
        const float step = (dt_us < left) ? dt_us : left;
        const float middle = value_at(ramp, ramp->t_us + (0.5f * step));
        const float before = ramp->value;
        rest = dt_us - step;
        if (step < left) {
            ramp->t_us += step;
            ramp->value = value_at(ramp, ramp->t_us);
            const float u = ramp->t_us / ramp->duration_us;
            const float d = ramp->to - ramp->from;
            const float m = ramp->slope * ramp->duration_us;
            ramp->rate = (m + (u * (((6.0f * d) - (4.0f * m)) + (u * (3.0f * (m - (2.0f * d))))))) / ramp->duration_us;
        } else {
            al_ramp_set(ramp, ramp->to);
        }
        path = (step * (before + (4.0f * middle) + ramp->value)) / 6.0f; /* exact for a cubic */
    }
    path += rest * ramp->value;
    return (path > 0.0f) ? path : 0.0f;
}

float al_ramp_reach(const al_ramp_t *ramp, float duration_s)
{
    const float rising = (ramp->rate > 0.0f) ? (ramp->rate * 1e6f) : 0.0f; /* [1/s] */
    return (0.5f * ramp->value * duration_s) + ((rising * duration_s * duration_s) / 12.0f);
}

float al_ramp_shortest(float velocity, float acceleration, float jerk, float stop_acc, float stop_jerk)
{
    const float acc_left = stop_acc - acceleration;
    const float jerk_left = stop_jerk - jerk;
    if (!(acc_left > 0.0f) || !(jerk_left > 0.0f)) {
        return 1e9f;
    }
    const float by_acc = (RATE_BOUND * velocity) / acc_left;
    /* jerk + 3 RATE a / T + CURVATURE v / T^2 = stop_jerk */
    const float b = 3.0f * RATE_BOUND * acceleration;
    const float by_jerk = (b + __builtin_sqrtf((b * b) + (4.0f * CURVATURE_BOUND * jerk_left * velocity))) / (2.0f * jerk_left);
    return (by_acc > by_jerk) ? by_acc : by_jerk;
}
