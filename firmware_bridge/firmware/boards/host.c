/* The firmware as a process on a pseudo-terminal, with a plant for motors. POSIX and Linux.
 *
 * Usage: host UID CONFIG BOOT_ID POSITIONS [LINK [PLANT]]
 *   UID        12 bytes, CONFIG the encoded configuration, both in hex
 *   BOOT_ID    a number; SIGUSR1 resets the firmware, which then has the next one
 *   POSITIONS  six numbers [1e-7 rad], separated by commas
 *   LINK       symbolic link to make to the terminal, "" for none
 *   PLANT      file through which other processes see and disturb the plant (al_plant_t)
 * Prints the terminal's name. Ends with its parent.
 *
 * This is a punctual processor on a computer that is not: ticks which the operating system delays are caught up with,
 * and what was received meanwhile is spread over them. Only a process that was stopped (SIGSTOP, SIGCONT) sees the time
 * that has passed, as a processor that stood still would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../arm.h"
#include "plant.h"

#define TX_SIZE 4096u
#define TICK_US 1000u

/* The last minute, so that whoever follows the motors may be late; firmware_bridge/emulator/plant.py reads it. */
#define HISTORY 65536u

typedef struct {
    uint32_t count; /* of ticks noted so far; the row of tick i is i % HISTORY */
    uint32_t t_us[HISTORY];
    int32_t pos[HISTORY][AL_JOINTS];
} history_t;

typedef struct {
    al_plant_t plant;
    history_t history;
} shared_t;

static shared_t own;
static shared_t *shared = &own;
static al_plant_t *plant = &own.plant;
static int line = -1;
static uint8_t tx[TX_SIZE];
static size_t tx_count;
static volatile sig_atomic_t reset_wanted;
static volatile sig_atomic_t stood_still;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

static void on_reset(int number)
{
    (void)number;
    reset_wanted = 1;
}

static void on_continue(int number)
{
    (void)number;
    stood_still = 1;
}

static uint32_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u);
}

static void port_read(void *ctx, al_feedback_t *feedback)
{
    (void)ctx;
    al_plant_read(plant, feedback);
}

static void port_write(void *ctx, const al_setpoint_t *setpoint)
{
    (void)ctx;
    al_plant_write(plant, setpoint);
}

static void port_power(void *ctx, bool on)
{
    (void)ctx;
    al_plant_power(plant, on);
}

static size_t port_tx_room(void *ctx)
{
    (void)ctx;
    return TX_SIZE - tx_count;
}

static void port_tx(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    memcpy(&tx[tx_count], bytes, n);
    tx_count += n;
}

static void flush(void)
{
    const ssize_t sent = write(line, tx, tx_count);
    if (sent > 0) {
        tx_count -= (size_t)sent;
        memmove(tx, &tx[sent], tx_count);
    }
}

static void parse_hex(const char *text, uint8_t *out, size_t n)
{
    if (strlen(text) != (2u * n)) {
        fprintf(stderr, "expected %zu bytes in hex, got %zu digits\n", n, strlen(text));
        exit(2);
    }
    for (size_t i = 0; i < n; i++) {
        const char digits[3] = {text[2u * i], text[(2u * i) + 1u], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static void open_line(const char *link_name)
{
    char temporary[4096];
    struct termios raw;
    line = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if ((line < 0) || (grantpt(line) != 0) || (unlockpt(line) != 0)) {
        fail("pseudo-terminal");
    }
    const char *name = ptsname(line);
    /* Kept open, or the line would break whenever its user closes it. */
    const int other_end = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if ((other_end < 0) || (tcgetattr(other_end, &raw) != 0)) {
        fail(name);
    }
    cfmakeraw(&raw);
    (void)tcsetattr(other_end, TCSANOW, &raw);
    if (link_name[0] != '\0') {
        (void)snprintf(temporary, sizeof temporary, "%s.%ld", link_name, (long)getpid());
        (void)unlink(temporary);
        if ((symlink(name, temporary) != 0) || (rename(temporary, link_name) != 0)) {
            fail(link_name);
        }
    }
    printf("%s\n", name);
    (void)fflush(stdout);
}

static void open_plant(const char *file, const int32_t *pos)
{
    if (file[0] != '\0') {
        const int opened = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if ((opened < 0) || (ftruncate(opened, sizeof(shared_t)) != 0)) {
            fail(file);
        }
        void *mapped = mmap(NULL, sizeof(shared_t), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
        if (mapped == MAP_FAILED) {
            fail(file);
        }
        shared = mapped;
        plant = &shared->plant;
    }
    al_plant_init(plant, pos);
}

static void note(uint32_t t_us)
{
    history_t *history = &shared->history;
    const uint32_t row = history->count % HISTORY;
    history->t_us[row] = t_us;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        history->pos[row][j] = plant->pos[j];
    }
    __atomic_store_n(&history->count, history->count + 1u, __ATOMIC_RELEASE);
}

static void run(al_identity_t *identity)
{
    static al_arm_t arm;
    const al_port_t port = {NULL, port_read, port_write, port_power, port_tx_room, port_tx};
    const struct itimerspec period = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct pollfd watched[2] = {{.fd = line, .events = POLLIN}, {.fd = timer, .events = POLLIN}};
    uint8_t received[8192];
    uint64_t expirations;
    if ((timer < 0) || (timerfd_settime(timer, 0, &period, NULL) != 0)) {
        fail("timer");
    }
    uint32_t tick_us = now();
    if (!al_arm_init(&arm, &port, identity, tick_us)) {
        fprintf(stderr, "the configuration contradicts itself\n");
        exit(2);
    }
    for (;;) {
        watched[0].events = (short)(POLLIN | ((tx_count > 0u) ? POLLOUT : 0));
        if ((poll(watched, 2, 1000) < 0) && (errno != EINTR)) {
            fail("poll");
        }
        if (reset_wanted != 0) {
            reset_wanted = 0;
            identity->boot_id++;
            identity->reset_cause = AL_RESET_CAUSE_SOFTWARE;
            (void)al_arm_init(&arm, &port, identity, now());
        }
        (void)!read(timer, &expirations, sizeof expirations);
        const uint32_t now_us = now();
        if (stood_still != 0) {
            stood_still = 0;
            tick_us = now_us - TICK_US;
        }
        const ssize_t n = read(line, received, sizeof received);
        const size_t count = (n > 0) ? (size_t)n : 0u;
        const size_t ticks = (now_us - tick_us) / TICK_US;
        size_t taken = 0u;
        for (size_t k = 0; k < ticks; k++) {
            tick_us += TICK_US;
            al_plant_step(plant);
            note(tick_us);
            al_arm_tick(&arm, tick_us);
            /* All but the last tick's share, which came just now. */
            for (; taken < (((k + 1u) < ticks) ? ((count * (k + 1u)) / ticks) : 0u); taken++) {
                al_arm_rx(&arm, received[taken], tick_us);
            }
        }
        for (; taken < count; taken++) {
            al_arm_rx(&arm, received[taken], now_us);
        }
        al_arm_poll(&arm, now_us);
        flush();
    }
}

int main(int argc, char **argv)
{
    static al_identity_t identity = {.fw_rev = 1u};
    uint8_t config[AL_CONFIG_SIZE];
    int32_t pos[AL_JOINTS];
    if ((argc < 5) || (argc > 7)) {
        fprintf(stderr, "usage: %s UID CONFIG BOOT_ID POSITIONS [LINK [PLANT]]\n", argv[0]);
        return 2;
    }
    parse_hex(argv[1], identity.uid, sizeof identity.uid);
    parse_hex(argv[2], config, sizeof config);
    identity.boot_id = (uint32_t)strtoul(argv[3], NULL, 10);
    if (!al_config_decode(&identity.config, config, sizeof config)
        || (sscanf(argv[4], "%d,%d,%d,%d,%d,%d", &pos[0], &pos[1], &pos[2], &pos[3], &pos[4], &pos[5]) != AL_JOINTS)) {
        fprintf(stderr, "the configuration or the positions are malformed\n");
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 11}); /* if the user may */
    (void)signal(SIGUSR1, on_reset);
    (void)signal(SIGCONT, on_continue);
    open_plant((argc > 6) ? argv[6] : "", pos);
    open_line((argc > 5) ? argv[5] : "");
    run(&identity);
    return 0;
}
