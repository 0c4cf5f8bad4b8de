/* The Arm MPS2 board with the AN386 image (Cortex-M4F), as QEMU emulates it. */
#ifndef AL_MPS2_H
#define AL_MPS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UART 0, a 1 MHz counter and the floating point unit; tick: the counter value of the next tick. */
void mps2_init(void);

uint32_t mps2_now_us(void);

/* A byte that was received, if there is one. */
bool mps2_receive(uint8_t *byte);

size_t mps2_tx_room(void);
void mps2_send(const uint8_t *bytes, size_t n);

/* Move bytes that wait to the UART. */
void mps2_flush(void);

#endif
