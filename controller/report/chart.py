"""What all charts share: the style that makes an SVG stand alone, scales and axis ticks."""

import math
from collections.abc import Iterable
from importlib.resources import files

from controller.report.markup import escaped

_HERE = files("controller.report")
PALETTE = _HERE.joinpath("palette.css").read_text(encoding="utf-8")
STYLE = PALETTE + _HERE.joinpath("charts.css").read_text(encoding="utf-8")

# four looks without colour, so that they tell apart in print and for every eye
_PATTERNS = (
    '<pattern id="{0}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><line class="hatch" y2="6"/></pattern>'
    '<pattern id="{0}-dense" width="4" height="4" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(-45)"><line class="hatch-dense" y2="4"/></pattern>'
    '<pattern id="{0}-bars" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<line class="hatch-dense" y2="5"/></pattern>'
    '<pattern id="{0}-dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<circle class="dot" cx="2" cy="2" r="1.1"/></pattern>'
)


def svg(name: str, title: str, width: float, height: float, body: Iterable[str]) -> str:
    """A complete SVG document with its own style; `name` keeps its ids apart from those of other charts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-labelledby="{name}-title"><title id="{name}-title">{escaped(title)}</title>'
        f"<style>{STYLE}</style><defs>{_PATTERNS.format(name)}</defs>{''.join(body)}</svg>"
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two values, 1, 2 or 5 times a power of ten apart, over at most `most` steps."""
    span = high - low
    decade = 10.0 ** math.floor(math.log10(span / most))
    step = next(step for step in (decade, 2 * decade, 5 * decade, 10 * decade) if span / step <= most + 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def shown(value: float) -> str:
    """A coordinate in a few digits."""
    return f"{value:.6g}"
