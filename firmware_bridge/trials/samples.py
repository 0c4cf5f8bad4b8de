"""The curve between two knots on the host, on a Cortex-M4F and in numpy: the same to the last bit, or not.

A request is a pair of knots, the answer 8 samples of the quintic and 8 of the cubic between them: position, velocity and
acceleration of six joints in single precision (firmware/samples.c).
"""

import subprocess
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.armlink.messages import QuinticKnot
from firmware_bridge.emulator import build
from firmware_bridge.emulator.virtual_firmware import library

Request = tuple[QuinticKnot, QuinticKnot]


def requests(count: int, rng: np.random.Generator) -> list[Request]:
    """Random pairs of knots: small and large, fast and slow."""
    pairs = []
    for _ in range(count):
        start = int(rng.integers(0, 10**6))
        h = int(rng.integers(2_000, 1_000_001))
        size = 10.0 ** rng.uniform(0, 7.5)
        pos = rng.integers(-3 * 10**7, 3 * 10**7, 6)
        vel, acc = rng.uniform(-1, 1, (2, 6)) * size / (h * 1e-6) * 0.1, rng.uniform(-1, 1, (2, 6)) * size

        def knot(t: int, p: NDArray[np.int64], v: NDArray[np.float64], a: NDArray[np.float64]) -> QuinticKnot:
            return QuinticKnot(
                t_us=t,
                pos=tuple(map(int, p)),
                vel=tuple(map(int, v)),
                acc=tuple(map(int, np.clip(a, -1e8, 1e8))),
            )

        far = pos + (rng.uniform(-1, 1, 6) * size).astype(int)
        pairs.append((knot(start, pos, vel[0], acc[0]), knot(start + h, far, vel[1], acc[1])))
    return pairs


def reference(start: QuinticKnot, end: QuinticKnot) -> bytes:
    """The same arithmetic in numpy, in single precision and in the same order."""
    f = np.float32
    out = []
    v0, v1 = (np.array(k.vel, dtype=np.int32).astype(f) * f(1e-6) for k in (start, end))
    a0, a1 = (np.array(k.acc, dtype=np.int32).astype(f) * f(1e-5) for k in (start, end))
    h = f(end.t_us - start.t_us) * f(1e-6)
    d = (np.array(end.pos) - np.array(start.pos)).astype(np.int32).astype(f) * f(1e-7)
    a, b = v0 * h, v1 * h
    e, g = (a0 * h) * h, (a1 * h) * h
    r, s, w = (d - a) - f(0.5) * e, (b - a) - e, g - e
    zero = np.zeros(6, dtype=f)
    quintic = (
        a,
        f(0.5) * e,
        (f(10) * r - f(4) * s) + f(0.5) * w,
        (f(7) * s - f(15) * r) - w,
        (f(6) * r - f(3) * s) + f(0.5) * w,
    )
    cubic = (a, (f(3) * d - f(2) * a) - b, (a + b) - f(2) * d, zero, zero)
    for c in (quintic, cubic):
        for k in range(8):
            u = f(k) / f(7)
            q = u * (c[0] + u * (c[1] + u * (c[2] + u * (c[3] + u * c[4]))))
            v = c[0] + u * (f(2) * c[1] + u * (f(3) * c[2] + u * (f(4) * c[3] + u * (f(5) * c[4]))))
            acc = f(2) * c[1] + u * (f(6) * c[2] + u * (f(12) * c[3] + u * (f(20) * c[4])))
            steps = q * f(1e7)
            rounded = np.where(steps < 0, steps - f(0.5), steps + f(0.5)).astype(np.int32)
            rows = np.zeros(6, dtype=[("pos", "<i4"), ("vel", "<f4"), ("acc", "<f4")])
            rows["pos"] = np.array(start.pos) + rounded
            rows["vel"], rows["acc"] = v / h, (acc / h) / h
            out.append(rows.tobytes())
    return b"".join(out)


def host_samples(asked: Iterable[Request], size: int) -> Iterator[bytes]:
    """Answers of the host build, of so many bytes each.

    Raises:
        MissingToolError: When there is no C compiler.
    """
    for start, end in asked:
        request, answer = start.encode() + end.encode(), bytes(size)
        filled = library().vf_samples(request, len(request), answer)
        yield answer[:filled]


def cortex_samples(asked: Iterable[Request], size: int) -> Iterator[bytes]:
    """Answers of the build for a Cortex-M4F, in QEMU, of so many bytes each.

    Raises:
        MissingToolError: When the cross compiler or QEMU is not installed.
    """
    emulator, image = build.find_tool("qemu-system-arm"), build.cortex_image("mps2_samples", "samples")
    board = [emulator, "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "stdio"]
    with subprocess.Popen(
        [*board, "-kernel", str(image)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for start, end in asked:
                process.stdin.write(start.encode() + end.encode())
                process.stdin.flush()
                yield process.stdout.read(size)
        finally:
            process.kill()
