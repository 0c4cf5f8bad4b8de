import pytest

from controller.supervision.oee import Effectiveness


def figures(**changes):
    return Effectiveness(
        **{
            "planned_busy_s": 100_000.0,
            "production_s": 95_000.0,
            "ideal_cycle_s": 30.0,
            "produced": 3_100,
            "good": 3_000,
        }
        | changes
    )


def test_the_three_terms_and_their_product():
    oee = figures()
    assert oee.availability == pytest.approx(0.95)
    assert oee.performance == pytest.approx(93_000 / 95_000)
    assert oee.quality == pytest.approx(3_000 / 3_100)
    assert oee.oee == pytest.approx(30.0 * 3_000 / 100_000)  # what remains when the terms cancel


def test_one_million_a_year_at_30_s_needs_951_permille():
    busy = 365 * 86_400.0
    year = figures(planned_busy_s=busy, production_s=busy, produced=1_000_000, good=1_000_000)
    assert year.oee == pytest.approx(0.9513, abs=1e-4)
    assert year.yearly_capacity == 1_000_000


def test_before_anything_happened_all_is_zero():
    none = figures(planned_busy_s=0.0, production_s=0.0, produced=0, good=0)
    assert (none.availability, none.performance, none.quality, none.oee, none.yearly_capacity) == (
        0,
        0,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"production_s": 100_001.0}, "production 100001.0 s"),
        ({"good": 3_101}, "good 3101 .allowed: 0 to the produced 3100"),
        ({"ideal_cycle_s": 0.0}, "ideal cycle 0.0 s"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        figures(**changes)
