#include "samples.h"

static uint32_t bits(float value)
{
    union {
        float number;
        uint32_t bits;
    } u = {.number = value};
    return u.bits;
}

static al_knot_t knot_of(const uint8_t *bytes)
{
    al_quintic_knot_t m;
    al_knot_t knot = {.brake_s = 0.0f};
    (void)al_quintic_knot_decode(&m, bytes, AL_QUINTIC_KNOT_SIZE);
    knot.t_us = m.t_us;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        knot.pos[j] = m.pos[j];
        knot.vel[j] = (float)m.vel[j] * AL_VEL_UNIT;
        knot.acc[j] = (float)m.acc[j] * AL_ACC_UNIT;
    }
    return knot;
}

uint32_t al_samples(const uint8_t *request, uint8_t *out)
{
    const al_knot_t from = knot_of(request);
    const al_knot_t to = knot_of(&request[AL_QUINTIC_KNOT_SIZE]);
    uint8_t *p = out;
    for (uint8_t kind = 0; kind < 2u; kind++) {
        al_curve_t curve;
        al_curve_make(&curve, &from, &to, kind == 0u, AL_JOINTS);
        for (uint8_t k = 0; k < AL_SAMPLES; k++) {
            al_setpoint_t setpoint;
            al_curve_at(&curve, (float)k / 7.0f, &setpoint);
            for (uint8_t j = 0; j < AL_JOINTS; j++) {
                al_put_i32(&p, setpoint.pos[j]);
                al_put_u32(&p, bits(setpoint.vel[j]));
                al_put_u32(&p, bits(setpoint.acc[j]));
            }
        }
    }
    return (uint32_t)(p - out);
}
