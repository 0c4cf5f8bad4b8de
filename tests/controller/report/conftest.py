"""A made-up run: a cell that never existed, with enough of everything to fill a report."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from controller.report.html import Origin, Scope
from controller.report.summary import ArmRecord, EndOfLineValue, JointRecord, summarise
from controller.report.timeline import Span, Timeline
from sim.end_of_line import EndOfLineLimits, end_of_line_test
from sim.joint_under_test import Assembly, draw

CYCLE_S = 24.7
INDEX_S = 1.2
# resource: (operation, start in the cycle, length, joints behind the one that is finished)
PLAN = {
    "A1": [
        ("Housing, adhesive", 1.4, 9.0, 7),
        ("Stator, press", 10.9, 8.6, 7),
        ("Hub to press", 20.1, 3.3, 7),
    ],
    "A2": [("Rotor", 1.6, 8.3, 6), ("Circular spline screws", 10.3, 13.9, 6)],
    "A3": [("Wave generator", 1.5, 9.2, 5), ("Flexspline set", 11.1, 9.6, 5), ("Fetch flange", 21.1, 3.0, 4)],
    "A4": [("Output screws", 1.8, 7.6, 4), ("Place flange", 9.9, 3.5, 4), ("Driver board", 13.9, 9.9, 3)],
    "A5": [("Brake", 1.7, 6.9, 3), ("Phase leads", 9.0, 6.4, 3), ("Connectors", 15.8, 8.3, 2)],
    "A6": [("Unload", 1.4, 4.8, 0), ("End cap, screws", 6.6, 9.4, 1), ("Circular spline", 16.5, 7.7, 6)],
    "Press": [("Bearings", 2.0, 6.0, 7)],
    "Bench": [("Flange screws", 3.0, 9.0, 4)],
    "Test nest": [("A bus", 1.5, 6.6, 0), ("B no load", 8.2, 5.6, 0), ("C load loops", 13.9, 5.8, 0)],
}
REASONS = ("dial", "neighbour's zone", "press", "bench")
MODELS = {
    "Pro-NE30-50-70": (51, 6.6, 0.07, 0.562, 20, 4.4e3, "NE30"),
    "Pro-NE30-80-70": (81, 10.5, 0.07, 0.562, 10, 5.5e3, "NE30"),
    "Pro-NE30-100-70": (101, 10.5, 0.07, 0.562, 10, 5.5e3, "NE30"),
    "Pro-PR60-50-80": (51, 25.0, 0.08, 0.941, 20, 7.9e3, "PR60"),
    "Pro-PR60-80-80": (81, 26.0, 0.08, 0.941, 10, 9.8e3, "PR60"),
    "Pro-PR60-100-80": (101, 38.0, 0.08, 0.941, 10, 9.8e3, "PR60"),
    "Pro-PR60-50-90": (51, 32.0, 0.09, 1.23, 20, 1.28e4, "PR60"),
    "Pro-PR60-80-90": (81, 45.0, 0.09, 1.23, 10, 1.6e4, "PR60"),
    "Pro-PR60-100-90": (101, 47.0, 0.09, 1.23, 10, 1.6e4, "PR60"),
    "Pro-NU80-50-110": (51, 52.0, 0.11, 1.7, 20, 2.5e4, "NU80"),
    "Pro-NU80-80-110": (81, 83.0, 0.11, 1.7, 10, 3.1e4, "NU80"),
    "Pro-NU80-100-110": (101, 103.0, 0.11, 1.7, 10, 3.1e4, "NU80"),
}


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    ratio: int
    torque_rated_nm: float
    diameter_m: float
    mass_kg: float
    backlash_rad: float
    stiffness_nm_per_rad: float
    motor: str
    encoder_bits: int = 14


def tested(serial, name, finished_s, flow_time_s, offset_m, rng):
    ratio, torque, diameter, mass, arcsec, stiffness, motor = MODELS[name]
    model = Model(name, ratio, torque, diameter, mass, math.radians(arcsec / 3600), stiffness, motor)
    joint = draw(model, rng, Assembly(flexspline_offset_m=offset_m), serial)
    result = end_of_line_test(joint, EndOfLineLimits.for_model(model), rng)
    eol = {name: EndOfLineValue.model_validate(m.as_record()) for name, m in result.measurements.items()}
    return JointRecord(
        serial=serial,
        model=name,
        good=result.good,
        finished_s=finished_s,
        flow_time_s=flow_time_s,
        eol=eol,
    )


def cycle_spans(first_s, index, slip, rng):
    """One cycle: everything a little late, waits where an arm stands still before an operation."""
    spans = [
        Span(resource="Dial", label="Index", joint="", kind="index", planned_start_s=first_s, start_s=first_s,
             planned_end_s=first_s + INDEX_S, end_s=first_s + INDEX_S)
    ]  # fmt: skip
    for resource, operations in PLAN.items():
        free = first_s
        for label, start, length, behind in operations:
            planned = first_s + start
            actual = max(planned + slip * rng.uniform(0, 0.5), free)
            end = actual + length + slip * rng.uniform(0, 0.4)
            joint = f"J{index + behind:04d}"
            kind = "test" if resource == "Test nest" else "process"
            if resource.startswith("A"):
                if actual - free > 0.15:
                    spans.append(
                        Span(resource=resource, label="wait", joint=joint, kind="wait", start_s=free,
                             end_s=actual, planned_start_s=free, planned_end_s=actual,
                             reason=REASONS[int(rng.integers(len(REASONS)))])
                    )  # fmt: skip
                there = actual + 0.7
                spans.append(
                    Span(resource=resource, label="Fetch", joint=joint, kind="move", planned_start_s=planned,
                         planned_end_s=planned + 0.7, start_s=actual, end_s=there)
                )  # fmt: skip
                planned, length, actual = planned + 0.7, length - 0.7, there
            spans.append(
                Span(resource=resource, label=label, joint=joint, kind=kind, planned_start_s=planned,
                     planned_end_s=planned + length, start_s=actual, end_s=end)
            )  # fmt: skip
            free = end
    return spans


def made_up_run(count=26, offsets=None, slow=(), target_s=30.0, seed=7):
    """A run of `count` joints; `offsets` [m] seats flexsplines badly, `slow` adds seconds to cycles."""
    rng = np.random.default_rng(seed)
    offsets, slow = dict(offsets or {}), dict(slow)
    names = sorted(MODELS)
    joints, spans, marks, now = [], [], [], 204.0
    for index in range(count):
        length = CYCLE_S + float(rng.gamma(2.0, 0.12)) + slow.get(index, 0.0)
        spans += cycle_spans(now, index, length - CYCLE_S, rng)
        now += length
        joint = tested(
            f"J{index:04d}", names[index % len(names)], now, 200 + float(rng.normal(2, 1)),
            offsets.get(index, 8e-6), rng,
        )  # fmt: skip
        joints.append(joint)
        if joint.good:
            marks.append(now)
    # joints still in the cell when the run stops are known to the timeline only
    known = {f"J{index:04d}": names[index % len(names)] for index in range(count + 8)}
    shares = rng.uniform(0.86, 0.97, 6)
    arms = []
    for number, busy in enumerate(shares, 1):
        rest = rng.dirichlet((3, 2, 1, 1)) * (1 - busy)
        arms.append(
            ArmRecord(
                name=f"A{number}",
                model="Yaskawa GP7",
                busy=float(busy),
                waiting_by_reason=dict(zip(REASONS, map(float, rest), strict=True)),
            )
        )
    summary = summarise(
        seed=seed,
        driver="sim",
        cell="Six arms around a dial",
        models=names,
        target_s=target_s,
        joints=joints,
        warm_up=1,
        planned_cycle_time_s=CYCLE_S,
        lower_bound_s=23.5,
        collisions=0,
        min_clearance_m=0.0362,
        part_pose_error_max_m=0.00021,
        dropped_parts=0,
        arms=arms,
        simulated_s=now,
        wall_s=71.3,
        planning_s=18.4,
        trace_sha256="9f2c" * 16,
    )
    return summary, Timeline(spans=tuple(spans), cycle_marks_s=tuple(marks), models=known)


SCOPE = Scope(
    simulated=("Arms as rigid bodies under torque limits and gravity", "Contact, grip and loss of parts"),
    modelled=("Fits, presses and screws as curves of force and torque", "Joint on the test nest"),
    left_out=("Clearance below 0.2 mm", "Temperature"),
)
ORIGIN = Origin(command="jointcell run --seed 7", versions={"jointcell": "0.1.0", "Python": "3.11.7"})


@pytest.fixture(scope="session")
def run():
    return made_up_run(offsets={11: 120e-6}, slow={17: 5.9})


@pytest.fixture(scope="session")
def good_run():
    return made_up_run(count=12)
