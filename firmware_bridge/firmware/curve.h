/* The curve between two knots, and the proof that it keeps the limits. */
#ifndef AL_CURVE_H
#define AL_CURVE_H

#include "port.h"

#define AL_POS_UNIT 1e-7f /* [rad] */
#define AL_VEL_UNIT 1e-6f /* [rad/s] */
#define AL_ACC_UNIT 1e-5f /* [rad/s2] */
#define AL_JERK_UNIT 1e-3f /* [rad/s3] */

#define AL_SEGMENT_MIN_US 2000u
#define AL_SEGMENT_MAX_US 1000000u

typedef struct {
    uint32_t t_us;
    int32_t pos[AL_JOINTS]; /* [1e-7 rad] */
    float vel[AL_JOINTS];   /* [rad/s] */
    float acc[AL_JOINTS];   /* [rad/s2]; not used by cubics */
    float brake_s;          /* shortest ramp to rest that keeps the limits of stops on the segment that ends here */
} al_knot_t;

/* Limits in SI units. */
typedef struct {
    uint8_t joints;
    float stop_max_s;
    int32_t pos_min[AL_JOINTS];
    int32_t pos_max[AL_JOINTS];
    float vel[AL_JOINTS];
    float acc[AL_JOINTS];
    float jerk[AL_JOINTS];
    float stop_acc[AL_JOINTS];
    float stop_jerk[AL_JOINTS];
} al_limits_t;

/* Polynomials over u = 0..1, relative to the first knot. */
typedef struct {
    uint8_t joints;
    float h; /* duration [s] */
    int32_t origin[AL_JOINTS];
    float c[AL_JOINTS][5]; /* of u, u^2, ... u^5 [rad] */
} al_curve_t;

/* False when the configuration contradicts itself. */
bool al_limits_make(al_limits_t *limits, const al_config_t *config);

void al_curve_make(al_curve_t *curve, const al_knot_t *from, const al_knot_t *to, bool quintic, uint8_t joints);

/* Position, velocity and acceleration at u in 0..1. */
void al_curve_at(const al_curve_t *curve, float u, al_setpoint_t *out);

/* AL_RESULT_OK, or the limit that the curve from one knot to the next may exceed and the joint. Sets to->brake_s. */
uint8_t al_curve_check(const al_knot_t *from, al_knot_t *to, bool quintic, const al_limits_t *limits, uint8_t *joint);

#endif
