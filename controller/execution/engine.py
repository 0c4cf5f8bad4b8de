"""Runs an event graph on drivers: gives every node to its driver as soon as what it waits for has ended.

Legs of an arm are queued one ahead where nothing but the arm itself is waited for, so that an arm does not pause between
them. All input and output is in the drivers, the clock and the listener; what is known is in the pure state.
"""

from collections.abc import Callable, Mapping

from cells.driver import (
    ArmDriver,
    Clock,
    QueueStatus,
    Segment,
    StationDriver,
    Status,
    StopCategory,
)
from controller.execution.state import CellState, Course, Ended, Event, Faulted, Given, Stopped, advance
from controller.motion.event_graph import EventGraph, Node

Listener = Callable[[Event], None]

_AHEAD = 1
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
    ) -> None:
        self.course = Course(graph)
        self.state = self.course.initial()
        self._arms = arms
        self._stations = stations
        self._clock = clock
        self._listener = listener

    def run(self, done: Callable[[CellState], bool]) -> CellState:
        """Run until ``done`` says so, a fault occurs or nothing is left to do; everything is at rest afterwards.

        Interrupting it (Ctrl-C) stops all drivers on their paths before the interrupt goes on.
        """
        quiet_since = self._clock.now_ns
        try:
            while self.state.running and not done(self.state):
                given = self._give()
                if not given and not self._busy():
                    break
                self._clock.advance()
                if self._collect():
                    quiet_since = self._clock.now_ns
                elif self._clock.now_ns - quiet_since > _QUIET_S * 1e9:
                    self._happen(
                        Faulted(
                            time_ns=self._clock.now_ns,
                            resource="cell",
                            reason=f"nothing ended for {_QUIET_S:.0f} s; waiting: {self._waiting()}",
                        )
                    )
        except KeyboardInterrupt:
            self.stop("interrupted")
            raise
        self.stop(self.state.fault or "done")
        return self.state

    def stop(self, reason: str) -> None:
        """Bring every driver to rest on its path and void what is queued."""
        for arm in self._arms.values():
            arm.stop(StopCategory.STOP_AND_HOLD)
        self._stations.stop(StopCategory.STOP_AND_HOLD)
        self._happen(Stopped(time_ns=self._clock.now_ns, reason=reason))

    def _happen(self, event: Event) -> None:
        self.state = advance(self.course, self.state, event)
        self._listener(event)

    def _give(self) -> bool:
        """Hand out every node that may start."""
        any_given = False
        for resource in self.course.chains:
            arm = self._arms.get(resource)
            while (node := self.course.next_of(self.state, resource, _AHEAD if arm else 0)) is not None:
                if not self._hand_over(self.course.graph.nodes[node], arm):
                    break
                any_given = True
        return any_given

    def _hand_over(self, node: Node, arm: ArmDriver | None) -> bool:
        if arm is None:
            assert node.cycle is not None
            self._stations.start(node.cycle)
        else:
            assert node.leg is not None
            leg = node.leg
            answer = arm.queue(
                Segment(id=node.id, trajectory=leg.trajectory, process=leg.process, finger_m=leg.finger_m)
            )
            if answer is QueueStatus.FULL:
                return False
            if answer is QueueStatus.REFUSED:
                reason = f"refused {node.label} of operation {node.operation} for {node.serial}"
                self._happen(Faulted(time_ns=self._clock.now_ns, resource=node.resource, reason=reason))
                return False
        self._happen(Given(time_ns=self._clock.now_ns, node=node.id))
        return True

    def _collect(self) -> bool:
        """Take in what has ended; whether anything has."""
        ended = False
        now = self._clock.now_ns
        for name, arm in self._arms.items():
            reading = arm.read()
            for result in reading.results:
                ended = True
                verdict = "" if result.measured.get("ok", 1.0) else _worst(result.measured)
                self._happen(
                    Ended(
                        time_ns=now,
                        node=result.id,
                        start_ns=result.start_ns,
                        end_ns=result.end_ns,
                        verdict=verdict,
                        measured=result.measured,
                    )
                )
            if reading.status is Status.FAULT and self.state.running:
                self._happen(Faulted(time_ns=now, resource=name, reason=reading.fault))
        for cycle in self._stations.read():
            ended = True
            self._happen(
                Ended(
                    time_ns=now,
                    node=cycle.id,
                    start_ns=cycle.start_ns,
                    end_ns=cycle.end_ns,
                    verdict=cycle.verdict,
                    measured=cycle.measured,
                    tests=cycle.tests,
                )
            )
        return ended

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
