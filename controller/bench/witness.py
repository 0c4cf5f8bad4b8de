"""What truly happens to joints, written down by drivers and not by the cell: the oracle of studies that kill a cell."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from cells.driver import (
    ArmDriver,
    ArmState,
    QueueStatus,
    Segment,
    StationCycle,
    StationDriver,
    StationResult,
)
from controller.motion.event_graph import Node
from controller.supervision.production import UNLOAD
from controller.supervision.shift import DIAL, INDEX

FloatArray = NDArray[np.float64]
NextNode = Callable[[str], Node]


class Witness:
    """Lines of a file: ``begun``, ``ended`` or ``left``, serial number, operation.

    They reach the operating system at once, so that they survive a kill of the process.

    Args:
        path: The file; lines are appended.
        poses: Where to keep the joints of every arm: (arms, 6) float64 [rad], shared with another process.
    """

    def __init__(self, path: Path, poses: FloatArray) -> None:
        self._file: IO[bytes] = path.open("ab", buffering=0)
        self._poses = poses
        self._nodes: dict[int, Node] = {}

    def begins(self, number: int, node: Node) -> None:
        """A driver has taken a leg or cycle that it knows by this number."""
        self._nodes[number] = node
        if node.resource == DIAL:
            self._say("begun", DIAL, INDEX)
        elif node.begins:
            self._say("begun", node.serial, node.operation)

    def ends(self, number: int) -> None:
        """It has ended."""
        node = self._nodes.pop(number)
        if node.resource == DIAL:
            self._say("ended", DIAL, INDEX)
        elif node.operation and node.ends:
            self._say("ended", node.serial, node.operation)
        if node.finishes:
            self._say("left", node.serial, node.operation)

    def undone(self, serial: str, number: str) -> None:
        """An operator found something not done and put it back to where it was."""
        self._say("undone", serial, number)

    def stands(self, arm: int, state: ArmState) -> None:
        """Where an arm is."""
        self._poses[arm] = state.q

    def _say(self, what: str, serial: str, operation: str) -> None:
        self._file.write(f"{what} {serial} {operation}\n".encode())


class Truth:
    """What a witness has written.

    Attributes:
        last: By serial number and operation what happened to it last: ``begun``, ``ended``, or ``undone`` by an operator.
        times: How often it ended.
        left: How often a joint left.
    """

    def __init__(self, path: Path) -> None:
        self.last: dict[tuple[str, str], str] = {}
        self.times: Counter[tuple[str, str]] = Counter()
        self.left: Counter[str] = Counter()
        for line in path.read_text().splitlines() if path.exists() else ():
            what, serial, number = line.split()
            if what == "left":
                self.left[serial] += 1
                continue
            self.last[serial, number] = what
            self.times[serial, number] += what == "ended"

    def done(self, serial: str, number: str) -> bool:
        """Whether an operation is complete, or the joint is gone with it."""
        return self.last.get((serial, number)) == "ended" or (number == UNLOAD and bool(self.left[serial]))


class WitnessedArm:
    """An arm with a witness."""

    def __init__(self, arm: ArmDriver, number: int, witness: Witness, next_node: NextNode) -> None:
        self.name, self.limits = arm.name, arm.limits
        self.enable, self.feed, self.stop = arm.enable, arm.feed, arm.stop
        self._arm = arm
        self._number = number
        self._witness = witness
        self._next_node = next_node

    def __enter__(self) -> Self:
        """Connect."""
        self._arm.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, at rest."""
        self._arm.__exit__(kind, error, trace)

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment."""
        answer = self._arm.queue(segment)
        if answer is QueueStatus.ACCEPTED:
            self._witness.begins(segment.id, self._next_node(self.name))
        return answer

    def read(self) -> ArmState:
        """Latest state."""
        state = self._arm.read()
        for result in state.results:
            self._witness.ends(result.id)
        self._witness.stands(self._number, state)
        return state


class WitnessedStations:
    """Stations with a witness."""

    def __init__(self, stations: StationDriver, witness: Witness, next_node: NextNode) -> None:
        self.stop = stations.stop
        self._stations = stations
        self._witness = witness
        self._next_node = next_node

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle."""
        self._stations.start(cycle)
        self._witness.begins(cycle.id, self._next_node(cycle.station))

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that ended since the last reading."""
        results = self._stations.read()
        for result in results:
            self._witness.ends(result.id)
        return results
