"""What is found out beside a running cell, and what is said until it is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.bench.fast_cell import choice, models, planner
from controller.preparation import Preparation, _Found, _Progress, _Refused
from controller.rearranging import Arrangements, NoArrangementError

WHOLE: frozenset[str] = frozenset()
R3 = frozenset({"R3"})


@pytest.fixture
def arrangements() -> Arrangements:
    return Arrangements(planner(), list(models().values()), None)


@pytest.fixture
def preparation(arrangements: Arrangements, tmp_path: Path) -> Preparation:
    return Preparation("six_arm", list(models().values()), tmp_path, arrangements)


def test_until_it_is_known_it_says_what_is_missing(
    preparation: Preparation, arrangements: Arrangements
) -> None:
    assert preparation.words == "finding out: what it can do"
    preparation._take(_Progress(text="schedules, 40 %"))
    assert preparation.unknown(WHOLE) == "the plan is still being found out (schedules, 40 %), try again soon"
    assert arrangements.promised == (0.0, 0.0)
    preparation._take(_Found(missing=WHOLE, choice=choice()))
    assert preparation.unknown(WHOLE) == ""
    assert arrangements.promised[0] == choice().cycle_s
    assert "what the cell does without R3 is still" in preparation.unknown(R3)
    preparation._take(_Refused(missing=R3, reason="without R3 nobody can do operation 100a"))
    assert preparation.unknown(R3) == ""
    with pytest.raises(NoArrangementError, match="100a"):
        arrangements.choice(R3)
    preparation._take(_Progress(text=""))
    assert preparation.words == ""


def test_a_cell_without_a_plan_says_why(preparation: Preparation) -> None:
    preparation._take(_Refused(missing=WHOLE, reason="no arm reaches the press"))
    assert preparation.words == preparation.unknown(R3) == "no arm reaches the press"
    assert preparation.unknown(WHOLE) == ""  # nobody waits for it any more
    with pytest.raises(NoArrangementError, match="no arm reaches the press"):
        preparation.arrangements.choice(WHOLE)


def test_a_quick_plan_stays_until_nothing_is_in_work(
    preparation: Preparation, arrangements: Arrangements
) -> None:
    better = replace(choice(), cycle_s=20.0)
    preparation._take(_Found(missing=WHOLE, choice=choice(), quick=True))
    preparation._take(_Found(missing=WHOLE, choice=better))
    preparation._take(_Progress(text=""))
    assert arrangements.choice(WHOLE) is choice()
    assert "20.0 s instead of" in preparation.words
    arrangements.settle()
    assert arrangements.choice(WHOLE) is better
    assert preparation.words == ""
