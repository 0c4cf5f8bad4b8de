"""The firmware under libFuzzer with address and undefined-behaviour sanitizers, from seeds and the corpus kept."""

import re
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.emulator import build
from firmware_bridge.trials.fuzz_seeds import seeds

CORPUS = Path(__file__).with_name("fuzz_corpus.zip")
"""Inputs that reach everything that was ever reached. Written by `keep`."""

_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzing:
    """What a run found.

    Attributes:
        executions: Inputs that were run.
        findings: 1 when an input broke something, which ends the run.
        words: What the fuzzer said at the end.
    """

    executions: int
    findings: int
    words: str


def fuzz(*, executions: int = -1, seconds: int = 0, seed: int = 1) -> Fuzzing:
    """Run so many inputs, or for a time.

    Raises:
        MissingToolError: When clang is not installed.
    """
    target = build.fuzz_target()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for name, data in (seeds() | kept()).items():
            (corpus / name).write_bytes(data)
        limits = [
            f"-runs={executions}",
            f"-max_total_time={seconds}",
            f"-max_len={_LONGEST}",
            f"-seed={seed}",
        ]
        command = [str(target), *limits, "-print_final_stats=1", str(corpus)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    counted = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    return Fuzzing(
        executions=int(counted[1]) if counted else 0,
        findings=int(done.returncode != 0),
        words=done.stderr[-3000:],
    )


def kept() -> dict[str, bytes]:
    """The corpus, by name."""
    with zipfile.ZipFile(CORPUS) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def keep(corpus: Path) -> None:
    """Make the archive of those files of a fuzzer's folder that reach what no smaller ones do."""
    with tempfile.TemporaryDirectory() as folder:
        merge = [str(build.fuzz_target()), "-merge=1", f"-max_len={_LONGEST}", folder, str(corpus)]
        subprocess.run(merge, check=True, capture_output=True)
        with zipfile.ZipFile(CORPUS, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name[:16]), path.read_bytes(), zipfile.ZIP_DEFLATED)
