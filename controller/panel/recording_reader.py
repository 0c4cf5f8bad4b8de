"""Reads a recording as far as it goes: nothing in the file is believed, and where it is damaged is said.

The messages themselves are guarded by the checksums of their chunks; what follows them, the index by which viewers jump
about, by one of its own. A recording that was cut off, by a power failure or a full disk, is read up to there.
"""

import json
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, Footer, Message, Schema, Statistics
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap_ros2.decoder import DecoderFactory
from numpy.typing import NDArray

from controller.panel.recorder import (
    EVENTS_TOPIC,
    FACTS_TOPIC,
    JOINT_STATE,
    JOINT_STATE_NAME,
    STRING,
    STRING_NAME,
)

DOF = 6
_LARGEST_RECORD = 64_000_000  # a chunk of ours is 1 MB
_FOOTER_END = 12  # the footer's checksum and the magic at the end [bytes]
_SCHEMAS = {
    JOINT_STATE_NAME: JOINT_STATE,
    STRING_NAME: STRING,
}  # a strange one could keep a decoder busy for ever
_JOINTS_SUFFIX = "/joint_states"
_MOST_FINDINGS = 100


class RecordingError(Exception):
    """A file that is no recording at all; the message names it."""


@dataclass(slots=True)
class Track:
    """Where an arm was: ``times_ns`` (n,) time of day, ``q`` (n, 6) measured joints [rad]."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    angles: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """(n,) time of day."""
        return np.array(self.times, dtype=np.int64)

    @property
    def q(self) -> NDArray[np.float64]:
        """(n, 6) measured joints [rad]."""
        return np.array(self.angles).reshape(-1, DOF)


@dataclass(slots=True)
class Contents:
    """What a file holds.

    Attributes:
        path: The file.
        facts: What the cell was; empty in recordings that do not say.
        tracks: Where the arms were, by their names.
        events: What happened, in the order of the file.
        messages: How many messages could be read.
        findings: What is wrong with the file and with single messages, a line each.
    """

    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    messages: int = 0
    findings: list[str] = field(default_factory=list)


def read_recording(path: Path) -> Contents:
    """Read a recording as far as it goes.

    Raises:
        RecordingError: When the file cannot be opened or does not begin as a recording.
    """
    found = Contents(path)
    try:
        with path.open("rb") as file:
            _Reading(found).file(file)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    if not found.messages and found.findings:
        raise RecordingError(f"{path}: holds nothing that can be read: {found.findings[0]}")
    return found


class _Reading:
    """One file being read, record by record."""

    def __init__(self, found: Contents) -> None:
        self._found = found
        self._decoding = DecoderFactory()
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._counts: dict[str, int] = {}
        self._last_ns: dict[str, int] = {}
        self._statistics: Statistics | None = None
        self._footer: Footer | None = None

    def file(self, file: IO[bytes]) -> None:
        """Read it to its end, or to where it is damaged."""
        try:
            for record in StreamReader(file, emit_chunks=True, record_size_limit=_LARGEST_RECORD).records:
                self._record(record)
        except OSError:
            raise
        except Exception as error:  # what the reader makes of damaged bytes is not documented
            where = f"after {self._found.messages} messages"
            if not file.read(1):
                self._say(f"ends too early, {where}: it was cut off, or a length in it is damaged")
            else:
                self._say(f"is damaged {where}: {type(error).__name__}: {str(error)[:200]}")
        else:
            self._end()

    def _record(self, record: object) -> None:
        """The next record of the file."""
        match record:
            case Chunk():
                for inner in _opened(record):
                    self._record(inner)
            case Schema():
                self._schemas[record.id] = record
            case Channel():
                self._channels[record.id] = record
            case Message():
                self._message(record)
            case Statistics():
                self._statistics = record
            case Footer():
                self._footer = record

    def _end(self) -> None:
        """The file has been read to its end."""
        if self._statistics is not None and self._statistics.message_count != self._found.messages:
            said = self._statistics.message_count
            self._say(f"has {self._found.messages} messages, its index says {said}")
        if self._statistics is None or self._footer is None or not self._footer.summary_start:
            self._say("has no index")
        elif not _index_is_sound(self._found.path, self._footer):
            self._say("has a damaged index: viewers that jump about in it may show what was not")

    def _message(self, message: Message) -> None:
        self._found.messages += 1
        channel = self._channels.get(message.channel_id)
        schema = None if channel is None else self._schemas.get(channel.schema_id)
        if channel is None or schema is None:
            self._say(f"message {self._found.messages} is of no known topic")
            return
        self._order(channel.topic, message)
        ours = schema.data.decode(errors="replace") == _SCHEMAS.get(schema.name)
        decode = self._decoding.decoder_for(channel.message_encoding, schema) if ours else None
        if decode is None:
            self._say(f"{channel.topic}: messages of kind {schema.name[:100]!r} are not read")
            return
        content = decode(message.data)
        if schema.name == JOINT_STATE_NAME:
            self._joints(channel.topic, message, content)
        else:
            self._words(channel.topic, content.data)

    def _order(self, topic: str, message: Message) -> None:
        """Every topic counts from 1 without a gap, and its times do not go back; old recordings do not count."""
        count = self._counts.get(topic, 0) + 1
        if message.sequence and message.sequence != count:
            self._say(f"{topic}: message {message.sequence} follows {count - 1}")
        self._counts[topic] = message.sequence or 0
        if message.log_time < self._last_ns.get(topic, 0):
            back_s = (self._last_ns[topic] - message.log_time) * 1e-9
            self._say(f"{topic}: message {message.sequence} is {back_s:.3f} s older than the one before")
        self._last_ns[topic] = message.log_time

    def _joints(self, topic: str, message: Message, content: Any) -> None:
        arm = topic.removesuffix(_JOINTS_SUFFIX).strip("/")
        stamp = content.header.stamp
        if stamp.sec * 10**9 + stamp.nanosec != message.log_time:
            self._say(f"{topic}: message {message.sequence} bears another time than its content")
        q = np.asarray(content.position, dtype=np.float64)
        if q.shape != (DOF,) or not np.isfinite(q).all():
            self._say(f"{topic}: message {message.sequence} has no six angles")
            return
        track = self._found.tracks.setdefault(arm, Track())
        track.times.append(message.log_time)
        track.angles.extend(q.tolist())

    def _words(self, topic: str, text: str) -> None:
        try:
            what = json.loads(text)
        except ValueError:
            what = None
        if topic == EVENTS_TOPIC and _is_event(what):
            self._found.events.append(what)
        elif topic == FACTS_TOPIC and isinstance(what, dict):
            self._found.facts = what
        else:
            self._say(f"{topic}: a message that is not understood: {text[:60]!r}")

    def _say(self, finding: str) -> None:
        if len(self._found.findings) < _MOST_FINDINGS and finding not in self._found.findings:
            self._found.findings.append(finding)


def _opened(chunk: Chunk) -> Iterator[object]:
    """What is in a chunk; one that would grow beyond all measure is not opened."""
    if chunk.compression != "zstd":
        raise McapError(f"compression {chunk.compression[:20]!r} (allowed: zstd)")
    if max(chunk.uncompressed_size, zstandard.frame_content_size(chunk.data)) > _LARGEST_RECORD:
        raise McapError(f"a chunk that would be larger than {_LARGEST_RECORD} bytes")
    yield from breakup_chunk(chunk, validate_crc=True)


def _is_event(what: Any) -> bool:
    kinds = {"seq": int, "utc_ms": int, "kind": str, "text": str, "facts": dict}
    return isinstance(what, dict) and all(isinstance(what.get(name), kind) for name, kind in kinds.items())


def _index_is_sound(path: Path, footer: Footer) -> bool:
    """Whether the summary's checksum holds: of all bytes from its start to the checksum in the footer."""
    with path.open("rb") as file:
        file.seek(footer.summary_start)
        return zlib.crc32(file.read()[:-_FOOTER_END]) == footer.summary_crc
