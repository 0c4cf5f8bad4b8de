"""Coordination on small made-up cells: arms walk over cells of a board, and no two may ever stand on one.

A leg covers the cells of its start and its end and sometimes one more; resting covers its last cell. Everything
is judged by playing the plan with random lateness and looking who stands where, and by trying out all orders of
small cases.
"""

from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.motion.coordinate import Coordinated, DeadlockError, coordinate
from controller.motion.event_graph import EventGraph, Node
from controller.motion.unroll import Unrolled

Ints = NDArray[np.int64]
Cells = frozenset[int]
FOREVER_S = 1e9


@dataclass
class Board:
    """Stands for `controller.motion.volumes.Volumes`: a volume is a set of cells."""

    volumes: list[Cells] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)  # volume of a leg -> its last cell

    def add(self, cells: Cells, end: int) -> int:
        self.volumes.append(cells)
        self.ends[len(self.volumes) - 1] = end
        return len(self.volumes) - 1

    def rest(self, number: int) -> int:
        return self.add(frozenset({self.ends[number]}), self.ends[number])

    def conflict(self, ones: Ints, twos: Ints) -> NDArray[np.bool_]:
        pairs = zip(ones.tolist(), twos.tolist(), strict=True)
        return np.array([bool(self.volumes[i] & self.volumes[j]) for i, j in pairs], dtype=np.bool_)


@dataclass(frozen=True, kw_only=True)
class Play:
    """A made-up cell: its unrolled legs, and where they are on the board."""

    unrolled: Unrolled
    numbers: Ints
    board: Board

    def covered(self, node: int) -> Cells:
        return self.board.volumes[self.numbers[node]]

    def end(self, node: int) -> Cells:
        return frozenset({self.board.ends[int(self.numbers[node])]})


def random_play(rng: np.random.Generator, arms: int, legs: int, size: int, waiting: float = 0.15) -> Play:
    """Arms that begin and end at homes of their own, walk about on shared cells and sometimes wait for another."""
    unrolled, board, numbers = Unrolled(), Board(), []
    plans = {}
    for arm in range(arms):
        home = size + arm
        stops = [home, *(int(cell) for cell in rng.integers(0, size, legs - 2)), home]
        plans[f"R{arm}"] = stops
        unrolled.chains[f"R{arm}"] = []
    for k in range(legs):
        for arm in range(arms):
            name = f"R{arm}"
            chain, stops = unrolled.chains[name], plans[name]
            # The first node is standing at home, as the first leg of a plan is.
            here = stops[max(0, k - 1)]
            there = stops[k] if k else here
            node = len(unrolled.nodes)
            before = set(chain[-1:])
            if k and rng.random() < waiting:
                before.add(int(rng.integers(0, node)))
            unrolled.nodes.append(
                Node(
                    id=node,
                    resource=name,
                    label=f"leg {k}",
                    duration_s=float(rng.uniform(0.2, 2.0)) if k else 0.0,
                    operation=name,
                    joint=0,
                )
            )
            unrolled.predecessors.append(before)
            chain.append(node)
            over = {int(rng.integers(0, size))} if k and rng.random() < 0.5 else set()
            numbers.append(board.add(frozenset({here, there} | over), there))
    return Play(unrolled=unrolled, numbers=np.array(numbers, dtype=np.int64), board=board)


def coordinated(play: Play, **more: object) -> Coordinated:
    return coordinate(play.unrolled, play.numbers, play.board, FOREVER_S, **more)  # type: ignore[arg-type]


def times(graph: EventGraph, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Start and end of every node when each starts late by something, or not at all."""
    played: dict[int, tuple[float, float]] = {}
    for node in graph.order().tolist():
        late = float(rng.exponential(3.0)) if rng.random() < 0.4 else 0.0
        begin = max((played[before][1] for before in graph.predecessors[node]), default=0.0) + late
        longer = float(rng.exponential(1.0)) if rng.random() < 0.3 else 0.0
        played[node] = (begin, begin + graph.nodes[node].duration_s + longer)
    return [played[node] for node in range(len(graph.nodes))]


def stays(
    play: Play, chain: list[int], played: list[tuple[float, float]]
) -> list[tuple[float, float, Cells]]:
    """Where an arm is, and from when to when: its legs, and its rests before, between and after them."""
    first = chain[0]
    found = [(0.0, played[first][0], play.covered(first))]
    for node, following in zip(chain, [*chain[1:], None], strict=True):
        begin, end = played[node]
        until = played[following][0] if following is not None else FOREVER_S
        found += [(begin, end, play.covered(node)), (end, until, play.end(node))]
    return found


def assert_apart(play: Play, graph: EventGraph, rng: np.random.Generator) -> None:
    """Nobody stands where somebody else stands, at any time."""
    played = times(graph, rng)
    everyone = [stays(play, chain, played) for chain in play.unrolled.chains.values()]
    for one, two in combinations(everyone, 2):
        for begin, end, cells in one:
            for other_begin, other_end, other_cells in two:
                together = min(end, other_end) - max(begin, other_begin)
                assert together <= 1e-9 or not cells & other_cells, f"{sorted(cells & other_cells)} is shared"


@pytest.mark.parametrize("seed", range(60))
def test_no_two_arms_are_ever_in_one_place_whoever_is_late(seed: int) -> None:
    rng = np.random.default_rng(seed)
    play = random_play(rng, int(rng.integers(2, 5)), int(rng.integers(3, 7)), 8)
    found = coordinated(play)
    for _ in range(20):
        assert_apart(play, found.graph, rng)


def all_choices(play: Play) -> list[tuple[tuple[int, int], ...]]:
    """For every pair of legs in each other's way the arcs to choose from, by the rule written down plainly."""
    place = {node: (name, k) for name, chain in play.unrolled.chains.items() for k, node in enumerate(chain)}

    def first(one: int, two: int) -> tuple[tuple[int, int], ...]:
        name, k = place[one]
        for node in play.unrolled.chains[name][k:]:
            if not play.end(node) & play.covered(two):
                return ((node, two),)
        return ()

    return [
        first(one, two) + first(two, one)
        for a, b in combinations(play.unrolled.chains.values(), 2)
        for one, two in product(a, b)
        if play.covered(one) & play.covered(two)
    ]


def makespan(play: Play, arcs: tuple[tuple[int, int], ...]) -> float | None:
    """When all is done with these arcs; None when they close a circle."""
    before = [set(own) for own in play.unrolled.predecessors]
    for tail, head in arcs:
        before[head].add(tail)
    ends: dict[int, float] = {}
    left = set(range(len(before)))
    while left:
        ready = [node for node in left if before[node] <= ends.keys()]
        if not ready:
            return None
        for node in ready:
            start = max((ends[other] for other in before[node]), default=0.0)
            ends[node] = start + play.unrolled.nodes[node].duration_s
            left.discard(node)
    return max(ends.values())


def best_of_all(play: Play) -> float | None:
    """The shortest makespan of all orders, by trying every one; None when there is none."""
    spans = (makespan(play, arcs) for arcs in product(*dict.fromkeys(all_choices(play))))
    return min((span for span in spans if span is not None), default=None)


def small_play(seed: int) -> Play | None:
    """A case with few enough pairs to try all their orders."""
    play = random_play(np.random.default_rng(1000 + seed), 2, 5, 4, waiting=0.5)
    choices = dict.fromkeys(all_choices(play))
    return play if 0 < len(choices) <= 9 else None


SMALL = [(seed, play) for seed in range(400) if (play := small_play(seed)) is not None]


def test_there_are_enough_small_cases_of_both_kinds() -> None:
    feasible = sum(best_of_all(play) is not None for _, play in SMALL)
    assert feasible >= 20
    assert len(SMALL) - feasible >= 2


@pytest.mark.parametrize("play", [play for _, play in SMALL], ids=[str(seed) for seed, _ in SMALL])
def test_an_order_is_found_exactly_when_there_is_one(play: Play) -> None:
    best = best_of_all(play)
    if best is None:
        with pytest.raises(DeadlockError, match="are in each other's way in both orders"):
            coordinated(play)
        return
    found = coordinated(play, improvements=30)
    end_s = max(
        start + node.duration_s for start, node in zip(found.starts_s, play.unrolled.nodes, strict=True)
    )
    assert end_s >= best - 1e-9
    assert end_s == pytest.approx(makespan(play, tuple(found.graph.coordination)))


def test_improving_never_makes_it_longer_and_comes_near_to_the_best() -> None:
    plain, improved, best = [], [], []
    for _, play in SMALL:
        shortest = best_of_all(play)
        if shortest is None:
            continue
        best.append(shortest)
        for improvements, ends in ((0, plain), (30, improved)):
            found = coordinated(play, improvements=improvements)
            durations = np.array([node.duration_s for node in play.unrolled.nodes])
            ends.append(float((found.starts_s + durations).max()))
            assert (found.turned > 0) <= (improvements > 0)
    assert all(after <= before + 1e-9 for before, after in zip(plain, improved, strict=True))
    assert sum(improved) <= 1.02 * sum(best)
    assert sum(improved) < sum(plain)


@pytest.mark.parametrize("seed", range(20))
def test_planned_starts_are_those_of_the_graph(seed: int) -> None:
    play = random_play(np.random.default_rng(seed), 3, 4, 10)
    found = coordinated(play)
    assert found.starts_s == pytest.approx(found.graph.planned_starts())
    own = [set(before) for before in play.unrolled.predecessors]
    for node, before in enumerate(found.graph.predecessors):
        added = {(other, node) for other in before if other not in own[node]}
        assert added <= found.graph.coordination


@pytest.mark.parametrize("seed", range(10))
def test_rules_found_once_give_the_same_order_again(seed: int) -> None:
    play = random_play(np.random.default_rng(seed), 3, 4, 10)
    first = coordinated(play, improvements=20)
    again = coordinated(play, rules=first.rules)
    assert again.graph.coordination == first.graph.coordination
    assert again.turned == 0


def test_the_horizon_leaves_far_pairs_out() -> None:
    play = random_play(np.random.default_rng(2), 3, 6, 4)
    near, far = (
        coordinate(play.unrolled, play.numbers, play.board, horizon).conflicts  # type: ignore[arg-type]
        for horizon in (0.5, FOREVER_S)
    )
    assert (
        near
        < far
        == sum(
            bool(play.covered(one) & play.covered(two))
            for a, b in combinations(play.unrolled.chains.values(), 2)
            for one, two in product(a, b)
        )
    )


@dataclass
class HoldingBoard(Board):
    """A board on which an arm covers more at rest than on its way: it has gripped a part at the end."""

    held: dict[int, Cells] = field(default_factory=dict)  # by last cell of a leg

    def rest(self, number: int) -> int:
        end = self.ends[number]
        return self.add(self.held.get(end, frozenset({end})), end)


def two_arms(
    board: Board,
    stops: dict[str, tuple[int, ...]],
    waits: dict[int, int],
    held: dict[int, Cells] | None = None,
) -> Play:
    """Two arms that stand and then walk; ``waits`` are arcs from one node to another."""
    unrolled, numbers = Unrolled(), []
    for name, cells in stops.items():
        chain: list[int] = []
        for here, there in zip((cells[0], *cells), cells, strict=False):
            node = Node(
                id=len(numbers),
                resource=name,
                label=f"to {there}",
                duration_s=1.0 if chain else 0.0,
                operation="10",
                serial="J0001",
            )
            unrolled.nodes.append(node)
            unrolled.predecessors.append(set(chain[-1:]))
            chain.append(node.id)
            covered = frozenset({here, there}) | (held or {}).get(here, frozenset())
            numbers.append(board.add(covered, there))
        unrolled.chains[name] = chain
    for before, after in waits.items():
        unrolled.predecessors[after].add(before)
    return Play(unrolled=unrolled, numbers=np.array(numbers), board=board)


def test_an_arm_that_stands_in_the_way_from_the_beginning_cannot_be_passed() -> None:
    # R1 stands on 1 and may go only when R2 has walked over 1: there is no order.
    play = two_arms(Board(), {"R1": (1, 0), "R2": (2, 1, 3)}, {4: 1})
    with pytest.raises(DeadlockError):
        coordinated(play)


def test_an_arm_that_rests_with_a_part_it_has_just_gripped_is_not_passed_too_near() -> None:
    # R1 grips on 0 a part that also fills 1, and carries it away late; R2 walks over 1 in between.
    held = {0: frozenset({0, 1})}
    play = two_arms(HoldingBoard(held=held), {"R1": (5, 0, 6), "R2": (7, 1, 8)}, {5: 2}, held)
    grip, gone = 1, 5
    assert gone in coordinated(play).graph.predecessors[grip]


def test_two_arms_that_have_to_swap_places_are_named() -> None:
    board, unrolled = Board(), Unrolled()
    numbers = []
    for name, stops in (("R1", (0, 1)), ("R2", (1, 0))):
        node = Node(
            id=len(numbers), resource=name, label="swap", duration_s=1.0, operation="10", serial="J0001"
        )
        unrolled.nodes.append(node)
        unrolled.predecessors.append(set())
        unrolled.chains[name] = [node.id]
        numbers.append(board.add(frozenset(stops), stops[1]))
    play = Play(unrolled=unrolled, numbers=np.array(numbers), board=board)
    with pytest.raises(DeadlockError, match=r"^R1 swap of operation 10 for J0001 and R2 swap of") as caught:
        coordinated(play)
    assert caught.value.nodes == (0, 1)
