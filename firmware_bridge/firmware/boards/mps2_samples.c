/* Answers requests for samples of curves on the UART; see samples.h. */
#include "../samples.h"
#include "mps2.h"

int main(void)
{
    static uint8_t request[AL_SAMPLES_REQUEST];
    static uint8_t answer[AL_SAMPLES_ANSWER];
    mps2_init();
    for (;;) {
        for (uint32_t i = 0; i < AL_SAMPLES_REQUEST; i++) {
            while (!mps2_receive(&request[i])) {
            }
        }
        const uint32_t n = al_samples(request, answer);
        for (uint32_t i = 0; i < n; i++) {
            while (mps2_tx_room() == 0u) {
                mps2_flush();
            }
            mps2_send(&answer[i], 1u);
        }
        while (mps2_tx_room() < 1024u) {
            mps2_flush();
        }
    }
}
