"""Compiles the firmware on demand.

Results are kept in the user's cache folder under a hash of all sources and of the command, never beside the
sources, which may be read-only.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "firmware"
CORE = ("arm", "curve", "drive", "execute", "frame", "path", "ramp", "report", "tick")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
# Without contraction every build computes the same bits; sqrt is an instruction, not a call.
STANDARD = ("-std=c11", "-ffp-contract=off", "-fno-math-errno", *WARNINGS)
CORTEX_M4F = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")


class MissingToolError(RuntimeError):
    """A compiler or an emulator is not installed."""


def find_tool(*names: str) -> str:
    """Path of the first of these programs that is installed.

    Raises:
        MissingToolError: When none is.
    """
    for name in names:
        if (path := shutil.which(name)) is not None:
            return path
    raise MissingToolError(f"{' or '.join(names)} is not installed")


def host_compiler() -> str:
    """The C compiler of this machine: ``CC``, or gcc, clang, cc."""
    return find_tool(*filter(None, (os.environ.get("CC"),)), "gcc", "clang", "cc")


def shared_library() -> Path:
    """The firmware with a plant, to be driven in virtual time."""
    sources = _files(*CORE, "samples", "boards/plant", "boards/virtual", "boards/codec_check")
    return compiled("firmware.so", host_compiler(), *STANDARD, "-O2", "-fPIC", "-shared", *sources)


def host_program() -> Path:
    """The firmware with a plant, as a process on a pseudo-terminal."""
    return compiled("host", host_compiler(), *STANDARD, "-O2", *_files(*CORE, "boards/plant", "boards/host"))


def cortex_image(board: str, *more: str) -> Path:
    """The firmware for a Cortex-M4F, with a main file from ``boards`` and other sources it needs."""
    flags = (*STANDARD, *CORTEX_M4F, "-Os", "-ffreestanding", "-nostdlib", "-ffunction-sections")
    link = ("-Wl,--gc-sections", f"-T{SOURCES / 'boards' / 'mps2.ld'}")
    sources = _files(*CORE, "boards/mps2", f"boards/{board}", *more)
    compiler = find_tool("arm-none-eabi-gcc")
    return compiled(f"{board}.elf", compiler, *flags, *link, *sources, "-lgcc")


def fuzz_target() -> Path:
    """The firmware under libFuzzer with address and undefined-behaviour sanitizers."""
    sanitizers = ("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")
    # Watching comparisons costs five of six executions, and fuzz.c itself makes the magic numbers that need it.
    flags = (*STANDARD, "-O2", "-g", *sanitizers, "-fno-sanitize-coverage=trace-cmp")
    return compiled("fuzz", find_tool("clang"), *flags, *_files(*CORE, "boards/plant", "boards/fuzz"))


def _files(*names: str) -> tuple[str, ...]:
    return tuple(str(SOURCES / f"{name}.c") for name in names)


def compiled(name: str, *command: str) -> Path:
    """What a compiler command makes, from the cache or made now.

    Raises:
        RuntimeError: With the compiler's words, when it fails.
    """
    digest = hashlib.sha256("\0".join(command).encode())
    for path in sorted(path for path in SOURCES.rglob("*") if path.suffix in (".c", ".h", ".ld")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jointcell"
    try:
        folder = base / f"firmware-{digest.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="jointcell-firmware-"))
    result = folder / name
    if not result.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / name
            done = subprocess.run([*command, "-o", str(made)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{command[0]}: {name}: {done.stderr}")
            made.replace(result)
    return result
