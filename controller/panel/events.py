"""What happened, numbered: found by comparing one picture with the next, and told to every stream without a gap.

The journal of the cell keeps everything; these are for eyes. What came and went between two pictures is only there.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from typing_extensions import TypedDict

from controller.panel.picture import cycle_picture
from controller.supervision.view import CellView

KEPT = 1000

Kind = Literal["state", "alarm", "alarm_gone", "cycle", "order", "fault", "command", "control"]


class Event(TypedDict):
    """One thing that happened."""

    seq: int
    utc_ms: int
    kind: Kind
    text: str
    facts: dict[str, Any]


class EventLog:
    """The last thousand events; ``told``, and ``also`` where somebody records them, are called with each new one."""

    def __init__(self, told: Callable[[Event], None]) -> None:
        self._told = told
        self.also: Callable[[Event], None] | None = None
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self.seq = 0

    def tell(self, kind: Kind, utc_ms: int, text: str, facts: Mapping[str, Any]) -> None:
        """Number an event and tell it."""
        self.seq += 1
        event = Event(seq=self.seq, utc_ms=utc_ms, kind=kind, text=text, facts=dict(facts))
        self._kept.append(event)
        self._told(event)
        if self.also is not None:
            self.also(event)

    def after(self, seq: int) -> list[Event]:
        """The events after a number that are still kept."""
        return [event for event in self._kept if event["seq"] > seq]

    @property
    def oldest(self) -> int:
        """The number of the oldest event kept; 0 when there is none."""
        return self._kept[0]["seq"] if self._kept else 0

    def compare(self, before: CellView, after: CellView) -> None:
        """Tell what is new in a picture."""
        for kind, text, facts in _changes(before, after):
            self.tell(kind, after.utc_ns // 1_000_000, text, facts)


def _changes(before: CellView, after: CellView) -> Iterator[tuple[Kind, str, dict[str, Any]]]:
    if before.state != after.state or before.mode != after.mode:
        yield (
            "state",
            f"{after.state.name}, mode {after.mode.name}",
            {
                "state": after.state.name,
                "mode": after.mode.name,
                "before": before.state.name,
                "cause": after.cause,
                "by": after.by,
            },
        )
    if before.alarms is not after.alarms:
        known = {(alarm.key, alarm.active) for alarm in before.alarms}
        now = {alarm.key for alarm in after.alarms}
        for alarm in after.alarms:
            if alarm.active and (alarm.key, True) not in known:
                facts = {
                    "kind": alarm.key.kind,
                    "source": alarm.key.source,
                    "priority": alarm.kind.priority,
                    "detail": alarm.detail,
                }
                yield "alarm", f"{alarm.key.source}: {alarm.kind.text}", facts
        for alarm in before.alarms:
            if alarm.key not in now:
                yield (
                    "alarm_gone",
                    f"{alarm.key.source}: {alarm.kind.text}",
                    {"kind": alarm.key.kind, "source": alarm.key.source},
                )
    if before.cycles is not after.cycles:
        known_cycles = {(cycle.serial, cycle.left_ns) for cycle in before.cycles}
        for cycle in after.cycles:
            if (cycle.serial, cycle.left_ns) not in known_cycles:
                picture = cycle_picture(cycle)
                yield "cycle", f"{cycle.serial} left{'' if cycle.good else ', rejected'}", dict(picture)
    if before.orders is not after.orders:
        names = {order.order for order in before.orders}
        for order in after.orders:
            if order.order not in names:
                yield "order", f"order {order.order} queued", {"order": order.order}
    for old, new in zip(before.arms, after.arms, strict=False):
        if new.fault and new.fault != old.fault:
            yield "fault", f"{new.id}: {new.fault}", {"arm": new.id, "fault": new.fault}
