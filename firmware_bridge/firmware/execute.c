#include "execute.h"

#include "report.h"

static uint8_t confirm(al_arm_t *arm, const al_confirm_t *m)
{
    uint8_t result = AL_RESULT_OK;
    for (uint8_t i = 0; i < sizeof(m->uid); i++) {
        if (m->uid[i] != arm->identity.uid[i]) {
            result = AL_RESULT_WRONG_ARM;
        }
    }
    if ((result == AL_RESULT_OK) && (m->config_crc != arm->config_crc)) {
        result = AL_RESULT_WRONG_CONFIG;
    }
    arm->drive.confirmed = (result == AL_RESULT_OK);
    return result;
}

static bool takes_motion(const al_drive_t *drive)
{
    return (drive->state == AL_DRIVE_SWITCHED_ON) || (drive->state == AL_DRIVE_OPERATION_ENABLED);
}

static uint8_t seg(al_arm_t *arm, uint8_t type, const uint8_t *payload, uint8_t size, uint8_t *joint)
{
    al_drive_t *drive = &arm->drive;
    union {
        al_seg_cubic_t cubic;
        al_seg_quintic_t quintic;
    } m;
    uint8_t result = AL_RESULT_MALFORMED;
    if (type == AL_MSG_SEG_CUBIC) {
        if (al_seg_cubic_decode(&m.cubic, payload, size)) {
            result = takes_motion(drive) ? al_path_append_cubic(&drive->path, &m.cubic, &drive->limits, joint)
                                         : (uint8_t)AL_RESULT_WRONG_STATE;
        }
    } else if (al_seg_quintic_decode(&m.quintic, payload, size)) {
        result = takes_motion(drive) ? al_path_append_quintic(&drive->path, &m.quintic, &drive->limits, joint)
                                     : (uint8_t)AL_RESULT_WRONG_STATE;
    } else {
        /* malformed */
    }
    return result;
}

uint8_t al_execute(al_arm_t *arm, uint8_t type, const uint8_t *payload, uint8_t size)
{
    al_drive_t *drive = &arm->drive;
    union {
        al_control_t control;
        al_confirm_t confirm;
        al_start_t start;
        al_truncate_t truncate;
        al_abandon_t abandon;
        al_resume_t resume;
        al_override_t override;
        al_fault_reset_t fault_reset;
    } m;
    uint8_t joint = 255u;
    uint8_t result = AL_RESULT_MALFORMED;
    switch (type) {
    case AL_MSG_SEG_CUBIC:
    case AL_MSG_SEG_QUINTIC:
        result = seg(arm, type, payload, size, &joint);
        break;
    case AL_MSG_CONTROL:
        if (al_control_decode(&m.control, payload, size)) {
            result = al_drive_control(drive, m.control.controlword);
        }
        break;
    case AL_MSG_CONFIRM:
        if (al_confirm_decode(&m.confirm, payload, size)) {
            result = confirm(arm, &m.confirm);
        }
        break;
    case AL_MSG_START:
        if (al_start_decode(&m.start, payload, size)) {
            result = (drive->state == AL_DRIVE_OPERATION_ENABLED) ? al_path_start(&drive->path, &m.start)
                                                                  : (uint8_t)AL_RESULT_WRONG_STATE;
        }
        break;
    case AL_MSG_TRUNCATE:
        if (al_truncate_decode(&m.truncate, payload, size)) {
            result = takes_motion(drive) ? al_path_truncate(&drive->path, &m.truncate, &drive->ramp)
                                         : (uint8_t)AL_RESULT_WRONG_STATE;
        }
        break;
    case AL_MSG_ABANDON:
        if (al_abandon_decode(&m.abandon, payload, size)) {
            result = al_drive_abandon(drive, m.abandon.hold_id);
        }
        break;
    case AL_MSG_RESUME:
        if (al_resume_decode(&m.resume, payload, size)) {
            result = al_drive_resume(drive, m.resume.hold_id);
        }
        break;
    case AL_MSG_OVERRIDE:
        if (al_override_decode(&m.override, payload, size)) {
            result = al_drive_override(drive, m.override.percent);
        }
        break;
    case AL_MSG_FAULT_RESET:
        if (al_fault_reset_decode(&m.fault_reset, payload, size)) {
            result = al_drive_fault_reset(drive, m.fault_reset.fault, m.fault_reset.latch_count);
        }
        break;
    default:
        result = AL_RESULT_UNKNOWN;
        break;
    }
    if (result != AL_RESULT_OK) {
        arm->reject_joint = joint;
    }
    return result;
}

static void sync_reply(al_arm_t *arm, const al_sync_t *m, uint32_t now_us)
{
    uint8_t payload[AL_SYNC_REPLY_SIZE];
    const al_sync_reply_t reply = {.host_ns = m->host_ns, .t_rx_us = now_us, .t_tx_us = now_us};
    arm->drive.synced = true;
    arm->drive.synced_us = now_us;
    (void)al_report_send(arm, AL_MSG_SYNC_REPLY, payload, al_sync_reply_encode(&reply, payload));
}

void al_execute_express(al_arm_t *arm, uint8_t type, const uint8_t *payload, uint8_t size, uint32_t now_us)
{
    union {
        al_sync_t sync;
        al_heartbeat_t heartbeat;
        al_hold_t hold;
        al_qstop_t qstop;
        al_event_ack_t event_ack;
    } m;
    switch (type) {
    case AL_MSG_SYNC:
        if (al_sync_decode(&m.sync, payload, size)) {
            sync_reply(arm, &m.sync, now_us);
        }
        break;
    case AL_MSG_HEARTBEAT:
        if (al_heartbeat_decode(&m.heartbeat, payload, size)) {
            arm->lease_us = (uint32_t)m.heartbeat.lease_10ms * 10000u;
            arm->status_period_us = (uint32_t)m.heartbeat.status_ms * 1000u;
        }
        break;
    case AL_MSG_HOLD:
        if (al_hold_decode(&m.hold, payload, size)) {
            al_drive_hold(&arm->drive, AL_HOLD_CAUSE_HOST, (m.hold.ramp_ms == 0u) ? AL_HOLD_RAMP_S : ((float)m.hold.ramp_ms * 1e-3f));
        }
        break;
    case AL_MSG_QSTOP:
        if (al_qstop_decode(&m.qstop, payload, size)) {
            al_drive_quick_stop(&arm->drive, m.qstop.reason);
        }
        break;
    case AL_MSG_EVENT_ACK:
        if (al_event_ack_decode(&m.event_ack, payload, size)) {
            al_drive_event_ack(&arm->drive, m.event_ack.event_no);
        }
        break;
    default:
        break;
    }
}

/* A session number that no host of this or of an earlier start has in mind: with counted boot ids none comes again
 * within 255 starts of up to 257 sessions each. */
static uint16_t new_session(al_arm_t *arm)
{
    arm->sessions++;
    return (uint16_t)(1u + (((arm->identity.boot_id % 255u) * 257u + arm->sessions) % 65535u));
}

static void open_session(al_arm_t *arm, const al_hello_t *m, uint32_t now_us)
{
    al_drive_open(&arm->drive);
    arm->session = new_session(arm);
    arm->host_nonce = m->host_nonce;
    arm->leased = true;
    arm->heard_us = now_us;
    arm->lease_us = 250000u;
    arm->status_period_us = 20000u;
    arm->next_seq = 0u;
    arm->slot_head = 0u;
    arm->reject_joint = 255u;
    for (uint8_t i = 0; i < AL_WINDOW; i++) {
        arm->slots[i].used = false;
        arm->results[i] = AL_RESULT_OK;
    }
    arm->ack_due = false;
    arm->quality_us = now_us;
    arm->quality_good = 0u;
    arm->quality_bad = 0u;
}

static void hello(al_arm_t *arm, const al_hello_t *m, uint32_t now_us)
{
    const bool same = (arm->session != 0u) && (arm->host_nonce == m->host_nonce);
    if ((m->proto_min > AL_MAJOR) || (m->proto_max < AL_MAJOR)) {
        al_report_nak(arm, AL_REFUSAL_VERSION, AL_MSG_HELLO, AL_MAJOR, now_us);
    } else if (m->table_hash != AL_TABLE_HASH) {
        al_report_nak(arm, AL_REFUSAL_TABLE, AL_MSG_HELLO, AL_TABLE_HASH, now_us);
    } else if ((m->flags & AL_HELLO_FLAG_LOOK) != 0u) {
        al_report_hello(arm, 0u, m->host_nonce, now_us);
    } else if (same) {
        al_report_hello(arm, arm->session, m->host_nonce, now_us); /* its answer was lost */
    } else if (arm->leased && ((m->flags & AL_HELLO_FLAG_TAKEOVER) == 0u)) {
        const uint32_t left_us = arm->lease_us - (now_us - arm->heard_us);
        al_report_nak(arm, AL_REFUSAL_LEASED, AL_MSG_HELLO, left_us / 1000u, now_us);
    } else if (al_drive_moving(&arm->drive)) {
        al_drive_hold(&arm->drive, AL_HOLD_CAUSE_TAKEOVER, AL_HOLD_RAMP_S);
        al_report_nak(arm, AL_REFUSAL_MOVING, AL_MSG_HELLO, 0u, now_us);
    } else {
        open_session(arm, m, now_us);
        al_report_hello(arm, arm->session, m->host_nonce, now_us);
    }
}

void al_execute_opening(al_arm_t *arm, const al_frame_t *frame, uint32_t now_us)
{
    union {
        al_hello_t hello;
        al_desc_read_t desc_read;
        al_report_read_t report_read;
    } m;
    if (frame->type == AL_MSG_HELLO) {
        if (al_hello_decode(&m.hello, frame->payload, frame->size)) {
            hello(arm, &m.hello, now_us);
        }
    } else if (frame->type == AL_MSG_DESC_READ) {
        if (al_desc_read_decode(&m.desc_read, frame->payload, frame->size)) {
            al_report_desc(arm, m.desc_read.offset);
        }
    } else if (al_report_read_decode(&m.report_read, frame->payload, frame->size)) {
        if (m.report_read.report == AL_REPORT_STATUS) {
            al_report_status(arm, now_us);
        } else {
            al_report_telem(arm);
        }
    } else {
        /* malformed */
    }
}
