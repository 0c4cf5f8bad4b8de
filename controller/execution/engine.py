"""Runs an event graph on drivers: gives every node to its driver as soon as what it waits for has ended.

Legs of an arm are queued one ahead where nothing but the arm itself is waited for, so that an arm does not pause between
them. All input and output is in the drivers, the clock and the listener; what is known is in the pure state.

`Engine.run` works through one graph. A cell that runs for months calls `tick` instead and adopts renewed graphs on the
way; drivers know nodes by numbers that never come again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from cells.driver import (
    ArmDriver,
    ArmState,
    Clock,
    QueueStatus,
    Segment,
    StationDriver,
    Status,
    StopCategory,
)
from controller.execution.handover import Handover
from controller.execution.state import CellState, Course, Ended, Event, Faulted, Given, Stopped, advance
from controller.motion.event_graph import EventGraph, Node

Listener = Callable[[Event], None]
Permit = Callable[[Node], bool]
"""Whether a node may be given to its driver now; one that may not is asked about again in the next round."""


_AHEAD = 1
_LONGEST_STOP_S = 2.0
_REST_RAD_PER_S = 1e-3
_QUIET_S = 120.0  # no node ends for so long: the cell is stuck


class Engine:
    """One run of a plan."""

    def __init__(
        self,
        graph: EventGraph,
        arms: Mapping[str, ArmDriver],
        stations: StationDriver,
        clock: Clock,
        listener: Listener,
        permit: Permit = lambda node: True,
    ) -> None:
        self.course = Course(graph)
        self.state = self.course.initial()
        self._arms = arms
        self._stations = stations
        self._clock = clock
        self._listener = listener
        self._permit = permit
        self._moving = False  # at the last reading
        self._base = 0  # of the numbers by which drivers know the nodes of this graph
        self._earlier: dict[int, int] = {}  # numbers of nodes that were given for an earlier graph
        self._left_out: frozenset[str] = frozenset()
        self.readings: dict[str, ArmState] = {}

    @property
    def at_rest(self) -> bool:
        """Whether nothing moved at the last reading."""
        return not self._moving

    @property
    def idle(self) -> bool:
        """Whether everything given has ended."""
        return not self._busy()

    @property
    def exhausted(self) -> bool:
        """Whether every node has ended."""
        return self._left() == 0

    def adopt(self, course: Course, handover: Handover | None = None) -> None:
        """Go on with another plan.

        Args:
            course: The plan.
            handover: Where everything is in it; without, nothing of it has been given.
        """
        rejects, same = self.state.rejects, {} if handover is None else handover.same
        numbers = {node: self._base + node for node in same}
        numbers |= {node: number for number, node in self._earlier.items() if node in same}
        self._earlier = {numbers[node]: new for node, new in same.items()}
        self._base += len(self.course.graph.nodes)
        self.course = course
        progress = course.initial().progress if handover is None else handover.progress
        self.state = CellState(progress=progress, rejects=rejects)

    def tick(self, *, give: bool = True, ahead: int = _AHEAD) -> bool:
        """One round: give what may start, let a control period pass, take in what has ended; whether anything happened."""
        given = give and self._give(ahead)
        self._clock.advance()
        return self._collect() or given

    def leave_out(self, names: Iterable[str]) -> None:
        """Arms that count no longer: nothing is given to them, and their faults are their own business."""
        self._left_out = frozenset(names)

    def look(self) -> None:
        """Take in what drivers report, without letting time pass."""
        self._collect()

    def startable(self, ahead: int = _AHEAD) -> bool:
        """Whether anything may start."""
        return any(
            self.course.next_of(self.state, name, ahead if name in self._arms else 0) is not None
            for name in self.course.chains
            if name not in self._left_out
        )

    def halt(self, category: StopCategory, reason: str) -> None:
        """Tell every driver to come to rest and void what is queued; returns at once."""
        for arm in self._arms.values():
            arm.stop(category)
        self._stations.stop(category)
        self._happen(Stopped(time_ns=self._clock.now_ns, reason=reason))

    def run(self, done: Callable[[CellState], bool]) -> CellState:
        """Run until ``done`` says so, a fault occurs or nothing is left to do; everything is at rest afterwards.

        Whatever ends it, an interrupt (Ctrl-C) or a fault of this program, stops all drivers first.
        """
        try:
            self._run(done)
        except BaseException as error:
            self.stop(
                "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
            )
            raise
        self.stop(self.state.fault or "done")
        return self.state

    def stop(self, reason: str) -> None:
        """Bring every driver to rest on its path and void what is queued; returns when nothing moves any more."""
        for arm in self._arms.values():
            arm.stop(StopCategory.STOP_AND_HOLD)
        self._stations.stop(StopCategory.STOP_AND_HOLD)
        asked_ns = self._clock.now_ns
        self._collect()
        while self._moving and self._clock.now_ns - asked_ns < _LONGEST_STOP_S * 1e9:
            self._clock.advance()
            self._collect()
        self._happen(Stopped(time_ns=self._clock.now_ns, reason=reason))

    def _run(self, done: Callable[[CellState], bool]) -> None:
        quiet_since = self._clock.now_ns
        while self.state.running and not done(self.state):
            given = self._give()
            if not given and not self._busy():
                if self.state.running and self._left():
                    self._fault("cell", f"nothing can start, {self._left()} nodes are left")
                return
            self._clock.advance()
            if self._collect():
                quiet_since = self._clock.now_ns
            elif self._clock.now_ns - quiet_since > _QUIET_S * 1e9:
                self._fault("cell", f"nothing ended for {_QUIET_S:.0f} s; waiting: {self._waiting()}")

    def _fault(self, resource: str, reason: str) -> None:
        self._happen(Faulted(time_ns=self._clock.now_ns, resource=resource, reason=reason))

    def _happen(self, event: Event) -> None:
        self.state = advance(self.course, self.state, event)
        self._listener(event)

    def _give(self, ahead: int = _AHEAD) -> bool:
        """Hand out every node that may start."""
        any_given = False
        if not self.state.running:
            return False
        for resource in self.course.chains:
            if resource in self._left_out:
                continue
            arm = self._arms.get(resource)
            while (node := self.course.next_of(self.state, resource, ahead if arm else 0)) is not None:
                if not self._hand_over(self.course.graph.nodes[node], arm):
                    break
                any_given = True
        return any_given

    def _hand_over(self, node: Node, arm: ArmDriver | None) -> bool:
        if not self._permit(node):
            return False
        if arm is None:
            assert node.cycle is not None
            self._stations.start(replace(node.cycle, id=self._base + node.id))
        else:
            assert node.leg is not None
            leg = node.leg
            answer = arm.queue(
                Segment(
                    id=self._base + node.id,
                    trajectory=leg.trajectory,
                    process=leg.process,
                    finger_m=leg.finger_m,
                )
            )
            if answer is QueueStatus.FULL:
                return False
            if answer is QueueStatus.REFUSED:
                self._collect()  # an arm that has faulted refuses too, and says why
                if self.state.running:
                    reason = f"refused {node.label} of operation {node.operation} for {node.serial}"
                    self._fault(node.resource, reason)
                return False
        self._happen(Given(time_ns=self._clock.now_ns, node=node.id))
        return True

    def _collect(self) -> bool:
        """Take in what has ended; whether anything has."""
        ended = self._moving = False
        now = self._clock.now_ns
        for name, arm in self._arms.items():
            reading = self.readings[name] = arm.read()
            if name in self._left_out:
                continue
            self._moving |= bool(np.abs(reading.qd).max() > _REST_RAD_PER_S)
            for result in reading.results:
                node = self._node(result.id)
                if node is None:
                    continue
                ended = True
                verdict = "" if result.measured.get("ok", 1.0) else _worst(result.measured)
                self._happen(
                    Ended(
                        time_ns=now,
                        node=node,
                        start_ns=result.start_ns,
                        end_ns=result.end_ns,
                        verdict=verdict,
                        measured=result.measured,
                    )
                )
            if reading.status is Status.FAULT and self.state.running:
                self._fault(name, reading.fault)
        for cycle in self._stations.read():
            node = self._node(cycle.id)
            if node is None:
                continue
            ended = True
            self._happen(
                Ended(
                    time_ns=now,
                    node=node,
                    start_ns=cycle.start_ns,
                    end_ns=cycle.end_ns,
                    verdict=cycle.verdict,
                    measured=cycle.measured,
                    tests=cycle.tests,
                )
            )
        return ended

    def _node(self, number: int) -> int | None:
        """The node that drivers know by a number; none for one that no longer counts."""
        return number - self._base if number >= self._base else self._earlier.pop(number, None)

    def _left(self) -> int:
        return sum(
            len(chain) - self.state.progress[name].ended
            for name, chain in self.course.chains.items()
            if name not in self._left_out
        )

    def _busy(self) -> bool:
        return any(item.given > item.ended for item in self.state.progress.values())

    def _waiting(self) -> str:
        """Up to four resources that have been given something which does not end."""
        names = [
            f"{name} {self.course.graph.nodes[self.course.chains[name][item.ended]].label}"
            for name, item in self.state.progress.items()
            if item.given > item.ended
        ]
        return ", ".join(names[:4])


def _worst(measured: Mapping[str, float]) -> str:
    """A reason in words for a process that was not good."""
    return "not good: " + ", ".join(
        f"{name} {value:.4g}" for name, value in sorted(measured.items()) if name != "ok"
    )
