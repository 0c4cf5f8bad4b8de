"""What is shown: a table of variables, each with its path, its type and where its value stands in the panel's picture."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from asyncua.ua import VariantType

from controller.supervision.packml import Mode, State

Picture = dict[str, Any]  # the value of a snapshot on the live stream

_TEXT, _REAL, _WHOLE, _YES = VariantType.String, VariantType.Double, VariantType.Int32, VariantType.Boolean


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the address space.

    Attributes:
        path: Where it stands below the cell, parts separated by slashes.
        kind: Its OPC UA type.
        value: Reads it from a picture; None when there is nothing to say yet.
        array: Whether it has several values of that type.
    """

    path: str
    kind: VariantType
    value: Callable[[Picture], Any]
    array: bool = False


def variables_of(picture: Picture) -> tuple[Variable, ...]:
    """The variables of a cell with the arms of this picture."""
    return (*_cell(), *_figures(), *_alarms(), *_arms(picture))


def _cell() -> Iterator[Variable]:
    now = _moment
    yield Variable(path="Name", kind=_TEXT, value=lambda picture: picture["cell"])
    yield Variable(path="Driver", kind=_TEXT, value=lambda picture: picture["driver"])
    yield Variable(path="Simulated", kind=_YES, value=lambda picture: picture["simulated"])
    yield Variable(path="Status/CurrentState", kind=_TEXT, value=now("state"))
    yield Variable(
        path="Status/CurrentStateNumber", kind=_WHOLE, value=lambda p: State[p["moment"]["state"]].value
    )
    yield Variable(path="Status/UnitMode", kind=_TEXT, value=now("mode"))
    yield Variable(path="Status/UnitModeNumber", kind=_WHOLE, value=lambda p: Mode[p["moment"]["mode"]].value)
    yield Variable(path="Status/CommandsAllowed", kind=_TEXT, value=now("allowed"), array=True)
    yield Variable(path="Status/Since_s", kind=_REAL, value=now("since_s"))
    yield Variable(path="Status/Cause", kind=_TEXT, value=now("cause"))
    yield Variable(path="Status/By", kind=_TEXT, value=now("by"))
    yield Variable(path="Status/InControl", kind=_TEXT, value=lambda picture: picture["panel"]["control"])
    yield Variable(path="Status/DataAge_s", kind=_REAL, value=now("age_s"))


def _figures() -> Iterator[Variable]:
    for path, kind, name in (
        ("TargetCycleTime_s", _REAL, "target_s"),
        ("PlannedCycleTime_s", _REAL, "planned_cycle_s"),
        ("LowerBoundCycleTime_s", _REAL, "lower_bound_s"),
        ("CycleTimeP50_s", _REAL, "p50_s"),
        ("CycleTimeP95_s", _REAL, "p95_s"),
        ("GoodCount", _WHOLE, "good"),
        ("RejectCount", _WHOLE, "rejected"),
        ("Oee", _REAL, "oee"),
        ("Availability", _REAL, "availability"),
        ("Performance", _REAL, "performance"),
        ("Quality", _REAL, "quality"),
    ):
        yield Variable(path=f"Figures/{path}", kind=kind, value=_part("figures", name))
    yield Variable(path="Figures/SinceLastJoint_s", kind=_REAL, value=_moment("since_last_s"))
    yield Variable(path="Figures/LastCycleTime_s", kind=_REAL, value=lambda p: _last_cycle(p).get("cycle_s"))
    yield Variable(path="Figures/LastJoint", kind=_TEXT, value=lambda p: _last_cycle(p).get("serial"))
    yield Variable(path="Figures/TrayCount", kind=_WHOLE, value=_part("supplies", "tray"))
    yield Variable(
        path="Figures/Orders",
        kind=_TEXT,
        value=lambda picture: [order["order"] for order in picture["parts"]["orders"]],
        array=True,
    )


def _alarms() -> Iterator[Variable]:
    def alarms(picture: Picture) -> list[dict[str, Any]]:
        return list(picture["parts"]["alarms"]["alarms"])

    yield Variable(
        path="Alarms/ActiveCount",
        kind=_WHOLE,
        value=lambda picture: sum(alarm["active"] for alarm in alarms(picture)),
    )
    yield Variable(
        path="Alarms/UnacknowledgedCount",
        kind=_WHOLE,
        value=lambda picture: sum(not alarm["acknowledged"] for alarm in alarms(picture)),
    )
    yield Variable(
        path="Alarms/HighestPriority",  # 1 is the highest, 0 says that there is no alarm
        kind=_WHOLE,
        value=lambda picture: min((alarm["priority"] for alarm in alarms(picture)), default=0),
    )
    yield Variable(
        path="Alarms/Texts",
        kind=_TEXT,
        value=lambda picture: [
            f"{alarm['source']}: {alarm['text']} {alarm['detail']}".rstrip() for alarm in alarms(picture)
        ],
        array=True,
    )
    yield Variable(
        path="Alarms/Questions",
        kind=_TEXT,
        value=lambda picture: [
            f"{question['serial']}, {question['operation']}: {question['text']}"
            for question in picture["parts"]["alarms"]["questions"]
        ],
        array=True,
    )


def _arms(picture: Picture) -> Iterator[Variable]:
    for index, arm in enumerate(picture["moment"]["arms"]):
        for path, kind, name in (
            ("Status", _TEXT, "status"),
            ("Fault", _TEXT, "fault"),
            ("Operation", _TEXT, "operation"),
            ("Joint", _TEXT, "serial"),
            ("Leg", _TEXT, "leg"),
            ("Progress", _REAL, "progress"),
            ("WaitsFor", _TEXT, "waits_for"),
            ("Account", _TEXT, "account"),
            ("Holds", _TEXT, "holds"),
            ("SpeedShare", _REAL, "feed"),
            ("Late_s", _REAL, "late_s"),
        ):
            yield Variable(path=f"Arms/{arm['id']}/{path}", kind=kind, value=_of_arm(index, name))
        yield Variable(
            path=f"Arms/{arm['id']}/ActualPosition_rad",
            kind=_REAL,
            value=_of_arm(index, "q_rad"),
            array=True,
        )


def _moment(name: str) -> Callable[[Picture], Any]:
    return lambda picture: picture["moment"][name]


def _part(part: str, name: str) -> Callable[[Picture], Any]:
    return lambda picture: picture["parts"][part][name]


def _of_arm(index: int, name: str) -> Callable[[Picture], Any]:
    return lambda picture: picture["moment"]["arms"][index][name]


def _last_cycle(picture: Picture) -> dict[str, Any]:
    cycles = picture["parts"]["cycles"]
    return dict(cycles[-1]) if cycles else {}
