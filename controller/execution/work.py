"""What has been done of the joints on a line, leg by leg, and what its arms are in the middle of.

It is fed by the events of the plan and outlives it: a renewed plan leaves out what has ended.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from controller.execution.state import CellState, Course, Ended
from controller.motion.event_graph import Key, Node
from controller.motion.renewal import Stand, Whereabouts
from controller.motion.unroll import Entering
from controller.motion.visit import START, Zone
from controller.motion.way_home import HOME, RETURN

Visit = tuple[str, str, str]
"""An arm, an operation and a joint by its serial number."""

_NO_VISIT = (HOME, RETURN, START)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A visit that an arm is in the middle of: its next leg, and whether it has entered the nest."""

    next: Node
    entered: bool

    @property
    def could_be_left(self) -> bool:
        """Whether the arm has nothing in its hand and is not in the nest."""
        return not self.entered and (self.next.leg is None or self.next.leg.held is None)


class Work:
    """The book of one line.

    Attributes:
        joints: Joints of the plan by serial number.
        indices: The window in which the dial stands or, while it turns, stood.
        ended: Legs and cycles of them that have ended.
        done: Operations of them that are complete, by serial number.
        stands: Where arms that are in no leg rest, as far as that is known.
    """

    def __init__(self) -> None:
        self.joints: Mapping[str, Entering] = {}
        self.indices = 0
        self.ended: set[Key] = set()
        self.done: dict[str, set[str]] = {}
        self.stands: dict[str, Stand] = {}
        self._resumed: set[Key] = set()  # legs whose rest the plan begins with

    def note(self, event: Ended, node: Node) -> None:
        """A node has ended."""
        if node.serial:
            self.ended.add(node.key)
        if node.ends:
            self.done.setdefault(node.serial, set()).add(node.operation)
        if node.leg is not None:
            self.stands[node.resource] = Stand(q=node.leg.trajectory.q[-1], held=node.leg.held_after)
        if node.resource == "dial":
            self.indices += 1

    def copy(self) -> "Work":
        """The same, for somebody who plans while this goes on."""
        other = Work()
        other.joints, other.indices = self.joints, self.indices
        other.ended = set(self.ended)
        other.done = {serial: set(done) for serial, done in self.done.items()}
        other.stands = dict(self.stands)
        other._resumed = set(self._resumed)
        return other

    def planned(
        self, where: Whereabouts, since: Collection[Node] = (), under_way: Iterable[Node] = ()
    ) -> None:
        """A plan has been adopted: what belongs to none of its joints is forgotten.

        Args:
            where: What it was made from.
            since: Nodes that have ended since then.
            under_way: Nodes that were given since then or before and have not ended.
        """
        keys = {node.key for node in since}
        self.joints = {joint.serial: joint for joint in where.joints}
        self.ended = {key for key in where.ended | keys if key[2] in self.joints}
        self.done = {serial: done for serial, done in self.done.items() if serial in self.joints}
        self._resumed = where.begun.keys() - keys
        moving = {key[0] for key in self._resumed} | {node.resource for node in under_way}
        moved = {node.resource: self.stands[node.resource] for node in since if node.leg is not None}
        self.stands = {arm: stand for arm, stand in {**where.stands, **moved}.items() if arm not in moving}
        self.indices = where.indices + sum(node.resource == "dial" for node in since)

    def touched(self, serial: str) -> bool:
        """Whether anything of a joint has been done."""
        return any(key[2] == serial for key in self.ended)

    def to_resume(self, course: Course, state: CellState) -> Iterable[Node]:
        """Legs with whose rest arms are about to go on."""
        return (node for node in left(course, state) if node.key in self._resumed)

    def halted_in(self, course: Course, state: CellState, arm: str) -> Node | None:
        """The leg in which an arm was halted, or with whose rest it was about to go on."""
        for place, node in _left_of(course, state, arm):
            if node.label in (HOME, RETURN):
                continue  # on its way to it
            given = place < state.progress[arm].given
            return node if node.label != START and (given or node.key in self._resumed) else None
        return None

    def visit_under_way(self, course: Course, state: CellState, arm: str) -> UnderWay | None:
        """The visit that an arm has begun and not ended."""
        begun = {key[:3] for key in self.ended if key[3] >= 0}
        halted = self.halted_in(course, state, arm)
        for _, node in _left_of(course, state, arm):
            if node.label not in _NO_VISIT:
                if node is not halted and node.key[:3] not in begun:
                    return None
                waits = node.zone == Zone.BEFORE.value or (node.enters and node is not halted)
                return UnderWay(next=node, entered=not waits)
        return None


def given(course: Course, state: CellState) -> Iterable[Node]:
    """Nodes that were given and have not ended."""
    for name, progress in state.progress.items():
        for number in course.chains[name][progress.ended : progress.given]:
            yield course.graph.nodes[number]


def ended_since(course: Course, moment: CellState, now: CellState) -> list[Node]:
    """Nodes that have ended since a moment of the same plan."""
    return [
        course.graph.nodes[number]
        for name, progress in now.progress.items()
        for number in course.chains[name][moment.progress[name].ended : progress.ended]
    ]


def left(course: Course, state: CellState) -> Iterable[Node]:
    """Nodes that have not ended."""
    return (node for node in course.graph.nodes if not course.has_ended(state, node.id))


def leaving(course: Course, state: CellState) -> Collection[str]:
    """Joints that have left the cell and after which something is still to be tidied up."""
    nodes = [node for node in left(course, state) if node.serial]
    return {node.serial for node in nodes} - {node.serial for node in nodes if node.finishes}


def _left_of(course: Course, state: CellState, arm: str) -> Iterable[tuple[int, Node]]:
    """Legs of an arm that have not ended, with their places in its chain."""
    if arm not in state.progress:
        return
    ended = state.progress[arm].ended
    for place, number in enumerate(course.chains[arm][ended:], ended):
        yield place, course.graph.nodes[number]
