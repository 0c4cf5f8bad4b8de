"""On what a benchmark ran, so that its figures can be compared with others."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_OURS = ("jointcell", "numpy", "numba", "llvmlite")


def machine(peers: Iterable[str] = ()) -> dict[str, str]:
    """Processor, cores, load, Python and the versions of the packages that matter, those missing left out."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
    }
    for package in (*_OURS, *peers):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
