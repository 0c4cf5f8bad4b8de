/* Template for a board of your own: step and direction outputs, or a CAN bus with drives on it.
 *
 * Copy it, fill in the functions marked BOARD, and build it with the core (all .c files of this folder's parent) for
 * your processor. docs/bring-up.md says in which order to try things out. It compiles as it is, moves nothing and
 * reports a drive fault, so that a half-finished port can't be switched on.
 */
#include "../arm.h"

#define TICK_US 1000u
#define STEPS_PER_TURN 6400.0f   /* BOARD: of the motor, with microsteps, times the gear ratio */
#define UNITS_PER_TURN 62831853.0f /* 2 pi in 1e-7 rad */

typedef struct {
    int32_t steps[AL_JOINTS]; /* commanded, counted from the zero position */
    bool power;
} board_t;

/* BOARD: a free-running counter of microseconds that keeps counting whatever the program does. */
static uint32_t now_us(void) { return 0u; }

/* BOARD: measured position in steps from an encoder. Without encoders, the steps that were output: then no following
 * error can be seen, and a collision goes unnoticed; keep current_max low. */
static int32_t measured_steps(uint8_t joint)
{
    (void)joint;
    return 0;
}

/* BOARD: hand the new target to the step generator (a timer per joint spreads the steps over the coming tick), or put it
 * on the CAN bus: CiA 402 drives take `target` in cyclic synchronous position mode (object 607A), with a SYNC per tick. */
static void output(uint8_t joint, int32_t target, float vel)
{
    (void)joint;
    (void)target;
    (void)vel;
}

/* BOARD: enable outputs and brakes. A joint that can fall needs a brake that is on without current. Brakes first when
 * switching off; hold the position first when switching on. */
static void switch_power(bool on) { (void)on; }

/* BOARD: the UART's rings, filled and emptied by its interrupts. */
static bool receive(uint8_t *byte)
{
    (void)byte;
    return false;
}

static size_t send_room(void) { return 0u; }
static void send(const uint8_t *bytes, size_t n)
{
    (void)bytes;
    (void)n;
}

static void port_read(void *ctx, al_feedback_t *feedback)
{
    board_t *board = ctx;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        const int32_t before = feedback->pos[j];
        feedback->pos[j] = (int32_t)((float)measured_steps(j) * (UNITS_PER_TURN / STEPS_PER_TURN));
        feedback->vel[j] = (feedback->pos[j] - before) * 100; /* of a tick of 1 ms; better from the encoder's own timer */
        feedback->current[j] = 0;      /* BOARD */
        feedback->temperature[j] = 25; /* BOARD */
    }
    feedback->bus_mv = 0u; /* BOARD */
    (void)board;
    /* BOARD: AL_FAULT_STO while the wired stop is open, AL_FAULT_DRIVE while a drive reports a fault. */
    feedback->fault = AL_FAULT_DRIVE;
    feedback->fault_joint = 255u;
}

static void port_write(void *ctx, const al_setpoint_t *setpoint)
{
    board_t *board = ctx;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        board->steps[j] = (int32_t)((float)setpoint->pos[j] * (STEPS_PER_TURN / UNITS_PER_TURN));
        output(j, board->steps[j], setpoint->vel[j]);
    }
}

static void port_power(void *ctx, bool on)
{
    board_t *board = ctx;
    board->power = on;
    switch_power(on);
}

static size_t port_tx_room(void *ctx)
{
    (void)ctx;
    return send_room();
}

static void port_tx(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    send(bytes, n);
}

int main(void)
{
    static al_arm_t arm;
    static board_t board;
    static const al_port_t port = {&board, port_read, port_write, port_power, port_tx_room, port_tx};
    static al_identity_t identity; /* BOARD: from memory that survives power-off; count boot_id up and store it */
    (void)al_arm_init(&arm, &port, &identity, now_us());
    uint32_t tick_us = now_us();
    for (;;) {
        uint8_t byte = 0u;
        while (receive(&byte)) {
            al_arm_rx(&arm, byte, now_us());
        }
        if ((now_us() - tick_us) >= TICK_US) {
            tick_us = now_us();
            al_arm_tick(&arm, tick_us);
        }
        al_arm_poll(&arm, now_us());
        /* BOARD: feed the watchdog here, and only here. */
    }
}
