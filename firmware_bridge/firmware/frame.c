#include "frame.h"

/* Two table look-ups a byte: 64 bytes of table instead of 1 kB. Reflected polynomial 0x82F63B78. */
static const uint32_t nibble_table[16] = {
    0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u, 0x61C69362u, 0x7198540Du,
    0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u, 0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u,
};

uint32_t al_crc32c(const uint8_t *bytes, size_t n)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibble_table[crc & 15u];
        crc = (crc >> 4) ^ nibble_table[crc & 15u];
    }
    return crc ^ 0xFFFFFFFFu;
}

static al_rx_t finish(al_decoder_t *decoder, al_frame_t *frame)
{
    const uint8_t size = decoder->size;
    al_rx_t result = AL_RX_FRAME;
    if (!decoder->any) {
        result = AL_RX_NOTHING; /* a delimiter after an idle line */
    } else if (decoder->broken || (decoder->group != 0u) || (size < AL_BODY_MIN)) {
        result = AL_RX_FRAMING_ERROR;
    } else {
        const uint8_t *p = &decoder->body[size - 4u];
        if (al_get_u32(&p) != al_crc32c(decoder->body, size - 4u)) {
            result = AL_RX_CRC_ERROR;
        } else {
            p = decoder->body;
            frame->type = al_get_u8(&p);
            frame->flags = al_get_u8(&p);
            frame->session = al_get_u16(&p);
            frame->seq = al_get_u16(&p);
            frame->size = (uint8_t)(size - AL_BODY_MIN);
            frame->payload = p;
        }
    }
    decoder->size = 0u;
    decoder->group = 0u;
    decoder->zero = false;
    decoder->any = false;
    decoder->broken = false;
    return result;
}

static void append(al_decoder_t *decoder, uint8_t byte)
{
    if (decoder->size < AL_BODY_MAX) {
        decoder->body[decoder->size] = byte;
        decoder->size++;
    } else {
        decoder->broken = true;
    }
}

al_rx_t al_decoder_feed(al_decoder_t *decoder, uint8_t byte, al_frame_t *frame)
{
    if (byte == 0u) {
        return finish(decoder, frame);
    }
    decoder->any = true;
    if (decoder->group > 0u) {
        append(decoder, byte);
        decoder->group--;
    } else {
        if (decoder->zero) {
            append(decoder, 0u);
        }
        decoder->group = (uint8_t)(byte - 1u);
        decoder->zero = true;
    }
    return AL_RX_NOTHING;
}

size_t al_frame_encode(const al_frame_t *frame, uint8_t *out)
{
    uint8_t body[AL_BODY_MAX];
    uint8_t *p = body;
    al_put_u8(&p, frame->type);
    al_put_u8(&p, frame->flags);
    al_put_u16(&p, frame->session);
    al_put_u16(&p, frame->seq);
    for (uint8_t i = 0; i < frame->size; i++) {
        al_put_u8(&p, frame->payload[i]);
    }
    const size_t checked = (size_t)(p - body);
    al_put_u32(&p, al_crc32c(body, checked));
    const size_t n = checked + 4u;

    size_t code = 0u; /* where the size of the present group goes */
    for (size_t i = 0u; i < n; i++) {
        if (body[i] == 0u) {
            out[code] = (uint8_t)(i + 1u - code);
            code = i + 1u;
        } else {
            out[i + 1u] = body[i];
        }
    }
    out[code] = (uint8_t)(n + 1u - code);
    out[n + 1u] = 0u;
    return n + 2u;
}
