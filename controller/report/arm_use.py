"""How each arm spent its time: work, and waits by reason, as stacked bars."""

from collections.abc import Iterator, Sequence

from controller.report.chart import shown, svg
from controller.report.markup import escaped
from controller.report.summary import ArmRecord

WIDTH, LEFT, RIGHT = 620.0, 122.0, 52.0
TOP, ROW, BAR = 4.0, 48.0, 24.0
GLYPH = 6.0
LOOKS = (
    'fill="url(#use-hatch)"',
    'fill="url(#use-dots)"',
    'fill="url(#use-dense)"',
    'fill="url(#use-bars)"',
    'class="move"',
    'class="late"',
)


def arm_use(arms: Sequence[ArmRecord]) -> str:
    """Draws one bar per arm, 100 % wide; what is neither work nor a named wait stays empty.

    Reasons are ordered by their sum over all arms; what has no look of its own is drawn together at the end.
    """
    totals: dict[str, float] = {}
    for arm in arms:
        for reason, share in arm.waiting_by_reason.items():
            totals[reason] = totals.get(reason, 0.0) + share
    reasons = sorted(totals, key=lambda reason: (-totals[reason], reason))
    if len(reasons) > len(LOOKS):
        reasons = reasons[: len(LOOKS) - 1]
    named = [*reasons, *(["other reasons"] if len(reasons) < len(totals) else [])]
    scale = WIDTH - LEFT - RIGHT
    bottom = TOP + ROW * len(arms)

    def body() -> Iterator[str]:
        for tick in range(0, 101, 20):
            at = shown(LEFT + scale * tick / 100)
            yield f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP:g}" y2="{bottom:g}"/>'
            yield f'<text class="soft small middle" x="{at}" y="{bottom + 13:g}">{tick} %</text>'
        for row, arm in enumerate(arms):
            y = TOP + ROW * row + (ROW - BAR) / 2
            yield f'<text class="strong" x="2" y="{y + 10:g}">{escaped(arm.name[:18])}</text>'
            yield f'<text class="soft small" x="2" y="{y + 23:g}">{escaped(arm.model[:22])}</text>'
            yield _piece(
                'class="process"', LEFT, scale * arm.busy, y, f"{arm.name}: works {100 * arm.busy:.1f} %"
            )
            at_x = LEFT + scale * arm.busy
            for look, reason, share in _shares(arm, reasons):
                yield _piece(
                    look, at_x, scale * share, y, f"{arm.name}: waits for {reason} {100 * share:.1f} %"
                )
                at_x += scale * share
            yield f'<text class="end" x="{WIDTH - 4:g}" y="{y + 16:g}">{100 * arm.busy:.1f} %</text>'
        at_x = LEFT
        for look, text in (('class="process"', "work"), *zip(LOOKS, named, strict=False)):
            yield f'<rect {look} x="{at_x:g}" y="{bottom + 24:g}" width="22" height="11"/>'
            yield f'<text class="soft" x="{at_x + 28:g}" y="{bottom + 33.5:g}">{escaped(text)}</text>'
            at_x += 28 + GLYPH * len(text) + 24

    return svg(
        "use", "Share of the measured time each arm works, and what it waits for", WIDTH, bottom + 42, body()
    )


def _shares(arm: ArmRecord, reasons: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    waits = arm.waiting_by_reason
    shares = [(reason, waits.get(reason, 0.0)) for reason in reasons]
    shares.append(("other reasons", sum(share for reason, share in waits.items() if reason not in reasons)))
    for look, (reason, share) in zip(LOOKS, shares, strict=False):
        if share > 0.0:
            yield look, reason, share


def _piece(paint: str, left: float, width: float, y: float, told: str) -> str:
    return (
        f'<rect {paint} x="{shown(left)}" y="{y:g}" width="{shown(width)}" height="{BAR:g}">'
        f"<title>{escaped(told)}</title></rect>"
    )
