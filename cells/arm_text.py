"""The arm file of a URDF: what it gives, what follows from it, and estimates for what is missing."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cells.arm import ArmFile
from cells.errors import CellError
from cells.files import check_record
from cells.serial_arm import SerialArmFile, quaternion_of, serial_arm
from cells.urdf import UrdfArm
from cells.urdf_tree import refusal
from kinematics import (
    Bodies,
    Chain,
    KinematicsError,
    OpwFit,
    ParallelAxesChain,
    SerialChain,
    fit_opw,
    forward_kinematics,
)

_AGREES = 1e-9  # [m], largest difference from the URDF in any element of the flange's pose
_POSES = 200

# Estimates for what a URDF does not give, those of the bundled arms or of their class; marked E in the file.
_VELOCITY_DEG = (180.0,) * 6
_ACCELERATION_DEG = (900.0, 900.0, 900.0, 2250.0, 2250.0, 2250.0)
_TORQUE_NM = (150.0, 150.0, 100.0, 30.0, 30.0, 20.0)
_PAYLOAD_KG, _MASS_KG, _REPEATABILITY_M = 5.0, 30.0, 0.00005


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmText:
    """An arm file, not yet written.

    Attributes:
        text: TOML that loads.
        kind: Geometry and inverse kinematics, in words.
        missing: What the URDF does not give; the file has estimates instead.
    """

    text: str
    kind: str
    missing: tuple[str, ...]


def arm_text(arm: UrdfArm, file: str, rng: np.random.Generator) -> ArmText:
    """The file of an arm; it loads, and its chain agrees with the URDF to 1e-9 m at random joint angles.

    Args:
        arm: What the URDF says.
        file: Name of the URDF, given as the source.
        rng: Random numbers for the check.

    Raises:
        CellError: When the file would not load or not agree.
    """
    figures, missing = _figures(arm, file)
    fit = _opw(arm.chain)
    if fit is not None:
        text = _joined(arm.name, _opw_table(fit.chain, file), figures)
        try:
            check_record(ArmFile, tomllib.loads(text), file)
        except CellError:
            fit = None  # lengths that the file of an OPW arm does not take, such as no flange
    if fit is not None:
        _compare(arm, fit.chain, fit.X_BM, fit.X_MF, file, rng)
        kind = "ortho-parallel base and spherical wrist (OPW), closed form"
        for X, what in (
            (fit.X_BM, f"the arm's base frame in {arm.base}"),
            (fit.X_MF, f"{arm.tip} in its flange frame"),
        ):
            if np.abs(X - np.eye(4)).max() > _AGREES:
                missing.append(f"a frame of this kind of arm: {what} is {np.round(X[:3], 6).tolist()}")
        if arm.chain.bodies is not None:
            missing.append(
                "link masses in the form of this kind of arm: they are estimated from the arm's mass"
            )
        return ArmText(text=text, kind=kind, missing=tuple(missing))
    text = _joined(arm.name, _serial_table(arm.chain, file), [*figures, *_links(arm.chain.bodies, file)])
    chain = serial_arm(check_record(SerialArmFile, tomllib.loads(text), file), file, "").chain
    _compare(arm, chain, np.eye(4), np.eye(4), file, rng)
    parallel = isinstance(chain, ParallelAxesChain)
    kind = "three parallel axes (UR), closed form" if parallel else "general, solved numerically"
    return ArmText(text=text, kind=kind, missing=tuple(missing))


def _opw(chain: SerialChain) -> OpwFit | None:
    try:
        return fit_opw(chain)
    except KinematicsError:
        return None


def _compare(
    arm: UrdfArm,
    chain: Chain | SerialChain,
    X_BM: npt.NDArray[np.float64],
    X_MF: npt.NDArray[np.float64],
    file: str,
    rng: np.random.Generator,
) -> None:
    q = rng.uniform(arm.chain.q_min, arm.chain.q_max, (_POSES, 6))
    X_BF = X_BM @ forward_kinematics(chain, q) @ X_MF
    off = float(np.abs(X_BF - np.array([arm.flange(angles) for angles in q])).max())
    if not off <= _AGREES:
        raise refusal(file, "", f"{off:.3g} m", "differs from the arm found in it", f"at most {_AGREES:g} m")


def _figures(arm: UrdfArm, file: str) -> tuple[list[str], list[str]]:
    """Tables of everything but the geometry, and what had to be estimated."""
    missing = list(arm.missing)
    degrees = np.degrees

    def table(name: str, key: str, given: Sequence[float] | None, estimate: Sequence[float]) -> list[str]:
        if given is not None:
            return _table(name, f"{file}", "V", {key: given})
        missing.append(f"{name}: an estimate, see the file")
        return _table(name, f"not in {file}: assumed, to be replaced", "E", {key: estimate})

    velocity = None if arm.velocity is None else degrees(arm.velocity).tolist()
    torque = None if arm.effort is None else arm.effort.tolist()
    ratings = {
        "payload_kg": _PAYLOAD_KG,
        "mass_kg": _MASS_KG if arm.mass_kg is None else arm.mass_kg,
        "repeatability_m": _REPEATABILITY_M,
    }
    missing.append(
        "payload and repeatability: estimates, see the file" + ("; mass, too" if arm.mass_kg is None else "")
    )
    summed = "" if arm.mass_kg is None else "; the mass is that of its links"
    position = {
        "q_min_deg": degrees(arm.chain.q_min).tolist(),
        "q_max_deg": degrees(arm.chain.q_max).tolist(),
    }
    return [
        *_table("position", file, "V", position),
        *table("velocity", "limits_deg_per_s", velocity, _VELOCITY_DEG),
        *table("acceleration", "limits_deg_per_s2", None, _ACCELERATION_DEG),
        *table("jerk", "limits_deg_per_s3", None, [10.0 * a for a in _ACCELERATION_DEG]),
        *table("torque", "limits_nm", torque, _TORQUE_NM),
        *_table("ratings", f"not in {file}: assumed, to be replaced{summed}", "E", ratings),
    ], missing


def _opw_table(chain: Chain, file: str) -> list[str]:
    lengths = {f"{name}_m": getattr(chain, name) for name in ("a1", "a2", "b", "c1", "c2", "c3", "c4")}
    angles = {"offsets_deg": np.degrees(chain.offsets).tolist(), "signs": chain.signs.astype(int).tolist()}
    return _table("opw", f"{file}; reproduces its forward kinematics", "C", lengths | angles)


def _serial_table(chain: SerialChain, file: str) -> list[str]:
    figures = {
        "origins_m": chain.X_joint[:, :3, 3].tolist(),
        "quaternions_wxyz": [quaternion_of(X[:3, :3]).tolist() for X in chain.X_joint],
    }
    return _table("serial", f"{file}; reproduces its forward kinematics", "C", figures)


def _links(bodies: Bodies | None, file: str) -> list[str]:
    if bodies is None:
        return []
    lines = _table("links", f"{file}, in the frames of [serial]", "C", {})
    for mass, com, inertia in zip(bodies.mass, bodies.com, bodies.inertia, strict=True):
        figures = {
            "mass_kg": float(mass),
            "com_m": com.tolist(),
            "inertia_kgm2": inertia[np.triu_indices(3)].tolist(),
        }
        lines += ["[[links.link]]", *(f"{key} = {_value(value)}" for key, value in figures.items())]
    return lines


def _table(name: str, source: str, mark: str, figures: Mapping[str, object]) -> list[str]:
    lines = [f"[{name}]", f"source = {_value(source)}", f"mark = {_value(mark)}"]
    return [*lines, *(f"{key} = {_value(value)}" for key, value in figures.items()), ""]


def _joined(name: str, geometry: list[str], figures: list[str]) -> str:
    head = ["# Marks: V read in the source, C computed from it, R remembered and not confirmed, E estimate."]
    return (
        "\n".join([*head, "schema_version = 1", f"name = {_value(name)}", "", *geometry, *figures]).rstrip()
        + "\n"
    )


def _value(value: object) -> str:
    """A TOML value; angles and lengths lose the rounding beyond a picometre."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float):
        return repr(round(value, 12) + 0.0)
    return json.dumps(value, ensure_ascii=True)
