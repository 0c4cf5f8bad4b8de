"""The serial port: what it carries, and the three kinds of exception of a port that has gone."""

import time

import pytest

from firmware_bridge.emulated_line import PseudoTerminal
from firmware_bridge.port import LinkError, SerialPort


class Echo:
    """Sends everything back."""

    def receive(self, data: bytes, now_s: float) -> list[bytes]:
        return [data]


def collect(port: SerialPort, size: int) -> bytes:
    received = b""
    while len(received) < size and (more := port.read(1.0)):
        received += more
    return received


def test_bytes_go_out_and_come_in() -> None:
    with PseudoTerminal(Echo()) as terminal:
        port = SerialPort(terminal.path, 1_000_000)
        port.open()
        port.open()  # is open
        every = bytes(range(256))
        port.write(every)
        assert collect(port, 256) == every
        port.write(b"late")
        time.sleep(0.1)
        port.discard()
        assert port.read(0.0) == b""
        port.close()
        port.close()


def test_reading_waits_no_longer_than_told() -> None:
    with PseudoTerminal(Echo()) as terminal:
        port = SerialPort(terminal.path, 115_200)
        port.open()
        began = time.monotonic()
        assert port.read(0.05) == b""
        assert time.monotonic() - began >= 0.05
        port.close()


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(LinkError, match="port /dev/nothing: cannot be opened"):
        SerialPort("/dev/nothing", 115_200).open()


def test_a_closed_port_says_so() -> None:
    port = SerialPort("/dev/nothing", 115_200)
    for use in (lambda: port.write(b"x"), lambda: port.read(0.0), port.discard):
        with pytest.raises(LinkError, match="port /dev/nothing: is closed"):
            use()


def test_a_port_belongs_to_one_program() -> None:
    with PseudoTerminal(Echo()) as terminal:
        port = SerialPort(terminal.path, 115_200)
        port.open()
        with pytest.raises(LinkError, match="cannot be opened"):
            SerialPort(terminal.path, 115_200).open()
        port.close()


@pytest.mark.parametrize("use", ["write", "read", "discard"])
def test_a_port_that_has_gone_raises_one_kind_of_error_and_is_closed(use: str) -> None:
    with PseudoTerminal(Echo()) as terminal:
        port = SerialPort(terminal.path, 115_200)
        port.open()
        terminal.unplug()
        with pytest.raises(LinkError, match=f"port {terminal.path}: (write|read|reset) failed"):
            {"write": lambda: port.write(b"x"), "read": lambda: port.read(0.5), "discard": port.discard}[
                use
            ]()
        with pytest.raises(LinkError, match="is closed"):
            port.write(b"x")
