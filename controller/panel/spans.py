"""Bars of the plan joined to operations: what one resource does for one joint, as a Gantt chart draws it."""

from collections.abc import Iterable, Sequence
from statistics import median

from typing_extensions import TypedDict

from controller.supervision.view import Bar

BEHIND_S, AHEAD_S = 60.0, 60.0
LATE_S = 0.3  # less than this is not worth a colour
_HIDDEN = "feeder_"  # they present the next part in good time; the chart is about the others


class Span(TypedDict):
    """One operation on one resource; times are seconds from now. ``began_s`` and ``ended_s`` are None until it has.

    ``planned_s`` counts the lateness of the whole cell in, so that ``late`` marks what added to it.
    """

    resource: str
    label: str
    serial: str
    planned_s: float
    planned_end_s: float
    began_s: float | None
    ended_s: float | None
    late: bool
    critical: bool


def spans_of(
    bars: Sequence[Bar], now_ns: int, behind_s: float = BEHIND_S, ahead_s: float = AHEAD_S
) -> tuple[list[Span], float]:
    """Operations within a window round now, by resource and start, and how late the cell is as a whole [s]."""
    groups: dict[tuple[str, str, str], list[Bar]] = {}
    for bar in bars:
        if not bar.resource.startswith(_HIDDEN):
            groups.setdefault((bar.resource, bar.serial, bar.operation or bar.label), []).append(bar)
    drift_ns = _drift_ns(groups.values())
    spans = [_span(key, members, now_ns, drift_ns) for key, members in groups.items()]
    shown = [span for span in spans if _first(span) < ahead_s and _last(span) > -behind_s]
    return sorted(shown, key=lambda span: (span["resource"], _first(span))), drift_ns * 1e-9


def _span(key: tuple[str, str, str], members: list[Bar], now_ns: int, drift_ns: int) -> Span:
    resource, serial, label = key
    first = min(members, key=lambda bar: bar.planned_ns)
    began = min((bar.began_ns for bar in members if bar.began_ns is not None), default=None)
    ended = [bar.ended_ns for bar in members if bar.ended_ns is not None]
    complete = len(ended) == len(members)

    def seen(time_ns: int) -> float:
        return round((time_ns - now_ns) * 1e-9, 2)

    return Span(
        resource=resource,
        label=label,
        serial=serial,
        planned_s=seen(first.planned_ns + drift_ns),
        planned_end_s=seen(max(bar.planned_end_ns for bar in members) + drift_ns),
        began_s=None if began is None else seen(began),
        ended_s=seen(max(ended)) if complete else None,
        late=began is not None and (began - first.planned_ns - drift_ns) * 1e-9 > LATE_S,
        critical=any(bar.critical for bar in members),
    )


def _drift_ns(groups: Iterable[list[Bar]]) -> int:
    """The middle one of the resources' latenesses at what each began last: what the cell is late as a whole."""
    last: dict[str, Bar] = {}
    for members in groups:
        for bar in members:
            before = last.get(bar.resource)
            if bar.began_ns is not None and (before is None or bar.began_ns > (before.began_ns or 0)):
                last[bar.resource] = bar
    return int(median([(bar.began_ns or 0) - bar.planned_ns for bar in last.values()] or [0]))


def _first(span: Span) -> float:
    return span["planned_s"] if span["began_s"] is None else min(span["planned_s"], span["began_s"])


def _last(span: Span) -> float:
    if span["ended_s"] is not None:
        return max(span["ended_s"], span["planned_end_s"])
    return span["planned_end_s"] if span["began_s"] is None else max(0.0, span["planned_end_s"])
