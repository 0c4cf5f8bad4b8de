#include "mps2.h"

/* Application note AN386, and Arm's CMSDK technical reference manual for the UART. */
#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u) /* bit 0: transmit buffer full, bit 1: receive buffer full */
#define UART_CONTROL REGISTER(0x40004008u)
#define UART_INTERRUPT REGISTER(0x4000400Cu)
#define UART_DIVIDER REGISTER(0x40004010u)
#define COUNTER REGISTER(0x40028018u)
#define PRESCALER REGISTER(0x4002801Cu)
#define NVIC_ENABLE REGISTER(0xE000E100u)
#define CPACR REGISTER(0xE000ED88u)

#define RX_SIZE 1024u /* powers of two */
#define TX_SIZE 1024u

static volatile uint8_t rx[RX_SIZE];
static volatile uint32_t rx_in;
static uint32_t rx_out;
static uint8_t tx[TX_SIZE];
static uint32_t tx_in;
static uint32_t tx_out;

extern uint32_t _data_load[], _data[], _data_end[], _bss[], _bss_end[], _stack_top[];
int main(void);
void reset(void);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

/* The only two functions of a library that compilers call by themselves. */
void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i]; /* volatile: or it would be made a call of itself */
    }
    return to;
}

void *memset(void *to, int value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    }
    return to;
}

static void stop(void)
{
    for (;;) {
    }
}

static void uart_received(void)
{
    UART_INTERRUPT = 2u; /* first: a byte that comes while this runs asks again */
    while ((UART_STATE & 2u) != 0u) {
        rx[rx_in % RX_SIZE] = (uint8_t)UART_DATA;
        rx_in++;
    }
}

void reset(void)
{
    CPACR |= 0xFu << 20; /* before any floating point instruction */
    __asm volatile("dsb\nisb");
    const uint32_t *from = _data_load;
    for (uint32_t *to = _data; to < _data_end; to++) {
        *to = *from;
        from++;
    }
    for (uint32_t *to = _bss; to < _bss_end; to++) {
        *to = 0u;
    }
    (void)main();
    stop();
}

/* The stack pointer is no function, but stands where a pointer stands. */
typedef union {
    void (*function)(void);
    uint32_t *address;
} vector_t;

__attribute__((section(".vectors"), used)) static const vector_t vectors[17] = {
    {.address = _stack_top}, {reset}, {stop}, {stop}, {stop}, {stop}, {stop}, {stop}, {stop},
    {stop}, {stop}, {stop}, {stop}, {stop}, {stop}, {stop},
    {uart_received}, /* interrupt 0: UART 0 received */
};

void mps2_init(void)
{
    PRESCALER = 24u; /* of 25 MHz */
    UART_DIVIDER = 27u; /* 921600 baud, to 0.5 % */
    UART_CONTROL = 1u | 2u | 8u; /* transmitter, receiver, receive interrupt */
    NVIC_ENABLE = 1u;
}

uint32_t mps2_now_us(void)
{
    return COUNTER;
}

bool mps2_receive(uint8_t *byte)
{
    const bool any = (rx_out != rx_in);
    if (any) {
        *byte = rx[rx_out % RX_SIZE];
        rx_out++;
    }
    return any;
}

size_t mps2_tx_room(void)
{
    return TX_SIZE - (tx_in - tx_out);
}

void mps2_send(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tx[tx_in % TX_SIZE] = bytes[i];
        tx_in++;
    }
}

void mps2_flush(void)
{
    while ((tx_out != tx_in) && ((UART_STATE & 1u) == 0u)) {
        UART_DATA = tx[tx_out % TX_SIZE];
        tx_out++;
    }
}
