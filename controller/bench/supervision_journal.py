"""What the journal costs: time at real-time pace, and size and answers after a million joints.

The events are those of an order that was made at fast-forward, written again: in the same groups to measure the cost, and
under ever new serial numbers to fill a file.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from controller.bench.fast_cell import MODELS, FastCell, warm
from controller.bench.row import Figure, Options, Row
from controller.supervision.archive import Archive
from controller.supervision.journal import Entry, Journal
from controller.supervision.packml import State
from controller.supervision.shift import OrderQueued, Shift

_ORDER = {MODELS[0]: 6, MODELS[1]: 6}
_JOINTS, _FEW_JOINTS = 1_000_000, 5_000
_AT_ONCE, _TIMES = (
    500,
    20,
)  # joints in a transaction while the file is filled, at most; times that differ, at least
_QUERIES = 40
_MEASURED = {"force_n": 48.213, "depth_mm": 12.034, "torque_nm": 1.9874}  # as a simulated operation measures
_TESTS = {
    "backlash_arcsec": 11.382,
    "stiffness_nm_per_rad": 18213.0,
    "idle_current_a": 0.0814,
    "ripple_percent": 8.312,
    "voltage_v": 42.013,
    "temperature_rise_k": 1.2214,
    "friction_nm": 0.71231,
    "torque_constant_nm_per_a": 4.8123,
}


def rows(options: Options) -> Iterator[Row]:
    """The figures of the study."""
    warm()
    with TemporaryDirectory() as directory:
        entries, cell_s = recorded(Path(directory) / "order")
        cpu_s = written_again(entries, Path(directory) / "again")
        yield Figure(
            name=f"journal at real-time pace, {sum(_ORDER.values())} joints in {cell_s:.0f} s: share of a core",
            value=100.0 * cpu_s / cell_s,
            unit="%",
            goal=1.0,
            note=f"{len(entries)} events in {_groups(entries)} commits took {1e3 * cpu_s:.0f} ms of processor time",
        )
        joints = _FEW_JOINTS if options.quick else _JOINTS
        path = Path(directory) / "filled.db"
        filled_s = filled(entries, path, joints)
        size = path.stat().st_size
        note = f"written in {filled_s:.0f} s of processor time"
        yield Figure(
            name=f"file of {joints} joints, for each million",
            value=size / joints * 1e6 / 1e9,
            unit="GB",
            goal=4.0,
            note=note,
        )
        for name, longest_s in queries(path, joints, options.seed).items():
            yield Figure(name=f"{name}, of {joints} joints", value=1e3 * longest_s, unit="ms", goal=100.0)


def recorded(directory: Path) -> tuple[list[Entry], float]:
    """The journal of an order, and how long the cell took [s]."""
    fast = FastCell(directory)
    fast.order(lines=_ORDER)
    fast.start_up()
    fast.until(State.COMPLETE)
    entries = list(fast.archive.journal.read())
    fast.end()
    return entries, fast.clock.now_ns * 1e-9


def written_again(entries: Sequence[Entry], directory: Path) -> float:
    """Processor time of writing the same events in the same groups [s]."""
    with Archive(directory) as archive:
        began = time.thread_time()
        for utc_ns, group in groupby(entries, key=lambda entry: entry.utc_ns):
            archive.append([entry.event for entry in group], utc_ns, Shift())
        return time.thread_time() - began


def _groups(entries: Sequence[Entry]) -> int:
    return len({entry.utc_ns for entry in entries})


def filled(entries: Sequence[Entry], path: Path, joints: int) -> float:
    """Fill a file with the events of so many joints; processor time [s]."""
    template = [entry.event for entry in entries if entry.event.kind != "order_queued"]
    serials = list(dict.fromkeys(e.serial for e in template if e.kind == "joint_entered"))
    template = [_with_values(event) for event in template]
    at_once = min(_AT_ONCE, joints // _TIMES)
    began = time.thread_time()
    with Journal(path) as journal:
        models = {e.model for e in template if e.kind == "joint_entered"}
        journal.append([OrderQueued(order="A", lines=dict.fromkeys(models, joints), by="ann")], 0)
        events: list[Any] = []
        for first in range(0, joints, len(serials)):
            names = {old: f"J{first + place:07d}" for place, old in enumerate(serials)}
            for event in template:
                if (serial := names.get(getattr(event, "serial", ""))) is None:
                    events.append(event)
                    continue
                place = {"place": event.place + first} if event.kind == "joint_entered" else {}
                events.append(event.model_copy(update={"serial": serial, **place}))
            if len(events) >= at_once * len(template) // len(serials) or first + len(serials) >= joints:
                journal.append(events, first * 26_000_000_000)
                events = []
    return time.thread_time() - began


def _with_values(event: Any) -> Any:
    """An operation of a simulated cell measures something; the fast-forward drivers do not."""
    if event.kind != "operation_ended":
        return event
    return event.model_copy(update={"measured": _TESTS if event.operation == "170" else _MEASURED})


def queries(path: Path, joints: int, seed: int) -> dict[str, float]:
    """The longest of some answers for each kind of question about the past [s]."""
    rng = np.random.default_rng(seed)
    longest: dict[str, float] = {}
    with Journal(path, read_only=True) as journal:
        for _ in range(_QUERIES):
            serial = f"J{int(rng.integers(joints)):07d}"
            until = int(rng.integers(joints // 2, joints)) * 26_000_000_000
            asked: dict[str, Callable[[], object]] = {
                "everything about one joint": partial(journal.story, serial),
                "the last 100 joints before a time": partial(journal.joints, until_utc_ns=until),
                "the last 100 joints of a model": partial(
                    journal.joints, model=MODELS[0], until_utc_ns=until
                ),
            }
            for name, ask in asked.items():
                began = time.perf_counter()
                if not ask():
                    raise AssertionError(f"{name}: no answer for {serial}, {until}")
                longest[name] = max(longest.get(name, 0.0), time.perf_counter() - began)
    return longest
