/* Frames: COBS(type, flags, session, seq, payload, CRC-32C) 00. */
#ifndef AL_FRAME_H
#define AL_FRAME_H

#include "messages.h"

#define AL_HEADER_SIZE 6u
#define AL_BODY_MIN (AL_HEADER_SIZE + 4u)
#define AL_BODY_MAX (AL_BODY_MIN + AL_MAX_PAYLOAD)
/* A body is shorter than 254 bytes: COBS adds one byte, the delimiter is another. */
#define AL_WIRE_MAX (AL_BODY_MAX + 2u)
_Static_assert(AL_BODY_MAX < 254u, "one COBS byte is enough");

typedef struct {
    uint8_t type;
    uint8_t flags;
    uint16_t session;
    uint16_t seq;
    uint8_t size;
    const uint8_t *payload;
} al_frame_t;

typedef enum { AL_RX_NOTHING, AL_RX_FRAME, AL_RX_FRAMING_ERROR, AL_RX_CRC_ERROR } al_rx_t;

/* Takes bytes of the line apart; all zero is its initial state. */
typedef struct {
    uint8_t body[AL_BODY_MAX];
    uint8_t size;   /* of the body so far */
    uint8_t group;  /* bytes left in the COBS group */
    bool zero;      /* a zero follows the group, if anything does */
    bool any;       /* a byte has come since the last delimiter */
    bool broken;    /* too long: wait for the delimiter */
} al_decoder_t;

uint32_t al_crc32c(const uint8_t *bytes, size_t n);

/* One byte of the line. After AL_RX_FRAME the frame points into the decoder until its next byte. */
al_rx_t al_decoder_feed(al_decoder_t *decoder, uint8_t byte, al_frame_t *frame);

/* Writes a frame with its delimiter; out has room for AL_WIRE_MAX bytes. Returns the size. */
size_t al_frame_encode(const al_frame_t *frame, uint8_t *out);

#endif
