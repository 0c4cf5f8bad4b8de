"""Which joints come next: orders by priority and due date, the models of one order evenly interleaved. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from controller.supervision.shift import Order, Shift

_NEVER = "~"  # sorts behind every date


@dataclass(frozen=True, slots=True, order=True)
class Wanted:
    """A joint that an order asks for."""

    order: str
    model: str


def ranked(shift: Shift) -> tuple[str, ...]:
    """Unfinished orders in the order in which they are worked on: priority, due date, then as they came."""
    unfinished = [name for name, order in shift.orders.items() if not order.finished]
    return tuple(
        sorted(unfinished, key=lambda name: (shift.orders[name].priority, shift.orders[name].due or _NEVER))
    )


def next_wanted(shift: Shift, planned: Iterable[Wanted], most: int) -> tuple[Wanted, ...]:
    """The joints to plan next, behind those that are planned and have not entered yet; at most so many."""
    ahead = Counter(planned)
    found: list[Wanted] = []
    for name in ranked(shift):
        while len(found) < most and (model := _next_model(name, shift.orders[name], ahead)) is not None:
            found.append(Wanted(name, model))
            ahead[found[-1]] += 1
    return tuple(found)


def _next_model(name: str, order: Order, ahead: Counter[Wanted]) -> str | None:
    """The model that is furthest behind its share of the order (Webster's rule); None when nothing is missing."""
    missing = [model for model, count in order.missing.items() if count > ahead[Wanted(name, model)]]

    def share_after(model: str) -> float:
        given = order.entered.get(model, 0) + ahead[Wanted(name, model)]
        return (2 * given + 1) / order.lines[model]

    return min(missing, key=share_after, default=None)
