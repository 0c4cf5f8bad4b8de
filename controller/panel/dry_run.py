"""Trying an order before it is queued, or a cell file before it is used.

Planned and run without physics, in a process of its own at low priority.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict

_KEPT = 20
_LONGEST_S = 1800.0
_JOINTS = 12  # in steady state: enough to see the cycle
_NICE = 10


class DryRun(TypedDict):
    """A dry run: under way, done with its figures, or failed with the reason."""

    id: str
    models: list[str]
    status: Literal["running", "done", "failed"]
    met: bool | None
    cycle_p95_s: float | None
    cycle_mean_s: float | None
    lower_bound_s: float | None
    reason: str


class BusyError(Exception):
    """Another dry run is under way."""


class DryRuns:
    """Dry runs, one at a time.

    Args:
        directory: Where their results are written.
        cell: The cell that runs: a bundled name or the path of a cell file.
        command: How to call `jointcell`.
    """

    def __init__(
        self,
        directory: Path,
        cell: str,
        command: Sequence[str] = (sys.executable, "-m", "controller.cli"),
    ) -> None:
        self._directory = directory
        self._cell = cell
        self._command = tuple(command)
        self._runs: dict[str, DryRun] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(
        self,
        number: str,
        names: Iterable[str],
        target_s: float,
        *,
        cell: str = "",
        ended: Callable[[DryRun], None] = lambda run: None,
    ) -> DryRun:
        """Begin one.

        Args:
            number: Its name.
            names: Joint models of the mix.
            target_s: Cycle time to keep.
            cell: A cell file to try instead of the running one.
            ended: Called from a thread of its own, however it ended.

        Raises:
            BusyError: When another is under way.
        """
        models = sorted(names)
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise BusyError("another dry run is under way")
            out = self._directory / number
            shutil.rmtree(self._directory, ignore_errors=True)
            out.mkdir(parents=True)
            options = ["--cell", cell or self._cell, "--models", ",".join(models)]
            options += ["--joints", str(_JOINTS), "--target", f"{target_s:g}"]
            with (out / "errors.txt").open("wb") as errors:
                self._process = subprocess.Popen(
                    [*self._command, "run", "--driver", "fake", "--out", str(out / "run"), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    preexec_fn=_step_back,
                )
            run = DryRun(
                id=number,
                models=models,
                status="running",
                met=None,
                cycle_p95_s=None,
                cycle_mean_s=None,
                lower_bound_s=None,
                reason="",
            )
            self._runs[number] = run
            while len(self._runs) > _KEPT:
                del self._runs[next(iter(self._runs))]
            waited = (run, self._process, out, ended)
            self._waiting = threading.Thread(target=self._wait, args=waited, daemon=True)
            self._waiting.start()
        return run

    def get(self, number: str) -> DryRun | None:
        """One of the last runs."""
        return self._runs.get(number)

    def close(self) -> None:
        """End what is under way."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                self._process.wait(10.0)
        if self._waiting is not None:
            self._waiting.join(10.0)

    def _wait(
        self,
        run: DryRun,
        process: "subprocess.Popen[bytes]",
        out: Path,
        ended: Callable[[DryRun], None],
    ) -> None:
        self._read(run, process, out)
        ended(run)

    def _read(self, run: DryRun, process: "subprocess.Popen[bytes]", out: Path) -> None:
        try:
            process.wait(_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
        try:
            found = json.loads((out / "run" / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            said = (out / "errors.txt").read_text(encoding="utf-8", errors="replace") if out.exists() else ""
            run["reason"] = said.strip()[-400:] or f"it was ended ({process.returncode})"
            run["status"] = "failed"
            return
        run["met"] = bool(found["met"])
        run["cycle_p95_s"] = found["cycle_time_p95_s"]
        run["cycle_mean_s"] = found["cycle_time_mean_s"]
        run["lower_bound_s"] = found["lower_bound_s"]
        run["status"] = "done"


def _step_back() -> None:
    """The cell goes first."""
    os.nice(_NICE)
