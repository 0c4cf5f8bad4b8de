/* The whole core of one arm: bytes and time in, bytes and setpoints out.
 *
 * Everything is called from one context, the main loop: al_arm_rx for every byte received, al_arm_tick at the tick
 * rate (1 kHz) and al_arm_poll as often as possible. Times are microseconds of a free-running hardware counter, which
 * may wrap; never a count of ticks. No memory is allocated and nothing blocks.
 */
#ifndef AL_ARM_H
#define AL_ARM_H

#include "drive.h"
#include "frame.h"

#define AL_TICK_HZ 1000u

typedef struct {
    bool used;
    uint8_t type;
    uint8_t size;
    uint8_t payload[AL_MAX_PAYLOAD];
} al_slot_t;

typedef struct {
    al_drive_t drive;
    al_identity_t identity;
    al_decoder_t decoder;
    uint32_t config_crc;

    uint16_t session;       /* 0: none */
    uint16_t sessions;      /* opened since the start */
    uint32_t host_nonce;    /* of the session */
    bool leased;            /* the session's host is alive */
    uint32_t heard_us;      /* last valid frame of the session */
    uint32_t lease_us;
    uint16_t next_seq;
    al_slot_t slots[AL_WINDOW]; /* [i]: frame next_seq + 1 + i, in a ring */
    uint8_t slot_head;
    uint8_t results[AL_WINDOW]; /* newest first */
    uint8_t reject_joint;
    bool ack_due;
    uint32_t nak_us;        /* when the last one was sent */
    bool nak_sent;          /* ever */

    uint16_t tx_seq;
    uint32_t status_period_us;
    uint32_t status_us;
    uint32_t telem_us;

    uint32_t frames;
    uint16_t crc_errors;
    uint16_t framing_errors;
    uint16_t overruns;
    uint16_t gaps;
    uint16_t duplicates;
    uint16_t strangers;
    uint16_t rejected;
    uint16_t tx_skipped;
    uint32_t quality_us;    /* beginning of the present window of line quality */
    uint32_t quality_good;
    uint32_t quality_bad;
} al_arm_t;

/* False when the configuration contradicts itself; the arm then can't be switched on. */
bool al_arm_init(al_arm_t *arm, const al_port_t *port, const al_identity_t *identity, uint32_t now_us);

void al_arm_rx(al_arm_t *arm, uint8_t byte, uint32_t now_us);

/* The UART has lost bytes. */
void al_arm_overrun(al_arm_t *arm, uint16_t bytes);

void al_arm_tick(al_arm_t *arm, uint32_t now_us);

/* Send what is due. */
void al_arm_poll(al_arm_t *arm, uint32_t now_us);

#endif
