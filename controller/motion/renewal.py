"""A plan renewed while the cell is at work: what has ended falls out, what has begun comes first, more joints follow.

The same serves to lengthen a running plan and to go on after a stop: then what was interrupted is begun anew, with legs
that start where the arms stand (`controller.motion.rest_of_leg`).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cells.part import Part
from controller.motion.event_graph import Key, Node
from controller.motion.unroll import Entering, Unrolled
from controller.motion.visit import RETREAT, Leg

FloatArray = NDArray[np.float64]
_SAME_RAD = 1e-9

StandingLeg = Callable[[str, FloatArray, Part | None], Leg]


class TooLateError(Exception):
    """Something that was begun would come behind something new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where an arm rests, or will when what it has begun has ended: joints (6,) [rad], and the part in its hand."""

    q: FloatArray
    held: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where a cell is in its work.

    Attributes:
        joints: All joints of which anything is left to do, in the order of their places.
        indices: The window in which the dial stands or, while it turns, stood.
        stands: For every arm where it rests, or will when what it has begun has ended.
        ended: Nodes that have ended.
        begun: Nodes that were begun and have not ended, with their legs as they are driven; None for cycles of stations.
    """

    joints: tuple[Entering, ...]
    indices: int
    stands: Mapping[str, Stand]
    ended: frozenset[Key] = frozenset()
    begun: Mapping[Key, Leg | None] = field(default_factory=dict)


def remaining(unrolled: Unrolled, where: Whereabouts, standing: StandingLeg) -> Unrolled:
    """What is left of an unrolled order; every arm that has begun nothing stands first.

    Raises:
        TooLateError: When something begun would not be the first of its arm.
    """
    left = Unrolled()
    number: dict[int, int] = {}
    for node in unrolled.nodes:
        if node.key in where.ended:
            continue
        number[node.id] = len(left.nodes)
        leg = where.begun.get(node.key)
        if leg is not None:
            node = replace(node, leg=leg, duration_s=leg.duration_s)
        if node.key in where.begun:
            left.begun.add(len(left.nodes))
        _append(left, node)
    for old, new in number.items():
        left.predecessors[new] |= {
            number[before] for before in unrolled.predecessors[old] if before in number
        }
    for arm, rest in where.stands.items():
        chain = [number[node] for node in unrolled.chains.get(arm, ()) if node in number]
        begun = [node in left.begun for node in chain]
        if begun != sorted(begun, reverse=True):
            late = left.nodes[chain[begun.index(False)]]
            raise TooLateError(f"{arm} is past {late.label} of operation {late.operation} for {late.serial}")
        left.chains[arm] = chain
        if not any(begun):
            stand(left, arm, standing(arm, rest.q, rest.held))
    return left


def stand(unrolled: Unrolled, arm: str, leg: Leg) -> None:
    """Let an arm stand, with `leg`, before all that it does."""
    chain = unrolled.chains.setdefault(arm, [])
    for following in chain[:1]:
        unrolled.predecessors[following].add(len(unrolled.nodes))
    chain.insert(0, len(unrolled.nodes))
    _append(unrolled, Node(id=-1, resource=arm, label=leg.name, duration_s=0.0, zone=leg.zone.value, leg=leg))


def overtaken(unrolled: Unrolled, where: Whereabouts) -> frozenset[Key]:
    """Ways to the parking place that nobody asked for when the visit was made, and that its arm is past."""
    past: set[Key] = set()
    for arm, chain in unrolled.chains.items():
        nodes = [unrolled.nodes[number] for number in chain]
        legs = Counter(node.key[:3] for node in nodes if node.key not in where.ended)
        gone_on = False
        for node in reversed(nodes):
            if node.key in where.ended or node.key in where.begun:
                gone_on = True
            elif node.label == RETREAT and legs[node.key[:3]] == 1:
                assert node.leg is not None
                off = np.abs(node.leg.trajectory.q[0] - where.stands[arm].q).max()
                if gone_on or off > _SAME_RAD:
                    past.add(node.key)
    return frozenset(past)


def _append(unrolled: Unrolled, node: Node) -> None:
    number = len(unrolled.nodes)
    unrolled.nodes.append(replace(node, id=number, cycle=node.cycle and replace(node.cycle, id=number)))
    unrolled.predecessors.append(set())
