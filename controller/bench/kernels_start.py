"""Rows for the start: compiling all kernels once, and a start with compiled kernels."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controller.bench.row import Figure, Options, Row

_FIRST_RESULT = """
import sys, time
began = time.process_time(), time.perf_counter()
import kinematics
kinematics.use_cache(sys.argv[1])
if sys.argv[2] == "all":
    kinematics.warm_up()
else:
    arm = kinematics.Chain(a1=0, a2=0, b=0, c1=0.4, c2=0.4, c3=0.4, c4=0.1, offsets=[0] * 6, signs=[1] * 6,
                           q_min=[-3] * 6, q_max=[3] * 6)
    kinematics.inverse_kinematics(arm, kinematics.forward_kinematics(arm, [0.0, 0.3, 1.2, 0.0, 0.6, 0.0]))
print(time.process_time() - began[0], time.perf_counter() - began[1])
"""


def rows(options: Options) -> Iterator[Row]:
    """Each in processes of its own with a cache of its own, imports included, in seconds of processor time."""
    with tempfile.TemporaryDirectory() as folder:
        cold = _run(folder, "all")
        warm = min(_run(folder, "first") for _ in range(1 if options.quick else 3))
    yield Figure(name="compiling all kernels of kinematics once", value=cold, unit="s of CPU", goal=20.0)
    yield Figure(name="first result with compiled kernels", value=warm, unit="s of CPU", goal=1.0)


def _run(folder: str, what: str) -> float:
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", _FIRST_RESULT, folder, what],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(run.stdout.split()[0])
