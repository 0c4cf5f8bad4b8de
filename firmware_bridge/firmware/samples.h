/* Samples of one curve, to compare builds bit by bit. */
#ifndef AL_SAMPLES_H
#define AL_SAMPLES_H

#include "curve.h"

#define AL_SAMPLES 8u
/* Two quintic knots as on the wire. */
#define AL_SAMPLES_REQUEST (2u * AL_QUINTIC_KNOT_SIZE)
/* Of each sample and joint: position, and the bits of velocity and acceleration. Quintics, then cubics. */
#define AL_SAMPLES_ANSWER (2u * AL_SAMPLES * AL_JOINTS * 12u)

/* Writes AL_SAMPLES_ANSWER bytes. */
uint32_t al_samples(const uint8_t *request, uint8_t *out);

#endif
