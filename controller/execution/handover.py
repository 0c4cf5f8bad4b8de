"""From one plan to another while the cell goes on.

A plan is made from a moment of the one before, and when it is there the cell has gone on by that. This is as good as having
begun with the new plan if whatever was given since is what the new plan gives each resource first, with the same legs, and
if all that it waits for there has ended. Then nobody who is under way should have been passed by somebody, so the arcs of
the new plan keep apart those that follow, and since it has no circle, nor has what is left of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from controller.execution.state import CellState, Course, Progress
from controller.motion.event_graph import Node
from controller.motion.visit import START


class OvertakenError(Exception):
    """The cell has gone on in a way that the new plan does not begin with; the message says who did what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Where a cell is in a plan that it has not followed so far.

    Attributes:
        progress: Of every resource in the new plan.
        same: Nodes of the old plan that are under way, and the nodes of the new one that they are.
    """

    progress: Mapping[str, Progress]
    same: Mapping[int, int]


def handed_over(old: Course, moment: CellState, now: CellState, new: Course) -> Handover:
    """Where a cell is in a new plan.

    Args:
        old: The plan that is followed.
        moment: Progress in it from which the new plan was made.
        now: Progress in it now.
        new: The new plan.

    Raises:
        OvertakenError: When what happened since is no beginning of the new plan.
    """
    progress = {name: Progress() for name in new.chains}
    same: dict[int, int] = {}
    for name, chain in old.chains.items():
        first, ended, given = moment.progress[name].ended, now.progress[name].ended, now.progress[name].given
        place = over = 0
        following = new.chains.get(name, ())
        for number in chain[first:given]:
            node = old.graph.nodes[number]
            if node.label != START:
                while place < len(following) and new.graph.nodes[following[place]].label == START:
                    place += 1  # it has gone on from where it stood
                    over = place
            if place == len(following) or not _alike(node, new.graph.nodes[following[place]]):
                if node.label == START and old.place[number] < ended:
                    continue
                raise OvertakenError(_begun(node))
            if old.place[number] < ended:
                over = place + 1
            else:
                same[number] = following[place]
            place += 1
        if place:
            progress[name] = Progress(given=place, ended=over)
    _check_waits(new, progress)
    return Handover(progress=MappingProxyType(progress), same=MappingProxyType(same))


def _check_waits(new: Course, progress: Mapping[str, Progress]) -> None:
    """Raise when something that was given waits, in the new plan, for something that has not ended."""
    nodes = new.graph.nodes
    for name, chain in new.chains.items():
        for place, number in enumerate(chain[: progress[name].given]):
            for before in new.graph.predecessors[number]:
                resource = nodes[before].resource
                queued = resource == name and place >= progress[name].ended
                if new.place[before] >= (progress[resource].given if queued else progress[resource].ended):
                    raise OvertakenError(f"{_begun(nodes[number])}, which would wait for {resource}")


def _begun(node: Node) -> str:
    return f"{node.resource} has begun {node.label} of operation {node.operation} for {node.serial}"


def _alike(one: Node, other: Node) -> bool:
    """Whether two nodes are the same thing, done in the same way."""
    if one.key != other.key:
        return False
    if one.leg is other.leg or one.leg is None or other.leg is None:
        return one.leg is other.leg
    return (
        one.leg.process == other.leg.process
        and one.leg.finger_m == other.leg.finger_m
        and np.array_equal(one.leg.trajectory.q, other.leg.trajectory.q)
        and np.array_equal(one.leg.trajectory.t, other.leg.trajectory.t)
    )
