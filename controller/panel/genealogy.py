"""Joints as the journal knows them: which left the cell, and everything that happened to one."""

from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from controller.panel.picture import plain, utc_text
from controller.panel.problems import ProblemError
from controller.supervision import archive
from controller.supervision.shift import JournalError


class JointLine(TypedDict):
    """A joint that left; ``reject`` is empty when it was good."""

    serial: str
    model: str
    order: str
    left_utc: str
    reject: str


class StoryEntry(TypedDict):
    """One thing that happened to a joint."""

    seq: int
    time_utc: str
    kind: str
    facts: dict[str, Any]


class JointStory(TypedDict):
    """A joint from first part to unloading."""

    serial: str
    model: str
    order: str
    left_utc: str
    reject: str
    entries: list[StoryEntry]


def joint_rows(
    journal: Path | None, model: str, since_utc_ns: int, until_utc_ns: int, most: int
) -> list[JointLine]:
    """Joints that left within a time, the last first.

    Raises:
        ProblemError: 503 when the journal cannot be read.
    """
    if journal is None:
        return []
    until_utc_ns = min(until_utc_ns, 2**63 - 1)
    try:
        rows = archive.joints(
            journal, most=most, model=model, since_utc_ns=since_utc_ns, until_utc_ns=until_utc_ns
        )
    except JournalError as error:
        raise ProblemError(503, str(error)) from None
    return [
        JointLine(
            serial=row.serial,
            model=row.model,
            order=row.order,
            left_utc=utc_text(row.left_utc_ns or 0),
            reject=row.reject or "",
        )
        for row in rows
    ]


def joint_story(journal: Path | None, serial: str) -> JointStory | None:
    """Everything about one joint; None when the journal does not know it.

    Raises:
        ProblemError: 503 when the journal cannot be read.
    """
    if journal is None:
        return None
    try:
        entries = archive.story(journal, serial)
    except JournalError as error:
        raise ProblemError(503, str(error)) from None
    if not entries:
        return None
    story = JointStory(serial=serial, model="", order="", left_utc="", reject="", entries=[])
    for entry in entries:
        facts = {
            name: plain(value)
            for name, value in entry.event.model_dump(mode="json").items()
            if name not in ("kind", "serial") and value not in ("", {}, None)
        }
        kind = entry.event.kind
        if kind == "joint_entered":
            story["model"], story["order"] = facts["model"], facts["order"]
        if kind == "joint_left":
            story["left_utc"], story["reject"] = utc_text(entry.utc_ns), facts.get("reject", "")
        story["entries"].append(
            StoryEntry(seq=entry.seq, time_utc=utc_text(entry.utc_ns), kind=kind, facts=facts)
        )
    return story
