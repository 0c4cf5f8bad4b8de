"""The scheduling problem of a dial cell, as pure data: what has to be done and what must not meet.

Arms stand round an indexing dial. A joint enters at dial position 0, moves on by one position with every
index and leaves after the last position, so one joint is finished per cycle. All times are int ticks (1 ms);
nothing here knows geometry.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

NO_ARM = -1
OFF_DIAL = -1


class ProblemError(ValueError):
    """A problem that contradicts itself; the message lists every finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to do an operation.

    Attributes:
        arm: Index of the arm, or `NO_ARM` for work the nest does by itself (a test).
        position: Dial position, or `OFF_DIAL` (loading a bench).
        before: Ticks from the arm's arrival at the start pose until it enters the nest zone (fetch, dispense,
            approach).
        inside: Ticks in the nest zone; off the dial, in the zone of the buffer's nest.
        after: Ticks from leaving the zone until the end pose (carry away, retract).
        start: Index of the start pose in the arm's travel matrix; 0 without an arm.
        end: Index of the end pose in the arm's travel matrix; 0 without an arm.
    """

    arm: int
    position: int
    inside: int
    before: int = 0
    after: int = 0
    start: int = 0
    end: int = 0

    @property
    def duration(self) -> int:
        """Ticks from the start pose to the end pose."""
        return self.before + self.inside + self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One visit of one arm, or one test; done once per joint in one of its modes."""

    name: str
    modes: tuple[Mode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """A place beside the dial that holds one item: loaded, processed without an arm, taken away.

    Attributes:
        name: Name of the press or bench.
        loads: Operations that put something in, in the order of assembly.
        process: Ticks from the last load's leaving until the item may be taken.
        unload: Operation that takes the item at its beginning. It starts no earlier than the end of the
            process.
        unload_offset: Ticks after the start of `unload` at which the item is out and the buffer is free.
    """

    name: str
    loads: tuple[str, ...]
    process: int
    unload: str
    unload_offset: int


ArmAtPosition = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SchedulingProblem:
    """A cyclic dial cell: find modes and orders that finish one joint per least cycle time.

    Attributes:
        positions: Number of dial positions.
        index_ticks: Ticks of one dial index; meanwhile no operation is inside a nest of the dial.
        operations: All operations of one joint. An operation on the dial lies between two indices.
        travel: (arms, poses, poses) int64 ticks, `travel[arm, end, start]` between consecutive visits of an
            arm.
        precedence: Pairs (a, b) of operation names: within one joint, b enters its nest after a has left its
            own.
        buffers: Places beside the dial with room for one item.
        exclusions: Pairs of (arm, position) on the dial whose stays inside must not overlap (crossing arms).
        margin: Ticks between the stays of two different arms in one nest; at most `index_ticks`.

    Raises:
        ProblemError: With every finding, one per line.
    """

    positions: int
    index_ticks: int
    operations: tuple[Operation, ...]
    travel: npt.NDArray[np.int64] = field(repr=False)
    precedence: tuple[tuple[str, str], ...] = ()
    buffers: tuple[Buffer, ...] = ()
    exclusions: tuple[tuple[ArmAtPosition, ArmAtPosition], ...] = ()
    margin: int = 0

    def __post_init__(self) -> None:
        travel = np.array(self.travel, dtype=np.int64, order="C")
        travel.flags.writeable = False
        object.__setattr__(self, "travel", travel)
        findings = list(_findings(self))
        if findings:
            raise ProblemError("scheduling problem:\n" + "\n".join(f"  {finding}" for finding in findings))

    @property
    def arms(self) -> int:
        """Number of arms."""
        return int(self.travel.shape[0])

    def same_joint_order(self) -> tuple[tuple[str, str], ...]:
        """Precedence, and what the buffers add: each load before the next, the last before the unload."""
        chains = ((*buffer.loads, buffer.unload) for buffer in self.buffers)
        return self.precedence + tuple(pair for chain in chains for pair in pairwise(chain))


def _findings(problem: SchedulingProblem) -> Iterator[str]:
    """Every contradiction, so that an author mends them in one go."""
    if problem.positions < 1:
        yield f"positions = {problem.positions}: must be at least 1"
    if problem.index_ticks < 0:
        yield f"index_ticks = {problem.index_ticks}: must not be negative"
    if not 0 <= problem.margin <= problem.index_ticks:
        yield f"margin = {problem.margin}: must lie in 0..index_ticks = {problem.index_ticks}"
    shape = problem.travel.shape
    if len(shape) != 3 or shape[1] != shape[2]:
        yield f"travel has shape {shape}: must be (arms, poses, poses)"
        return
    if problem.travel.size and problem.travel.min() < 0:
        yield f"travel holds {problem.travel.min()} ticks: must not be negative"
    if not problem.operations:
        yield "operations: there is none"
    counts = Counter(operation.name for operation in problem.operations)
    for name, count in counts.items():
        if count > 1:
            yield f"operation {name!r} occurs {count} times: names must be unique"
    for operation in problem.operations:
        if not operation.modes:
            yield f"operation {operation.name!r} has no mode: nothing can do it"
        for number, mode in enumerate(operation.modes):
            for finding in _mode_findings(problem, mode):
                yield f"operation {operation.name!r}, mode {number}: {finding}"
    yield from _reference_findings(problem, set(counts))
    for pair in problem.exclusions:
        for arm, position in pair:
            if not (0 <= arm < problem.arms and 0 <= position < problem.positions):
                yield f"exclusion {pair}: (arm, position) {(arm, position)} does not exist on the dial"
        if pair[0][0] == pair[1][0]:
            yield f"exclusion {pair}: names one arm twice; an arm cannot meet itself"


def _mode_findings(problem: SchedulingProblem, mode: Mode) -> Iterator[str]:
    arms, poses = problem.travel.shape[:2]
    if not NO_ARM <= mode.arm < arms:
        yield f"arm = {mode.arm}: must lie in {NO_ARM}..{arms - 1}"
    if not OFF_DIAL <= mode.position < problem.positions:
        yield f"position = {mode.position}: must lie in {OFF_DIAL}..{problem.positions - 1}"
    if mode.inside < 1:
        yield f"inside = {mode.inside}: must be at least 1 tick"
    for name in ("before", "after"):
        if getattr(mode, name) < 0:
            yield f"{name} = {getattr(mode, name)}: must not be negative"
    if mode.arm == NO_ARM:
        if mode.position == OFF_DIAL:
            yield "has neither an arm nor a dial position"
        if (mode.before, mode.after, mode.start, mode.end) != (0, 0, 0, 0):
            yield "has no arm, so before, after, start and end must be 0"
    else:
        for name in ("start", "end"):
            if not 0 <= getattr(mode, name) < poses:
                yield f"{name} = {getattr(mode, name)}: must lie in 0..{poses - 1}"


def _reference_findings(problem: SchedulingProblem, names: set[str]) -> Iterator[str]:
    """Unknown names, loads on the dial, offsets out of range, an order that bites its tail."""
    unknown = False
    for pair in problem.precedence:
        for name in pair:
            if name not in names:
                unknown = True
                yield f"precedence {pair}: there is no operation {name!r}"
    used: Counter[str] = Counter()
    for buffer in problem.buffers:
        where = f"buffer {buffer.name!r}"
        if not buffer.loads:
            yield f"{where}: has no load"
        if buffer.process < 0:
            yield f"{where}: process = {buffer.process}: must not be negative"
        for name in (*buffer.loads, buffer.unload):
            if name not in names:
                unknown = True
                yield f"{where}: there is no operation {name!r}"
        by_name = {operation.name: operation for operation in problem.operations}
        used.update(buffer.loads)
        for name in buffer.loads:
            if name in names and any(m.position != OFF_DIAL for m in by_name[name].modes):
                yield f"{where}: load {name!r} has a mode on the dial"
        if buffer.unload in names:
            modes = by_name[buffer.unload].modes
            if any(m.arm == NO_ARM for m in modes):
                yield f"{where}: unload {buffer.unload!r} has a mode without an arm"
            before = min((m.before for m in modes), default=0)
            if not 0 <= buffer.unload_offset <= before:
                yield (
                    f"{where}: unload_offset = {buffer.unload_offset}: "
                    f"must lie in 0..{before}, the least `before` of {buffer.unload!r}"
                )
    for name, count in used.items():
        if count > 1:
            yield f"operation {name!r} loads {count} buffers: one visit loads one"
    if not unknown:
        circuit = _circuit(problem.same_joint_order())
        if circuit:
            yield f"precedence runs in a circle: {' -> '.join(circuit)}"


def _circuit(pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Some closed walk a -> b -> ... -> a of the pairs, or () when they order their members."""
    remaining = set(pairs)
    while True:
        tails = {a for a, _ in remaining}
        kept = {(a, b) for a, b in remaining if b in tails}
        if kept == remaining:
            break
        remaining = kept
    if not remaining:
        return ()
    following = dict(sorted(remaining))
    walk = [min(following)]
    while walk[-1] not in walk[:-1]:
        walk.append(following[walk[-1]])
    return tuple(walk[walk.index(walk[-1]) :])
