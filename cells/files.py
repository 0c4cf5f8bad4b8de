"""Reading TOML files into checked records: bounded, strict, and every finding reported at once.

Numbers must be finite, unknown keys are findings, and degrees exist only in keys that end in ``_deg`` (or
``_deg_per_s`` and so on): a field of type `Angle` holds radians under a name without it.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cells.errors import CellError, Finding, shown

MAX_BYTES = 1_000_000

Mark = Literal["V", "C", "R", "E"]
"""V read in the named source, C computed from it, R remembered and not confirmed, E engineering estimate."""

T = TypeVar("T")
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Angle = Annotated[Number, AfterValidator(math.radians)]
"""Degrees (or degrees per s, s², s³) in the file, radians in the record."""
PositiveAngle = Annotated[Positive, AfterValidator(math.radians)]
Six = Annotated[tuple[T, ...], Field(min_length=6, max_length=6)]
Three = Annotated[tuple[T, ...], Field(min_length=3, max_length=3)]


class Record(BaseModel):
    """A table of a file: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Record):
    """A group of figures that says where they come from."""

    source: Text
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a group of figures comes from, and how sure that is (see `Mark`)."""

    text: str
    mark: Mark


R = TypeVar("R", bound=Record)

# Pydantic speaks of Python's types where a file has TOML's.
_PLAIN = {"model_type": "must be a table", "dict_type": "must be a table", "tuple_type": "must be a list"}


def load_record(kind: type[R], file: Traversable, name: str) -> R:
    """Read and check one TOML file.

    Args:
        kind: The record the file must hold.
        file: The file; must be a regular file of at most `MAX_BYTES`.
        name: The name to show in findings.

    Raises:
        CellError: With all findings, when the file cannot be read or does not hold such a record.
    """
    return check_record(kind, read_toml(file, name), name)


def read_toml(file: Traversable, name: str) -> dict[str, Any]:
    """Parse a TOML file; see `load_record` for arguments and errors."""

    def failure(message: str, allowed: str = "") -> CellError:
        return CellError([Finding(file=name, where="", value="", message=message, allowed=allowed)])

    if not file.is_file():
        raise failure("is not a file that can be read" if _exists(file) else "does not exist", "a TOML file")
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise failure(f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise failure("is too large", f"at most {MAX_BYTES} bytes")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise failure(f"line {line} is not UTF-8", "UTF-8 text") from error
    except RecursionError as error:
        raise failure("is nested too deeply", "TOML") from error
    except ValueError as error:  # tomllib.TOMLDecodeError, and integers too long for Python
        raise failure(f"is not TOML: {error}") from error


def check_record(kind: type[R], document: Mapping[str, Any], name: str) -> R:
    """Turn a parsed document into a record; see `load_record` for arguments and errors."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        schema = kind.model_json_schema()
        place = {key: i for i, key in enumerate(document)}  # missing tables come last
        errors = sorted(error.errors(), key=lambda item: place.get(str(item["loc"][0]), len(place)))
        findings = [_finding(dict(item), schema, name) for item in errors if not _follows(dict(item))]
        raise CellError(findings) from None  # the findings say the same, in the file's own words


def bundled(folder: str) -> dict[str, Traversable]:
    """The TOML files of a data folder of this package (``arms``, ``joints``, ...) by name, sorted."""
    files = resources.files("cells").joinpath(folder).iterdir()
    found = {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}
    return dict(sorted(found.items()))


def locate(name_or_path: str | Path, folder: str) -> tuple[Traversable, str]:
    """The file meant by a bundled name (``gp7``) or by a path (``my/arm.toml``), and its name for findings.

    Text without a separator or suffix is a bundled name; everything else is a path.

    Raises:
        CellError: When no bundled file has that name.
    """
    if isinstance(name_or_path, Path) or not re.fullmatch(r"[\w-]*", name_or_path):
        return Path(name_or_path), str(name_or_path)
    known = bundled(folder)
    if name_or_path not in known:
        raise CellError([unknown_name(f"cells/{folder}", name_or_path, known)])
    return known[name_or_path], f"cells/{folder}/{name_or_path}.toml"


def unknown_name(file: str, name: str, known: Mapping[str, object], where: str = "") -> Finding:
    """A finding for a name that is not among the known ones, with the nearest one suggested."""
    message = f"unknown name{_did_you_mean(name, list(known))}"
    return Finding(file=file, where=where, value=shown(name), message=message, allowed=", ".join(known))


def _exists(file: Traversable) -> bool:
    return file.exists() if isinstance(file, Path) else file.is_dir()


def _follows(error: dict[str, Any]) -> bool:
    """A list called too short only because its wrong items, which have their own findings, were left out."""
    return error["type"] == "too_short" and bool(len(error["input"]) >= error["ctx"]["min_length"])


def _finding(error: dict[str, Any], schema: dict[str, Any], name: str) -> Finding:
    """One pydantic error in our words; what is allowed is read from the record's own JSON schema."""
    location = error["loc"]
    where = re.sub(r"\.\[", "[", ".".join(f"[{key}]" if isinstance(key, int) else key for key in location))
    if error["type"] == "extra_forbidden":
        keys = list(_schema_at(schema, location[:-1]).get("properties", {}))
        message = f"unknown key{_did_you_mean(location[-1], keys)}"
        return Finding(
            file=name, where=where, value=shown(error["input"]), message=message, allowed=", ".join(keys)
        )
    allowed = _describe(_schema_at(schema, location), schema)
    if error["type"] == "missing":
        return Finding(file=name, where=where, value="", message="is missing", allowed=allowed)
    if error["type"] in ("too_short", "too_long"):
        message = f"has {len(error['input'])} values"
    else:
        message = _PLAIN.get(error["type"], error["msg"].replace("Input should be ", "must be ", 1))
    return Finding(file=name, where=where, value=shown(error["input"]), message=message, allowed=allowed)


def _did_you_mean(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {near[0]}?" if near else ""


def _schema_at(schema: dict[str, Any], location: tuple[str | int, ...]) -> dict[str, Any]:
    """The part of a JSON schema that describes the value at a location; empty where it cannot be followed."""
    here = _resolve(schema, schema)
    for key in location:
        if isinstance(key, int):
            part = here.get("items")
        else:
            part = here.get("properties", {}).get(key) or here.get("additionalProperties")
        here = _resolve(part or {}, schema)
    return here


def _resolve(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and an optional value to the value itself: TOML has no null."""
    if "$ref" in part:
        return _resolve(schema["$defs"][part["$ref"].rsplit("/", 1)[-1]], schema)
    choices = [choice for choice in part.get("anyOf", []) if choice.get("type") != "null"]
    return _resolve(choices[0], schema) if len(choices) == 1 else part


def _describe(part: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a value may be, in words."""
    part = _resolve(part, schema)
    if "enum" in part or "const" in part:
        return ", ".join(shown(choice) for choice in part.get("enum", [part.get("const")]))
    kind = part.get("type")
    if kind == "array":
        low, high = part.get("minItems"), part.get("maxItems")
        count = f"{low} values" if low == high and low is not None else "a list"
        return f"{count}, each {_describe(part.get('items', {}), schema)}"
    if kind == "object":
        return "a table with " + (", ".join(part.get("properties", {})) or "any keys")
    if kind in ("number", "integer"):
        signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
        bounds = [f"{sign} {part[key]:g}" for key, sign in signs.items() if key in part]
        noun = "a finite number" if kind == "number" else "a whole number"
        return " ".join([noun, " and ".join(bounds)]).strip()
    if kind == "string":
        return f"text matching {part['pattern']}" if "pattern" in part else "text"
    return "true or false" if kind == "boolean" else ""
