/* Reads any message into its structure and writes it again.
 *
 * Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.
 */
#include "../messages.h"

int32_t vf_codec(uint8_t type, const uint8_t *payload, uint32_t n, void *decoded, uint8_t *encoded);

/* Size of what was written; -1 when the payload is refused, -2 when there is no such message. */
int32_t vf_codec(uint8_t type, const uint8_t *payload, uint32_t n, void *decoded, uint8_t *encoded)
{
    int32_t result = -1;
    switch (type) {
    case AL_MSG_HELLO:
        if (al_hello_decode(decoded, payload, n)) {
            result = (int32_t)al_hello_encode(decoded, encoded);
        }
        break;
    case AL_MSG_DESC_READ:
        if (al_desc_read_decode(decoded, payload, n)) {
            result = (int32_t)al_desc_read_encode(decoded, encoded);
        }
        break;
    case AL_MSG_REPORT_READ:
        if (al_report_read_decode(decoded, payload, n)) {
            result = (int32_t)al_report_read_encode(decoded, encoded);
        }
        break;
    case AL_MSG_SYNC:
        if (al_sync_decode(decoded, payload, n)) {
            result = (int32_t)al_sync_encode(decoded, encoded);
        }
        break;
    case AL_MSG_HEARTBEAT:
        if (al_heartbeat_decode(decoded, payload, n)) {
            result = (int32_t)al_heartbeat_encode(decoded, encoded);
        }
        break;
    case AL_MSG_HOLD:
        if (al_hold_decode(decoded, payload, n)) {
            result = (int32_t)al_hold_encode(decoded, encoded);
        }
        break;
    case AL_MSG_QSTOP:
        if (al_qstop_decode(decoded, payload, n)) {
            result = (int32_t)al_qstop_encode(decoded, encoded);
        }
        break;
    case AL_MSG_EVENT_ACK:
        if (al_event_ack_decode(decoded, payload, n)) {
            result = (int32_t)al_event_ack_encode(decoded, encoded);
        }
        break;
    case AL_MSG_CONTROL:
        if (al_control_decode(decoded, payload, n)) {
            result = (int32_t)al_control_encode(decoded, encoded);
        }
        break;
    case AL_MSG_CONFIRM:
        if (al_confirm_decode(decoded, payload, n)) {
            result = (int32_t)al_confirm_encode(decoded, encoded);
        }
        break;
    case AL_MSG_SEG_CUBIC:
        if (al_seg_cubic_decode(decoded, payload, n)) {
            result = (int32_t)al_seg_cubic_encode(decoded, encoded);
        }
        break;
    case AL_MSG_SEG_QUINTIC:
        if (al_seg_quintic_decode(decoded, payload, n)) {
            result = (int32_t)al_seg_quintic_encode(decoded, encoded);
        }
        break;
    case AL_MSG_START:
        if (al_start_decode(decoded, payload, n)) {
            result = (int32_t)al_start_encode(decoded, encoded);
        }
        break;
    case AL_MSG_TRUNCATE:
        if (al_truncate_decode(decoded, payload, n)) {
            result = (int32_t)al_truncate_encode(decoded, encoded);
        }
        break;
    case AL_MSG_ABANDON:
        if (al_abandon_decode(decoded, payload, n)) {
            result = (int32_t)al_abandon_encode(decoded, encoded);
        }
        break;
    case AL_MSG_RESUME:
        if (al_resume_decode(decoded, payload, n)) {
            result = (int32_t)al_resume_encode(decoded, encoded);
        }
        break;
    case AL_MSG_OVERRIDE:
        if (al_override_decode(decoded, payload, n)) {
            result = (int32_t)al_override_encode(decoded, encoded);
        }
        break;
    case AL_MSG_FAULT_RESET:
        if (al_fault_reset_decode(decoded, payload, n)) {
            result = (int32_t)al_fault_reset_encode(decoded, encoded);
        }
        break;
    case AL_MSG_HELLO_ACK:
        if (al_hello_ack_decode(decoded, payload, n)) {
            result = (int32_t)al_hello_ack_encode(decoded, encoded);
        }
        break;
    case AL_MSG_DESC:
        if (al_desc_decode(decoded, payload, n)) {
            result = (int32_t)al_desc_encode(decoded, encoded);
        }
        break;
    case AL_MSG_SYNC_REPLY:
        if (al_sync_reply_decode(decoded, payload, n)) {
            result = (int32_t)al_sync_reply_encode(decoded, encoded);
        }
        break;
    case AL_MSG_ACK:
        if (al_ack_decode(decoded, payload, n)) {
            result = (int32_t)al_ack_encode(decoded, encoded);
        }
        break;
    case AL_MSG_NAK:
        if (al_nak_decode(decoded, payload, n)) {
            result = (int32_t)al_nak_encode(decoded, encoded);
        }
        break;
    case AL_MSG_STATUS:
        if (al_status_decode(decoded, payload, n)) {
            result = (int32_t)al_status_encode(decoded, encoded);
        }
        break;
    case AL_MSG_TELEM:
        if (al_telem_decode(decoded, payload, n)) {
            result = (int32_t)al_telem_encode(decoded, encoded);
        }
        break;
    case AL_MSG_EVENT:
        if (al_event_decode(decoded, payload, n)) {
            result = (int32_t)al_event_encode(decoded, encoded);
        }
        break;
    default:
        result = -2;
        break;
    }
    return result;
}
