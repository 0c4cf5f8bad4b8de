"""The summary of a run, `run.json` schema 1: what was asked, what was measured, was the target met."""

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

YEAR_S = 365 * 86_400
ONE_MILLION = 1_000_000


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class EndOfLineValue(_Record):
    """One measurement of a joint; None stands for "could not be measured" or "no limit on this side"."""

    value: float | None
    unit: str
    low: float | None
    high: float | None
    ok: bool


class JointRecord(_Record):
    """One joint that left the cell."""

    serial: str
    model: str
    good: bool
    finished_s: float
    flow_time_s: float
    eol: dict[str, EndOfLineValue]


class ArmRecord(_Record):
    """How an arm spent the measured time, as shares of it."""

    name: str
    model: str
    busy: float
    waiting_by_reason: dict[str, float]


class BindingRecord(_Record):
    """A part of the critical path: how many seconds of each cycle a resource's operation binds."""

    resource: str
    operation: str
    seconds: float


class RunSummary(_Record):
    """`run.json`, schema 1. Times are simulated seconds measured in the run; None stands for "not measured".

    `lower_bound_s` is proven for plans that do every joint alike, in this cell and mix; `gap` is mean over bound, minus 1.
    """

    schema_version: Literal[1] = 1
    seed: int
    driver: str
    cell: str
    models: tuple[str, ...]
    target_s: float
    met: bool
    joints: tuple[JointRecord, ...]
    cycle_times_s: tuple[float, ...]
    cycle_time_mean_s: float | None
    cycle_time_p50_s: float | None
    cycle_time_p95_s: float | None
    cycle_time_max_s: float | None
    planned_cycle_time_s: float
    lower_bound_s: float
    gap: float | None
    flow_time_p50_s: float | None
    collisions: int
    min_clearance_m: float | None
    part_pose_error_max_m: float | None
    dropped_parts: int
    arms: tuple[ArmRecord, ...]
    simulated_s: float
    wall_s: float
    real_time_factor: float
    planning_s: float
    trace_sha256: str
    binding: tuple[BindingRecord, ...] = ()

    @property
    def good_joints(self) -> int:
        """How many joints passed their end-of-line test."""
        return sum(joint.good for joint in self.joints)

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """Every reason why the target is not met, in words; empty when it is met."""
        reasons = []
        if self.cycle_time_p95_s is None:
            reasons.append("no cycle was completed")
        elif self.cycle_time_p95_s > self.target_s:
            reasons.append(f"95 % of cycles take up to {self.cycle_time_p95_s:.2f} s")
        if rejected := len(self.joints) - self.good_joints:
            reasons.append(f"{rejected} of {len(self.joints)} joints rejected")
        if self.collisions:
            reasons.append(f"{self.collisions} collision{'s' if self.collisions > 1 else ''}")
        return tuple(reasons)

    @property
    def headline(self) -> str:
        """The result in a few words."""
        if self.met:
            return f"Target of {self.target_s:g} s met"
        if self.cycle_time_p95_s is not None and self.cycle_time_p95_s > self.target_s:
            return f"Target of {self.target_s:g} s missed by {self.cycle_time_p95_s - self.target_s:.2f} s"
        return f"Target of {self.target_s:g} s not met"

    @property
    def verdict(self) -> str:
        """The result in one line, with every reason."""
        return self.headline if self.met else f"{self.headline}: {'; '.join(self.shortfalls)}"

    @property
    def needed_oee(self) -> float | None:
        """OEE at which this cell makes one million joints in a year of 365 days, from the mean cycle time."""
        return None if self.cycle_time_mean_s is None else ONE_MILLION * self.cycle_time_mean_s / YEAR_S

    def joints_a_year(self, oee: float) -> int | None:
        """Good joints in a year of 365 days at an OEE, from the mean cycle time."""
        return None if self.cycle_time_mean_s is None else math.floor(oee * YEAR_S / self.cycle_time_mean_s)

    def to_json(self) -> str:
        """Deterministic text: keys sorted, floats to nine significant digits, a newline at the end."""
        return json.dumps(_rounded(self.model_dump()), sort_keys=True, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: not JSON, another schema version, or a field missing, unknown or of the wrong type.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "document"
            raise ValueError(f"run.json: {where}: {first['msg']}") from error


def summarise(
    *,
    seed: int,
    driver: str,
    cell: str,
    models: Sequence[str],
    target_s: float,
    joints: Sequence[JointRecord],
    warm_up: int,
    planned_cycle_time_s: float,
    lower_bound_s: float,
    collisions: int,
    min_clearance_m: float | None,
    part_pose_error_max_m: float | None,
    dropped_parts: int,
    arms: Sequence[ArmRecord],
    simulated_s: float,
    wall_s: float,
    planning_s: float,
    trace_sha256: str,
    binding: Sequence[BindingRecord] = (),
) -> RunSummary:
    """Computes the figures of a run from its raw facts; those of the same name are copied.

    Cycle times are the differences between consecutive finished good joints, in order of time; the first one
    begins when the last of the `warm_up` joints leaves. A rejected joint lengthens the cycle it falls into.

    Raises:
        ValueError: `target_s`, `lower_bound_s` or `wall_s` is not positive, or `warm_up` is negative.
    """
    for name, value in (("target_s", target_s), ("lower_bound_s", lower_bound_s), ("wall_s", wall_s)):
        if not value > 0.0:
            raise ValueError(f"run summary: {name} = {value}, must be positive")
    if warm_up < 0:
        raise ValueError(f"run summary: warm_up = {warm_up}, must not be negative")
    in_order = sorted(joints, key=lambda joint: (joint.finished_s, joint.serial))
    finished = [joint.finished_s for joint in in_order if joint.good][max(warm_up - 1, 0) :]
    cycles = [after - before for before, after in pairwise(finished)]
    mean = math.fsum(cycles) / len(cycles) if cycles else None
    p95 = percentile(cycles, 95)
    all_good = all(joint.good for joint in in_order)
    return RunSummary(
        seed=seed,
        driver=driver,
        cell=cell,
        models=tuple(models),
        target_s=target_s,
        met=p95 is not None and p95 <= target_s and all_good and collisions == 0,
        joints=tuple(in_order),
        cycle_times_s=tuple(cycles),
        cycle_time_mean_s=mean,
        cycle_time_p50_s=percentile(cycles, 50),
        cycle_time_p95_s=p95,
        cycle_time_max_s=max(cycles, default=None),
        planned_cycle_time_s=planned_cycle_time_s,
        lower_bound_s=lower_bound_s,
        gap=None if mean is None else mean / lower_bound_s - 1.0,
        flow_time_p50_s=percentile([joint.flow_time_s for joint in in_order if joint.good], 50),
        collisions=collisions,
        min_clearance_m=min_clearance_m,
        part_pose_error_max_m=part_pose_error_max_m,
        dropped_parts=dropped_parts,
        arms=tuple(arms),
        simulated_s=simulated_s,
        wall_s=wall_s,
        real_time_factor=simulated_s / wall_s,
        planning_s=planning_s,
        trace_sha256=trace_sha256,
        binding=tuple(binding),
    )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest of the values with at least `percent` % of them at or below it; None without values.

    It is always a measured value: nothing is interpolated, so that a gate on it can be checked by counting.
    """
    if not 0 < percent <= 100:
        raise ValueError(f"percentile: percent = {percent}, must be 1 to 100")
    if not values:
        return None
    rank = -(-percent * len(values) // 100)  # integer ceiling: exact for every count
    return sorted(values)[rank - 1]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return value
