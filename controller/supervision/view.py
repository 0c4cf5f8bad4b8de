"""What a running cell shows: one immutable picture, made anew in every round of the cell's loop.

Panel, command line, metrics and OPC UA read this and nothing else. Times are nanoseconds of the cell's clock unless they
say UTC; everything is in the cell's world frame, in metres and radians.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from controller.supervision.accounts import Entry
from controller.supervision.alarms import Alarm
from controller.supervision.oee import Effectiveness
from controller.supervision.packml import Command, Mode, State
from controller.supervision.requests import Answer, Request

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmView:
    """One arm.

    Attributes:
        id: Name in the cell.
        model: What arm it is.
        status: Of its driver, in words (`cells.driver.Status`).
        fault: Why it does not go on; empty when it does.
        q: (6,) measured joints [rad].
        points: (8, 3) base, the origins of its six links and the tool centre point in the world [m].
        operation: What it does, with serial and leg; empty when it waits.
        serial: The joint it works on.
        leg: The leg under way.
        progress: Share of the leg's planned time that is over, 0 to 1.
        waits_for: In words, e.g. "R2 to leave nest 4"; empty when it does not wait.
        account: What its time goes to at present.
        feed: Share of the planned speed.
        late_s: How much later than planned the leg under way began [s].
        holds: Name of the part in the hand; empty without.
        link: Figures of a serial link by name (round trip, errors, ...); empty where there is none.
        times_s: Where its time went since the journal began, by account and whom it waited for [s].
    """

    id: str
    model: str
    status: str
    fault: str = ""
    q: FloatArray
    points: FloatArray
    operation: str = ""
    serial: str = ""
    leg: str = ""
    progress: float = 0.0
    waits_for: str = ""
    account: Entry
    feed: float = 1.0
    late_s: float = 0.0
    holds: str = ""
    link: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    times_s: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """A station: which joint it works for, which arm is at it (empty: nobody)."""

    id: str
    x_m: float
    y_m: float
    z_m: float
    serial: str = ""
    busy: bool = False
    occupied_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order and what was made of it."""

    order: str
    lines: Mapping[str, int]
    priority: int
    due: str
    entered: Mapping[str, int]
    good: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleView:
    """A joint that has left: when, and how long after the one before it."""

    serial: str
    model: str
    left_ns: int
    left_utc_ns: int
    cycle_s: float | None
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A node of the plan on its resource's line; ``began_ns`` and ``ended_ns`` are None until it has."""

    resource: str
    label: str
    operation: str
    serial: str
    planned_ns: int
    planned_end_ns: int
    began_ns: int | None = None
    ended_ns: int | None = None
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an operator has to look at before anything may move (`ConfirmPlace`)."""

    serial: str
    operation: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """The whole picture.

    Attributes:
        number: Rises with every picture.
        cell: Name of the cell.
        simulated: False when real arms move.
        time_ns: The cell's clock.
        utc_ns: Time of day.
        state: PackML state; ``cause`` and ``by`` say how it came to be, ``since_ns`` when.
        mode: PackML mode.
        allowed: Commands that fit the state.
        obstacles: Those of them that would be refused all the same, with the reason and what helps.
        arms: In the order of the cell.
        stations: All stations and nests.
        alarms: What asks for an operator, first things first; their consequences in ``consequences``.
        questions: What has to be confirmed.
        orders: In the order in which they are worked on.
        cycles: The last 96 joints, the last one last.
        target_s: Cycle time to reach; ``planned_cycle_s`` what the plan yields, ``lower_bound_s`` what is proven.
        since_last_s: Time in which the cell ran since the last joint left, or since the controller began; it stands while
            the cell does.
        oee: Figures of the shift.
        good: Good joints since the journal began; ``rejected`` likewise.
        plan_number: Rises when `bars` was planned anew.
        bars: Nodes of the plan from a minute ago on.
        health: Reasons why the controller is not well; empty when it is.
        feeders: Batch and parts left of every feeder that is counted.
        tray: Joints in the out tray.
        preparing: What is being found out about the cell, its plan above all; empty when all is known.
    """

    number: int
    cell: str
    simulated: bool
    driver: str
    time_ns: int
    utc_ns: int
    state: State
    mode: Mode
    since_ns: int
    cause: str
    by: str
    allowed: tuple[Command, ...]
    single_step: bool
    arms: tuple[ArmView, ...]
    stations: tuple[StationView, ...]
    dial_rad: float
    alarms: tuple[Alarm, ...]
    consequences: int
    questions: tuple[Question, ...]
    orders: tuple[OrderView, ...]
    cycles: tuple[CycleView, ...]
    target_s: float
    planned_cycle_s: float
    lower_bound_s: float
    since_last_s: float
    oee: Effectiveness | None
    good: int
    rejected: int
    plan_number: int
    bars: tuple[Bar, ...]
    health: tuple[str, ...]
    feeders: Mapping[str, tuple[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    tray: int = 0
    preparing: str = ""
    obstacles: Mapping[Command, str] = field(default_factory=lambda: MappingProxyType({}))


class CellService(Protocol):
    """A cell that runs in a thread of its own; may be called from any thread."""

    @property
    def view(self) -> CellView:
        """The newest picture; never blocks."""
        ...

    def ask(self, request: Request, by: str, timeout_s: float = 2.0) -> Answer:
        """Ask for something and wait until the cell has decided.

        Raises:
            TimeoutError: When the cell has not decided in time; it may still act on the request.
        """
        ...
