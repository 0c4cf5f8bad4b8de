"""The cell's picture as JSON: what moves, which is sent at every tick, and parts that change seldom.

Units are in the names; moments are UTC in milliseconds since 1970, so that a browser can show them.
"""

from datetime import UTC, datetime
from typing import Any

from typing_extensions import TypedDict

from controller.panel.spans import Span, spans_of
from controller.supervision.alarms import Alarm
from controller.supervision.view import ArmView, CellView, CycleView, StationView

_MS = 1_000_000


class ArmPicture(TypedDict):
    """An arm now; ``points_mm`` are base, six links and tool, x y z one after another."""

    id: str
    status: str
    fault: str
    q_rad: list[float]
    points_mm: list[int]
    operation: str
    serial: str
    leg: str
    progress: float
    waits_for: str
    account: str
    feed: float
    late_s: float
    holds: str
    link: dict[str, float]


class StationPicture(TypedDict):
    """A station now."""

    id: str
    x_mm: int
    y_mm: int
    z_mm: int
    serial: str
    busy: bool
    occupied_by: str


class Moment(TypedDict):
    """What moves or may change at any time."""

    number: int
    utc_ms: int
    age_s: float
    state: str
    mode: str
    since_s: float
    cause: str
    by: str
    allowed: list[str]
    obstacles: dict[str, str]
    single_step: bool
    preparing: str
    since_last_s: float
    dial_rad: float
    arms: list[ArmPicture]
    stations: list[StationPicture]


class AlarmPicture(TypedDict):
    """An alarm that asks for an operator."""

    kind: str
    source: str
    priority: int
    text: str
    remedy: str
    detail: str
    raised_utc_ms: int
    times: int
    active: bool
    acknowledged: bool
    first_out: bool


class QuestionPicture(TypedDict):
    """What somebody has to look at."""

    serial: str
    operation: str
    text: str


class AlarmsPart(TypedDict):
    """Alarms, how many consequences lie under them, and questions."""

    alarms: list[AlarmPicture]
    consequences: int
    questions: list[QuestionPicture]


class OrderPicture(TypedDict):
    """An order and what was made of it."""

    order: str
    lines: dict[str, int]
    entered: dict[str, int]
    priority: int
    due: str
    good: int
    rejected: int


class CyclePicture(TypedDict):
    """A joint that has left."""

    serial: str
    model: str
    left_utc_ms: int
    cycle_s: float | None
    good: bool


class FiguresPart(TypedDict):
    """Figures of the shift; shares from 0 to 1, None before there is anything to share."""

    target_s: float
    planned_cycle_s: float
    lower_bound_s: float
    p50_s: float | None
    p95_s: float | None
    good: int
    rejected: int
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None
    yearly_capacity: int | None
    health: list[str]


class PlanPart(TypedDict):
    """Operations of the plan round now; times are seconds from ``at_utc_ms``, negative before."""

    number: int
    at_utc_ms: int
    drift_s: float
    spans: list[Span]


class FeederPicture(TypedDict):
    """A feeder whose parts are counted."""

    feeder: str
    batch: str
    left: int


class SuppliesPart(TypedDict):
    """What the cell takes from outside and gives to it."""

    feeders: list[FeederPicture]
    tray: int


class Parts(TypedDict):
    """What changes seldom, each sent when it has."""

    alarms: AlarmsPart
    orders: list[OrderPicture]
    cycles: list[CyclePicture]
    figures: FiguresPart
    plan: PlanPart
    supplies: SuppliesPart


class Snapshot(TypedDict):
    """Everything at once."""

    cell: str
    simulated: bool
    driver: str
    moment: Moment
    parts: Parts


def snapshot(view: CellView, age_s: float) -> Snapshot:
    """The whole picture."""
    return Snapshot(
        cell=view.cell,
        simulated=view.simulated,
        driver=view.driver,
        moment=moment(view, age_s),
        parts=Parts(
            alarms=alarms_part(view),
            orders=orders_part(view),
            cycles=[cycle_picture(cycle) for cycle in view.cycles],
            figures=figures_part(view),
            plan=plan_part(view),
            supplies=supplies_part(view),
        ),
    )


def moment(view: CellView, age_s: float) -> Moment:
    """What is sent at every tick.

    Args:
        view: The newest picture.
        age_s: How long it has been the newest: the cell makes a new one in every round.
    """
    return Moment(
        number=view.number,
        utc_ms=view.utc_ns // _MS,
        age_s=round(age_s, 3),
        state=view.state.name,
        mode=view.mode.name,
        since_s=round((view.time_ns - view.since_ns) * 1e-9, 1),
        cause=view.cause,
        by=view.by,
        allowed=[command.name.lower() for command in view.allowed],
        obstacles={command.name.lower(): reason for command, reason in view.obstacles.items()},
        single_step=view.single_step,
        preparing=view.preparing,
        since_last_s=round(view.since_last_s, 2),
        dial_rad=round(view.dial_rad, 4),
        arms=[_arm(arm) for arm in view.arms],
        stations=[_station(station) for station in view.stations],
    )


def alarms_part(view: CellView) -> AlarmsPart:
    """Alarms in the order in which they ask."""
    return AlarmsPart(
        alarms=[_alarm(alarm, view) for alarm in view.alarms],
        consequences=view.consequences,
        questions=[
            QuestionPicture(serial=question.serial, operation=question.operation, text=question.text)
            for question in view.questions
        ],
    )


def orders_part(view: CellView) -> list[OrderPicture]:
    """Orders as they are worked on."""
    return [
        OrderPicture(
            order=order.order,
            lines=dict(order.lines),
            entered=dict(order.entered),
            priority=order.priority,
            due=order.due,
            good=order.good,
            rejected=order.rejected,
        )
        for order in view.orders
    ]


def cycle_picture(cycle: CycleView) -> CyclePicture:
    """A joint that has left."""
    return CyclePicture(
        serial=cycle.serial,
        model=cycle.model,
        left_utc_ms=cycle.left_utc_ns // _MS,
        cycle_s=None if cycle.cycle_s is None else round(cycle.cycle_s, 3),
        good=cycle.good,
    )


def figures_part(view: CellView) -> FiguresPart:
    """Figures of the shift, cycle times of the last cycles."""
    times = sorted(cycle.cycle_s for cycle in view.cycles if cycle.cycle_s is not None)
    oee = view.oee if view.oee is not None and view.oee.produced else None
    return FiguresPart(
        target_s=view.target_s,
        planned_cycle_s=round(view.planned_cycle_s, 3),
        lower_bound_s=round(view.lower_bound_s, 3),
        p50_s=_quantile(times, 0.50),
        p95_s=_quantile(times, 0.95),
        good=view.good,
        rejected=view.rejected,
        availability=None if oee is None else round(oee.availability, 4),
        performance=None if oee is None else round(oee.performance, 4),
        quality=None if oee is None else round(oee.quality, 4),
        oee=None if oee is None else round(oee.oee, 4),
        yearly_capacity=None if oee is None else oee.yearly_capacity,
        health=list(view.health),
    )


def plan_part(view: CellView) -> PlanPart:
    """Operations round now, seen from now."""
    spans, drift_s = spans_of(view.bars, view.time_ns)
    return PlanPart(
        number=view.plan_number, at_utc_ms=view.utc_ns // _MS, drift_s=round(drift_s, 2), spans=spans
    )


def supplies_part(view: CellView) -> SuppliesPart:
    """Feeders that are counted and the out tray."""
    return SuppliesPart(
        feeders=[
            FeederPicture(feeder=feeder, batch=batch, left=left)
            for feeder, (batch, left) in sorted(view.feeders.items())
        ],
        tray=view.tray,
    )


def utc_text(utc_ns: int) -> str:
    """A moment as ISO 8601."""
    return (
        datetime.fromtimestamp(utc_ns * 1e-9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _arm(arm: ArmView) -> ArmPicture:
    return ArmPicture(
        id=arm.id,
        status=arm.status,
        fault=arm.fault,
        q_rad=[round(float(angle), 4) for angle in arm.q],
        points_mm=[round(1000 * value) for value in arm.points.ravel().tolist()],
        operation=arm.operation,
        serial=arm.serial,
        leg=arm.leg,
        progress=round(arm.progress, 3),
        waits_for=arm.waits_for,
        account=arm.account.account.value,
        feed=round(arm.feed, 3),
        late_s=round(arm.late_s, 2),
        holds=arm.holds,
        link={name: float(value) for name, value in arm.link.items()},
    )


def _station(station: StationView) -> StationPicture:
    return StationPicture(
        id=station.id,
        x_mm=round(1000 * station.x_m),
        y_mm=round(1000 * station.y_m),
        z_mm=round(1000 * station.z_m),
        serial=station.serial,
        busy=station.busy,
        occupied_by=station.occupied_by,
    )


def _alarm(alarm: Alarm, view: CellView) -> AlarmPicture:
    return AlarmPicture(
        kind=alarm.key.kind,
        source=alarm.key.source,
        priority=alarm.kind.priority,
        text=alarm.kind.text,
        remedy=alarm.kind.remedy,
        detail=alarm.detail,
        raised_utc_ms=(view.utc_ns - view.time_ns + alarm.raised_ns) // _MS,
        times=alarm.times,
        active=alarm.active,
        acknowledged=alarm.acknowledged,
        first_out=alarm.first_out,
    )


def _quantile(rising: list[float], share: float) -> float | None:
    """The least value that so large a share of the values does not exceed."""
    if not rising:
        return None
    return round(rising[min(len(rising) - 1, max(0, -(-int(share * 1000) * len(rising) // 1000) - 1))], 3)


def plain(value: Any) -> Any:
    """A value that JSON can carry: no infinity, no NaN."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value
