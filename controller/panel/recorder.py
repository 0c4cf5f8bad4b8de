"""Records every run as an MCAP file: joints of all arms as ROS 2 messages, and what happened, for Foxglove and its like.

A run begins when the cell starts and ends when it stops, completes or aborts. Pictures are copied as they come (twenty a
second at most) and written by a thread of its own; when the disk is slow or full, the recording ends and the cell goes on.
"""

import json
import logging
import queue
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcap_ros2.writer import Writer

from controller.panel.events import Event
from controller.panel.facts import CellFacts
from controller.supervision.packml import State
from controller.supervision.view import CellView

SUFFIX, UNFINISHED = ".mcap", ".mcap.part"
_RESTING = frozenset(
    {State.STOPPED, State.IDLE, State.ABORTED, State.COMPLETE, State.RESETTING, State.CLEARING}
)
_KEPT_BYTES = 2_000_000_000
_LONGEST_NS = 3600 * 10**9  # a run that lasts longer is recorded in several files
_WAITING = 2000  # messages that may wait for the disk
_SECOND_NS = 10**9
_CHUNK_BYTES = 131_072  # some three seconds: what a power failure takes from a recording
_log = logging.getLogger("jointcell.panel")

JOINT_STATE = """std_msgs/Header header
string[] name
float64[] position
float64[] velocity
float64[] effort
================================================================================
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
================================================================================
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""
STRING = "string data\n"
JOINT_STATE_NAME, STRING_NAME = "sensor_msgs/msg/JointState", "std_msgs/msg/String"
FACTS_TOPIC, EVENTS_TOPIC, JOINTS_TOPIC = "/cell/facts", "/cell/events", "/{arm}/joint_states"

_Message = tuple[str, int, dict[str, Any]]  # topic, time of day [ns], message


class Recorder:
    """Records in a directory; the oldest recordings make room for new ones.

    Args:
        directory: Where recordings are kept; made when there is none.
        facts: What does not change while the cell runs; every recording begins with it.
    """

    def __init__(self, directory: Path, facts: CellFacts) -> None:
        self._directory = directory
        self._facts = facts
        self._before: Event | None = None  # the last thing that happened while nothing was recorded
        directory.mkdir(parents=True, exist_ok=True)
        self._queue: queue.Queue[_Message | Path | None] = queue.Queue(_WAITING)
        self._open = False
        self._opened_ns = 0
        self._event_ns = 0
        self._lost = False
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the recording that is under way."""
        self._end()
        self._queue.put(None)
        self._thread.join(10.0)

    def picture(self, view: CellView) -> None:
        """A new picture: begins, goes on with, or ends a recording."""
        resting = view.state in _RESTING
        if self._open and (resting or self._lost or view.utc_ns - self._opened_ns > _LONGEST_NS):
            self._end()
        if not self._open and not resting:
            self._begin(view)
        if self._open:
            for arm in view.arms:
                stamp = {"sec": view.utc_ns // _SECOND_NS, "nanosec": view.utc_ns % _SECOND_NS}
                message = {
                    "header": {"stamp": stamp, "frame_id": arm.id},
                    "name": [f"{arm.id}_joint_{k}" for k in range(1, 7)],
                    "position": arm.q.tolist(),
                    "velocity": [],
                    "effort": [],
                }
                self._put((JOINTS_TOPIC.format(arm=arm.id), view.utc_ns, message))

    def event(self, event: Event) -> None:
        """Something happened."""
        if self._open:
            # A command is told when it was answered, and what came of it with the picture of the round before.
            self._event_ns = max(self._event_ns, event["utc_ms"] * 1_000_000)
            self._put((EVENTS_TOPIC, self._event_ns, _words(event)))
        else:
            self._before = event

    def _begin(self, view: CellView) -> None:
        name = datetime.fromtimestamp(view.utc_ns * 1e-9, UTC).strftime("run-%Y%m%d-%H%M%S")
        self._open, self._opened_ns, self._lost = True, view.utc_ns, False
        self._queue.put(self._directory / f"{name}{UNFINISHED}")
        facts = self._facts
        what = {
            "cell": facts.cell,
            "driver": view.driver,
            "simulated": view.simulated,
            "target_s": view.target_s,
            "arms": facts.arms,
            "versions": facts.versions,
        }
        self._put((FACTS_TOPIC, view.utc_ns, _words(what)))
        if self._before is not None and self._before["utc_ms"] == view.utc_ns // 1_000_000:
            self._put((EVENTS_TOPIC, view.utc_ns, _words(self._before)))  # what began this run

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._queue.put(self._directory)  # a directory: nothing more for the present file

    def _put(self, message: _Message) -> None:
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            if not self._lost:
                _log.error("the disk is too slow: the recording ends here")
            self._lost = True

    def _work(self) -> None:
        current: _File | None = None
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, Path):
                    if current is not None:
                        current.finish()
                    current = None if item == self._directory else _File(item)
                    _make_room(self._directory)
                elif current is not None:
                    current.write(*item)
            except OSError as error:
                _log.error("the recording ends here: %s", error)
                self._lost, current = True, None
        if current is not None:
            current.finish()


class _File:
    """One recording; it gets its name when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._writer = Writer(self._file, chunk_size=_CHUNK_BYTES)
        self._counts: Counter[str] = Counter()
        self._joints = self._writer.register_msgdef(JOINT_STATE_NAME, JOINT_STATE)
        self._words = self._writer.register_msgdef(STRING_NAME, STRING)

    def write(self, topic: str, utc_ns: int, message: dict[str, Any]) -> None:
        """Append a message; each topic counts its own from 1, so that a reader sees whether one is missing."""
        schema = self._words if "data" in message else self._joints
        self._counts[topic] += 1
        self._writer.write_message(topic, schema, message, utc_ns, utc_ns, self._counts[topic])

    def finish(self) -> None:
        """Write the index and give the file its name."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.close()
        self._path.replace(self._path.with_name(self._path.name.removesuffix(UNFINISHED) + SUFFIX))


def _words(what: Mapping[str, Any]) -> dict[str, Any]:
    """JSON in a message."""
    return {"data": json.dumps(what, ensure_ascii=False, separators=(",", ":"))}


def _make_room(directory: Path) -> None:
    """Delete the oldest recordings until the rest fits."""
    files = sorted(directory.glob(f"*{SUFFIX}"), key=lambda path: path.name, reverse=True)
    total = 0
    for path in files:
        total += path.stat().st_size
        if total > _KEPT_BYTES:
            path.unlink()
