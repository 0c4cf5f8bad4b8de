"""The same seed gives the same run in another process; another seed another one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.traced_scene import run

pytestmark = pytest.mark.pybullet


def traced_elsewhere(seed: int) -> str:
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "tests.sim.traced_scene", str(seed)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    trace, real_time_factor = done.stdout.split()[-2:]
    print(f"seed {seed}: real-time factor {float(real_time_factor):.1f}")
    return trace


def traced_here(seed: int) -> str:
    with run(seed) as world:
        return world.trace_sha256()


def test_a_run_is_the_same_in_two_processes() -> None:
    here = traced_here(7)
    assert traced_elsewhere(7) == here
    assert traced_here(8) != here
