/* libFuzzer target: the input drives an arm with bytes, frames and time; what it sends must be frames.
 *
 * Input: operations. 0: the next byte n, then n raw bytes. 1: a frame made of the next bytes, so that the fuzzer gets
 * past the CRC: type, session (of the arm unless odd), sequence relative to the expected, n, n bytes of payload.
 * 2: n + 1 ticks of 5 ms pass. 3: something happens to the plant.
 */
#include <stdlib.h>
#include <string.h>

#include "../arm.h"
#include "plant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static al_plant_t plant;
static al_arm_t arm;
static al_decoder_t answers;

static void port_read(void *ctx, al_feedback_t *feedback) { al_plant_read(ctx, feedback); }

static void port_write(void *ctx, const al_setpoint_t *setpoint)
{
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        const int64_t step = (int64_t)setpoint->pos[j] - plant.setpoint[j];
        /* 5 rad/s is the limit below. */
        if ((step > 260000) || (step < -260000)) {
            abort();
        }
    }
    al_plant_write(ctx, setpoint);
}

static void port_power(void *ctx, bool on) { al_plant_power(ctx, on); }

static size_t port_tx_room(void *ctx)
{
    (void)ctx;
    return (plant.ticks % 64u < 60u) ? 4096u : 20u; /* a line that is full now and then */
}

static void port_tx(void *ctx, const uint8_t *bytes, size_t n)
{
    al_frame_t frame;
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        const al_rx_t result = al_decoder_feed(&answers, bytes[i], &frame);
        if ((result == AL_RX_FRAME) != (i == (n - 1u))) {
            abort();
        }
    }
}

static al_config_t config(void)
{
    al_config_t c = {.joints = 6, .stop_max_ms = 1000};
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        c.pos_min[j] = -30000000;
        c.pos_max[j] = 30000000;
        c.vel_max[j] = 5000000;
        c.acc_max[j] = 2000000;
        c.jerk_max[j] = 400000;
        c.stop_acc[j] = 4000000;
        c.stop_jerk[j] = 4000000;
        c.follow_max[j] = 1000000;
        c.current_max[j] = 20000;
    }
    return c;
}

static uint32_t send(const uint8_t *p, size_t n, uint32_t now_us)
{
    uint8_t wire[AL_WIRE_MAX];
    uint8_t payload[AL_MAX_PAYLOAD] = {0};
    const uint8_t length = (uint8_t)(p[3] % (AL_MAX_PAYLOAD + 1u));
    const size_t there = ((n - 4u) < length) ? (n - 4u) : length;
    memcpy(payload, &p[4], there);
    if ((p[0] == AL_MSG_HELLO) && (length >= 12u)) {
        uint8_t *hash = &payload[8];
        payload[0] = 1u;
        payload[1] = 1u;
        al_put_u32(&hash, AL_TABLE_HASH);
    }
    if ((p[0] == AL_MSG_CONFIRM) && (length == AL_CONFIRM_SIZE)) {
        uint8_t *crc = &payload[12];
        al_put_u32(&crc, arm.config_crc);
    }
    const al_frame_t frame = {
        .type = p[0],
        .flags = (uint8_t)(AL_MAJOR << 4),
        .session = (uint16_t)(((p[1] & 1u) == 0u) ? arm.session : p[1]),
        .seq = (uint16_t)(arm.next_seq + p[2]),
        .size = length,
        .payload = payload,
    };
    const size_t size = al_frame_encode(&frame, wire);
    for (size_t i = 0; i < size; i++) {
        al_arm_rx(&arm, wire[i], now_us);
    }
    return (uint32_t)(4u + there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t home[AL_JOINTS];
    const al_port_t port = {&plant, port_read, port_write, port_power, port_tx_room, port_tx};
    const al_identity_t identity = {.boot_id = 7u, .config = config()};
    uint32_t now_us = 0xFFFF0000u; /* the clock wraps soon */
    size_t at = 0u;
    uint32_t ticks = 0u;
    al_plant_init(&plant, home);
    answers = (al_decoder_t){.size = 0u};
    if (!al_arm_init(&arm, &port, &identity, now_us)) {
        abort();
    }
    while (((at + 2u) <= size) && (ticks < 120u)) {
        const uint8_t operation = data[at] & 3u;
        const uint8_t n = data[at + 1u];
        at += 2u;
        if (operation == 0u) {
            for (uint8_t i = 0; (i < n) && (at < size); i++) {
                al_arm_rx(&arm, data[at], now_us);
                at++;
            }
        } else if (operation == 1u) {
            at -= 1u;
            at += ((at + 4u) <= size) ? send(&data[at], size - at, now_us) : 1u;
        } else if (operation == 2u) {
            for (uint32_t i = 0; i <= (n & 63u); i++) {
                now_us += 5000u; /* as late as a tick may be */
                ticks++;
                al_plant_step(&plant);
                al_arm_tick(&arm, now_us);
                al_arm_poll(&arm, now_us);
            }
        } else {
            plant.jammed = n & 0x3Fu;
            plant.fault = ((n & 0xC0u) == 0xC0u) ? AL_FAULT_STO : AL_FAULT_NONE;
        }
        al_arm_poll(&arm, now_us);
    }
    return 0;
}
