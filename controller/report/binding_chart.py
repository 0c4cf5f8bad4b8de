"""What bound the cycle: the critical path as bars, the longest part first."""

from collections.abc import Iterator, Sequence

from controller.report.chart import shown, svg
from controller.report.markup import escaped
from controller.report.summary import BindingRecord

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 620.0, 150.0, 64.0, 4.0, 22.0, 14.0
MOST = 10  # parts with a row of their own


def binding_chart(binding: Sequence[BindingRecord]) -> str:
    """One bar for each resource and operation on the critical path, seconds per cycle; the rest together."""
    parts = [(f"{part.resource} {part.operation}", part.seconds) for part in binding]
    if len(parts) > MOST:
        parts = [*parts[: MOST - 1], ("others", sum(seconds for _, seconds in parts[MOST - 1 :]))]
    total = sum(seconds for _, seconds in parts)
    longest = max((seconds for _, seconds in parts), default=1.0)
    scale = (WIDTH - LEFT - RIGHT) / longest

    def body() -> Iterator[str]:
        for row, (name, seconds) in enumerate(parts):
            y = TOP + ROW * row
            yield f'<text x="{LEFT - 8:g}" y="{y + 11:g}" class="end">{escaped(name)}</text>'
            yield (
                f'<rect class="test" x="{LEFT:g}" y="{y:g}" width="{shown(scale * seconds)}" height="{BAR:g}"/>'
            )
            yield f'<text class="soft" x="{shown(LEFT + scale * seconds + 6)}" y="{y + 11:g}">{seconds:.2f} s</text>'

    title = f"The critical path, {total:.2f} s per cycle"
    return svg("binding", title, WIDTH, TOP + ROW * len(parts), body())
