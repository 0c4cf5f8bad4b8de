"""Random cells of six bundled arms: each is planned, or the reason why it cannot be is named."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cells.arm import arm_names, load_arm
from cells.cell import load_cell
from cells.files import locate
from cells.joint_model import JointModel, load_joint_model
from controller.bench.plan_mix import CELL
from controller.bench.row import Figure, Options, Row
from controller.explanation import explanation_of
from controller.motion.plan_files import read_plan, write_plan
from controller.motion.plan_records import cell_record
from controller.motion.verify import verify_plan
from controller.planning import plan_cell

_MODELS = ("Pro-PR60-100-80", "Pro-NE30-50-70")
_JOINTS = 4
_RADIUS_M = (0.84, 0.94)  # of the bases from the dial's axis; 0.90 in the bundled cell
_LOAD_KG = 4.2  # of the tool with the heaviest joint; arms that cannot carry it say so at once
_TURN_DEG = 6.0  # aside of their places on that circle, and of looking at the axis


def rows(options: Options) -> Iterator[Row]:
    """So many layouts; each plan is verified."""
    count = 2 if options.quick else 20
    rng = np.random.default_rng(options.seed)
    models = tuple(load_joint_model(name) for name in _MODELS)
    planned, unexplained, wrong = 0, [], []
    reasons: Counter[str] = Counter()
    began = time.thread_time()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder) / f"layout{number}.toml"
            path.write_text(layout(rng, same=number % 2 == 0), encoding="utf-8")
            try:
                wrong += _planned(path, models)
                planned += 1
            except Exception as error:
                reason = explanation_of(error)
                if reason is None:
                    unexplained.append(f"{type(error).__name__}: {error}")
                else:
                    reasons[reason.replace(folder, "").splitlines()[0]] += 1
    seconds = time.thread_time() - began
    yield Figure(
        name=f"random six-arm layouts, {count}: neither planned nor explained",
        value=len(unexplained),
        goal=0,
        must_hold=True,
        note=f"{planned} planned in {seconds:.0f} s with all others; "
        + ("; ".join(unexplained) or "; ".join(f"{n} x {reason}" for reason, n in reasons.most_common(6))),
    )
    yield Figure(
        name="random six-arm layouts: plans with violations",
        value=len(wrong),
        goal=0,
        must_hold=True,
        note="; ".join(wrong[:3]),
    )


def layout(rng: np.random.Generator, *, same: bool) -> str:
    """A cell file: the bundled cell's dial and stations, arms of random models (or all of one) near their places."""
    text = locate(CELL, "cells")[0].read_text(encoding="utf-8")
    head, rest = text.split("[[arms]]", 1)
    stations = "[[stations]]" + rest.split("[[stations]]", 1)[1]
    names = [name for name in arm_names() if load_arm(name).payload_kg >= _LOAD_KG]
    model = str(rng.choice(names))
    arms = []
    for index in range(6):
        radius = rng.uniform(*_RADIUS_M)
        around = 60.0 * index + rng.uniform(-_TURN_DEG, _TURN_DEG)
        yaw = (around + 180.0 + rng.uniform(-_TURN_DEG, _TURN_DEG)) % 360.0
        x, y = radius * np.cos(np.radians(around)), radius * np.sin(np.radians(around))
        arms.append(
            f'[[arms]]\nid = "R{index + 1}"\nmodel = "{model if same else rng.choice(names)}"\ntool = "hybrid"\n'
            f"base = {{ x_m = {x:.4f}, y_m = {y:.4f}, yaw_deg = {yaw:.2f} }}\n"
        )
    return head + "\n".join(arms) + "\n" + stations


def _planned(path: Path, models: tuple[JointModel, ...]) -> list[str]:
    """Plan a cell and verify the plan; its violations."""
    cell = load_cell(path)
    order = [models[k % len(models)] for k in range(_JOINTS)]
    plan = plan_cell(cell, models, order, lambda what, done, of: None)
    write_plan(path.parent / path.stem, plan.motion, cell, path)
    verdict = verify_plan(read_plan(path.parent / path.stem), cell, cell_record(cell, path), models)
    return [f"{path.stem}: {violation}" for violation in verdict.violations]
