/* What each message does. */
#ifndef AL_EXECUTE_H
#define AL_EXECUTE_H

#include "arm.h"

/* A reliable message, in its turn: AL_RESULT_... */
uint8_t al_execute(al_arm_t *arm, uint8_t type, const uint8_t *payload, uint8_t size);

/* An express message of the session. */
void al_execute_express(al_arm_t *arm, uint8_t type, const uint8_t *payload, uint8_t size, uint32_t now_us);

/* A message that needs no session. */
void al_execute_opening(al_arm_t *arm, const al_frame_t *frame, uint32_t now_us);

#endif
