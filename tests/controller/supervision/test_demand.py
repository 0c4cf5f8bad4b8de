from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from controller.supervision.demand import Wanted, next_wanted, ranked
from controller.supervision.shift import JointEntered, OrderQueued, OrderWithdrawn, Shift, advance


def shift_of(*orders):
    shift = Shift()
    for name, lines, priority, due in orders:
        shift = advance(shift, OrderQueued(order=name, lines=lines, priority=priority, due=due, by="ann"))
    return shift


def entering(shift, wanted):
    number = shift.highest + 1
    return advance(
        shift, JointEntered(serial=f"J{number}", model=wanted.model, order=wanted.order, place=number)
    )


def test_orders_go_by_priority_then_due_date_then_as_they_came():
    shift = shift_of(
        ("a", {"M": 1}, 5, ""),
        ("b", {"M": 1}, 5, "2026-12-02"),
        ("c", {"M": 1}, 5, "2026-12-01"),
        ("d", {"M": 1}, 9, "2026-01-01"),
        ("e", {"M": 1}, 1, ""),
        ("f", {"M": 1}, 5, ""),
    )
    assert ranked(shift) == ("e", "c", "b", "a", "f", "d")
    assert [wanted.order for wanted in next_wanted(shift, (), 10)] == ["e", "c", "b", "a", "f", "d"]


def test_a_withdrawn_order_wants_nothing():
    shift = advance(shift_of(("a", {"M": 3}, 5, "")), OrderWithdrawn(order="a", by="ann"))
    assert next_wanted(shift, (), 5) == ()


@given(st.dictionaries(st.sampled_from("ABCDE"), st.integers(1, 40), min_size=1), st.integers(1, 7))
def test_models_are_spread_evenly_whatever_the_steps(lines, step):
    """After any number of joints, every model is within one joint of its share."""
    shift, made, total = shift_of(("a", lines, 5, "")), Counter(), sum(lines.values())
    while found := next_wanted(shift, (), step):
        for wanted in found:
            shift = entering(shift, wanted)
            made[wanted.model] += 1
            share = sum(made.values()) / total
            for model, count in lines.items():
                assert abs(made[model] - share * count) < max(2.0, len(lines) / 2 + 0.5)
    assert made == Counter(lines)


@given(st.dictionaries(st.sampled_from("ABC"), st.integers(1, 9), min_size=1), st.integers(0, 6))
def test_what_is_planned_counts_as_given(lines, ahead):
    shift = shift_of(("a", lines, 5, ""))
    planned = next_wanted(shift, (), ahead)
    assert planned + next_wanted(shift, planned, 99) == next_wanted(shift, (), 99)
    assert all(isinstance(wanted, Wanted) for wanted in planned)
