import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.supervision.accounts import Account, Entry, opened, switched, unaccounted_ns

WORKING, HOLD = Entry(Account.WORKING), Entry(Account.HOLD)


def test_time_goes_to_the_entry_that_was_on():
    ledger = switched(opened(100), WORKING, 110)
    ledger = switched(ledger, Entry(Account.WAITING, "R2"), 150)
    ledger = switched(ledger, WORKING, 155)
    assert dict(ledger.at(160)) == {
        Entry(Account.UNPLANNED): 10,
        WORKING: 45,
        Entry(Account.WAITING, "R2"): 5,
    }


def test_time_never_goes_back():
    with pytest.raises(ValueError, match="5 ns lies before the last change at 10 ns"):
        switched(switched(opened(0), WORKING, 10), HOLD, 5)


ENTRIES = st.builds(Entry, st.sampled_from(Account), st.sampled_from(["", "R1", "R2"]))


@given(st.integers(0, 10**18), st.lists(st.tuples(st.integers(0, 10**15), ENTRIES)))
def test_every_nanosecond_is_booked_once(now, steps):
    ledger, expected, entry = opened(now), {}, Entry(Account.UNPLANNED)
    for duration, following in steps:
        expected[entry] = expected.get(entry, 0) + duration
        now, entry = now + duration, following
        ledger = switched(ledger, following, now)
        assert unaccounted_ns([ledger], now) == 0
    assert dict(ledger.at(now)) == {entry: ns for entry, ns in expected.items() if ns}
