/* What the core needs of a board: an owner of other hardware writes these functions and nothing else.
 *
 * One context calls the core and therefore these functions: the main loop. Interrupts only fill and empty the
 * board's own rings. No function may block.
 */
#ifndef AL_PORT_H
#define AL_PORT_H

#include "messages.h"

/* What the drives report. */
typedef struct {
    int32_t pos[AL_JOINTS];     /* measured [1e-7 rad] */
    int32_t vel[AL_JOINTS];     /* measured [1e-6 rad/s] */
    int16_t current[AL_JOINTS]; /* [mA] */
    int8_t temperature[AL_JOINTS]; /* [degC] */
    uint16_t bus_mv;            /* supply [mV] */
    uint16_t fault;             /* AL_FAULT_OVERTEMPERATURE, _UNDERVOLTAGE, _DRIVE or _STO while it lasts; _NONE */
    uint8_t fault_joint;        /* 255: none */
} al_feedback_t;

/* Where the joints shall be now, and how they move there. */
typedef struct {
    int32_t pos[AL_JOINTS]; /* [1e-7 rad] */
    float vel[AL_JOINTS];   /* [rad/s] */
    float acc[AL_JOINTS];   /* [rad/s2] */
} al_setpoint_t;

typedef struct {
    void *ctx; /* passed to every function */
    /* Latest measurements. Called once a tick. */
    void (*read)(void *ctx, al_feedback_t *feedback);
    /* New setpoint. Called once a tick while the power is on. */
    void (*write)(void *ctx, const al_setpoint_t *setpoint);
    /* True: power stage on, hold the position, then release the brakes. False: brakes on, power stage off. */
    void (*power)(void *ctx, bool on);
    /* Bytes that tx takes without blocking. */
    size_t (*tx_room)(void *ctx);
    /* Send bytes; at most tx_room. */
    void (*tx)(void *ctx, const uint8_t *bytes, size_t n);
} al_port_t;

/* Who the board is. */
typedef struct {
    uint8_t uid[12];      /* unique for each unit: the processor's own number */
    uint32_t boot_id;     /* one more than at the last start, from memory that keeps it; random where there is none */
    uint32_t fw_rev;
    uint16_t reset_cause; /* AL_RESET_CAUSE_... */
    al_config_t config;
} al_identity_t;

#endif
