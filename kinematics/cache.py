"""Where compiled kernels are kept between processes.

Numba does not notice an edit of a function that a kernel inlines from another file, and would load the old
result. So the folder's name is a hash of all kernel sources. Importing this package changes no global
setting and writes nothing: the application (or the tests) calls `use_cache` before the first kernel runs.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from kinematics.jit import COMPILER, keep_in, sources


def use_cache(directory: str | os.PathLike[str] | None = None) -> Path:
    """Keep compiled kernels in a subfolder of the directory, named by the state of their sources.

    Call it after importing the modules that define kernels, before running any. Kernels imported later are
    kept there too, but their sources are not part of the name.

    Args:
        directory: Where to keep them; the user's cache folder by default. If it can't be written, a new
            temporary folder is used instead: kernels are then compiled in each process.

    Returns:
        The folder in use.
    """
    base = Path(directory) if directory is not None else _user_cache() / "jointcell"
    folder = base / f"kernels-{_fingerprint()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="jointcell-kernels-"))
    keep_in(str(folder))
    return folder


def _user_cache() -> Path:
    """The user's cache folder (XDG base directory specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _fingerprint() -> str:
    """Hash of the sources of all kernels, of Python and of the compiler."""
    digest = hashlib.sha256(f"{COMPILER} {sys.version}".encode())
    for source in sources():
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]
