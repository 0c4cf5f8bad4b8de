"""What a journal holds: everything that happens to orders, joints, the dial and the cell."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(max_length=1000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Frozen(BaseModel):
    """Strict, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class OrderQueued(Frozen):
    """Somebody ordered joints; of several orders the lower priority number, then the earlier due date goes first."""

    kind: Literal["order_queued"] = "order_queued"
    order: Name
    lines: Mapping[Name, Count]
    priority: Annotated[int, Field(ge=1, le=9)] = 5
    due: Words = ""
    by: Name


class OrderWithdrawn(Frozen):
    """Somebody wants no more joints of an order; those in work are finished."""

    kind: Literal["order_withdrawn"] = "order_withdrawn"
    order: Name
    by: Name


class FeederLoaded(Frozen):
    """Somebody filled a feeder: what it held before is gone, it holds so many parts of this batch now."""

    kind: Literal["feeder_loaded"] = "feeder_loaded"
    feeder: Name
    batch: Name
    count: Count
    by: Name


class TrayEmptied(Frozen):
    """Somebody took everything out of the out tray."""

    kind: Literal["tray_emptied"] = "tray_emptied"
    by: Name


class JointEntered(Frozen):
    """A joint was begun for an order; the dial stands in window ``place`` when the joint is at its position 0."""

    kind: Literal["joint_entered"] = "joint_entered"
    serial: Name
    model: Name
    order: Name
    place: int


class OperationBegun(Frozen):
    """An operation may have touched the joint from now on. Written before anything moves.

    ``feeder`` and ``batch`` say where its part comes from; both are empty when it takes none.
    """

    kind: Literal["operation_begun"] = "operation_begun"
    serial: Name
    operation: Name
    resource: Name
    feeder: Words = ""
    batch: Words = ""


class OperationEnded(Frozen):
    """An operation is complete; ``verdict`` is empty when it went well."""

    kind: Literal["operation_ended"] = "operation_ended"
    serial: Name
    operation: Name
    verdict: Words = ""
    measured: Mapping[Name, float | None] = Field(default_factory=dict)


class DialBegun(Frozen):
    """The dial may be anywhere between two positions from now on. Written before it moves."""

    kind: Literal["dial_begun"] = "dial_begun"


class DialIndexed(Frozen):
    """The dial has moved every nest on by one position."""

    kind: Literal["dial_indexed"] = "dial_indexed"


class JointLeft(Frozen):
    """A joint has left the cell, good or with the reason of its rejection."""

    kind: Literal["joint_left"] = "joint_left"
    serial: Name
    reject: Words = ""


class Restarted(Frozen):
    """The controller began anew: what was under way is not known any more."""

    kind: Literal["restarted"] = "restarted"
    software: Name


class Doubted(Frozen):
    """A resource failed or was taken out: whether what it had begun was completed is not known."""

    kind: Literal["doubted"] = "doubted"
    resource: Name
    cause: Words


class Confirmed(Frozen):
    """Somebody looked: the operation is done, was not begun, or the joint was taken out as scrap.

    Of the `DIAL`, whose one operation is `INDEX`: whether it has turned.
    """

    kind: Literal["confirmed"] = "confirmed"
    serial: Name
    operation: Name
    found: Literal["done", "not_done", "scrap"]
    by: Name


class PlanAdopted(Frozen):
    """From now on the cell runs this plan."""

    kind: Literal["plan_adopted"] = "plan_adopted"
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    software: Name


class UnitChanged(Frozen):
    """The cell changed its PackML state or mode."""

    kind: Literal["unit_changed"] = "unit_changed"
    state: Annotated[int, Field(ge=1, le=17)]
    mode: Annotated[int, Field(ge=1, le=3)]
    cause: Words
    by: Name


class AlarmChanged(Frozen):
    """An alarm was raised, returned, acknowledged or shelved."""

    kind: Literal["alarm_changed"] = "alarm_changed"
    what: Literal["raised", "returned", "acknowledged", "shelved"]
    alarm: Name
    source: Name
    detail: Words = ""
    by: Words = ""


class TimesBooked(Frozen):
    """Time of the cell and of every arm by account since the last booking [ns]."""

    kind: Literal["times_booked"] = "times_booked"
    accounts_ns: Mapping[Name, Mapping[Name, Annotated[int, Field(ge=0)]]]
