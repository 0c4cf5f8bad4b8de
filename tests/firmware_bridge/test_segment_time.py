"""The time of waits at the feed: against a sum over every nanosecond."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.armlink.segment_time import SegmentTime

_changes = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 100)), max_size=6)


def by_the_nanosecond(changes: list[tuple[int, int]], since_ns: int, lasts_ns: int) -> int | None:
    """The first moment at which the shares of all nanoseconds before it add up."""
    left, at = 100 * lasts_ns, since_ns
    for at in range(since_ns, 20_000):
        if left <= 0:
            return at
        left -= next((percent for time, percent in reversed(changes) if time <= at), 100)
    return None


@given(_changes, st.integers(0, 60), st.integers(0, 30))
def test_a_wait_ends_when_its_share_of_every_nanosecond_has_passed(
    changes: list[tuple[int, int]], since_ns: int, lasts_ns: int
) -> None:
    changes.sort(key=lambda change: change[0])
    time = SegmentTime()
    for moment, percent in changes:
        time.note(moment, percent)
    expected = by_the_nanosecond(changes, since_ns, lasts_ns)
    assert time.end(since_ns, lasts_ns) == expected
    time.forget(since_ns)
    assert time.end(since_ns, lasts_ns) == expected, "what lies before it does not matter"


def test_it_does_not_end_while_everything_is_held() -> None:
    time = SegmentTime()
    time.note(10, 0)
    assert time.end(0, 10) == 10
    assert time.end(0, 11) is None
    time.note(500, 50)
    assert time.end(0, 11) == 502
