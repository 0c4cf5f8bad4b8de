/* Sessions, the order of frames, the lease and the quality of the line. */
#include "arm.h"

#include "execute.h"
#include "report.h"

#define LOST_LEASES 3u            /* silence after which the host counts as lost */
#define QUALITY_US 2000000u
#define QUALITY_BAD_MIN 8u        /* fewer bad frames than that in a window say nothing */

bool al_arm_init(al_arm_t *arm, const al_port_t *port, const al_identity_t *identity, uint32_t now_us)
{
    uint8_t config[AL_CONFIG_SIZE];
    *arm = (al_arm_t){.identity = *identity, .lease_us = 250000u, .status_us = now_us, .telem_us = now_us};
    arm->config_crc = al_crc32c(config, al_config_encode(&identity->config, config));
    arm->reject_joint = 255u;
    return al_drive_init(&arm->drive, port, &identity->config);
}

/* ------------------------------------------------------------------------------------------ reliable frames */

static void executed(al_arm_t *arm, uint8_t result, uint32_t now_us)
{
    for (uint8_t i = AL_WINDOW - 1u; i > 0u; i--) {
        arm->results[i] = arm->results[i - 1u];
    }
    arm->results[0] = result;
    if (result != AL_RESULT_OK) {
        arm->rejected++;
        if (result != AL_RESULT_POISONED) {
            al_drive_event(&arm->drive, AL_EVENT_CODE_REJECTED, arm->reject_joint, now_us,
                           ((int32_t)arm->next_seq * 256) + (int32_t)result);
        }
    }
    arm->next_seq++;
}

static void reliable(al_arm_t *arm, const al_frame_t *frame, uint32_t now_us)
{
    const uint16_t ahead = (uint16_t)(frame->seq - arm->next_seq);
    arm->ack_due = true;
    if (ahead == 0u) {
        executed(arm, al_execute(arm, frame->type, frame->payload, frame->size), now_us);
        al_slot_t *slot = &arm->slots[arm->slot_head];
        while (slot->used) {
            slot->used = false;
            arm->slot_head = (uint8_t)((arm->slot_head + 1u) % AL_WINDOW);
            executed(arm, al_execute(arm, slot->type, slot->payload, slot->size), now_us);
            slot = &arm->slots[arm->slot_head];
        }
        arm->slot_head = (uint8_t)((arm->slot_head + 1u) % AL_WINDOW);
    } else if (ahead <= AL_WINDOW) {
        al_slot_t *slot = &arm->slots[(arm->slot_head + (ahead - 1u)) % AL_WINDOW];
        arm->gaps++;
        if (!slot->used) {
            slot->used = true;
            slot->type = frame->type;
            slot->size = frame->size;
            for (uint8_t i = 0; i < frame->size; i++) {
                slot->payload[i] = frame->payload[i];
            }
        }
    } else {
        arm->duplicates++; /* acknowledged again, not executed */
    }
}

/* --------------------------------------------------------------------------------------------------- receiving */

static void received(al_arm_t *arm, const al_frame_t *frame, uint32_t now_us)
{
    const uint8_t delivery = al_class_of(frame->type);
    const bool ours = (arm->session != 0u) && (frame->session == arm->session);
    arm->drive.now_us = now_us;
    if ((frame->flags >> 4) != AL_MAJOR) {
        arm->strangers++;
        al_report_nak(arm, AL_REFUSAL_VERSION, frame->type, AL_MAJOR, now_us);
    } else if (delivery == AL_CLASS_OPENING) {
        al_execute_opening(arm, frame, now_us);
    } else if (delivery == AL_CLASS_REPORT) {
        arm->strangers++; /* an echo of our own, or nothing we know */
    } else if (!ours) {
        arm->strangers++;
        al_report_nak(arm, AL_REFUSAL_NO_SESSION, frame->type, arm->identity.boot_id, now_us);
    } else {
        arm->leased = true;
        arm->heard_us = now_us;
        if (delivery == AL_CLASS_RELIABLE) {
            reliable(arm, frame, now_us);
        } else {
            al_execute_express(arm, frame->type, frame->payload, frame->size, now_us);
        }
    }
}

void al_arm_rx(al_arm_t *arm, uint8_t byte, uint32_t now_us)
{
    al_frame_t frame;
    switch (al_decoder_feed(&arm->decoder, byte, &frame)) {
    case AL_RX_FRAME:
        arm->frames++;
        arm->quality_good++;
        received(arm, &frame, now_us);
        break;
    case AL_RX_CRC_ERROR:
        arm->crc_errors++;
        arm->quality_bad++;
        break;
    case AL_RX_FRAMING_ERROR:
        arm->framing_errors++;
        arm->quality_bad++;
        break;
    case AL_RX_NOTHING:
    default:
        break;
    }
}

void al_arm_overrun(al_arm_t *arm, uint16_t bytes)
{
    arm->overruns = (uint16_t)(arm->overruns + bytes);
}

/* ------------------------------------------------------------------------------------------------------- ticking */

static void watch_host(al_arm_t *arm, uint32_t now_us)
{
    const uint32_t silent_us = now_us - arm->heard_us;
    al_drive_t *drive = &arm->drive;
    if (arm->leased && (silent_us > arm->lease_us)) {
        arm->leased = false;
        al_drive_hold(drive, AL_HOLD_CAUSE_LEASE, AL_HOLD_RAMP_S);
    }
    if (!arm->leased && al_drive_powered(drive) && (silent_us > (LOST_LEASES * arm->lease_us))) {
        al_drive_fault(drive, AL_FAULT_HOST_LOST, 255u);
    }
}

static void watch_line(al_arm_t *arm, uint32_t now_us)
{
    if ((now_us - arm->quality_us) >= QUALITY_US) {
        const bool bad = (arm->quality_bad >= QUALITY_BAD_MIN) && (arm->quality_bad > arm->quality_good);
        if (bad && al_drive_powered(&arm->drive)) {
            al_drive_fault(&arm->drive, AL_FAULT_LINE_QUALITY, 255u);
        }
        arm->quality_us = now_us;
        arm->quality_good = 0u;
        arm->quality_bad = 0u;
    }
}

void al_arm_tick(al_arm_t *arm, uint32_t now_us)
{
    arm->drive.now_us = now_us;
    watch_host(arm, now_us);
    watch_line(arm, now_us);
    al_drive_tick(&arm->drive, now_us);
}
