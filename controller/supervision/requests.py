"""What may be asked of a running cell, by whom, and the answer. The panel, the command line and OPC UA ask nothing else.

All of these are process commands, never a safety function. A request is decided on in the cell's own loop, in the order of
arrival; stop and abort go before everything that waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from controller.supervision.alarms import Key
from controller.supervision.packml import Command, Mode

EVERY_ARM = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCommand:
    """A PackML command."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode:
    """A PackML mode."""

    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOrder:
    """Joints to make, by model; of several orders the lower priority number, then the earlier due date goes first."""

    order: str
    lines: Mapping[str, int]
    priority: int = 5
    due: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawOrder:
    """Make no more joints for an order; those in work are finished."""

    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlarm:
    """Somebody has seen an alarm."""

    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelveAlarm:
    """Hide an alarm for a time; 0 takes it off the shelf."""

    key: Key
    for_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPlace:
    """Somebody looked at what the cell cannot know: the operation is done, not done, or the joint was taken out."""

    serial: str
    operation: str
    found: Literal["done", "not_done", "scrap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFeed:
    """Speed override of one arm, or of every arm (`EVERY_ARM`): from 0.01 to 1."""

    share: float
    arm: str = EVERY_ARM


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSingleStep:
    """Whether every arm waits at the end of each leg until `Step`."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Let every arm do one more leg in single-step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jog:
    """Hold-to-run: turn one joint of one arm slowly for as long as these keep coming (in maintenance mode only).

    ``share`` is of the joint's greatest speed, at most 0.1, negative the other way round; 0 stops at once.
    """

    arm: str
    joint: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOut:
    """Go on without an arm: the others take over its work. Power and tool of the arm are somebody's own business.

    Deciding may take some seconds: the work of the others is arranged anew.
    """

    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """Count on an arm again that was taken out."""

    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFeeder:
    """Somebody filled a feeder: it holds so many parts of this batch now, which are counted from here on."""

    feeder: str
    batch: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyTray:
    """Somebody took everything out of the out tray."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapJoint:
    """Somebody took a joint with all its parts out of the cell: it counts as rejected, and is made again for its order."""

    serial: str


Request = (
    GiveCommand
    | SetMode
    | QueueOrder
    | WithdrawOrder
    | AcknowledgeAlarm
    | ShelveAlarm
    | ConfirmPlace
    | SetFeed
    | SetSingleStep
    | Step
    | Jog
    | TakeOut
    | PutBack
    | LoadFeeder
    | EmptyTray
    | ScrapJoint
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request.

    Attributes:
        accepted: Whether the cell acts on it.
        reason: Why not, with what is allowed; empty when accepted.
        allowed: Commands that would be accepted now.
    """

    accepted: bool
    reason: str = ""
    allowed: tuple[Command, ...] = ()
