"""Runs of the command `jointcell` in processes of their own, started together and waited for one by one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
JOINTCELL = (sys.executable, "-m", "controller.cli")
_PATIENCE_S = 280
_AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished process and the directory it wrote into."""

    out: Path
    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.out / "run.json").read_text(encoding="utf-8"))

    def record(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """First line and events of the record."""
        lines = (self.out / "record.jsonl").read_text(encoding="utf-8").splitlines()
        first, *events = map(json.loads, lines)
        return first, events


class Runs:
    """Starts runs in the background, at most two at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._futures: dict[str, Future[Run]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def start(
        self,
        name: str,
        *options: str,
        stop_when: Callable[[Path], bool] | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start ``jointcell run``; interrupt it (Ctrl-C) as soon as ``stop_when`` says so about its directory."""
        out = self.directory / name
        self._futures[name] = self._pool.submit(_run, options, out, stop_when, environment)

    def __getitem__(self, name: str) -> Run:
        return self._futures[name].result()


def jointcell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the command and wait for it."""
    return subprocess.run(
        [*JOINTCELL, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=_PATIENCE_S,
        check=False,
    )


def _run(
    options: Sequence[str],
    out: Path,
    stop_when: Callable[[Path], bool] | None,
    environment: Mapping[str, str],
) -> Run:
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(out.with_suffix(".md")), **environment}
    command = [*JOINTCELL, "run", "--out", str(out), *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        deadline = time.monotonic() + _PATIENCE_S
        while stop_when is not None and process.poll() is None and time.monotonic() < deadline:
            if stop_when(out):
                process.send_signal(signal.SIGINT)
                break
            time.sleep(0.1)
        try:
            stdout, stderr = process.communicate(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Run(out=out, code=process.returncode, stdout=stdout, stderr=stderr)
