"""The trend of cycle times against the target, misses marked."""

from collections.abc import Iterator, Sequence

from controller.report.chart import shown, svg, ticks

WIDTH, HEIGHT = 1200.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 86.0, 14.0, 160.0


def trend(cycle_times_s: Sequence[float], target_s: float, lower_bound_s: float) -> str:
    """Draws every cycle time in the order of the run.

    Args:
        cycle_times_s: measured cycle times [s].
        target_s: cycles above it are marked with a triangle.
        lower_bound_s: proven bound, the floor under every plan for this cell.

    Returns:
        An SVG document.
    """
    low = min((lower_bound_s, target_s, *cycle_times_s))
    high = max((lower_bound_s, target_s, *cycle_times_s))
    margin = 0.12 * max(high - low, 0.5)
    low, high = low - margin, high + margin
    pitch = (WIDTH - LEFT - RIGHT) / max(len(cycle_times_s), 2)

    def y(seconds: float) -> float:
        return BOTTOM - (seconds - low) / (high - low) * (BOTTOM - TOP)

    def body() -> Iterator[str]:
        for tick in ticks(low, high, 6):
            level = y(tick)
            yield _level("grid", level)
            yield f'<text class="soft end" x="{LEFT - 8:g}" y="{shown(level + 4)}">{tick:g}</text>'
        yield f'<text class="soft end" x="{LEFT - 8:g}" y="{HEIGHT - 8:g}">cycle</text>'
        for kind, seconds, text in (
            ("target", target_s, f"target {target_s:g} s"),
            ("bound", lower_bound_s, f"bound {lower_bound_s:.2f} s"),
        ):
            yield _level(kind, y(seconds))
            yield f'<text class="soft" x="{WIDTH - RIGHT + 6:g}" y="{shown(y(seconds) + 4)}">{text}</text>'
        points = [(LEFT + (index + 0.5) * pitch, y(cycle)) for index, cycle in enumerate(cycle_times_s)]
        yield f'<polyline class="curve" points="{_points(points)}"/>'
        every = max(1, -(-len(points) // 24))
        for number, ((at, up), cycle) in enumerate(zip(points, cycle_times_s, strict=True), 1):
            told = f"<title>cycle {number}: {cycle:.2f} s</title>"
            if cycle > target_s:
                corners = _points([(at, up - 7), (at + 6, up + 4), (at - 6, up + 4)])
                yield f'<polygon class="wrong" points="{corners}">{told}</polygon>'
            else:
                yield f'<circle class="dot" cx="{shown(at)}" cy="{shown(up)}" r="2.5">{told}</circle>'
            if number % every == 0:
                yield f'<text class="soft small middle" x="{shown(at)}" y="{HEIGHT - 8:g}">{number}</text>'

    missed = sum(cycle > target_s for cycle in cycle_times_s)
    title = f"{len(cycle_times_s)} cycle times, {missed} above the target of {target_s:g} s"
    return svg("trend", title, WIDTH, HEIGHT, body())


def _level(kind: str, y: float) -> str:
    return f'<line class="{kind}" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{shown(y)}" y2="{shown(y)}"/>'


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{shown(x)},{shown(y)}" for x, y in corners)
