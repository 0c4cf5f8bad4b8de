#include "plant.h"

#define TICK_S 1e-3f
#define GAIN 80.0f              /* of the position loop [1/s] */
#define AMPS_PER_ACC 40.0f      /* [mA / (rad/s2)] */
#define FRICTION_MA 150.0f

void al_plant_init(al_plant_t *plant, const int32_t *pos)
{
    *plant = (al_plant_t){.fault_joint = 255u};
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        plant->pos[j] = pos[j];
        plant->setpoint[j] = pos[j];
    }
}

void al_plant_step(al_plant_t *plant)
{
    plant->ticks++;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        const float error = (float)(plant->setpoint[j] - plant->pos[j]) * 1e-7f;
        float vel = plant->vel_setpoint[j] + (GAIN * error);
        if ((plant->power == 0u) || ((plant->jammed & (1u << j)) != 0u)) {
            vel = 0.0f;
        }
        const float step = (vel * (TICK_S * 1e7f)) + plant->residual[j];
        const int32_t whole = (int32_t)step;
        plant->residual[j] = step - (float)whole;
        plant->pos[j] += whole;
        plant->vel[j] = (int32_t)(vel * 1e6f) + plant->vel_error;
        const float friction = (vel > 1e-4f) ? FRICTION_MA : ((vel < -1e-4f) ? -FRICTION_MA : 0.0f);
        plant->current[j] = (int32_t)(friction + (AMPS_PER_ACC * plant->acc_setpoint[j])) + plant->extra_current;
    }
    plant->ticks++;
}

void al_plant_read(void *ctx, al_feedback_t *feedback)
{
    const al_plant_t *plant = ctx;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        feedback->pos[j] = plant->pos[j];
        feedback->vel[j] = plant->vel[j];
        feedback->current[j] = (int16_t)((plant->current[j] > 32767) ? 32767 : ((plant->current[j] < -32767) ? -32767 : plant->current[j]));
        feedback->temperature[j] = 35;
    }
    feedback->bus_mv = 48000u;
    feedback->fault = (uint16_t)plant->fault;
    feedback->fault_joint = (uint8_t)plant->fault_joint;
}

void al_plant_write(void *ctx, const al_setpoint_t *setpoint)
{
    al_plant_t *plant = ctx;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        plant->setpoint[j] = setpoint->pos[j];
        plant->vel_setpoint[j] = setpoint->vel[j];
        plant->acc_setpoint[j] = setpoint->acc[j];
    }
}

void al_plant_power(void *ctx, bool on)
{
    al_plant_t *plant = ctx;
    plant->power = on ? 1u : 0u;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        plant->setpoint[j] = plant->pos[j];
        plant->vel_setpoint[j] = 0.0f;
        plant->acc_setpoint[j] = 0.0f;
    }
}
