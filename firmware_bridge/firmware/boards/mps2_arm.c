/* An arm on the MPS2 board, with a plant for motors: what a board's main file looks like. */
#include "../arm.h"
#include "mps2.h"
#include "plant.h"

#define TICK_US 1000u

static al_arm_t arm;
static al_plant_t plant;

static size_t port_tx_room(void *ctx)
{
    (void)ctx;
    return mps2_tx_room();
}

static void port_tx(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    mps2_send(bytes, n);
}

/* A board has this in memory that survives power-off. */
static void identify(al_identity_t *identity)
{
    static const uint8_t name[8] = {'m', 'p', 's', '2'};
    identity->boot_id = 1u;
    identity->fw_rev = 1u;
    al_config_t *config = &identity->config;
    config->joints = AL_JOINTS;
    config->stop_max_ms = 1000u;
    for (uint8_t i = 0; i < sizeof name; i++) {
        identity->uid[i] = name[i];
        config->model[i] = name[i];
    }
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        config->pos_min[j] = -31000000;
        config->pos_max[j] = 31000000;
        config->vel_max[j] = 5000000;
        config->acc_max[j] = 2000000;
        config->jerk_max[j] = 400000;
        config->stop_acc[j] = 4000000;
        config->stop_jerk[j] = 4000000;
        config->follow_max[j] = 1000000;
        config->current_max[j] = 20000u;
    }
}

int main(void)
{
    static const al_port_t port = {&plant, al_plant_read, al_plant_write, al_plant_power, port_tx_room, port_tx};
    static const int32_t home[AL_JOINTS] = {0};
    static al_identity_t identity;
    mps2_init();
    al_plant_init(&plant, home);
    identify(&identity);
    (void)al_arm_init(&arm, &port, &identity, mps2_now_us());
    uint32_t tick_us = mps2_now_us();
    for (;;) {
        uint8_t byte = 0u;
        while (mps2_receive(&byte)) {
            al_arm_rx(&arm, byte, mps2_now_us());
        }
        if ((mps2_now_us() - tick_us) >= TICK_US) {
            tick_us = mps2_now_us(); /* a late tick is one tick: time comes from the counter, not from counting */
            al_plant_step(&plant);
            al_arm_tick(&arm, tick_us);
        }
        al_arm_poll(&arm, mps2_now_us());
        mps2_flush();
    }
}
