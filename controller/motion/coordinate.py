"""Arcs that keep arms apart, whatever their timing.

Two legs of different arms whose swept volumes come nearer than the clearance must not be under way at the same time, and
an arm at rest still fills its place until its next leg has begun. So of two conflicting legs i (arm A) and j (arm B) one
comes first for good: either A rests clear of j's volume before j starts, or B rests clear of i's volume before i starts.

Who goes first is a matter of cycle time. A rule of passing (`Rule`) names two legs of the recipe and by how many joints
they are apart, so that one decision holds in every cycle. Rules begin with the order of the planned times and are then
improved: those on the critical path are turned round one by one as long as the order as a whole is done sooner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from controller.motion.event_graph import EventGraph, Node
from controller.motion.orientation import NONE, Graph, add_arc, copy, earliest, new_graph, settle
from controller.motion.unroll import Unrolled
from controller.motion.visit import START, Zone
from controller.motion.volumes import Volumes

Ints = NDArray[np.int64]
Rule = tuple[str, str, str, str, int]
"""(operation, leg, operation, leg, joints the second is behind the first): a pair that meets once in every cycle."""

_ATTEMPTS = 12


class DeadlockError(Exception):
    """Two arms are in each other's way in both orders; the message names the legs.

    Attributes:
        nodes: Their ids.
        standing: Arms that only stand in the way.
    """

    def __init__(self, message: str, nodes: tuple[int, int], standing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.nodes = nodes
        self.standing = standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinated:
    """The event graph with its coordination.

    Attributes:
        graph: The event graph.
        starts_s: (n,) planned start of every node [s].
        rules: For every rule whether its first leg goes first.
        conflicts: Pairs of legs that conflict.
        turned: Rules that were turned round to save time.
    """

    graph: EventGraph
    starts_s: NDArray[np.float64]
    rules: Mapping[Rule, bool]
    conflicts: int
    turned: int


def coordinate(
    unrolled: Unrolled,
    numbers: Ints,
    volumes: Volumes,
    horizon_s: float,
    *,
    passing: NDArray[np.float64] | None = None,
    rules: Mapping[Rule, bool] | None = None,
    improvements: int = 0,
) -> Coordinated:
    """Order all conflicting legs.

    Args:
        unrolled: Nodes and arcs of the order.
        numbers: (n,) number of each node's volume; anything for nodes of stations.
        volumes: The volumes.
        horizon_s: Legs planned further apart than this are ordered by the dial already and are not compared.
        passing: (n,) times of the nodes in whose order arms pass; by default those at which nobody waits for another arm.
        rules: Rules of passing found earlier; others follow those times.
        improvements: How many changes of a rule may be tried.

    Raises:
        DeadlockError: When a pair is left without an order.
    """
    starts = _graph(unrolled, frozenset()).planned_starts()
    ones, twos = _conflicting_pairs(unrolled, starts, numbers, volumes, horizon_s)
    pairs = _Passing(unrolled, ones, twos, starts if passing is None else passing, numbers, volumes)
    best = pairs.settle(rules or {})
    known = pairs.rules_of(best)
    turned = 0
    tried: set[Rule] = set()
    for _ in range(improvements):
        rule = next((rule for rule in best.critical if rule not in tried), None)
        if rule is None:
            break
        tried.add(rule)
        other = {**known, rule: not known[rule]}
        try:
            found = pairs.settle(other)
        except DeadlockError:
            continue
        if found.end_s < best.end_s - 1e-6:
            best, known, turned = found, pairs.rules_of(found), turned + 1
            tried.clear()
    arcs = frozenset((int(before), int(after)) for before, after in best.chosen)
    return Coordinated(
        graph=_graph(unrolled, arcs),
        starts_s=best.starts_s,
        rules=known,
        conflicts=len(ones),
        turned=turned,
    )


def _conflicting_pairs(
    unrolled: Unrolled, starts: NDArray[np.float64], numbers: Ints, volumes: Volumes, horizon_s: float
) -> tuple[Ints, Ints]:
    """All pairs (k,), (k,) of legs of different arms within the horizon that conflict."""
    ones, twos = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    rests = _rests(unrolled, numbers, volumes)
    until = _until(unrolled, starts)
    for chain, other in combinations(
        (np.array(legs, dtype=np.int64) for legs in unrolled.chains.values()), 2
    ):
        low = np.searchsorted(until[other], starts[chain] - horizon_s)
        count = np.searchsorted(starts[other], until[chain] + horizon_s) - low
        i = np.repeat(chain, count)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        j = other[np.repeat(low, count) + within]
        # On the way, or at rest afterwards: a part gripped at the end of a leg is held from then on.
        near = volumes.conflict(numbers[i], numbers[j])
        near |= volumes.conflict(rests[numbers[i]], numbers[j]) | volumes.conflict(
            numbers[i], rests[numbers[j]]
        )
        ones.append(i[near])
        twos.append(j[near])
    return np.concatenate(ones), np.concatenate(twos)


def _until(unrolled: Unrolled, starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) until when a leg counts as near [s]: an arm on its way may wait until it enters the nest of its visit.

    In the first cycles an arm can fetch long before its joint comes, and the dial orders only what is in nests.
    """
    until = starts.copy()
    for chain in unrolled.chains.values():
        following = np.inf
        for node in reversed(chain):
            until[node] = max(starts[node], min(following, starts[chain[-1]]))
            if unrolled.nodes[node].zone == Zone.INSIDE.value:
                following = starts[node]
    return until


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    chosen: Ints  # (k, 2) arcs
    starts_s: NDArray[np.float64]
    end_s: float
    sides: Ints  # (k,) by pair: 0 where its first leg goes first
    critical: tuple[Rule, ...]


class _Passing:
    """Every conflicting pair with its rule and the two arcs to choose from."""

    def __init__(
        self,
        unrolled: Unrolled,
        ones: Ints,
        twos: Ints,
        starts: NDArray[np.float64],
        numbers: Ints,
        volumes: Volumes,
    ) -> None:
        self._nodes = unrolled.nodes
        rank = np.empty(len(starts), dtype=np.int64)
        rank[np.lexsort((np.arange(len(starts)), starts))] = np.arange(len(starts))
        following = np.full(len(starts), NONE, dtype=np.int64)  # the arm's next leg
        for chain in unrolled.chains.values():
            following[chain[:-1]] = chain[1:]
        rests = _rests(unrolled, numbers, volumes)
        # Rules name legs, so the legs of a pair are put into the order of their names.
        name = np.unique([f"{node.operation} {node.label}" for node in unrolled.nodes], return_inverse=True)[
            1
        ]
        swap = name[ones] > name[twos]
        ones, twos = np.where(swap, twos, ones), np.where(swap, ones, twos)
        rows = np.stack(
            [
                _away(ones, twos, following, numbers, rests, volumes),
                twos,
                _away(twos, ones, following, numbers, rests, volumes),
                ones,
            ],
            axis=1,
        )
        # Where an arm stands at the very beginning, and what it has begun already, nobody can pass before.
        begun = unrolled.begun | {chain[0] for chain in unrolled.chains.values() if chain}
        first = np.isin(rows[:, [1, 3]], sorted(begun))
        rows[:, 0][first[:, 0]] = NONE
        rows[:, 2][first[:, 1]] = NONE
        # Pairs that lead to the same two arcs are one choice; the earliest come first.
        rows, kept = np.unique(rows, axis=0, return_index=True)
        ones, twos = ones[kept], twos[kept]
        early, late = np.minimum(rank[ones], rank[twos]), np.maximum(rank[ones], rank[twos])
        by_time = np.lexsort((early, late))
        self._choices = rows[by_time]
        self._pairs = np.stack([ones, twos], axis=1)[by_time]
        self._rules = [_rule(self._nodes[i], self._nodes[j]) for i, j in self._pairs.tolist()]
        self._by_time = rank[self._pairs[:, 0]] < rank[self._pairs[:, 1]]
        self._durations = np.array([node.duration_s for node in self._nodes])
        self._first = np.arange(len(self._pairs))  # rows in the order in which they are settled
        order = _graph(unrolled, frozenset()).order()
        count = sum(len(before) for before in unrolled.predecessors)
        self._graph = new_graph(order, count + len(self._pairs))
        for node, before in enumerate(unrolled.predecessors):
            for other in sorted(before):
                add_arc(self._graph, other, node)

    def settle(self, rules: Mapping[Rule, bool]) -> _Settled:
        """Choose an arc for every pair by the rules, and by planned time where there is none.

        A pair left without a choice is settled before all others in a new attempt ("squeaky wheel").
        """
        forward = self._by_time
        if rules:
            forward = np.array(
                [rules.get(rule, time) for rule, time in zip(self._rules, forward, strict=True)]
            )
        for _ in range(_ATTEMPTS):
            graph = copy(self._graph)
            choices, taken = self._choices[self._first], np.empty(len(self._first), dtype=np.int64)
            stuck = int(settle(graph, choices, forward[self._first], taken))
            if stuck == NONE:
                return self._settled(graph, choices, taken)
            wheel = int(self._first[stuck])
            self._first = np.concatenate([[wheel], np.delete(self._first, stuck)])
        pair = [self._nodes[node] for node in self._pairs[wheel].tolist()]
        raise DeadlockError(
            f"{_in_words(pair[0])} and {_in_words(pair[1])} are in each other's way in both orders",
            (pair[0].id, pair[1].id),
            tuple(node.resource for node in pair if node.label == START),
        )

    def _settled(self, graph: Graph, choices: Ints, taken: Ints) -> _Settled:
        starts = np.empty(len(self._nodes))
        latest = np.empty(len(self._nodes), dtype=np.int64)
        earliest(graph, self._durations, starts, latest)
        chosen = np.where(taken[:, None] == 0, choices[:, :2], choices[:, 2:])
        node = int((starts + self._durations).argmax())
        end = float(starts[node] + self._durations[node])
        critical: dict[int, None] = {}
        while latest[node] != NONE:
            rows = np.flatnonzero((chosen[:, 1] == node) & (chosen[:, 0] == latest[node]))
            critical.update(dict.fromkeys(rows.tolist()))
            node = int(latest[node])
        sides = np.empty(len(taken), dtype=np.int64)
        sides[self._first] = taken
        return _Settled(
            chosen=chosen,
            starts_s=starts,
            end_s=end,
            sides=sides,
            critical=tuple(dict.fromkeys(self._rules[self._first[row]] for row in critical)),
        )

    def rules_of(self, settled: _Settled) -> dict[Rule, bool]:
        """For every rule whether its first leg went first where it applied for the last time."""
        return {rule: bool(side == 0) for rule, side in zip(self._rules, settled.sides.tolist(), strict=True)}


def _rests(unrolled: Unrolled, numbers: Ints, volumes: Volumes) -> Ints:
    """By number of a leg's volume the number of the volume in which its arm rests afterwards."""
    legs = [node for chain in unrolled.chains.values() for node in chain]
    rests = np.zeros(int(numbers.max()) + 1, dtype=np.int64)
    for number in np.unique(numbers[legs]).tolist():
        rests[number] = volumes.rest(number)
    return rests


def _away(ones: Ints, twos: Ints, following: Ints, numbers: Ints, rests: Ints, volumes: Volumes) -> Ints:
    """For each pair the leg, the first one or later, after which its arm rests clear of the second; NONE if never."""
    away = ones.copy()
    todo = np.arange(len(ones))
    while len(todo):
        todo = todo[volumes.conflict(rests[numbers[away[todo]]], numbers[twos[todo]])]
        away[todo] = following[away[todo]]
        todo = todo[away[todo] != NONE]
    return away


def _in_words(node: Node) -> str:
    if node.label == START:
        return f"{node.resource} where it stands"
    return f"{node.resource} {node.label} of operation {node.operation} for {node.serial}"


def _rule(one: Node, two: Node) -> Rule:
    return one.operation, one.label, two.operation, two.label, two.joint - one.joint


def _graph(unrolled: Unrolled, arcs: frozenset[tuple[int, int]]) -> EventGraph:
    """The event graph with the least coordination arcs: of several from one arm to a leg only the latest counts."""
    place = {node: (arm, k) for arm, chain in unrolled.chains.items() for k, node in enumerate(chain)}
    latest: dict[tuple[str, int], int] = {}
    for before, after in arcs:
        key = place[before][0], after
        if key not in latest or place[before][1] > place[latest[key]][1]:
            latest[key] = before
    kept = {
        (before, after) for (_, after), before in latest.items() if before not in unrolled.predecessors[after]
    }
    predecessors = [set(before) for before in unrolled.predecessors]
    for before, after in kept:
        predecessors[after].add(before)
    return EventGraph(
        nodes=tuple(unrolled.nodes),
        predecessors=tuple(tuple(sorted(before)) for before in predecessors),
        coordination=frozenset(kept),
    )
