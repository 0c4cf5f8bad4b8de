/* Motors that are not there: six position servos with velocity feed-forward, their brakes and power stage. */
#ifndef AL_PLANT_H
#define AL_PLANT_H

#include "../port.h"

/* Fixed layout: emulators share it with other processes (firmware_bridge/emulator/plant.py). */
typedef struct {
    uint32_t ticks;           /* counts up; an odd number while an update is under way */
    uint32_t power;           /* 1: on, brakes released */
    int32_t pos[AL_JOINTS];   /* [1e-7 rad] */
    int32_t vel[AL_JOINTS];   /* [1e-6 rad/s] */
    int32_t setpoint[AL_JOINTS]; /* latest setpoint [1e-7 rad] */
    int32_t current[AL_JOINTS];  /* [mA] */
    /* What a test or an operator does to it. */
    uint32_t jammed;          /* bit j: joint j does not move */
    uint32_t fault;           /* AL_FAULT_... that the drives report */
    uint32_t fault_joint;
    int32_t extra_current;    /* on every joint [mA] */
    int32_t vel_error;        /* of what is measured, on every joint [1e-6 rad/s] */
    float residual[AL_JOINTS]; /* of pos, less than one unit */
    float vel_setpoint[AL_JOINTS];
    float acc_setpoint[AL_JOINTS];
} al_plant_t;

void al_plant_init(al_plant_t *plant, const int32_t *pos);

/* One tick of 1 ms. */
void al_plant_step(al_plant_t *plant);

/* The port's functions; ctx is the plant. */
void al_plant_read(void *ctx, al_feedback_t *feedback);
void al_plant_write(void *ctx, const al_setpoint_t *setpoint);
void al_plant_power(void *ctx, bool on);

#endif
