"""Whether a stored plan does harm, found out by playing it: the judge of `controller.bench.plan_mutations`.

It shares with `jointcell verify` the records of the files alone. The plan is played like tokens on a graph, many times
with random delays and with one arm stalled for long, and looked at on a dense grid of time. Places and torques come from
`kinematics`, distances between capsules from plain NumPy, limits from differences of samples. What it calls harmful is;
what it does not may still be, so it never accuses `verify` of seeing too much, only of overlooking something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cells.recipe import Recipe
from controller.bench.plan_play import Play, play
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
_JUMP = 1e-3  # [rad, rad/s] beyond a limit of position, or left at the end of a leg
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
            wrong = next(Play(stored, self._recipes, starts, ends).broken(), "") or self._near(
                stored, starts, ends
            )
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
