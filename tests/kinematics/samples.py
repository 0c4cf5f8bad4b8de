"""How many samples a test takes: fewer where kernels run interpreted."""

import os

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT") == "1"


def few_if_interpreted(many, few):
    return few if INTERPRETED else many
