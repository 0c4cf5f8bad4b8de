"""Mass, inertia and shapes of parts and of what is joined from them."""

from collections.abc import Callable

import numpy as np
import pybullet
import pytest

from cells.joint_model import joint_model_names, load_joint_model
from cells.part import Part, parts_of
from sim.body import Workpiece, joined
from sim.workpiece import Placed, guide_of, held_urdf, mass_of, resting_urdf, spans, visible

MODEL = "Pro-PR60-50-90"
PARTS = parts_of(load_joint_model(MODEL))
FLIPPED = np.diag([1.0, -1.0, -1.0, 1.0])


def whole(names: list[str]) -> tuple[Placed, ...]:
    return tuple(
        Placed(part=PARTS[name], X_0P=np.eye(4) if PARTS[name].side == "front" else FLIPPED) for name in names
    )


def cloud(part: Part, X_0P: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Point masses of a part on a fine grid: an independent sum for its mass properties."""
    points, weights = [], []
    for s in part.sections:
        edges = np.linspace(s.r_in_m, s.r_out_m, 41)
        radii, angles = (edges[1:] + edges[:-1]) / 2, np.arange(48) * 2 * np.pi / 48
        heights = s.z_low_m + (np.arange(40) + 0.5) / 40 * (s.z_high_m - s.z_low_m)
        r, a, z = np.meshgrid(radii, angles, heights, indexing="ij")
        points.append(np.stack([r * np.cos(a), r * np.sin(a), z], axis=-1).reshape(-1, 3))
        weights.append((r * (s.z_high_m - s.z_low_m) * (s.r_out_m - s.r_in_m)).ravel())
    p, w = np.concatenate(points), np.concatenate(weights)
    return p @ X_0P[:3, :3].T + X_0P[:3, 3], w / w.sum() * part.mass_kg


def test_mass_properties_equal_a_sum_over_point_masses() -> None:
    tilted = np.eye(4)
    c, s = np.cos(0.3), np.sin(0.3)
    tilted[1:3, 1:3] = [[c, -s], [s, c]]
    tilted[:3, 3] = 0.01, -0.02, 0.03
    parts = (*whole(["housing", "stator", "brake"]), Placed(part=PARTS["flexspline"], X_0P=tilted))
    clouds = [cloud(placed.part, placed.X_0P) for placed in parts]
    p, w = np.concatenate([c[0] for c in clouds]), np.concatenate([c[1] for c in clouds])
    com = w @ p / w.sum()
    d = p - com
    inertia = (w * (d**2).sum(axis=1)).sum() * np.eye(3) - (w[:, None] * d).T @ d
    found = mass_of(parts)
    assert found.mass_kg == pytest.approx(w.sum(), rel=1e-12)
    np.testing.assert_allclose(found.com_m, com, atol=1e-6)
    np.testing.assert_allclose(found.inertia_kgm2, inertia, atol=2e-3 * np.abs(inertia).max())


def test_all_parts_of_a_joint_weigh_what_the_joint_weighs() -> None:
    for name in joint_model_names():
        model = load_joint_model(name)
        parts = tuple(Placed(part=part, X_0P=np.eye(4)) for part in parts_of(model).values())
        assert mass_of(parts).mass_kg == pytest.approx(model.mass_kg, rel=1e-9)


@pytest.mark.pybullet
def test_the_engine_has_the_joined_mass_and_inertia_at_the_measured_pose(new_world: Callable) -> None:
    world = new_world()
    base = Workpiece(world.engine, "J1", MODEL, whole(["housing"]))
    base.rest(world.seat("P0"))
    added = Workpiece(world.engine, "", MODEL, whole(["stator"]))
    X_W0 = world.seat("P0").copy()
    X_W0[:3, 3] += [0.2e-3, -0.1e-3, 0.05e-3]
    added.rest(X_W0)
    both = joined(base, added)
    both.rest(base.pose)
    both.free()
    info = pybullet.getDynamicsInfo(both.body, -1)
    assert info[0] == pytest.approx(base.mass.mass_kg + added.mass.mass_kg, rel=1e-12)
    np.testing.assert_allclose(info[2], np.linalg.eigvalsh(both.mass.inertia_kgm2), rtol=1e-6)
    np.testing.assert_allclose(
        both.pose_of_mass[:3, 3], base.pose[:3, :3] @ both.mass.com_m + base.pose[:3, 3]
    )
    np.testing.assert_allclose(both.pose_of_last, X_W0, atol=1e-12)
    both.clamp()
    np.testing.assert_allclose(both.pose, base.pose, atol=1e-9)


def test_buried_sections_have_no_shape() -> None:
    joint = whole(list(PARTS))
    left = {(joint[span.owner].part.name, span.section.r_out_m) for span in visible(spans(joint))}
    names = {name for name, _ in left}
    assert names == {"housing", "output_flange", "cap"}
    assert resting_urdf(joint).count("<collision>") < 20


@pytest.mark.pybullet
@pytest.mark.parametrize("name", ["housing", "stator", "circular_spline"])
def test_a_resting_ring_is_open_to_its_bore_and_closed_beyond(new_world: Callable, name: str) -> None:
    world, part = new_world(), PARTS[name]
    workpiece = Workpiece(world.engine, "", MODEL, whole([name]))
    workpiece.rest(world.seat("feeder_cap"))
    pybullet.setCollisionFilterGroupMask(workpiece.body, -1, 1, -1)  # a ray is in the engine's default group
    section = part.sections[0]
    origin = world.seat("feeder_cap")[:3, 3]
    high = origin + np.array([0.0, 0.0, section.z_high_m - 0.002])
    for angle in np.arange(24) * 2 * np.pi / 24:
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        hit = pybullet.rayTest(high.tolist(), (high + 0.2 * out).tolist())[0]
        assert hit[0] == workpiece.body
        distance = 0.2 * hit[2]
        assert section.r_in_m - 1e-4 <= distance <= section.r_in_m / np.cos(np.pi / 12) + 1e-4


def test_a_part_gripped_in_its_bore_is_solid_in_the_hand_and_a_mating_bore_is_not() -> None:
    assert "cylinder" in held_urdf(whole(["stator"]))
    assert "box" not in held_urdf(whole(["stator"]))
    assert "box" in held_urdf(whole(["flexspline"]))
    assert "box" in held_urdf(whole(["wave_generator"]))


@pytest.mark.parametrize(
    ("name", "inside", "guide"),
    [
        ("stator", ["housing"], "housing"),
        ("rotor", ["housing", "stator"], "stator"),
        ("wave_generator", ["housing", "stator", "rotor"], "rotor"),
        ("circular_spline", ["housing", "stator", "rotor", "wave_generator"], "housing"),
    ],
)
def test_the_guiding_part_is_the_one_with_the_smallest_gap(name: str, inside: list[str], guide: str) -> None:
    other = whole(inside)
    found = guide_of(PARTS[name], other, np.eye(4))
    assert found is not None
    assert other[found.index].part.name == guide
    # The part fits into its guide from here on: that height and its fit's entry tell the same story.
    assert found.overlap_m == pytest.approx(PARTS[name].fit.entry_m, abs=2.5e-3)


def test_a_part_that_only_stands_on_another_has_no_guide() -> None:
    assert guide_of(PARTS["output_flange"], whole(["flexspline"]), np.eye(4)) is None
