"""Settings for all tests: reproducible examples, and one cache of compiled kernels for the checkout."""

from pathlib import Path

from hypothesis import HealthCheck, settings

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

kinematics.use_cache(Path(__file__).parent.parent / ".jit_cache")
