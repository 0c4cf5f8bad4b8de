"""Settings of a running cell: a TOML file, and the environment above it (``JOINTCELL_TRAY_PLACES=40``).

A key that nobody knows is an error that names it, in the file and in the environment.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as SettingsValueError,
)

PREFIX = "JOINTCELL_"


class SettingsError(Exception):
    """Settings that cannot be used; a line for each finding: file or variable, key, value and what is allowed."""


class CellSettings(BaseSettings):
    """How a cell is run; made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    cell: Annotated[str, Field(min_length=1, description="bundled cell or path of a cell file")] = "six_arm"
    models: Annotated[
        tuple[str, ...], Field(description="joint models that may be ordered; none for all")
    ] = ()
    driver: Annotated[
        Literal["fake", "sim", "serial"], Field(description="what executes the plan; serial: real arms")
    ] = "sim"
    emulate: Annotated[
        bool, Field(description="with driver serial: emulated arms on emulated lines instead of real ones")
    ] = False
    pace: Annotated[
        Literal["real", "fast"],
        Field(description="pace of simulated time: real time, or as fast as it goes"),
    ] = "real"
    seed: Annotated[int, Field(ge=0, description="seed of everything random in simulation")] = 0
    journal: Annotated[Path, Field(description="directory of the journal and the log")] = Path("journal")
    journal_largest_gb: Annotated[
        float, Field(gt=0.0, le=1000.0, description="size at which a journal file is succeeded by a new one")
    ] = 4.0
    journal_files: Annotated[
        int, Field(ge=1, le=1000, description="journal files that are kept; the oldest are let go")
    ] = 24
    disk_low_gb: Annotated[
        float, Field(ge=0.0, le=1000.0, description="free space below which there is an alarm")
    ] = 0.5
    tray_places: Annotated[
        int,
        Field(ge=0, le=100_000, description="joints that the out tray holds; 0: somebody always empties it"),
    ] = 0
    lookahead_joints: Annotated[
        int,
        Field(
            ge=2, le=16, description="joints planned ahead; so many enter before changed orders take effect"
        ),
    ] = 4
    ideal_cycle_s: Annotated[
        float, Field(gt=0.0, le=3600.0, description="planned run time per item, for the OEE")
    ] = 30.0
    late_s: Annotated[
        float,
        Field(gt=0.0, le=3600.0, description="longer than planned that a leg may take without an alarm"),
    ] = 5.0
    rejects_in_a_row: Annotated[
        int, Field(ge=1, le=1000, description="rejected joints in a row that raise an alarm")
    ] = 3
    allow_jog_real: Annotated[
        bool, Field(description="jogging of real arms; needs an enabling device at the cell")
    ] = False

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.emulate and self.driver != "serial":
            raise ValueError(f"emulate = true with driver {self.driver!r} (allowed: with driver 'serial')")
        if self.driver == "serial" and self.pace != "real":
            raise ValueError(f"pace {self.pace!r} with driver 'serial' (allowed: 'real')")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in the program, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One setting: its value, where it comes from, and what it means."""

    key: str
    value: str
    origin: str
    meaning: str


def load_settings(file: Path | None) -> CellSettings:
    """The settings of a file (none: all by default) with the environment above it.

    Raises:
        SettingsError: With every finding.
    """
    known = {_variable(key) for key in CellSettings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    findings = [
        f"environment: {name}: nobody knows it (allowed: {', '.join(sorted(known))})" for name in unknown
    ]
    in_file = _keys(file)

    class FromFile(CellSettings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        settings = FromFile()
    except ValidationError as error:
        findings += [_finding(fault, file, in_file) for fault in error.errors()]
    except SettingsValueError as error:  # an environment variable that should be JSON and is not
        findings.append(f"environment: {error}")
    if findings:
        raise SettingsError("\n".join(findings))
    return settings


def explain_settings(file: Path | None) -> tuple[Explained, ...]:
    """Every setting with its origin.

    Raises:
        SettingsError: As `load_settings` does.
    """
    settings, in_file = load_settings(file), _keys(file)
    return tuple(
        Explained(
            key=key,
            value=str(getattr(settings, key)),
            origin=_origin(key, file, in_file) or "default",
            meaning=field.description or "",
        )
        for key, field in CellSettings.model_fields.items()
    )


def _keys(file: Path | None) -> frozenset[str]:
    if file is None:
        return frozenset()
    try:
        return frozenset(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{file}: is not TOML: {error}") from error


def _finding(fault: Any, file: Path | None, in_file: frozenset[str]) -> str:
    key = str(fault["loc"][0]) if fault["loc"] else ""
    where = f"{_origin(key, file, in_file)}: {key}"
    if not key:
        return f"settings: {fault['msg']}"
    if fault["type"] == "extra_forbidden":
        return f"{where}: nobody knows it (allowed: {', '.join(CellSettings.model_fields)})"
    return f"{where}: {fault['input']!r}: {fault['msg']}"


def _origin(key: str, file: Path | None, in_file: frozenset[str]) -> str:
    if _variable(key) in os.environ:
        return f"environment, {_variable(key)}"
    return str(file) if key in in_file else ""


def _variable(key: str) -> str:
    return f"{PREFIX}{key.upper()}"
