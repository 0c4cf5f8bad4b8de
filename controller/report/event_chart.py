"""The event graph of one cycle: a lane for every arm and station, time to the right, arcs that keep arms apart in blue."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from controller.motion.edge_words import edge_words, planned_waits
from controller.motion.event_graph import EventGraph, Node
from controller.report.chart import shown, svg, ticks
from controller.report.markup import escaped

WIDTH, LEFT, RIGHT, TOP = 1200.0, 84.0, 14.0, 12.0
LANE, BAR = 46.0, 20.0
GLYPH = 6.0
_BINDS_S = 1e-3  # an arc whose first node ends so shortly before the second starts
_GAP_S = 0.2  # within a visit, after which its label is repeated
_HIDDEN = ("feeder_", "out_tray")  # they present and take away in good time; their lanes would say nothing

FloatArray = NDArray[np.float64]


def event_chart(
    graph: EventGraph, starts_s: FloatArray, window_s: tuple[float, float], name: str = "events"
) -> str:
    """Draws nodes and arcs that fall into a window of planned time.

    Args:
        graph: The event graph.
        starts_s: (n,) planned starts [s].
        window_s: Begin and end [s], about one cycle.
        name: Tells the ids of this chart from those of others on the same page.
    """
    begin, end = window_s
    ends_s = starts_s + np.array([node.duration_s for node in graph.nodes])
    lanes = {
        resource: lane
        for lane, resource in enumerate(
            sorted(
                {node.resource for node in graph.nodes if not node.resource.startswith(_HIDDEN)},
                key=lambda resource: (
                    not any(n.zone for n in graph.nodes if n.resource == resource),
                    resource,
                ),
            )
        )
    }
    scale = (WIDTH - LEFT - RIGHT) / (end - begin)
    bottom = TOP + LANE * len(lanes)
    seen = [
        node
        for node in graph.nodes
        if node.resource in lanes and starts_s[node.id] < end and ends_s[node.id] > begin
    ]
    waits = planned_waits(graph, starts_s)

    def x(time_s: float) -> float:
        return LEFT + (time_s - begin) * scale

    def y(node: Node) -> float:
        return TOP + LANE * lanes[node.resource] + LANE / 2

    def arc(before: Node, after: Node, kind: str, words: str) -> str:
        """From the end of one bar to the start of another, leaving and arriving along the lanes."""
        side = np.sign(y(after) - y(before)) * BAR / 2
        x1, y1 = x(ends_s[before.id]), y(before) + side
        x2, y2 = x(starts_s[after.id]), y(after) - side
        lean = min((x2 - x1) / 2, 40.0)
        path = f"M{shown(x1)} {shown(y1)}C{shown(x1 + lean)} {shown(y1 + side)} "
        path += f"{shown(x2 - lean)} {shown(y2 - side)} {shown(x2)} {shown(y2)}"
        head = f"url(#{name}-{kind.split()[0]})"
        return f'<path class="{kind}" marker-end="{head}" d="{path}"><title>{escaped(words)}</title></path>'

    def arcs(coordination: bool) -> Iterator[str]:
        for after in seen:
            for index in graph.predecessors[after.id]:
                before = graph.nodes[index]
                ours = (index, after.id) in graph.coordination
                if ours != coordination or before.resource not in lanes or before.resource == after.resource:
                    continue
                if starts_s[after.id] < begin or (not ours and ends_s[index] < begin):
                    continue
                binds = starts_s[after.id] - ends_s[index] < _BINDS_S
                words = edge_words(before, after, waits.get((index, after.id)))
                yield arc(before, after, ("apart" if ours else "needs") + (" binds" if binds else ""), words)

    def body() -> Iterator[str]:
        for kind in ("apart", "needs"):
            yield f'<marker id="{name}-{kind}" class="{kind}-head" viewBox="0 0 6 6" refX="5.5" refY="3" '
            yield 'markerUnits="userSpaceOnUse" markerWidth="8" markerHeight="8" orient="auto">'
            yield '<path d="M0 0L6 3L0 6z"/></marker>'
        yield f'<clipPath id="{name}-window"><rect x="{LEFT:g}" y="0" width="{WIDTH - LEFT:g}" '
        yield f'height="{bottom:g}"/></clipPath>'
        for tick in ticks(0.0, end - begin, 16):
            at = shown(x(begin + tick))
            yield f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP:g}" y2="{bottom:g}"/>'
            yield f'<text class="soft middle" x="{at}" y="{bottom + 15:g}">{tick:g}</text>'
        yield f'<text class="soft end" x="{LEFT - 12:g}" y="{bottom + 15:g}">seconds</text>'
        for resource, lane in lanes.items():
            top = TOP + LANE * lane
            yield f'<line class="axis" x1="0" x2="{WIDTH:g}" y1="{top:g}" y2="{top:g}"/>'
            yield f'<text class="strong" x="2" y="{top + LANE / 2 + 4:g}">{escaped(resource)}</text>'
        yield f'<line class="axis" x1="0" x2="{WIDTH:g}" y1="{bottom:g}" y2="{bottom:g}"/>'
        yield f'<g clip-path="url(#{name}-window)">'
        yield from arcs(coordination=False)
        for node in seen:
            yield _bar(node, x(starts_s[node.id]), x(ends_s[node.id]), y(node))
        yield from _visits(seen, starts_s, ends_s, x, y)
        yield from arcs(coordination=True)
        yield "</g>"
        yield from _legend(bottom + 36)

    title = f"Event graph of the plan from {begin:.1f} to {end:.1f} s"
    return svg(name, title, WIDTH, bottom + 46, body())


def _bar(node: Node, left: float, right: float, y: float) -> str:
    kind = "move" if node.zone and node.zone != "inside" else "process" if node.zone else "test"
    told = f"{node.resource} {node.label} {node.operation} {node.serial}, {node.duration_s:.2f} s"
    return (
        f'<rect class="{kind} leg" x="{shown(left)}" y="{shown(y - BAR / 2)}" '
        f'width="{shown(max(right - left, 0.5))}" height="{BAR:g}"><title>{escaped(told)}</title></rect>'
    )


def _visits(
    seen: Sequence[Node],
    starts_s: FloatArray,
    ends_s: FloatArray,
    x: Callable[[float], float],
    y: Callable[[Node], float],
) -> Iterator[str]:
    """The operation over the legs of a visit, a station's work in its bar."""
    groups: dict[tuple[str, str, int], list[Node]] = {}
    for node in seen:
        groups.setdefault((node.resource, node.operation or node.label, node.joint), []).append(node)
    for (_, label, _), nodes in groups.items():
        nodes.sort(key=lambda node: float(starts_s[node.id]))
        stretches = [[nodes[0]]]
        for node in nodes[1:]:
            if starts_s[node.id] - ends_s[stretches[-1][-1].id] < _GAP_S:
                stretches[-1].append(node)
            else:
                stretches.append([node])
        for stretch in stretches:
            left = max(x(starts_s[stretch[0].id]), LEFT)
            right = min(x(ends_s[stretch[-1].id]), WIDTH - RIGHT)
            if right - left > GLYPH * len(label) + 6:
                tone = "" if stretch[0].zone else ' class="on-test"'
                yield f'<text{tone} x="{shown(left + 4)}" y="{shown(y(stretch[0]) + 4)}">{escaped(label)}</text>'


def _legend(y: float) -> Iterator[str]:
    at = LEFT
    for look, text in (
        ('class="move leg"', "on the way"),
        ('class="process leg"', "in a nest"),
        ('class="test leg"', "station"),
    ):
        yield f'<rect {look} x="{at:g}" y="{y - 9:g}" width="22" height="11"/>'
        yield f'<text class="soft" x="{at + 28:g}" y="{y:g}">{text}</text>'
        at += 28 + GLYPH * len(text) + 24
    for kind, text in (
        ("apart binds", "keeps arms apart, and somebody waits"),
        ("apart", "keeps arms apart, nobody waits"),
        ("needs", "recipe, dial or station"),
    ):
        yield f'<path class="{kind}" d="M{at:g} {y - 3:g}h26"/>'
        yield f'<text class="soft" x="{at + 32:g}" y="{y:g}">{text}</text>'
        at += 32 + GLYPH * len(text) + 24


def waits_list(graph: EventGraph, starts_s: FloatArray, window_s: tuple[float, float], most: int = 8) -> str:
    """The arcs of a window for which somebody waits, the longest wait first, as an HTML list."""
    begin, end = window_s
    waits = {
        arc: wait
        for arc, wait in planned_waits(graph, starts_s).items()
        if wait >= _BINDS_S and begin <= starts_s[arc[1]] < end
    }
    longest = sorted(waits, key=lambda arc: (-waits[arc], arc))[:most]
    items = "".join(
        f"<li>{escaped(edge_words(graph.nodes[one], graph.nodes[two], waits[one, two]))}</li>"
        for one, two in longest
    )
    return f'<ul class="waits">{items}</ul>' if items else "<p>Nobody waits for another arm.</p>"
