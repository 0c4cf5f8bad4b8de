"""Alarms and their life (ISA-18.2): raised, acknowledged, returned to normal, shelved. Pure.

One alarm is one kind at one source, however often it is raised. An alarm whose cause is an alarm already (a lost
arm makes everything late) is kept under it and asks for nothing by itself, so that a storm shows as its cause. The
first alarm since all was well is marked: first out.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

LONGEST_SHELF_NS = 8 * 3600 * 10**9
_FILE = Path(__file__).with_name("alarms.toml")
_NEVER_SHELVED = 1  # priority


class AlarmError(Exception):
    """Something that cannot be done to an alarm; says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmKind:
    """What an alarm says: priority 1 (at once) to 4 (diagnostic), text, remedy, kinds of which it is a consequence."""

    name: str
    priority: int
    text: str
    remedy: str
    consequence_of: frozenset[str] = frozenset()


@cache
def alarm_kinds() -> Mapping[str, AlarmKind]:
    """All kinds by name."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            name: AlarmKind(
                name=name,
                priority=entry["priority"],
                text=entry["text"],
                remedy=entry["remedy"],
                consequence_of=frozenset(entry.get("consequence_of", ())),
            )
            for name, entry in entries.items()
        }
    )


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which alarm: the name of its kind and of its source (an arm, a station, `cell`)."""

    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm that is not normal.

    Attributes:
        key: Kind and source.
        detail: What was found, in words.
        raised_ns: When it was raised first in this life.
        times: How often it was raised in this life.
        active: Its condition still holds.
        acknowledged: Someone has seen it.
        shelved_until_ns: Hidden until then; 0 when not shelved.
        first_out: Nothing else was active when it came.
        under: The alarm whose consequence it is.
    """

    key: Key
    detail: str
    raised_ns: int
    times: int = 1
    active: bool = True
    acknowledged: bool = False
    shelved_until_ns: int = 0
    first_out: bool = False
    under: Key | None = None

    @property
    def kind(self) -> AlarmKind:
        """Priority, text and remedy."""
        return alarm_kinds()[self.key.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The condition of an alarm has come true."""

    time_ns: int
    key: Key
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The condition no longer holds."""

    time_ns: int
    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Someone has seen it; what lies under it counts as seen too."""

    time_ns: int
    key: Key
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """Someone hides it for a time; ``until_ns`` not after ``time_ns`` takes it off the shelf."""

    time_ns: int
    key: Key
    by: str
    until_ns: int


AlarmEvent = Raised | Returned | Acknowledged | Shelved


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """All alarms that are not normal, by key."""

    by_key: Mapping[Key, Alarm] = field(default_factory=lambda: MappingProxyType({}))

    def shown(self, now_ns: int) -> tuple[Alarm, ...]:
        """What asks for an operator: not under another and not shelved; unacknowledged first, then by priority and age."""
        asking = [a for a in self.by_key.values() if a.under is None and a.shelved_until_ns <= now_ns]
        return tuple(sorted(asking, key=lambda a: (a.acknowledged, a.kind.priority, a.raised_ns, a.key)))

    def under(self, key: Key) -> tuple[Alarm, ...]:
        """Its consequences, oldest first."""
        found = [alarm for alarm in self.by_key.values() if alarm.under == key]
        return tuple(sorted(found, key=lambda alarm: (alarm.raised_ns, alarm.key)))


def advance(alarms: Alarms, event: AlarmEvent) -> Alarms:
    """The alarms after an event.

    Raises:
        AlarmError: When the kind is unknown, the alarm is not there, or must not be shelved (that long).
    """
    if event.key.kind not in alarm_kinds():
        raise AlarmError(f"alarm kind {event.key.kind!r} (allowed: {', '.join(alarm_kinds())})")
    if isinstance(event, Raised):
        return _raised(alarms, event)
    alarm = alarms.by_key.get(event.key)
    if alarm is None:
        if isinstance(event, Returned):
            return alarms
        raise AlarmError(
            f"alarm {event.key.kind} of {event.key.source} is not there, so nobody can act on it"
        )
    if isinstance(event, Returned):
        freed = _without_cause(alarms, event.key)
        return _with(freed, replace(alarm, active=False))
    if isinstance(event, Acknowledged):
        for seen in (alarm, *alarms.under(event.key)):
            alarms = _with(alarms, replace(seen, acknowledged=True))
        return alarms
    if alarm.kind.priority <= _NEVER_SHELVED:
        raise AlarmError(
            f"alarm {alarm.key.kind} has priority {alarm.kind.priority} and cannot be shelved (allowed: 2 to 4)"
        )
    if event.until_ns - event.time_ns > LONGEST_SHELF_NS:
        raise AlarmError(
            f"shelved for {(event.until_ns - event.time_ns) / 3.6e12:.1f} h (allowed: at most 8 h)"
        )
    return _with(alarms, replace(alarm, shelved_until_ns=event.until_ns))


def _raised(alarms: Alarms, event: Raised) -> Alarms:
    known = alarms.by_key.get(event.key)
    if known is not None and known.active:
        return _with(alarms, replace(known, times=known.times + 1, detail=event.detail or known.detail))
    active = [alarm for alarm in alarms.by_key.values() if alarm.active]
    causes = [
        a for a in active if a.key.kind in alarm_kinds()[event.key.kind].consequence_of and a.under is None
    ]
    alarm = Alarm(
        key=event.key,
        detail=event.detail,
        raised_ns=event.time_ns,
        times=known.times + 1 if known else 1,  # it came back before anyone had seen it
        shelved_until_ns=known.shelved_until_ns if known else 0,
        first_out=not active,
        under=min(causes, key=lambda a: (a.raised_ns, a.key)).key if causes else None,
    )
    return _with(alarms, alarm)


def _without_cause(alarms: Alarms, cause: Key) -> Alarms:
    """What lay under a cause that has gone stands for itself."""
    for alarm in alarms.under(cause):
        alarms = _with(alarms, replace(alarm, under=None))
    return alarms


def _with(alarms: Alarms, alarm: Alarm) -> Alarms:
    """Normal again once its condition has gone and someone has seen it."""
    kept = {key: other for key, other in alarms.by_key.items() if key != alarm.key}
    if alarm.active or not alarm.acknowledged:
        kept[alarm.key] = alarm
    return Alarms(by_key=MappingProxyType(kept))
