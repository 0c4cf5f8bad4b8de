"""Write the CELL6 instances of the bundled cells and solve them.

Usage: python docs/benchmarks/cell6/export.py
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cells.cell import load_cell
from cells.joint_model import joint_model_names, load_joint_model
from controller.scheduling.build import build_mix
from controller.scheduling.cell6 import instance_json, solution_json
from controller.scheduling.mix import Mix
from controller.scheduling.problem import SchedulingProblem
from controller.scheduling.solve_mix import solve_mix
from controller.scheduling.verify_mix import verify_mix

_FRONT = ("10", "30", "80", "90")
_PRESS = ("10", "30", "50", "60", "70")
_REAR = ("40", "120", "130", "140", "160", "170", "200")


def part(problem: SchedulingProblem, names: tuple[str, ...]) -> SchedulingProblem:
    """Only some operations; what comes before what stays so, through those left out."""
    after = {o.name: {b for a, b in problem.precedence if a == o.name} for o in problem.operations}
    for via in after:
        for a in after:
            after[a] |= after[via] if via in after[a] else set()
    return replace(
        problem,
        operations=tuple(o for o in problem.operations if o.name in names),
        precedence=tuple((a, b) for a in names for b in names if b in after[a]),
        buffers=tuple(b for b in problem.buffers if {*b.loads, b.unload} <= set(names)),
    )


def instances() -> Iterator[tuple[str, str, Mix]]:
    """Name, what it is, and the mix."""
    models = [load_joint_model(name) for name in joint_model_names()]
    six, four = (build_mix(load_cell(name), models) for name in ("six_arm", "four_types"))

    def pure(mix: Mix, kind: int, names: tuple[str, ...] | None = None) -> Mix:
        problem = mix.problems[kind]
        return Mix(problems=(problem if names is None else part(problem, names),), counts=(1,))

    def counts(mix: Mix, *numbers: int) -> Mix:
        kept = [(p, n) for p, n in zip(mix.problems, numbers, strict=True) if n]
        return Mix(problems=tuple(p for p, _ in kept), counts=tuple(n for _, n in kept))

    yield "c01-front", "four front operations, one kind", pure(six, 0, _FRONT)
    yield "c02-press", "five operations with the press, one kind", pure(six, 3, _PRESS)
    yield "c03-rear", "rear operations and the test, four types of arms", pure(four, 2, _REAR)
    yield "c04-small", "the whole recipe, the smallest joint", pure(six, 0)
    yield "c05-large", "the whole recipe, the largest joint", pure(six, 3)
    yield "c06-large-four", "the largest joint, four types of arms", pure(four, 3)
    yield "c07-pair", "two kinds in turn", counts(six, 1, 0, 0, 1)
    yield "c08-four", "four kinds in turn", counts(six, 1, 1, 1, 1)
    yield "c09-lopsided-large", "seven of ten joints are the largest", counts(six, 1, 1, 1, 7)
    yield "c10-lopsided-small", "seven of ten joints are the smallest", counts(six, 7, 1, 1, 1)
    yield (
        "c11-lopsided-four",
        "seven of ten joints are the largest, four types of arms",
        counts(four, 1, 1, 1, 7),
    )
    yield "c12-level", "twelve models, one joint each", counts(six, 2, 3, 4, 3)
    yield "c13-full", "all bundled models, one joint each", six
    yield "c14-full-four", "all bundled models, four types of arms", four
    yield "c15-double", "24 joints of twelve models", counts(six, 4, 6, 8, 6)


def main() -> None:
    """Write everything beside this file."""
    here = Path(__file__).parent
    for name, about, mix in instances():
        schedule = solve_mix(mix, rng=np.random.default_rng(0))
        assert verify_mix(mix, schedule) == [], name
        (here / f"{name}.json").write_text(instance_json(mix, name, about), encoding="utf-8")
        (here / f"{name}.solution.json").write_text(solution_json(schedule, name), encoding="utf-8")
        print(
            f"| {name} | {about} | {schedule.cycle_time:g} | {schedule.lower_bound} | {schedule.gap:.2%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
