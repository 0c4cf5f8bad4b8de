"""The published instances: read, checked by the stand-alone checker and by `verify_mix`, and spoilt in many ways."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from controller.scheduling.cell6 import instance_json, read_instance, read_solution, solution_json
from controller.scheduling.problem import ProblemError
from controller.scheduling.verify_mix import verify_mix

FOLDER = Path(__file__).parents[3] / "docs/benchmarks/cell6"
SOLUTIONS = sorted(FOLDER.glob("*.solution.json"))


def pair(path):
    return path.with_name(path.name.replace(".solution", "")).read_text(), path.read_text()


def checker():
    space = {"__name__": "check"}
    exec((FOLDER / "check.py").read_text(encoding="utf-8"), space)
    return space["check"]


def test_there_are_at_least_twelve():
    assert len(SOLUTIONS) >= 12


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_are_valid_and_stand_in_the_table(path):
    instance, solution = pair(path)
    mix = read_instance(instance)
    schedule = read_solution(solution, mix)
    assert verify_mix(mix, schedule) == []
    assert checker()(json.loads(instance), json.loads(solution)) == []
    name = json.loads(solution)["instance"]
    assert f"{schedule.cycle_time:g} | {schedule.lower_bound} |" in next(
        line for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith(f"| {name} ")
    )
    assert instance_json(mix, name, json.loads(instance)["about"]) == instance
    assert solution_json(schedule, name) == solution


def test_the_checker_agrees_with_verify_on_spoilt_solutions():
    rng, check = np.random.default_rng(0), checker()
    instance, solution = pair(FOLDER / "c08-four.solution.json")
    mix = read_instance(instance)
    broken = 0
    for _ in range(150):
        spoilt = json.loads(solution)
        visit = spoilt["visits"][rng.integers(4)][rng.integers(18)]
        visit[3] += int(rng.choice([-1, 1, -2000, 2000, 24530]))
        violations = verify_mix(mix, read_solution(json.dumps(spoilt), mix))
        assert bool(violations) == bool(check(json.loads(instance), spoilt))
        broken += bool(violations)
    assert 75 < broken < 150


def test_the_checker_runs_alone(tmp_path):
    names = [str(FOLDER / f"c01-front{end}.json") for end in ("", ".solution")]
    done = subprocess.run(
        [sys.executable, "-I", str(FOLDER / "check.py"), *names], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout[:16]) == (0, "c01-front: valid")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 2}', "[" * 100_000])
def test_what_is_no_instance_is_refused(text):
    with pytest.raises(ProblemError):
        read_instance(text)
    with pytest.raises(ProblemError, match="not a CELL6 solution"):
        read_solution(text, read_instance(pair(SOLUTIONS[0])[0]))
