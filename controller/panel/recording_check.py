"""What a recording says: whether it can have happened, and the figures of the run as far as it holds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from controller.panel.recording_reader import DOF, Contents
from controller.supervision.packml import State

_LIMIT_RAD = 1e-3  # how far beyond its limit a measured joint may be
_MOVING_RAD = 1e-3  # from picture to picture; less is rest
_SHOWN = 20
_LARGEST = 1e12  # what a number in a file is believed up to


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """Figures of a contents.

    Attributes:
        cell, driver, simulated: What the recording says of the cell; None where it does not.
        began_ns: Time of day of its first picture.
        duration_s: From its first picture to its last.
        pictures: Of the arm that has most.
        longest_gap_s: Between two pictures of an arm.
        states: The states that the cell came into, in order.
        cycle_times_s: Of the joints that left while it was recorded.
        good: Good joints that left; ``rejected`` the others.
        target_s: Cycle time to reach; None where the recording does not say.
        alarms: Alarms that came.
        faults: Faults of arms, in words.
        moving: Share of the time that each arm moved.
    """

    cell: str | None
    driver: str | None
    simulated: bool | None
    began_ns: int
    duration_s: float
    pictures: int
    longest_gap_s: float
    states: tuple[str, ...]
    cycle_times_s: tuple[float, ...]
    good: int
    rejected: int
    target_s: float | None
    alarms: int
    faults: tuple[str, ...]
    moving: Mapping[str, float]

    def quantile_s(self, share: float) -> float | None:
        """The least cycle time that this share of the cycles does not exceed."""
        if not self.cycle_times_s:
            return None
        return float(np.quantile(self.cycle_times_s, share, method="inverted_cdf"))


def findings(contents: Contents) -> list[str]:
    """What does not fit together, one line each, with the file's name; empty when everything does."""
    found = [*contents.findings, *_events(contents), *_joints(contents)]
    if len(found) > _SHOWN:
        found = [*found[: _SHOWN - 1], f"and {len(found) - _SHOWN + 1} more"]
    # What a file says may go to a terminal.
    found = ["".join(sign if sign.isprintable() else "?" for sign in line) for line in found]
    return [f"{contents.path}: {line}" for line in found]


def run_of(contents: Contents) -> RecordedRun:
    """The figures that follow from what could be read."""
    facts, events = contents.facts, contents.events
    times = [track.times_ns for track in contents.tracks.values() if len(track.times)]
    cycles = [event["facts"] for event in events if event["kind"] == "cycle"]
    target: Any = facts.get("target_s")
    simulated = facts.get("simulated")
    return RecordedRun(
        cell=_text(facts.get("cell")),
        driver=_text(facts.get("driver")),
        simulated=simulated if isinstance(simulated, bool) else None,
        began_ns=min((int(t[0]) for t in times), default=0),
        duration_s=_spread_s(times),
        pictures=max((len(t) for t in times), default=0),
        longest_gap_s=max((float(np.diff(t).max(initial=0)) * 1e-9 for t in times), default=0.0),
        states=tuple(str(event["facts"].get("state")) for event in events if event["kind"] == "state"),
        cycle_times_s=tuple(cycle["cycle_s"] for cycle in cycles if _is_number(cycle.get("cycle_s"))),
        good=sum(cycle.get("good") is True for cycle in cycles),
        rejected=sum(cycle.get("good") is False for cycle in cycles),
        target_s=float(target) if _is_number(target) else None,
        alarms=sum(event["kind"] == "alarm" for event in events),
        faults=tuple(event["text"] for event in events if event["kind"] == "fault"),
        moving={arm: _moving(track.q) for arm, track in sorted(contents.tracks.items())},
    )


def _events(contents: Contents) -> Iterator[str]:
    """Events are numbered without a gap, and every state follows the one before."""
    for before, after in pairwise(contents.events):
        if after["seq"] != before["seq"] + 1:
            yield f"event {after['seq']} follows event {before['seq']}"
    states = [event for event in contents.events if event["kind"] == "state"]
    for event in states:
        if event["facts"].get("state") not in State.__members__:
            yield f"event {event['seq']}: {event['facts'].get('state')!r} is no state"
    for before, after in pairwise(states):
        if after["facts"].get("before") != before["facts"].get("state"):
            yield (
                f"event {after['seq']}: comes from {after['facts'].get('before')}, "
                f"the cell was {before['facts'].get('state')}"
            )


def _joints(contents: Contents) -> Iterator[str]:
    """Joints are within the limits that the recording itself gives, and every arm is in every picture."""
    counts = {arm: len(track.times) for arm, track in sorted(contents.tracks.items())}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{arm} {count}" for arm, count in counts.items())
        yield f"arms are in different numbers of pictures: {shown}"
    if not counts:
        yield "holds no picture of any arm"
        return
    for arm in _arms(contents.facts):
        name, track = arm["id"], contents.tracks.get(arm["id"])
        if track is None or not len(track.times):
            yield f"{name} is in no picture"
            continue
        lower, upper = np.array(arm["lower_rad"]), np.array(arm["upper_rad"])
        beyond = np.maximum(lower - track.q, track.q - upper)
        for joint in np.flatnonzero(beyond.max(axis=0) > _LIMIT_RAD):
            worst = int(beyond[:, joint].argmax())
            yield (
                f"{name} joint {joint + 1} is at {track.q[worst, joint]:.4f} rad in picture {worst + 1} "
                f"(allowed: {lower[joint]:.4f} to {upper[joint]:.4f})"
            )


def _arms(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Arms whose limits a recording gives in full; nothing of it is believed before it has been looked at."""
    arms = facts.get("arms")
    return [
        arm
        for arm in (arms if isinstance(arms, list) else [])
        if isinstance(arm, dict)
        and isinstance(arm.get("id"), str)
        and all(_are_angles(arm.get(name)) for name in ("lower_rad", "upper_rad"))
    ]


def _are_angles(what: Any) -> bool:
    return isinstance(what, list) and len(what) == DOF and all(map(_is_number, what))


def _is_number(what: Any) -> bool:
    return isinstance(what, int | float) and not isinstance(what, bool) and abs(what) < _LARGEST


def _text(what: Any) -> str | None:
    return what if isinstance(what, str) else None


def _spread_s(times: list[Any]) -> float:
    return float(max(int(t[-1]) for t in times) - min(int(t[0]) for t in times)) * 1e-9 if times else 0.0


def _moving(q: Any) -> float:
    """Share of the steps from picture to picture in which some joint turned."""
    return float((np.abs(np.diff(q, axis=0)).max(axis=1) > _MOVING_RAD).mean()) if len(q) > 1 else 0.0
