"""The firmware as a process on a pseudo-terminal and on an emulated board: real bytes through a real serial port."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import serial

from firmware_bridge.armlink.codes import Drive, EventCode, Fault, Result
from firmware_bridge.armlink.frame import FrameParser, crc32c, frame_of
from firmware_bridge.armlink.messages import (
    Config,
    Confirm,
    Control,
    DescRead,
    Heartbeat,
    QuinticKnot,
    ReportRead,
    SegQuintic,
    Start,
    Sync,
)
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import REPORTS, Ack, Desc, Event, HelloAck, Nak, Status
from firmware_bridge.emulator import FirmwareProcess, build
from firmware_bridge.trials.wire_client import CONFIG, HOME, UID, Host, knots
from kinematics import Limits, rest_to_rest

START = np.array(HOME) * 1e-7
WAIT_S = 10.0
SLOW = Limits(velocity=np.full(6, 1.0), acceleration=np.full(6, 3.0), jerk=np.full(6, 30.0))
# Made here: the first use of a kernel may take longer than a lease.
SHORT = knots(rest_to_rest(START, START + 0.3, SLOW))
LONG = knots(rest_to_rest(START, START + 1.0, SLOW))
FROM_ZERO = knots(rest_to_rest(np.zeros(6), np.full(6, 0.2), SLOW))


class Port:
    """A host on a serial port that waits for answers."""

    def __init__(self, name: str) -> None:
        self.serial = serial.Serial(name, 921600, timeout=0.02)
        self.parser = FrameParser()
        self.session = self.seq = 0
        self.reports: list[Message] = []

    def send(self, message: Message, *, session: int | None = None) -> None:
        session = self.session if session is None else session
        self.serial.write(frame_of(message, session=session, seq=self.seq).encode())

    def ask(
        self, message: Message, kind: type[Message], *, session: int | None = None, **fields: object
    ) -> Message:
        """Send it until an answer of the kind, with these fields, comes."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            self.send(message, session=session)
            if self.session:
                self.send(Heartbeat(host_ms=0, lease_10ms=100, status_ms=20))
            for frame in self.parser.feed(self.serial.read(2000)):
                report = REPORTS[frame.type].decode(frame.payload)
                self.reports.append(report)
                if isinstance(report, kind) and all(getattr(report, k) == v for k, v in fields.items()):
                    return report
        raise AssertionError(f"no {kind.__name__} with {fields}")

    def order(self, message: Message) -> None:
        """A reliable message, sent until it is acknowledged."""
        ack = self.ask(message, Ack, next_seq=self.seq + 1)
        assert isinstance(ack, Ack)
        assert ack.results[0] is Result.OK, (ack, self.status(), self.reports[-4:])
        self.seq += 1

    def open(self, nonce: int) -> HelloAck:
        ack = self.ask(Host.hello(self, nonce=nonce, flags=1), HelloAck, session=0, host_nonce=nonce)  # type: ignore[arg-type]
        assert isinstance(ack, HelloAck)
        self.session, self.seq = ack.session, 0
        return ack

    def enable(self, ack: HelloAck) -> None:
        self.send(Sync(host_ns=0))
        self.order(Confirm(uid=ack.uid, config_crc=ack.config_crc))
        for word in (6, 7, 15):
            self.order(Control(controlword=word))

    def move(self, motion: list[QuinticKnot]) -> None:
        for k in range(0, len(motion), 2):
            last = k + 2 >= len(motion)
            self.order(SegQuintic(traj=1, flags=last, first_knot=k, knots=tuple(motion[k : k + 2])))  # type: ignore[arg-type]
        self.order(Start(traj=1, mode=1, t_start_us=0))  # type: ignore[arg-type]

    def status(self, **fields: object) -> Status:
        status = self.ask(ReportRead(report=0), Status, session=0, **fields)  # type: ignore[arg-type]
        assert isinstance(status, Status)
        return status


@pytest.fixture
def firmware(tmp_path: Path) -> Iterator[FirmwareProcess]:
    with FirmwareProcess(CONFIG, uid=UID, q=START, link=tmp_path / "arm1") as process:
        yield process


def test_a_serial_port_with_an_arm_behind_it(firmware: FirmwareProcess, tmp_path: Path) -> None:
    port = Port(str(tmp_path / "arm1"))
    ack = port.open(7)
    assert (ack.uid, ack.config_crc) == (UID, crc32c(CONFIG.encode()))
    port.enable(ack)
    port.move(SHORT)
    began = firmware.plant.joints()[0]
    port.ask(Heartbeat(host_ms=0, lease_10ms=100, status_ms=20), Event, code=EventCode.TRAJECTORY_DONE)
    q, _ = firmware.plant.joints()
    assert firmware.plant.powered
    assert np.abs(q - (START + 0.3)).max() < 2e-3
    assert np.abs(q - began).max() > 0.1


def test_a_reset_while_moving(firmware: FirmwareProcess) -> None:
    port = Port(firmware.port)
    ack = port.open(7)
    port.enable(ack)
    port.move(LONG)
    time.sleep(0.3)
    firmware.reset()
    refusal = port.ask(Heartbeat(host_ms=0, lease_10ms=100, status_ms=20), Nak)
    assert isinstance(refusal, Nak)
    assert refusal.boot_id == 2
    assert not firmware.plant.powered
    port.session = 0
    assert port.open(8).boot_id == 2


def test_power_off_and_on_finds_the_joints_where_they_were(firmware: FirmwareProcess, tmp_path: Path) -> None:
    port = Port(str(tmp_path / "arm1"))
    port.enable(port.open(7))
    port.move(LONG)
    time.sleep(0.3)
    firmware.kill()
    there = np.array(firmware._positions)
    firmware.restart()
    again = Port(str(tmp_path / "arm1"))
    assert again.open(9).boot_id == 2
    assert np.abs(np.array(again.status().pos) - there).max() < 1000
    assert np.abs(there - np.array(HOME)).max() > 1000


def test_a_frozen_processor_faults_when_it_goes_on(firmware: FirmwareProcess) -> None:
    port = Port(firmware.port)
    port.enable(port.open(7))
    port.move(LONG)
    firmware.freeze()
    time.sleep(0.6)
    firmware.thaw()
    assert port.status(drive=Drive.FAULT).fault in (Fault.TICK_OVERRUN, Fault.HOST_LOST)


def test_the_whole_configuration_over_the_line(firmware: FirmwareProcess) -> None:
    port = Port(firmware.port)
    encoded = b""
    while len(encoded) < len(CONFIG.encode()):
        piece = port.ask(DescRead(offset=len(encoded)), Desc, session=0, offset=len(encoded))
        assert isinstance(piece, Desc)
        encoded += piece.chunk
    assert Config.decode(encoded) == CONFIG


def test_wrong_arguments_are_explained() -> None:
    done = subprocess.run([str(build.host_program()), "00"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    with pytest.raises(RuntimeError, match=r"^the emulated firmware ended with code 2$"):
        FirmwareProcess(CONFIG, uid=b"short", q=START).__enter__()


def test_a_cortex_m4f_follows_a_trajectory(built: Callable[[Callable[[], Path]], Path]) -> None:
    """Handshake and a motion on the emulated board; deadlines are loose, emulation is slow on a busy machine."""
    image = built(lambda: build.cortex_image("mps2_arm", "boards/plant"))
    emulator = str(built(lambda: Path(build.find_tool("qemu-system-arm"))))
    board = [emulator, "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "pty"]
    with subprocess.Popen(
        [*board, "-kernel", str(image)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            name = next(word for word in process.stdout.readline().split() if word.startswith("/dev/"))
            port = Port(name)
            ack = port.open(3)
            assert ack.uid.startswith(b"mps2")
            port.enable(ack)
            port.move(FROM_ZERO)
            done = port.ask(
                Heartbeat(host_ms=0, lease_10ms=100, status_ms=20), Event, code=EventCode.TRAJECTORY_DONE
            )
            assert isinstance(done, Event)
            status = port.status()
            assert np.abs(np.array(status.pos) + np.array(status.ferr) - 2_000_000).max() == 0
        finally:
            process.kill()
