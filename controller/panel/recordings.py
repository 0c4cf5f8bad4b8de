"""Recordings on disk: which there are, and one by its name."""

from pathlib import Path

from typing_extensions import TypedDict

from controller.panel.picture import utc_text


class Recording(TypedDict):
    """A file (MCAP) with the motion and events of one run."""

    name: str
    bytes: int
    ended_utc: str


def recordings(directory: Path | None) -> list[Recording]:
    """All that are complete, the last first."""
    if directory is None or not directory.is_dir():
        return []
    found = sorted(directory.glob("*.mcap"), key=lambda path: path.name, reverse=True)
    return [
        Recording(
            name=path.name, bytes=path.stat().st_size, ended_utc=utc_text(int(path.stat().st_mtime * 1e9))
        )
        for path in found
        if path.is_file() and not path.is_symlink()
    ]


def recording_file(directory: Path | None, name: str) -> Path | None:
    """The file of that name; None when it is not one of them."""
    if all(recording["name"] != name for recording in recordings(directory)):
        return None
    assert directory is not None, "it was listed"
    return directory / name
