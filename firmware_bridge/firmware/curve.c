#include "curve.h"

#include "ramp.h"

bool al_limits_make(al_limits_t *limits, const al_config_t *config)
{
    bool ok = (config->joints >= 1u) && (config->joints <= AL_JOINTS) && (config->stop_max_ms >= 50u)
              && (config->stop_max_ms <= 2000u);
    limits->joints = config->joints;
    limits->stop_max_s = (float)config->stop_max_ms * 1e-3f;
    for (uint8_t j = 0; ok && (j < config->joints); j++) {
        limits->pos_min[j] = config->pos_min[j];
        limits->pos_max[j] = config->pos_max[j];
        limits->vel[j] = (float)config->vel_max[j] * AL_VEL_UNIT;
        limits->acc[j] = (float)config->acc_max[j] * AL_ACC_UNIT;
        limits->jerk[j] = (float)config->jerk_max[j] * AL_JERK_UNIT;
        limits->stop_acc[j] = (float)config->stop_acc[j] * AL_ACC_UNIT;
        limits->stop_jerk[j] = (float)config->stop_jerk[j] * AL_JERK_UNIT;
        ok = (config->pos_min[j] >= -1000000000) && (config->pos_max[j] <= 1000000000)
             && (config->pos_min[j] < config->pos_max[j]) && (config->vel_max[j] > 0) && (config->acc_max[j] > 0)
             && (config->jerk_max[j] > 0) && (config->stop_acc[j] > config->acc_max[j])
             && (config->stop_jerk[j] > config->jerk_max[j]) && (config->follow_max[j] > 0);
    }
    return ok;
}

void al_curve_make(al_curve_t *curve, const al_knot_t *from, const al_knot_t *to, bool quintic, uint8_t joints)
{
    const float h = (float)(to->t_us - from->t_us) * 1e-6f;
    curve->h = h;
    curve->joints = joints;
    for (uint8_t j = 0; j < joints; j++) {
        float *c = curve->c[j];
        const float d = (float)(to->pos[j] - from->pos[j]) * AL_POS_UNIT;
        const float a = from->vel[j] * h;
        const float b = to->vel[j] * h;
        curve->origin[j] = from->pos[j];
        c[0] = a;
        if (quintic) {
            const float e = (from->acc[j] * h) * h;
            const float f = (to->acc[j] * h) * h;
            const float r = (d - a) - (0.5f * e); /* what the parabola misses at the end: position, ... */
            const float s = (b - a) - e;          /* ... velocity, ... */
            const float w = f - e;                /* ... acceleration */
            c[1] = 0.5f * e;
            c[2] = ((10.0f * r) - (4.0f * s)) + (0.5f * w);
            c[3] = ((7.0f * s) - (15.0f * r)) - w;
            c[4] = ((6.0f * r) - (3.0f * s)) + (0.5f * w);
        } else {
            c[1] = ((3.0f * d) - (2.0f * a)) - b;
            c[2] = (a + b) - (2.0f * d);
            c[3] = 0.0f;
            c[4] = 0.0f;
        }
    }
}

static int32_t rounded(float x)
{
    return (int32_t)((x < 0.0f) ? (x - 0.5f) : (x + 0.5f));
}

void al_curve_at(const al_curve_t *curve, float u, al_setpoint_t *out)
{
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        if (j < curve->joints) {
            const float *c = curve->c[j];
            const float q = u * (c[0] + (u * (c[1] + (u * (c[2] + (u * (c[3] + (u * c[4]))))))));
            const float v = c[0] + (u * ((2.0f * c[1]) + (u * ((3.0f * c[2]) + (u * ((4.0f * c[3]) + (u * (5.0f * c[4]))))))));
            const float a = (2.0f * c[1]) + (u * ((6.0f * c[2]) + (u * ((12.0f * c[3]) + (u * (20.0f * c[4]))))));
            out->pos[j] = curve->origin[j] + rounded(q * 1e7f);
            out->vel[j] = v / curve->h;
            out->acc[j] = (a / curve->h) / curve->h;
        } else {
            out->pos[j] = 0;
            out->vel[j] = 0.0f;
            out->acc[j] = 0.0f;
        }
    }
}

static float larger(float a, float b)
{
    return (a > b) ? a : b;
}

/* Largest magnitude of the differences of n numbers, which replace them. */
static float differences(float *x, uint8_t n)
{
    float most = 0.0f;
    for (uint8_t i = 0; (i + 1u) < n; i++) {
        x[i] = x[i + 1u] - x[i];
        most = larger(most, __builtin_fabsf(x[i]));
    }
    return most;
}

/* A Bezier curve lies in the hull of its control points, and so do its derivatives, whose control points are
 * differences of those (Farin, Curves and Surfaces for CAGD, 5th ed., sec. 5.3): bounds at all times. */
static uint8_t check_joint(const al_curve_t *curve, uint8_t j, bool quintic, const al_limits_t *limits, float *brake_s)
{
    const float *c = curve->c[j];
    const float h = curve->h;
    const float n = quintic ? 5.0f : 3.0f;
    const uint8_t points = quintic ? 6u : 4u;
    float x[6];
    /* Control points of a polynomial in u: x[k] = sum of binomial(k, i) / binomial(n, i) c[i - 1]. */
    x[0] = 0.0f;
    if (quintic) {
        x[1] = c[0] * 0.2f;
        x[2] = (c[0] * 0.4f) + (c[1] * 0.1f);
        x[3] = (c[0] * 0.6f) + (c[1] * 0.3f) + (c[2] * 0.1f);
        x[4] = (c[0] * 0.8f) + (c[1] * 0.6f) + (c[2] * 0.4f) + (c[3] * 0.2f);
        x[5] = c[0] + c[1] + c[2] + c[3] + c[4];
    } else {
        x[1] = c[0] / 3.0f;
        x[2] = ((2.0f * c[0]) + c[1]) / 3.0f;
        x[3] = c[0] + c[1] + c[2];
        x[4] = x[3];
        x[5] = x[3];
    }
    float low = 0.0f;
    float high = 0.0f;
    for (uint8_t k = 1u; k < points; k++) {
        low = (x[k] < low) ? x[k] : low;
        high = larger(high, x[k]);
    }
    /* What rounding to the wire's units and to single precision may add to a control point. */
    const float e = AL_POS_UNIT + (0.2f * h * AL_VEL_UNIT) + (0.05f * h * h * AL_ACC_UNIT) + (2.4e-7f * larger(high, -low));
    const float velocity = (n / h) * differences(x, points);
    const float acceleration = ((n * (n - 1.0f)) / (h * h)) * differences(x, (uint8_t)(points - 1u));
    const float jerk = ((n * (n - 1.0f) * (n - 2.0f)) / (h * h * h)) * differences(x, (uint8_t)(points - 2u));
    const float slack_v = (10.0f * e) / h;
    const float slack_a = (80.0f * e) / (h * h);
    const float slack_j = (480.0f * e) / (h * h * h);

    const float to_max = (float)(limits->pos_max[j] - curve->origin[j]) * AL_POS_UNIT;
    const float to_min = (float)(limits->pos_min[j] - curve->origin[j]) * AL_POS_UNIT;
    uint8_t result = AL_RESULT_OK;
    if (!((high <= (to_max + (4.0f * e))) && (low >= (to_min - (4.0f * e))))) {
        result = AL_RESULT_POSITION_LIMIT;
    } else if (!(velocity <= (limits->vel[j] + slack_v))) {
        result = AL_RESULT_VELOCITY_LIMIT;
    } else if (!(acceleration <= (limits->acc[j] + slack_a))) {
        result = AL_RESULT_ACCELERATION_LIMIT;
    } else if (quintic && !(jerk <= (limits->jerk[j] + slack_j))) {
        result = AL_RESULT_JERK_LIMIT;
    } else {
        const float a = (acceleration < limits->acc[j]) ? acceleration : limits->acc[j];
        const float jk = (jerk < limits->jerk[j]) ? jerk : limits->jerk[j];
        *brake_s = larger(*brake_s, al_ramp_shortest(velocity, a, jk, limits->stop_acc[j], limits->stop_jerk[j]));
        result = (*brake_s <= limits->stop_max_s) ? AL_RESULT_OK : AL_RESULT_STOP_TIME;
    }
    return result;
}

uint8_t al_curve_check(const al_knot_t *from, al_knot_t *to, bool quintic, const al_limits_t *limits, uint8_t *joint)
{
    const uint32_t duration = to->t_us - from->t_us;
    uint8_t result = AL_RESULT_OK;
    *joint = 255u;
    to->brake_s = 0.0f;
    if ((to->t_us <= from->t_us) || (duration < AL_SEGMENT_MIN_US) || (duration > AL_SEGMENT_MAX_US)) {
        result = AL_RESULT_KNOT_TIME;
    }
    for (uint8_t j = 0; (result == AL_RESULT_OK) && (j < limits->joints); j++) {
        *joint = j;
        if ((to->pos[j] < limits->pos_min[j]) || (to->pos[j] > limits->pos_max[j])) {
            result = AL_RESULT_POSITION_LIMIT;
        }
    }
    if (result == AL_RESULT_OK) {
        al_curve_t curve;
        al_curve_make(&curve, from, to, quintic, limits->joints);
        for (uint8_t j = 0; (result == AL_RESULT_OK) && (j < limits->joints); j++) {
            *joint = j;
            result = check_joint(&curve, j, quintic, limits, &to->brake_s);
        }
    }
    return result;
}
