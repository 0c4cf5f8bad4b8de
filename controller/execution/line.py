"""Arms and stations of one cell at work on a plan that is renewed from wherever they are.

The plan covers the joints in work and a few more; `Line.extend` adds joints behind them while everything goes on, and
`Line.begin` plans again after a stop, from the measured poses: what was interrupted is finished along the rest of its path,
arms that stand elsewhere first go home one after the other. An arm that is left out stays where it is, in the way, and the
others finish what is in work and go on without it. Nothing here knows orders, states of the cell or files.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.driver import ArmDriver, ArmState, Clock, StationDriver, Status, StopCategory
from controller.execution.draft import Draft, Drafting, JointToMake, PlanError
from controller.execution.engine import Engine, Listener, Permit
from controller.execution.handover import handed_over
from controller.execution.state import CellState, Ended, Event
from controller.execution.takeover import Takeover
from controller.execution.work import Work, ended_since, given
from controller.motion.event_graph import EventGraph, Node
from controller.motion.plan import MotionPlanner
from controller.rearranging import Arrangements, NoArrangementError

FloatArray = NDArray[np.float64]

_EMPTY = EventGraph(nodes=(), predecessors=(), coordination=frozenset())


class Line:
    """See the module. All calls come from one thread.

    Args:
        cell: The cell.
        planner: Plans its motion.
        arrangements: What is decided for the cell, whatever the order of the joints.
        arms: Drivers by the arms' names, connected.
        stations: Driver of all stations.
        clock: Time of the cell.
        listener: Called with every event; `graph` is that of the event then.
        permit: Asked before anything is given to its driver.
    """

    def __init__(
        self,
        cell: Cell,
        planner: MotionPlanner,
        arrangements: Arrangements,
        arms: Mapping[str, ArmDriver],
        stations: StationDriver,
        clock: Clock,
        listener: Listener,
        permit: Permit = lambda node: True,
    ) -> None:
        self.cell = cell
        self.clock = clock
        self.origin_ns = clock.now_ns
        self.starts_s: FloatArray = np.zeros(0)
        self.giving = True
        self.ahead = 1
        self.plan_sha256 = ""
        self._planner = planner
        self._arms = arms
        self._listener = listener
        self._work = Work()
        self._takeover = Takeover(cell, arrangements, self._work)
        self._engine = Engine(_EMPTY, arms, stations, clock, self._listen, permit)

    # --- looking ------------------------------------------------------------------------------------------

    @property
    def indices(self) -> int:
        """The window in which the dial stands or, while it turns, stood."""
        return self._work.indices

    @property
    def graph(self) -> EventGraph:
        """The plan."""
        return self._engine.course.graph

    @property
    def state(self) -> CellState:
        """Progress of every resource in the plan."""
        return self._engine.state

    @property
    def readings(self) -> Mapping[str, ArmState]:
        """What every arm reported last."""
        return self._engine.readings

    @property
    def at_rest(self) -> bool:
        """Whether nothing moved at the last reading."""
        return self._engine.at_rest

    @property
    def idle(self) -> bool:
        """Whether everything given has ended."""
        return self._engine.idle

    @property
    def exhausted(self) -> bool:
        """Whether every node of the plan has ended."""
        return self._engine.exhausted

    @property
    def stuck(self) -> bool:
        """Whether nodes are left of which none can start: something was taken out of the plan that others wait for."""
        return self.idle and not self.exhausted and self.giving and not self._engine.startable(self.ahead)

    @property
    def faults(self) -> Mapping[str, str]:
        """Reasons of arms that have faulted, by name."""
        return {name: state.fault for name, state in self.readings.items() if state.status is Status.FAULT}

    @property
    def next_place(self) -> int:
        """The first place that a further joint can have."""
        if first := self._takeover.first_place:
            return first
        schedule = self._takeover.choice.schedule
        cycle = schedule.cycle_time
        dial = self.state.progress.get("dial")
        turning = dial is not None and dial.given > dial.ended
        place = max([joint.place + 1 for joint in self._work.joints.values()], default=0)
        place = max(place, self.indices + turning)
        for number, arm in enumerate(self.cell.arms):
            node = self._given_last(arm.id)
            if node is None or not node.operation:
                continue
            latest = node.joint * cycle + schedule[node.operation].start
            for planned in schedule.operations:
                if planned.mode.arm == number:
                    place = max(place, (latest - planned.start) // cycle + 1)
        return place

    def waits_for(self, resource: str) -> Node | None:
        """What the next thing a resource does waits for; None when it is busy or has nothing to do."""
        progress, chain = self.state.progress.get(resource), self._engine.course.chains.get(resource, ())
        if progress is None or progress.given > progress.ended or progress.given == len(chain):
            return None
        for before in self.graph.predecessors[chain[progress.given]]:
            node = self.graph.nodes[before]
            if node.resource != resource and not self._engine.course.has_ended(self.state, before):
                return node
        return None

    # --- planning -----------------------------------------------------------------------------------------

    def drafting(self) -> Drafting:
        """What plans are made from, as it is now; to be used in one thread at a time with all others of this line."""
        self._engine.look()
        if self.exhausted:
            self._takeover.settle()
        return Drafting(
            self._planner,
            self._takeover,
            self._work,
            self._engine.course,
            self.state,
            self.readings,
            self.next_place,
            self.clock.now_ns,
        )

    def adopt(self, draft: Draft) -> None:
        """Follow a plan from now on.

        Raises:
            OvertakenError: When the line has gone on otherwise meanwhile; the running plan stays. Make another one.
        """
        course, state = self._engine.course, self.state
        if draft.moment is None:
            self._engine.adopt(draft.course)
            self._work.planned(draft.where)
        else:
            handover = handed_over(course, draft.moment, state, draft.course)
            self._engine.adopt(draft.course, handover)
            since = ended_since(course, draft.moment, state)
            self._work.planned(draft.where, since, given(draft.course, self.state))
        self._takeover.planned()
        self.plan_sha256 = draft.sha256
        self.starts_s = draft.starts_s
        self.origin_ns = self.clock.now_ns if draft.moment is None else draft.time_ns

    def begin(self, joints: Sequence[JointToMake], indices: int) -> None:
        """Plan from where everything stands, and follow the plan at once; see `Drafting.begin`."""
        self.adopt(self.drafting().begin(joints, indices))

    def extend(self, joints: Sequence[JointToMake]) -> None:
        """Plan more joints, and follow the plan at once; see `Drafting.extend`."""
        self.adopt(self.drafting().extend(joints))

    # --- running ------------------------------------------------------------------------------------------

    def tick(self) -> bool:
        """One round: give what may start, let a control period pass, take in what has ended; whether anything happened."""
        return self._engine.tick(give=self.giving, ahead=self.ahead)

    def step(self) -> None:
        """Give every arm and station that waits one node more, while `giving` is off."""
        self._engine.tick(give=True, ahead=0)

    def feed(self, share: float, arm: str = "") -> None:
        """Speed of one arm, or of all, along their paths: 0 holds, 1 is as planned."""
        for name, driver in self._arms.items():
            if arm in ("", name):
                driver.feed(share)

    def halt(self, category: StopCategory, reason: str = "") -> None:
        """Bring every driver to rest on its path and void what is queued; returns at once, see `at_rest`."""
        self._engine.halt(category, reason)

    def drop(self, arm: str) -> None:
        """Leave an arm out, where it stands; takes effect with `begin`.

        Raises:
            PlanError: When the others cannot do without it.
        """
        self._rearrange(self._takeover.missing | {arm})

    def readmit(self, arm: str) -> None:
        """Count on an arm again that was left out; takes effect with `begin`."""
        self._rearrange(self._takeover.missing - {arm})

    # --- inside -------------------------------------------------------------------------------------------

    def _rearrange(self, missing: frozenset[str]) -> None:
        try:
            self._takeover.change(missing)
        except NoArrangementError as error:
            raise PlanError(str(error)) from error
        self._engine.leave_out(missing)

    def _listen(self, event: Event) -> None:
        if isinstance(event, Ended):
            self._work.note(event, self.graph.nodes[event.node])
        self._listener(event)

    def _given_last(self, arm: str) -> Node | None:
        """The node that an arm was given last in this plan."""
        progress = self.state.progress.get(arm)
        if progress is None or not progress.given:
            return None
        return self.graph.nodes[self._engine.course.chains[arm][progress.given - 1]]
