import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kinematics
from kinematics import jit
from kinematics.cache import use_cache
from tests.kinematics.samples import INTERPRETED


@pytest.fixture
def restored_cache():
    before = list(jit._cache)
    yield
    jit.keep_in(before[0])


def test_every_public_name_exists_and_is_documented():
    assert list(kinematics.__all__) == sorted(
        kinematics.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n)
    )
    for name in kinematics.__all__:
        assert getattr(kinematics, name).__doc__


def test_warm_up_reports_each_step():
    steps = []
    kinematics.warm_up(lambda name, i, n: steps.append((name, i, n)))
    assert [i for _, i, _ in steps] == list(range(steps[0][2]))
    assert len({name for name, _, _ in steps}) == len(steps)
    assert gc.isenabled()


def test_warm_up_leaves_the_collection_of_garbage_as_it_was():
    gc.disable()
    try:
        kinematics.warm_up()
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_each_kernel_is_compiled_once_and_for_all():
    """Public use after the warm-up, with read-only and other inputs, compiles nothing more."""
    program = """
import numpy as np, kinematics
import controller.app  # with all its kernels, the cache is that of the tests
from kinematics import jit
kinematics.use_cache()
kinematics.warm_up()
from tests.kinematics import test_search, test_straight_line, test_sweep
test_search.test_way_around_a_wall_is_found_and_free(1, 60)
test_straight_line.test_flange_stays_on_the_line_within_all_limits("down")
test_sweep.test_an_arm_at_rest_sweeps_itself_only()
for k in jit._kernels:
    assert len(k.signatures) <= 1, (k, k.signatures)  # none: inlined in a cached caller
"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


def test_cache_folder_is_named_by_the_sources(tmp_path, monkeypatch, restored_cache):
    folder = use_cache(tmp_path)
    assert folder.parent == tmp_path
    assert folder.is_dir()
    assert use_cache(tmp_path) == folder
    monkeypatch.setattr("kinematics.cache.sources", lambda: [Path(__file__)])
    assert use_cache(tmp_path) != folder
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert use_cache().parent == tmp_path / "home" / "jointcell"


def test_a_kernel_made_later_uses_the_cache(tmp_path, restored_cache):
    folder = use_cache(tmp_path)

    @jit.kernel
    def double(x):
        for i in range(len(x)):
            x[i] *= 2.0

    jit._kernels.pop()
    x = np.ones(3)
    double(x)
    assert x.tolist() == [2.0, 2.0, 2.0]
    assert INTERPRETED or any(folder.rglob("*.nbi"))


def test_an_unwritable_folder_is_replaced(tmp_path, monkeypatch, restored_cache):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    folder = use_cache(blocked)
    assert tmp_path not in folder.parents
    assert os.access(folder, os.W_OK)
    shutil.rmtree(folder)
