"""Random sequences of actions on an arm over a bad line: every invariant of `rig`, again and again."""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.trials.rig import Rig

NAMES = [name for name, often in Rig.ACTIONS.items() for _ in range(often)]
STEPS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """What was run.

    Attributes:
        count: Sequences.
        ticks: Ticks of 1 ms in which an arm followed a path.
        broken: Seeds of sequences in which something did not hold, with the words.
    """

    count: int
    ticks: int
    broken: dict[int, str]


def run_sequence(seed: int, names: list[str]) -> Rig:
    """Power an arm up, let these things happen to it, wait.

    Raises:
        AssertionError: When something does not hold.
    """
    rig = Rig(seed)
    rig.enable()
    for name in names:
        rig.act(name)
    rig.run(200_000)
    return rig


def drawn(seed: int) -> list[str]:
    """The actions of a seed."""
    return [str(name) for name in np.random.default_rng([1, seed]).choice(NAMES, STEPS)]


def run_sequences(first: int, count: int) -> Sequences:
    """Sequences of these seeds."""
    ticks, broken = 0, dict[int, str]()
    for seed in range(first, first + count):
        try:
            ticks += run_sequence(seed, drawn(seed)).ticks_followed
        except AssertionError as error:
            broken[seed] = str(error)
    return Sequences(count=count, ticks=ticks, broken=broken)
