"""Joint models against the catalogue, and the estimates against what is known of harmonic gears."""

import math
from pathlib import Path

import pytest

import cells
from cells.errors import CellError
from cells.joint_model import JointModel, joint_model_names, load_joint_model, load_joint_models

# Ratio, rated and peak torque [N m], rated speed [1/min], diameter and length [mm], mass [g], backlash ["].
CATALOGUE = {
    "Pro-NE30-30": (31, 7.8, 16, 112.9, 70, 70.2, 900, 20),
    "Pro-NE30-50-70": (51, 6.6, 33, 68.6, 70, 70.2, 562, 20),
    "Pro-NE30-80-70": (81, 10.5, 45, 43.2, 70, 70.2, 562, 10),
    "Pro-NE30-100-70": (101, 10.5, 51, 34.7, 70, 70.2, 562, 10),
    "Pro-PR60-50-80": (51, 25, 66, 58.8, 80, 65.7, 941, 20),
    "Pro-PR60-80-80": (81, 26, 83, 37, 80, 65.7, 941, 10),
    "Pro-PR60-100-80": (101, 38, 108, 29.7, 80, 65.7, 941, 10),
    "Pro-PR60-50-90": (51, 32, 93, 58.8, 90, 68.5, 1230, 20),
    "Pro-PR60-80-90": (81, 45, 121, 37, 90, 68.5, 1230, 10),
    "Pro-PR60-100-90": (101, 47, 140, 29.7, 90, 68.5, 1230, 10),
    "Pro-PR60-120-90": (121, 47, 140, 24.8, 90, 68.5, 1230, 10),
    "Pro-NU80-50-110": (51, 52, 177, 29.4, 110, 73.1, 1700, 20),
    "Pro-NU80-80-110": (81, 83, 242, 18.5, 110, 73.1, 1700, 10),
    "Pro-NU80-100-110": (101, 103, 270, 14.9, 110, 73.1, 1700, 10),
    "Pro-NU80-120-110": (121, 103, 289, 12.4, 110, 73.1, 1700, 10),
    "Pro-NU80-160-110": (161, 103, 298, 9.3, 110, 73.1, 1700, 10),
}
# By outer diameter [mm]: gear size; screws of circular spline, of flexspline (count, thread, torque [N m]).
GEAR = {
    70: (14, (6, "M3", 2.0), (9, "M3", 2.0)),
    80: (17, (8, "M3", 2.0), (8, "M4", 4.5)),
    90: (20, (12, "M3", 2.0), (9, "M4", 4.5)),
    110: (25, (12, "M3", 2.0), (9, "M5", 9.0)),
}


def test_more_than_ten_distinct_models() -> None:
    assert joint_model_names() == tuple(CATALOGUE)
    figures = {row[:5] for row in (catalogue_row(load_joint_model(name)) for name in joint_model_names())}
    assert len(figures) == len(CATALOGUE) == 16


def catalogue_row(model: JointModel) -> tuple[float, ...]:
    backlash = math.degrees(model.backlash_rad) * 3600.0
    size = (1e3 * model.diameter_m, 1e3 * model.length_m, 1e3 * model.mass_kg)
    return (model.ratio, model.torque_rated_nm, model.torque_peak_nm, model.speed_rated_rpm, *size, backlash)


@pytest.mark.parametrize("name", CATALOGUE)
def test_catalogue_figures(name: str) -> None:
    model = load_joint_model(name)
    assert catalogue_row(model) == pytest.approx(CATALOGUE[name], rel=1e-12)
    assert model.motor == name.split("-")[1]
    # "the actual gear ratio is the harmonic nominal gear ratio plus 1"
    assert model.ratio == int(name.split("-")[2]) + 1


@pytest.mark.parametrize("name", CATALOGUE)
def test_common_figures(name: str) -> None:
    model = load_joint_model(name)
    assert (model.voltage_min_v, model.voltage_nominal_v, model.voltage_max_v) == (24, 42, 45)
    assert model.quiescent_current_a == 0.08
    assert model.phase_current_a == (16.5 if model.motor == "NE30" else 33)
    assert 2**model.encoder_bits == 16384
    if model.ratio == 101:
        assert (
            2**model.encoder_bits * model.ratio == 1_654_784
        )  # counts of an output turn on the model's page


@pytest.mark.parametrize("name", CATALOGUE)
def test_gear_and_screws_by_diameter(name: str) -> None:
    model = load_joint_model(name)
    size, circular, flex = GEAR[round(1e3 * model.diameter_m)]
    assert model.gear_size == size
    ring, cup = model.circular_spline_screws, model.flexspline_screws
    assert (ring.count, ring.thread, ring.torque_nm) == circular
    assert (cup.count, cup.thread, cup.torque_nm) == flex
    assert cup.pitch_circle_m < ring.pitch_circle_m < model.diameter_m


@pytest.mark.parametrize("name", CATALOGUE)
def test_part_masses_add_up(name: str) -> None:
    model = load_joint_model(name)
    assert len(model.part_masses_kg) == 17
    assert math.fsum(model.part_masses_kg.values()) == pytest.approx(model.mass_kg, rel=1e-12)
    assert model.part_masses_kg["housing"] / model.part_masses_kg["brake"] == pytest.approx(300 / 45)


def test_stiffness_grows_with_size_and_ratio() -> None:
    stiffness = {name: load_joint_model(name).stiffness_nm_per_rad for name in CATALOGUE}
    assert stiffness["Pro-NE30-30"] == pytest.approx(0.7 * 14**3)
    assert stiffness["Pro-PR60-50-90"] == pytest.approx(1.6 * 20**3)
    assert stiffness["Pro-NU80-160-110"] == pytest.approx(2.0 * 25**3)
    for name in CATALOGUE:  # rated torque winds a harmonic gear by arc minutes: less than a third of a degree
        model = load_joint_model(name)
        assert model.torque_rated_nm / model.stiffness_nm_per_rad < math.radians(1 / 3)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_group_of_figures_has_source_and_mark(name: str) -> None:
    sources = load_joint_model(name).sources
    assert {group: source.mark for group, source in sources.items()} == {
        "catalogue": "V",
        "electrical": "V",
        "motors": "V",
        "gear": "E",
        "stiffness": "E",
        "screws": "V",
        "parts": "E",
    }
    assert all(len(source.text) > 10 for source in sources.values())


def test_an_unknown_model_suggests_the_nearest() -> None:
    with pytest.raises(
        CellError, match=r"^cells/joints: 'Pro-PR60-50-8': unknown name, did you mean Pro-PR60-50-80\?"
    ):
        load_joint_model("Pro-PR60-50-8")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "ratio = 31",
            "ratio = 31.0",
            "model[0].ratio: 31.0: must be a valid integer (allowed: a whole number > 1)",
        ),
        ("ratio = 31", "ratio = 30", "model[0].ratio: 30: has no stiffness coefficient (allowed: > 30)"),
        (
            "mass_kg = 0.900",
            "mass_kg = -1",
            "model[0].mass_kg: -1: must be greater than 0 (allowed: a finite number > 0)",
        ),
        (
            "peak_nm = 16",
            "peak_nm = 5",
            "model[0].torque_peak_nm: 5.0: is below the rated torque (allowed: >= 7.8)",
        ),
        (
            '"Pro-NE30-30"\n',
            '"Pro-NE30-50-70"\n',
            "model[0].name: 'Pro-NE30-50-70': is given to more than one model (allowed: a name of its own)",
        ),
        (
            'motor = "NE30"',
            'motor = "XX"',
            "model[0].motor: 'XX': has no phase current (allowed: NE30, PR60, NU80)",
        ),
        (
            "diameter_m = 0.070\nlength",
            "diameter_m = 0.071\nlength",
            "model[0].diameter_m: 0.071: has no gear size with screws (allowed: 0.07, 0.08, 0.09, 0.11)",
        ),
        (
            "housing = 300",
            "housing = 0",
            "parts.share.housing: 0: must be greater than 0 (allowed: a finite number > 0)",
        ),
        (
            "\nsize = 25\n",
            "\nsize = 26\n",
            "screws.ring[3].size: 26: must be 14, 17, 20, 25 or 32 (allowed: 14, ",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    text = (Path(cells.__file__).parent / "joints" / "pro.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CellError) as caught:
        load_joint_models(path)
    assert str(caught.value.findings[0]).startswith(f"{path}: {expected}")


def test_a_file_without_models(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (Path(cells.__file__).parent / "joints" / "pro.toml").read_text(encoding="utf-8")
    path.write_text("model = []\n" + text[: text.index("[[model]]")], encoding="utf-8")
    with pytest.raises(CellError, match=r"model: \[\]: "):
        load_joint_models(path)
