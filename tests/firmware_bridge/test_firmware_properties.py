"""Random sequences of actions on an arm over a bad line, in virtual time: the invariants of `firmware_bridge.trials.rig`.

The long study: ``JOINTCELL_SEQUENCES=100000 python -m pytest -s -m slow
tests/firmware_bridge/test_firmware_properties.py``.
"""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.trials.rig import Rig

NAMES = [name for name, often in Rig.ACTIONS.items() for _ in range(often)]
STEPS = 15


def run_sequence(seed: int, names: list[str]) -> Rig:
    rig = Rig(seed)
    rig.enable()
    for name in names:
        rig.act(name)
    rig.run(200_000)
    return rig


@settings(max_examples=120)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(NAMES), min_size=3, max_size=25))
def test_invariants_hold(seed: int, names: list[str]) -> None:
    run_sequence(seed, names)


def test_sequences_get_far_enough_to_mean_something() -> None:
    rng = np.random.default_rng(0)
    rigs = [run_sequence(seed, [str(name) for name in rng.choice(NAMES, STEPS)]) for seed in range(60)]
    assert sum(rig.ticks_followed > 0 for rig in rigs) >= 20
    assert len({result for rig in rigs for result in rig.results.values()}) >= 8


SEQUENCES = int(os.environ.get("JOINTCELL_SEQUENCES", "0"))


@pytest.mark.slow
@pytest.mark.skipif(not SEQUENCES, reason="JOINTCELL_SEQUENCES says how many sequences")
@pytest.mark.timeout(100_000)
def test_invariants_hold_in_many_sequences() -> None:
    ticks = 0
    for seed in range(SEQUENCES):
        rng = np.random.default_rng([1, seed])
        rig = run_sequence(seed, [str(name) for name in rng.choice(NAMES, STEPS)])
        ticks += rig.ticks_followed
        if seed % 1000 == 999:
            print(f"{seed + 1} sequences, {ticks} ticks of motion", flush=True)
