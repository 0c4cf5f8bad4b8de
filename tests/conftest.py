"""Settings for all tests: reproducible examples, and one cache of compiled kernels and plans for the checkout."""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

import controller.app  # noqa: F401  kernels of a run: with them the cache is that of the runs in processes of their own
import kinematics

settings.register_profile(
    "derandomized",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("derandomized")

# For this process and those that tests start: kernels are compiled, a cell is planned and the firmware is built once.
os.environ["XDG_CACHE_HOME"] = str(Path(__file__).parent.parent / ".jit_cache")
kinematics.use_cache()
