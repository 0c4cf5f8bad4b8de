"""The likely cause of trouble, in words a person at the cell can act on."""

from dataclasses import replace

import pytest

from firmware_bridge.armlink.link_health import LinkHealth, likely_cause

WELL = LinkHealth(
    connected=True, identified=True, frames_sent=1000, frames_received=4000, shortest_trip_ns=1_000_000
)


def test_a_good_link_needs_no_words() -> None:
    assert likely_cause(WELL) == ""
    assert likely_cause(replace(WELL, bad_here=10, retransmits=5)) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"connected": False}, "pulled cable"),
        ({"refusal": "wrong arm: unit 00 answers"}, "wrong arm"),
        ({"frames_received": 0, "silent_ns": 2 * 10**9}, "without power"),
        ({"frames_received": 0, "bad_here": 50, "silent_ns": 2 * 10**9}, "another baud rate"),
        ({"silent_ns": 2 * 10**9}, "nothing heard for 2.0 s"),
        ({"recent_bad_share": 0.6, "silent_ns": 2 * 10**9}, "60% of the frames arrive damaged"),
        ({"overruns": 12}, "lower the baud rate"),
        ({"bad_here": 100}, "2.4% of the frames arrive damaged"),
        ({"retransmits": 40}, "40 of 1000 frames had to be sent again"),
        ({"shortest_trip_ns": 32_000_000}, "latency timer"),
        ({"starved": 2}, "motion ran out 2 times"),
        ({"drift_ppm": -900.0}, "-900 ppm"),
    ],
)
def test_each_trouble_has_its_words(change: dict[str, object], words: str) -> None:
    assert words in likely_cause(replace(WELL, **change))  # type: ignore[arg-type]
