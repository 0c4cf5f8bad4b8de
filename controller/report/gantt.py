"""The Gantt chart of a cycle: planned outlines, actual fills, lateness, waits."""

from collections.abc import Callable, Iterator, Mapping

from controller.report.chart import shown, svg, ticks
from controller.report.markup import escaped
from controller.report.timeline import Span, Timeline

WIDTH = 1200.0
LEFT, RIGHT, TOP = 84.0, 14.0, 24.0
ROW, BAR = 34.0, 22.0
GLYPH = 5.7  # mean width of a character at the size of the labels
LATE_S = 0.02  # less than this is not worth a colour
LEGEND_COLUMN = 186.0


def gantt(timeline: Timeline, window_s: tuple[float, float], target_s: float, name: str = "gantt") -> str:
    """Draws what every resource did in a window of time, one or two cycles long.

    Args:
        timeline: planned and actual spans of all resources, in simulated seconds; every model of a joint in
            the window gets a number, explained below the chart.
        window_s: start and end [s], as `Timeline.last_cycles` gives them.
        target_s: target of the cycle time, drawn as a line after each cycle's start.
        name: tells the ids of this chart from those of others on the same page.

    Returns:
        An SVG document. Rows follow the first appearance of their resource in `timeline`.
    """
    start, end = window_s
    models = timeline.models
    visible = [s for s in timeline.spans if _first(s) < end and _last(s) > start]
    rows = {resource: row for row, resource in enumerate(dict.fromkeys(s.resource for s in timeline.spans))}
    seen = sorted({models[s.joint] for s in visible if s.joint in models})
    numbers = {model: number for number, model in enumerate(seen, 1)}
    length = max(end, start + target_s) - start
    scale = (WIDTH - LEFT - RIGHT) / (length * 1.01)
    bottom = TOP + ROW * len(rows)

    def x(time_s: float) -> float:
        return LEFT + (time_s - start) * scale

    def body() -> Iterator[str]:
        yield f'<clipPath id="{name}-window"><rect x="{LEFT:g}" y="0" width="{WIDTH - LEFT:g}" '
        yield f'height="{bottom:g}"/></clipPath>'
        for tick in ticks(0.0, length, 16):
            at = shown(x(start + tick))
            yield f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP:g}" y2="{bottom:g}"/>'
            yield f'<text class="soft middle" x="{at}" y="{bottom + 15:g}">{tick:g}</text>'
        yield f'<text class="soft end" x="{LEFT - 12:g}" y="{bottom + 15:g}">seconds</text>'
        for resource, row in rows.items():
            y = TOP + ROW * row
            yield f'<line class="axis" x1="0" x2="{WIDTH:g}" y1="{y:g}" y2="{y:g}"/>'
            yield f'<text class="strong" x="2" y="{y + ROW / 2 + 4:g}">{escaped(_cut(resource, 72))}</text>'
        yield f'<line class="axis" x1="0" x2="{WIDTH:g}" y1="{bottom:g}" y2="{bottom:g}"/>'
        yield f'<g clip-path="url(#{name}-window)">'
        for span in visible:
            yield _bar(
                span,
                numbers.get(models.get(span.joint, ""), 0),
                rows[span.resource],
                x,
                f"url(#{name}-hatch)",
            )
        yield "</g>"
        marks = [mark for mark in timeline.cycle_marks_s if start - 1e-9 <= mark <= end + 1e-9] or [start]
        for mark in marks:
            yield _upright("cycle", "joint done", x(mark), bottom)
        for mark in marks[:-1] or marks[:1]:
            yield _upright("target", f"target {target_s:g} s", x(mark + target_s), bottom)
        yield from _legend(numbers, bottom + 38, f"url(#{name}-hatch)")

    columns = int((WIDTH - LEFT) // LEGEND_COLUMN)
    height = bottom + 58 + 18 * -(-len(numbers) // columns)
    title = f"Plan (outline) and actual (fill) from {start:.1f} to {end:.1f} s of the run"
    return svg(name, title, WIDTH, height, body())


def _first(span: Span) -> float:
    return span.start_s if span.kind == "wait" else min(span.start_s, span.planned_start_s)


def _last(span: Span) -> float:
    return span.end_s if span.kind == "wait" else max(span.end_s, span.planned_end_s)


def _bar(span: Span, number: int, row: int, x: Callable[[float], float], waits: str) -> str:
    y = TOP + ROW * row + (ROW - BAR) / 2
    left, right = x(span.start_s), x(span.end_s)
    parts = [f"<g><title>{escaped(_told(span))}</title>"]
    if span.kind == "wait":
        parts.append(_box("", left, right, y + 3, BAR - 6, fill=waits))
    else:
        on_time = min(right, max(left, x(span.planned_end_s))) if span.late_s > LATE_S else right
        parts.append(_box(span.kind, left, on_time, y + 2, BAR - 4))
        if span.late_s > LATE_S:
            parts.append(_box("late", on_time, right, y + 2, BAR - 4))
        parts.append(_box("plan", x(span.planned_start_s), x(span.planned_end_s), y, BAR))
        parts.append(_label(span, number, max(left, LEFT), right, y))
    return "".join(parts) + "</g>"


def _label(span: Span, number: int, left: float, right: float, y: float) -> str:
    """Model number and name, as far as the bar has room for them."""
    parts, at = [], left + 4
    if number and span.kind != "move" and right - left > 22:
        parts.append(f'<rect class="key" x="{shown(at)}" y="{y + 5:g}" width="15" height="12" rx="2"/>')
        parts.append(f'<text class="small middle" x="{shown(at + 7.5)}" y="{y + 14.5:g}">{number}</text>')
        at += 19
    if text := _cut(span.label, right - at - 3):
        tone = ' class="on-test"' if span.kind == "test" else ""
        parts.append(f'<text{tone} x="{shown(at)}" y="{y + 15:g}">{escaped(text)}</text>')
    return "".join(parts)


def _cut(text: str, room: float) -> str:
    """The text if it fits, cut with an ellipsis if at least five characters of it do, else nothing."""
    fits = int(room / GLYPH)
    if len(text) <= fits:
        return text
    return text[: fits - 1].rstrip() + "…" if fits >= 6 else ""


def _told(span: Span) -> str:
    """The tooltip: everything about a span in words."""
    joint = f", joint {span.joint}" if span.joint else ""
    actual = f"{span.start_s:.2f} to {span.end_s:.2f} s ({span.end_s - span.start_s:.2f} s)"
    if span.kind == "wait":
        return f"{span.resource}: waits for {span.reason or 'no stated reason'}{joint}\n{actual}"
    late = f", {span.late_s:.2f} s late" if span.late_s > LATE_S else ""
    planned = f"planned {span.planned_start_s:.2f} to {span.planned_end_s:.2f} s"
    return f"{span.resource}: {span.label}{joint}\nactual {actual}{late}\n{planned}"


def _box(kind: str, left: float, right: float, y: float, height: float, fill: str = "") -> str:
    paint = f'fill="{fill}"' if fill else f'class="{kind}"'
    width = max(right - left, 0.0)
    return f'<rect {paint} x="{shown(left)}" y="{y:g}" width="{shown(width)}" height="{height:g}"/>'


def _upright(kind: str, text: str, at: float, bottom: float) -> str:
    # A cycle ends at its mark, so its label stands to the left, clear of the target's to the right.
    beside = at > (LEFT + 70 if kind == "cycle" else WIDTH - 90)
    anchor, shift = ("end", -4) if beside else ("start", 4)
    return (
        f'<line class="{kind}" x1="{shown(at)}" x2="{shown(at)}" y1="{TOP - 14:g}" y2="{bottom:g}"/>'
        f'<text class="small soft" text-anchor="{anchor}" x="{shown(at + shift)}" '
        f'y="{TOP - 7:g}">{escaped(text)}</text>'
    )


def _legend(numbers: Mapping[str, int], y: float, waits: str) -> Iterator[str]:
    looks = [
        ('class="plan"', "planned"),
        ('class="process"', "work"),
        ('class="move"', "move"),
        ('class="test"', "test"),
        ('class="late"', "past its planned end"),
        (f'fill="{waits}"', "waits"),
    ]
    at = LEFT
    for paint, text in looks:
        yield f'<rect {paint} x="{at:g}" y="{y:g}" width="22" height="11"/>'
        yield f'<text class="soft" x="{at + 28:g}" y="{y + 9.5:g}">{text}</text>'
        at += 28 + GLYPH * len(text) + 26
    columns = int((WIDTH - LEFT) // LEGEND_COLUMN)
    for index, (name, number) in enumerate(numbers.items()):
        left, top = LEFT + LEGEND_COLUMN * (index % columns), y + 20 + 18 * (index // columns)
        yield f'<rect class="key" x="{left:g}" y="{top:g}" width="15" height="12" rx="2"/>'
        yield f'<text class="small middle" x="{left + 7.5:g}" y="{top + 9.5:g}">{number}</text>'
        told = escaped(_cut(name, LEGEND_COLUMN - 30))
        yield f'<text class="soft" x="{left + 21:g}" y="{top + 9.5:g}">{told}</text>'
