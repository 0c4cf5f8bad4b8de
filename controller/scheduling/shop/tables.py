"""A shop as arrays for the kernels."""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controller.scheduling.shop.graph import Int64Array, NodeArray, PlainShop
from controller.scheduling.shop.problem import ShopProblem

NEVER = 1 << 62


class AnyShop(NamedTuple):
    """A shop with every feature: n operations, m resources, M modes, U uses."""

    release: Int64Array  # (n,) earliest start [ticks]
    due: Int64Array  # (n,) latest end [ticks], or NEVER
    before_from: Int64Array  # (n + 1,) slices of the predecessors
    before: Int64Array
    after_from: Int64Array  # (n + 1,) slices of the successors
    after: Int64Array
    mode_from: Int64Array  # (n + 1,) slices of the modes
    mode_duration: Int64Array  # (M,) [ticks]
    use_from: Int64Array  # (M + 1,) slices of the uses
    use: Int64Array  # (U, 4) resource, state on entering, state on leaving, whether it holds
    setup_from: Int64Array  # (m + 1,) slices of the setup times, row by row
    setup_width: Int64Array  # (m,) length of a row
    setup: Int64Array  # [ticks]


def any_shop(problem: ShopProblem) -> AnyShop:
    """The arrays of a shop."""
    operations = problem.operations
    modes = [mode for operation in operations for mode in operation.modes]
    before_from, before = _slices(len(operations), [(b, a) for a, b in problem.precedence])
    after_from, after = _slices(len(operations), problem.precedence)
    setups = [resource.setup for resource in problem.resources]
    sizes = [len(job.operations) for job in problem.jobs]
    return AnyShop(
        release=np.repeat(_array([job.release for job in problem.jobs]), sizes),
        due=np.repeat(_array([NEVER if job.due is None else job.due for job in problem.jobs]), sizes),
        before_from=before_from,
        before=before,
        after_from=after_from,
        after=after,
        mode_from=_starts([len(operation.modes) for operation in operations]),
        mode_duration=_array([mode.duration for mode in modes]),
        use_from=_starts([len(mode.uses) for mode in modes]),
        use=_array([(u.resource, u.enter, u.leave, u.hold) for mode in modes for u in mode.uses]).reshape(
            -1, 4
        ),
        setup_from=_starts([len(setup) * len(setup[0]) if setup else 0 for setup in setups]),
        setup_width=_array([len(setup[0]) if setup else 0 for setup in setups]),
        setup=_array([ticks for setup in setups for row in setup for ticks in row]),
    )


def plain_shop(shop: AnyShop) -> PlainShop:
    """The arrays of a plain shop for the fast core."""
    before, more_before_at, more_before = _first_apart(shop.before_from, shop.before)
    after, more_after_at, more_after = _first_apart(shop.after_from, shop.after)
    return PlainShop(
        release=shop.release,
        before=before,
        more_before_at=more_before_at,
        more_before=more_before,
        after=after,
        more_after_at=more_after_at,
        more_after=more_after,
        last=np.flatnonzero(after == len(after)),
        mode_from=shop.mode_from,
        mode_resource=np.ascontiguousarray(shop.use[:, 0]),
        mode_duration=shop.mode_duration,
    )


def _array(values: object) -> Int64Array:
    return np.array(values, dtype=np.int64)


def _starts(lengths: list[int]) -> Int64Array:
    return _array(list(accumulate(lengths, initial=0)))


def _slices(n: int, pairs: npt.ArrayLike) -> tuple[Int64Array, Int64Array]:
    """Second members of distinct pairs, grouped by the first: starts of the groups and the members."""
    table = np.unique(_array(pairs).reshape(-1, 2), axis=0)
    return np.searchsorted(table[:, 0], np.arange(n + 1)), np.ascontiguousarray(table[:, 1])


def _first_apart(starts: Int64Array, members: Int64Array) -> tuple[NodeArray, Int64Array, NodeArray]:
    """The first member of each group, or n; where the list of its others begins; the lists, each ended by n."""
    n = len(starts) - 1
    first, at, others = np.full(n, n, np.uint32), np.zeros(n, np.int64), [n]
    for v in range(n):
        group = members[starts[v] : starts[v + 1]].tolist()
        if group:
            first[v] = group[0]
        if len(group) > 1:
            at[v] = len(others)
            others += [*group[1:], n]
    return first, at, np.array(others, np.uint32)
