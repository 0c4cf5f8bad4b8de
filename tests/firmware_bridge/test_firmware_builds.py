"""The builds of the firmware: clean, small, free of a library, and the same to the last bit on every processor."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.emulator import build
from firmware_bridge.trials.firmware_size import compile_core, firmware_size
from firmware_bridge.trials.fuzzing import fuzz
from firmware_bridge.trials.samples import cortex_samples, host_samples, reference, requests

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


def test_it_is_small(built: Built) -> None:
    tool(built, "arm-none-eabi-gcc")
    size = firmware_size()
    print(size)
    assert size.code <= CODE_MAX
    assert size.ram <= RAM_MAX


def test_it_needs_no_library(built: Built, tmp_path: Path) -> None:
    tool(built, "arm-none-eabi-gcc")
    compile_core(tmp_path)
    objects = [str(path) for path in tmp_path.glob("*.o")]
    listed = subprocess.run(
        [tool(built, "arm-none-eabi-nm"), *objects], capture_output=True, text=True, check=True
    )
    undefined = set(re.findall(r" U (\S+)", listed.stdout))
    defined = set(re.findall(r" [TR] (\S+)", listed.stdout))
    assert undefined - defined <= {"memcpy", "memset"}


def test_samples_of_the_host_build_equal_the_reference_to_the_last_bit() -> None:
    asked = requests(SEGMENTS, np.random.default_rng(20))
    expected = [reference(*request) for request in asked]
    assert list(host_samples(asked, len(expected[0]))) == expected


def test_samples_of_a_cortex_m4f_equal_the_reference_to_the_last_bit(built: Built) -> None:
    built(firmware_image("mps2_samples", "samples"))
    tool(built, "qemu-system-arm")
    asked = requests(SEGMENTS, np.random.default_rng(20))
    expected = [reference(*request) for request in asked]
    assert list(cortex_samples(asked, len(expected[0]))) == expected


def test_a_short_fuzzing_run_finds_nothing(built: Built) -> None:
    built(build.fuzz_target)
    seconds = 10 if os.environ.get("REQUIRE_TOOLS") else 2
    found = fuzz(seconds=seconds)
    assert found.findings == 0, found.words
    assert found.executions > 0
