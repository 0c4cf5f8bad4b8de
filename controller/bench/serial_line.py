"""Rows for the host's side of real lines: what six arms cost, and how long a stop takes to reach the wire."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from cells.cell import load_cell
from cells.driver import QueueStatus, Segment, Status, StopCategory
from controller.bench.row import Figure, Options, Row
from controller.serial_lines import WallClock
from firmware_bridge.armlink.capture import read_capture
from firmware_bridge.armlink.frame import FrameParser
from firmware_bridge.armlink.knots import knots_of
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.messages import Hold
from firmware_bridge.armlink.serial_arm import SerialArm
from firmware_bridge.armlink.tool import TimedTool
from firmware_bridge.armlink.transport_process import TransportProcess
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.emulator.build import host_program
from firmware_bridge.emulator.emulated_cell import EmulatedCell
from kinematics import rest_to_rest

_CONNECT_S = 10.0
_PIECE_S = 5.0
_SWING = np.array([0.8, 0.3, -0.4, 0.5, 0.6, 1.0])
_BITS_PER_BYTE = 10


def rows(options: Options) -> Iterator[Row]:
    """Six firmware processes behind six lines at 921600 baud, every arm in motion without a pause."""
    try:
        host_program()
    except MissingToolError as missing:
        yield Figure(name="six arms over emulated lines", note=str(missing))
        return
    with SixArms() as cell:
        cell.work(2.0)  # connected, and everything that compiles is compiled
        shares = 100 * np.array([cell.cost(_PIECE_S) for _ in range(2 if options.quick else 12)])
        lines, calls = np.median(shares, axis=0)
        each = shares.sum(axis=1)
        yield Figure(
            name="cost on the host: six arms in motion",
            value=float(np.median(each)),
            unit="% of a core",
            goal=10.0,
            note=f"process of the lines {lines:.1f}, drivers' calls {calls:.1f}; CPU time, median of {len(each)} pieces "
            f"of {_PIECE_S:.0f} s, {each.min():.1f} to {each.max():.1f}; a status every 20 ms, a knot every 20 ms",
        )
        healths = [arm.health for arm in cell.arms]
        yield Figure(
            name="round trip of a frame and its acknowledgement, worst line's mean",
            value=max(health.round_trip_ns for health in healths) / 1e6,
            unit="ms",
        )
        yield Figure(
            name="underruns of six arms",
            value=sum(health.starved for health in healths),
            goal=0,
            must_hold=True,
        )
    times = 3 if options.quick else 20
    with tempfile.TemporaryDirectory() as folder, SixArms(Path(folder)) as cell:
        cell.work(2.0)
        called = [cell.stop_all() for _ in range(times)]
        waits = [wait for moment in called for wait in cell.waits_ms(moment)]
    yield Figure(
        name=f"stop call to its first byte on the wire, worst of {len(waits)}",
        value=max(waits),
        unit="ms",
        goal=10.0,
        note=f"median {float(np.median(waits)):.2f} ms; behind every byte that the line had still to carry",
    )


class SixArms:
    """The bundled cell's arms on emulated lines, that swing there and back; a context manager.

    Args:
        captures: Folder for captures of the lines, that show what a stop has to wait for; None for none.
    """

    def __init__(self, captures: Path | None = None) -> None:
        self.arms: list[SerialArm] = []
        self._captures = captures
        self._stack = ExitStack()
        self._ends: dict[str, bool] = {}
        self._count = 0

    def __enter__(self) -> Self:
        cell = load_cell("six_arm")
        home = {arm.id: np.zeros(6) for arm in cell.arms}
        swing = rest_to_rest(np.zeros(6), _SWING, cell.arms[0].arm.limits)
        self._ways = (swing, rest_to_rest(_SWING, np.zeros(6), cell.arms[0].arm.limits))
        knots_of(swing)  # compiled before anything waits for it
        with ExitStack() as stack:
            emulated = stack.enter_context(EmulatedCell(cell, home, LinkSettings()))
            entries = emulated.entries
            if self._captures is not None:
                entries = {
                    name: replace(entry, capture=self._captures / name) for name, entry in entries.items()
                }
            self._lines = stack.enter_context(TransportProcess(entries))
            self._lines.connect(_CONNECT_S)
            self._clock = WallClock(self._lines)
            for place in cell.arms:
                channel = self._lines.channels[place.id]
                arm = SerialArm(place, channel, self._clock, self._clock.origin_ns, TimedTool())
                self.arms.append(stack.enter_context(arm))
            self._stack = stack.pop_all()
        self._enable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def work(self, seconds: float) -> float:
        """Keep every arm in motion; the CPU time that this took [s].

        Raises:
            RuntimeError: With the words of an arm that faults.
        """
        end_s = time.monotonic() + seconds
        began_s = time.thread_time()
        while time.monotonic() < end_s:
            self._clock.advance()
            for arm in self.arms:
                state = arm.read()
                if state.fault:
                    raise RuntimeError(f"arm {arm.name}: {state.fault}")
                if state.results or state.status is Status.IDLE:
                    self._keep_moving(arm)
        return time.thread_time() - began_s

    def cost(self, seconds: float) -> tuple[float, float]:
        """Shares of a core that the process of the lines and the drivers' calls take while arms move."""
        before_s, began_s = _cpu_s(self._lines.pid), time.monotonic()
        calls_s = self.work(seconds)
        wall_s = time.monotonic() - began_s
        return (_cpu_s(self._lines.pid) - before_s) / wall_s, calls_s / wall_s

    def stop_all(self) -> int:
        """Stop the moving arms, one after the other at once, and set them moving again; when that was [ns]."""
        called_ns = time.monotonic_ns()
        for arm in self.arms:
            arm.stop(StopCategory.STOP_AND_HOLD)
        self._until_at_rest()
        self._home()
        return called_ns

    def waits_ms(self, called_ns: int) -> list[float]:
        """How long after a call the first byte of each arm's HOLD was on the wire, as the lines' captures show."""
        assert self._captures is not None
        return [(_wire_time_ns(self._captures / arm.name, called_ns) - called_ns) / 1e6 for arm in self.arms]

    def _enable(self) -> None:
        for arm in self.arms:
            arm.enable()
            self._ends[arm.name] = False

    def _keep_moving(self, arm: SerialArm) -> None:
        while True:
            segment = Segment(id=self._count + 1, trajectory=self._ways[self._ends[arm.name]])
            if arm.queue(segment) is not QueueStatus.ACCEPTED:
                return
            self._count += 1
            self._ends[arm.name] = not self._ends[arm.name]

    def _until_at_rest(self) -> None:
        for arm in self.arms:
            while arm.read().status is Status.STOPPED:
                self._clock.advance()
                arm.enable()

    def _home(self) -> None:
        """Back to where swings begin, and on."""
        self.wait(0.2)
        for arm in self.arms:
            way = rest_to_rest(arm.read().q, np.zeros(6), arm.limits)
            self._count += 1
            arm.queue(Segment(id=self._count, trajectory=way))
            self._ends[arm.name] = False
        self.work(1.0 + np.random.default_rng(self._count).uniform())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._clock.advance()
            for arm in self.arms:
                arm.read()


def _cpu_s(pid: int) -> float:
    """CPU time of a process [s]: Linux makes the number of its clock from its own (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def _wire_time_ns(capture: Path, called_ns: int) -> int:
    """When the first byte of the first HOLD after a call left, had the line carried all bytes before at its rate."""
    parser = FrameParser()
    byte_ns = _BITS_PER_BYTE * 1e9 / LinkSettings().baud
    free_ns = 0.0
    for time_ns, direction, data in read_capture(capture):
        if direction != ">":
            continue
        frames = list(parser.feed(data))
        begins_ns = max(free_ns, time_ns)
        free_ns = begins_ns + len(data) * byte_ns
        if time_ns >= called_ns - 1000 and any(frame.type == Hold.ID for frame in frames):
            return round(begins_ns)  # what is urgent goes first
    raise RuntimeError(f"{capture.name}: no HOLD was sent")
