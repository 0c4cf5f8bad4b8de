"""Alarms of a cell: what holds is raised, what no longer holds returns, and every change goes into the book."""

from collections.abc import Mapping

from controller.supervision.alarms import (
    Acknowledged,
    Alarm,
    AlarmEvent,
    Alarms,
    Key,
    Raised,
    Returned,
    Shelved,
    advance,
)
from controller.supervision.book import Book
from controller.supervision.shift import AlarmChanged

_LONGEST_DETAIL = 1000


class Annunciator:
    """The alarms of one cell."""

    def __init__(self, book: Book) -> None:
        self.alarms = Alarms()
        self._book = book

    def hold(self, conditions: Mapping[Key, str], now_ns: int) -> None:
        """These conditions hold now, with what was found, and no others."""
        for key, detail in conditions.items():
            known = self.alarms.by_key.get(key)
            if known is None or not known.active:
                self._change(Raised(time_ns=now_ns, key=key, detail=detail))
        for alarm in tuple(self.alarms.by_key.values()):
            if alarm.active and alarm.key not in conditions:
                self._change(Returned(time_ns=now_ns, key=alarm.key))

    def tell(self, key: Key, detail: str, now_ns: int) -> None:
        """Something happened that holds no longer but has to be seen."""
        self._change(Raised(time_ns=now_ns, key=key, detail=detail))
        self._change(Returned(time_ns=now_ns, key=key))

    def acknowledge(self, key: Key, by: str, now_ns: int) -> None:
        """Somebody has seen it.

        Raises:
            AlarmError: When there is no such alarm.
        """
        self._change(Acknowledged(time_ns=now_ns, key=key, by=by), by)

    def shelve(self, key: Key, by: str, now_ns: int, until_ns: int) -> None:
        """Somebody hides it for a time.

        Raises:
            AlarmError: When there is no such alarm or it must not be hidden (that long).
        """
        self._change(Shelved(time_ns=now_ns, key=key, by=by, until_ns=until_ns), by)

    def active(self, kind: str) -> tuple[Alarm, ...]:
        """Active alarms of a kind."""
        return tuple(
            alarm for alarm in self.alarms.by_key.values() if alarm.key.kind == kind and alarm.active
        )

    def _change(self, event: AlarmEvent, by: str = "") -> None:
        self.alarms = advance(self.alarms, event)
        self._book.note(
            AlarmChanged(
                what=type(event).__name__.lower(),  # type: ignore[arg-type]
                alarm=event.key.kind,
                source=event.key.source,
                detail=event.detail[:_LONGEST_DETAIL] if isinstance(event, Raised) else "",
                by=by,
            )
        )
