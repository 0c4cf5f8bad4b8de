"""The builds of the firmware: clean, small, free of a library, and the same to the last bit on every processor."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.armlink.messages import QuinticKnot
from firmware_bridge.emulator import build
from firmware_bridge.emulator.virtual_firmware import library
from firmware_bridge.trials.fuzz_seeds import seeds

Built = Callable[[Callable[[], Path]], Path]
SEGMENTS = 200
CODE_MAX = RAM_MAX = 16 * 1024


def tool(built: Built, *names: str) -> str:
    return str(built(lambda: Path(build.find_tool(*names))))


def firmware_image(board: str, *more: str) -> Callable[[], Path]:
    return lambda: build.cortex_image(board, *more)


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_every_source_compiles_without_a_warning(built: Built, compiler: str) -> None:
    path = tool(built, compiler)
    boards = sorted(path.stem for path in (build.SOURCES / "boards").glob("*.c"))
    cross = compiler.startswith("arm")
    boards = [
        name for name in boards if (name not in ("host", "fuzz") if cross else not name.startswith("mps2"))
    ]
    more = (*build.CORTEX_M4F, "-ffreestanding") if cross else ()
    names = (*build.CORE, "samples", *(f"boards/{board}" for board in boards))
    sources = [str(build.SOURCES / f"{name}.c") for name in names]
    command = [path, *build.STANDARD, *more, "-fsyntax-only", *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_core_includes_nothing_but_types_and_allocates_nothing() -> None:
    for name in build.CORE:
        for path in (build.SOURCES / f"{name}.c", build.SOURCES / f"{name}.h"):
            if path.exists():
                text = path.read_text(encoding="utf-8")
                assert set(re.findall(r"#include <(.*)>", text)) <= {"stdbool.h", "stddef.h", "stdint.h"}
                assert not re.search(
                    r"\b(malloc|free|double|goto|printf)\b\s*\(?", re.sub(r"/\*.*?\*/", "", text, flags=re.S)
                )


def compile_core(built: Built, folder: Path) -> None:
    """Objects of the core for the Cortex-M4F, and beside them the stack that every function needs."""
    command = [tool(built, "arm-none-eabi-gcc"), *build.STANDARD, *build.CORTEX_M4F, "-Os", "-ffreestanding"]
    sources = [str(build.SOURCES / f"{name}.c") for name in build.CORE]
    subprocess.run([*command, "-fstack-usage", "-c", *sources], check=True, cwd=folder)


def test_it_is_small(built: Built, tmp_path: Path) -> None:
    """Code of the whole image; data and, as more than any chain of calls can need, the frames of all functions."""
    image = built(firmware_image("mps2_arm", "boards/plant"))
    listed = subprocess.run(
        [tool(built, "arm-none-eabi-size"), str(image)], capture_output=True, text=True, check=True
    )
    text, data, bss = (int(number) for number in listed.stdout.splitlines()[1].split()[:3])
    compile_core(built, tmp_path)
    usage = [line for path in tmp_path.glob("*.su") for line in path.read_text(encoding="utf-8").splitlines()]
    stack = sum(int(line.split("\t")[1]) for line in usage)
    print(f"code {text + data} bytes, data {data + bss} bytes, all stack frames {stack} bytes")
    assert text + data <= CODE_MAX
    assert data + bss + stack <= RAM_MAX


def test_it_needs_no_library(built: Built, tmp_path: Path) -> None:
    compile_core(built, tmp_path)
    objects = [str(path) for path in tmp_path.glob("*.o")]
    listed = subprocess.run(
        [tool(built, "arm-none-eabi-nm"), *objects], capture_output=True, text=True, check=True
    )
    undefined = set(re.findall(r" U (\S+)", listed.stdout))
    defined = set(re.findall(r" [TR] (\S+)", listed.stdout))
    assert undefined - defined <= {"memcpy", "memset"}


def requests() -> list[tuple[QuinticKnot, QuinticKnot]]:
    """Random pairs of knots: small and large, fast and slow."""
    rng = np.random.default_rng(20)
    pairs = []
    for _ in range(SEGMENTS):
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


def test_samples_of_the_host_build_equal_the_reference_to_the_last_bit() -> None:
    for start, end in requests():
        asked = start.encode() + end.encode()
        expected = reference(start, end)
        answer = bytes(len(expected))
        assert library().vf_samples(asked, len(asked), answer) == len(expected)
        assert answer == expected


def test_samples_of_a_cortex_m4f_equal_the_reference_to_the_last_bit(built: Built) -> None:
    image = built(firmware_image("mps2_samples", "samples"))
    emulator = tool(built, "qemu-system-arm")
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
            for start, end in requests():
                process.stdin.write(start.encode() + end.encode())
                process.stdin.flush()
                expected = reference(start, end)
                assert process.stdout.read(len(expected)) == expected
        finally:
            process.kill()


def test_a_short_fuzzing_run_finds_nothing(built: Built, tmp_path: Path) -> None:
    target = built(build.fuzz_target)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, seed in seeds().items():
        (corpus / name).write_bytes(seed)
    seconds = 10 if os.environ.get("JOINTCELL_REQUIRE_TOOLS") else 2
    command = [str(target), f"-max_total_time={seconds}", "-max_len=400", "-seed=1", str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
