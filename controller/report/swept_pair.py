"""Two legs that are in each other's way: what each arm sweeps, from above and from the side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.fixtures import fixtures_of
from controller.motion.edge_words import edge_words, planned_waits
from controller.motion.event_graph import EventGraph, Node
from controller.motion.shape import moving_capsules
from controller.report.chart import shown, svg
from controller.report.markup import escaped
from kinematics import Body, Sweep, SweepSet, sweep

FloatArray = NDArray[np.float64]

_STEP_M = 0.04
WIDTH, GAP, TOP, BOTTOM = 1200.0, 24.0, 22.0, 70.0
_MARGIN_M = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptPair:
    """Two legs that must not be under way at the same time, and the arc that keeps them apart in words."""

    one: Node
    two: Node
    words: str


def longest_wait(
    graph: EventGraph, starts_s: FloatArray, cell: Cell, since_s: float = 0.0
) -> SweptPair | None:
    """The arc for which an arm waits longest from a moment on, and the two legs that ask for it; None when nobody waits.

    An arc leads from the leg after which an arm is out of the way, so that the leg in the way is that one or an
    earlier one of the same arm.
    """
    arms = {arm.id: arm for arm in cell.arms}
    own: dict[str, list[int]] = {}
    for node in graph.nodes:
        own.setdefault(node.resource, []).append(node.id)
    waits = {
        arc: wait
        for arc, wait in planned_waits(graph, starts_s).items()
        if wait > 0.0 and starts_s[arc[1]] >= since_s
    }
    for before, after in sorted(waits, key=lambda arc: -waits[arc]):
        two = graph.nodes[after]
        chain = own[graph.nodes[before].resource]
        for index in reversed(chain[: chain.index(before) + 1][-6:]):
            one = graph.nodes[index]
            pair = SweepSet((_sweep(arms, one), _sweep(arms, two)))
            if pair.near([0], [1], cell.clearance.arms_m)[0]:
                words = edge_words(graph.nodes[before], two, waits[before, after])
                return SweptPair(one=one, two=two, words=words)
    return None


def swept_pair(pair: SweptPair, cell: Cell, name: str = "swept") -> str:
    """Draws both volumes to one scale, with the fixtures round them."""
    arms = {arm.id: arm for arm in cell.arms}
    sweeps = [_sweep(arms, pair.one), _sweep(arms, pair.two)]
    low = np.min([s.spans[-1][:, :3].min(axis=0) for s in sweeps], axis=0) - _MARGIN_M
    high = np.max([s.spans[-1][:, 3:].max(axis=0) for s in sweeps], axis=0) + _MARGIN_M
    low[2] = min(low[2], -0.02)
    size = high - low
    views = [(0, 1)]
    side = 0 if size[0] <= size[1] else 1  # the narrower view from the side fits beside the other
    views.append((side, 2))
    scale = (WIDTH - GAP) / (size[0] + size[side])
    height = scale * max(size[1], size[2])
    scale *= min(1.0, 560.0 / height)
    height = TOP + scale * max(size[1], size[2]) + BOTTOM
    whole = scale * (size[0] + size[side]) + GAP

    def body() -> Iterator[str]:
        left = 0.0
        for (across, up), title in zip(views, ("from above", "from the side"), strict=True):
            width = scale * size[across]

            def at(
                point: FloatArray, left: float = left, across: int = across, up: int = up
            ) -> tuple[float, float]:
                return (
                    left + scale * float(point[across] - low[across]),
                    TOP + scale * float(high[up] - point[up]),
                )

            yield f'<text class="soft" x="{left + 2:g}" y="12">{title}</text>'
            yield f'<clipPath id="{name}-{across}{up}"><rect x="{shown(left)}" y="{TOP:g}" '
            yield f'width="{shown(width)}" height="{shown(scale * size[up])}"/></clipPath>'
            yield f'<g clip-path="url(#{name}-{across}{up})">'
            for fixture in fixtures_of(cell):
                corners = _corners(fixture.X_WO, np.array(fixture.half_m))
                yield _polygon([at(corner) for corner in corners[_hull(corners[:, [across, up]])]])
            for kind, swept in zip(("one", "two"), sweeps, strict=True):
                yield f'<g class="{kind} volume">'
                for row in swept.capsules.reshape(-1, 7):
                    (x1, y1), (x2, y2) = at(row[:3]), at(row[3:6])
                    yield (
                        f'<path stroke-width="{2 * scale * row[6]:.1f}" '
                        f'd="M{x1:.1f} {y1:.1f}L{x2 + 0.1:.1f} {y2:.1f}"/>'
                    )
                yield "</g>"
            yield "</g>"
            yield f'<rect class="plan" x="{shown(left)}" y="{TOP:g}" width="{shown(width)}" '
            yield f'height="{shown(scale * size[up])}"/>'
            left += width + GAP
        y = height - 46
        for kind, node in (("one", pair.one), ("two", pair.two)):
            yield f'<path class="{kind} volume" stroke-width="11" d="M8 {shown(y - 4)}h14"/>'
            told = f"{node.resource} {node.label} of operation {node.operation} for {node.serial}"
            yield f'<text x="36" y="{shown(y)}">{escaped(told)}</text>'
            y += 18
        yield f'<text class="strong" x="8" y="{shown(y + 2)}">{escaped(pair.words)}</text>'
        yield f'<path class="axis" d="M{shown(whole - 20 - 0.2 * scale)} {shown(height - 20)}h{shown(0.2 * scale)}"/>'
        yield f'<text class="soft end" x="{shown(whole - 20)}" y="{shown(height - 26)}">0.2 m</text>'

    return svg(name, f"What two legs sweep: {pair.words}", whole, height, body())


def _sweep(arms: dict[str, CellArm], node: Node) -> Sweep:
    arm, leg = arms[node.resource], node.leg
    assert leg is not None
    body = Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=moving_capsules(arm, leg.held))
    return sweep(body, leg.trajectory, _STEP_M)


def _corners(X_WO: FloatArray, half: FloatArray) -> FloatArray:
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    corners: FloatArray = (signs * half) @ X_WO[:3, :3].T + X_WO[:3, 3]
    return corners


def _hull(points: FloatArray) -> list[int]:
    """Indices of the convex hull of a few points (n, 2), in order (gift wrapping)."""
    first = int(np.lexsort((points[:, 1], points[:, 0]))[0])
    hull = [first]
    while True:
        candidate = (hull[-1] + 1) % len(points)
        for other in range(len(points)):
            a, b = points[candidate] - points[hull[-1]], points[other] - points[hull[-1]]
            turn = a[0] * b[1] - a[1] * b[0]
            if turn < -1e-12 or (abs(turn) <= 1e-12 and b @ b > a @ a):
                candidate = other
        if candidate == first or len(hull) > len(points):
            return hull
        hull.append(candidate)


def _polygon(points: Sequence[tuple[float, float]]) -> str:
    return f'<polygon class="solid" points="{" ".join(f"{shown(x)},{shown(y)}" for x, y in points)}"/>'
