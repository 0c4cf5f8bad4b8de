/* Frames to the host. A report for which the line has no room is left out; all of them come again. */
#ifndef AL_REPORT_H
#define AL_REPORT_H

#include "arm.h"

bool al_report_send(al_arm_t *arm, uint8_t type, const uint8_t *payload, size_t size);

/* Refuse a frame; at most ten times a second. */
void al_report_nak(al_arm_t *arm, uint8_t code, uint8_t type, uint32_t data, uint32_t now_us);

void al_report_hello(al_arm_t *arm, uint16_t session, uint32_t host_nonce, uint32_t now_us);
void al_report_desc(al_arm_t *arm, uint16_t offset);
void al_report_status(al_arm_t *arm, uint32_t now_us);
void al_report_telem(al_arm_t *arm);

#endif
