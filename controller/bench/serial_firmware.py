"""Rows for the firmware: its size, and its curves to the last bit."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from controller.bench.row import Figure, Options, Row
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.trials.firmware_size import firmware_size
from firmware_bridge.trials.samples import Request, cortex_samples, host_samples, reference, requests

_SEGMENTS = 200
_KB = 1024


def rows(options: Options) -> Iterator[Row]:
    """Random segments on the host and on a Cortex-M4F in QEMU beside numpy; bytes of the image for the M4F."""
    asked = requests(_SEGMENTS, np.random.default_rng(options.seed))
    expected = [reference(*request) for request in asked]
    yield _same("host build", host_samples, asked, expected)
    yield _same("Cortex-M4F in QEMU", cortex_samples, asked, expected)
    code, ram = "firmware on a Cortex-M4F: code", "firmware on a Cortex-M4F: RAM"
    try:
        size = firmware_size()
    except MissingToolError as missing:
        yield from (Figure(name=name, note=str(missing)) for name in (code, ram))
        return
    yield Figure(name=code, value=size.code, unit="bytes", goal=16 * _KB, must_hold=True)
    yield Figure(
        name=ram,
        value=size.ram,
        unit="bytes",
        goal=16 * _KB,
        must_hold=True,
        note=f"{size.data} of variables, {size.stack} of stack if every function called every other",
    )


def _same(
    where: str,
    samples: Callable[[Iterable[Request], int], Iterator[bytes]],
    asked: list[Request],
    expected: list[bytes],
) -> Figure:
    name = f"segments bit-identical with numpy, {where}, of {len(asked)}"
    try:
        same = sum(map(bytes.__eq__, samples(asked, len(expected[0])), expected))
    except MissingToolError as missing:
        return Figure(name=name, note=str(missing))
    return Figure(
        name=name,
        value=same,
        goal=len(asked),
        at_least=True,
        must_hold=True,
        note="16 samples each of position, velocity and acceleration of six joints",
    )
