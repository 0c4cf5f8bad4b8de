"""Checks of this machine: what is there, in which state, and what to do about it.

A finding is broken when `jointcell run` could not work or its times could not be trusted; anything else with a
remedy is only advice.
"""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from itertools import pairwise
from pathlib import Path

from rich.table import Table
from rich.text import Text

from controller.app import prepare_kernels
from controller.supervision.settings import SettingsError, explain_settings
from firmware_bridge.port import port_names

_DISTRIBUTION = "jointcell"
_FREE_BYTES = 500_000_000  # E: a day of records and reports
_CORES = 2
_BUSY = 1.5  # load for each core above which wall times say little
_COARSE_CLOCK_NS = 1_000_000
_COLD_S = 5.0  # E: kernels come from the cache in less, and compile in more
_REQUIREMENT = re.compile(r'([\w.-]+)(?:<[\d.]+,)?>=([\d.]+)(?:; extra == "([\w-]+)")?')
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "firefox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, its state in words, and what to do (empty: nothing)."""

    what: str
    state: str
    remedy: str = ""
    broken: bool = False


def examine(settings_file: Path | None = None) -> list[Finding]:
    """Look at everything; takes as long as compiling the kernels when they are not in the cache.

    Args:
        settings_file: Settings of a running cell (TOML); the environment goes above them.
    """
    return [
        python_version(platform.python_version(), metadata(_DISTRIBUTION)["Requires-Python"]),
        *packages(requires(_DISTRIBUTION) or [], _installed),
        kernel_cache(),
        free_disk(Path.cwd()),
        clock(),
        processors(os.cpu_count() or 1, os.getloadavg()[0]),
        serial_ports(),
        browser(shutil.which),
        *settings(settings_file),
    ]


def findings_table(findings: Sequence[Finding]) -> Table:
    """Verdict, what was looked at, and its state with the remedy."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for finding in findings:
        sign = "BROKEN" if finding.broken else "note" if finding.remedy else "ok"
        advice = f"{finding.state}; {finding.remedy}" if finding.remedy else finding.state
        table.add_row(sign, Text(finding.what), Text(advice, overflow="fold"))
    return table


def python_version(found: str, required: str) -> Finding:
    """The interpreter against what the package asks for (``>=3.11``)."""
    fits = _numbers(found) >= _numbers(required)
    state = f"{found}, {sys.implementation.name}, {platform.machine()}"
    return Finding(
        what="Python", state=state, remedy="" if fits else f"install Python {required}", broken=not fits
    )


def packages(requirements: Sequence[str], installed: Callable[[str], str | None]) -> list[Finding]:
    """Every required package, and every extra as a whole.

    Args:
        requirements: As in the metadata of a package: ``numpy>=2.0``, ``coal>=3.0; extra == "verify"``.
        installed: Version of a package by its name, None when there is none.
    """
    findings = []
    extras: dict[str, list[str]] = {}
    for match in filter(None, map(_REQUIREMENT.fullmatch, requirements)):
        name, lowest, extra = match.groups()
        there = installed(name)
        fits = there is not None and _numbers(there) >= _numbers(lowest)
        if extra:
            extras.setdefault(extra, []).extend([] if fits else [name])
            continue
        state = there or "missing"
        remedy = "" if fits else f"pip install '{name}>={lowest}'"
        findings.append(Finding(what=name, state=state, remedy=remedy, broken=not fits))
    for extra, lacking in extras.items():
        state = f"lacks {', '.join(lacking)}" if lacking else "complete"
        remedy = f"if you need it: pip install '{_DISTRIBUTION}[{extra}]'" if lacking else ""
        findings.append(Finding(what=f"extra {extra}", state=state, remedy=remedy))
    return findings


def kernel_cache() -> Finding:
    """Whether compiled kernels are kept, found by loading all of them; afterwards they are."""
    began = time.perf_counter()
    folder = prepare_kernels(lambda *_: None)
    kept = folder.parent.name == _DISTRIBUTION  # else it is a temporary folder
    seconds = time.perf_counter() - began
    warm = seconds < _COLD_S
    state = f"{folder}, {'loaded' if warm else 'compiled'} in {seconds:.1f} s"
    remedy = (
        "" if kept else "each run compiles anew: make the user's cache folder writable or set XDG_CACHE_HOME"
    )
    return Finding(what="kernel cache", state=state, remedy=remedy)


def free_disk(directory: Path) -> Finding:
    """Space for records and reports."""
    free = shutil.disk_usage(directory).free
    remedy = "" if free >= _FREE_BYTES else f"free {_FREE_BYTES / 1e9:g} GB, or write elsewhere with --out"
    state = f"{free / 1e9:.1f} GB free in {directory}"
    return Finding(what="disk", state=state, remedy=remedy, broken=free == 0)


def clock() -> Finding:
    """The clock that execution reads: it must never go back, and tell milliseconds apart."""
    info = time.get_clock_info("monotonic")
    samples = [time.monotonic_ns() for _ in range(2000)]
    steps = [after - before for before, after in pairwise(samples)]
    smallest = min((step for step in steps if step > 0), default=round(info.resolution * 1e9))
    backwards = not info.monotonic or min(steps) < 0
    coarse = smallest > _COARSE_CLOCK_NS
    state = f"{'goes back' if backwards else 'monotonic'}, {info.implementation}, steps of {smallest} ns"
    remedy = "use another clock source of the operating system" if backwards or coarse else ""
    return Finding(what="clock", state=state, remedy=remedy, broken=backwards)


def processors(cores: int, load: float) -> Finding:
    """Cores and how busy they are: simulated times do not depend on it, wall times do."""
    state = f"{cores}, load {load:.1f}"
    if cores < _CORES:
        return Finding(
            what="cores", state=state, remedy=f"{_CORES} or more plan and simulate in reasonable time"
        )
    busy = load > _BUSY * cores
    return Finding(
        what="cores", state=state, remedy="wait until it is idle before you measure" if busy else ""
    )


def serial_ports() -> Finding:
    """Ports to which arms could be connected."""
    ports = port_names()
    unusable = [port for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    remedy = f"join the group that owns {', '.join(unusable)} (often dialout)" if unusable else ""
    return Finding(what="serial ports", state=", ".join(ports) or "none", remedy=remedy)


def browser(find: Callable[[str], str | None]) -> Finding:
    """Something to read reports with."""
    found = next((path for name in _BROWSERS if (path := find(name))), None)
    remedy = "" if found else "install chromium, or open report.html on another machine: it is one file"
    return Finding(what="browser", state=found or "none found", remedy=remedy)


def settings(file: Path | None) -> list[Finding]:
    """Every setting of a running cell with where it comes from, or what is wrong with them."""
    try:
        explained = explain_settings(file)
    except SettingsError as error:
        return [
            Finding(what="settings", state=line, remedy="mend it, or the cell does not begin", broken=True)
            for line in str(error).splitlines()
        ]
    return [
        Finding(what=f"setting {one.key}", state=f"{one.value} ({one.origin}): {one.meaning}")
        for one in explained
    ]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    """The release of a version for comparison: ``>=3.11`` is (3, 11)."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])
