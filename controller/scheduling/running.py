"""The state of a running cell as scheduling sees it, what it may lose, and the order in which work is finished.

The state is one of rest: visits under way have been finished, and of an arm that failed the visit it was in does not
count as done (nor do the loads of an item that it has taken out of a buffer).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from controller.scheduling.problem import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class JointInWork:
    """A joint on the dial, or one to come for which something is loaded already.

    Attributes:
        kind: Its kind in the mix.
        position: Dial position; -1 enters with the next index, -2 with the one after.
        done: Names of the operations that it has behind it.
    """

    kind: int
    position: int
    done: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCell:
    """What is in work. A buffer holds the item of the joint whose loads, but not whose unload, are done.

    Attributes:
        joints: All joints in work, each at a position of its own.
        arm_poses: For each arm the number of the end pose at which it rests.
        ready: Ticks until what a buffer processes may be taken, by buffer; 0 where left out.
    """

    joints: tuple[JointInWork, ...]
    arm_poses: tuple[int, ...]
    ready: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What the cell has to do without: any of an arm, a station (a buffer or a nest's position), a kind of joint.

    Joints in work of a dropped kind are finished; no more of them enter.
    """

    arm: int | None = None
    buffer: str | None = None
    position: int | None = None
    kind: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishingVisit:
    """One operation on one joint in work, in ticks from the beginning of the repair.

    `cycle` counts the indices before it; times as in `ScheduledOperation`.
    """

    joint: int
    operation: str
    mode: Mode
    cycle: int
    start: int
    enter: int
    leave: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrapped:
    """A joint that cannot be finished, and why. It is still taken off the dial."""

    joint: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """How what is in work is finished.

    Attributes:
        visits: In an order in which each waits only for earlier ones.
        indices: Start of each index [ticks]; the first ends cycle 0.
        scrapped: Joints that cannot be finished.
    """

    visits: tuple[FinishingVisit, ...]
    indices: tuple[int, ...]
    scrapped: tuple[Scrapped, ...]
