"""Why an arm waits, in words: "R3 waits for R2 to leave nest 4, 0.42 s".

Nests are numbered like the dial's positions and their fixtures: nest 0 is where joints enter.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from controller.motion.event_graph import EventGraph, Node

# What a leg does until it has ended; the place it works at goes where the braces are.
_DOES = {
    "start": "be ready",
    "approach": "arrive",
    "fetch": "fetch{at}",
    "carry": "carry its part away{off}",
    "dip": "dip{at}",
    "dispense": "dispense{at}",
    "bring": "bring its part",
    "enter": "come down{at}",
    "insert": "insert{at}",
    "dwell": "finish{at}",
    "release": "let go{at}",
    "screw": "drive screws{at}",
    "turn": "turn its spindles{at}",
    "work": "work{at}",
    "leave": "leave{to}",
    "retreat": "draw back",
    "home": "go home",
    "return": "come back to its path",
}


def edge_words(before: Node, after: Node, wait_s: float | None = None) -> str:
    """For what a node waits, in one line.

    Args:
        before: The node that has to end.
        after: The node that waits.
        wait_s: How long, as planned or as is still expected [s]; None leaves it out.
    """
    words = f"{after.resource} waits for {doing(before)}"
    return words if wait_s is None else f"{words}, {wait_s:.2f} s"


def doing(node: Node) -> str:
    """A node as what somebody else waits for, "R2 to leave nest 4"."""
    name = place(node.resource)
    if node.leg is None and not node.zone:
        if node.resource == "dial":
            return f"the dial to turn ({node.label})"
        what = {"present": "to present a part", "take away": "to be emptied"}
        return f"{name} {what.get(node.label, 'to finish')}"
    station = node.leg.station if node.leg is not None else ""
    at = place(station) or ("its nest" if node.zone == "inside" else "")
    if not at and node.leg is None:  # a record does not hold where
        return f"{node.resource} to {_does(node.label, '')} in operation {node.operation}"
    return f"{node.resource} to {_does(node.label, at)}"


def _does(label: str, at: str) -> str:
    does = _DOES.get(label, f"end its {label}")
    return does.format(
        at=f" at {at}" if at else "", to=f" {at}" if at else "", off=f" from {at}" if at else ""
    )


def place(station: str) -> str:
    """A station as people call it; ``P4`` is nest 4."""
    if station[:1] == "P" and station[1:].isdecimal():
        return f"nest {station[1:]}"
    return station.replace("_", " ")


def planned_waits(graph: EventGraph, starts_s: NDArray[np.float64]) -> dict[tuple[int, int], float]:
    """For each arc of coordination how long it keeps an arm waiting that could start otherwise [s].

    Args:
        graph: The event graph.
        starts_s: (n,) planned starts [s].
    """
    ends = starts_s + np.array([node.duration_s for node in graph.nodes])
    waits = {}
    for after, before in enumerate(graph.predecessors):
        ready = max((ends[node] for node in before if (node, after) not in graph.coordination), default=0.0)
        for node in before:
            if (node, after) in graph.coordination:
                waits[node, after] = max(0.0, float(ends[node] - ready))
    return waits


def waits_in_words(graph: EventGraph, starts_s: NDArray[np.float64]) -> Iterator[str]:
    """Every arc of coordination in words, in order of time, with the joints it is about."""
    waits = planned_waits(graph, starts_s)
    for before, after in sorted(waits, key=lambda arc: (starts_s[arc[1]], arc)):
        one, two = graph.nodes[before], graph.nodes[after]
        yield (
            f"{starts_s[after]:8.2f} s  {edge_words(one, two, waits[before, after])}"
            f"  [{two.label} of {two.operation} for {two.serial} after {one.operation} for {one.serial}]"
        )


def longest_waits(graph: EventGraph, starts_s: NDArray[np.float64], most: int = 5) -> list[str]:
    """The longest waits of one arm for another in words, the longest first, equal lines once."""
    waits = planned_waits(graph, starts_s)
    lines = (
        edge_words(graph.nodes[one], graph.nodes[two], waits[one, two])
        for one, two in sorted(waits, key=lambda arc: (-waits[arc], arc))
    )
    return list(dict.fromkeys(lines))[:most]
