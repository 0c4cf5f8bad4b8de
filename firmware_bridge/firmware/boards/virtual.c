/* The firmware as a shared library, in virtual time: an arm, its plant, and everything it sent. */
#include "../arm.h"
#include "../samples.h"
#include "plant.h"

#define TX_SIZE 65536u
#define TICK_US 1000u

/* One tick, as tests see it. */
typedef struct {
    uint64_t place; /* on the running trajectory [2^-16 us] */
    uint32_t t_us;
    int32_t setpoint[AL_JOINTS];
    float vel[AL_JOINTS];
    float acc[AL_JOINTS];
    int32_t pos[AL_JOINTS];
    uint16_t fault;
    uint16_t hold_id;
    uint8_t power;
    uint8_t state;
    uint8_t motion;
    uint8_t running;
    uint8_t traj;
    uint8_t cause;
    uint16_t session;
} vf_trace_t;

typedef struct {
    al_arm_t arm;
    al_port_t port;
    al_plant_t plant;
    uint32_t now_us;
    al_setpoint_t written;
    vf_trace_t *trace;
    uint32_t trace_room;
    uint32_t trace_count;
    uint32_t tx_count;
    uint8_t tx[TX_SIZE];
} vf_t;

size_t vf_size(void);
bool vf_init(vf_t *vf, const al_plant_t *plant, const uint8_t *uid, uint32_t boot_id, const uint8_t *config, uint32_t now_us);
void vf_rx(vf_t *vf, const uint8_t *bytes, uint32_t n);
void vf_run(vf_t *vf, uint32_t us);
void vf_freeze(vf_t *vf, uint32_t us);
uint32_t vf_tx(vf_t *vf, uint8_t *out);
void vf_trace(vf_t *vf, vf_trace_t *rows, uint32_t room);
uint32_t vf_traced(const vf_t *vf);
al_plant_t *vf_plant(vf_t *vf);
uint32_t vf_samples(const uint8_t *request, uint32_t n, uint8_t *out);
uint32_t vf_frame(const uint8_t *wire, uint32_t n, uint8_t *payload, uint32_t *header);
uint32_t vf_encode(const uint32_t *header, const uint8_t *payload, uint8_t *wire);

static void port_read(void *ctx, al_feedback_t *feedback) { al_plant_read(&((vf_t *)ctx)->plant, feedback); }

static void port_write(void *ctx, const al_setpoint_t *setpoint)
{
    vf_t *vf = ctx;
    vf->written = *setpoint;
    al_plant_write(&vf->plant, setpoint);
}

static void port_power(void *ctx, bool on) { al_plant_power(&((vf_t *)ctx)->plant, on); }

static size_t port_tx_room(void *ctx) { return TX_SIZE - ((vf_t *)ctx)->tx_count; }

static void port_tx(void *ctx, const uint8_t *bytes, size_t n)
{
    vf_t *vf = ctx;
    for (size_t i = 0; i < n; i++) {
        vf->tx[vf->tx_count] = bytes[i];
        vf->tx_count++;
    }
}

size_t vf_size(void) { return sizeof(vf_t); }

bool vf_init(vf_t *vf, const al_plant_t *plant, const uint8_t *uid, uint32_t boot_id, const uint8_t *config, uint32_t now_us)
{
    al_identity_t identity = {.boot_id = boot_id, .fw_rev = 1u};
    *vf = (vf_t){.plant = *plant, .now_us = now_us};
    vf->port = (al_port_t){vf, port_read, port_write, port_power, port_tx_room, port_tx};
    for (uint8_t i = 0; i < sizeof(identity.uid); i++) {
        identity.uid[i] = uid[i];
    }
    const bool ok = al_config_decode(&identity.config, config, AL_CONFIG_SIZE);
    return al_arm_init(&vf->arm, &vf->port, &identity, now_us) && ok;
}

void vf_rx(vf_t *vf, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        al_arm_rx(&vf->arm, bytes[i], vf->now_us);
    }
    al_arm_poll(&vf->arm, vf->now_us);
}

static void note(vf_t *vf)
{
    if (vf->trace_count < vf->trace_room) {
        const al_drive_t *drive = &vf->arm.drive;
        vf_trace_t *row = &vf->trace[vf->trace_count];
        vf->trace_count++;
        *row = (vf_trace_t){
            .t_us = vf->now_us,
            .place = drive->path.at,
            .fault = drive->fault,
            .hold_id = drive->hold_id,
            .power = (uint8_t)vf->plant.power,
            .state = drive->state,
            .motion = drive->motion,
            .running = drive->path.running,
            .traj = drive->path.trajectories[drive->path.trajectory_head].id,
            .cause = drive->cause,
            .session = vf->arm.session,
        };
        for (uint8_t j = 0; j < AL_JOINTS; j++) {
            row->setpoint[j] = vf->written.pos[j];
            row->vel[j] = vf->written.vel[j];
            row->acc[j] = vf->written.acc[j];
            row->pos[j] = vf->plant.pos[j];
        }
    }
}

void vf_run(vf_t *vf, uint32_t us)
{
    const uint32_t end_us = vf->now_us + us;
    while ((end_us - vf->now_us) >= TICK_US) {
        vf->now_us += TICK_US;
        al_plant_step(&vf->plant);
        al_arm_tick(&vf->arm, vf->now_us);
        al_arm_poll(&vf->arm, vf->now_us);
        note(vf);
    }
    vf->now_us = end_us;
}

/* The processor stands still while time passes. */
void vf_freeze(vf_t *vf, uint32_t us) { vf->now_us += us; }

uint32_t vf_tx(vf_t *vf, uint8_t *out)
{
    const uint32_t n = vf->tx_count;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = vf->tx[i];
    }
    vf->tx_count = 0u;
    return n;
}

void vf_trace(vf_t *vf, vf_trace_t *rows, uint32_t room)
{
    vf->trace = rows;
    vf->trace_room = room;
    vf->trace_count = 0u;
}

uint32_t vf_traced(const vf_t *vf) { return vf->trace_count; }

al_plant_t *vf_plant(vf_t *vf) { return &vf->plant; }

uint32_t vf_samples(const uint8_t *request, uint32_t n, uint8_t *out)
{
    return (n == AL_SAMPLES_REQUEST) ? al_samples(request, out) : 0u;
}

uint32_t vf_frame(const uint8_t *wire, uint32_t n, uint8_t *payload, uint32_t *header)
{
    al_decoder_t decoder = {.size = 0u};
    al_frame_t frame;
    uint32_t frames = 0u;
    for (uint32_t i = 0; i < n; i++) {
        if (al_decoder_feed(&decoder, wire[i], &frame) == AL_RX_FRAME) {
            frames++;
            header[0] = frame.type;
            header[1] = frame.flags;
            header[2] = frame.session;
            header[3] = frame.seq;
            header[4] = frame.size;
            for (uint8_t k = 0; k < frame.size; k++) {
                payload[k] = frame.payload[k];
            }
        }
    }
    return frames;
}

uint32_t vf_encode(const uint32_t *header, const uint8_t *payload, uint8_t *wire)
{
    const al_frame_t frame = {
        .type = (uint8_t)header[0],
        .flags = (uint8_t)header[1],
        .session = (uint16_t)header[2],
        .seq = (uint16_t)header[3],
        .size = (uint8_t)header[4],
        .payload = payload,
    };
    return (uint32_t)al_frame_encode(&frame, wire);
}
