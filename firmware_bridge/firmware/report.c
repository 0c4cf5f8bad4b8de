#include "report.h"

#define NAK_US 100000u

bool al_report_send(al_arm_t *arm, uint8_t type, const uint8_t *payload, size_t size)
{
    const al_port_t *port = arm->drive.port;
    uint8_t wire[AL_WIRE_MAX];
    const al_frame_t frame = {
        .type = type,
        .flags = (uint8_t)(AL_MAJOR << 4),
        .session = arm->session,
        .seq = arm->tx_seq,
        .size = (uint8_t)size,
        .payload = payload,
    };
    const size_t n = al_frame_encode(&frame, wire);
    const bool room = port->tx_room(port->ctx) >= n;
    if (room) {
        port->tx(port->ctx, wire, n);
        arm->tx_seq++;
    } else {
        arm->tx_skipped++;
    }
    return room;
}

void al_report_nak(al_arm_t *arm, uint8_t code, uint8_t type, uint32_t data, uint32_t now_us)
{
    if (!arm->nak_sent || ((now_us - arm->nak_us) >= NAK_US)) {
        uint8_t payload[AL_NAK_SIZE];
        const al_nak_t nak = {.boot_id = arm->identity.boot_id, .code = code, .type = type, .data = data};
        arm->nak_sent = al_report_send(arm, AL_MSG_NAK, payload, al_nak_encode(&nak, payload));
        arm->nak_us = now_us;
    }
}

void al_report_hello(al_arm_t *arm, uint16_t session, uint32_t host_nonce, uint32_t now_us)
{
    uint8_t payload[AL_HELLO_ACK_SIZE];
    al_hello_ack_t ack = {
        .major = AL_MAJOR,
        .minor = AL_MINOR,
        .session = session,
        .host_nonce = host_nonce,
        .boot_id = arm->identity.boot_id,
        .fw_rev = arm->identity.fw_rev,
        .table_hash = AL_TABLE_HASH,
        .config_crc = arm->config_crc,
        .config_size = AL_CONFIG_SIZE,
        .joints = arm->identity.config.joints,
        .knots = AL_KNOTS,
        .tick_hz = AL_TICK_HZ,
        .now_us = now_us,
        .reset_cause = arm->identity.reset_cause,
    };
    for (uint8_t i = 0; i < sizeof(ack.uid); i++) {
        ack.uid[i] = arm->identity.uid[i];
    }
    (void)al_report_send(arm, AL_MSG_HELLO_ACK, payload, al_hello_ack_encode(&ack, payload));
}

void al_report_desc(al_arm_t *arm, uint16_t offset)
{
    uint8_t config[AL_CONFIG_SIZE];
    uint8_t payload[AL_DESC_SIZE_MAX];
    al_desc_t desc = {.offset = offset, .total = (uint16_t)al_config_encode(&arm->identity.config, config)};
    while ((desc.chunk_count < sizeof(desc.chunk)) && (((uint32_t)offset + desc.chunk_count) < AL_CONFIG_SIZE)) {
        desc.chunk[desc.chunk_count] = config[offset + desc.chunk_count];
        desc.chunk_count++;
    }
    (void)al_report_send(arm, AL_MSG_DESC, payload, al_desc_encode(&desc, payload));
}

static uint16_t buffered_ms(const al_drive_t *drive)
{
    const float ms = al_path_buffered(&drive->path) * 1e3f;
    return (ms < 65535.0f) ? (uint16_t)ms : 65535u;
}

static void ack(al_arm_t *arm)
{
    const al_drive_t *drive = &arm->drive;
    uint8_t payload[AL_ACK_SIZE];
    al_ack_t m = {
        .next_seq = arm->next_seq,
        .reject_joint = arm->reject_joint,
        .free_knots = (uint8_t)(AL_KNOTS - drive->path.count),
        .drive = drive->state,
        .motion = drive->motion,
        .buffered_ms = buffered_ms(drive),
    };
    for (uint8_t i = 0; i < AL_WINDOW; i++) {
        if (arm->slots[(arm->slot_head + i) % AL_WINDOW].used) {
            m.sack |= (uint8_t)(1u << i);
        }
        m.results[i] = arm->results[i];
    }
    arm->ack_due = !al_report_send(arm, AL_MSG_ACK, payload, al_ack_encode(&m, payload));
}

void al_report_status(al_arm_t *arm, uint32_t now_us)
{
    const al_drive_t *drive = &arm->drive;
    const al_path_t *path = &drive->path;
    const al_trajectory_t *oldest = &path->trajectories[path->trajectory_head];
    uint8_t payload[AL_STATUS_SIZE];
    al_status_t m = {
        .t_us = now_us,
        .statusword = al_drive_statusword(drive),
        .drive = drive->state,
        .motion = drive->motion,
        .hold_cause = drive->cause,
        .hold_id = drive->hold_id,
        .fault = drive->fault,
        .fault_joint = drive->fault_joint,
        .latch_count = drive->latch_count,
        .next_seq = arm->next_seq,
        .free_knots = (uint8_t)(AL_KNOTS - path->count),
        .override_pct = drive->override_pct,
        .speed_pct = (uint8_t)((drive->ramp.value * 100.0f) + 0.5f),
        .traj = path->running ? oldest->id : drive->last_traj,
        .knot = path->running ? oldest->first : 0u,
        .buffered_ms = buffered_ms(drive),
        .lost_us = path->running ? ((drive->now_us - path->begun_us) - (uint32_t)(path->at >> 16)) : 0u,
    };
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        m.pos[j] = drive->feedback.pos[j];
        m.ferr[j] = path->setpoint.pos[j] - drive->feedback.pos[j];
        m.vel[j] = drive->feedback.vel[j];
        m.current[j] = drive->feedback.current[j];
    }
    (void)al_report_send(arm, AL_MSG_STATUS, payload, al_status_encode(&m, payload));
    arm->status_us = now_us;
}

void al_report_telem(al_arm_t *arm)
{
    al_drive_t *drive = &arm->drive;
    uint8_t payload[AL_TELEM_SIZE];
    al_telem_t m = {
        .bus_mv = drive->feedback.bus_mv,
        .frames = arm->frames,
        .crc_errors = arm->crc_errors,
        .framing_errors = arm->framing_errors,
        .overruns = arm->overruns,
        .gaps = arm->gaps,
        .duplicates = arm->duplicates,
        .strangers = arm->strangers,
        .rejected = arm->rejected,
        .late_starts = drive->late_starts,
        .starved = drive->starved,
        .events_lost = drive->events_lost,
        .tx_skipped = arm->tx_skipped,
        .tick_max_us = (uint16_t)((drive->tick_max_us < 65535u) ? drive->tick_max_us : 65535u),
    };
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        m.temperature[j] = drive->feedback.temperature[j];
    }
    (void)al_report_send(arm, AL_MSG_TELEM, payload, al_telem_encode(&m, payload));
    drive->tick_max_us = 0u;
}

static void events(al_arm_t *arm, uint32_t now_us)
{
    al_drive_t *drive = &arm->drive;
    for (uint8_t i = 0; i < drive->event_count; i++) {
        al_pending_event_t *pending = &drive->events[(drive->event_head + i) % AL_EVENTS];
        if (!pending->acknowledged && (!pending->sent || ((now_us - pending->sent_us) >= 100000u))) {
            uint8_t payload[AL_EVENT_SIZE];
            pending->sent = al_report_send(arm, AL_MSG_EVENT, payload, al_event_encode(&pending->event, payload)) || pending->sent;
            pending->sent_us = now_us;
        }
    }
}

void al_arm_poll(al_arm_t *arm, uint32_t now_us)
{
    if (arm->session != 0u) {
        if (arm->ack_due) {
            ack(arm);
        }
        events(arm, now_us);
        if (arm->leased && ((now_us - arm->status_us) >= arm->status_period_us)) {
            al_report_status(arm, now_us);
        }
        if (arm->leased && ((now_us - arm->telem_us) >= 500000u)) {
            arm->telem_us = now_us;
            al_report_telem(arm);
        }
    }
}
