"""Whether a stored plan does harm, found out by playing it: the judge of `controller.bench.plan_mutations`.

It shares nothing with `jointcell verify`: the plan is played like tokens on a graph, many times with random delays and
with one arm stalled for long, and looked at on a dense grid of time. Places and torques come from `kinematics`, distances
between capsules from plain NumPy, limits from differences of samples. What it calls harmful is; what it does not
may still be, so it never accuses `verify` of seeing too much, only of overlooking something.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from cells.recipe import NEST, Place, Recipe
from controller.motion.plan_document import ArmRecord, HandRecord, StoredPlan
from kinematics import (
    Bodies,
    Body,
    Boxes,
    Capsules,
    Chain,
    Scene,
    Trajectory,
    clearance,
    inverse_dynamics,
    place_capsules,
)

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_S = 0.01  # of the grid on which plays are looked at
_FINE_S = 0.001  # between samples for limits
_SLACK_M = 2e-4  # nearer than promised by less than this is left to nobody
_JUMP = 1e-3  # [rad, rad/s] between two legs, or at the end of one
_OVER = 1.002  # of a limit, before samples count as beyond it
_LATE_S, _STALL_S = 5.0, 90.0


class Oracle:
    """One plan; legs that were looked at once are not looked at again in another plan that shares them."""

    def __init__(self, recipes: Mapping[str, Recipe]) -> None:
        self._recipes = recipes
        self._placed: dict[object, FloatArray] = {}
        self._good: set[object] = set()
        self._kept: dict[int, Trajectory] = {}  # alive, since they are known by their identity

    def harm(self, stored: StoredPlan, focus: Sequence[int], rng: np.random.Generator, plays: int) -> str:
        """What goes wrong, in a few words; empty when nothing was seen to.

        Args:
            stored: The plan.
            focus: Nodes near which something was changed; arms are stalled there.
            rng: Of the delays.
            plays: How often it is played.
        """
        legs = self._legs(stored)
        if legs:
            return legs
        for number in range(plays):
            delays = _delays(stored, focus if number % 2 else (), rng)
            played = play(stored, delays)
            if played is None:
                return "nothing can start any more"
            starts, ends = played
            wrong = next(broken(stored, self._recipes, starts, ends), "") or self._near(stored, starts, ends)
            if wrong:
                return wrong
        return ""

    # --- legs by themselves -------------------------------------------------------------------------------

    def _legs(self, stored: StoredPlan) -> str:
        document = stored.document
        arms = {arm.id: arm for arm in document.cell.arms}
        boxes = Boxes(
            X_WO=np.array([fixture.X_WO for fixture in document.cell.fixtures]),
            half=np.array([fixture.half_m for fixture in document.cell.fixtures]),
        )
        names = [fixture.name.split(".")[0] for fixture in document.cell.fixtures]
        for index, node in enumerate(document.nodes):
            if node.leg is None:
                continue
            leg, arm = stored.leg(index), arms[node.resource]
            motion, hand = stored.trajectories[leg.trajectory], document.hands[leg.hand]
            key = (arm, id(motion), hand, leg.station, document.cell.fixtures, document.cell.clearance)
            if key in self._good:
                continue
            self._kept[id(motion)] = motion
            beyond = beyond_limits(arm, hand, motion)
            if beyond:
                return f"{stored.name(index)}: {beyond}"
            own = f"nest{leg.station[1:]}" if leg.station[:1] == "P" else leg.station
            others = [k for k, name in enumerate(names) if name != own]
            scene = Scene(
                bodies=(_body(arm, hand),), boxes=Boxes(X_WO=boxes.X_WO[others], half=boxes.half[others])
            )
            q = motion.sample(_grid(motion, STEP_S))[0]
            limit = document.cell.clearance.fixtures_m - _SLACK_M
            if float(clearance(scene, q[:, None]).min()) < limit:
                return f"{stored.name(index)}: too near to a fixture"
            self._good.add(key)
        return ""

    # --- arms ---------------------------------------------------------------------------------------------

    def _near(self, stored: StoredPlan, starts: FloatArray, ends: FloatArray) -> str:
        """Whether two arms come too near while the plan is played."""
        count = int(ends.max() / STEP_S) + 2
        courses = [self._course(stored, arm, starts, count) for arm in stored.document.cell.arms]
        limit = stored.document.cell.clearance.arms_m - _SLACK_M
        for one, two in combinations([course for course in courses if course is not None], 2):
            gap = np.maximum(one.low[one.at] - two.high[two.at], two.low[two.at] - one.high[one.at])
            near = np.flatnonzero((gap.clip(0.0) ** 2).sum(axis=1) < limit**2)
            if len(near) == 0:
                continue
            # Arms at rest beside each other are looked at once.
            pairs = np.unique(one.at[near] * len(two.capsules) + two.at[near])
            rows = np.divmod(pairs, len(two.capsules))
            if (distance := capsule_distance(one.capsules[rows[0]], two.capsules[rows[1]])) < limit:
                return f"{one.arm} and {two.arm} come within {1000 * distance:.1f} mm"
        return ""

    def _course(self, stored: StoredPlan, arm: ArmRecord, starts: FloatArray, count: int) -> "_Course | None":
        """Where an arm is at every step of a play; None for an arm without legs."""
        document = stored.document
        nodes = [node for node, record in enumerate(document.nodes) if record.resource == arm.id]
        if not nodes:
            return None
        nodes.sort(key=lambda node: (starts[node], node))
        first = stored.leg(nodes[0])
        motion = stored.trajectories[first.trajectory]
        blocks = [self._capsules(arm, document.hands[first.hand], motion, 0)]
        at, size = np.zeros(count, dtype=np.int64), 1
        for node in nodes:
            leg = stored.leg(node)
            motion = stored.trajectories[leg.trajectory]
            moving = self._capsules(arm, document.hands[leg.hand], motion, None)
            blocks += [moving, self._capsules(arm, document.hands[leg.hand_after], motion, -1)]
            begin = min(int(np.ceil(starts[node] / STEP_S)), count)
            end = min(begin + len(moving), count)
            at[begin:end] = size + np.arange(end - begin)
            size += len(moving) + 1
            at[end:] = size - 1
        capsules = np.concatenate(blocks)
        radius = capsules[..., 6:]
        return _Course(
            arm=arm.id,
            capsules=capsules,
            low=(np.minimum(capsules[..., :3], capsules[..., 3:6]) - radius).min(axis=1),
            high=(np.maximum(capsules[..., :3], capsules[..., 3:6]) + radius).max(axis=1),
            at=at,
        )

    def _capsules(self, arm: ArmRecord, hand: HandRecord, motion: Trajectory, knot: int | None) -> FloatArray:
        """Capsules (n, m, 7) on the grid of a motion, or (1, m, 7) at one of its knots."""
        key = (arm, hand, id(motion), knot)
        if key not in self._placed:
            self._kept[id(motion)] = motion
            q = motion.sample(_grid(motion, STEP_S))[0] if knot is None else motion.q[knot][None]
            self._placed[key] = place_capsules(_body(arm, hand), q)
        return self._placed[key]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Course:
    """An arm over time: which row of its capsules (r, m, 7) and their boxes (r, 3) holds at each step, ``at`` (t,)."""

    arm: str
    capsules: FloatArray
    low: FloatArray
    high: FloatArray
    at: Ints


def play(stored: StoredPlan, delays: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Starts and ends (n,) of all nodes, each late by its delay [s]; None when some can never start."""
    nodes = stored.document.nodes
    starts, ends = np.zeros(len(nodes)), np.zeros(len(nodes))
    followers: list[list[int]] = [[] for _ in nodes]
    missing = [len(set(node.predecessors)) for node in nodes]
    for index, node in enumerate(nodes):
        for other in set(node.predecessors):
            followers[other].append(index)
    ready = [index for index, count in enumerate(missing) if count == 0]
    for index in ready:  # grows while it is walked
        node = nodes[index]
        starts[index] = max((ends[other] for other in node.predecessors), default=0.0) + delays[index]
        ends[index] = starts[index] + node.duration_s
        for follower in followers[index]:
            missing[follower] -= 1
            if missing[follower] == 0:
                ready.append(follower)
    return (starts, ends) if len(ready) == len(nodes) else None


def broken(
    stored: StoredPlan, recipes: Mapping[str, Recipe], starts: FloatArray, ends: FloatArray
) -> Iterator[str]:
    """What goes wrong with joints, parts and stations in a play."""
    document = stored.document
    nodes = document.nodes
    by_resource: dict[str, list[int]] = defaultdict(list)
    at_nest: dict[str, list[int]] = defaultdict(list)
    at_station: dict[str, list[int]] = defaultdict(list)
    visits: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index in np.lexsort((np.arange(len(nodes)), starts)).tolist():
        node = nodes[index]
        by_resource[node.resource].append(index)
        station = stored.leg(index).station if node.leg is not None else node.resource
        if station[:1] == "P" and station[1:].isdecimal():
            at_nest[station].append(index)
        elif node.leg is not None and station:
            at_station[station].append(index)
        if node.operation:
            visits[node.joint, node.operation].append(index)
    for resource, chain in by_resource.items():
        if any(starts[two] < ends[one] - 1e-9 for one, two in pairwise(chain)):
            yield f"{resource} does two things at once"
    turns = by_resource["dial"]
    for station, inside in at_nest.items():
        for index in inside:
            turned = sum(ends[turn] <= starts[index] + 1e-9 for turn in turns)
            if turned != nodes[index].joint + int(station[1:]):
                yield f"{stored.name(index)} finds another joint in nest {station}"
            if any(starts[turn] < ends[index] - 1e-9 and ends[turn] > starts[index] + 1e-9 for turn in turns):
                yield f"the dial turns during {stored.name(index)}"
        for one, two in pairwise(_stays(stored, inside, starts, ends)):
            if one[0] != two[0] and two[1] < one[2] - 1e-9:
                yield f"two work in nest {station} at once"
    yield from _hands(stored, by_resource)
    yield from _stations(stored, by_resource, at_station, starts, ends)
    for joint, name in enumerate(document.order):
        recipe = recipes[name]
        work = {
            item.number: _work(stored, item.steps, visits.get((joint, item.number), []), recipe)
            for item in recipe.operations
        }
        for item in recipe.operations:
            if not work[item.number]:
                yield f"operation {item.number} of joint {joint + 1} is not done"
                continue
            begin = min(starts[index] for index in work[item.number])
            if any(max(ends[k] for k in work[need]) > begin + 1e-9 for need in item.needs if work[need]):
                yield f"operation {item.number} of joint {joint + 1} comes before what it needs"
        for process in recipe.processes:
            yield from _process(
                process.station,
                joint,
                process.loads,
                process.unload,
                stored,
                by_resource,
                work,
                visits,
                starts,
                ends,
            )


def _stays(
    stored: StoredPlan, inside: list[int], starts: FloatArray, ends: FloatArray
) -> list[tuple[tuple[int, str], float, float]]:
    stays: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index in inside:
        stays[stored.document.nodes[index].joint, stored.document.nodes[index].operation].append(index)
    found = [
        (key, float(min(starts[k] for k in own)), float(max(ends[k] for k in own)))
        for key, own in stays.items()
    ]
    return sorted(found, key=lambda stay: stay[1])


def _work(stored: StoredPlan, steps: Sequence[object], nodes: list[int], recipe: Recipe) -> list[int]:
    """The nodes of a visit in the nest, or else at the place where it puts something."""
    last = steps[-1] if steps else None
    place = last.station if isinstance(last, Place) and last.station != NEST else ""
    inside = [
        index
        for index in nodes
        if stored.document.nodes[index].leg is None or stored.leg(index).station[:1] == "P"
    ]
    return inside or [index for index in nodes if stored.leg(index).station == place]


def _hands(stored: StoredPlan, by_resource: Mapping[str, list[int]]) -> Iterator[str]:
    """Parts change hands only by grips and releases."""
    arms = {arm.id for arm in stored.document.cell.arms}
    for resource in arms & set(by_resource):
        held, q = "", None
        for index in by_resource[resource]:
            leg = stored.leg(index)
            motion = stored.trajectories[leg.trajectory]
            if leg.held != held:
                yield f"{stored.name(index)} holds {leg.held or 'nothing'} instead of {held or 'nothing'}"
            if q is not None and np.abs(motion.q[0] - q).max() > _JUMP:
                yield f"{stored.name(index)} starts elsewhere than the last one ended"
            if leg.does == "grip":
                held = leg.held_after
            elif leg.does == "release":
                held = ""
            q = motion.q[-1]


def _stations(
    stored: StoredPlan,
    by_resource: Mapping[str, list[int]],
    at_station: Mapping[str, list[int]],
    starts: FloatArray,
    ends: FloatArray,
) -> Iterator[str]:
    """Feeders present before a grip and not while an arm is there; the out tray is empty when something is put down."""
    for station, cycles in by_resource.items():
        inside = at_station.get(station, [])
        if station.startswith("feeder_"):
            grips = [index for index in inside if stored.leg(index).does == "grip"]
            if len(grips) != len(cycles):
                yield f"{station} presents {len(cycles)} parts, {len(grips)} are fetched"
            for cycle, grip in zip(cycles, grips, strict=False):
                if ends[cycle] > ends[grip] - 1e-9:
                    yield f"{stored.name(grip)} finds nothing"
        if station.startswith("feeder_") or station == "out_tray":
            for cycle in cycles:
                if any(starts[cycle] < ends[k] - 1e-9 and ends[cycle] > starts[k] + 1e-9 for k in inside):
                    yield f"{station} moves while an arm is there"
        if station == "out_tray":
            for index in inside:
                done = sum(ends[cycle] <= starts[index] + 1e-9 for cycle in cycles)
                if done != stored.document.nodes[index].joint:
                    yield f"{stored.name(index)} finds the out tray full"


def _process(
    station: str,
    joint: int,
    loads: Sequence[str],
    unload: str,
    stored: StoredPlan,
    by_resource: Mapping[str, list[int]],
    work: Mapping[str, list[int]],
    visits: Mapping[tuple[int, str], list[int]],
    starts: FloatArray,
    ends: FloatArray,
) -> Iterator[str]:
    """A station works on what has been loaded, is unloaded when done and loaded again when empty."""
    cycle = [k for k in by_resource.get(station, []) if stored.document.nodes[k].joint == joint]
    if len(cycle) != 1:
        yield f"{station} does not work once for joint {joint + 1}"
        return
    for load in loads:
        if any(ends[k] > starts[cycle[0]] + 1e-9 for k in work[load]):
            yield f"{station} starts before it is loaded for joint {joint + 1}"

    def unloading(which: int) -> list[int]:
        return [k for k in visits.get((which, unload), []) if stored.leg(k).station == station]

    if any(starts[k] < ends[cycle[0]] - 1e-9 for k in unloading(joint)):
        yield f"{station} is unloaded before it is done with joint {joint + 1}"
    if joint and any(
        ends[k] > starts[other] + 1e-9 for k in unloading(joint - 1) for load in loads for other in work[load]
    ):
        yield f"{station} is loaded for joint {joint + 1} while it is full"


def beyond_limits(arm: ArmRecord, hand: HandRecord, motion: Trajectory) -> str:
    """Which limit samples of a motion pass; derivatives are differences of samples."""
    for end in (0, -1):
        if np.abs(motion.qd[end]).max() > _JUMP:
            return "no rest at an end"
    t = _grid(motion, _FINE_S)
    q, qd, qdd = motion.sample(t)
    low, high = np.array(arm.q_min_rad), np.array(arm.q_max_rad)
    if (q < low - _JUMP).any() or (q > high + _JUMP).any():
        return "position"
    if len(t) > 2:
        h = float(t[1] - t[0])
        for name, values, limit in (
            ("velocity", np.diff(q, axis=0) / h, arm.velocity_rad_per_s),
            ("acceleration", np.diff(qd, axis=0) / h, arm.acceleration_rad_per_s2),
            ("jerk", np.diff(qdd, axis=0) / h, arm.jerk_rad_per_s3),
        ):
            if (np.abs(values) > _OVER * np.array(limit)).any():
                return name
    tau = inverse_dynamics(_chain(arm).serial(_loaded(arm, hand)), q, qd, qdd)
    return "torque" if (np.abs(tau) > _OVER * np.array(arm.torque_nm)).any() else ""


def capsule_distance(ones: FloatArray, twos: FloatArray) -> float:
    """Smallest distance of any two capsules (n, m, 7) and (n, k, 7) of the same row [m].

    Of two segments the nearest points are either inside both, or one is an end; each end against the other segment and the
    inner solution are tried (Ericson 2005, "Real-time collision detection", sec. 5.1.9).
    """
    a, b = ones[:, :, None, :], twos[:, None, :, :]
    p, d, r = a[..., :3], a[..., 3:6] - a[..., :3], b[..., :3]
    e, w = b[..., 3:6] - b[..., :3], a[..., :3] - b[..., :3]

    def to_segment(point: FloatArray, start: FloatArray, along: FloatArray) -> FloatArray:
        length = np.maximum((along**2).sum(axis=-1), 1e-18)
        s = (((point - start) * along).sum(axis=-1) / length).clip(0.0, 1.0)
        gap: FloatArray = np.linalg.norm(point - start - s[..., None] * along, axis=-1)
        return gap

    best = np.minimum.reduce(
        [
            to_segment(p, r, e),
            to_segment(p + d, r, e),
            to_segment(r, p, d),
            to_segment(r + e, p, d),
        ]
    )
    dd, ee, de = (d * d).sum(axis=-1), (e * e).sum(axis=-1), (d * e).sum(axis=-1)
    dw, ew = (d * w).sum(axis=-1), (e * w).sum(axis=-1)
    det = dd * ee - de**2
    safe = np.where(det > 1e-12, det, 1.0)
    s, t = (de * ew - ee * dw) / safe, (dd * ew - de * dw) / safe
    inner = (det > 1e-12) & (s > 0) & (s < 1) & (t > 0) & (t < 1)
    across = np.linalg.norm(w + s[..., None] * d - t[..., None] * e, axis=-1)
    best = np.where(inner, np.minimum(best, across), best)
    return float((best - a[..., 6] - b[..., 6]).min())


def _delays(stored: StoredPlan, focus: Sequence[int], rng: np.random.Generator) -> FloatArray:
    """Random lateness; with a focus one node near it, of the same resource, is stalled for long."""
    count = len(stored.document.nodes)
    delays: FloatArray = rng.uniform(0.0, _LATE_S, count) * (rng.random(count) < rng.choice([0.05, 0.3, 1.0]))
    if len(focus):
        node = int(rng.choice(focus))
        own = [
            k
            for k, other in enumerate(stored.document.nodes)
            if other.resource == stored.document.nodes[node].resource
        ]
        place = own.index(node)
        delays = np.zeros(count)
        delays[own[max(0, place - int(rng.integers(6)))]] = _STALL_S
    return delays


def _grid(motion: Trajectory, step_s: float) -> FloatArray:
    """Times from begin to end, evenly spaced and near enough to a step apart."""
    times: FloatArray = np.linspace(0.0, motion.duration, max(1, round(motion.duration / step_s)) + 1)
    return times


def _chain(arm: ArmRecord) -> Chain:
    return Chain(
        **arm.lengths_m.model_dump(),
        offsets=np.array(arm.offsets_rad),
        signs=np.array(arm.signs, dtype=np.float64),
        q_min=np.array(arm.q_min_rad),
        q_max=np.array(arm.q_max_rad),
    )


def _body(arm: ArmRecord, hand: HandRecord) -> Body:
    shapes = [capsule for capsule in arm.capsules if capsule.link > 0] + [hand]
    return Body(
        chain=_chain(arm),
        X_WB=np.array(arm.X_WB),
        capsules=Capsules(
            link=np.array([shape.link for shape in shapes]),
            a=np.array([shape.a_m for shape in shapes]),
            b=np.array([shape.b_m for shape in shapes]),
            radius=np.array([shape.radius_m for shape in shapes]),
        ),
    )


def _loaded(arm: ArmRecord, hand: HandRecord) -> Bodies:
    """Links 1 to 6 with the hand on the last; all inertias are diagonal, both centres on the flange's axis."""
    mass = np.array([link.mass_kg for link in arm.links])
    com = np.array([link.com_m for link in arm.links])
    inertia = np.array([np.diag(link.inertia_kgm2) for link in arm.links])
    total = mass[5] + hand.mass_kg
    middle = (mass[5] * com[5] + hand.mass_kg * np.array(hand.com_m)) / total
    moments = inertia[5] + np.diag(hand.inertia_kgm2)
    for weight, at in ((mass[5], com[5]), (hand.mass_kg, np.array(hand.com_m))):
        d = at - middle
        moments = moments + weight * (d @ d * np.eye(3) - np.outer(d, d))
    mass[5], com[5], inertia[5] = total, middle, moments
    return Bodies(mass=mass, com=com, inertia=inertia)
