#include "path.h"

#define ONE_US 65536u
/* Ramps shorter than this gain nothing. */
#define SHORTEST_RAMP_S 0.02f

static al_knot_t *knot_at(al_path_t *path, uint8_t i)
{
    return &path->knots[(path->head + i) % AL_KNOTS];
}

static const al_knot_t *known_at(const al_path_t *path, uint8_t i)
{
    return &path->knots[(path->head + i) % AL_KNOTS];
}

static al_trajectory_t *trajectory_at(al_path_t *path, uint8_t i)
{
    return &path->trajectories[(path->trajectory_head + i) % AL_TRAJECTORIES];
}

static const al_trajectory_t *oldest(const al_path_t *path)
{
    return &path->trajectories[path->trajectory_head];
}

/* Knots kept of the oldest trajectory. */
static uint8_t oldest_count(const al_path_t *path)
{
    return (path->trajectory_count > 0u) ? (uint8_t)(oldest(path)->next - oldest(path)->first) : 0u;
}

void al_path_clear(al_path_t *path)
{
    path->count = 0u;
    path->trajectory_count = 0u;
    path->running = false;
    path->curve_ready = false;
    path->at = 0u;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        path->setpoint.vel[j] = 0.0f;
        path->setpoint.acc[j] = 0.0f;
    }
}

/* ------------------------------------------------------------------------------------------------- appending */

static bool at_rest(const al_knot_t *knot)
{
    bool rest = true;
    for (uint8_t j = 0; j < AL_JOINTS; j++) {
        rest = rest && (knot->vel[j] == 0.0f) && (knot->acc[j] == 0.0f);
    }
    return rest;
}

/* The first knot is put where the arm will be: it may differ from that by rounding only. */
static uint8_t check_first(const al_path_t *path, al_knot_t *knot, const al_limits_t *limits, uint8_t *joint)
{
    const int32_t *reference = (path->count > 0u) ? known_at(path, (uint8_t)(path->count - 1u))->pos : path->setpoint.pos;
    uint8_t result = AL_RESULT_OK;
    if (knot->t_us != 0u) {
        result = AL_RESULT_KNOT_TIME;
    } else if (!at_rest(knot)) {
        result = AL_RESULT_NOT_AT_REST;
    } else {
        for (uint8_t j = 0; (result == AL_RESULT_OK) && (j < limits->joints); j++) {
            const int64_t off = (int64_t)knot->pos[j] - reference[j];
            *joint = j;
            if ((off > AL_START_TOLERANCE) || (off < -AL_START_TOLERANCE)) {
                result = AL_RESULT_WRONG_START;
            } else if ((reference[j] < limits->pos_min[j]) || (reference[j] > limits->pos_max[j])) {
                result = AL_RESULT_POSITION_LIMIT;
            } else {
                knot->pos[j] = reference[j];
            }
        }
    }
    return result;
}

static bool by_a_limit(uint8_t result)
{
    return (result >= AL_RESULT_KNOT_TIME) && (result <= AL_RESULT_NOT_AT_REST);
}

/* The trajectory that knots go to, in `target`; for a new one, first its place behind the newest. */
static uint8_t find_target(
    al_path_t *path, uint8_t id, bool quintic, uint16_t first_knot, al_trajectory_t **target, bool *fresh)
{
    al_trajectory_t *newest = (path->trajectory_count > 0u) ? trajectory_at(path, (uint8_t)(path->trajectory_count - 1u)) : NULL;
    const bool filling = (newest != NULL) && !newest->complete;
    uint8_t result = AL_RESULT_OK;
    *fresh = !filling;
    *target = newest;
    if (filling) {
        if (newest->id != id) {
            result = AL_RESULT_WRONG_TRAJECTORY;
        } else if (newest->poisoned) {
            result = AL_RESULT_POISONED;
        } else if ((newest->next != first_knot) || (newest->quintic != quintic)) {
            result = AL_RESULT_WRONG_KNOT;
        } else {
            /* the next ones */
        }
    } else if (id != (uint8_t)(path->last_id + 1u)) {
        result = AL_RESULT_WRONG_TRAJECTORY;
    } else if (first_knot != 0u) {
        result = AL_RESULT_WRONG_KNOT;
    } else if (path->trajectory_count == AL_TRAJECTORIES) {
        result = AL_RESULT_FULL;
    } else {
        *target = trajectory_at(path, path->trajectory_count);
    }
    return result;
}

/* Check the knots that lie behind the end of the ring, and take them when they are good. */
static uint8_t append(
    al_path_t *path, uint8_t id, bool quintic, uint8_t flags, uint16_t first_knot, uint8_t n, const al_limits_t *limits,
    uint8_t *joint)
{
    al_trajectory_t *target = NULL;
    bool fresh = false;
    const bool last = (flags & AL_KNOT_FLAG_LAST) != 0u;
    uint8_t result = find_target(path, id, quintic, first_knot, &target, &fresh);
    if (result == AL_RESULT_OK) {
        for (uint8_t i = 0; (result == AL_RESULT_OK) && (i < n); i++) {
            const uint8_t place = (uint8_t)(path->count + i);
            al_knot_t *knot = knot_at(path, place);
            if (fresh && (i == 0u)) {
                result = check_first(path, knot, limits, joint);
            } else {
                result = al_curve_check(known_at(path, (uint8_t)(place - 1u)), knot, quintic, limits, joint);
            }
        }
        if ((result == AL_RESULT_OK) && last && (((uint32_t)first_knot + n) < 2u)) {
            result = AL_RESULT_KNOT_TIME; /* a trajectory takes time */
        } else if ((result == AL_RESULT_OK) && last && !at_rest(knot_at(path, (uint8_t)(path->count + n - 1u)))) {
            *joint = 255u;
            result = AL_RESULT_NOT_AT_REST;
        } else if (((uint32_t)first_knot + n) > 0xFFFFu) {
            result = AL_RESULT_WRONG_KNOT;
        } else {
            /* as it is */
        }
        if (result == AL_RESULT_OK) {
            if (fresh) {
                *target = (al_trajectory_t){.id = id, .quintic = quintic};
                path->trajectory_count++;
                path->last_id = id;
            }
            path->count = (uint8_t)(path->count + n);
            target->next = (uint16_t)(target->next + n);
            target->complete = last;
        } else if (!fresh && by_a_limit(result)) {
            target->poisoned = true;
        } else {
            /* rejected as if it had never come */
        }
    }
    return result;
}

uint8_t al_path_append_cubic(al_path_t *path, const al_seg_cubic_t *m, const al_limits_t *limits, uint8_t *joint)
{
    *joint = 255u;
    if (m->knots_count > (AL_KNOTS - path->count)) {
        return AL_RESULT_FULL;
    }
    for (uint8_t i = 0; i < m->knots_count; i++) {
        al_knot_t *knot = knot_at(path, (uint8_t)(path->count + i));
        knot->t_us = m->knots[i].t_us;
        for (uint8_t j = 0; j < AL_JOINTS; j++) {
            knot->pos[j] = m->knots[i].pos[j];
            knot->vel[j] = (float)m->knots[i].vel[j] * AL_VEL_UNIT;
            knot->acc[j] = 0.0f;
        }
    }
    return append(path, m->traj, false, m->flags, m->first_knot, m->knots_count, limits, joint);
}

uint8_t al_path_append_quintic(al_path_t *path, const al_seg_quintic_t *m, const al_limits_t *limits, uint8_t *joint)
{
    *joint = 255u;
    if (m->knots_count > (AL_KNOTS - path->count)) {
        return AL_RESULT_FULL;
    }
    for (uint8_t i = 0; i < m->knots_count; i++) {
        al_knot_t *knot = knot_at(path, (uint8_t)(path->count + i));
        knot->t_us = m->knots[i].t_us;
        for (uint8_t j = 0; j < AL_JOINTS; j++) {
            knot->pos[j] = m->knots[i].pos[j];
            knot->vel[j] = (float)m->knots[i].vel[j] * AL_VEL_UNIT;
            knot->acc[j] = (float)m->knots[i].acc[j] * AL_ACC_UNIT;
        }
    }
    return append(path, m->traj, true, m->flags, m->first_knot, m->knots_count, limits, joint);
}

/* ------------------------------------------------------------------------------------------ starting, dropping */

uint8_t al_path_start(al_path_t *path, const al_start_t *m)
{
    al_trajectory_t *next = NULL;
    uint8_t before = 0u; /* knots of the trajectories before it */
    for (uint8_t i = 0; (next == NULL) && (i < path->trajectory_count); i++) {
        al_trajectory_t *trajectory = trajectory_at(path, i);
        if (trajectory->started) {
            before = (uint8_t)(before + (trajectory->next - trajectory->first));
        } else {
            next = trajectory;
        }
    }
    uint8_t result = AL_RESULT_OK;
    if ((next == NULL) || (next->id != m->traj)) {
        result = AL_RESULT_WRONG_TRAJECTORY;
    } else if (next->poisoned) {
        result = AL_RESULT_POISONED;
    } else {
        float brake = SHORTEST_RAMP_S;
        for (uint8_t i = 1u; i < next->next; i++) {
            const float needed = known_at(path, (uint8_t)(before + i))->brake_s;
            brake = (needed > brake) ? needed : brake;
        }
        const float known = (float)known_at(path, (uint8_t)(path->count - 1u))->t_us * 1e-6f;
        if (!next->complete && (known < ((0.5f * brake) + AL_LOW_WATER_S + AL_HIGH_WATER_S))) {
            result = AL_RESULT_NOT_READY;
        } else {
            next->started = true;
            next->mode = m->mode;
            next->t_start_us = m->t_start_us;
        }
    }
    return result;
}

uint8_t al_path_truncate(al_path_t *path, const al_truncate_t *m, const al_ramp_t *ramp)
{
    uint8_t kept = 0u; /* knots up to and with the last one that stays */
    al_trajectory_t *last = NULL;
    uint8_t place = 0u;
    for (uint8_t i = 0; (last == NULL) && (i < path->trajectory_count); i++) {
        al_trajectory_t *trajectory = trajectory_at(path, i);
        if (trajectory->id == m->traj) {
            last = trajectory;
            place = i;
            kept = (uint8_t)(kept + (uint8_t)(m->knot - trajectory->first) + 1u);
        } else {
            kept = (uint8_t)(kept + (trajectory->next - trajectory->first));
        }
    }
    uint8_t result = AL_RESULT_OK;
    if (last == NULL) {
        result = AL_RESULT_WRONG_TRAJECTORY;
    } else if (m->knot >= last->next) {
        result = AL_RESULT_WRONG_KNOT;
    } else if ((m->knot < last->first) || ((place == 0u) && path->running && (m->knot == last->first))) {
        result = AL_RESULT_TOO_LATE;
    } else {
        const uint8_t knots_before = path->count;
        const uint8_t trajectories_before = path->trajectory_count;
        const uint8_t last_id_before = path->last_id;
        const al_trajectory_t was = *last;
        last->complete = last->complete && ((m->knot + 1u) == last->next);
        last->poisoned = false;
        last->next = (uint16_t)(m->knot + 1u);
        path->trajectory_count = (uint8_t)(place + 1u);
        path->count = kept;
        path->last_id = last->id;
        if (last->started && !((place == 0u) && path->running)) {
            last->started = last->complete; /* START anew once there is enough */
        }
        if (path->running && (place == 0u) && al_path_low(path, ramp)) {
            *last = was;
            path->count = knots_before;
            path->trajectory_count = trajectories_before;
            path->last_id = last_id_before;
            result = AL_RESULT_TOO_LATE;
        }
    }
    return result;
}

/* --------------------------------------------------------------------------------------------------- following */

al_trajectory_t *al_path_oldest(al_path_t *path)
{
    return (path->trajectory_count > 0u) ? trajectory_at(path, 0u) : NULL;
}

void al_path_begin(al_path_t *path, uint32_t begun_us)
{
    path->running = true;
    path->at = 0u;
    path->begun_us = begun_us;
    path->curve_ready = false;
}

static uint64_t place_of(const al_knot_t *knot)
{
    return (uint64_t)knot->t_us * ONE_US;
}

/* Time on the path from here to a knot ahead. */
static float seconds_to(const al_path_t *path, const al_knot_t *knot)
{
    return (float)(knot->t_us - (uint32_t)(path->at / ONE_US)) * 1e-6f;
}

static void drop_oldest_knot(al_path_t *path)
{
    path->head = (uint8_t)((path->head + 1u) % AL_KNOTS);
    path->count--;
    trajectory_at(path, 0u)->first++;
    path->curve_ready = false;
}

bool al_path_advance(al_path_t *path, float by_us, float *left_us)
{
    al_trajectory_t *trajectory = trajectory_at(path, 0u);
    bool ended = false;
    *left_us = 0.0f;
    path->at += (uint32_t)(by_us * (float)ONE_US);
    while ((oldest_count(path) > 2u) && (path->at >= place_of(known_at(path, 1u)))) {
        drop_oldest_knot(path);
    }
    const al_knot_t *from = known_at(path, 0u);
    const al_knot_t *to = known_at(path, 1u);
    if (!path->curve_ready) {
        al_curve_make(&path->curve, from, to, trajectory->quintic, path->curve.joints);
        path->curve_ready = true;
    }
    if (path->at >= place_of(to)) {
        /* The last known knot. Its path is complete there: al_path_low has stopped the arm before any other. */
        *left_us = (float)(uint32_t)(path->at - place_of(to)) / (float)ONE_US;
        path->at = place_of(to);
        ended = trajectory->complete;
    }
    const uint64_t since = path->at - place_of(from);
    const float us = (float)(uint32_t)(since / ONE_US) + ((float)(uint32_t)(since % ONE_US) / (float)ONE_US);
    al_curve_at(&path->curve, us / (float)(to->t_us - from->t_us), &path->setpoint);
    if (ended) {
        for (uint8_t j = 0; j < path->curve.joints; j++) {
            path->setpoint.pos[j] = to->pos[j]; /* not even a rounding off */
            path->setpoint.vel[j] = 0.0f;
            path->setpoint.acc[j] = 0.0f;
        }
        drop_oldest_knot(path);
        drop_oldest_knot(path);
        path->trajectory_head = (uint8_t)((path->trajectory_head + 1u) % AL_TRAJECTORIES);
        path->trajectory_count--;
        path->running = false;
    }
    return ended;
}

float al_path_buffered(const al_path_t *path)
{
    const uint8_t n = oldest_count(path);
    return (n > 0u) ? (seconds_to(path, known_at(path, (uint8_t)(n - 1u)))) : 0.0f;
}

/* Shortest ramp to rest from here that keeps the limits and is not shorter than wished. */
static float ramp_by_limits(const al_path_t *path, const al_ramp_t *ramp, float wished_s)
{
    float duration = wished_s;
    const uint8_t n = oldest_count(path);
    for (uint8_t i = 1u; i < n; i++) {
        const al_knot_t *before = known_at(path, (uint8_t)(i - 1u));
        const float begins = (i == 1u) ? 0.0f : seconds_to(path, before);
        const float needed = known_at(path, i)->brake_s;
        if ((begins <= al_ramp_reach(ramp, duration)) && (needed > duration)) {
            duration = needed;
        }
    }
    return duration;
}

float al_path_ramp(const al_path_t *path, const al_ramp_t *ramp, float wished_s)
{
    const float shortest = ramp_by_limits(path, ramp, SHORTEST_RAMP_S);
    const float wanted = ramp_by_limits(path, ramp, (wished_s > SHORTEST_RAMP_S) ? wished_s : SHORTEST_RAMP_S);
    const bool fits = oldest(path)->complete || (al_ramp_reach(ramp, wanted) <= al_path_buffered(path));
    return fits ? wanted : shortest;
}

bool al_path_low(const al_path_t *path, const al_ramp_t *ramp)
{
    const float needed = al_ramp_reach(ramp, ramp_by_limits(path, ramp, SHORTEST_RAMP_S));
    return !oldest(path)->complete && (al_path_buffered(path) < (needed + AL_LOW_WATER_S));
}

bool al_path_ready(const al_path_t *path)
{
    al_ramp_t full;
    al_ramp_set(&full, 1.0f);
    const float needed = al_ramp_reach(&full, ramp_by_limits(path, &full, SHORTEST_RAMP_S));
    return oldest(path)->complete || (al_path_buffered(path) >= (needed + AL_LOW_WATER_S + AL_HIGH_WATER_S));
}
