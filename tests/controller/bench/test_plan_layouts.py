"""Random cells are cells, or what is wrong with them is said."""

import numpy as np

from cells.cell import load_cell
from cells.errors import CellError
from controller.bench.plan_layouts import layout
from controller.explanation import explanation_of


def test_layouts_are_six_arms_round_the_bundled_dial(tmp_path):
    rng = np.random.default_rng(0)
    loaded, models, reasons = 0, set(), []
    for number in range(30):
        path = tmp_path / f"layout{number}.toml"
        path.write_text(layout(rng, same=number % 2 == 0), encoding="utf-8")
        try:
            cell = load_cell(path)
        except CellError as error:
            reasons.append(explanation_of(error))
            continue
        loaded += 1
        assert len(cell.arms) == 6
        own = {arm.arm.id for arm in cell.arms}
        assert (len(own) == 1) == (number % 2 == 0)
        models |= own
    assert all("layout" in reason and ": arms[" in reason for reason in reasons)
    assert loaded > 15
    assert len(models) > 5


def test_the_same_seed_gives_the_same_layout():
    one, two, other = (layout(np.random.default_rng(seed), same=False) for seed in (1, 1, 2))
    assert one == two != other
