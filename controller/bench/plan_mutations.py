"""Faults planted in a plan, and whether `jointcell verify` finds those that do harm.

Every kind of fault changes one thing in a stored plan, by little or by much. `controller.bench.plan_oracle` judges which
do harm; those have to be found. What `verify` refuses beyond that is counted too: it asks for more than
harmlessness, for instance that geometry is that of the cell.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.recipe import recipe_for
from controller.bench.plan_oracle import Oracle
from controller.motion.plan_document import CellRecord, StoredPlan
from controller.motion.verify import verify_plan
from kinematics import Trajectory

Rng = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A changed plan: what was done to it, and the nodes near which."""

    kind: str
    detail: str
    stored: StoredPlan
    focus: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A fault, the harm it does (empty if none was seen), and the first line of `verify` (empty if it passed)."""

    fault: Fault
    harm: str
    found: str

    @property
    def overlooked(self) -> bool:
        """Harmful and not found."""
        return bool(self.harm) and not self.found


def judged(
    stored: StoredPlan,
    cell: Cell,
    record: CellRecord,
    models: Sequence[JointModel],
    *,
    count: int,
    plays: int,
    rng: Rng,
) -> Iterator[Judged]:
    """Plant so many faults, of all kinds in turn, and judge each.

    Args:
        stored: A plan without faults.
        cell: Its cell.
        record: What a plan for that cell says about it.
        models: The joint models of its order.
        count: Number of faults.
        plays: How often the oracle plays each of them.
        rng: Of faults and delays.
    """
    oracle = Oracle({model.name: recipe_for(model) for model in models})
    kinds = list(FAULTS.items())
    for number in range(count):
        kind, plant = kinds[number % len(kinds)]
        detail, changed, focus = plant(stored, rng)
        fault = Fault(kind=kind, detail=detail, stored=changed, focus=tuple(focus))
        verdict = verify_plan(changed, cell, record, models)
        yield Judged(
            fault=fault,
            harm=oracle.harm(changed, fault.focus, rng, plays),
            found=str(verdict.violations[0]) if verdict.violations else "",
        )


Planted = tuple[str, StoredPlan, Sequence[int]]


def _document(stored: StoredPlan, **values: Any) -> StoredPlan:
    return dataclasses.replace(stored, document=stored.document.model_copy(update=values))


def _item(stored: StoredPlan, name: str, index: int, **values: Any) -> StoredPlan:
    items = list(getattr(stored.document, name))
    items[index] = items[index].model_copy(update=values)
    return _document(stored, **{name: tuple(items)})


def _arm_nodes(stored: StoredPlan) -> list[int]:
    return [index for index, node in enumerate(stored.document.nodes) if node.leg is not None]


def _users(stored: StoredPlan, **facts: int) -> list[int]:
    """Nodes whose leg has these facts."""
    return [
        node
        for node in _arm_nodes(stored)
        if all(getattr(stored.leg(node), name) == value for name, value in facts.items())
    ]


def _size(rng: Rng, low: float, high: float) -> float:
    """Between two sizes, every order of magnitude alike."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _without(stored: StoredPlan, rng: Rng, wanted: Callable[[int, int], bool]) -> Planted:
    nodes = stored.document.nodes
    arcs = [
        (before, after)
        for after, node in enumerate(nodes)
        for before in node.predecessors
        if wanted(before, after)
    ]
    before, after = arcs[int(rng.integers(len(arcs)))]
    left = {
        name: tuple(other for other in getattr(nodes[after], name) if other != before)
        for name in ("predecessors", "coordination")
    }
    detail = f"{stored.name(after)} no longer waits for {stored.name(before)}"
    return detail, _item(stored, "nodes", after, **left), (before, after)


def _arc_between_arms(stored: StoredPlan, rng: Rng) -> Planted:
    nodes = stored.document.nodes
    return _without(stored, rng, lambda before, after: before in nodes[after].coordination)


def _arc_of_recipe(stored: StoredPlan, rng: Rng) -> Planted:
    nodes = stored.document.nodes
    return _without(
        stored,
        rng,
        lambda before, after: (
            before not in nodes[after].coordination and nodes[before].resource != nodes[after].resource
        ),
    )


def _arc_within_arm(stored: StoredPlan, rng: Rng) -> Planted:
    nodes = stored.document.nodes
    return _without(
        stored,
        rng,
        lambda before, after: (
            nodes[before].resource == nodes[after].resource and nodes[after].leg is not None
        ),
    )


def _more_arcs(stored: StoredPlan, arcs: Sequence[tuple[int, int]]) -> Planted:
    for before, after in arcs:
        known = stored.document.nodes[after].predecessors
        stored = _item(stored, "nodes", after, predecessors=tuple(sorted({*known, before})))
    detail = " and ".join(f"{stored.name(after)} waits for {stored.name(before)}" for before, after in arcs)
    return detail, stored, [node for arc in arcs for node in arc]


def _two_arcs(stored: StoredPlan, rng: Rng) -> Planted:
    """Legs of two arms, the later of each waits for the earlier of the other: often a circle."""
    nodes = _arm_nodes(stored)
    while True:
        one, two = (int(node) for node in rng.choice(nodes, size=2))
        if stored.document.nodes[one].resource != stored.document.nodes[two].resource:
            break
    return _more_arcs(
        stored, [(one, two), (two, one)] if rng.random() < 0.5 else [(one, two + 1), (two, one + 1)]
    )


def _one_more_arc(stored: StoredPlan, rng: Rng) -> Planted:
    nodes = _arm_nodes(stored)
    one, two = (int(node) for node in rng.choice(nodes, size=2, replace=False))
    return _more_arcs(stored, [(one, two)])


def _motion(stored: StoredPlan, rng: Rng) -> int:
    """A trajectory with some knots."""
    long = [index for index, motion in enumerate(stored.trajectories) if len(motion.t) > 3]
    return int(rng.choice(long))


def _with_motion(stored: StoredPlan, index: int, motion: Trajectory, detail: str) -> Planted:
    motions = list(stored.trajectories)
    motions[index] = motion
    users = _users(stored, trajectory=index)
    return (
        f"{stored.name(users[0])}: {detail}",
        dataclasses.replace(stored, trajectories=tuple(motions)),
        users,
    )


def _knot_moved(stored: StoredPlan, rng: Rng) -> Planted:
    index = _motion(stored, rng)
    motion = stored.trajectories[index]
    q, knot, joint = motion.q.copy(), int(rng.integers(1, len(motion.t) - 1)), int(rng.integers(6))
    by = _size(rng, 1e-9, 0.3)
    q[knot, joint] += by
    moved = Trajectory(t=motion.t, q=q, qd=motion.qd, qdd=motion.qdd)
    return _with_motion(stored, index, moved, f"knot {knot} is moved by {by:.1e} rad in joint {joint + 1}")


def _bent(stored: StoredPlan, rng: Rng) -> Planted:
    """A smooth detour: the same ends, another way."""
    index = _motion(stored, rng)
    motion = stored.trajectories[index]
    joint, by = int(rng.integers(5)), _size(rng, 1e-4, 0.5)
    u = (motion.t / motion.duration)[:, None]
    bump = np.zeros(6)
    bump[joint] = by
    slow = 1.5  # so that it is the way that does harm, not the speed
    q = motion.q + bump * 64 * (u * (1 - u)) ** 3
    qd = motion.qd + bump * 192 * (u * (1 - u)) ** 2 * (1 - 2 * u) / motion.duration
    qdd = motion.qdd + bump * 384 * u * (1 - u) * (1 - 5 * u + 5 * u**2) / motion.duration**2
    bent = Trajectory(t=motion.t, q=q, qd=qd, qdd=qdd).stretched(slow)
    detail, changed, users = _with_motion(
        stored, index, bent, f"a detour of {by:.1e} rad in joint {joint + 1}"
    )
    return detail, _slower(changed, users, bent.duration - motion.duration), users


def _slower(stored: StoredPlan, users: Sequence[int], by_s: float) -> StoredPlan:
    """Durations follow a motion that takes longer."""
    nodes = list(stored.document.nodes)
    for node in users:
        nodes[node] = nodes[node].model_copy(update={"duration_s": nodes[node].duration_s + by_s})
    return _document(stored, nodes=tuple(nodes))


def _other_speed(stored: StoredPlan, rng: Rng) -> Planted:
    index = _motion(stored, rng)
    motion, factor = stored.trajectories[index], float(rng.uniform(0.5, 1.3))
    detail, changed, users = _with_motion(
        stored, index, motion.stretched(factor), f"takes {factor:.2f} times as long"
    )
    return detail, _slower(changed, users, (factor - 1) * motion.duration), users


def _ends_elsewhere(stored: StoredPlan, rng: Rng) -> Planted:
    index = int(rng.integers(len(stored.trajectories)))
    motion, joint, by = stored.trajectories[index], int(rng.integers(6)), _size(rng, 1e-9, 0.3)
    offset = np.zeros(6)
    offset[joint] = by
    moved = Trajectory(t=motion.t, q=motion.q + offset, qd=motion.qd, qdd=motion.qdd)
    return _with_motion(stored, index, moved, f"is elsewhere by {by:.1e} rad in joint {joint + 1}")


def _larger_payload(stored: StoredPlan, rng: Rng) -> Planted:
    index, by = int(rng.integers(len(stored.document.hands))), _size(rng, 1e-3, 0.3)
    wide = stored.document.hands[index].radius_m + by
    users = _users(stored, hand=index) or _users(stored, hand_after=index)
    return f"hand {index} is wider by {1000 * by:.0f} mm", _item(stored, "hands", index, radius_m=wide), users


def _heavier_payload(stored: StoredPlan, rng: Rng) -> Planted:
    index, factor = int(rng.integers(len(stored.document.hands))), _size(rng, 1.01, 50.0)
    mass = stored.document.hands[index].mass_kg * factor
    users = _users(stored, hand=index) or _users(stored, hand_after=index)
    return f"hand {index} weighs {mass:.1f} kg", _item(stored, "hands", index, mass_kg=mass), users


def _other_leg(stored: StoredPlan, rng: Rng) -> Planted:
    nodes = _arm_nodes(stored)
    one = int(rng.choice(nodes))
    arm = stored.document.nodes[one].resource
    others = [node for node in nodes if stored.document.nodes[node].resource == arm]
    other = int(rng.choice(others))
    leg = stored.document.nodes[other].leg
    detail = f"{stored.name(one)} is replaced by {stored.name(other)}"
    return detail, _item(stored, "nodes", one, leg=leg), (one,)


def _process_left_out(stored: StoredPlan, rng: Rng) -> Planted:
    legs = [index for index, leg in enumerate(stored.document.legs) if leg.does in ("grip", "release")]
    index = int(rng.choice(legs))
    users = [node for node in _arm_nodes(stored) if stored.document.nodes[node].leg == index]
    detail = f"{stored.name(users[0])} does not {stored.document.legs[index].does}"
    return detail, _item(stored, "legs", index, process=None), users


def _part_forgotten(stored: StoredPlan, rng: Rng) -> Planted:
    index = int(rng.choice([k for k, leg in enumerate(stored.document.legs) if leg.held]))
    users = [node for node in _arm_nodes(stored) if stored.document.nodes[node].leg == index]
    return f"{stored.name(users[0])} forgets its part", _item(stored, "legs", index, held=""), users


def _node_gone(stored: StoredPlan, rng: Rng) -> Planted:
    """A node is given to another resource of its kind."""
    arms = [arm.id for arm in stored.document.cell.arms]
    node = int(rng.choice(_arm_nodes(stored)))
    own = stored.document.nodes[node].resource
    other = str(rng.choice([arm for arm in arms if arm != own]))
    return f"{stored.name(node)} is done by {other}", _item(stored, "nodes", node, resource=other), (node,)


def _arm_moved(stored: StoredPlan, rng: Rng) -> Planted:
    record = stored.document.cell
    index, by = int(rng.integers(len(record.arms))), _size(rng, 1e-4, 0.2)
    X = np.array(record.arms[index].X_WB)
    X[:2, 3] += by * np.array([np.cos(angle := rng.uniform(0, 2 * np.pi)), np.sin(angle)])
    arms = list(record.arms)
    arms[index] = arms[index].model_copy(update={"X_WB": tuple(map(tuple, X.tolist()))})
    changed = _document(stored, cell=record.model_copy(update={"arms": tuple(arms)}))
    return f"{arms[index].id} stands {1000 * by:.1f} mm aside", changed, ()


def _more_promised(stored: StoredPlan, rng: Rng) -> Planted:
    record, factor = stored.document.cell, _size(rng, 1.01, 10.0)
    promise = record.clearance.model_copy(update={"arms_m": record.clearance.arms_m * factor})
    changed = _document(stored, cell=record.model_copy(update={"clearance": promise}))
    return f"{1000 * promise.arms_m:.0f} mm are promised between arms", changed, ()


FAULTS: Mapping[str, Callable[[StoredPlan, Rng], Planted]] = {
    "arc between arms removed": _arc_between_arms,
    "arc of recipe or station removed": _arc_of_recipe,
    "arc within an arm removed": _arc_within_arm,
    "two arcs added": _two_arcs,
    "one arc added": _one_more_arc,
    "knot moved": _knot_moved,
    "detour": _bent,
    "other speed": _other_speed,
    "ends elsewhere": _ends_elsewhere,
    "payload enlarged": _larger_payload,
    "payload heavier": _heavier_payload,
    "leg replaced": _other_leg,
    "process left out": _process_left_out,
    "part forgotten": _part_forgotten,
    "node given to another arm": _node_gone,
    "arm moved": _arm_moved,
    "more promised": _more_promised,
}
