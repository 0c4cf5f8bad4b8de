import pytest

from controller.supervision.packml import Command, State
from tests.controller.supervision.plant import Plant

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def plant(tmp_path):
    plant = Plant(tmp_path)
    yield plant
    plant.end()


def test_an_order_is_made_to_its_end(plant):
    plant.order()
    plant.start()
    plant.until(State.COMPLETE)
    assert (plant.shift.good, plant.shift.rejected, dict(plant.shift.joints)) == (4, 0, {})
    assert plant.shift.orders["A"].finished
    plant.archive.journal.check()
    assert plant.archive.journal.replay() == plant.shift
