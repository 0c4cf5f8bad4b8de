"""The order in which joint models enter the cell."""

from collections.abc import Sequence

import numpy as np

from cells.joint_model import JointModel


def mixed_order(models: Sequence[JointModel], count: int, rng: np.random.Generator) -> tuple[JointModel, ...]:
    """A level mix of ``count`` joints: every model once per round, each round in a new random order."""
    rounds = -(-count // len(models))
    shuffled = [models[index] for _ in range(rounds) for index in rng.permutation(len(models))]
    return tuple(shuffled[:count])
