"""The flexible joints that the cell assembles: catalogue figures, gear, screws and parts of each model.

A joint model is a kind of joint, not the one joint with a serial number. The gear is a harmonic gear whose
flexspline is fixed, so that the ratio of a "50" is 51.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cells.errors import CellError, Finding, shown
from cells.files import (
    NotNegative,
    Positive,
    Record,
    Source,
    Sourced,
    Text,
    Whole,
    bundled,
    load_record,
    locate,
    unknown_name,
)

GearSize = Literal[14, 17, 20, 25, 32]
Thread = Literal["M3", "M4", "M5", "M6"]
ArcSeconds = Annotated[NotNegative, AfterValidator(lambda arcsec: math.radians(arcsec / 3600.0))]
"""Arc seconds in the file, radians in the record."""
_GROUPS = ("electrical", "motors", "gear", "stiffness", "screws", "parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screws:
    """One ring of screws: how many, which thread, on which pitch circle, how tight."""

    count: int
    thread: Thread
    pitch_circle_m: float
    torque_nm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JointModel:
    """One model of flexible joint.

    Attributes:
        name: Catalogue name, ``Pro-PR60-50-90``.
        motor: Motor family, ``PR60``.
        ratio: Motor turns for one output turn.
        torque_rated_nm: Rated output torque [N·m].
        torque_peak_nm: Peak output torque [N·m].
        speed_rated_rpm: Rated output speed [turns per minute, as the catalogue has it].
        diameter_m: Outer diameter [m].
        length_m: Length [m].
        mass_kg: Mass [kg].
        backlash_rad: Largest backlash at the output [rad].
        stiffness_nm_per_rad: Torsional stiffness at the output at low torque [N·m/rad], an estimate.
        encoder_bits: Resolution of the motor's encoder [bits of one motor turn].
        voltage_nominal_v: Nominal supply [V].
        voltage_min_v: Lowest supply [V].
        voltage_max_v: Highest supply [V].
        quiescent_current_a: Supply current at rest [A].
        phase_current_a: Full range of the phase current [A].
        gear_size: Size of the harmonic gear, an estimate.
        circular_spline_screws: Screws of the circular spline.
        flexspline_screws: Screws of the flexspline.
        part_masses_kg: Mass of each part [kg]; they add up to `mass_kg`. An estimate.
        sources: Where each group of figures comes from.
    """

    name: str
    motor: str
    ratio: int
    torque_rated_nm: float
    torque_peak_nm: float
    speed_rated_rpm: float
    diameter_m: float
    length_m: float
    mass_kg: float
    backlash_rad: float
    stiffness_nm_per_rad: float
    encoder_bits: int
    voltage_nominal_v: float
    voltage_min_v: float
    voltage_max_v: float
    quiescent_current_a: float
    phase_current_a: float
    gear_size: GearSize
    circular_spline_screws: Screws
    flexspline_screws: Screws
    part_masses_kg: Mapping[str, float]
    sources: Mapping[str, Source]


class _Electrical(Sourced):
    voltage_nominal_v: Positive
    voltage_min_v: Positive
    voltage_max_v: Positive
    quiescent_current_a: NotNegative
    encoder_bits: Annotated[Whole, Field(ge=8, le=32)]


class _Motors(Sourced):
    phase_current_a: dict[str, Positive]


class _Fit(Record):
    diameter_m: Positive
    size: GearSize


class _Gear(Sourced):
    fit: tuple[_Fit, ...]


class _Step(Record):
    ratio_from: Annotated[Whole, Field(gt=0)]
    coefficient: Positive


class _Stiffness(Sourced):
    step: tuple[_Step, ...]


class _Screws(Record):
    count: Annotated[Whole, Field(gt=0, le=64)]
    thread: Thread
    pitch_circle_m: Positive
    torque_nm: Positive


class _Ring(Record):
    size: GearSize
    circular_spline: _Screws
    flexspline: _Screws


class _ScrewTable(Sourced):
    ring: tuple[_Ring, ...]


class _Parts(Sourced):
    share: Annotated[dict[str, Positive], Field(min_length=1)]


class _Model(Sourced):
    name: Text
    motor: Text
    ratio: Annotated[Whole, Field(gt=1)]
    torque_rated_nm: Positive
    torque_peak_nm: Positive
    speed_rated_rpm: Positive
    diameter_m: Positive
    length_m: Positive
    mass_kg: Positive
    backlash_rad: ArcSeconds = Field(alias="backlash_arcsec")


class _JointFile(Record):
    schema_version: Literal[1]
    electrical: _Electrical
    motors: _Motors
    gear: _Gear
    stiffness: _Stiffness
    screws: _ScrewTable
    parts: _Parts
    model: Annotated[tuple[_Model, ...], Field(min_length=1)]


def joint_model_names() -> tuple[str, ...]:
    """Names of the bundled joint models, in the order of their files."""
    return tuple(_bundled_models())


def load_joint_model(name: str) -> JointModel:
    """One bundled joint model by its catalogue name (``Pro-PR60-50-90``).

    Raises:
        CellError: When there is no such model.
    """
    models = _bundled_models()
    if name not in models:
        raise CellError([unknown_name("cells/joints", name, models)])
    return models[name]


def load_joint_models(name_or_path: str | Path) -> tuple[JointModel, ...]:
    """All joint models of one file, bundled (``pro``) or at a path.

    Raises:
        CellError: With every finding, when there is no such file or it is wrong.
    """
    path, shown_path = locate(name_or_path, "joints")
    file = load_record(_JointFile, path, shown_path)
    if findings := list(_findings(file, shown_path)):
        raise CellError(findings)
    return tuple(_joint_model(model, file) for model in file.model)


def torsional_stiffness(gear_size: int, coefficient: float) -> float:
    """Torsional stiffness of a harmonic gear [N·m/rad]: coefficient · size³.

    Gears of one family are alike in shape, and torsional stiffness then grows with the cube of their length
    (torque by angle is an elastic modulus times a volume). An estimate; the coefficient is in the file.
    """
    return float(coefficient * gear_size**3)


@cache  # simulated feeders ask for a model with every part
def _bundled_models() -> Mapping[str, JointModel]:
    return MappingProxyType(
        {model.name: model for file in bundled("joints") for model in load_joint_models(file)}
    )


def _joint_model(model: _Model, file: _JointFile) -> JointModel:
    size = _gear_sizes(file)[model.diameter_m]
    ring = next(ring for ring in file.screws.ring if ring.size == size)
    # The last step at or below the nominal ratio, which is one less than the ratio with the flexspline fixed.
    coefficient = max(
        (s for s in file.stiffness.step if s.ratio_from < model.ratio), key=lambda s: s.ratio_from
    )
    total = math.fsum(file.parts.share.values())
    masses = {part: share / total * model.mass_kg for part, share in file.parts.share.items()}
    groups = {"catalogue": model, **{name: getattr(file, name) for name in _GROUPS}}
    sources = {name: Source(text=group.source, mark=group.mark) for name, group in groups.items()}
    return JointModel(
        **model.model_dump(exclude={"source", "mark"}),
        **file.electrical.model_dump(exclude={"source", "mark"}),
        phase_current_a=file.motors.phase_current_a[model.motor],
        gear_size=size,
        stiffness_nm_per_rad=torsional_stiffness(size, coefficient.coefficient),
        circular_spline_screws=Screws(**ring.circular_spline.model_dump()),
        flexspline_screws=Screws(**ring.flexspline.model_dump()),
        part_masses_kg=MappingProxyType(masses),
        sources=MappingProxyType(sources),
    )


def _gear_sizes(file: _JointFile) -> dict[float, GearSize]:
    return {fit.diameter_m: fit.size for fit in file.gear.fit}


def _findings(file: _JointFile, name: str) -> Iterator[Finding]:
    """What no single field can show: names given twice and references that lead nowhere."""
    counts = Counter(model.name for model in file.model)
    sizes, rings = _gear_sizes(file), {ring.size for ring in file.screws.ring}
    lowest = min((step.ratio_from for step in file.stiffness.step), default=math.inf)
    for index, model in enumerate(file.model):
        size = sizes.get(model.diameter_m)
        motors = file.motors.phase_current_a
        checks: tuple[tuple[bool, str, object, str, str], ...] = (
            (
                counts[model.name] == 1,
                "name",
                model.name,
                "is given to more than one model",
                "a name of its own",
            ),
            (model.motor in motors, "motor", model.motor, "has no phase current", ", ".join(motors)),
            (
                model.torque_peak_nm >= model.torque_rated_nm,
                "torque_peak_nm",
                model.torque_peak_nm,
                "is below the rated torque",
                f">= {model.torque_rated_nm:g}",
            ),
            (
                size in rings,
                "diameter_m",
                model.diameter_m,
                "has no gear size with screws",
                ", ".join(f"{diameter:g}" for diameter, fit in sizes.items() if fit in rings),
            ),
            (model.ratio > lowest, "ratio", model.ratio, "has no stiffness coefficient", f"> {lowest:g}"),
        )
        for holds, field, value, message, allowed in checks:
            if not holds:
                where = f"model[{index}].{field}"
                yield Finding(file=name, where=where, value=shown(value), message=message, allowed=allowed)
