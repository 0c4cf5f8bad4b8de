"""Random sequences of actions on an arm over a bad line, in virtual time: the invariants of `firmware_bridge.trials.rig`.

The long study is `jointcell bench serial`.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.trials.sequences import NAMES, STEPS, run_sequence, run_sequences


@settings(max_examples=120)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(NAMES), min_size=3, max_size=25))
def test_invariants_hold(seed: int, names: list[str]) -> None:
    run_sequence(seed, names)


def test_sequences_get_far_enough_to_mean_something() -> None:
    rng = np.random.default_rng(0)
    rigs = [run_sequence(seed, [str(name) for name in rng.choice(NAMES, STEPS)]) for seed in range(60)]
    assert sum(rig.ticks_followed > 0 for rig in rigs) >= 20
    assert len({result for rig in rigs for result in rig.results.values()}) >= 8


def test_a_study_of_sequences_finds_nothing() -> None:
    study = run_sequences(1_000_000, 200)
    assert study.broken == {}
    assert study.ticks > 20_000
