/* Numbers, structures and codec of the protocol between host and arm.
 *
 * Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.
 * al_X_decode returns false when the size is wrong or a value is out of its range. al_X_encode returns the size;
 * the buffer must have room for AL_X_SIZE_MAX bytes.
 */
#ifndef AL_MESSAGES_H
#define AL_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_TABLE_HASH 0xD4BD52A8u
#define AL_MAJOR 1
#define AL_MINOR 0
#define AL_MAX_PAYLOAD 228
#define AL_JOINTS 6
#define AL_WINDOW 8
#define AL_KNOTS 64
#define AL_TRAJECTORIES 8
#define AL_START_TOLERANCE 500

/* How a message is delivered. */
enum {
    AL_CLASS_OPENING = 0x0, /* outside any session; answered at once; repeating it is harmless */
    AL_CLASS_RELIABLE = 0x1, /* in order, executed once, acknowledged */
    AL_CLASS_EXPRESS = 0x2, /* acted on when it arrives, unacknowledged; repeating it is harmless */
    AL_CLASS_REPORT = 0x3, /* from the device; may be lost, is repeated or superseded */
};

/* Bits of a frame's flags; bits 4 to 7 are the protocol's major version. */
enum {
    AL_FLAG_RESEND = 0x1, /* sent before */
};

/* Wishes of a HELLO. */
enum {
    AL_HELLO_FLAG_TAKEOVER = 0x1, /* end the session of another host; a moving arm is held first */
    AL_HELLO_FLAG_LOOK = 0x2, /* only say who you are; no session is opened or ended */
};

/* States of the drive, as in CiA 402. */
enum {
    AL_DRIVE_NOT_READY = 0x0, /* starting */
    AL_DRIVE_SWITCH_ON_DISABLED = 0x1, /* no power, brakes on */
    AL_DRIVE_READY_TO_SWITCH_ON = 0x2, /* no power, brakes on, may be switched on */
    AL_DRIVE_SWITCHED_ON = 0x3, /* power, holds its position */
    AL_DRIVE_OPERATION_ENABLED = 0x4, /* follows trajectories */
    AL_DRIVE_QUICK_STOP_ACTIVE = 0x5, /* stopping on its path, then no power */
    AL_DRIVE_FAULT_REACTION_ACTIVE = 0x6, /* stopping on its path because of a fault */
    AL_DRIVE_FAULT = 0x7, /* no power, brakes on, until the fault is reset by name */
};

/* What an enabled arm is doing. */
enum {
    AL_MOTION_IDLE = 0x0, /* at rest, nothing started */
    AL_MOTION_RUN = 0x1, /* on a trajectory */
    AL_MOTION_HOLDING = 0x2, /* slowing down on its path */
    AL_MOTION_HELD = 0x3, /* at rest on its path, the buffer kept */
};

/* Why an arm is held. */
enum {
    AL_HOLD_CAUSE_NONE = 0x0, /* it is not */
    AL_HOLD_CAUSE_HOST = 0x1, /* HOLD */
    AL_HOLD_CAUSE_LEASE = 0x2, /* no valid frame of the session for the time of the lease */
    AL_HOLD_CAUSE_STARVED = 0x3, /* too little motion buffered; goes on by itself at most three times */
    AL_HOLD_CAUSE_TAKEOVER = 0x4, /* another host asks for the arm */
    AL_HOLD_CAUSE_STOP = 0x5, /* a quick stop or the reaction to a fault */
};

/* When a trajectory starts. */
enum {
    AL_START_MODE_AT_TIME = 0x0, /* at a device time; at once when it has passed */
    AL_START_MODE_AFTER_PREVIOUS = 0x1, /* without a pause when the one before has ended; at once when it has */
};

/* Bits of a batch of knots. */
enum {
    AL_KNOT_FLAG_LAST = 0x1, /* the trajectory ends, at rest, with the last knot of this batch */
};

/* Reports that can be asked for. */
enum {
    AL_REPORT_STATUS = 0x0, /* STATUS */
    AL_REPORT_TELEM = 0x1, /* TELEM */
};

/* What became of a reliable frame. */
enum {
    AL_RESULT_OK = 0x0, /* done */
    AL_RESULT_UNKNOWN = 0x1, /* no such message */
    AL_RESULT_MALFORMED = 0x2, /* wrong size or a value out of range */
    AL_RESULT_WRONG_STATE = 0x3, /* not in this state */
    AL_RESULT_NOT_CONFIRMED = 0x4, /* identity and configuration have not been confirmed in this session */
    AL_RESULT_NOT_SYNCED = 0x5, /* no SYNC within the last 2 s */
    AL_RESULT_WRONG_ARM = 0x6, /* another unit than the host means */
    AL_RESULT_WRONG_CONFIG = 0x7, /* another configuration than the host means */
    AL_RESULT_FULL = 0x8, /* no free slot */
    AL_RESULT_WRONG_TRAJECTORY = 0x9, /* not the trajectory that is being filled, next, or next to start */
    AL_RESULT_WRONG_KNOT = 0xa, /* not the next knot, or no such knot */
    AL_RESULT_POISONED = 0xb, /* an earlier knot was rejected: TRUNCATE or ABANDON first */
    AL_RESULT_KNOT_TIME = 0xc, /* a segment must take 2 ms to 1 s; knot 0 is at 0 */
    AL_RESULT_WRONG_START = 0xd, /* knot 0 is not where the arm is when it starts */
    AL_RESULT_POSITION_LIMIT = 0xe, /* a knot or the curve between two leaves the position limits */
    AL_RESULT_VELOCITY_LIMIT = 0xf, /* the curve between two knots may exceed the velocity limit */
    AL_RESULT_ACCELERATION_LIMIT = 0x10, /* the curve between two knots may exceed the acceleration limit */
    AL_RESULT_JERK_LIMIT = 0x11, /* the curve between two knots may exceed the jerk limit */
    AL_RESULT_STOP_TIME = 0x12, /* from there the arm could not stop within the configured time */
    AL_RESULT_NOT_AT_REST = 0x13, /* first and last knots must be at rest */
    AL_RESULT_TOO_LATE = 0x14, /* the arm may need what should be dropped */
    AL_RESULT_NOT_READY = 0x15, /* too few knots to start with */
    AL_RESULT_WRONG_HOLD = 0x16, /* not the hold that is on */
    AL_RESULT_WRONG_FAULT = 0x17, /* not the fault that is latched */
    AL_RESULT_MOVING = 0x18, /* not while the arm moves */
    AL_RESULT_STILL_FAULTY = 0x19, /* the cause of the fault is still there */
    AL_RESULT_NOT_FOLLOWING = 0x1a, /* setpoint and measured position differ by more than 0.5 degrees */
};

/* Why a frame was not taken at all. */
enum {
    AL_REFUSAL_NO_SESSION = 0x1, /* of another session; data: the boot id */
    AL_REFUSAL_LEASED = 0x2, /* another host's session is alive; data: its remaining lease [ms] */
    AL_REFUSAL_MOVING = 0x3, /* no new session while the arm moves */
    AL_REFUSAL_VERSION = 0x4, /* no common major version; data: the device's */
    AL_REFUSAL_TABLE = 0x5, /* made from another message table; data: the device's hash */
};

/* Latched faults. */
enum {
    AL_FAULT_NONE = 0x0, /* none */
    AL_FAULT_HOST_LOST = 0x101, /* the host was silent for three times the lease */
    AL_FAULT_STARVED = 0x103, /* motion ran out of knots more than three times */
    AL_FAULT_LINE_QUALITY = 0x104, /* more frames of 2 s were bad than good */
    AL_FAULT_FOLLOWING = 0x201, /* a joint is too far from its setpoint */
    AL_FAULT_STOP_OVERRUN = 0x203, /* the arm was not at rest in time; power was removed at once */
    AL_FAULT_OVERCURRENT = 0x301, /* a motor current is above its limit */
    AL_FAULT_OVERTEMPERATURE = 0x302, /* a drive is too hot */
    AL_FAULT_UNDERVOLTAGE = 0x303, /* the supply voltage is too low */
    AL_FAULT_DRIVE = 0x304, /* a drive reports a fault of its own */
    AL_FAULT_STO = 0x305, /* the wired stop removed the power */
    AL_FAULT_TICK_OVERRUN = 0x401, /* the motion tick came too late while the arm moved */
};

/* Codes of events besides the faults. */
enum {
    AL_EVENT_CODE_TRAJECTORY_STARTED = 0x1001, /* source: trajectory; t: when; data: how late [us] */
    AL_EVENT_CODE_TRAJECTORY_DONE = 0x1002, /* source: trajectory; t: when; data: time lost since its start [us] */
    AL_EVENT_CODE_HOLD = 0x1003, /* source: cause; data: hold id */
    AL_EVENT_CODE_HELD = 0x1004, /* source: cause; data: hold id */
    AL_EVENT_CODE_RESUMED = 0x1005, /* source: cause; data: hold id */
    AL_EVENT_CODE_REJECTED = 0x1006, /* source: joint; data: sequence number * 256 + result */
    AL_EVENT_CODE_STOPPED = 0x1007, /* a quick stop has ended at rest; source: 0; data: its reason */
};

/* Why the firmware started. */
enum {
    AL_RESET_CAUSE_POWER_ON = 0x0, /* power */
    AL_RESET_CAUSE_PIN = 0x1, /* reset pin or debugger */
    AL_RESET_CAUSE_WATCHDOG = 0x2, /* watchdog */
    AL_RESET_CAUSE_SOFTWARE = 0x3, /* on request */
};

enum {
    AL_MSG_HELLO = 0x01,
    AL_MSG_DESC_READ = 0x02,
    AL_MSG_REPORT_READ = 0x05,
    AL_MSG_SYNC = 0x03,
    AL_MSG_HEARTBEAT = 0x04,
    AL_MSG_HOLD = 0x20,
    AL_MSG_QSTOP = 0x22,
    AL_MSG_EVENT_ACK = 0x31,
    AL_MSG_CONTROL = 0x08,
    AL_MSG_CONFIRM = 0x09,
    AL_MSG_SEG_CUBIC = 0x10,
    AL_MSG_SEG_QUINTIC = 0x14,
    AL_MSG_START = 0x11,
    AL_MSG_TRUNCATE = 0x12,
    AL_MSG_ABANDON = 0x13,
    AL_MSG_RESUME = 0x21,
    AL_MSG_OVERRIDE = 0x24,
    AL_MSG_FAULT_RESET = 0x30,
    AL_MSG_HELLO_ACK = 0x81,
    AL_MSG_DESC = 0x82,
    AL_MSG_SYNC_REPLY = 0x83,
    AL_MSG_ACK = 0x84,
    AL_MSG_NAK = 0x85,
    AL_MSG_STATUS = 0x90,
    AL_MSG_TELEM = 0x91,
    AL_MSG_EVENT = 0x92,
};

/* Little-endian numbers at a moving place. */
static inline uint8_t al_get_u8(const uint8_t **p)
{
    const uint8_t value = **p;
    *p += 1;
    return value;
}

static inline uint16_t al_get_u16(const uint8_t **p)
{
    const uint8_t *b = *p;
    *p += 2;
    return (uint16_t)(b[0] | ((uint16_t)b[1] << 8));
}

static inline uint32_t al_get_u32(const uint8_t **p)
{
    const uint8_t *b = *p;
    *p += 4;
    return b[0] | ((uint32_t)b[1] << 8) | ((uint32_t)b[2] << 16) | ((uint32_t)b[3] << 24);
}

static inline uint64_t al_get_u64(const uint8_t **p)
{
    const uint64_t low = al_get_u32(p);
    return low | ((uint64_t)al_get_u32(p) << 32);
}

static inline int8_t al_get_i8(const uint8_t **p) { return (int8_t)al_get_u8(p); }
static inline int16_t al_get_i16(const uint8_t **p) { return (int16_t)al_get_u16(p); }
static inline int32_t al_get_i32(const uint8_t **p) { return (int32_t)al_get_u32(p); }

static inline void al_put_u8(uint8_t **p, uint8_t value)
{
    **p = value;
    *p += 1;
}

static inline void al_put_u16(uint8_t **p, uint16_t value)
{
    uint8_t *b = *p;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    *p += 2;
}

static inline void al_put_u32(uint8_t **p, uint32_t value)
{
    uint8_t *b = *p;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    b[2] = (uint8_t)(value >> 16);
    b[3] = (uint8_t)(value >> 24);
    *p += 4;
}

static inline void al_put_u64(uint8_t **p, uint64_t value)
{
    al_put_u32(p, (uint32_t)value);
    al_put_u32(p, (uint32_t)(value >> 32));
}

static inline void al_put_i8(uint8_t **p, int8_t value) { al_put_u8(p, (uint8_t)value); }
static inline void al_put_i16(uint8_t **p, int16_t value) { al_put_u16(p, (uint16_t)value); }
static inline void al_put_i32(uint8_t **p, int32_t value) { al_put_u32(p, (uint32_t)value); }

/* Position and velocity; a cubic in between. */
typedef struct {
    uint32_t t_us; /* time since the start of the trajectory [us] */
    int32_t pos[6]; /* position [1e-7 rad] */
    int32_t vel[6]; /* velocity [1e-6 rad/s] */
} al_cubic_knot_t;
#define AL_CUBIC_KNOT_SIZE 52u
#define AL_CUBIC_KNOT_SIZE_MAX 52u

static inline bool al_cubic_knot_decode(al_cubic_knot_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_CUBIC_KNOT_SIZE) {
        return false;
    }
    bool ok = true;
    m->t_us = al_get_u32(&p);
    for (uint8_t i = 0; i < 6u; i++) {
        m->pos[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->vel[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->pos[i] >= -1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->pos[i] <= 1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->vel[i] >= -1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->vel[i] <= 1000000000);
    }
    return ok;
}

static inline size_t al_cubic_knot_encode(const al_cubic_knot_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u32(&p, m->t_us);
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->pos[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->vel[i]);
    }
    return (size_t)(p - out);
}

/* Position, velocity and acceleration; a quintic in between. */
typedef struct {
    uint32_t t_us; /* time since the start of the trajectory [us] */
    int32_t pos[6]; /* position [1e-7 rad] */
    int32_t vel[6]; /* velocity [1e-6 rad/s] */
    int32_t acc[6]; /* acceleration [1e-5 rad/s2] */
} al_quintic_knot_t;
#define AL_QUINTIC_KNOT_SIZE 76u
#define AL_QUINTIC_KNOT_SIZE_MAX 76u

static inline bool al_quintic_knot_decode(al_quintic_knot_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_QUINTIC_KNOT_SIZE) {
        return false;
    }
    bool ok = true;
    m->t_us = al_get_u32(&p);
    for (uint8_t i = 0; i < 6u; i++) {
        m->pos[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->vel[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->acc[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->pos[i] >= -1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->pos[i] <= 1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->vel[i] >= -1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->vel[i] <= 1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->acc[i] >= -1000000000);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->acc[i] <= 1000000000);
    }
    return ok;
}

static inline size_t al_quintic_knot_encode(const al_quintic_knot_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u32(&p, m->t_us);
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->pos[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->vel[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->acc[i]);
    }
    return (size_t)(p - out);
}

/* What the device is and what it may do. Its CRC-32C is the configuration CRC; DESC carries it in pieces. */
typedef struct {
    uint8_t model[16]; /* model of the arm, UTF-8, padded with zeros */
    uint8_t serial[16]; /* serial number, UTF-8, padded with zeros */
    uint8_t joints; /* joints in use */
    uint16_t stop_max_ms; /* longest time any stop may take [ms] */
    int32_t pos_min[6]; /* lower position limits [1e-7 rad] */
    int32_t pos_max[6]; /* upper position limits [1e-7 rad] */
    int32_t vel_max[6]; /* velocity limits [1e-6 rad/s] */
    int32_t acc_max[6]; /* acceleration limits of trajectories [1e-5 rad/s2] */
    int32_t jerk_max[6]; /* jerk limits of trajectories [1e-3 rad/s3] */
    int32_t stop_acc[6]; /* acceleration limits of holds and stops [1e-5 rad/s2] */
    int32_t stop_jerk[6]; /* jerk limits of holds and stops [1e-3 rad/s3] */
    int32_t follow_max[6]; /* largest following error [1e-7 rad] */
    uint16_t current_max[6]; /* largest motor current [mA] */
} al_config_t;
#define AL_CONFIG_SIZE 239u
#define AL_CONFIG_SIZE_MAX 239u

static inline bool al_config_decode(al_config_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_CONFIG_SIZE) {
        return false;
    }
    bool ok = true;
    for (uint8_t i = 0; i < 16u; i++) {
        m->model[i] = al_get_u8(&p);
    }
    for (uint8_t i = 0; i < 16u; i++) {
        m->serial[i] = al_get_u8(&p);
    }
    m->joints = al_get_u8(&p);
    m->stop_max_ms = al_get_u16(&p);
    for (uint8_t i = 0; i < 6u; i++) {
        m->pos_min[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->pos_max[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->vel_max[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->acc_max[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->jerk_max[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->stop_acc[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->stop_jerk[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->follow_max[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->current_max[i] = al_get_u16(&p);
    }
    ok = ok && (m->joints >= 1u);
    ok = ok && (m->joints <= 6u);
    ok = ok && (m->stop_max_ms >= 50u);
    ok = ok && (m->stop_max_ms <= 2000u);
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->vel_max[i] >= 0);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->acc_max[i] >= 0);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->jerk_max[i] >= 0);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->stop_acc[i] >= 0);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->stop_jerk[i] >= 0);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        ok = ok && (m->follow_max[i] >= 0);
    }
    return ok;
}

static inline size_t al_config_encode(const al_config_t *m, uint8_t *out)
{
    uint8_t *p = out;
    for (uint8_t i = 0; i < 16u; i++) {
        al_put_u8(&p, m->model[i]);
    }
    for (uint8_t i = 0; i < 16u; i++) {
        al_put_u8(&p, m->serial[i]);
    }
    al_put_u8(&p, m->joints);
    al_put_u16(&p, m->stop_max_ms);
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->pos_min[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->pos_max[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->vel_max[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->acc_max[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->jerk_max[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->stop_acc[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->stop_jerk[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->follow_max[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_u16(&p, m->current_max[i]);
    }
    return (size_t)(p - out);
}

/* Open a session. Answered by HELLO_ACK or NAK; the same nonce again gets the same session. */
typedef struct {
    uint8_t proto_min; /* lowest major version the host speaks */
    uint8_t proto_max; /* highest major version the host speaks */
    uint16_t flags; /* wishes */
    uint32_t host_nonce; /* random, new for each session */
    uint32_t table_hash; /* hash of the host's message table */
    uint8_t host_tag[8]; /* name of the host, for people */
} al_hello_t;
#define AL_HELLO_SIZE 20u
#define AL_HELLO_SIZE_MAX 20u
_Static_assert(AL_HELLO_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_hello_decode(al_hello_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_HELLO_SIZE) {
        return false;
    }
    bool ok = true;
    m->proto_min = al_get_u8(&p);
    m->proto_max = al_get_u8(&p);
    m->flags = al_get_u16(&p);
    m->host_nonce = al_get_u32(&p);
    m->table_hash = al_get_u32(&p);
    for (uint8_t i = 0; i < 8u; i++) {
        m->host_tag[i] = al_get_u8(&p);
    }
    return ok;
}

static inline size_t al_hello_encode(const al_hello_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->proto_min);
    al_put_u8(&p, m->proto_max);
    al_put_u16(&p, m->flags);
    al_put_u32(&p, m->host_nonce);
    al_put_u32(&p, m->table_hash);
    for (uint8_t i = 0; i < 8u; i++) {
        al_put_u8(&p, m->host_tag[i]);
    }
    return (size_t)(p - out);
}

/* Ask for a piece of the configuration. */
typedef struct {
    uint16_t offset; /* where the piece begins [byte] */
} al_desc_read_t;
#define AL_DESC_READ_SIZE 2u
#define AL_DESC_READ_SIZE_MAX 2u
_Static_assert(AL_DESC_READ_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_desc_read_decode(al_desc_read_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_DESC_READ_SIZE) {
        return false;
    }
    bool ok = true;
    m->offset = al_get_u16(&p);
    return ok;
}

static inline size_t al_desc_read_encode(const al_desc_read_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->offset);
    return (size_t)(p - out);
}

/* Ask for a report now, with or without a session. */
typedef struct {
    uint8_t report; /* which */
} al_report_read_t;
#define AL_REPORT_READ_SIZE 1u
#define AL_REPORT_READ_SIZE_MAX 1u
_Static_assert(AL_REPORT_READ_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_report_read_decode(al_report_read_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_REPORT_READ_SIZE) {
        return false;
    }
    bool ok = true;
    m->report = al_get_u8(&p);
    ok = ok && (m->report <= 1u);
    return ok;
}

static inline size_t al_report_read_encode(const al_report_read_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->report);
    return (size_t)(p - out);
}

/* Compare clocks; answered by SYNC_REPLY. At least one every 2 s or the arm can't be enabled. */
typedef struct {
    uint64_t host_ns; /* host time, sent back as it is [ns] */
} al_sync_t;
#define AL_SYNC_SIZE 8u
#define AL_SYNC_SIZE_MAX 8u
_Static_assert(AL_SYNC_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_sync_decode(al_sync_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_SYNC_SIZE) {
        return false;
    }
    bool ok = true;
    m->host_ns = al_get_u64(&p);
    return ok;
}

static inline size_t al_sync_encode(const al_sync_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u64(&p, m->host_ns);
    return (size_t)(p - out);
}

/* The host is alive. Every valid frame of the session renews the lease; this one also sets it. */
typedef struct {
    uint32_t host_ms; /* host time, for captures [ms] */
    uint8_t lease_10ms; /* silence after which the arm holds [10 ms] */
    uint8_t status_ms; /* period of STATUS [ms] */
} al_heartbeat_t;
#define AL_HEARTBEAT_SIZE 6u
#define AL_HEARTBEAT_SIZE_MAX 6u
_Static_assert(AL_HEARTBEAT_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_heartbeat_decode(al_heartbeat_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_HEARTBEAT_SIZE) {
        return false;
    }
    bool ok = true;
    m->host_ms = al_get_u32(&p);
    m->lease_10ms = al_get_u8(&p);
    m->status_ms = al_get_u8(&p);
    ok = ok && (m->lease_10ms >= 5u);
    ok = ok && (m->lease_10ms <= 100u);
    ok = ok && (m->status_ms >= 2u);
    ok = ok && (m->status_ms <= 250u);
    return ok;
}

static inline size_t al_heartbeat_encode(const al_heartbeat_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u32(&p, m->host_ms);
    al_put_u8(&p, m->lease_10ms);
    al_put_u8(&p, m->status_ms);
    return (size_t)(p - out);
}

/* Slow down to rest on the path and keep the buffer. Repeat until STATUS shows it. */
typedef struct {
    uint16_t ramp_ms; /* of the ramp; 0 is 150; longer if limits demand it [ms] */
} al_hold_t;
#define AL_HOLD_SIZE 2u
#define AL_HOLD_SIZE_MAX 2u
_Static_assert(AL_HOLD_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_hold_decode(al_hold_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_HOLD_SIZE) {
        return false;
    }
    bool ok = true;
    m->ramp_ms = al_get_u16(&p);
    ok = ok && (m->ramp_ms <= 2000u);
    return ok;
}

static inline size_t al_hold_encode(const al_hold_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->ramp_ms);
    return (size_t)(p - out);
}

/* Stop on the path as fast as the limits of stops allow, drop the buffer, brakes on, power off. */
typedef struct {
    uint16_t reason; /* for the record */
} al_qstop_t;
#define AL_QSTOP_SIZE 2u
#define AL_QSTOP_SIZE_MAX 2u
_Static_assert(AL_QSTOP_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_qstop_decode(al_qstop_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_QSTOP_SIZE) {
        return false;
    }
    bool ok = true;
    m->reason = al_get_u16(&p);
    return ok;
}

static inline size_t al_qstop_encode(const al_qstop_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->reason);
    return (size_t)(p - out);
}

/* The event has been seen; the next one may come. */
typedef struct {
    uint16_t event_no; /* number of the event */
} al_event_ack_t;
#define AL_EVENT_ACK_SIZE 2u
#define AL_EVENT_ACK_SIZE_MAX 2u
_Static_assert(AL_EVENT_ACK_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_event_ack_decode(al_event_ack_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_EVENT_ACK_SIZE) {
        return false;
    }
    bool ok = true;
    m->event_no = al_get_u16(&p);
    return ok;
}

static inline size_t al_event_ack_encode(const al_event_ack_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->event_no);
    return (size_t)(p - out);
}

/* Controlword of CiA 402: 06 shutdown, 07 switch on, 0F enable operation, 00 disable voltage, 02 quick stop. */
typedef struct {
    uint16_t controlword; /* bits as in CiA 402; its fault reset bit is refused */
} al_control_t;
#define AL_CONTROL_SIZE 2u
#define AL_CONTROL_SIZE_MAX 2u
_Static_assert(AL_CONTROL_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_control_decode(al_control_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_CONTROL_SIZE) {
        return false;
    }
    bool ok = true;
    m->controlword = al_get_u16(&p);
    return ok;
}

static inline size_t al_control_encode(const al_control_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->controlword);
    return (size_t)(p - out);
}

/* The host says which unit and configuration it means; needed before the arm can be enabled. */
typedef struct {
    uint8_t uid[12]; /* unit */
    uint32_t config_crc; /* CRC-32C of the configuration */
} al_confirm_t;
#define AL_CONFIRM_SIZE 16u
#define AL_CONFIRM_SIZE_MAX 16u
_Static_assert(AL_CONFIRM_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_confirm_decode(al_confirm_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_CONFIRM_SIZE) {
        return false;
    }
    bool ok = true;
    for (uint8_t i = 0; i < 12u; i++) {
        m->uid[i] = al_get_u8(&p);
    }
    m->config_crc = al_get_u32(&p);
    return ok;
}

static inline size_t al_confirm_encode(const al_confirm_t *m, uint8_t *out)
{
    uint8_t *p = out;
    for (uint8_t i = 0; i < 12u; i++) {
        al_put_u8(&p, m->uid[i]);
    }
    al_put_u32(&p, m->config_crc);
    return (size_t)(p - out);
}

/* Append knots to a trajectory of cubics. All of them are taken or none. */
typedef struct {
    uint8_t traj; /* trajectory; a new one is the number after the last one's, modulo 256 */
    uint8_t flags; /* LAST */
    uint16_t first_knot; /* number of the first of these knots in the trajectory, from 0 */
    uint8_t knots_count;
    al_cubic_knot_t knots[4];
} al_seg_cubic_t;
#define AL_SEG_CUBIC_SIZE 4u
#define AL_SEG_CUBIC_SIZE_MAX 212u
_Static_assert(AL_SEG_CUBIC_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_seg_cubic_decode(al_seg_cubic_t *m, const uint8_t *p, size_t n)
{
    if ((n <= AL_SEG_CUBIC_SIZE) || (n > AL_SEG_CUBIC_SIZE_MAX) || (((n - AL_SEG_CUBIC_SIZE) % AL_CUBIC_KNOT_SIZE) != 0u)) {
        return false;
    }
    bool ok = true;
    m->traj = al_get_u8(&p);
    m->flags = al_get_u8(&p);
    m->first_knot = al_get_u16(&p);
    m->knots_count = (uint8_t)((n - AL_SEG_CUBIC_SIZE) / AL_CUBIC_KNOT_SIZE);
    for (uint8_t i = 0; i < m->knots_count; i++) {
        ok = al_cubic_knot_decode(&m->knots[i], p, AL_CUBIC_KNOT_SIZE) && ok;
        p += AL_CUBIC_KNOT_SIZE;
    }
    return ok;
}

static inline size_t al_seg_cubic_encode(const al_seg_cubic_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->traj);
    al_put_u8(&p, m->flags);
    al_put_u16(&p, m->first_knot);
    for (uint8_t i = 0; i < m->knots_count; i++) {
        p += al_cubic_knot_encode(&m->knots[i], p);
    }
    return (size_t)(p - out);
}

/* Append knots to a trajectory of quintics. All of them are taken or none. */
typedef struct {
    uint8_t traj; /* trajectory; a new one is the number after the last one's, modulo 256 */
    uint8_t flags; /* LAST */
    uint16_t first_knot; /* number of the first of these knots in the trajectory, from 0 */
    uint8_t knots_count;
    al_quintic_knot_t knots[2];
} al_seg_quintic_t;
#define AL_SEG_QUINTIC_SIZE 4u
#define AL_SEG_QUINTIC_SIZE_MAX 156u
_Static_assert(AL_SEG_QUINTIC_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_seg_quintic_decode(al_seg_quintic_t *m, const uint8_t *p, size_t n)
{
    if ((n <= AL_SEG_QUINTIC_SIZE) || (n > AL_SEG_QUINTIC_SIZE_MAX) || (((n - AL_SEG_QUINTIC_SIZE) % AL_QUINTIC_KNOT_SIZE) != 0u)) {
        return false;
    }
    bool ok = true;
    m->traj = al_get_u8(&p);
    m->flags = al_get_u8(&p);
    m->first_knot = al_get_u16(&p);
    m->knots_count = (uint8_t)((n - AL_SEG_QUINTIC_SIZE) / AL_QUINTIC_KNOT_SIZE);
    for (uint8_t i = 0; i < m->knots_count; i++) {
        ok = al_quintic_knot_decode(&m->knots[i], p, AL_QUINTIC_KNOT_SIZE) && ok;
        p += AL_QUINTIC_KNOT_SIZE;
    }
    return ok;
}

static inline size_t al_seg_quintic_encode(const al_seg_quintic_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->traj);
    al_put_u8(&p, m->flags);
    al_put_u16(&p, m->first_knot);
    for (uint8_t i = 0; i < m->knots_count; i++) {
        p += al_quintic_knot_encode(&m->knots[i], p);
    }
    return (size_t)(p - out);
}

/* Let a trajectory start. Needs its LAST knot, or enough knots to stop within. */
typedef struct {
    uint8_t traj; /* trajectory */
    uint8_t mode; /* when */
    uint32_t t_start_us; /* device time, for AT_TIME [us] */
} al_start_t;
#define AL_START_SIZE 6u
#define AL_START_SIZE_MAX 6u
_Static_assert(AL_START_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_start_decode(al_start_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_START_SIZE) {
        return false;
    }
    bool ok = true;
    m->traj = al_get_u8(&p);
    m->mode = al_get_u8(&p);
    m->t_start_us = al_get_u32(&p);
    ok = ok && (m->mode <= 1u);
    return ok;
}

static inline size_t al_start_encode(const al_start_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->traj);
    al_put_u8(&p, m->mode);
    al_put_u32(&p, m->t_start_us);
    return (size_t)(p - out);
}

/* Drop all knots after this one and all later trajectories: the tail is planned anew. Cures poisoning. */
typedef struct {
    uint8_t traj; /* trajectory */
    uint16_t knot; /* last knot that stays */
} al_truncate_t;
#define AL_TRUNCATE_SIZE 3u
#define AL_TRUNCATE_SIZE_MAX 3u
_Static_assert(AL_TRUNCATE_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_truncate_decode(al_truncate_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_TRUNCATE_SIZE) {
        return false;
    }
    bool ok = true;
    m->traj = al_get_u8(&p);
    m->knot = al_get_u16(&p);
    return ok;
}

static inline size_t al_truncate_encode(const al_truncate_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->traj);
    al_put_u16(&p, m->knot);
    return (size_t)(p - out);
}

/* Drop everything buffered and end the hold; only at rest. The next trajectory starts where the arm stands. */
typedef struct {
    uint16_t hold_id; /* hold that is on; 0: none */
} al_abandon_t;
#define AL_ABANDON_SIZE 2u
#define AL_ABANDON_SIZE_MAX 2u
_Static_assert(AL_ABANDON_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_abandon_decode(al_abandon_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_ABANDON_SIZE) {
        return false;
    }
    bool ok = true;
    m->hold_id = al_get_u16(&p);
    return ok;
}

static inline size_t al_abandon_encode(const al_abandon_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->hold_id);
    return (size_t)(p - out);
}

/* Go on along the path. */
typedef struct {
    uint16_t hold_id; /* hold that is on */
} al_resume_t;
#define AL_RESUME_SIZE 2u
#define AL_RESUME_SIZE_MAX 2u
_Static_assert(AL_RESUME_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_resume_decode(al_resume_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_RESUME_SIZE) {
        return false;
    }
    bool ok = true;
    m->hold_id = al_get_u16(&p);
    return ok;
}

static inline size_t al_resume_encode(const al_resume_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->hold_id);
    return (size_t)(p - out);
}

/* Speed along the path, also of what comes later. Changes along a ramp; what is buffered stays. */
typedef struct {
    uint8_t percent; /* of the planned speed; 0: at rest on the path [%] */
} al_override_t;
#define AL_OVERRIDE_SIZE 1u
#define AL_OVERRIDE_SIZE_MAX 1u
_Static_assert(AL_OVERRIDE_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_override_decode(al_override_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_OVERRIDE_SIZE) {
        return false;
    }
    bool ok = true;
    m->percent = al_get_u8(&p);
    ok = ok && (m->percent <= 100u);
    return ok;
}

static inline size_t al_override_encode(const al_override_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->percent);
    return (size_t)(p - out);
}

/* End a fault by naming it. */
typedef struct {
    uint16_t fault; /* the latched fault */
    uint16_t latch_count; /* its number */
} al_fault_reset_t;
#define AL_FAULT_RESET_SIZE 4u
#define AL_FAULT_RESET_SIZE_MAX 4u
_Static_assert(AL_FAULT_RESET_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_fault_reset_decode(al_fault_reset_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_FAULT_RESET_SIZE) {
        return false;
    }
    bool ok = true;
    m->fault = al_get_u16(&p);
    m->latch_count = al_get_u16(&p);
    return ok;
}

static inline size_t al_fault_reset_encode(const al_fault_reset_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->fault);
    al_put_u16(&p, m->latch_count);
    return (size_t)(p - out);
}

/* Who the device is, and the session. */
typedef struct {
    uint8_t major; /* protocol version */
    uint8_t minor; /* protocol version */
    uint16_t session; /* session; 0 after LOOK */
    uint32_t host_nonce; /* of the HELLO */
    uint32_t boot_id; /* new at each start of the firmware */
    uint8_t uid[12]; /* unit */
    uint32_t fw_rev; /* revision of the firmware */
    uint32_t table_hash; /* hash of the device's message table */
    uint32_t config_crc; /* CRC-32C of the configuration */
    uint16_t config_size; /* size of the configuration [byte] */
    uint8_t joints; /* joints in use */
    uint8_t knots; /* capacity of the buffer */
    uint16_t tick_hz; /* rate of the motion tick [Hz] */
    uint32_t now_us; /* device time [us] */
    uint16_t reset_cause; /* why the firmware started */
} al_hello_ack_t;
#define AL_HELLO_ACK_SIZE 48u
#define AL_HELLO_ACK_SIZE_MAX 48u
_Static_assert(AL_HELLO_ACK_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_hello_ack_decode(al_hello_ack_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_HELLO_ACK_SIZE) {
        return false;
    }
    bool ok = true;
    m->major = al_get_u8(&p);
    m->minor = al_get_u8(&p);
    m->session = al_get_u16(&p);
    m->host_nonce = al_get_u32(&p);
    m->boot_id = al_get_u32(&p);
    for (uint8_t i = 0; i < 12u; i++) {
        m->uid[i] = al_get_u8(&p);
    }
    m->fw_rev = al_get_u32(&p);
    m->table_hash = al_get_u32(&p);
    m->config_crc = al_get_u32(&p);
    m->config_size = al_get_u16(&p);
    m->joints = al_get_u8(&p);
    m->knots = al_get_u8(&p);
    m->tick_hz = al_get_u16(&p);
    m->now_us = al_get_u32(&p);
    m->reset_cause = al_get_u16(&p);
    ok = ok && (m->reset_cause <= 3u);
    return ok;
}

static inline size_t al_hello_ack_encode(const al_hello_ack_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u8(&p, m->major);
    al_put_u8(&p, m->minor);
    al_put_u16(&p, m->session);
    al_put_u32(&p, m->host_nonce);
    al_put_u32(&p, m->boot_id);
    for (uint8_t i = 0; i < 12u; i++) {
        al_put_u8(&p, m->uid[i]);
    }
    al_put_u32(&p, m->fw_rev);
    al_put_u32(&p, m->table_hash);
    al_put_u32(&p, m->config_crc);
    al_put_u16(&p, m->config_size);
    al_put_u8(&p, m->joints);
    al_put_u8(&p, m->knots);
    al_put_u16(&p, m->tick_hz);
    al_put_u32(&p, m->now_us);
    al_put_u16(&p, m->reset_cause);
    return (size_t)(p - out);
}

/* A piece of the encoded configuration. */
typedef struct {
    uint16_t offset; /* where the piece begins [byte] */
    uint16_t total; /* size of the whole [byte] */
    uint8_t chunk_count;
    uint8_t chunk[224];
} al_desc_t;
#define AL_DESC_SIZE 4u
#define AL_DESC_SIZE_MAX 228u
_Static_assert(AL_DESC_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_desc_decode(al_desc_t *m, const uint8_t *p, size_t n)
{
    if ((n < AL_DESC_SIZE) || (n > AL_DESC_SIZE_MAX)) {
        return false;
    }
    bool ok = true;
    m->offset = al_get_u16(&p);
    m->total = al_get_u16(&p);
    m->chunk_count = (uint8_t)(n - AL_DESC_SIZE);
    for (uint8_t i = 0; i < m->chunk_count; i++) {
        m->chunk[i] = al_get_u8(&p);
    }
    return ok;
}

static inline size_t al_desc_encode(const al_desc_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->offset);
    al_put_u16(&p, m->total);
    for (uint8_t i = 0; i < m->chunk_count; i++) {
        al_put_u8(&p, m->chunk[i]);
    }
    return (size_t)(p - out);
}

/* Clocks compared. */
typedef struct {
    uint64_t host_ns; /* as it came [ns] */
    uint32_t t_rx_us; /* device time when SYNC had arrived [us] */
    uint32_t t_tx_us; /* device time when this was sent [us] */
} al_sync_reply_t;
#define AL_SYNC_REPLY_SIZE 16u
#define AL_SYNC_REPLY_SIZE_MAX 16u
_Static_assert(AL_SYNC_REPLY_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_sync_reply_decode(al_sync_reply_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_SYNC_REPLY_SIZE) {
        return false;
    }
    bool ok = true;
    m->host_ns = al_get_u64(&p);
    m->t_rx_us = al_get_u32(&p);
    m->t_tx_us = al_get_u32(&p);
    return ok;
}

static inline size_t al_sync_reply_encode(const al_sync_reply_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u64(&p, m->host_ns);
    al_put_u32(&p, m->t_rx_us);
    al_put_u32(&p, m->t_tx_us);
    return (size_t)(p - out);
}

/* Progress of the reliable frames. A window of eight frames and eight results: no result is ever missed. */
typedef struct {
    uint16_t next_seq; /* expected next; everything before has been executed or rejected */
    uint8_t sack; /* bit i: next_seq + 1 + i has arrived */
    uint8_t results[8]; /* of next_seq - 1 - i */
    uint8_t reject_joint; /* joint of the latest rejection by a limit */
    uint8_t free_knots; /* free slots */
    uint8_t drive; /* state of the drive */
    uint8_t motion; /* state of motion */
    uint16_t buffered_ms; /* motion buffered ahead [ms] */
} al_ack_t;
#define AL_ACK_SIZE 17u
#define AL_ACK_SIZE_MAX 17u
_Static_assert(AL_ACK_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_ack_decode(al_ack_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_ACK_SIZE) {
        return false;
    }
    bool ok = true;
    m->next_seq = al_get_u16(&p);
    m->sack = al_get_u8(&p);
    for (uint8_t i = 0; i < 8u; i++) {
        m->results[i] = al_get_u8(&p);
    }
    m->reject_joint = al_get_u8(&p);
    m->free_knots = al_get_u8(&p);
    m->drive = al_get_u8(&p);
    m->motion = al_get_u8(&p);
    m->buffered_ms = al_get_u16(&p);
    for (uint8_t i = 0; i < 8u; i++) {
        ok = ok && (m->results[i] <= 26u);
    }
    ok = ok && (m->drive <= 7u);
    ok = ok && (m->motion <= 3u);
    return ok;
}

static inline size_t al_ack_encode(const al_ack_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->next_seq);
    al_put_u8(&p, m->sack);
    for (uint8_t i = 0; i < 8u; i++) {
        al_put_u8(&p, m->results[i]);
    }
    al_put_u8(&p, m->reject_joint);
    al_put_u8(&p, m->free_knots);
    al_put_u8(&p, m->drive);
    al_put_u8(&p, m->motion);
    al_put_u16(&p, m->buffered_ms);
    return (size_t)(p - out);
}

/* A frame was not taken; at most ten a second. */
typedef struct {
    uint32_t boot_id; /* of this start */
    uint8_t code; /* why */
    uint8_t type; /* id of the message */
    uint32_t data; /* by code */
} al_nak_t;
#define AL_NAK_SIZE 10u
#define AL_NAK_SIZE_MAX 10u
_Static_assert(AL_NAK_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_nak_decode(al_nak_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_NAK_SIZE) {
        return false;
    }
    bool ok = true;
    m->boot_id = al_get_u32(&p);
    m->code = al_get_u8(&p);
    m->type = al_get_u8(&p);
    m->data = al_get_u32(&p);
    ok = ok && ((m->code == 0x1u) || (m->code == 0x2u) || (m->code == 0x3u) || (m->code == 0x4u) || (m->code == 0x5u));
    return ok;
}

static inline size_t al_nak_encode(const al_nak_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u32(&p, m->boot_id);
    al_put_u8(&p, m->code);
    al_put_u8(&p, m->type);
    al_put_u32(&p, m->data);
    return (size_t)(p - out);
}

/* State of the arm, at the period the host asked for. */
typedef struct {
    uint32_t t_us; /* device time [us] */
    uint16_t statusword; /* bits as in CiA 402 */
    uint8_t drive; /* state of the drive */
    uint8_t motion; /* state of motion */
    uint8_t hold_cause; /* why it is held */
    uint16_t hold_id; /* the hold that is on; 0: none */
    uint16_t fault; /* latched fault */
    uint8_t fault_joint; /* its joint; 255: none */
    uint16_t latch_count; /* number of that fault */
    uint16_t next_seq; /* as in ACK */
    uint8_t free_knots; /* free slots */
    uint8_t override_pct; /* speed along the path, as ordered [%] */
    uint8_t speed_pct; /* speed along the path now [%] */
    uint8_t traj; /* trajectory that runs or ran last */
    uint16_t knot; /* its last knot that was passed */
    uint16_t buffered_ms; /* motion buffered ahead [ms] */
    uint32_t lost_us; /* time lost by holds and override since the trajectory's start [us] */
    int32_t pos[6]; /* measured position [1e-7 rad] */
    int32_t ferr[6]; /* setpoint minus measured position [1e-7 rad] */
    int32_t vel[6]; /* measured velocity [1e-6 rad/s] */
    int16_t current[6]; /* motor current [mA] */
} al_status_t;
#define AL_STATUS_SIZE 114u
#define AL_STATUS_SIZE_MAX 114u
_Static_assert(AL_STATUS_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_status_decode(al_status_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_STATUS_SIZE) {
        return false;
    }
    bool ok = true;
    m->t_us = al_get_u32(&p);
    m->statusword = al_get_u16(&p);
    m->drive = al_get_u8(&p);
    m->motion = al_get_u8(&p);
    m->hold_cause = al_get_u8(&p);
    m->hold_id = al_get_u16(&p);
    m->fault = al_get_u16(&p);
    m->fault_joint = al_get_u8(&p);
    m->latch_count = al_get_u16(&p);
    m->next_seq = al_get_u16(&p);
    m->free_knots = al_get_u8(&p);
    m->override_pct = al_get_u8(&p);
    m->speed_pct = al_get_u8(&p);
    m->traj = al_get_u8(&p);
    m->knot = al_get_u16(&p);
    m->buffered_ms = al_get_u16(&p);
    m->lost_us = al_get_u32(&p);
    for (uint8_t i = 0; i < 6u; i++) {
        m->pos[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->ferr[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->vel[i] = al_get_i32(&p);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        m->current[i] = al_get_i16(&p);
    }
    ok = ok && (m->drive <= 7u);
    ok = ok && (m->motion <= 3u);
    ok = ok && (m->hold_cause <= 5u);
    ok = ok && ((m->fault == 0x0u) || (m->fault == 0x101u) || (m->fault == 0x103u) || (m->fault == 0x104u) || (m->fault == 0x201u) || (m->fault == 0x203u) || (m->fault == 0x301u) || (m->fault == 0x302u) || (m->fault == 0x303u) || (m->fault == 0x304u) || (m->fault == 0x305u) || (m->fault == 0x401u));
    return ok;
}

static inline size_t al_status_encode(const al_status_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u32(&p, m->t_us);
    al_put_u16(&p, m->statusword);
    al_put_u8(&p, m->drive);
    al_put_u8(&p, m->motion);
    al_put_u8(&p, m->hold_cause);
    al_put_u16(&p, m->hold_id);
    al_put_u16(&p, m->fault);
    al_put_u8(&p, m->fault_joint);
    al_put_u16(&p, m->latch_count);
    al_put_u16(&p, m->next_seq);
    al_put_u8(&p, m->free_knots);
    al_put_u8(&p, m->override_pct);
    al_put_u8(&p, m->speed_pct);
    al_put_u8(&p, m->traj);
    al_put_u16(&p, m->knot);
    al_put_u16(&p, m->buffered_ms);
    al_put_u32(&p, m->lost_us);
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->pos[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->ferr[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i32(&p, m->vel[i]);
    }
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i16(&p, m->current[i]);
    }
    return (size_t)(p - out);
}

/* Health of drives and link, twice a second. Counters wrap. */
typedef struct {
    int8_t temperature[6]; /* of the drives [degC] */
    uint16_t bus_mv; /* supply voltage [mV] */
    uint32_t frames; /* good frames received */
    uint16_t crc_errors; /* frames with a wrong CRC or header */
    uint16_t framing_errors; /* frames that are no COBS, too short or too long */
    uint16_t overruns; /* bytes the UART lost */
    uint16_t gaps; /* reliable frames that came before their turn */
    uint16_t duplicates; /* reliable frames that came again */
    uint16_t strangers; /* frames of other sessions */
    uint16_t rejected; /* reliable frames rejected */
    uint16_t late_starts; /* trajectories that started after their time */
    uint16_t starved; /* holds for want of knots */
    uint16_t events_lost; /* events for which there was no room */
    uint16_t tx_skipped; /* reports for which the line had no room */
    uint16_t tick_max_us; /* longest time between two ticks since the last TELEM [us] */
} al_telem_t;
#define AL_TELEM_SIZE 36u
#define AL_TELEM_SIZE_MAX 36u
_Static_assert(AL_TELEM_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_telem_decode(al_telem_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_TELEM_SIZE) {
        return false;
    }
    bool ok = true;
    for (uint8_t i = 0; i < 6u; i++) {
        m->temperature[i] = al_get_i8(&p);
    }
    m->bus_mv = al_get_u16(&p);
    m->frames = al_get_u32(&p);
    m->crc_errors = al_get_u16(&p);
    m->framing_errors = al_get_u16(&p);
    m->overruns = al_get_u16(&p);
    m->gaps = al_get_u16(&p);
    m->duplicates = al_get_u16(&p);
    m->strangers = al_get_u16(&p);
    m->rejected = al_get_u16(&p);
    m->late_starts = al_get_u16(&p);
    m->starved = al_get_u16(&p);
    m->events_lost = al_get_u16(&p);
    m->tx_skipped = al_get_u16(&p);
    m->tick_max_us = al_get_u16(&p);
    return ok;
}

static inline size_t al_telem_encode(const al_telem_t *m, uint8_t *out)
{
    uint8_t *p = out;
    for (uint8_t i = 0; i < 6u; i++) {
        al_put_i8(&p, m->temperature[i]);
    }
    al_put_u16(&p, m->bus_mv);
    al_put_u32(&p, m->frames);
    al_put_u16(&p, m->crc_errors);
    al_put_u16(&p, m->framing_errors);
    al_put_u16(&p, m->overruns);
    al_put_u16(&p, m->gaps);
    al_put_u16(&p, m->duplicates);
    al_put_u16(&p, m->strangers);
    al_put_u16(&p, m->rejected);
    al_put_u16(&p, m->late_starts);
    al_put_u16(&p, m->starved);
    al_put_u16(&p, m->events_lost);
    al_put_u16(&p, m->tx_skipped);
    al_put_u16(&p, m->tick_max_us);
    return (size_t)(p - out);
}

/* Something happened; repeated ten times a second until EVENT_ACK. Codes below 0x1000 are faults. */
typedef struct {
    uint16_t event_no; /* counts up */
    uint32_t t_us; /* device time [us] */
    uint16_t code; /* Fault or EventCode */
    uint8_t source; /* joint, trajectory or cause, by code; 255: none */
    int32_t data; /* by code */
} al_event_t;
#define AL_EVENT_SIZE 13u
#define AL_EVENT_SIZE_MAX 13u
_Static_assert(AL_EVENT_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");

static inline bool al_event_decode(al_event_t *m, const uint8_t *p, size_t n)
{
    if (n != AL_EVENT_SIZE) {
        return false;
    }
    bool ok = true;
    m->event_no = al_get_u16(&p);
    m->t_us = al_get_u32(&p);
    m->code = al_get_u16(&p);
    m->source = al_get_u8(&p);
    m->data = al_get_i32(&p);
    return ok;
}

static inline size_t al_event_encode(const al_event_t *m, uint8_t *out)
{
    uint8_t *p = out;
    al_put_u16(&p, m->event_no);
    al_put_u32(&p, m->t_us);
    al_put_u16(&p, m->code);
    al_put_u8(&p, m->source);
    al_put_i32(&p, m->data);
    return (size_t)(p - out);
}

/* How a message to the device is delivered; AL_CLASS_REPORT for anything else. */
static inline uint8_t al_class_of(uint8_t id)
{
    uint8_t result = AL_CLASS_REPORT;
    switch (id) {
    case AL_MSG_HELLO:
    case AL_MSG_DESC_READ:
    case AL_MSG_REPORT_READ:
        result = AL_CLASS_OPENING;
        break;
    case AL_MSG_SYNC:
    case AL_MSG_HEARTBEAT:
    case AL_MSG_HOLD:
    case AL_MSG_QSTOP:
    case AL_MSG_EVENT_ACK:
        result = AL_CLASS_EXPRESS;
        break;
    case AL_MSG_CONTROL:
    case AL_MSG_CONFIRM:
    case AL_MSG_SEG_CUBIC:
    case AL_MSG_SEG_QUINTIC:
    case AL_MSG_START:
    case AL_MSG_TRUNCATE:
    case AL_MSG_ABANDON:
    case AL_MSG_RESUME:
    case AL_MSG_OVERRIDE:
    case AL_MSG_FAULT_RESET:
        result = AL_CLASS_RELIABLE;
        break;
    default:
        break;
    }
    return result;
}

#endif
