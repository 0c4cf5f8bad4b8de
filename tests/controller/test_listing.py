"""The tables of joint models and arms: complete, marked, with sources, and readable."""

import re

import pytest
from rich.console import Console, RenderableType

from cells.arm import arm_names, load_arm
from cells.joint_model import joint_model_names, load_joint_model
from controller.listing import arms_table, models_table

WIDTH = 100


def lines(table: RenderableType) -> list[str]:
    console = Console(width=WIDTH)
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


@pytest.mark.parametrize("table", [models_table, arms_table])
def test_it_is_readable_at_100_columns(table: object) -> None:
    shown = lines(table())  # type: ignore[operator]
    assert max(len(line) for line in shown) <= WIDTH
    assert not any("…" in line for line in shown)


def test_every_model_has_its_figures() -> None:
    rows = {line.split()[0]: line for line in lines(models_table()) if line.strip()}
    for name in joint_model_names():
        model = load_joint_model(name)
        assert f" {model.torque_rated_nm:g} / {model.torque_peak_nm:g} " in rows[name]
        assert f" {round(model.mass_kg * 1000)} " in rows[name]


def test_every_arm_has_its_figures_and_the_mark_of_its_torques() -> None:
    shown = lines(arms_table())
    for name in arm_names():
        arm = load_arm(name)
        (row,) = (index for index, line in enumerate(shown) if line.startswith(f"{arm.name} "))
        assert f" {arm.payload_kg:g} " in shown[row]
        assert shown[row + 1].rstrip().endswith(f" {arm.sources['torque'].mark}")


def test_reach_is_the_makers() -> None:
    # Data sheets: GP7 927 mm, GP8 727 mm, KR 6 R900 901 mm, LR Mate 200iD 717 mm.
    reach = {
        "Yaskawa GP7": "0.927",
        "Yaskawa GP8": "0.727",
        "KUKA KR 6 R900-2": "0.901",
        "FANUC LR Mate 200iD": "0.717",
    }
    for name, value in reach.items():
        assert any(line.startswith(f"{name} ") and f" {value} " in line for line in lines(arms_table()))


@pytest.mark.parametrize(("table", "some"), [(models_table, "Harmonic Drive"), (arms_table, "GP7 scaled")])
def test_every_footnote_is_there_and_used(table: object, some: str) -> None:
    shown = lines(table())  # type: ignore[operator]
    legend = next(index for index, line in enumerate(shown) if line.startswith("V read in the source"))
    numbers = [int(match[1]) for line in shown[legend:] if (match := re.match(r" {0,1}(\d+) ", line))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert any(some in line for line in shown[legend:])
    used = {int(number) for line in shown[:legend] for number in re.findall(r"\b\d{1,2}\b", line)}
    assert set(numbers) <= used
