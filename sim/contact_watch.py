"""Forbidden contacts: whatever an arm or what it holds touches, unless it was allowed."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.engine import Engine

_TOUCH_M = 1e-5  # penetration that counts as a collision
_BODIES, _DISTANCE = slice(1, 3), 8  # fields of a contact point


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """Two things that should not have touched: when it began, and the deepest penetration."""

    time_s: float
    a: str
    b: str
    depth_m: float


class ContactWatch:
    """Looks at all contacts after every step; the groups of the engine keep them few.

    ``moving`` holds the bodies of arms and of what they hold: others may touch each other.
    """

    def __init__(self, engine: Engine, name: Callable[[int], str]) -> None:
        self.moving: set[int] = set()
        self._engine = engine
        self._name = name
        self._allowed: set[frozenset[int]] = set()
        self._parting: set[frozenset[int]] = set()  # allowed until they part
        self._touching: dict[tuple[str, str], Collision] = {}
        self._past: list[Collision] = []

    @property
    def collisions(self) -> list[Collision]:
        """Every forbidden contact so far, one entry from first touch to parting."""
        return [*self._past, *self._touching.values()]

    def allow(self, a: int, b: int) -> None:
        """Two bodies may touch from now on."""
        self._allowed.add(frozenset((a, b)))
        self._parting.discard(frozenset((a, b)))

    def forbid(self, a: int, b: int) -> None:
        """Two bodies must not touch any more."""
        self._allowed.discard(frozenset((a, b)))
        self._parting.discard(frozenset((a, b)))

    def forbid_once_parted(self, a: int, b: int) -> None:
        """Two bodies that may touch must not touch again when they have parted."""
        if frozenset((a, b)) in self._allowed:
            self._parting.add(frozenset((a, b)))

    def allowed(self, a: int, b: int) -> bool:
        """Whether two bodies may touch."""
        return frozenset((a, b)) in self._allowed

    def look(self, time_ns: int) -> None:
        """Note contacts that began, went on or ended in the step that ended at ``time_ns``."""
        points = self._engine.contacts()
        if self._parting:
            touching = {frozenset(point[_BODIES]) for point in points if -point[_DISTANCE] > 0.0}
            parted = self._parting - touching
            self._allowed -= parted
            self._parting -= parted
        if not points and not self._touching:
            return
        found: dict[tuple[str, str], float] = {}
        for point in points:
            depth, bodies = -point[_DISTANCE], frozenset(point[_BODIES])
            if depth > _TOUCH_M and bodies not in self._allowed and bodies & self.moving:
                pair = self._pair(*point[_BODIES])
                found[pair] = max(depth, found.get(pair, 0.0))
        for pair in [pair for pair in self._touching if pair not in found]:
            self._past.append(self._touching.pop(pair))
        for pair, depth in found.items():
            known = self._touching.get(pair)
            if known is None or depth > known.depth_m:
                began = time_ns * 1e-9 if known is None else known.time_s
                self._touching[pair] = Collision(time_s=began, a=pair[0], b=pair[1], depth_m=depth)

    def _pair(self, a: int, b: int) -> tuple[str, str]:
        first, second = sorted((self._name(a), self._name(b)))
        return first, second
