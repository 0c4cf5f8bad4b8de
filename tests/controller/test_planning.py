"""A cell planned from nothing, its decisions kept, and a dry run, all in this process."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cells.cell import Cell, load_cell
from cells.joint_model import load_joint_model
from cells.order import mixed_order
from controller import planning
from controller.app import WAITS_FILE, RunOptions, run, store_plan, verify_plan_files
from controller.choice import KeptChoice
from controller.planning import CellPlan, plan_cell
from controller.scheduling.build import InfeasibleCellError, build_mix, build_problem, slowest
from controller.scheduling.exact import prove
from controller.scheduling.mix import easiest_problem
from controller.scheduling.problem import NO_ARM, OFF_DIAL
from controller.scheduling.solve import solve

MODELS = tuple(load_joint_model(name) for name in ("Pro-NE30-30", "Pro-NU80-50-110", "Pro-PR60-100-80"))


@pytest.fixture(scope="module")
def cell() -> Cell:
    return load_cell("six_arm")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


@pytest.fixture(scope="module")
def plan(cell: Cell, kept: Path) -> CellPlan:
    """Planned with a short search."""
    order = mixed_order(MODELS, 10, np.random.default_rng(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_TRIED", 1)
        patch.setattr(planning, "_TRIED_JOINTS", 4)
        return plan_cell(cell, MODELS, order, lambda what, done, of: None, kept)


def test_every_joint_is_finished_in_turn_and_no_cycle_beats_the_bound(plan: CellPlan) -> None:
    finished = plan.motion.finished_s()
    assert len(finished) == 10
    steady = np.diff(finished)[:2]  # the dial is full until its last positions run empty
    assert steady.min() >= plan.lower_bound_s


def test_the_schedule_keeps_the_order_of_assembly_and_the_dial(cell: Cell, plan: CellPlan) -> None:
    schedule, problem = plan.motion.schedule, build_mix(cell, MODELS).problems[0]
    cycle = schedule.cycle_time
    for item in schedule.operations:
        assert item.start <= item.enter < item.leave <= item.end
        if item.mode.position != OFF_DIAL:
            opens = item.mode.position * cycle + problem.index_ticks
            assert opens - 1 <= item.enter
            assert item.leave <= (item.mode.position + 1) * cycle + 1
    for before, after in problem.same_joint_order():
        assert schedule[before].leave <= schedule[after].enter + 1
    for operations in schedule.arm_sequences:
        visits = sorted((schedule[name] for name in operations), key=lambda item: item.start % cycle)
        assert [item.operation for item in visits] != []
        for one, two in pairwise([*visits, visits[0]]):
            assert (two.start - one.start - 1) % cycle + 1 >= one.end - one.start - 1


def test_decisions_are_kept_and_used_again(
    cell: Cell, plan: CellPlan, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = KeptChoice(kept, cell, MODELS).read()
    assert choice is not None
    assert choice.schedule == plan.motion.schedule
    monkeypatch.setattr(planning, "build_mix", None)  # a second search would fail
    again = plan_cell(cell, MODELS, plan.motion.order, lambda what, done, of: None, kept)
    assert np.array_equal(again.motion.starts_s, plan.motion.starts_s)
    assert KeptChoice(kept, cell, MODELS[:2]).read() is None


def test_a_damaged_choice_is_as_good_as_none(cell: Cell, tmp_path: Path, plan: CellPlan, kept: Path) -> None:
    (file,) = kept.iterdir()
    (tmp_path / file.name).write_text(file.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert KeptChoice(tmp_path, cell, MODELS).read() is None


def test_an_operation_that_no_arm_can_do_is_named(tmp_path: Path) -> None:
    text = (Path(planning.__file__).parents[1] / "cells/cells/six_arm.toml").read_text(encoding="utf-8")
    place = 'id = "feeder_cap"\nkind = "feeder"\nx_m = -0.140\ny_m = -0.800'
    assert place in text
    file = tmp_path / "far.toml"
    file.write_text(
        text.replace(place, place.replace("-0.140", "3.0").replace("-0.800", "3.0")), encoding="utf-8"
    )
    with pytest.raises(InfeasibleCellError, match=r"(?s)operation 160 .* R1: \w+ is \d+ mm beyond its reach"):
        build_problem(load_cell(file), MODELS)


def test_times_are_those_of_the_slowest_model(cell: Cell) -> None:
    assert slowest(MODELS).name == "Pro-NU80-50-110"
    operations = {operation.name: operation for operation in build_problem(cell, MODELS).operations}
    assert all(mode.inside >= 14_000 for mode in operations["90"].modes)
    assert all(mode.arm == NO_ARM for mode in operations["170"].modes)


def test_the_bound_of_a_mix_holds_for_each_of_its_models(cell: Cell, plan: CellPlan) -> None:
    problems = build_mix(cell, MODELS).problems
    bound = prove(easiest_problem(problems)).lower_bound
    assert bound == round(plan.lower_bound_s * 1000)
    for problem in problems:
        assert bound <= solve(problem, rng=np.random.default_rng(0), iterations=5_000, restarts=1).cycle_time
    easier = [mode for operation in easiest_problem(problems).operations for mode in operation.modes]
    harder = [mode for operation in problems[1].operations for mode in operation.modes]
    assert any(one.inside < two.inside for one, two in zip(easier, harder, strict=True))


def test_a_dry_run_and_a_stored_plan(tmp_path: Path) -> None:
    options = RunOptions(
        cell="six_arm",
        models=(),
        joints=2,
        driver="fake",
        seed=0,
        target_s=30.0,
        out=tmp_path,
        command="jointcell run",
    )
    seen: list[tuple[int, int]] = []
    outcome = run(options, lambda what, done, of: None, lambda done, of: seen.append((done, of)))
    assert outcome.report.is_file()
    assert outcome.summary.met
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    (tmp_path / "plan").mkdir()
    promise = store_plan("six_arm", (), 2, 0, tmp_path / "plan", lambda what, done, of: None)
    assert "proven bound" in promise
    words = (tmp_path / "plan" / WAITS_FILE).read_text(encoding="utf-8").splitlines()
    assert f" {len(words)} arcs of coordination" in promise
    assert all(" waits for R" in line for line in words)
    verdict = verify_plan_files(tmp_path / "plan", lambda what, done, of: None)
    assert verdict.violations == ()
    assert verdict.measured.arms_m >= 0.02
